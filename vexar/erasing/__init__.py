"""Erasing for good, and what a site keeps only for a while."""
