"""Messages as the wire shows them, and reading them by cursor. Storing one is the LockedVisitor's."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from vexar.models import Message, Operator
from vexar.store import P, Statement, Transaction

_BY_VISITOR = Message.select(Message).where(Message.visitor_id == P.visitor_id)
_NEWEST = Statement(_BY_VISITOR.where(Message.seq < P.before).order_by(Message.seq.desc()).limit(P.limit))
_SINCE = Statement(_BY_VISITOR.where(Message.seq > P.since).order_by(Message.seq).limit(P.limit))
_ONE = Statement(_BY_VISITOR.where(Message.seq == P.seq))
_OPERATORS = Operator.select(Operator.id, Operator.name, Operator.avatar_url)
# Above every number, and within what both engines hold.
_NO_LIMIT_SEQ = 2**62


def newest(tx: Transaction, visitor_id: int, *, before: int | None = None, limit: int = 50) -> list:
    """At most `limit` rows with a number below `before`, oldest first."""
    rows = tx.all(_NEWEST, visitor_id=visitor_id, before=_NO_LIMIT_SEQ if before is None else before, limit=limit)
    return rows[::-1]


def since(tx: Transaction, visitor_id: int, cursor: int, *, limit: int = 500) -> list:
    """At most `limit` rows behind the cursor, oldest first."""
    return tx.all(_SINCE, visitor_id=visitor_id, since=cursor, limit=limit)


def one(tx: Transaction, visitor_id: int, seq: int) -> Any:
    """The row of this number, or None."""
    return tx.one(_ONE, visitor_id=visitor_id, seq=seq)


def operators_of(tx: Transaction, rows: Iterable[Any]) -> dict[int, dict]:
    """The people who wrote some of these messages: {id: {"name", "avatar_url"}}."""
    ids = {row.operator_id for row in rows if row.operator_id}
    if not ids:
        return {}
    found = tx.all(_OPERATORS.where(Operator.id.in_(sorted(ids))))
    return {row.id: {"name": row.name, "avatar_url": row.avatar_url} for row in found}


def to_wire(row: Any, operators: dict[int, dict], image_base: str) -> dict:
    """One message as JSON shows it. `image_base` goes before the stored path of an image."""
    return {
        "id": row.seq,
        "message_id": row.message_id,
        "role": row.role,
        "content": row.content,
        "image_url": image_base + row.image_url if row.image_url else None,
        "created_at": to_time(row.created_ms),
        "status": row.status,
        "sources": json.loads(row.sources) if row.sources else [],
        "operator": operators.get(row.operator_id) if row.operator_id else None,
        "reply_to": row.reply_to,
    }


def all_to_wire(tx: Transaction, rows: list, image_base: str) -> list[dict]:
    """Several messages as JSON shows them."""
    operators = operators_of(tx, rows)
    return [to_wire(row, operators, image_base) for row in rows]


def to_time(ms: int | None) -> str | None:
    """ISO 8601 UTC with milliseconds and Z; None stays None."""
    if ms is None:
        return None
    moment = datetime.fromtimestamp(ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"
