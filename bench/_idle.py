"""The smallest stream that waits: what a connection costs under gunicorn and gevent without Vexar."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import threading  # noqa: E402


def app(environ, start_response):
    """One comment, then silence with one of a heartbeat every 15 s."""
    start_response("200 OK", [("Content-Type", "text/event-stream")])
    return _wait(threading.Event()) if environ["PATH_INFO"] == "/" and not environ.get("HTTP_CONNECTION") else [b"ok"]


def _wait(event):
    while True:
        yield b":\n\n"
        event.wait(15)
