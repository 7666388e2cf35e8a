"""What has to be done at its time, in one worker only: the clocks of conversations, and chores it is given.

Every worker has a scheduler; only the one that holds the lease works (by the database's clock, so a holder that was
killed is followed within seconds). Each thing it does is safe to do twice: a holder that lost its lease unnoticed,
while its machine slept, does no harm.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from vexar.conversing import clocks
from vexar.models import Lease
from vexar.store import Duplicate, P, Statement, Store, StoreError, Transaction

log = logging.getLogger("vexar.scheduler")

NAME = "scheduler"
LEASE_MS = 10_000
# A third of the lease: one renewal may be late and one lost.
RENEW_S = 3.0
TICK_S = 1.0
# No job holds the database for long, and no clock waits behind a hundred others for its lease to be renewed.
MAX_RINGS = 100

_LOOK = Lease.select(Lease).where(Lease.name == P.name)
_FIND = Statement(_LOOK)
_LOCK = Statement(_LOOK, lock=True)
_ADD = Statement(Lease.insert(name=P.name, owner=P.owner, until_ms=P.until_ms))
_TAKE = Statement(Lease.update(owner=P.owner, until_ms=P.until_ms).where(Lease.name == P.name))
_GIVE_BACK = Statement(Lease.update(until_ms=0).where((Lease.name == P.name) & (Lease.owner == P.owner)))


class Scheduler:
    """One thread. `ring` fires the clock of a conversation (visitor_id, conversation_id); each chore is
    (every how many seconds, what): first when the lease was won, then so often."""

    def __init__(
        self, store: Store, *, owner: str, ring: Callable[..., object],
        chores: Sequence[tuple[float, Callable[[], object]]] = (),
    ) -> None:
        self._store = store
        self._owner = owner
        self._ring = ring
        self._chores = chores
        self._due = [0.0] * len(chores)
        self._renew_at = 0.0
        self._holds_until = 0.0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="vexar-scheduler", daemon=True)

    def start(self) -> None:
        """Begin; a process that serves nobody (a command) does not."""
        self._thread.start()

    @property
    def is_holder(self) -> bool:
        """Whether this process does the work now."""
        return time.monotonic() < self._holds_until

    def close(self) -> None:
        """End the thread and give the lease back, so that another worker goes on at once."""
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join(5)
        if self.is_holder:
            try:
                self._store.write(give_back, owner=self._owner)
            except StoreError:
                log.warning("the scheduler's lease could not be given back; it runs out by itself")

    def _keep(self) -> None:
        while not self._closing.wait(TICK_S):
            try:
                self._tick()
            except StoreError:
                log.warning("the database is away; the scheduler waits for it")
            except Exception:
                log.exception("the scheduler stumbled; it goes on with the next tick")

    def _tick(self) -> None:
        if not self._hold():
            return
        for row in self._store.read(clocks.due, limit=MAX_RINGS):
            if self._closing.is_set() or not self._hold():
                return
            self._do(lambda row=row: self._ring(visitor_id=row.visitor_id, conversation_id=row.id))
        for place, (every_s, chore) in enumerate(self._chores):
            if time.monotonic() >= self._due[place] and self._hold() and not self._closing.is_set():
                self._do(chore)
                self._due[place] = time.monotonic() + every_s

    def _hold(self) -> bool:
        """Whether the lease is ours, renewing it when a third of it has passed."""
        now = time.monotonic()
        if now < self._renew_at:
            return self.is_holder
        # Whoever does not hold it only reads, until it is free.
        is_ours = self._store.read(may_take, owner=self._owner) and self._store.write(take, owner=self._owner)
        self._renew_at = now + (RENEW_S if is_ours else 0.0)
        # Counted from before the database was asked: it never ends later than the row says.
        self._holds_until = now + LEASE_MS / 1_000 if is_ours else 0.0
        return is_ours

    def _do(self, work: Callable[[], object]) -> None:
        # One conversation that stumbles must not hold up those behind it.
        try:
            work()
        except StoreError:
            raise
        except Exception:
            log.exception("something scheduled failed; it comes again")


def may_take(tx: Transaction, *, owner: str) -> bool:
    """Whether the lease is ours or free."""
    row = tx.one(_FIND, name=NAME)
    return row is None or row.owner == owner or not _is_held(row, tx.now_ms())


def take(tx: Transaction, *, owner: str) -> bool:
    """Take or renew the lease; False while somebody else holds it."""
    now_ms = tx.now_ms()
    row = tx.one(_LOCK, name=NAME)
    if row is None:
        try:
            tx.run(_ADD, name=NAME, owner=owner, until_ms=now_ms + LEASE_MS)
        except Duplicate:
            # Another worker was the first; it works, and this one asks again.
            return False
        return True
    if row.owner != owner and _is_held(row, now_ms):
        return False
    tx.run(_TAKE, name=NAME, owner=owner, until_ms=now_ms + LEASE_MS)
    return True


def give_back(tx: Transaction, *, owner: str) -> None:
    """Let go of the lease, if it is ours."""
    tx.run(_GIVE_BACK, name=NAME, owner=owner)


def _is_held(row: Any, now_ms: int) -> bool:
    # Nobody takes it for longer: one that ends later was taken before the clock was set back, and its holder, were it
    # alive, would have renewed it by the new time.
    return now_ms < row.until_ms <= now_ms + LEASE_MS
