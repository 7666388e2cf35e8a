"""The bytes of server-sent events, and the one loop that writes a response.

`Relay` turns a source of events into the body of a response: comments in silence, one send for what came
together. It knows nothing of runs or messages.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Protocol

from vexar.events import Event

HEARTBEAT_S = 15.0
COMMENT = b":\n\n"
# Without its blank line, which httpx-sse takes for an empty event as soon as it holds an id.
COMMENT_AFTER_IDS = b":\n"

HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    # nginx would hold the first byte back for seconds otherwise.
    "X-Accel-Buffering": "no",
}


class Source(Protocol):
    """Where the events of one response come from."""

    def next(self, timeout_s: float) -> list[Event] | None:
        """What came since the last call, waiting up to `timeout_s`; [] for nothing yet, None when it is over."""

    def close(self) -> None:
        """The reader is gone or the stream ended; called exactly once."""


def encode(events: Iterable[Event], *, with_ids: bool) -> bytes:
    """The bytes of some events. The id follows its data: a cut in between repeats a chunk instead of losing it."""
    parts = []
    for item in events:
        parts += (b"data: ", item.data)
        if with_ids and item.id is not None:
            parts += (b"\nid: ", item.id.encode())
        parts.append(b"\n\n")
    return b"".join(parts)


class Relay:
    """The body of a response: iterate it, then close it. With ids a comment leaves at once, and the headers with it.

    A class and not a generator, because a generator that was never started would never close its source.
    """

    def __init__(self, source: Source, *, with_ids: bool, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._source = source
        self._with_ids = with_ids
        self._heartbeat_s = heartbeat_s
        self._heartbeat = COMMENT_AFTER_IDS if with_ids else COMMENT
        self._is_fresh = with_ids
        self._is_closed = False
        self._silent_since = time.monotonic()

    def __iter__(self) -> Relay:
        return self

    def __next__(self) -> bytes:
        if self._is_fresh:
            self._is_fresh = False
            return COMMENT
        while True:
            left_s = self._silent_since + self._heartbeat_s - time.monotonic()
            events = self._source.next(max(0.0, left_s))
            if events is None:
                self.close()
                raise StopIteration
            if events or time.monotonic() - self._silent_since >= self._heartbeat_s:
                self._silent_since = time.monotonic()
                return encode(events, with_ids=self._with_ids) if events else self._heartbeat

    def close(self) -> None:
        """The reader left or the stream ended."""
        if not self._is_closed:
            self._is_closed = True
            self._source.close()
