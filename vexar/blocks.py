"""Who may not write: by session, by address range, by email; with a public reason and an end."""

from __future__ import annotations

from typing import Any

from vexar.addresses import matches
from vexar.errors import ApiError
from vexar.models import Block
from vexar.store import P, Statement, Transaction
from vexar.visitors import LockedVisitor

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
        site_id=P.site_id, kind=P.kind, value=P.value, reason=P.reason, until_ms=P.until_ms, created_ms=P.now_ms
    )
)
_REPLACE = Statement(
    Block.update(reason=P.reason, until_ms=P.until_ms, created_ms=P.now_ms)
    .where((Block.site_id == P.site_id) & (Block.kind == P.kind) & (Block.value == P.value))
)
_REMOVE = Statement(Block.delete().where(Block.id == P.id))


def find(
    tx: Transaction, site_id: int, session_id: str, *, email: str, address: str | None, now_ms: int | None = None
) -> Any:
    """The block that meets this visitor now (the one that lasts longest), or None. `address` None: unknown."""
    rows = tx.all(
        _MEETING, site_id=site_id, session_id=session_id, email=email.lower() or None,
        now_ms=tx.now_ms() if now_ms is None else now_ms,
    )
    met = [row for row in rows if row.kind != "ip" or (address and matches(address, row.value))]
    return max(met, key=lambda row: row.until_ms or 2**62, default=None)


def refuse(visitor: LockedVisitor, *, address: str | None) -> None:
    """Raise ApiError blocked when a block meets this visitor."""
    found = find(
        visitor.tx, visitor.site_id, visitor.row.session_id, email=visitor.row.email, address=address,
        now_ms=visitor.now_ms,
    )
    if found:
        raise ApiError("blocked", found.reason or "")


def add(
    tx: Transaction, site_id: int, kind: str, value: str, *, reason: str | None, until_ms: int | None, now_ms: int
) -> None:
    """Block; the same target again replaces reason and end."""
    values = {"site_id": site_id, "kind": kind, "value": value, "reason": reason, "until_ms": until_ms}
    if not tx.run(_REPLACE, **values, now_ms=now_ms):
        tx.run(_ADD, **values, now_ms=now_ms)


def remove(tx: Transaction, block: Any) -> None:
    """Lift one block."""
    tx.run(_REMOVE, id=block.id)
