"""Which sessions have a live stream open, known or not: the rows this worker keeps of its own streams.

They are written in batches, never by the request that opens a stream: a thousand widgets that reconnect after a
restart must not be a thousand transactions. Rows of dead workers expire. It knows nothing of visitors.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from vexar.models import OnlineSession
from vexar.store import Duplicate, P, Statement, Store, Transaction

REFRESH_S = 15.0
# Three refreshes: one that waits for a busy database must not empty the list.
ONLINE_MS = 45_000
MAX_ROWS = 200

_REFRESH = Statement(
    OnlineSession.update(seen_ms=P.now_ms, page_url=P.page_url, lang=P.lang)
    .where((OnlineSession.site_id == P.site_id) & (OnlineSession.session_id == P.session_id))
)
_ADD = Statement(
    OnlineSession.insert(
        site_id=P.site_id, session_id=P.session_id, page_url=P.page_url, lang=P.lang, since_ms=P.since_ms,
        seen_ms=P.now_ms,
    )
)
# Not what another worker has refreshed since: the same session may have a page open there.
_REMOVE = Statement(
    OnlineSession.delete().where(
        (OnlineSession.site_id == P.site_id) & (OnlineSession.session_id == P.session_id)
        & (OnlineSession.seen_ms <= P.seen_ms)
    )
)
_DEAD = Statement(
    OnlineSession.select(OnlineSession.site_id, OnlineSession.session_id, OnlineSession.seen_ms)
    .where(OnlineSession.seen_ms < P.before_ms).order_by(OnlineSession.seen_ms).limit(MAX_ROWS)
)


@dataclass(slots=True)
class Page:
    """One session with open streams: how many, where it is, and when its row was written last (0: not yet)."""

    site_id: int
    session_id: str
    page_url: str = ""
    lang: str = ""
    streams: int = 0
    opened_s: float = 0.0
    seen_ms: int = 0


class OnlineSessions:
    """The sessions with an open stream in this process. `flush` writes what changed; call it every second or so."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._pages: dict[tuple[int, str], Page] = {}
        self._fresh: dict[tuple[int, str], Page] = {}
        self._left: dict[tuple[int, str], Page] = {}
        self._refresh_at = 0.0

    def enter(self, site_id: int, session_id: str, *, page_url: str = "", lang: str = "") -> None:
        """A stream was opened."""
        key = (site_id, session_id)
        with self._lock:
            page = self._pages.setdefault(key, Page(site_id, session_id, opened_s=time.monotonic()))
            page.streams += 1
            page.page_url, page.lang = page_url or page.page_url, lang or page.lang
            self._fresh[key] = page
            self._left.pop(key, None)

    def leave(self, site_id: int, session_id: str) -> None:
        """A stream of this session ended."""
        key = (site_id, session_id)
        with self._lock:
            page = self._pages[key]
            page.streams -= 1
            if page.streams:
                return
            del self._pages[key]
            # Never written, never to be removed.
            if self._fresh.pop(key, None) is None or page.seen_ms:
                self._left[key] = page

    def flush(self) -> None:
        """Write what changed since the last call, and from time to time everything. Raises StoreError."""
        with self._lock:
            is_due = time.monotonic() >= self._refresh_at
            fresh = list((self._pages if is_due else self._fresh).values())
            left = list(self._left.values())
            self._fresh, self._left = {}, {}
        for pages in _slices(left):
            self._store.write(_remove, pages=pages)
        for pages in _slices(fresh):
            now_ms = self._store.write(_refresh, pages=pages, now_s=time.monotonic())
            for page in pages:
                page.seen_ms = now_ms
        if is_due and fresh:
            self._store.write(_expire)
        if is_due:
            self._refresh_at = time.monotonic() + REFRESH_S

    def close(self) -> None:
        """Remove the rows of this process. Raises StoreError."""
        with self._lock:
            pages = [page for page in (*self._pages.values(), *self._left.values()) if page.seen_ms]
            self._left = {}
        for some in _slices(pages):
            self._store.write(_remove, pages=some)


def since_ms(tx: Transaction) -> int:
    """Rows seen after this time count as online."""
    return tx.now_ms() - ONLINE_MS


def _slices(pages: list[Page]) -> Iterator[list[Page]]:
    return (pages[start:start + MAX_ROWS] for start in range(0, len(pages), MAX_ROWS))


def _refresh(tx: Transaction, *, pages: list[Page], now_s: float) -> int:
    now_ms = tx.now_ms()
    for page in _in_order(pages):
        values = {
            "site_id": page.site_id, "session_id": page.session_id, "page_url": page.page_url, "lang": page.lang,
            "now_ms": now_ms,
        }
        if not tx.run(_REFRESH, **values):
            _add(tx, values, since_ms=now_ms - round((now_s - page.opened_s) * 1000))
    return now_ms


def _add(tx: Transaction, values: dict[str, Any], *, since_ms: int) -> None:
    try:
        tx.run(_ADD, since_ms=since_ms, **values)
    except Duplicate:
        # Another worker added it between the two statements (MySQL only).
        tx.run(_REFRESH, **values)


def _remove(tx: Transaction, *, pages: list[Page]) -> None:
    for page in _in_order(pages):
        tx.run(_REMOVE, site_id=page.site_id, session_id=page.session_id, seen_ms=page.seen_ms)


def _expire(tx: Transaction) -> None:
    """Remove rows that no worker refreshes any more, some at a time."""
    for row in tx.all(_DEAD, before_ms=tx.now_ms() - 2 * ONLINE_MS):
        tx.run(_REMOVE, site_id=row.site_id, session_id=row.session_id, seen_ms=row.seen_ms)


def _in_order(pages: Iterable[Page]) -> list[Page]:
    # Workers that refresh the same sessions must lock them in one order (MySQL).
    return sorted(pages, key=lambda page: (page.site_id, page.session_id))
