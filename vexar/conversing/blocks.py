"""Who may not write: by session, by address range, by email; with a public reason and an end."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from peewee import fn

from vexar.addresses import matches, parse_network
from vexar.conversing.messages import operators_of, to_time
from vexar.conversing.visitors import LockedVisitor
from vexar.errors import ApiError, invalid
from vexar.models import Block
from vexar.store import Duplicate, P, Statement, Transaction

_MEETING = Statement(
    Block.select(Block).where(
        (Block.site_id == P.site_id)
        & (Block.until_ms.is_null() | (Block.until_ms > P.now_ms))
        & (
            ((Block.kind == "session") & (Block.value == P.session_id))
            | ((Block.kind == "email") & (Block.value == P.email))
            | (Block.kind == "ip")
        )
    )
)
_ADD = Statement(
    Block.insert(
        site_id=P.site_id, kind=P.kind, value=P.value, reason=P.reason, until_ms=P.until_ms, created_ms=P.now_ms,
        operator_id=P.operator_id,
    )
)
_REPLACE = Statement(
    Block.update(reason=P.reason, until_ms=P.until_ms, created_ms=P.now_ms, operator_id=P.operator_id)
    .where((Block.site_id == P.site_id) & (Block.kind == P.kind) & (Block.value == P.value))
)
_ONE = Statement(Block.select(Block).where(Block.id == P.id))
_BY_TARGET = Statement(
    Block.select(Block).where((Block.site_id == P.site_id) & (Block.kind == P.kind) & (Block.value == P.value))
)
_REMOVE = Statement(Block.delete().where(Block.id == P.id))

# A site may have thousands of blocked networks, and every message asks for all of them.
meets = lru_cache(maxsize=65_536)(matches)


def find(
    tx: Transaction, site_id: int, session_id: str, *, email: str, address: str | None, now_ms: int | None = None
) -> Any:
    """The block that meets this visitor now (the one that lasts longest), or None. `address` None: unknown."""
    rows = tx.all(
        _MEETING, site_id=site_id, session_id=session_id, email=email.lower() or None,
        now_ms=tx.now_ms() if now_ms is None else now_ms,
    )
    # Networks are compared here: neither engine can, in a way that the other can, too.
    met = [row for row in rows if row.kind != "ip" or (address and meets(address, row.value))]
    return max(met, key=lambda row: row.until_ms or 2**62, default=None)


def refuse(visitor: LockedVisitor, *, address: str | None) -> None:
    """Raise ApiError blocked when a block meets this visitor."""
    found = find(
        visitor.tx, visitor.site_id, visitor.row.session_id, email=visitor.row.email, address=address,
        now_ms=visitor.now_ms,
    )
    if found:
        raise ApiError("blocked", found.reason or "")


def target(kind: str, value: str) -> str:
    """A session, address range or email in the spelling that is stored. Raises ApiError invalid."""
    if kind == "session":
        return value
    found = parse_network(value) if kind == "ip" else value.strip().lower()
    if kind not in ("ip", "email") or not found:
        raise invalid(by="must be a session, an address or CIDR range, or an email address")
    return found


def add(
    tx: Transaction, site_id: int, kind: str, value: str, *, reason: str | None, until_ms: int | None, now_ms: int,
    operator_id: int | None = None,
) -> None:
    """Block a target; the same one again replaces reason and end. `operator_id`: who blocks, None for nobody."""
    values = {
        "site_id": site_id, "kind": kind, "value": value, "reason": reason, "until_ms": until_ms, "now_ms": now_ms,
        "operator_id": operator_id,
    }
    if tx.run(_REPLACE, **values):
        return
    try:
        tx.run(_ADD, **values)
    except Duplicate:
        # Another worker added it between the two statements (MySQL only).
        tx.run(_REPLACE, **values)


def remove(tx: Transaction, block: Any) -> None:
    """Lift one block."""
    tx.run(_REMOVE, id=block.id)


def one(tx: Transaction, *, block_id: int) -> Any:
    """The row of a block, or None."""
    return tx.one(_ONE, id=block_id)


def by_target(tx: Transaction, *, site_id: int, kind: str, value: str) -> dict | None:
    """The block of this target, as JSON shows it, or None."""
    row = tx.one(_BY_TARGET, site_id=site_id, kind=kind, value=value)
    return _to_wire(row, operators_of(tx, [row])) if row else None


def page(tx: Transaction, *, site_ids: Sequence[int], offset: int, limit: int) -> tuple[list[dict], int]:
    """The blocks of some sites that hold now, newest first, and how many there are."""
    if not site_ids:
        return [], 0
    query = Block.select(Block).where(
        Block.site_id.in_(sorted(site_ids)) & (Block.until_ms.is_null() | (Block.until_ms > tx.now_ms()))
    )
    total = tx.one(query.select(fn.COUNT(Block.id).alias("total"))).total
    rows = tx.all(query.order_by(Block.id.desc()).limit(limit).offset(offset))
    operators = operators_of(tx, rows)
    return [_to_wire(row, operators) for row in rows], total


def _to_wire(row: Any, operators: dict[int, dict]) -> dict:
    return {
        "id": row.id, "site_id": row.site_id, "by": row.kind, "value": row.value, "reason": row.reason,
        "until": to_time(row.until_ms), "created_at": to_time(row.created_ms),
        "operator": operators.get(row.operator_id) if row.operator_id else None,
    }
