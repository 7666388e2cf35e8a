"""Runs of this process: beginning, waiting for their turn, making, stopping and ending them.

Every run has a worker thread; the keeper (keeping.py) looks after the leases of all. The states are in docs/runs.md.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from config import Config
from vexar import metrics
from vexar.answers import attempts, budgets, leases, ledger
from vexar.answers.keeping import Keeper, restarting, run_channel
from vexar.answers.ledger import Ending
from vexar.answers.live import LiveRun
from vexar.answers.making import Outcome, make_answer
from vexar.answers.prompt import build_prompt
from vexar.answers.tools import Toolbox
from vexar.broker import Broker
from vexar.conversing.visitors import channel
from vexar.providers import Registry
from vexar.store import Store, StoreError

log = logging.getLogger("vexar.runs")

TURN_TICK_S = 0.5
STOP_WAIT_S = 2.0
STOP_TICK_S = 0.2
STORE_RETRY_S = 0.5
CLOSE_WAIT_S = 2.0


class Runs:
    """The runs this process makes. `owner` is its name in the leases; `toolbox`: what models may do."""

    def __init__(
        self, store: Store, broker: Broker, config: Config, *, providers: Registry, owner: str,
        toolbox: Toolbox,
    ) -> None:
        self.store = store
        self.broker = broker
        self.config = config
        self.providers = providers
        self.owner = owner
        self.toolbox = toolbox
        self.is_draining = False
        # Drained or closed: every follower has to end.
        self.is_over = False
        self._live: dict[tuple[int, int], LiveRun] = {}
        self._workers: set[threading.Thread] = set()
        self._keeper = Keeper(store, broker, owner=owner, runs=self._live, lose=self._lose)

    def start(self, row: Any, *, user_id: str | None = None) -> LiveRun:
        """Make the answer of a run this process has claimed; started twice it is made once. `user_id`: of a visitor
        whom this very request proved; who only follows a dead run revives it for nobody in particular."""
        earlier = self.live(row.visitor_id, row.seq)
        if earlier is not None and earlier.key[2] == row.attempt:
            return earlier
        live = LiveRun(row, user_id or "")
        live.kept_at = time.monotonic()
        self._live[row.visitor_id, row.seq] = live
        if earlier is not None:
            # Its lease ran out unnoticed, and the message came again to this same process.
            earlier.end(restarting(earlier))
        if self.is_over:
            # Received while the server left.
            self._keeper.give_back([live])
        worker = threading.Thread(target=self._work, args=(live,), name="vexar-run", daemon=True)
        self._workers.add(worker)
        worker.start()
        self._keeper.wake()
        return live

    def live(self, visitor_id: int, seq: int) -> LiveRun | None:
        """The run of this message, if this process makes it at the moment."""
        return self._live.get((visitor_id, seq))

    def revive(self, visitor_id: int, seq: int) -> bool:
        """Make a new attempt of a run whose owner died; whether this process got it. Raises StoreError."""
        if self.is_draining:
            return False
        row = self.store.write(attempts.revive, visitor_id=visitor_id, seq=seq, owner=self.owner)
        if row is None:
            return False
        self.start(row)
        return True

    def stop(self, visitor_id: int, seq: int) -> bool:
        """The visitor pressed stop: whether it was still going. What was said is stored when this returns."""
        live = self.live(visitor_id, seq)
        if live is not None:
            live.stop()
            if live.ended.wait(STOP_WAIT_S) and not live.ending.is_restart:
                return live.ending.finish_reason == "stopped"
        elif not self._ask_owner(visitor_id, seq):
            return False
        # The owner is silent, or has stored something: then this changes nothing.
        self.store.write(ledger.stop, visitor_id=visitor_id, seq=seq)
        self.broker.ring(run_channel(visitor_id, seq))
        self.broker.ring(turn_channel(visitor_id))
        run = self.store.read(ledger.find, visitor_id=visitor_id, seq=seq)
        return run is not None and run.finish_reason == "stopped"

    def stop_all(self, site_id: int, session_id: str) -> None:
        """Stop whatever runs or waits for this visitor, latest first, so that nothing moves up meanwhile."""
        for run in reversed(self.store.read(attempts.unended_of, site_id=site_id, session_id=session_id)):
            self.stop(run.visitor_id, run.seq)

    def drain(self, timeout_s: float) -> None:
        """Let running answers end for `timeout_s`, then give back what is unfinished and end every follower."""
        self.is_draining = True
        until = time.monotonic() + timeout_s
        for live in list(self._live.values()):
            live.ended.wait(max(0.0, until - time.monotonic()))
        self._end_all()

    def close(self) -> None:
        """End everything at once; leases are given back."""
        self.is_draining = True
        self._end_all()
        self._keeper.close()
        until = time.monotonic() + CLOSE_WAIT_S
        for worker in list(self._workers):
            worker.join(max(0.0, until - time.monotonic()))
        self.providers.close()

    def _end_all(self) -> None:
        # First the mark: a run that starts now sees it, and one that started before is in the list.
        self.is_over = True
        self._keeper.give_back([live for live in list(self._live.values()) if live.ending is None])
        self.broker.ring_all()

    def _work(self, live: LiveRun) -> None:
        """The worker of one run."""
        try:
            if self._await_turn(live):
                self._make(live)
        except Exception:
            log.exception("a run crashed")
            self._finish(live, "error", error_code="internal")
        finally:
            # Whatever happened: nobody may follow a run that nobody makes.
            live.end(restarting(live))
            self._forget(live)
            self._workers.discard(threading.current_thread())

    def _await_turn(self, live: LiveRun) -> bool:
        """Wait until the runs before it have ended; False when it was stopped, cut or released meanwhile."""
        if live.row.state == "running":
            return live.ending is None
        bell = self.broker.listen(turn_channel(live.key[0]))
        live.attach(bell)
        try:
            while live.ending is None:
                state = self._begin(live)
                if state == "running":
                    return self._may_begin(live)
                if live.is_stop_asked:
                    self.store.write(ledger.stop, visitor_id=live.key[0], seq=live.key[1])
                    state = "lost"
                if state == "lost":
                    self._lose(live)
                    return False
                bell.wait(TURN_TICK_S)
            return False
        finally:
            live.detach(bell)
            bell.close()

    def _begin(self, live: LiveRun) -> str:
        visitor_id, seq, attempt = live.key
        return _insist(live, lambda: self.store.write(
            ledger.begin, visitor_id=visitor_id, seq=seq, attempt=attempt, owner=self.owner
        ))

    def _may_begin(self, live: LiveRun) -> bool:
        if live.ending is None:
            return True
        # Given back while its turn came: beginning took a new lease.
        self._keeper.give_back([live])
        return False

    def _make(self, live: LiveRun) -> None:
        prompt = _insist(live, lambda: build_prompt(self.store, self.config, live, toolbox=self.toolbox))
        if prompt is None:
            self._lose(live)
            return
        outcome = make_answer(live, prompt, providers=self.providers, config=self.config)
        if live.ending is None:
            self._conclude(live, outcome)
        elif live.row.tokens_reserved and not live.ending.is_restart:
            self.store.write(budgets.settle, site_id=live.row.site_id, tokens=outcome.tokens(live))

    def _conclude(self, live: LiveRun, outcome: Outcome) -> None:
        tokens = outcome.tokens(live) if live.row.tokens_reserved else 0
        if live.is_stop_asked:
            self._finish(live, "stopped", status="stopped", tokens=tokens, **outcome.rests_on(live))
        elif outcome.error_code:
            self._finish(live, "error", error_code=outcome.error_code, tokens=tokens)
        else:
            self._finish(live, outcome.finish_reason, status="complete", tokens=tokens, **outcome.rests_on(live))

    def _finish(
        self, live: LiveRun, finish_reason: str, *, status: str = "interrupted", error_code: str = "",
        sources: tuple[dict, ...] = (), tokens: int = 0, knowledge: str = "",
    ) -> None:
        """Store the ending. While the database is away it is tried again until the run would be buried: the answer
        is there, and for as long as nobody else took the run it still counts."""
        if live.ending is not None:
            return
        visitor_id, seq, attempt = live.key
        try:
            ending = _insist(live, lambda: self.store.write(
                attempts.store_answer, site_id=live.row.site_id, tokens=tokens, visitor_id=visitor_id, seq=seq,
                attempt=attempt, owner=self.owner, finish_reason=finish_reason, text=live.text, status=status,
                sources=sources, error_code=error_code, knowledge=knowledge,
            ), for_ms=leases.ABANDONED_MS)
            self._tell(live, ending) if ending else self._lose(live)
        except StoreError:
            log.exception("an answer could not be stored")

    def _lose(self, live: LiveRun) -> None:
        """The row is not ours any more: end as it says, or as a restart when another attempt runs."""
        ending = self.store.read(attempts.ending_of_attempt, row=live.row)
        self._tell(live, ending or restarting(live))

    def _tell(self, live: LiveRun, ending: Ending) -> None:
        if live.ending is None and not ending.is_restart:
            metrics.run_ended(ending.finish_reason)
        self._forget(live)
        live.end(ending)
        visitor_id, seq, _ = live.key
        self.broker.ring(run_channel(visitor_id, seq))
        self.broker.ring(turn_channel(visitor_id))
        if ending.reply_seq:
            visitor = self.store.read(attempts.session_of, visitor_id=visitor_id)
            if visitor is not None:
                self.broker.ring(channel(live.row.site_id, visitor.session_id))

    def _forget(self, live: LiveRun) -> None:
        if self._live.get(live.key[:2]) is live:
            del self._live[live.key[:2]]

    def _ask_owner(self, visitor_id: int, seq: int) -> bool:
        """Ask the owner in another process to stop, and wait for it a little; False when there was nothing to stop."""
        bell = self.broker.listen(run_channel(visitor_id, seq))
        try:
            if not self.store.write(leases.ask_stop, visitor_id=visitor_id, seq=seq):
                return False
            until = time.monotonic() + STOP_WAIT_S
            while (left := until - time.monotonic()) > 0:
                run = self.store.read(ledger.find, visitor_id=visitor_id, seq=seq)
                if run is None or run.state == "ended":
                    break
                bell.wait(min(left, STOP_TICK_S))
            return True
        finally:
            bell.close()


def turn_channel(visitor_id: int) -> str:
    """The doorbell of a visitor's waiting runs."""
    return f"t{visitor_id}"


def _insist(live: LiveRun, work: Callable[[], Any], *, for_ms: int | None = None) -> Any:
    """Do it, again and again while the database is away, by default as long as a lease lasts. Raises StoreError."""
    until = time.monotonic() + (for_ms or leases.LEASE_MS) / 1000
    while True:
        try:
            return work()
        except StoreError:
            if live.ending is not None or time.monotonic() > until:
                raise
            live.ended.wait(STORE_RETRY_S)
