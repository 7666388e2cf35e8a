"""Following a run: what one reader of `chat/stream` sees, wherever the run is made and however often it changes hands.

A Follower is a Source for sse.Relay. It remembers what its reader was shown and only ever adds to it, or says
`reset` first.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from vexar.answers import leases, ledger
from vexar.answers.keeping import run_channel
from vexar.answers.ledger import Ending
from vexar.answers.live import LiveRun
from vexar.answers.runs import Runs
from vexar.events import Event, LastEventId, RunId, chunk, error, event
from vexar.store import StoreError

log = logging.getLogger("vexar.following")

# Should every doorbell be lost: with the keeper's tick still at most 0.5 s behind.
REMOTE_TICK_S = 0.2
# A reader that moved from the owner's process to this one may have seen more than the last checkpoint holds.
CATCH_UP_S = 1.0
MAX_CHUNK_CHARS = 2_000
# More pieces than this at once are a reader that catches up: it gets them as one text.
MAX_PIECES_APART = 100


def is_finished_for(run: Any, last: LastEventId | None) -> bool:
    """Whether the reader has seen the end of this message's run already: nothing is left to send (204)."""
    if last is None or last.run.seq != run.seq or last.n is not None:
        return False
    return last.run.attempt < run.attempt or (last.run.attempt == run.attempt and run.state == "ended")


class Follower:
    """One reader of one run. `last`: where the reader says it stopped; None: it has seen nothing. `live`: the run
    that its message has just begun."""

    def __init__(self, runs: Runs, run: Any, last: LastEventId | None, *, live: LiveRun | None = None) -> None:
        self._runs = runs
        self._run = run
        self._visitor_id, self._seq, self._attempt = run.visitor_id, run.seq, run.attempt
        self._name = str(RunId(run.seq, run.attempt))
        self._shown = 0
        # Places in the live run's lists: pieces already shown, notices already shown.
        self._piece = 0
        self._notice = 0
        self._began = time.monotonic()
        self._is_done = False
        self._was_live = False
        self._pending: list[Event] = []
        self._bell = runs.broker.listen(run_channel(self._visitor_id, self._seq))
        self._live = live
        if live is not None:
            live.attach(self._bell)
        if last is not None and last.run.seq == run.seq:
            self._resume(last, live is not None)

    def next(self, timeout_s: float) -> list[Event] | None:
        """See sse.Source."""
        if self._is_done:
            return None
        until = time.monotonic() + timeout_s
        while not (events := self._look()) and (left := until - time.monotonic()) > 0:
            self._bell.wait(left if self._live else min(left, REMOTE_TICK_S))
        return events

    def crashed(self) -> list[Event]:
        """See sse.Source. No id on `done`: what is stored can still be asked for."""
        return self._break_off("internal")

    def close(self) -> None:
        """See sse.Source."""
        self._bell.close()
        if self._live is not None:
            self._live.detach(self._bell)

    def _resume(self, last: LastEventId, is_new: bool) -> None:
        """Begin where the reader stopped, or tell it to forget what it has."""
        if is_new or last.run.attempt != self._attempt or last.n is None:
            self._pending.append(event("reset"))
        else:
            self._shown = last.n

    def _look(self) -> list[Event]:
        events, self._pending = self._pending, []
        self._find_live()
        if self._live is not None:
            return events + self._from_live(self._live)
        # Only after a run of this process: one that just ended still tells how.
        if self._runs.is_over:
            return events + self._restarting()
        return events + self._from_row()

    def _find_live(self) -> None:
        found = self._runs.live(self._visitor_id, self._seq)
        if found is not None and found is not self._live and (self._live is None or self._live.ending is not None):
            if self._live is not None:
                self._live.detach(self._bell)
            self._live = found
            self._piece = self._notice = 0
            found.attach(self._bell)

    def _from_live(self, live: LiveRun) -> list[Event]:
        self._was_live = True
        events = self._change_attempt(live.key[2])
        ending = live.ending
        if self._notice < len(live.notices):
            events += live.notices[self._notice:]
            self._notice = len(live.notices)
        if ending is None:
            return events + self._new_text(live)
        if not ending.is_restart:
            # Chunks stay as they were made, also when it ended before this reader came; a cut may have kept less.
            events += self._new_text(live) if live.length <= len(ending.text) else []
            return events + self._end(ending)
        if self._runs.is_draining:
            return events + self._restarting()
        # Another process took the run over; the row says how it goes on.
        live.detach(self._bell)
        self._live = None
        return events

    def _new_text(self, live: LiveRun) -> list[Event]:
        begun = self._begin_anew(live.length)
        pieces = live.pieces[self._piece:]
        if self._piece == 0 and self._shown:
            # A reader that resumes: it has the beginning.
            new = "".join(pieces)[self._shown:]
            if new:
                self._piece = len(pieces)
            return begun + self._show(new)
        self._piece += len(pieces)
        if len(pieces) > MAX_PIECES_APART:
            return begun + self._show("".join(pieces))
        # Chunks stay as the upstream made them, and those that came together leave in one send.
        return begun + [event for piece in pieces for event in self._show(piece)]

    def _from_row(self) -> list[Event]:
        """The run is made elsewhere, dead or ended: read it from the store."""
        try:
            run, now_ms, ending = self._runs.store.read(_read_run, visitor_id=self._visitor_id, seq=self._seq)
            if run is None:
                return self._end(ledger.erased(self._run.conversation_id))
            # Who follows a dead run takes it over: everybody who follows tries, and the row lets one of them.
            if ending is None and not leases.is_alive(run, now_ms):
                self._runs.revive(self._visitor_id, self._seq)
                return []
        except StoreError:
            log.warning("a run could not be read; trying again")
            time.sleep(REMOTE_TICK_S)
            return []
        events = self._change_attempt(run.attempt)
        if ending is not None:
            return events + self._end(ending)
        self._was_live = True
        if time.monotonic() - self._began > CATCH_UP_S:
            events += self._begin_anew(len(run.checkpoint))
        return events + self._show(run.checkpoint[self._shown:])

    def _begin_anew(self, length: int) -> list[Event]:
        """`reset` for a reader that claims to have seen more than there is."""
        if self._shown <= length:
            return []
        self._shown = 0
        return [event("reset")]

    def _change_attempt(self, attempt: int) -> list[Event]:
        if attempt == self._attempt:
            return []
        self._attempt = attempt
        self._name = str(RunId(self._seq, attempt))
        was_shown, self._shown, self._piece = self._shown, 0, 0
        return [event("reset")] if was_shown else []

    def _show(self, text: str) -> list[Event]:
        if not text:
            return []
        if len(text) <= MAX_CHUNK_CHARS:
            self._shown += len(text)
            return [chunk(text, f"{self._name}-{self._shown}")]
        events = []
        for start in range(0, len(text), MAX_CHUNK_CHARS):
            part = text[start:start + MAX_CHUNK_CHARS]
            self._shown += len(part)
            events.append(chunk(part, f"{self._name}-{self._shown}"))
        return events

    def _end(self, ending: Ending) -> list[Event]:
        """The rest of what is stored, why it ended, and `done`."""
        events = self._begin_anew(len(ending.text))
        events += self._show(ending.text[self._shown:])
        if ending.finish_reason == "operator" and self._was_live:
            events.append(event("mode", mode=ending.mode))
        if ending.finish_reason == "error":
            events.append(error(ending.error_code))
        self._is_done = True
        return [*events, self._done(ending, f"{self._name}-end")]

    def _restarting(self) -> list[Event]:
        """This process ends: the reader has to send the message again, so `done` carries no id."""
        return self._break_off("restarting")

    def _break_off(self, code: str) -> list[Event]:
        self._is_done = True
        return [error(code), self._done(Ending("error", self._run.conversation_id, "ai"), None)]

    def _done(self, ending: Ending, id: str | None) -> Event:
        meta = {
            "conversation_id": ending.conversation_id,
            "message_id": self._run.message_id,
            "reply_id": ending.reply_seq,
            "mode": ending.mode,
            "finish_reason": ending.finish_reason,
            "sources": list(ending.sources),
        }
        return event("done", id, meta=meta)


def _read_run(tx: Any, *, visitor_id: int, seq: int) -> tuple[Any, int, Ending | None]:
    run = ledger.find(tx, visitor_id, seq)
    return run, tx.now_ms(), ledger.ending_of(tx, run) if run and run.state == "ended" else None
