"""Reads the pages of sites into their knowledge: one crawl at a time in a process, one page at a time of a site.

Whatever was done is stored page by page, under a lease: who is killed is followed by another worker, which goes on
where it stopped.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import Any
from urllib.parse import urljoin

from vexar.knowledge.crawling import rows
from vexar.knowledge.crawling.asking import PAGE_TIMEOUT_S, Asker, CrawlFailed, Lost
from vexar.knowledge.crawling.judging import MAX_PAGE_BYTES, MIN_TEXT_CHARS, charset, is_html
from vexar.knowledge.crawling.rules import Forbidden
from vexar.knowledge.crawling.urls import Domain
from vexar.knowledge.crawling.visit import Visit, keep
from vexar.knowledge.reading.extract import ExtractError
from vexar.knowledge.reading.reader import Reader
from vexar.outbound.dialing import FetchError
from vexar.outbound.fetch import Call
from vexar.outbound.outside import Outside
from vexar.store import Store, StoreError

log = logging.getLogger("vexar.crawl")

TICK_S = 1.0
DELAY_S = 0.2


class Crawler:
    """One per process; `start()` begins to look for crawls that wait. `delay_s`: between two pages of a site."""

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
        return self.store.write(rows.begin, site_id=site_id)

    def work(self) -> bool:
        """Do one crawl that waits, to its end; whether there was one."""
        if not self.store.read(rows.is_waiting):
            return False
        taken = self.store.write(rows.take, owner=self.owner)
        if taken is None:
            return False
        row, site = taken
        outcome, detail = "failed", "the site was removed"
        try:
            if site is not None:
                outcome, detail = Visit(self.store, self.reader, self._asker(row), row, site).run()
        except Lost:
            self.store.write(rows.release, site_id=row.site_id, owner=self.owner)
            return True
        except (CrawlFailed, Forbidden) as problem:
            detail = str(problem)
        self.store.write(rows.end, site_id=row.site_id, owner=self.owner, outcome=outcome, detail=detail)
        return True

    def read_one(self, site: Any, url: str) -> int:
        """Read one page of a site now; its entry's number. Raises CrawlFailed."""
        domain = Domain(site.url)
        target = ""
        with suppress(ValueError):
            target = domain.plain(urljoin(domain.root, url))
        if not target:
            raise CrawlFailed("this is no page of the site's own address")
        try:
            answer = self.outside.follow(
                target, may_go=lambda to: bool(domain.plain(to)), timeout_s=PAGE_TIMEOUT_S, max_bytes=MAX_PAGE_BYTES
            )
        except FetchError as problem:
            raise CrawlFailed(f"the page cannot be fetched: {problem}") from None
        if answer.status != 200 or answer.is_cut or not is_html(answer):
            raise CrawlFailed(f"the page cannot be read (status {answer.status})")
        try:
            page = self.reader.page(answer.body, answer.url, charset(answer))
        except ExtractError as problem:
            raise CrawlFailed(f"the page cannot be read: {problem}") from None
        if len(page.text) < MIN_TEXT_CHARS:
            raise CrawlFailed("the page has no text")
        known = self.store.read(rows.page, site_id=site.id, url=domain.plain(answer.url))
        return keep(self.store, site.id, domain.plain(answer.url), page, known and known.entry_id)

    def _asker(self, row: Any) -> Asker:
        return Asker(
            self.outside, delay_s=self.delay_s, closing=self.closing, watch=self._watch,
            renew=lambda more: self.store.write(rows.renew, site_id=row.site_id, owner=self.owner, more=more),
        )

    def _watch(self, call: Call) -> None:
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
