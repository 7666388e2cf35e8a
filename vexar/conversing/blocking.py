"""Blocking and its undoing, as jobs: the block itself (blocks.py), and cutting what runs for those it meets."""

from __future__ import annotations

from typing import Any

from vexar.answers import ledger
from vexar.conversing import blocks
from vexar.conversing.visitors import LockedVisitor, find
from vexar.models import Site, Visitor
from vexar.store import P, Statement, Transaction

# Live streams look at their block again when the site's changed time moves.
_SITE_CHANGED = Statement(Site.update(changed_ms=P.now_ms).where(Site.id == P.id))
_VISITOR_OF = Statement(Visitor.select(Visitor).where(Visitor.id == P.id))


def block(
    tx: Transaction, *, site_id: int, kind: str, value: str, reason: str | None = None, until_ms: int | None = None,
    operator_id: int | None = None,
) -> list[str]:
    """Block by session, ip or email and cut what runs for those it meets: their session ids.

    `value` as blocks.target gives it; `operator_id`: who blocks, None for the command line.
    """
    # The visitors first, then the block and the site: the order in which every other job locks.
    met = cut_blocked(tx, site_id=site_id, kind=kind, value=value)
    now_ms = tx.now_ms()
    blocks.add(
        tx, site_id, kind, value, reason=reason, until_ms=until_ms, now_ms=now_ms, operator_id=operator_id
    )
    tx.run(_SITE_CHANGED, id=site_id, now_ms=now_ms)
    return met


def cut_blocked(tx: Transaction, *, site_id: int, kind: str, value: str) -> list[str]:
    """Cut what runs for those a block meets: their session ids. Visitors are locked in the order of their ids."""
    met = []
    for visitor_id in _met_by(tx, site_id, kind, value):
        visitor = LockedVisitor.by_id(tx, visitor_id)
        if visitor is None:
            continue
        ledger.cut_all(visitor, None, "blocked")
        visitor.save()
        met.append(visitor.row.session_id)
    return met


def is_blocked(tx: Transaction, *, site_id: int, session_id: str, address: str | None) -> bool:
    """Whether a block meets this visitor now."""
    visitor = find(tx, site_id, session_id)
    return blocks.find(tx, site_id, session_id, email=visitor.email if visitor else "", address=address) is not None


def unblock(tx: Transaction, *, site_id: int, session_id: str, address: str | None = None) -> int:
    """Lift every block that meets this visitor: how many."""
    visitor = LockedVisitor.find(tx, site_id, session_id)
    lifted = 0
    while found := blocks.find(
        tx, site_id, session_id, email=visitor.row.email if visitor else "",
        address=address or (visitor.row.address if visitor else None),
    ):
        blocks.remove(tx, found)
        lifted += 1
    tx.run(_SITE_CHANGED, id=site_id, now_ms=tx.now_ms())
    return lifted


def lift(tx: Transaction, *, block: Any) -> None:
    """Lift one block, given by its row."""
    blocks.remove(tx, block)
    tx.run(_SITE_CHANGED, id=block.site_id, now_ms=tx.now_ms())


def _met_by(tx: Transaction, site_id: int, kind: str, value: str) -> list[int]:
    """Visitors a block meets, ascending; by address or email only those with something to cut."""
    if kind == "session":
        visitor = LockedVisitor.find(tx, site_id, value)
        return [visitor.id] if visitor else []
    running = [tx.one(_VISITOR_OF, id=found) for found in ledger.visitors_with_runs(tx, site_id)]
    busy = [visitor for visitor in running if visitor]
    if kind == "email":
        return [visitor.id for visitor in busy if visitor.email.lower() == value]
    return [visitor.id for visitor in busy if visitor.address and blocks.meets(visitor.address, value)]
