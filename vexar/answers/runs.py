"""Runs of this process: making answers, keeping their leases, ending them.

Every run has a worker thread; one keeper thread writes checkpoints and renews leases for all of them, notices
what was cut or stopped elsewhere, and buries what dead processes left. The states are in docs/runs.md.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

from config import Config
from vexar import budgets, ledger, metrics
from vexar.answers.live import LiveRun
from vexar.answers.prompt import CHARS_PER_TOKEN, build_prompt
from vexar.broker import Broker
from vexar.errors import ProviderError
from vexar.events import event
from vexar.ledger import Ending
from vexar.providers import Finish, Prompt, Provider, Registry, Sources, Status, Text, Usage
from vexar.store import Store, StoreError
from vexar.visitors import channel, find

log = logging.getLogger("vexar.runs")

# A follower in another process is at most 0.5 s behind: this tick, the commit and the doorbell.
KEEP_TICK_S = 0.25
RENEW_S = 2.0
TURN_TICK_S = 0.5
BURY_TICK_S = 5.0
STOP_WAIT_S = 2.0
MAX_KEPT_PER_JOB = 100
STORE_RETRY_S = 0.5


def run_channel(visitor_id: int, seq: int) -> str:
    """The doorbell of one run, for followers in other processes."""
    return f"r{visitor_id}:{seq}"


class Runs:
    """The runs this process makes. `owner` is its name in the leases."""

    def __init__(
        self, store: Store, broker: Broker, config: Config, *, providers: Registry, owner: str
    ) -> None:
        self.store = store
        self.broker = broker
        self.config = config
        self.providers = providers
        self.owner = owner
        self.is_draining = False
        # Drained or closed: every follower has to end.
        self.is_over = False
        self._live: dict[tuple[int, int], LiveRun] = {}
        self._wake = threading.Event()
        self._buried_at = time.monotonic()
        self._keeper = threading.Thread(target=self._keep, name="vexar-keeper", daemon=True)
        self._keeper.start()

    def start(self, row: Any) -> LiveRun:
        """Make the answer of a run this process has claimed."""
        live = LiveRun(row)
        live.kept_at = time.monotonic()
        self._live[row.visitor_id, row.seq] = live
        threading.Thread(target=self._work, args=(live,), name="vexar-run", daemon=True).start()
        self._wake.set()
        return live

    def live(self, visitor_id: int, seq: int) -> LiveRun | None:
        """The run of this message, if this process makes it at the moment."""
        return self._live.get((visitor_id, seq))

    def revive(self, site_id: int, visitor_id: int, seq: int) -> bool:
        """Make a new attempt of a run whose owner died; whether this process got it."""
        if self.is_draining:
            return False
        row = self.store.write(_revive, visitor_id=visitor_id, seq=seq, owner=self.owner)
        if row is None:
            return False
        self.start(row)
        return True

    def stop(self, visitor_id: int, seq: int) -> bool:
        """The visitor pressed stop: whether it was still going. What was said is stored when this returns."""
        live = self.live(visitor_id, seq)
        if live is not None:
            live.stop()
            self.broker.ring(run_channel(visitor_id, seq))
            if live.ended.wait(STOP_WAIT_S):
                return live.ending.finish_reason == "stopped"
        elif not self._stop_elsewhere(visitor_id, seq):
            return False
        stopped = self.store.write(ledger.stop, visitor_id=visitor_id, seq=seq)
        self.broker.ring(run_channel(visitor_id, seq))
        if stopped:
            return True
        row = self.store.read(ledger.find, visitor_id=visitor_id, seq=seq)
        return row.finish_reason == "stopped"

    def stop_all(self, site_id: int, session_id: str) -> None:
        """Stop whatever runs or waits for this visitor, latest first, so that nothing moves up meanwhile."""
        for run in reversed(self.store.read(_unended, site_id=site_id, session_id=session_id)):
            self.stop(run.visitor_id, run.seq)

    def drain(self, timeout_s: float) -> None:
        """Let running answers end for `timeout_s`, then give back what is unfinished and end every follower."""
        self.is_draining = True
        until = time.monotonic() + timeout_s
        for live in list(self._live.values()):
            live.ended.wait(max(0.0, until - time.monotonic()))
        self._release()
        self.is_over = True
        self.broker.ring_all()

    def close(self) -> None:
        """End everything at once; leases are given back."""
        self.is_draining = True
        if not self.is_over:
            self._release()
            self.is_over = True
            self.broker.ring_all()
        self._wake.set()
        self._keeper.join(5)

    def keep_house(self) -> None:
        """Bury what dead processes left; called every few seconds, and safe in several workers at once."""
        for visitor_id, seq in self.store.read(ledger.dead):
            if self.store.write(ledger.bury, visitor_id=visitor_id, seq=seq):
                self.broker.ring(run_channel(visitor_id, seq))

    # The worker of one run.

    def _work(self, live: LiveRun) -> None:
        try:
            if self._await_turn(live):
                self._make(live)
        except Exception:
            log.exception("a run crashed")
            self._finish(live, "error", error_code="internal")
        finally:
            if self._live.get(live.key[:2]) is live:
                del self._live[live.key[:2]]

    def _await_turn(self, live: LiveRun) -> bool:
        """Wait until the runs before it have ended; False when it was stopped, cut or released meanwhile."""
        if live.row.state == "running":
            return True
        visitor_id, seq, attempt = live.key
        bell = self.broker.listen(turn_channel(visitor_id))
        live.attach(bell)
        try:
            while live.ending is None:
                state = self.store.write(
                    ledger.begin, visitor_id=visitor_id, seq=seq, attempt=attempt, owner=self.owner
                )
                if state == "running":
                    return True
                if live.is_stop_asked and self._finish_waiting(live):
                    return False
                if state == "lost":
                    self._lose(live)
                    return False
                bell.wait(TURN_TICK_S)
            return False
        finally:
            live.detach(bell)
            bell.close()

    def _make(self, live: LiveRun) -> None:
        prompt = build_prompt(self.store, self.config, live.row)
        outcome = _Outcome(prompt)
        started = time.monotonic()
        try:
            for provider in self._chain():
                if self._ask(live, provider, outcome, started):
                    break
        except ProviderError as problem:
            log.warning("run %s of visitor %s: %s", live.key[1], live.key[0], problem)
            outcome.error_code = problem.code
        self._conclude(live, outcome)

    def _chain(self) -> Iterator[Provider]:
        first = self.providers.get("openai" if self.config.ai_base_url else "builtin")
        yield first
        if self.config.ai_fallback and first.name != "builtin":
            yield self.providers.get("builtin")

    def _ask(self, live: LiveRun, provider: Provider, outcome: _Outcome, started: float) -> bool:
        """Let one provider answer; False when it failed before its first word and another one may try."""
        answer = provider.answer(outcome.prompt)
        live.makes(answer)
        outcome.provider = provider.name
        try:
            for piece in answer:
                if live.is_over:
                    break
                if isinstance(piece, Text):
                    self._add_text(live, piece.text, outcome, started)
                    if outcome.finish_reason == "length":
                        break
                else:
                    outcome.take(piece, live)
        except ProviderError:
            is_last = provider.name == "builtin" or not self.config.ai_fallback
            if live.length or is_last or live.is_over:
                raise
            log.warning("the upstream failed before its first word; the builtin answerer answers", exc_info=True)
            return False
        finally:
            answer.cancel()
        return True

    def _add_text(self, live: LiveRun, text: str, outcome: _Outcome, started: float) -> None:
        left = self.config.ai_max_answer_chars - live.length
        if not live.length and text:
            metrics.first_token(time.monotonic() - started)
        if len(text) > left:
            text = text[:left]
            outcome.finish_reason = "length"
        if text:
            live.add(text)

    def _conclude(self, live: LiveRun, outcome: _Outcome) -> None:
        if live.ending is not None:
            return
        if live.is_stop_asked:
            self._finish(live, "stopped", status="stopped", sources=outcome.sources_shown())
        elif outcome.error_code:
            self._finish(live, "error", status="interrupted", error_code=outcome.error_code)
        else:
            self._finish(live, outcome.finish_reason, status="complete", sources=outcome.sources_shown())
        self._settle(live, outcome)

    def _settle(self, live: LiveRun, outcome: _Outcome) -> None:
        if live.row.tokens_reserved:
            spoken = (len(outcome.prompt.system) + live.length) // CHARS_PER_TOKEN
            tokens = outcome.usage.prompt_tokens + outcome.usage.answer_tokens if outcome.usage else spoken
            self.store.write(budgets.settle, site_id=live.row.site_id, tokens=tokens)

    def _finish(self, live: LiveRun, finish_reason: str, *, status: str = "interrupted", error_code: str = "",
                sources: tuple[dict, ...] = ()) -> None:
        """Store the ending; a database that is away for a moment is tried again while the lease lasts."""
        visitor_id, seq, attempt = live.key
        until = time.monotonic() + ledger.LEASE_MS / 1000
        while live.ending is None:
            try:
                ending = self.store.write(
                    ledger.finish, visitor_id=visitor_id, seq=seq, attempt=attempt, owner=self.owner,
                    finish_reason=finish_reason, text=live.text, status=status, sources=sources, error_code=error_code,
                )
            except StoreError:
                if time.monotonic() > until:
                    log.exception("an answer could not be stored")
                    live.end(_restarting(live))
                    return
                time.sleep(STORE_RETRY_S)
            else:
                self._tell(live, ending) if ending else self._lose(live)

    def _finish_waiting(self, live: LiveRun) -> bool:
        visitor_id, seq, _ = live.key
        if not self.store.write(ledger.stop, visitor_id=visitor_id, seq=seq):
            return False
        self._lose(live)
        return True

    def _lose(self, live: LiveRun) -> None:
        """The row is not ours any more: end as it says, or as a restart when another attempt runs."""
        ending = self.store.read(_ending, visitor_id=live.key[0], seq=live.key[1], attempt=live.key[2])
        self._tell(live, ending or _restarting(live))

    def _tell(self, live: LiveRun, ending: Ending) -> None:
        visitor_id, seq, _ = live.key
        if live.ending is None and not ending.is_restart:
            metrics.run_ended(ending.finish_reason)
        if self._live.get((visitor_id, seq)) is live:
            del self._live[visitor_id, seq]
        live.end(ending)
        self.broker.ring(run_channel(visitor_id, seq))
        self.broker.ring(turn_channel(visitor_id))
        if ending.reply_seq:
            session_id = self.store.read(_session_of, visitor_id=visitor_id)
            self.broker.ring(channel(live.row.site_id, session_id))

    # The keeper of all runs.

    def _keep(self) -> None:
        while not self.is_over:
            try:
                self._keep_once()
            except StoreError:
                log.warning("checkpoints could not be written; trying again")
            except Exception:
                log.exception("the keeper stumbled")
            if self._live:
                time.sleep(KEEP_TICK_S)
            else:
                self._wake.wait(BURY_TICK_S)
                self._wake.clear()

    def _keep_once(self) -> None:
        if self._live:
            self._look_for_cuts()
            due = self._due_checkpoints()
            for start in range(0, len(due), MAX_KEPT_PER_JOB):
                self._write_checkpoints(due[start:start + MAX_KEPT_PER_JOB])
        if time.monotonic() - self._buried_at > BURY_TICK_S:
            self._buried_at = time.monotonic()
            self.keep_house()

    def _look_for_cuts(self) -> None:
        candidates = list(self._live.values())
        owned = self.store.read(ledger.owned, owner=self.owner)
        for live in candidates:
            if live.ending is not None:
                continue
            if live.key not in owned:
                self._lose_if_lost(live)
            elif owned[live.key] and not live.is_stop_asked:
                live.stop()
                self.broker.ring(turn_channel(live.key[0]))

    def _lose_if_lost(self, live: LiveRun) -> None:
        # On a cluster a read may be a moment old: only what the row itself says counts.
        row = self.store.read(ledger.find, visitor_id=live.key[0], seq=live.key[1])
        is_ours = row.owner == self.owner and row.attempt == live.key[2] and row.state in ledger.LIVE_STATES
        if not is_ours:
            self._lose(live)

    def _due_checkpoints(self) -> list[LiveRun]:
        now = time.monotonic()
        return [
            live for live in list(self._live.values())
            if live.ending is None
            and (len(live.pieces) > live.kept_pieces or now - live.kept_at >= RENEW_S)
        ]

    def _write_checkpoints(self, runs: list[LiveRun]) -> None:
        counts = [len(live.pieces) for live in runs]
        checkpoints = [(*live.key, live.text) for live in runs]
        self.store.write(ledger.keep, owner=self.owner, checkpoints=checkpoints)
        for live, count in zip(runs, counts, strict=True):
            live.kept_pieces = count
            live.kept_at = time.monotonic()
            self.broker.ring(run_channel(live.key[0], live.key[1]))

    def _release(self) -> None:
        """Write a last checkpoint of what is unfinished and give its lease back."""
        left = [live for live in list(self._live.values()) if live.ending is None]
        if left:
            try:
                checkpoints = [(*live.key, live.text) for live in left]
                self.store.write(ledger.release, owner=self.owner, checkpoints=checkpoints)
            except StoreError:
                log.exception("leases could not be given back; they run out by themselves")
        for live in left:
            live.end(_restarting(live))

    def _stop_elsewhere(self, visitor_id: int, seq: int) -> bool:
        """Ask the owner in another process; True when it stays silent and the run is still open."""
        if not self.store.write(ledger.ask_stop, visitor_id=visitor_id, seq=seq):
            return False
        bell = self.broker.listen(run_channel(visitor_id, seq))
        try:
            until = time.monotonic() + STOP_WAIT_S
            while (left := until - time.monotonic()) > 0:
                row = self.store.read(ledger.find, visitor_id=visitor_id, seq=seq)
                if row.state == "ended":
                    return True
                bell.wait(min(left, KEEP_TICK_S))
            return True
        finally:
            bell.close()


class _Outcome:
    """What came of asking the providers for one run."""

    def __init__(self, prompt: Prompt) -> None:
        self.prompt = prompt
        self.finish_reason = "stop"
        self.error_code = ""
        self.provider = ""
        self.usage: Usage | None = None
        self._sources: tuple[dict, ...] | None = None

    def take(self, piece: Any, live: LiveRun) -> None:
        """A piece that is not text."""
        if isinstance(piece, Status):
            live.notice(event("status", text=piece.text))
        elif isinstance(piece, Sources):
            self._sources = piece.sources
        elif isinstance(piece, Usage):
            self.usage = piece
        elif isinstance(piece, Finish):
            self.finish_reason = piece.reason

    def sources_shown(self) -> tuple[dict, ...]:
        """What the provider named; else every passage with an address, each once."""
        if self._sources is not None:
            return self._sources
        if self.provider == "builtin":
            return ()
        found = {
            passage.url: {"title": passage.title or passage.question, "url": passage.url}
            for passage in self.prompt.passages
            if passage.url and self.prompt.confidence >= self.prompt.threshold
        }
        return tuple(found.values())


def turn_channel(visitor_id: int) -> str:
    """The doorbell of a visitor's waiting runs."""
    return f"t{visitor_id}"


def _restarting(live: LiveRun) -> Ending:
    return Ending("error", live.row.conversation_id, "ai", error_code="restarting", is_restart=True)


def _revive(tx: Any, *, visitor_id: int, seq: int, owner: str) -> Any:
    """A new attempt of a dead run: its row, or None when somebody else has it."""
    visitor = ledger.LockedVisitor.by_id(tx, visitor_id)
    run = ledger.find(tx, visitor_id, seq)
    if run.state == "ended" or ledger.is_alive(run, visitor.now_ms):
        return None
    conversation = tx.one(ledger.FIND_CONVERSATION, id=run.conversation_id)
    row = ledger.restart(visitor, conversation, run, owner=owner, tokens=run.tokens_reserved)
    return row if row.state != "ended" else None


def _ending(tx: Any, *, visitor_id: int, seq: int, attempt: int) -> Ending | None:
    run = ledger.find(tx, visitor_id, seq)
    return ledger.ending_of(tx, run) if run.state == "ended" and run.attempt == attempt else None


def _unended(tx: Any, *, site_id: int, session_id: str) -> list:
    visitor = find(tx, site_id, session_id)
    return ledger.unended(tx, visitor.id) if visitor else []


def _session_of(tx: Any, *, visitor_id: int) -> str:
    return tx.one(ledger.VISITOR_SESSION, id=visitor_id).session_id
