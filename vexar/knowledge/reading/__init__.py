"""From bytes to entries: files of every kind, pages of every server."""
