"""What a site says to visitors that are programs: its robots.txt, and the sitemaps it names there."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from html import unescape

from protego import Protego

from vexar.outbound.dialing import FetchError
from vexar.outbound.outside import USER_AGENT, Answer

MAX_ROBOTS_BYTES, MAX_SITEMAP_BYTES, MAX_SITEMAPS, MAX_SITEMAP_URLS = 500_000, 10_000_000, 50, 5_000
MAX_DELAY_S = 10.0
_LOCATION = re.compile(r"<loc\b[^>]*>\s*(?:<!\[CDATA\[)?\s*([^<\]]{1,2000}?)\s*(?:\]\]>)?\s*</loc>", re.IGNORECASE)


class Forbidden(Exception):
    """The rules cannot be read, so nothing may be (RFC 9309, 2.3.1.4)."""


class Rules:
    """A site's robots.txt."""

    def __init__(self, answer: Answer) -> None:
        if answer.status >= 500 or answer.status == 429:
            raise Forbidden("robots.txt cannot be read")
        # Without one everything may be read; a page of HTML in its place is none.
        text = answer.body.decode("utf-8", "replace") if answer.status == 200 else ""
        self._rules = Protego.parse("" if text.lstrip()[:1] == "<" else text.lstrip("\ufeff"))
        self.sitemaps = list(self._rules.sitemaps)

    @property
    def delay_s(self) -> float:
        """How long it wants to be left alone between two pages."""
        return min(float(self._rules.crawl_delay(USER_AGENT) or 0), MAX_DELAY_S)

    def may_read(self, url: str) -> bool:
        """Whether it lets us have a page."""
        return self._rules.can_fetch(url, USER_AGENT)


def sitemap_urls(first: list[str], fetch: Callable[[str], Answer]) -> Iterator[str]:
    """The pages of these sitemaps and those they name. `fetch` may raise FetchError, which costs one sitemap.

    Read by pattern: an XML parser could be made to blow up, and broken ones are common.
    """
    waiting, seen, count = list(first), set(first), 0
    while waiting and len(seen) <= MAX_SITEMAPS:
        with suppress(FetchError):
            answer = fetch(waiting.pop(0))
            text = _unpacked(answer.body).decode("utf-8", "replace") if answer.status == 200 else ""
            found = [unescape(each[1]) for each in _LOCATION.finditer(text)]
            if "<sitemapindex" in text[:5000].lower():
                waiting += [url for url in dict.fromkeys(found) if url not in seen]
                seen |= set(found)
                continue
            for url in found[:MAX_SITEMAP_URLS - count]:
                count += 1
                yield url


def _unpacked(data: bytes) -> bytes:
    if not data.startswith(b"\x1f\x8b"):
        return data
    with suppress(OSError, EOFError, zlib.error), gzip.open(io.BytesIO(data)) as file:
        return file.read(MAX_SITEMAP_BYTES)
    return b""
