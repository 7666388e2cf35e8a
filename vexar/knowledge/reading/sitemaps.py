"""Reads sitemaps by pattern: an XML parser could be made to blow up, and broken ones are common."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from contextlib import suppress
from html import unescape

MAX_SITEMAP_BYTES, MAX_URLS, MAX_URL_CHARS = 10_000_000, 4_500, 2_000
# No part of it can match what the next one does: its time grows with the length only.
_LOCATION = re.compile(r"<loc\b[^<>]{0,200}>([^<]{0,4000}+)(?:<!\[CDATA\[([^\]<>]{0,4000}+))?", re.IGNORECASE)
_ALTERNATE = re.compile(r"<xhtml:link\b[^<>]{0,4000}?\bhref\s?=\s?[\"']([^\"'<>]{1,2000}+)", re.IGNORECASE)


def read_sitemap(data: bytes) -> tuple[bool, list[str]]:
    """Whether it lists other sitemaps, and the addresses in it, with those of other languages; packed or not. What is
    no sitemap has none."""
    text = _unpacked(data).decode("utf-8", "replace")
    found = [(each.start(), (each[2] or each[1]).strip()) for each in _LOCATION.finditer(text)]
    found += [(each.start(), each[1].strip()) for each in _ALTERNATE.finditer(text)]
    urls = [unescape(url) for _, url in sorted(found) if 0 < len(url) <= MAX_URL_CHARS]
    if not urls and "<" not in text[:1000]:
        # A sitemap may be a plain list, too.
        urls = [line.strip() for line in text.splitlines() if line.startswith(("http://", "https://"))]
    return "<sitemapindex" in text[:5000].lower(), list(dict.fromkeys(urls))[:MAX_URLS]


def _unpacked(data: bytes) -> bytes:
    if not data.startswith(b"\x1f\x8b"):
        return data
    with suppress(OSError, EOFError, zlib.error), gzip.open(io.BytesIO(data)) as file:
        return file.read(MAX_SITEMAP_BYTES)
    return b""
