"""Live push: the open `chat/events` streams of this process, and the safety tick that serves them all.

A stream subscribes, reads what it missed by cursor, and then only looks when it is rung. The tick finds what a
lost ring would have told, with one query for all streams. Polling reads the same facts (views.py).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from vexar import messages, metrics, views
from vexar.broker import Broker
from vexar.events import Event, event
from vexar.models import Site
from vexar.store import P, Statement, Store, StoreError, Transaction
from vexar.views import State
from vexar.visitors import CHANGED_SINCE, block_channel, channel

log = logging.getLogger("vexar.push")

TICK_S = 1.0
# Changes are looked for this far back: a transaction carries the time it began, not the time it committed.
OVERLAP_MS = 5_000
TYPING_S = 6.0
MAX_MISSED = 500

_CHANGED_SITES = Statement(Site.select(Site.id).where(Site.changed_ms >= P.since_ms))


class Streams:
    """The open streams of this process."""

    def __init__(self, store: Store, broker: Broker, *, image_base: str) -> None:
        self.store = store
        self.broker = broker
        self.image_base = image_base
        self.is_closed = False
        self.open_count = 0
        self._typing: dict[str, float] = {}
        self._closing = threading.Event()
        broker.watch_notes(self._note)
        self._thread = threading.Thread(target=self._tick, name="vexar-tick", daemon=True)
        self._thread.start()

    def open(
        self, site_id: int, session_id: str, *, address: str | None, since: int | None,
        on_close: Callable[[], None],
    ) -> VisitorStream:
        """A new stream for a visitor; `since` None: it starts now. `on_close` is called once."""
        self.open_count += 1
        metrics.stream_opened()
        return VisitorStream(self, site_id, session_id, address=address, since=since, on_close=on_close)

    def is_typing(self, site_id: int, session_id: str) -> bool:
        """Whether an operator is typing to this visitor at the moment."""
        return self._typing.get(channel(site_id, session_id), 0.0) > time.monotonic()

    def close(self) -> None:
        """End every stream cleanly; the browsers reconnect."""
        self.is_closed = True
        self._closing.set()
        self.broker.ring_all()

    def forget(self) -> None:
        """A stream has ended."""
        self.open_count -= 1
        metrics.stream_closed()

    def _note(self, key: str, note: dict) -> None:
        """Remember who types; a note that says so holds for a few seconds."""
        if "typing" not in note or not key.startswith("v"):
            return
        now = time.monotonic()
        if len(self._typing) > 1_000:
            self._typing = {name: until for name, until in self._typing.items() if until > now}
        self._typing[key] = now + TYPING_S if note["typing"] else 0.0

    def _tick(self) -> None:
        since_ms = None
        version = None
        while not self._closing.wait(TICK_S):
            if not self.open_count:
                since_ms = None
                continue
            try:
                seen = self.store.data_version() if hasattr(self.store, "data_version") else object()
                if seen == version and since_ms is not None:
                    continue
                since_ms = self._ring_changed(since_ms)
                version = seen
            except StoreError:
                log.warning("the database is away; live push waits for it")

    def _ring_changed(self, since_ms: int | None) -> int:
        now_ms, visitors, sites = self.store.read(_changed, since_ms=since_ms)
        for visitor in visitors:
            self.broker.ring_here(channel(visitor.site_id, visitor.session_id))
        for site in sites:
            self.broker.ring_here(block_channel(site.id))
        return now_ms


def _changed(tx: Transaction, *, since_ms: int | None) -> tuple[int, list, list]:
    now_ms = tx.now_ms()
    since_ms = (now_ms if since_ms is None else since_ms) - OVERLAP_MS
    return now_ms, tx.all(CHANGED_SINCE, since_ms=since_ms), tx.all(_CHANGED_SITES, since_ms=since_ms)


class VisitorStream:
    """One visitor's stream: a Source for sse.Relay. It sends the difference between what it said and what is."""

    __slots__ = ("_address", "_bell", "_blocked", "_cursor", "_is_first", "_on_close", "_said", "_session_id",
                 "_site_id", "_since", "_streams", "_until_ms")

    def __init__(
        self, streams: Streams, site_id: int, session_id: str, *, address: str | None, since: int | None,
        on_close: Callable[[], None],
    ) -> None:
        self._streams = streams
        self._site_id = site_id
        self._session_id = session_id
        self._address = address
        self._since = since
        self._cursor = since or 0
        self._said: tuple | None = None
        self._blocked: tuple | None = None
        self._until_ms: int | None = None
        self._is_first = True
        self._on_close = on_close
        # Subscribed before the first read: what is stored in between rings.
        self._bell = streams.broker.listen(channel(site_id, session_id), block_channel(site_id))

    def next(self, timeout_s: float) -> list[Event] | None:
        """See sse.Source."""
        if self._streams.is_closed:
            return None
        if self._is_first:
            return self._look()
        until = time.monotonic() + timeout_s
        while (left := until - time.monotonic()) > 0:
            rung = self._bell.wait(self._patience(left))
            if self._streams.is_closed:
                return None
            events = [self._typing(note) for note in self._bell.notes() if "typing" in note]
            if rung or self._has_run_out():
                events += self._look()
            if events:
                return events
        return []

    def close(self) -> None:
        """See sse.Source."""
        self._bell.close()
        self._streams.forget()
        self._on_close()

    def _patience(self, left: float) -> float:
        """Seconds to wait: not past the end of a block."""
        if self._until_ms is None:
            return left
        return min(left, max(0.05, self._until_ms / 1000 - time.time() + 0.05))

    def _has_run_out(self) -> bool:
        return self._until_ms is not None and time.time() * 1000 > self._until_ms

    def _typing(self, note: dict) -> Event:
        return event("typing", who="operator", on=bool(note["typing"]))

    def _look(self) -> list[Event]:
        try:
            state, missed = self._streams.store.read(
                _look, site_id=self._site_id, session_id=self._session_id, address=self._address,
                cursor=None if self._is_first and self._since is None else self._cursor,
                image_base=self._streams.image_base,
            )
        except StoreError:
            log.warning("a stream could not read; it looks again with the next ring")
            return []
        if self._is_first:
            return self._begin(state, missed)
        events = self._messages(state, missed)
        return events + self._changes(state)

    def _begin(self, state: State, missed: list[dict]) -> list[Event]:
        """The current mode and block first, then what was missed."""
        self._is_first = False
        if self._since is None:
            self._cursor = state.cursor
        is_lost = self._cursor > state.cursor or len(missed) > MAX_MISSED
        if is_lost:
            self._cursor, missed = state.cursor, []
        self._said = (state.conversation_id, state.mode, state.operator)
        events = [self._mode(state), self._block(state)]
        if is_lost:
            events.append(event("reset"))
        return events + self._messages(state, missed)

    def _messages(self, state: State, missed: list[dict]) -> list[Event]:
        if len(missed) > MAX_MISSED:
            self._cursor = state.cursor
            return [event("reset", self._id())]
        events = []
        for message in missed:
            self._cursor = message["id"]
            events.append(event("message", self._id(), message=message))
        return events

    def _changes(self, state: State) -> list[Event]:
        events = []
        conversation_id, mode, operator = self._said
        self._said = (state.conversation_id, state.mode, state.operator)
        if conversation_id is not None and state.conversation_id != conversation_id:
            events.append(event("closed", self._id(), conversation_id=conversation_id))
        if (mode, operator) != (state.mode, state.operator):
            events.append(self._mode(state))
        before = self._blocked
        now = self._block(state)
        return events if self._blocked == before else [*events, now]

    def _mode(self, state: State) -> Event:
        return event("mode", self._id(), mode=state.mode, operator=state.operator)

    def _block(self, state: State) -> Event:
        block = state.block
        self._until_ms = block.until_ms if block else None
        self._blocked = (block.reason, block.until_ms) if block else None
        return event(
            "blocked", self._id(), blocked=block is not None, reason=block.reason if block else None,
            until=messages.to_time(self._until_ms),
        )

    def _id(self) -> str:
        # What the reader has, never what it has yet to get: a cut in between must not skip anything.
        return str(self._cursor)


def _look(
    tx: Transaction, *, site_id: int, session_id: str, address: str | None, cursor: int | None, image_base: str
) -> tuple[State, list[dict]]:
    state = views.state(tx, site_id=site_id, session_id=session_id, address=address)
    if cursor is None or state.visitor_id is None or cursor >= state.cursor:
        return state, []
    rows = messages.since(tx, state.visitor_id, cursor, limit=MAX_MISSED + 1)
    return state, messages.all_to_wire(tx, rows, image_base)


def wait_for_news(
    broker: Broker, key: str, read: Callable[[], Any], *, wait_s: float, is_closed: Callable[[], bool]
) -> Any:
    """Long polling: what `read()` gives, as soon as its last item says that there is news, or after `wait_s`."""
    bell = broker.listen(key)
    try:
        until = time.monotonic() + wait_s
        while not (found := read())[-1] and (left := until - time.monotonic()) > 0 and not is_closed():
            bell.wait(min(left, TICK_S))
        return found
    finally:
        bell.close()
