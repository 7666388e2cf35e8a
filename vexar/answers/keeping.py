"""The keeper of a process's runs: one thread that writes their checkpoints, renews their leases, notices what was
cut or stopped elsewhere, and buries what dead processes left."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from vexar.answers import leases, ledger
from vexar.answers.ledger import Ending
from vexar.answers.live import LiveRun
from vexar.broker import Broker
from vexar.store import Store, StoreError

log = logging.getLogger("vexar.keeping")

# A follower in another process is at most 0.5 s behind: this tick, the commit and the doorbell.
KEEP_TICK_S = 0.25
# A third of a lease.
RENEW_S = 2.0
BURY_TICK_S = 5.0
# Each writes a whole answer again, and no job may hold the database for more than 250 ms.
MAX_KEPT_PER_JOB = 100


def run_channel(visitor_id: int, seq: int) -> str:
    """The doorbell of one run, for followers in other processes."""
    return f"r{visitor_id}:{seq}"


class Keeper:
    """Keeps the runs in `runs` ({(visitor_id, seq): live}); `lose` is told of each that is not the owner's any more."""

    def __init__(
        self, store: Store, broker: Broker, *, owner: str, runs: dict[tuple[int, int], LiveRun],
        lose: Callable[[LiveRun], None],
    ) -> None:
        self._store = store
        self._broker = broker
        self._owner = owner
        self._runs = runs
        self._lose = lose
        self._closing = threading.Event()
        self._wake = threading.Event()
        # A checkpoint on its way would renew a lease that is given back meanwhile.
        self._lock = threading.Lock()
        self._buried_at = time.monotonic()
        self._thread = threading.Thread(target=self._keep, name="vexar-keeper", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """There is a new run."""
        self._wake.set()

    def give_back(self, runs: list[LiveRun]) -> None:
        """Write a last checkpoint of what is unfinished, give its lease back and end it as a restart."""
        with self._lock:
            try:
                for start in range(0, len(runs), MAX_KEPT_PER_JOB):
                    checkpoints = [(*live.key, live.text) for live in runs[start:start + MAX_KEPT_PER_JOB]]
                    self._store.write(leases.release, owner=self._owner, checkpoints=checkpoints)
            except StoreError:
                log.exception("leases could not be given back; they run out by themselves")
            for live in runs:
                live.end(restarting(live))
                self._broker.ring(run_channel(*live.key[:2]))

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        self._wake.set()
        self._thread.join(5)

    def _keep(self) -> None:
        while not self._closing.is_set():
            try:
                with self._lock:
                    self._keep_once()
            except StoreError:
                log.warning("checkpoints could not be written; trying again")
            except Exception:
                log.exception("the keeper stumbled")
            if self._runs:
                self._closing.wait(KEEP_TICK_S)
            else:
                self._wake.wait(BURY_TICK_S)
                self._wake.clear()

    def _keep_once(self) -> None:
        if self._runs:
            # First, so that no checkpoint is written for a run that a person has just cut.
            self._look_for_cuts()
            due = self._due()
            for start in range(0, len(due), MAX_KEPT_PER_JOB):
                self._write_checkpoints(due[start:start + MAX_KEPT_PER_JOB])
        if time.monotonic() - self._buried_at > BURY_TICK_S:
            self._buried_at = time.monotonic()
            self._bury()

    def _look_for_cuts(self) -> None:
        candidates = list(self._runs.values())
        owned = self._store.read(leases.owned, owner=self._owner)
        for live in candidates:
            if live.ending is not None:
                continue
            if live.key not in owned:
                self._lose_if_lost(live)
            elif owned[live.key] and not live.is_stop_asked:
                live.stop()

    def _lose_if_lost(self, live: LiveRun) -> None:
        # On a cluster a read may be a moment old: only what the row itself says counts.
        row = self._store.read(ledger.find, visitor_id=live.key[0], seq=live.key[1])
        if not leases.is_owned(row, self._owner, live.key[2]):
            self._lose(live)

    def _due(self) -> list[LiveRun]:
        now = time.monotonic()
        return [
            live for live in list(self._runs.values())
            if live.ending is None
            and (len(live.pieces) > live.kept_pieces or now - live.kept_at >= RENEW_S)
        ]

    def _write_checkpoints(self, runs: list[LiveRun]) -> None:
        # Counted before: what is said while the disk works belongs to the next checkpoint.
        counts = [len(live.pieces) for live in runs]
        checkpoints = [(*live.key, live.text) for live in runs]
        self._store.write(leases.keep, owner=self._owner, checkpoints=checkpoints)
        for live, count in zip(runs, counts, strict=True):
            live.kept_pieces = count
            live.kept_at = time.monotonic()
            self._broker.ring(run_channel(*live.key[:2]))

    def _bury(self) -> None:
        """End what dead processes left; safe in several workers at once."""
        for visitor_id, seq in self._store.read(leases.dead):
            if self._store.write(ledger.bury, visitor_id=visitor_id, seq=seq):
                self._broker.ring(run_channel(visitor_id, seq))


def restarting(live: LiveRun) -> Ending:
    """The ending of a run that has to be made again: told to its followers, stored nowhere."""
    return Ending("error", live.row.conversation_id, "ai", error_code="restarting", is_restart=True)
