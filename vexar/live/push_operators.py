"""The operators' live streams of this process: one look per ring or tick for all of them, told to whom it concerns.

A stream keeps a bounded list of what it has to say; who is too slow is told to read the snapshot again. Rights are
asked again with every tick that has news: who signed out or lost a site is cut off.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from vexar import metrics
from vexar.broker import Bell, Broker
from vexar.conversing.visitors import site_channel
from vexar.desk import desk_news
from vexar.desk.desk_news import Known, Told, Watched
from vexar.events import Event, event
from vexar.live.typists import Typists
from vexar.people import auth
from vexar.store import Store, StoreError, Transaction

log = logging.getLogger("vexar.live.push")

TICK_S = 1.0
# Rings that come together are one look; a person does not notice the wait.
GATHER_S = 0.02
# Also without news: sessions end and heartbeats stop by themselves.
LOOK_ANYWAY_S = 5.0
MAX_WAITING = 1_000
RIGHT = "can_view_conversations"


class OperatorStream:
    """One operator's stream: a Source for sse.Relay. `site_id`: only this site; None: every one it may see."""

    def __init__(
        self, token: str, site_id: int | None, site_ids: frozenset[int], on_close: Callable[[OperatorStream], None]
    ) -> None:
        self.token = token
        self.site_id = site_id
        self.site_ids = site_ids
        self._on_close = on_close
        self._waiting: list[Event] = []
        self._has_news = threading.Event()
        self._lock = threading.Lock()
        self._is_over = False

    def tell(self, events: list[Event]) -> None:
        """Say these next. One who does not read is told to begin anew instead."""
        with self._lock:
            self._waiting += events
            if len(self._waiting) > MAX_WAITING:
                self._waiting = [event("reset", events[-1].id)]
        self._has_news.set()

    def end(self) -> None:
        """Say what waits, then nothing more."""
        self._is_over = True
        self._has_news.set()

    def next(self, timeout_s: float) -> list[Event] | None:
        """See sse.Source."""
        self._has_news.wait(0 if self._is_over else timeout_s)
        with self._lock:
            self._has_news.clear()
            events, self._waiting = self._waiting, []
        return None if self._is_over and not events else events

    def crashed(self) -> list[Event]:
        """See sse.Source. EventSource comes back by itself, with its cursor."""
        return []

    def close(self) -> None:
        """See sse.Source."""
        self._on_close(self)


class OperatorStreams:
    """All of them in this process, and the thread that looks for them."""

    def __init__(self, store: Store, broker: Broker, *, image_base: str) -> None:
        self._store = store
        self._broker = broker
        self._image_base = image_base
        self._streams: set[OperatorStream] = set()
        # Held over every look, so that a new stream is either before it or behind it.
        self._lock = threading.Lock()
        self._watched = Watched(())
        self._known = Known(0)
        self._bell: Bell = broker.listen()
        self._notes: deque[tuple[int, dict]] = deque(maxlen=MAX_WAITING)
        self._typists = Typists()
        self._version: int | None = None
        self._changed_at = self._ticked_at = 0.0
        self._is_closed = False
        self._is_wanted = threading.Event()
        broker.watch_notes(self._note)
        self._thread = threading.Thread(target=self._run, name="vexar-desk", daemon=True)
        self._thread.start()

    def open(
        self, token: str, *, site_id: int | None, site_ids: Iterable[int], since_ms: int | None,
        on_close: Callable[[], None] = lambda: None,
    ) -> OperatorStream:
        """A stream for whoever has this token; `since_ms` None: it starts now. Raises StoreError."""
        stream = OperatorStream(token, site_id, frozenset(site_ids), partial(self._forget, on_close=on_close))
        with self._lock:
            # What is committed from here on is news: looked at before the reader can read its snapshot.
            self._watch(stream.site_ids | self._all_sites())
            now_ms = self._known.since_ms
            stream.tell(self._beginning(stream, since_ms, now_ms))
            if self._is_closed:
                stream.end()
            self._streams.add(stream)
        metrics.stream_opened()
        self._is_wanted.set()
        return stream

    @property
    def readers(self) -> int:
        """Open streams."""
        return len(self._streams)

    def close(self) -> None:
        """End every stream cleanly; the browsers reconnect."""
        self._is_closed = True
        self._is_wanted.set()
        self._bell.ring()
        self._thread.join(5)
        with self._lock:
            for stream in self._streams:
                stream.end()
            self._bell.close()

    def _beginning(self, stream: OperatorStream, since_ms: int | None, now_ms: int) -> list[Event]:
        """From `ready` on nothing is missed; what was missed before follows."""
        if since_ms is None:
            return [event("ready", str(now_ms))]
        found, now_ms = self._store.read(
            desk_news.missed, watched=Watched(stream.site_ids), since_ms=since_ms, image_base=self._image_base
        )
        # Its own cursor still: cut off here, it comes back with that.
        first = event("ready", str(since_ms))
        return [first, *(_events(found, since_ms, now_ms) if found is not None else [event("reset", str(now_ms))])]

    def _forget(self, stream: OperatorStream, *, on_close: Callable[[], None]) -> None:
        with self._lock:
            self._streams.discard(stream)
            if not self._streams:
                self._listen(())
        metrics.stream_closed()
        on_close()

    def _all_sites(self) -> frozenset[int]:
        return frozenset().union(*(stream.site_ids for stream in self._streams))

    def _watch(self, site_ids: frozenset[int]) -> None:
        """Look at these sites from now on. What the streams of before have yet to hear is told first."""
        if self._streams:
            self._look()
        if self._streams and site_ids == frozenset(self._watched.site_ids):
            return
        self._listen(site_ids)
        self._watched = Watched(site_ids)
        self._known = self._store.read(desk_news.begin, watched=self._watched)

    def _listen(self, site_ids: Iterable[int]) -> None:
        bell, self._bell = self._bell, self._broker.listen(*map(site_channel, site_ids))
        # The thread may wait for the old one; it comes round and takes the new one.
        bell.close()
        bell.ring()

    def _note(self, channel: str, note: dict) -> None:
        if self._streams and channel.startswith("s"):
            self._notes.append((int(channel[1:]), note))

    def _run(self) -> None:
        while not self._is_closed:
            if not self._streams:
                self._is_wanted.wait()
                self._is_wanted.clear()
                continue
            is_rung = self._bell.wait(min(TICK_S, self._typists.next_end_s()))
            if is_rung and not self._is_closed:
                time.sleep(GATHER_S)
            try:
                self._turn(is_rung)
            except StoreError:
                log.warning("the database is away; the operators' streams wait for it")
                time.sleep(TICK_S)
            except Exception:
                log.exception("the operators' live push stumbled")
                time.sleep(TICK_S)

    def _turn(self, is_rung: bool) -> None:
        """One round: what was rung, or what a lost ring would have told, and once a tick the rights."""
        with self._lock:
            is_due = time.monotonic() - self._ticked_at >= TICK_S
            # Asked before the look: what is committed meanwhile counts for the next tick.
            has_changed = is_due and self._has_changed()
            notes = [self._notes.popleft() for _ in range(len(self._notes))]
            if is_rung or has_changed:
                is_presence = has_changed or any("presence" in note for _, note in notes)
                self._look(also=_ids_of(notes, "read"), with_presence=is_presence)
            if has_changed:
                self._check_rights()
            if is_due:
                self._ticked_at = time.monotonic()
            self._tell_typing(notes)

    def _has_changed(self) -> bool:
        """Whether anybody committed anything, as far as the engine can tell; from time to time yes in any case."""
        version = self._store.data_version() if hasattr(self._store, "data_version") else None
        is_same = version is not None and version == self._version
        self._version = version
        if is_same and time.monotonic() - self._changed_at < LOOK_ANYWAY_S:
            return False
        self._changed_at = time.monotonic()
        return True

    def _look(self, also: tuple[int, ...] = (), *, with_presence: bool = False) -> None:
        before_ms = self._known.since_ms
        found, self._known = self._store.read(
            desk_news.look, watched=self._watched, known=self._known, image_base=self._image_base, also=also,
            with_presence=with_presence,
        )
        if not found:
            return
        for stream in self._streams:
            events = _events([told for told in found if told.site_id in stream.site_ids],
                             before_ms, self._known.since_ms)
            if events:
                stream.tell(events)
        self._typists.forget({
            told.payload["conversation_id"] for told in found
            if told.type == "message" and told.payload["message"]["role"] in ("visitor", "operator")
        })

    def _check_rights(self) -> None:
        streams = list(self._streams)
        rights = self._store.read(_rights, tokens={stream.token for stream in streams})
        for stream in streams:
            allowed = rights[stream.token]
            if stream.site_id is not None:
                allowed &= {stream.site_id}
            if allowed != stream.site_ids:
                # Signed out, or other sites than before: it may come again, and then reads everything anew.
                if allowed:
                    stream.tell([event("reset")])
                stream.end()

    def _tell_typing(self, notes: list[tuple[int, dict]]) -> None:
        for site_id, note in notes:
            if "typing" in note:
                self._typists.note(site_id, note, self._store)
        for site_id, payload in self._typists.changes():
            for stream in self._streams:
                if site_id in stream.site_ids:
                    stream.tell([event("typing", **payload)])


def _events(found: list[Told], before_ms: int, now_ms: int) -> list[Event]:
    """Cut off between them, the reader comes back with the earlier time and hears the rest: only the last event
    says that everything was told."""
    last = len(found) - 1
    return [
        event(told.type, str(now_ms if place == last else before_ms), **told.payload)
        for place, told in enumerate(found)
    ]


def _ids_of(notes: list[tuple[int, dict]], name: str) -> tuple[int, ...]:
    return tuple({note[name] for _, note in notes if name in note})


def _rights(tx: Transaction, *, tokens: set[str]) -> dict[str, frozenset[int]]:
    """For each token the sites whose conversations its operator may see; none when it is not valid any more."""
    found: dict[str, frozenset[int]] = {}
    for token in tokens:
        operator: Any = auth.find_operator(tx, token=token)
        allowed = auth.site_ids(tx, operator=operator, permission=RIGHT) if operator else ()
        found[token] = frozenset(allowed)
    return found
