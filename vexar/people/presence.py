"""Which operators are there: heartbeats, what they chose, and who counts as online for a site.

An operator is online for a site while its last heartbeat is young and it has not said otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vexar.conversing.messages import to_time
from vexar.models import Operator, OperatorSite, Presence
from vexar.store import Duplicate, P, Statement, Transaction

# Three heartbeats of 30 s: one that is late or lost must not send a visitor away.
ONLINE_MS = 90_000

_BEAT = Statement(
    Presence.update(seen_ms=P.now_ms).where((Presence.operator_id == P.operator_id) & (Presence.site_id == P.site_id))
)
_CHOOSE = Statement(
    Presence.update(seen_ms=P.now_ms, is_online=P.is_online)
    .where((Presence.operator_id == P.operator_id) & (Presence.site_id == P.site_id))
)
_ADD = Statement(
    Presence.insert(operator_id=P.operator_id, site_id=P.site_id, is_online=P.is_online, seen_ms=P.now_ms)
)
# Rights are asked with it: who was taken off a site is not there for it any more, however young the heartbeat.
_THERE = (
    Presence.select(
        Presence.site_id, Presence.seen_ms, Presence.is_online, Operator.id, Operator.name, Operator.avatar_url
    )
    .join(Operator, on=(Operator.id == Presence.operator_id))
    .left_outer_join(
        OperatorSite,
        on=((OperatorSite.operator_id == Presence.operator_id) & (OperatorSite.site_id == Presence.site_id)),
    )
    .where(
        (Presence.seen_ms > P.since_ms) & (Operator.is_active == 1)
        & ((Operator.is_owner == 1) | (OperatorSite.can_chat == 1))
    )
    .order_by(Presence.site_id, Operator.id)
)
_THERE_FOR = Statement(_THERE.where((Presence.site_id == P.site_id) & (Presence.is_online == 1)))


def beat(tx: Transaction, *, operator_id: int, site_ids: Sequence[int]) -> None:
    """A heartbeat for some sites; whoever comes for the first time is online."""
    now_ms = tx.now_ms()
    # In one order: two consoles of one operator would lock each other out otherwise (MySQL).
    for site_id in sorted(set(site_ids)):
        values = {"operator_id": operator_id, "site_id": site_id, "now_ms": now_ms}
        if not tx.run(_BEAT, **values):
            _add(tx, _BEAT, is_online=1, **values)


def choose(tx: Transaction, *, operator_id: int, site_id: int, is_online: bool) -> None:
    """What the operator wants to be for a site; counts as a heartbeat."""
    values = {"operator_id": operator_id, "site_id": site_id, "now_ms": tx.now_ms(), "is_online": int(is_online)}
    if not tx.run(_CHOOSE, **values):
        _add(tx, _CHOOSE, **values)


def online(tx: Transaction, *, site_id: int) -> list:
    """Rows (id, name, avatar_url, ...) of the operators who are online for a site and may chat, by id."""
    return tx.all(_THERE_FOR, site_id=site_id, since_ms=tx.now_ms() - ONLINE_MS)


def everyone(tx: Transaction, site_ids: Sequence[int]) -> list:
    """Who was seen lately for these sites, online or not: rows (site_id, seen_ms, is_online, id, name, avatar_url)."""
    if not site_ids:
        return []
    return tx.all(_THERE.where(Presence.site_id.in_(sorted(site_ids))), since_ms=tx.now_ms() - ONLINE_MS)


def status(tx: Transaction, *, operator_id: int, site_ids: Sequence[int]) -> list[dict]:
    """For each site whether this operator is online, and who else is there."""
    rows = everyone(tx, site_ids)
    return [
        {
            "site_id": site_id,
            "online": any(row.site_id == site_id and row.id == operator_id and row.is_online for row in rows),
            "operators": [to_wire(row) for row in rows if row.site_id == site_id],
        }
        for site_id in site_ids
    ]


def to_wire(row: Any) -> dict:
    """One operator who was seen lately, as JSON shows it."""
    return {
        "id": row.id, "name": row.name, "avatar_url": row.avatar_url, "online": bool(row.is_online),
        "seen_at": to_time(row.seen_ms),
    }


def _add(tx: Transaction, again: Statement, **values: Any) -> None:
    try:
        tx.run(_ADD, **values)
    except Duplicate:
        # Another worker added it between the two statements (MySQL only).
        tx.run(again, **values)
