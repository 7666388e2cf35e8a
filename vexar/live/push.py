"""Live push: the open `chat/events` streams of this process, and the safety tick that serves them all.

A stream subscribes, reads what it missed by cursor, and then only looks when it is rung. The tick finds what a
lost ring would have told, with one query for all streams. Polling reads the same facts (views.py).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from vexar import metrics
from vexar.broker import Broker
from vexar.conversing.visitors import CHANGED_SINCE, block_channel, channel
from vexar.live import visitor_stream
from vexar.live.online import OnlineSessions
from vexar.live.visitor_stream import VisitorStream
from vexar.models import Site
from vexar.store import P, Statement, Store, StoreError, Transaction

log = logging.getLogger("vexar.live.push")

TICK_S = 1.0
# Changes are looked for this far back: a transaction carries the time it began, and may wait for a lock meanwhile.
OVERLAP_MS = 10_000
FLUSH_S = 1.0

_CHANGED_SITES = Statement(Site.select(Site.id, Site.changed_ms).where(Site.changed_ms >= P.since_ms))


class Streams:
    """The open streams of this process, and the long polls that wait in it."""

    def __init__(self, store: Store, broker: Broker, *, image_base: str) -> None:
        self.store = store
        self.broker = broker
        self.image_base = image_base
        self.is_closed = False
        self._lock = threading.Lock()
        # Open streams and long polls.
        self.readers = 0
        self._typing: dict[str, float] = {}
        self._online = OnlineSessions(store)
        self._closing = threading.Event()
        broker.watch_notes(self._note)
        # Apart: a tick must not wait behind a write that waits for the database.
        self._threads = [
            threading.Thread(target=self._tick, name="vexar-tick", daemon=True),
            threading.Thread(target=self._keep_online, name="vexar-online", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def open(
        self, site_id: int, session_id: str, *, address: str | None, since: int | None,
        on_close: Callable[[], None], page_url: str = "", lang: str = "",
    ) -> VisitorStream:
        """A new stream for a visitor; `since` None: it starts now. `on_close` is called once. Operators see the
        session as online, on `page_url`, while it is open."""
        self._count(1)
        self._online.enter(site_id, session_id, page_url=page_url, lang=lang)
        metrics.stream_opened()
        # Subscribed before the first read: what is stored in between rings.
        bell = self.broker.listen(channel(site_id, session_id), block_channel(site_id))
        read = partial(
            self.store.read, visitor_stream.look, site_id=site_id, session_id=session_id, address=address,
            image_base=self.image_base,
        )

        def closed() -> None:
            bell.close()
            self._count(-1)
            self._online.leave(site_id, session_id)
            metrics.stream_closed()
            on_close()

        return VisitorStream(self, read, bell, since=since, on_close=closed)

    def wait_for_news(self, site_id: int, session_id: str, read: Callable[[], Any], *, wait_s: float) -> Any:
        """Long polling: what `read()` gives, as soon as its last item says that there is news, or after `wait_s`."""
        until = time.monotonic() + wait_s
        bell = self.broker.listen(channel(site_id, session_id))
        self._count(1)
        try:
            while not (found := read())[-1] and (left := until - time.monotonic()) > 0 and not self.is_closed:
                bell.wait(left)
            return found
        finally:
            self._count(-1)
            bell.close()

    def is_typing(self, site_id: int, session_id: str) -> bool:
        """Whether an operator is typing to this visitor at the moment."""
        return self._typing.get(channel(site_id, session_id), 0.0) > time.monotonic()

    def close(self) -> None:
        """End every stream cleanly; the browsers reconnect."""
        self.is_closed = True
        self._closing.set()
        self.broker.ring_all()
        for thread in self._threads:
            thread.join(5)

    def _keep_online(self) -> None:
        """Write who is online, until the streams are closed."""
        is_over = False
        while not is_over:
            is_over = self._closing.wait(FLUSH_S)
            try:
                self._online.close() if is_over else self._online.flush()
            except StoreError:
                log.warning("who is online could not be written")
            except Exception:
                log.exception("keeping who is online stumbled")

    def _count(self, change: int) -> None:
        with self._lock:
            self.readers += change

    def _note(self, key: str, note: dict) -> None:
        """Remember who types; a note that says so holds for a few seconds."""
        if "typing" not in note or not key.startswith("v"):
            return
        now = time.monotonic()
        if len(self._typing) > 1_000:
            self._typing = {name: until for name, until in self._typing.items() if until > now}
        self._typing[key] = now + visitor_stream.TYPING_S if note["typing"] else 0.0

    def _tick(self) -> None:
        tick = Tick(self.store, self.broker)
        while not self._closing.wait(TICK_S):
            if not self.readers:
                # Whoever comes reads for himself: after a pause there is nothing to look back for.
                tick = Tick(self.store, self.broker)
                continue
            try:
                tick.ring_changed()
            except StoreError:
                log.warning("the database is away; live push waits for it")
            except Exception:
                log.exception("the tick of live push stumbled")


class Tick:
    """Finds what changed since it last looked, for all readers of this process at once."""

    def __init__(self, store: Store, broker: Broker) -> None:
        self._store = store
        self._broker = broker
        self._version: int | None = None
        self._since_ms: int | None = None
        # What was rung already, {channel: state}: the time looked back overlaps, the rings need not.
        self._known: dict[str, Any] = {}

    def ring_changed(self) -> None:
        """Ring, in this process, everything that changed. Raises StoreError."""
        # Asked first: what is committed meanwhile counts for the next tick.
        version = self._store.data_version() if hasattr(self._store, "data_version") else None
        if version is not None and version == self._version:
            return
        now_ms, found = self._store.read(_changed, since_ms=self._since_ms)
        for key, state in found.items():
            if self._known.get(key) != state:
                self._broker.ring_here(key)
        self._known, self._since_ms, self._version = found, now_ms, version


def _changed(tx: Transaction, *, since_ms: int | None) -> tuple[int, dict[str, Any]]:
    now_ms = tx.now_ms()
    since_ms = (now_ms if since_ms is None else since_ms) - OVERLAP_MS
    found: dict[str, Any] = {
        channel(row.site_id, row.session_id): (row.changed_ms, row.last_seq)
        for row in tx.all(CHANGED_SINCE, since_ms=since_ms)
    }
    found.update({block_channel(row.id): row.changed_ms for row in tx.all(_CHANGED_SITES, since_ms=since_ms)})
    return now_ms, found
