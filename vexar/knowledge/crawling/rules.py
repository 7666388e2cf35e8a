"""What a site says to visitors that are programs: its robots.txt, and the sitemaps it names there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from protego import Protego

from vexar.outbound.outside import USER_AGENT, Answer

MAX_ROBOTS_BYTES, MAX_SITEMAPS, MAX_SITEMAP_URLS = 500_000, 50, 4_500
MAX_DELAY_S = 30.0


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


def sitemap_urls(first: list[str], read: Callable[[str], tuple[bool, list[str]]]) -> Iterator[str]:
    """The pages of these sitemaps and those they name; `read` says whether one lists others, and its addresses."""
    waiting, seen, count, asked = list(first), set(first), 0, 0
    while waiting and asked < MAX_SITEMAPS and count < MAX_SITEMAP_URLS:
        is_index, found = read(waiting.pop(0))
        asked += 1
        if is_index:
            waiting += [url for url in found if url not in seen]
            seen |= set(found)
            continue
        for url in found[:MAX_SITEMAP_URLS - count]:
            count += 1
            yield url
