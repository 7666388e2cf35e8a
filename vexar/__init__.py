"""Vexar: a self-hosted AI chat widget backend for one small server."""

__version__ = "0.1.0"
