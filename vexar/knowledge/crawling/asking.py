"""Asks a site for its pages as a polite guest: one at a time, with pauses, and no longer than the crawl is ours."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

from vexar.outbound.dialing import FetchError
from vexar.outbound.fetch import Call
from vexar.outbound.outside import Answer, Outside

# Less than the lease, or two workers would wait for the same slow page in turns, for ever.
PAGE_TIMEOUT_S = 10.0
MAX_RETRIES, MAX_RETRY_AFTER_S = 2, 60.0
# A site that is asked too much is asked less from then on, down to one page in so many seconds.
MAX_DELAY_S = 30.0
# The lease is renewed at least so often while we wait.
HOLD_EVERY_S = 4.0
# A site that failed so often in a row is down; asking for each of its pages would only add to that.
MAX_FAILURES = 10


class CrawlFailed(Exception):
    """The crawl as a whole cannot go on; the text says why."""


class Lost(Exception):
    """The lease is another's, or the process ends."""


class Asker:
    """The requests of one crawl. `renew(bytes)` keeps the lease and says whether it is still ours."""

    def __init__(
        self, outside: Outside, *, delay_s: float, closing: threading.Event, watch: Callable[[Call], None],
        renew: Callable[[int], bool],
    ) -> None:
        self.delay_s = delay_s
        self.fetched_bytes = 0
        self._outside, self._closing, self._watch, self._renew = outside, closing, watch, renew
        self._ready_at = 0.0
        self._failures = 0

    def fetch(
        self, url: str, max_bytes: int, *, may_go: Callable[[str], bool] | None = None, retries: int = 0
    ) -> Answer:
        """One answer after the pause the site is owed; up to 5 redirects are followed where `may_go` lets us. Raises
        FetchError, CrawlFailed, Lost."""
        hops = 5 if may_go else 0
        for attempt in range(hops + retries + 1):
            answer = self._ask(url, max_bytes)
            if may_go and answer.location and may_go(answer.location):
                url = answer.location
                continue
            if answer.status not in (429, 503):
                break
            wait_s = retry_after_s(answer, time.time())
            if answer.status == 429:
                self.delay_s = min(MAX_DELAY_S, 2 * self.delay_s)
                if wait_s > MAX_RETRY_AFTER_S:
                    raise CrawlFailed(f"the site asks to be left alone for {wait_s:.0f} s; nothing was removed")
            if attempt >= retries or wait_s > MAX_RETRY_AFTER_S:
                break
            self.pause(wait_s)
        self._count(is_failure=answer.status >= 500 or answer.status == 429)
        return answer

    def hold(self, more_bytes: int = 0) -> None:
        """Renew the lease. Raises Lost."""
        if not self._renew(more_bytes) or self._closing.is_set():
            raise Lost

    def pause(self, seconds: float) -> None:
        """Wait, and keep the lease meanwhile. Raises Lost."""
        until = time.monotonic() + seconds
        while (left_s := until - time.monotonic()) > 0:
            if self._closing.wait(min(left_s, HOLD_EVERY_S)):
                raise Lost
            if left_s > HOLD_EVERY_S:
                self.hold()

    def _ask(self, url: str, max_bytes: int) -> Answer:
        self.pause(self._ready_at - time.monotonic())
        try:
            answer = self._outside.fetch(
                url, timeout_s=PAGE_TIMEOUT_S, max_bytes=max_bytes, watch=self._watch,
                headers={"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.5"},
            )
        except FetchError:
            # A call that was cut by our own end says nothing about the page.
            if self._closing.is_set():
                raise Lost from None
            self._count(is_failure=True)
            raise
        finally:
            # From the end of the answer: a slow site gets the whole pause, too.
            self._ready_at = time.monotonic() + self.delay_s
        self.fetched_bytes += len(answer.body)
        self.hold(len(answer.body))
        return answer

    def _count(self, *, is_failure: bool) -> None:
        self._failures = self._failures + 1 if is_failure else 0
        if self._failures >= MAX_FAILURES:
            raise CrawlFailed(f"the site failed {MAX_FAILURES} times in a row; nothing more was asked or removed")


def retry_after_s(answer: Answer, now_s: float) -> float:
    """How long a site asks us to wait: a number of seconds, or a date. 2 when it does not say."""
    text = (answer.headers.get("Retry-After") or "").strip()
    if text.isdecimal():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now_s)
    except (ValueError, TypeError, OverflowError):
        return 2.0
