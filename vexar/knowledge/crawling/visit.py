"""One crawl of one site, from where it stands: page after page, and at its end what is gone is taken away.

A crawl that saw everything takes away what it did not meet again. One that was cut, or that met a site which is
down, takes away nothing; where single pages failed, what they may have led to is asked for before it goes.
"""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from typing import Any

from vexar.knowledge import stored
from vexar.knowledge.crawling import rows
from vexar.knowledge.crawling.asking import MAX_RETRIES, Asker, CrawlFailed
from vexar.knowledge.crawling.judging import (
    MAX_PAGE_BYTES,
    MIN_TEXT_CHARS,
    Missing,
    Outcome,
    charset,
    digest,
    early_outcome,
    is_html,
    orders,
    says_nothing,
)
from vexar.knowledge.crawling.rules import MAX_ROBOTS_BYTES, Rules, sitemap_urls
from vexar.knowledge.crawling.urls import MAX_URL_CHARS as MAX_PAGE_URL_CHARS
from vexar.knowledge.crawling.urls import Domain, is_root, is_trap, is_twin
from vexar.knowledge.entries import MAX_URL_CHARS, Entry
from vexar.knowledge.index import add_entries, remove_entries
from vexar.knowledge.reading.extract import ExtractError
from vexar.knowledge.reading.html import Page
from vexar.knowledge.reading.reader import Reader
from vexar.knowledge.reading.sitemaps import MAX_SITEMAP_BYTES
from vexar.outbound.dialing import FetchError, Refused
from vexar.outbound.outside import Answer
from vexar.store import Store

MAX_PAGES, MAX_DEPTH, MAX_BYTES, MAX_TIME_MS = 2_000, 10, 200_000_000, 3_600_000
# Pages that name each other as their own address, one behind the other.
MAX_CANONICALS = 3


class Visit:
    """One crawl by this process."""

    def __init__(self, store: Store, reader: Reader, asker: Asker, row: Any, site: Any) -> None:
        self._store, self._reader, self._asker = store, reader, asker
        self._site_id, self._number, self._row = site.id, row.number, row
        self._domain = Domain(site.url)
        self._rules: Rules | None = None
        self._missing: Missing | None = None
        # {digest: address} of what this crawl has taken; the addresses that are being read at this moment.
        self._kept: dict[str, str] = {}
        self._reading: list[str] = []
        self._done = 0

    def run(self) -> tuple[str, str]:
        """Read page after page: the outcome and its detail. Raises CrawlFailed, Forbidden, Lost."""
        if not self._domain.start:
            raise CrawlFailed("the site has no address that can be fetched")
        self._begin()
        self._kept = self._store.read_heavy(rows.kept, site_id=self._site_id, number=self._number)
        self._done = sum(self._counts().values())
        while True:
            while row := self._store.read(rows.next_page, site_id=self._site_id, number=self._number):
                self._asker.hold()
                if limit := self._limit():
                    return "capped", limit
                self._do(row)
            if not self._doubt():
                break
        self._check_found()
        self._sweep()
        return "complete", ""

    def _begin(self) -> None:
        try:
            robots = self._asker.fetch(f"{self._domain.root}/robots.txt", MAX_ROBOTS_BYTES, may_go=self._domain.is_own)
        except FetchError as problem:
            raise CrawlFailed(f"robots.txt cannot be fetched: {problem}") from None
        self._rules = Rules(robots)
        self._asker.delay_s = max(self._asker.delay_s, self._rules.delay_s)
        self._probe()
        # It is met last, so that it tells: somebody else began, and found all the sitemaps.
        start = self._store.read(rows.page, site_id=self._site_id, url=self._domain.start)
        if start is None or start.found_number < self._number:
            maps = [*self._rules.sitemaps, f"{self._domain.root}/sitemap.xml"]
            listed = [self._domain.page(url) for url in sitemap_urls(list(dict.fromkeys(maps)), self._sitemap)]
            self._meet([url for url in listed if url and url != self._domain.start], 1, is_listed=True)
            self._meet([self._domain.start], 0, is_listed=True)

    def _sitemap(self, url: str) -> tuple[bool, list[str]]:
        """What a sitemap lists; nothing for one that cannot be read, which is noted: its pages are in doubt."""
        # What is over a cap here ends the crawl as capped at its first page.
        if not self._domain.is_own(url) or self._limit():
            return False, []
        try:
            answer = self._asker.fetch(url, MAX_SITEMAP_BYTES, may_go=self._domain.is_own)
            if answer.status < 500:
                return self._reader.sitemap(answer.body) if answer.status == 200 else (False, [])
        except (FetchError, ExtractError):
            pass
        if len(url) <= MAX_PAGE_URL_CHARS:
            self._meet([url], 0)
            self._note(url, Outcome("failed"), "", None)
        return False, []

    def _probe(self) -> None:
        """See what a page that cannot exist looks like, and under which of its names the site lives."""
        url = f"{self._domain.root}/vexar-{secrets.token_hex(8)}"
        with suppress(FetchError, ExtractError):
            answer = self._asker.fetch(url, MAX_PAGE_BYTES, may_go=self._domain.is_own)
            self._domain.settle(answer.url)
            if answer.status == 200 and is_html(answer):
                page = self._reader.page(answer.body, answer.url, charset(answer))
                self._missing = Missing.of(page, url, answer.url)

    def _do(self, row: Any) -> None:
        self._reading.append(row.url)
        outcome = self._outcome(row)
        self._reading.remove(row.url)
        text_digest, entry_id = "", None
        if outcome.word == "kept":
            text_digest = digest(outcome.page)
            if self._kept.setdefault(text_digest, row.url) != row.url:
                outcome = Outcome("duplicate", found=outcome.found)
        if outcome.word == "kept":
            entry_id = self._keep(row, outcome.page, is_same=text_digest == row.digest)
        elif outcome.is_unknown:
            text_digest, entry_id = row.digest if row.entry_id else "", row.entry_id
        else:
            text_digest = self._drop(row)
        if row.depth < MAX_DEPTH:
            self._meet([url for url in outcome.found if not is_trap(url)], row.depth + 1)
        self._note(row.url, outcome, text_digest, entry_id)
        self._done += 1

    def _note(self, url: str, outcome: Outcome, text_digest: str, entry_id: int | None) -> None:
        self._store.write(
            rows.done, site_id=self._site_id, url=url, number=self._number, outcome=outcome.word, digest=text_digest,
            entry_id=entry_id,
        )

    def _outcome(self, row: Any) -> Outcome:
        if not self._rules.may_read(row.url):
            return Outcome("robots")
        try:
            answer = self._asker.fetch(row.url, MAX_PAGE_BYTES, retries=MAX_RETRIES)
        except FetchError as problem:
            return Outcome("gone" if isinstance(problem, Refused) else "failed")
        if answer.location:
            return self._sent_on(row, answer.location)
        if early := early_outcome(answer):
            return early
        try:
            page = self._reader.page(answer.body, row.url, charset(answer))
        except ExtractError:
            return Outcome("failed")
        return self._judged(row, answer, page)

    def _sent_on(self, row: Any, location: str) -> Outcome:
        # Here the name counts as it is: the same page under the site's other name is no circle.
        target = self._domain.plain(location)
        if target and is_twin(target, row.url):
            self._domain.settle(target)
        return Outcome("redirect", found=(target,)) if target else Outcome("elsewhere")

    def _judged(self, row: Any, answer: Answer, page: Page) -> Outcome:
        ordered = orders(answer, page)
        found = () if "nofollow" in ordered else tuple(filter(None, map(self._domain.page, page.links)))
        if page.refresh and self._domain.page(page.refresh) != row.url:
            return self._sent_on(row, page.refresh)
        is_start = row.url == self._domain.start
        if says_nothing(page) or (not is_start and self._missing and self._missing.is_like(page, row.url)):
            return Outcome("gone")
        if "noindex" in ordered:
            return Outcome("noindex", found=found)
        canonical = self._domain.page(page.canonical) if page.canonical else ""
        if canonical and canonical != row.url and self._is_better(canonical, row):
            return Outcome("canonical", found=(canonical, *found))
        return Outcome("kept", page, found) if len(page.text) >= MIN_TEXT_CHARS else Outcome("empty", found=found)

    def _is_better(self, url: str, row: Any) -> bool:
        """Whether the address a page calls its own may stand for it: only one that is a page itself."""
        # Many sites name their first page on all the others, by mistake.
        if url in self._reading or len(self._reading) > MAX_CANONICALS or (is_root(url) and not is_root(row.url)):
            return False
        known = self._store.read(rows.page, site_id=self._site_id, url=url)
        if known is None or known.done_number < self._number:
            self._meet([url], row.depth)
            known = self._store.read(rows.page, site_id=self._site_id, url=url)
            if known is not None and known.found_number == self._number:
                self._do(known)
                known = self._store.read(rows.page, site_id=self._site_id, url=url)
        return known is not None and known.outcome in ("kept", "duplicate", "canonical")

    def _doubt(self) -> bool:
        """Where something failed, its links are unknown: ask for the pages that were not met; whether there are."""
        if not {"failed", "too_large"} & self._counts().keys():
            return False
        unmet = self._store.read_heavy(rows.unmet, site_id=self._site_id, number=self._number)
        self._meet([row.url for row in unmet], MAX_DEPTH)
        return bool(self._store.read(rows.next_page, site_id=self._site_id, number=self._number))

    def _check_found(self) -> None:
        """A site without any page is most likely down. Raises CrawlFailed."""
        counts = self._counts()
        if self._kept or "robots" in counts or "noindex" in counts:
            return
        start = self._store.read(rows.page, site_id=self._site_id, url=self._domain.start)
        if start is not None and start.outcome == "failed":
            raise CrawlFailed("the site's first page cannot be fetched")
        raise CrawlFailed("no page with a text was found; what was known of others stays")

    def _sweep(self) -> None:
        """Take away what this crawl, which saw everything, did not meet."""
        while gone := self._store.read_heavy(rows.gone, site_id=self._site_id, number=self._number):
            self._asker.hold()
            for row in gone:
                # One by one: of two pages that share an entry the second takes it away.
                self._store.write(rows.forget, site_id=self._site_id, url_hash=row.url_hash, number=self._number,
                                  digest=self._drop(row))

    def _keep(self, row: Any, page: Page, *, is_same: bool) -> int:
        entry = self._store.read(stored.find, entry_id=row.entry_id) if row.entry_id is not None else None
        if is_same and entry is not None and entry.site_id == self._site_id:
            self._store.write(stored.mark, entry_id=row.entry_id, anchors=page.anchors)
            return row.entry_id
        # Its old text may have moved on to another page, with the entry.
        entry_id = None if self._is_shared(row) else row.entry_id
        return keep(self._store, self._site_id, row.url, page, entry_id)

    def _drop(self, row: Any) -> str:
        """Take a page's entry away: REMOVED, or empty when there was none of its own."""
        # A page that moved has the same text, and so the same entry, under its new address.
        if row.entry_id is None or self._is_shared(row):
            return ""
        remove_entries(self._store, self._site_id, [row.entry_id])
        return rows.REMOVED

    def _is_shared(self, row: Any) -> bool:
        return row.entry_id is not None and self._store.read(
            rows.is_shared, site_id=self._site_id, entry_id=row.entry_id, url_hash=row.url_hash
        )

    def _meet(self, urls: list[str], depth: int, *, is_listed: bool = False) -> None:
        urls = list(dict.fromkeys(urls))
        for at in range(0, len(urls), 100):
            self._store.write(
                rows.meet, site_id=self._site_id, number=self._number, urls=urls[at:at + 100], depth=depth,
                is_listed=is_listed,
            )

    def _limit(self) -> str:
        """Which cap is reached, as words for a person; empty for none."""
        if self._done >= MAX_PAGES:
            return f"stopped after {MAX_PAGES} pages"
        if self._row.fetched_bytes + self._asker.fetched_bytes >= MAX_BYTES:
            return f"stopped after {MAX_BYTES // 1_000_000} MB"
        if time.time() * 1000 - self._row.started_ms >= MAX_TIME_MS:
            return f"stopped after {MAX_TIME_MS // 60_000} minutes"
        return ""

    def _counts(self) -> dict[str, int]:
        return self._store.read(rows.status, site_id=self._site_id)[1]


def keep(store: Store, site_id: int, url: str, page: Page, entry_id: int | None) -> int:
    """Make a page an entry, or its entry say what it says now; the entry's number."""
    entry = Entry("page", page.title, "", page.text, url[:MAX_URL_CHARS])
    if entry_id is None:
        # Read alone before, or imported as a file: it is the same page.
        entry_id = store.read_heavy(stored.page_at, site_id=site_id, url=entry.url)
    if entry_id is None or not stored.change(store, site_id, entry_id, entry):
        entry_id = add_entries(store, site_id, [entry])[0]
    store.write(stored.mark, entry_id=entry_id, anchors=page.anchors)
    return entry_id
