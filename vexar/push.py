"""Live push: the open `chat/events` streams of this process, and the safety tick that serves them all.

A stream subscribes, reads what it missed by cursor, and then only looks when it is rung. The tick finds what a
lost ring would have told, with one query for all streams. Polling reads the same facts (views.py).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from vexar import messages, metrics, views
from vexar.broker import Bell, Broker
from vexar.events import Event, event
from vexar.models import Site
from vexar.store import P, Statement, Store, StoreError, Transaction
from vexar.views import State
from vexar.visitors import CHANGED_SINCE, block_channel, channel, find_newest_conversation

log = logging.getLogger("vexar.push")

TICK_S = 1.0
# Changes are looked for this far back: a transaction carries the time it began, and may wait for a lock meanwhile.
OVERLAP_MS = 10_000
TYPING_S = 6.0
MAX_MISSED = 500

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
        self._closing = threading.Event()
        broker.watch_notes(self._note)
        self._thread = threading.Thread(target=self._tick, name="vexar-tick", daemon=True)
        self._thread.start()

    def open(
        self, site_id: int, session_id: str, *, address: str | None, since: int | None,
        on_close: Callable[[], None],
    ) -> VisitorStream:
        """A new stream for a visitor; `since` None: it starts now. `on_close` is called once."""
        self._count(1)
        metrics.stream_opened()
        # Subscribed before the first read: what is stored in between rings.
        bell = self.broker.listen(channel(site_id, session_id), block_channel(site_id))
        look = partial(
            self.store.read, _look, site_id=site_id, session_id=session_id, address=address,
            image_base=self.image_base,
        )

        def closed() -> None:
            bell.close()
            self._count(-1)
            metrics.stream_closed()
            on_close()

        return VisitorStream(self, look, bell, since=since, on_close=closed)

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
        self._thread.join(5)

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
        self._typing[key] = now + TYPING_S if note["typing"] else 0.0

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


class VisitorStream:
    """One visitor's stream: a Source for sse.Relay. It sends the difference between what it said and what is."""

    __slots__ = ("_bell", "_blocked", "_cursor", "_is_first", "_look", "_look_at", "_on_close", "_said", "_since",
                 "_streams")

    def __init__(
        self, streams: Streams, look: Callable[..., Seen], bell: Bell, *, since: int | None,
        on_close: Callable[[], None],
    ) -> None:
        self._streams = streams
        self._look = look
        self._bell = bell
        self._since = since
        self._on_close = on_close
        self._cursor = since or 0
        self._said: tuple | None = None
        self._blocked: tuple | None = None
        self._is_first = True
        # When to look without being rung (monotonic): at once, at the end of a block, after a failed read.
        self._look_at = 0.0

    def next(self, timeout_s: float) -> list[Event] | None:
        """See sse.Source."""
        until = time.monotonic() + timeout_s
        rung = False
        while not self._streams.is_closed:
            typing = [note["typing"] for note in self._bell.notes() if "typing" in note]
            events = [event("typing", who="operator", on=bool(on)) for on in typing]
            if rung or time.monotonic() >= self._look_at:
                events += self._news()
            left = until - time.monotonic()
            if events or left <= 0:
                return events
            rung = self._bell.wait(max(0.0, min(left, self._look_at - time.monotonic())))
        return None

    def crashed(self) -> list[Event]:
        """See sse.Source. EventSource comes back by itself, with its cursor."""
        return []

    def close(self) -> None:
        """See sse.Source."""
        self._on_close()

    def _news(self) -> list[Event]:
        is_now = self._is_first and self._since is None
        try:
            seen = self._look(cursor=None if is_now else self._cursor, is_first=self._is_first)
        except StoreError:
            log.warning("a stream could not read; it looks again in a moment")
            self._look_at = time.monotonic() + TICK_S
            return []
        self._look_at = float("inf") if seen.block_left_s is None else time.monotonic() + max(0.05, seen.block_left_s)
        return self._begin(seen) if self._is_first else self._messages(seen) + self._changes(seen.state)

    def _begin(self, seen: Seen) -> list[Event]:
        """The current mode and block first, then what was missed."""
        state = seen.state
        self._is_first = False
        if self._since is None:
            self._cursor = state.cursor
        self._said = (state.conversation_id, state.mode, state.operator)
        # Still with the reader's own cursor as id: cut off here, it comes back with that.
        events = [self._mode(state), self._block(state)]
        events += self._reset(state) if self._cursor > state.cursor else self._messages(seen)
        if self._since and seen.closed_id is not None:
            events.append(event("closed", self._id(), conversation_id=seen.closed_id))
        return events

    def _messages(self, seen: Seen) -> list[Event]:
        is_erased = seen.state.visitor_id is None and self._cursor > 0
        if is_erased or len(seen.missed) > MAX_MISSED:
            return self._reset(seen.state)
        events = []
        for message in seen.missed:
            self._cursor = message["id"]
            events.append(event("message", self._id(), message=message))
        return events

    def _reset(self, state: State) -> list[Event]:
        self._cursor = state.cursor
        return [event("reset", self._id())]

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
        reason, until_ms = (block.reason, block.until_ms) if block else (None, None)
        self._blocked = (reason, until_ms) if block else None
        return event(
            "blocked", self._id(), blocked=block is not None, reason=reason, until=messages.to_time(until_ms)
        )

    def _id(self) -> str:
        # What the reader has, never what it has yet to get: a cut in between must not skip anything.
        return str(self._cursor)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look found. `missed`: messages as on the wire, at most one more than MAX_MISSED; `block_left_s`: until
    the block runs out, by the database's clock; `closed_id`: the newest conversation, when it is closed."""

    state: State
    missed: list[dict]
    block_left_s: float | None
    closed_id: int | None


def _look(
    tx: Transaction, *, site_id: int, session_id: str, address: str | None, image_base: str, cursor: int | None,
    is_first: bool,
) -> Seen:
    state = views.state(tx, site_id=site_id, session_id=session_id, address=address)
    missed: list[dict] = []
    if cursor is not None and state.visitor_id is not None and cursor < state.cursor:
        rows = messages.since(tx, state.visitor_id, cursor, limit=MAX_MISSED + 1)
        missed = messages.all_to_wire(tx, rows, image_base)
    left_s = (state.block.until_ms - tx.now_ms()) / 1000 if state.block and state.block.until_ms else None
    closed = None
    if is_first and state.visitor_id is not None and state.conversation_id is None:
        closed = find_newest_conversation(tx, state.visitor_id)
    return Seen(state, missed, left_s, closed.id if closed and closed.closed_ms else None)
