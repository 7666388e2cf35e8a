"""Files: uploaded images, and the pages and scripts that ship with Vexar."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, send_file

from vexar.errors import ApiError
from vexar.parts import parts

blueprint = Blueprint("files", __name__)

STATIC = Path(__file__).resolve().parent.parent.parent / "static"
YEAR_S = 31_536_000
IMAGE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Content-Disposition": "inline",
}
PAGE_HEADERS = {
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
}
PAGE_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


@blueprint.get("/uploads/<path:path>")
def upload(path: str) -> Response:
    """An uploaded image."""
    found = parts().uploads.open(path)
    if found is None:
        raise ApiError("not_found")
    file, content_type = found
    answer = send_file(file, mimetype=content_type, conditional=True, etag=True, max_age=YEAR_S)
    answer.headers.update(IMAGE_HEADERS)
    answer.headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable"
    return answer


def static_file(folder: str, name: str) -> Response:
    """A file below static/`folder`; only the types of PAGE_TYPES. Raises ApiError not_found."""
    root = STATIC / folder
    file = (root / name).resolve()
    content_type = PAGE_TYPES.get(file.suffix)
    if content_type is None or root.resolve() not in file.parents or not file.is_file():
        raise ApiError("not_found")
    answer = send_file(file, mimetype=content_type, conditional=True, etag=True)
    answer.headers.update(PAGE_HEADERS)
    return answer
