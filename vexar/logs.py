"""Log lines on stderr, as text or JSON, and one line per request with its id.

A line holds the method, the path without its query string, the status and the time: session ids, keys and texts
travel in query strings, headers and bodies, which are never written.
"""

from __future__ import annotations

import logging
import re
import secrets
import sys
import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any

import msgspec

from config import Config

MAX_PATH_CHARS = 200
REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
EXTRAS = ("method", "path", "status", "ms")
_request_id: ContextVar[str] = ContextVar("request_id", default="")
_requests = logging.getLogger("vexar.request")


def configure(config: Config) -> None:
    """Send log lines to stderr in the format of `config.log_format`; safe to call again."""
    handler = logging.StreamHandler(sys.stderr)
    handler.set_name("vexar")
    handler.addFilter(_add_request_id)
    handler.setFormatter(JsonLines() if config.log_format == "json" else TextLines())
    root = logging.getLogger()
    for old in [one for one in root.handlers if one.get_name() == "vexar"]:
        root.removeHandler(old)
    root.addHandler(handler)
    logging.getLogger("vexar").setLevel(logging.INFO)
    # The development server writes whole addresses, query strings included.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)


def install_logging(app: Any) -> None:
    """Log each request of a Flask app, and answer with its X-Request-Id."""
    app.wsgi_app = RequestLog(app.wsgi_app)


def current_request_id() -> str:
    """The id of the request this context serves; empty outside one."""
    return _request_id.get()


class RequestLog:
    """WSGI middleware: takes over a sound X-Request-Id or makes one, and logs when the status is known."""

    def __init__(self, app: Callable) -> None:
        self._app = app

    def __call__(self, environ: dict, start_response: Callable) -> Iterable[bytes]:
        started = time.perf_counter()
        request_id = environ.get("HTTP_X_REQUEST_ID", "")
        if not REQUEST_ID.fullmatch(request_id):
            request_id = secrets.token_hex(8)
        _request_id.set(request_id)

        def start(status: str, headers: list, exc_info: Any = None) -> Callable:
            _log_request(environ, status, (time.perf_counter() - started) * 1000)
            return start_response(status, [*headers, ("X-Request-Id", request_id)], exc_info)

        return self._app(environ, start)


def _log_request(environ: dict, status: str, ms: float) -> None:
    if not _requests.isEnabledFor(logging.INFO):
        return
    facts = {
        "method": _printable(environ.get("REQUEST_METHOD", "")),
        "path": _printable(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")),
        "status": int(status[:3]),
        "ms": round(ms, 1),
    }
    _requests.info("request", extra=facts)


def _printable(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text[:MAX_PATH_CHARS]
    # WSGI hands raw bytes over as Latin-1; a line break in a path must not begin a line of its own.
    decoded = text.encode("latin-1", "replace").decode("utf-8", "replace")[:MAX_PATH_CHARS]
    return "".join(char if char.isprintable() else "?" for char in decoded)


def _add_request_id(record: logging.LogRecord) -> bool:
    record.request_id = _request_id.get()
    return True


class TextLines(logging.Formatter):
    """`2026-01-31T12:00:00.000Z INFO vexar.request GET /healthz 200 0.4ms [3f2a...]`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, then the traceback if there is one."""
        told = record.getMessage()
        if hasattr(record, "method"):
            told = f"{record.method} {record.path} {record.status} {record.ms}ms"
        line = f"{_time(record)} {record.levelname} {record.name} {told}"
        if record.request_id:
            line += f" [{record.request_id}]"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonLines(logging.Formatter):
    """One JSON object per line: time, level, logger, message, request_id, and what the record carries of EXTRAS."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; a traceback is the text of `traceback`."""
        facts = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": record.request_id or None,
        }
        facts.update((name, getattr(record, name)) for name in EXTRAS if hasattr(record, name))
        if record.exc_info:
            facts["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(facts).decode()


def _time(record: logging.LogRecord) -> str:
    moment = time.gmtime(record.created)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', moment)}.{int(record.msecs):03d}Z"
