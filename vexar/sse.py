"""The bytes of server-sent events, and the one loop that writes a response.

`Relay` turns a source of events into the body of a response: comments in silence, one send for what came
together. It knows nothing of runs or messages.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import Protocol

from vexar.events import Event

log = logging.getLogger("vexar.sse")

HEARTBEAT_S = 15.0
# Without a blank line, which httpx-sse and fetch-event-source take for an event without data.
COMMENT = b":\n"
# Clients that cut at blank lines would take the event behind it for a part of the comment.
BARE_COMMENT = b":\n\n"

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

    def crashed(self) -> list[Event]:
        """The last events for a reader whose stream cannot go on: `next` has raised."""

    def close(self) -> None:
        """The reader is gone or the stream ended; called exactly once."""


def encode(events: Iterable[Event], *, with_ids: bool) -> bytes:
    """The bytes of some events. The id follows its data: a cut in between repeats a chunk instead of losing it."""
    return b"".join(
        b"data: %s\nid: %s\n\n" % (data, place.encode()) if with_ids and place is not None else b"data: %s\n\n" % data
        for data, place in events
    )


class Relay:
    """The body of a response: iterate it, then close it. With ids a comment leaves at once, and the headers with it.

    A class and not a generator, because a generator that was never started would never close its source.
    """

    def __init__(self, source: Source, *, with_ids: bool, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._source = source
        self._with_ids = with_ids
        self._heartbeat_s = heartbeat_s
        self._comment = COMMENT if with_ids else BARE_COMMENT
        self._is_fresh = with_ids
        self._is_closed = self._is_crashed = False
        self._silent_since = time.monotonic()

    def __iter__(self) -> Relay:
        return self

    def __next__(self) -> bytes:
        if self._is_fresh:
            self._is_fresh = False
            return self._comment
        now = time.monotonic()
        while True:
            events = self._events(max(0.0, self._silent_since + self._heartbeat_s - now))
            if events is None:
                self.close()
                raise StopIteration
            now = time.monotonic()
            if events or now - self._silent_since >= self._heartbeat_s:
                self._silent_since = now
                return encode(events, with_ids=self._with_ids) if events else self._comment

    def _events(self, timeout_s: float) -> list[Event] | None:
        if self._is_crashed:
            return None
        try:
            return self._source.next(timeout_s)
        except Exception:
            # Nobody above this can tell the reader: the status is sent, and gunicorn would cut the stream.
            log.exception("a stream crashed")
            self._is_crashed = True
            return self._source.crashed() or None

    def close(self) -> None:
        """The reader left or the stream ended."""
        if not self._is_closed:
            self._is_closed = True
            self._source.close()
