"""Calls to other servers: the one door to `requests`, and which addresses may be reached for a site."""
