"""The widget's scripts and styles: /widget/chatbot.js, and the rest below an address that holds a hash of it all.

A page on any origin may load them, also under COEP. They are read once per process, without comments and
indentation, and compressed; a change on the disk needs a restart.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, request

from vexar.errors import ApiError

blueprint = Blueprint("assets", __name__)

FOLDER = Path(__file__).resolve().parent.parent.parent / "static" / "widget"
LOADER = "chatbot.js"
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
PICTURES = {".svg": "image/svg+xml"}
# The loader's address never changes: a new version reaches every page within this time.
LOADER_CACHE = "public, max-age=300"
FOREVER_CACHE = "public, max-age=31536000, immutable"
HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class Asset:
    """One file: its content type, its bytes as they are and compressed, and a hash of them."""

    content_type: str
    plain: bytes
    packed: bytes
    tag: str


@blueprint.get("/widget/<path:name>")
def widget_file(name: str) -> Response:
    """A file of the widget, as `name` or `<version>/name`. Raises ApiError not_found."""
    version, files = read_files()
    first, _, rest = name.partition("/")
    asset = files.get(name) or files.get(rest)
    if asset is None:
        raise ApiError("not_found")
    # A page that was loaded before an upgrade asks for the old version: it gets the new files, but not for good.
    cache_control = FOREVER_CACHE if first == version else LOADER_CACHE
    answer = asset_answer(asset, cache_control)
    answer.headers.update(HEADERS)
    return answer


def asset_answer(asset: Asset, cache_control: str) -> Response:
    """A file, compressed where the browser takes that; 304 where it has it."""
    is_packed = request.accept_encodings["gzip"] > 0
    answer = Response(asset.packed if is_packed else asset.plain, content_type=asset.content_type)
    answer.headers["Cache-Control"] = cache_control
    answer.headers["Vary"] = "Accept-Encoding"
    if is_packed:
        answer.headers["Content-Encoding"] = "gzip"
    answer.set_etag(f"{asset.tag}-gz" if is_packed else asset.tag)
    return answer.make_conditional(request)


@cache
def read_files() -> tuple[str, dict[str, Asset]]:
    """The version (a hash over all files) and every file by its path below static/widget."""
    found = {
        path.relative_to(FOLDER).as_posix(): _bare(path.read_text(encoding="utf-8"), path.suffix)
        for path in sorted(FOLDER.rglob("*")) if path.suffix in TYPES
    }
    digest = hashlib.sha256(b"".join(name.encode() + b"\0" + data for name, data in found.items()))
    version = digest.hexdigest()[:12]
    found[LOADER] = found[LOADER].replace(b"__VERSION__", version.encode())
    return version, {name: make_asset(name, data) for name, data in found.items()}


def _bare(text: str, suffix: str) -> bytes:
    """A script or style without its comment lines and indentation, which nobody reads on the wire."""
    lines = (line.strip() for line in text.splitlines())
    bare = "\n".join(line for line in lines if line and not line.startswith(("//", "/*", "* ", "*/")))
    return (_dense_style(bare) if suffix == ".css" else bare).encode()


def _dense_style(css: str) -> str:
    """A style without the spaces that mean nothing; one before a colon, or around + and >, may mean something."""
    return re.sub(r";?}\n?", "}", re.sub(r"\s*([{};,])\s*|(?<=[\w-]:)\s+", r"\1", css))


def make_asset(name: str, data: bytes) -> Asset:
    """A file with its content type, compressed and tagged once."""
    tag = hashlib.sha256(data).hexdigest()[:16]
    return Asset((TYPES | PICTURES)[Path(name).suffix], data, gzip.compress(data, 9, mtime=0), tag)
