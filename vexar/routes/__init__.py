"""The HTTP surface, by caller: widget, files, service; typed endpoints make their own documentation."""
