"""Reads the pages of sites into their knowledge: one crawl at a time in a process, one page at a time of a site.

Whatever was done is stored page by page, under a lease: who is killed is followed by another worker, which goes on
where it stopped. A crawl that saw everything takes away what it did not meet again; one that was cut does not.
"""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import urljoin

from vexar.knowledge import stored
from vexar.knowledge.crawling import rows as crawl_rows
from vexar.knowledge.crawling.rules import MAX_ROBOTS_BYTES, MAX_SITEMAP_BYTES, Forbidden, Rules, sitemap_urls
from vexar.knowledge.crawling.urls import Domain, is_trap
from vexar.knowledge.entries import MAX_URL_CHARS, Entry
from vexar.knowledge.index import add_entries, remove_entries
from vexar.knowledge.reading.html import Page
from vexar.knowledge.reading.reader import Reader
from vexar.outbound.dialing import FetchError, Refused
from vexar.outbound.fetch import Call
from vexar.outbound.outside import Answer, Outside
from vexar.store import Store, StoreError

log = logging.getLogger("vexar.crawl")

TICK_S = 1.0
DELAY_S = 0.2
PAGE_TIMEOUT_S = 20.0
MAX_PAGES, MAX_DEPTH, MAX_PAGE_BYTES, MAX_BYTES, MAX_TIME_MS = 2_000, 10, 2_000_000, 200_000_000, 3_600_000
MAX_RETRIES, MAX_RETRY_AFTER_S = 2, 30.0
MIN_TEXT_CHARS = 20
# What servers that answer 200 for everything write on their page about nothing.
_NOT_FOUND = re.compile(
    r"\b404\b|not found|does ?n.t exist|nicht gefunden|introuvable|no encontrad|non trovat|niet gevonden|не знайдено"
    r"|не найден|غير موجود|未找到|找不到|見つかりません", re.IGNORECASE,
)  # fmt: skip
SOFT_CHARS, SAME_SHARE = 800, 0.9
# Outcomes of a page whose entry stays as it was: it may be well again the next time.
KEEP = ("failed", "too_large")


class CrawlFailed(Exception):
    """The crawl as a whole cannot go on; the text says why."""


class Lost(Exception):
    """The lease is another's, or the process ends."""


@dataclass(frozen=True)
class Outcome:
    """What became of a page: kept, duplicate, canonical, redirect, elsewhere, empty, noindex, not_html, robots, gone,
    too_large or failed."""

    word: str
    page: Page | None = None
    found: tuple[str, ...] = ()


class Crawler:
    """One per process; `start()` begins to look for crawls that wait."""

    def __init__(self, store: Store, outside: Outside, reader: Reader, *, owner: str, delay_s: float = DELAY_S) -> None:
        self.store, self.outside, self.reader = store, outside, reader
        self.owner, self.delay_s = owner, delay_s
        self.closing = threading.Event()
        self._call: Call | None = None
        self._thread = threading.Thread(target=self._keep, name="vexar-crawler", daemon=True)

    def start(self) -> None:
        """Begin; a process that serves nobody (a command) does not."""
        self._thread.start()

    def close(self) -> None:
        """End after the page it is at; another worker goes on at once."""
        self.closing.set()
        if self._call is not None:
            self._call.cancel()
        if self._thread.ident is not None:
            self._thread.join(10)
        self.outside.close()

    def order(self, site_id: int) -> bool:
        """Have a site crawled; False while that is done already."""
        return self.store.write(crawl_rows.begin, site_id=site_id)

    def work(self) -> bool:
        """Do one crawl that waits, to its end; whether there was one."""
        if not self.store.read(crawl_rows.is_waiting):
            return False
        taken = self.store.write(crawl_rows.take, owner=self.owner)
        if taken is None:
            return False
        row, site = taken
        outcome, detail = "failed", "the site was removed"
        try:
            if site is not None:
                outcome, detail = Visit(self, row, site).run()
        except Lost:
            self.store.write(crawl_rows.release, site_id=row.site_id, owner=self.owner)
            return True
        except (CrawlFailed, Forbidden) as problem:
            detail = str(problem)
        self.store.write(
            crawl_rows.end, site_id=row.site_id, owner=self.owner, outcome=outcome, detail=detail
        )
        return True

    def read_one(self, site: Any, url: str) -> int:
        """Read one page of a site now; its entry's number. Raises CrawlFailed."""
        domain = Domain(site.url)
        target = domain.plain(urljoin(domain.root, url))
        if not target:
            raise CrawlFailed("this is no page of the site's own address")
        try:
            answer = self.outside.follow(
                target, may_go=lambda to: bool(domain.plain(to)), timeout_s=PAGE_TIMEOUT_S, max_bytes=MAX_PAGE_BYTES
            )
        except FetchError as problem:
            raise CrawlFailed(f"the page cannot be fetched: {problem}") from None
        if answer.status != 200 or answer.is_cut or not _is_html(answer):
            raise CrawlFailed(f"the page cannot be read (status {answer.status})")
        page = self.reader.page(answer.body, answer.url, _charset(answer))
        if len(page.text) < MIN_TEXT_CHARS:
            raise CrawlFailed("the page has no text")
        known = self.store.read(crawl_rows.page, site_id=site.id, url=domain.plain(answer.url))
        return keep(self.store, site.id, domain.plain(answer.url), page, known and known.entry_id)

    def watch(self, call: Call) -> None:
        """Remember what to cut when the process ends."""
        self._call = call

    def _keep(self) -> None:
        while not self.closing.wait(TICK_S):
            try:
                self.work()
            except StoreError:
                log.warning("the database is away; the crawler waits for it")
            except Exception:
                # Its lease runs out, and somebody tries again: the page that did it is done by then or at fault anew.
                log.exception("a crawl stumbled; it goes on when its lease has run out")


class Visit:
    """One crawl of one site by this process, from where it stands."""

    def __init__(self, crawler: Crawler, row: Any, site: Any) -> None:
        self._crawler, self._store = crawler, crawler.store
        self._site_id, self._number, self._row = site.id, row.number, row
        self._domain = Domain(site.url)
        self._bytes = row.fetched_bytes
        self._rules: Rules | None = None
        self._delay_s = crawler.delay_s
        self._asked_at = 0.0
        self._missing: tuple[str, set[str]] | None = None

    def run(self) -> tuple[str, str]:
        """Read page after page: the outcome and its detail. Raises CrawlFailed, Forbidden, Lost."""
        if not self._domain.start:
            raise CrawlFailed("the site has no address that can be fetched")
        self._begin()
        kept = self._store.read_heavy(crawl_rows.kept, site_id=self._site_id, number=self._number)
        done = sum(self._status()[1].values())
        while row := self._store.read(crawl_rows.next_page, site_id=self._site_id, number=self._number):
            self._hold()
            if limit := self._limit(done):
                return "capped", limit
            self._do(row, kept)
            done += 1
        if not kept and done <= 1 and self._status()[1].get("failed"):
            raise CrawlFailed("the site's first page cannot be fetched")
        self._sweep()
        return "complete", ""

    def _begin(self) -> None:
        try:
            self._rules = Rules(self._fetch(f"{self._domain.root}/robots.txt", MAX_ROBOTS_BYTES, hops=5))
        except FetchError as problem:
            raise CrawlFailed(f"robots.txt cannot be fetched: {problem}") from None
        self._delay_s = max(self._delay_s, self._rules.delay_s)
        self._probe()
        if self._status()[2]:
            # Somebody else began, and found where to go.
            return
        self._meet([self._domain.start], 0, is_listed=True)
        maps = [*self._rules.sitemaps, f"{self._domain.root}/sitemap.xml"]
        listed = sitemap_urls(list(dict.fromkeys(maps)), self._sitemap)
        self._meet([plain for url in listed if (plain := self._domain.plain(url))], 1, is_listed=True)

    def _sitemap(self, url: str) -> Answer:
        if not self._is_own(url):
            raise Refused("a sitemap of another server")
        return self._fetch(url, MAX_SITEMAP_BYTES, hops=3)

    def _probe(self) -> None:
        """See what a page that cannot exist looks like, for servers that answer 200 to everything."""
        with suppress(FetchError):
            answer = self._fetch(f"{self._domain.root}/vexar-{secrets.token_hex(8)}", MAX_PAGE_BYTES, hops=3)
            if answer.status == 200 and _is_html(answer):
                page = self._crawler.reader.page(answer.body, answer.url, _charset(answer))
                self._missing = page.title, _words(page.text, answer.url)

    def _do(self, row: Any, kept: dict[str, str]) -> None:
        outcome = self._outcome(row)
        digest, entry_id = "", row.entry_id
        if outcome.word == "kept":
            digest = _digest(outcome.page)
            if kept.setdefault(digest, row.url) != row.url:
                outcome = Outcome("duplicate", found=outcome.found)
            else:
                is_same = digest == row.digest and row.entry_id is not None and self._has(row.entry_id)
                entry_id = row.entry_id if is_same else keep(
                    self._store, self._site_id, row.url, outcome.page, row.entry_id
                )
        if outcome.word in KEEP:
            digest = row.digest
        elif outcome.word != "kept":
            digest = ""
            self._drop(row)
            entry_id = None
        if row.depth < MAX_DEPTH:
            self._meet([url for url in outcome.found if not is_trap(url)], row.depth + 1)
        self._store.write(
            crawl_rows.done, site_id=self._site_id, url=row.url, number=self._number, outcome=outcome.word,
            digest=digest, entry_id=entry_id,
        )

    def _outcome(self, row: Any) -> Outcome:
        if not self._rules.may_read(row.url):
            return Outcome("robots")
        try:
            answer = self._fetch(row.url, MAX_PAGE_BYTES, retries=MAX_RETRIES)
        except FetchError as problem:
            return Outcome("gone" if isinstance(problem, Refused) else "failed")
        if answer.location:
            target = self._domain.plain(answer.location)
            return Outcome("redirect", found=(target,)) if target else Outcome("elsewhere")
        if answer.status in (429, 408) or answer.status >= 500:
            return Outcome("failed")
        if answer.status != 200:
            return Outcome("gone")
        if not _is_html(answer):
            return Outcome("not_html")
        if answer.is_cut:
            return Outcome("too_large")
        return self._judged(row, answer, self._crawler.reader.page(answer.body, row.url, _charset(answer)))

    def _judged(self, row: Any, answer: Answer, page: Page) -> Outcome:
        robots = (answer.headers.get("X-Robots-Tag") or "").lower()
        is_nofollow = page.is_nofollow or "nofollow" in robots
        found = () if is_nofollow else tuple(filter(None, map(self._domain.plain, page.links)))
        if page.refresh and (target := self._domain.plain(page.refresh)) != row.url:
            return Outcome("redirect", found=(target,) if target else ())
        if self._is_missing(row, page):
            return Outcome("gone")
        if page.is_noindex or "noindex" in robots or "none" in robots:
            return Outcome("noindex", found=found)
        canonical = self._domain.plain(page.canonical) if page.canonical else ""
        if canonical and canonical != row.url and self._is_better(canonical):
            return Outcome("canonical", found=(canonical, *found))
        if len(page.text) < MIN_TEXT_CHARS:
            return Outcome("empty", found=found)
        return Outcome("kept", page, found)

    def _is_missing(self, row: Any, page: Page) -> bool:
        """Whether it says that there is nothing, or looks like a page that cannot exist."""
        if len(page.text) < SOFT_CHARS and _NOT_FOUND.search(page.title):
            return True
        if self._missing is None or row.url == self._domain.start:
            return False
        title, words = self._missing
        own = _words(page.text, row.url)
        return page.title == title and len(own & words) >= SAME_SHARE * max(1, len(own | words))

    def _is_better(self, url: str) -> bool:
        """Whether the address a page calls its own may stand for it: not one that was no page itself."""
        known = self._store.read(crawl_rows.page, site_id=self._site_id, url=url)
        return known is None or known.done_number < self._number or known.outcome in ("kept", "duplicate")

    def _sweep(self) -> None:
        """Take away what this crawl, which saw everything, did not meet."""
        while rows := self._store.read_heavy(crawl_rows.gone, site_id=self._site_id, number=self._number):
            self._hold()
            for row in rows:
                self._drop(row)
            self._store.write(crawl_rows.forget, site_id=self._site_id, hashes=[row.url_hash for row in rows])

    def _drop(self, row: Any) -> None:
        # A page that moved has the same text, and so the same entry, under its new address.
        if row.entry_id is not None and not self._store.read(
            crawl_rows.is_shared, site_id=self._site_id, entry_id=row.entry_id, url_hash=row.url_hash
        ):
            remove_entries(self._store, self._site_id, [row.entry_id])

    def _has(self, entry_id: int) -> bool:
        entry = self._store.read(stored.find, entry_id=entry_id)
        return entry is not None and entry.site_id == self._site_id

    def _meet(self, urls: list[str], depth: int, *, is_listed: bool = False) -> None:
        urls = list(dict.fromkeys(urls))
        for at in range(0, len(urls), 100):
            self._store.write(
                crawl_rows.meet, site_id=self._site_id, number=self._number, urls=urls[at:at + 100], depth=depth,
                is_listed=is_listed,
            )

    def _fetch(self, url: str, max_bytes: int, *, hops: int = 0, retries: int = 0) -> Answer:
        """One answer after the pause the site is owed; `hops` own redirects are followed. Raises FetchError, Lost."""
        for attempt in range(hops + retries + 1):
            self._pause(max(0.0, self._asked_at + self._delay_s - time.monotonic()))
            self._asked_at = time.monotonic()
            try:
                answer = self._crawler.outside.fetch(
                    url, timeout_s=PAGE_TIMEOUT_S, max_bytes=max_bytes, watch=self._crawler.watch,
                    headers={"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.5"},
                )
            except FetchError:
                # A call that was cut by our own end says nothing about the page.
                if self._crawler.closing.is_set():
                    raise Lost from None
                raise
            self._bytes += len(answer.body)
            self._hold(len(answer.body))
            if hops and answer.location and self._is_own(answer.location):
                url = answer.location
            elif attempt < retries and answer.status in (429, 503):
                self._pause(_retry_after_s(answer))
            else:
                break
        return answer

    def _is_own(self, url: str) -> bool:
        # The one spelling of a page refuses files; only server and scheme matter here.
        with suppress(ValueError):
            return bool(self._domain.plain(urljoin(url, "/")))
        return False

    def _pause(self, seconds: float) -> None:
        """Wait, and keep the lease meanwhile."""
        until = time.monotonic() + seconds
        while (left_s := until - time.monotonic()) > 0:
            if self._crawler.closing.wait(min(left_s, 4.0)):
                raise Lost
            if left_s > 4.0:
                self._hold()

    def _hold(self, more: int = 0) -> None:
        """Renew the lease. Raises Lost."""
        is_ours = self._store.write(
            crawl_rows.renew, site_id=self._site_id, owner=self._crawler.owner, more=more
        )
        if not is_ours or self._crawler.closing.is_set():
            raise Lost

    def _limit(self, done: int) -> str:
        """Which cap is reached, as words for a person; empty for none."""
        if done >= MAX_PAGES:
            return f"stopped after {MAX_PAGES} pages"
        if self._bytes >= MAX_BYTES:
            return f"stopped after {MAX_BYTES // 1_000_000} MB"
        if time.time() * 1000 - self._row.started_ms >= MAX_TIME_MS:
            return f"stopped after {MAX_TIME_MS // 60_000} minutes"
        return ""

    def _status(self) -> tuple[Any, dict[str, int], int]:
        return self._store.read(crawl_rows.status, site_id=self._site_id)


def keep(store: Store, site_id: int, url: str, page: Page, entry_id: int | None) -> int:
    """Make a page an entry, or its entry say what it says now; the entry's number."""
    entry = Entry("page", page.title, "", page.text, url[:MAX_URL_CHARS])
    if entry_id is not None and stored.change(store, site_id, entry_id, entry):
        return entry_id
    return add_entries(store, site_id, [entry])[0]


def _digest(page: Page) -> str:
    return hashlib.blake2b(f"{page.title}\0{page.text}".encode(), digest_size=16).hexdigest()


def _words(text: str, url: str) -> set[str]:
    # The address that was asked for is often part of the text.
    words = [set(re.findall(r"[^\W\d_]{2,}", part.lower())) for part in (text, url)]
    return words[0] - words[1]


def _is_html(answer: Answer) -> bool:
    kind = (answer.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    if kind:
        return kind in ("text/html", "application/xhtml+xml")
    return b"<" in answer.body[:1000]


def _charset(answer: Answer) -> str:
    message = Message()
    message["Content-Type"] = answer.headers.get("Content-Type") or "text/html"
    return str(message.get_param("charset", "") or "")


def _retry_after_s(answer: Answer) -> float:
    text = (answer.headers.get("Retry-After") or "").strip()
    return min(float(text), MAX_RETRY_AFTER_S) if text.isdecimal() else 2.0
