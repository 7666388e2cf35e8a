"""Who owns a run, and until when: leases by the database's clock, and the checkpoints that are written with them.

Whatever an owner writes names itself and its attempt, so that a late one changes nothing. How runs begin and end is
the ledger's.
"""

from __future__ import annotations

from typing import Any

from vexar.models import Run
from vexar.store import P, Statement, Transaction

# Three renewals, of which one may be late and one lost; who follows a run whose worker died waits for that long.
LEASE_MS = 6_000
# A dead run's checkpoint becomes a reply when nobody sent the message again for this long.
ABANDONED_MS = 60_000
LIVE_STATES = ("waiting", "running")

_KEY = (Run.visitor_id == P.visitor_id) & (Run.seq == P.seq)
_KEEP = Statement(
    Run.update(checkpoint=P.checkpoint, lease_until_ms=P.lease_until_ms, changed_ms=P.now_ms)
    .where(_KEY & (Run.owner == P.owner) & (Run.attempt == P.attempt) & Run.state.in_(LIVE_STATES))
)
_OWNED = Statement(
    Run.select(Run.visitor_id, Run.seq, Run.attempt, Run.is_stop_asked)
    .where((Run.owner == P.owner) & Run.state.in_(LIVE_STATES))
)
_ASK_STOP = Statement(Run.update(is_stop_asked=1).where(_KEY & Run.state.in_(LIVE_STATES)))
_DEAD = Statement(
    Run.select(Run.visitor_id, Run.seq)
    .where(Run.state.in_(LIVE_STATES) & (Run.lease_until_ms <= P.before_ms)).limit(50)
)


def is_alive(run: Any, now_ms: int) -> bool:
    """Whether somebody makes this answer at the moment."""
    return run.state in LIVE_STATES and run.lease_until_ms > now_ms


def is_owned(run: Any, owner: str, attempt: int) -> bool:
    """Whether this attempt is still the owner's to make; `run` None: it was erased."""
    return run is not None and run.owner == owner and run.attempt == attempt and run.state in LIVE_STATES


def is_own_claim(tx: Transaction, run: Any, owner: str) -> bool:
    """Whether a live run is what this very job claimed, found again after a COMMIT whose answer was lost.

    Nobody else would make it: its message would wait for the lease to run out.
    """
    return tx.may_be_done and run.owner == owner and run.state in LIVE_STATES


def keep(tx: Transaction, *, owner: str, checkpoints: list[tuple[int, int, int, str]]) -> None:
    """Write checkpoints (visitor_id, seq, attempt, text) and renew their leases; late ones change nothing.

    No visitor is locked: each row is met by its own condition, and rows of several visitors are taken in
    the order of their keys, which no other job crosses.
    """
    now_ms = tx.now_ms()
    for visitor_id, seq, attempt, text in sorted(checkpoints):
        tx.run(
            _KEEP, visitor_id=visitor_id, seq=seq, attempt=attempt, owner=owner, checkpoint=text,
            lease_until_ms=now_ms + LEASE_MS, now_ms=now_ms,
        )


def release(tx: Transaction, *, owner: str, checkpoints: list[tuple[int, int, int, str]]) -> None:
    """A last checkpoint, and the lease given back: whoever sends the message again may start at once."""
    now_ms = tx.now_ms()
    for visitor_id, seq, attempt, text in sorted(checkpoints):
        tx.run(
            _KEEP, visitor_id=visitor_id, seq=seq, attempt=attempt, owner=owner, checkpoint=text,
            lease_until_ms=now_ms, now_ms=now_ms,
        )


def owned(tx: Transaction, *, owner: str) -> dict[tuple[int, int, int], bool]:
    """The runs this owner still has: {(visitor_id, seq, attempt): stop was asked}."""
    rows = tx.all(_OWNED, owner=owner)
    return {(row.visitor_id, row.seq, row.attempt): bool(row.is_stop_asked) for row in rows}


def ask_stop(tx: Transaction, *, visitor_id: int, seq: int) -> bool:
    """Tell the owner, wherever it is, that the visitor pressed stop; whether there was anything to stop."""
    return bool(tx.run(_ASK_STOP, visitor_id=visitor_id, seq=seq))


def dead(tx: Transaction) -> list[tuple[int, int]]:
    """Runs whose lease ran out long enough ago: (visitor_id, seq), at most 50."""
    # A minute behind the lease: who comes back by himself (a reload, a phone in a tunnel) gets a whole answer instead.
    rows = tx.all(_DEAD, before_ms=tx.now_ms() - ABANDONED_MS)
    return [(row.visitor_id, row.seq) for row in rows]
