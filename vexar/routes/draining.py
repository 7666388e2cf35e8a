"""Planned restarts: from the moment the server leaves, no request begins anything new."""

from __future__ import annotations

from flask import Flask, request

from vexar.errors import ApiError
from vexar.parts import parts

RETRY_AFTER_S = 1
# What is refused then; the pages and the health of the server are not.
DRAINED = "/api/"


def install_draining(app: Flask) -> None:
    """Answer API requests with 503 `restarting` once the runs are draining."""
    app.before_request(_refuse)


def _refuse() -> None:
    # A refused preflight would hide the 503 and its Retry-After from the page.
    if parts().runs.is_draining and request.path.startswith(DRAINED) and request.method != "OPTIONS":
        raise ApiError("restarting", retry_after=RETRY_AFTER_S, headers={"Connection": "close"})
