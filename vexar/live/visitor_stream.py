"""One visitor's live stream: it sends the difference between what it said and what is.

It looks when it is rung (or at the end of a block), and goes on from the reader's cursor. Who opens streams, and
the safety tick, are in push.py.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from vexar.broker import Bell
from vexar.conversing import messages, views
from vexar.conversing.views import State
from vexar.conversing.visitors import find_newest_conversation
from vexar.events import Event, event
from vexar.models import Site
from vexar.store import P, Statement, StoreError, Transaction

log = logging.getLogger("vexar.live.push")

_SITE = Statement(Site.select(Site.id).where(Site.id == P.id))

# How long a note that somebody types holds without another one.
TYPING_S = 6.0
MAX_MISSED = 500
# After a read that failed.
RETRY_S = 1.0


class House(Protocol):
    """What a stream asks of whoever opened it."""

    is_closed: bool


class VisitorStream:
    """One visitor's stream: a Source for sse.Relay. It sends the difference between what it said and what is."""

    __slots__ = ("_bell", "_blocked", "_cursor", "_house", "_is_first", "_is_over", "_look", "_look_at",
                 "_on_close", "_said", "_since", "_typing_until", "_visitor_id")

    def __init__(
        self, house: House, look: Callable[..., Seen], bell: Bell, *, since: int | None,
        on_close: Callable[[], None],
    ) -> None:
        self._house = house
        self._look = look
        self._bell = bell
        self._since = since
        self._on_close = on_close
        self._cursor = since or 0
        self._said: tuple | None = None
        self._blocked: tuple | None = None
        self._is_first = True
        # The site is gone: the browser comes back, is told so, and gives up.
        self._is_over = False
        self._visitor_id: int | None = None
        # When to look without being rung (monotonic): at once, at the end of a block, after a failed read.
        self._look_at = 0.0
        self._typing_until = float("inf")

    def next(self, timeout_s: float) -> list[Event] | None:
        """See sse.Source."""
        until = time.monotonic() + timeout_s
        rung = False
        while not self._house.is_closed:
            notes = self._bell.notes()
            events = self._typing(notes)
            if any("erased" in note for note in notes):
                events.append(event("reset", self._id()))
            if rung or time.monotonic() >= self._look_at:
                events += self._news()
            if self._is_over:
                return None
            left = until - time.monotonic()
            if events or left <= 0:
                return events
            rung = self._bell.wait(max(0.0, min(left, min(self._look_at, self._typing_until) - time.monotonic())))
        return None

    def crashed(self) -> list[Event]:
        """See sse.Source. EventSource comes back by itself, with its cursor."""
        return []

    def close(self) -> None:
        """See sse.Source."""
        self._on_close()

    def _typing(self, notes: list[dict]) -> list[Event]:
        told = [bool(note["typing"]) for note in notes if "typing" in note]
        if told:
            self._typing_until = time.monotonic() + TYPING_S if told[-1] else float("inf")
        elif time.monotonic() >= self._typing_until:
            # Whoever typed has closed the page, or the ring that said so was lost.
            self._typing_until = float("inf")
            told = [False]
        return [event("typing", who="operator", on=is_on) for is_on in told]

    def _news(self) -> list[Event]:
        is_now = self._is_first and self._since is None
        try:
            seen = self._look(cursor=None if is_now else self._cursor, is_first=self._is_first)
        except StoreError:
            log.warning("a stream could not read; it looks again in a moment")
            self._look_at = time.monotonic() + RETRY_S
            return []
        self._look_at = float("inf") if seen.block_left_s is None else time.monotonic() + max(0.05, seen.block_left_s)
        if seen.is_site_gone:
            self._is_over = True
            return []
        return self._begin(seen) if self._is_first else self._messages(seen) + self._changes(seen.state)

    def _begin(self, seen: Seen) -> list[Event]:
        """The current mode and block first, then what was missed."""
        state = seen.state
        self._is_first = False
        self._visitor_id = state.visitor_id
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
        # Somebody else may have the session by now.
        is_erased = self._visitor_id is not None and seen.state.visitor_id != self._visitor_id
        self._visitor_id = seen.state.visitor_id
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
    is_site_gone: bool = False


def look(
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
    is_site_gone = tx.one(_SITE, id=site_id) is None
    return Seen(state, missed, left_s, closed.id if closed and closed.closed_ms else None, is_site_gone)
