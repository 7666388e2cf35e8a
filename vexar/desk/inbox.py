"""Conversations as operators see them: the wire row that lists, the live stream and the conversation itself share.

It refuses to know who asks; routes give it only sites the member may read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vexar.conversing import messages
from vexar.conversing.messages import to_time
from vexar.models import Visitor
from vexar.store import Transaction

_VISITORS = Visitor.select(
    Visitor.id, Visitor.session_id, Visitor.name, Visitor.email, Visitor.phone, Visitor.lang, Visitor.page_url
)


def rows_to_wire(tx: Transaction, rows: Sequence[Any]) -> list[dict]:
    """Whole rows of `conversation` as JSON shows them, in the same order; at most a few hundred at once."""
    if not rows:
        return []
    found = tx.all(_VISITORS.where(Visitor.id.in_(sorted({row.visitor_id for row in rows}))))
    visitors = {visitor.id: visitor for visitor in found}
    operators = messages.operators_of(tx, rows)
    # A visitor who is being erased takes its conversations along, in slices: such a row is as good as gone.
    return [to_wire(row, visitors[row.visitor_id], operators) for row in rows if row.visitor_id in visitors]


def to_wire(row: Any, visitor: Any, operators: dict[int, dict]) -> dict:
    """One conversation; `visitor`: its visitor's row, `operators`: see messages.operators_of."""
    operator = operators.get(row.operator_id) if row.operator_id else None
    return {
        "id": row.id,
        "site_id": row.site_id,
        "session_id": visitor.session_id,
        "visitor_id": row.visitor_id,
        "visitor_name": visitor_name(visitor),
        "email": visitor.email,
        "phone": visitor.phone,
        "lang": visitor.lang,
        "page_url": visitor.page_url,
        "mode": row.mode,
        "status": status(row),
        "is_waiting": bool(row.is_waiting),
        "waiting_since": to_time(row.waiting_ms) if row.is_waiting else None,
        "operator": {"id": row.operator_id, **operator} if operator else None,
        "messages_count": row.messages_count,
        "unread_count": row.unread_count,
        "last_message": row.last_message,
        "rating_score": row.rating_score,
        "rating_comment": row.rating_comment,
        "created_at": to_time(row.created_ms),
        "changed_at": to_time(row.changed_ms),
        "closed_at": to_time(row.closed_ms),
    }


def status(row: Any) -> str:
    """Where a conversation stands, in one word: closed, waiting, operator or ai."""
    if row.closed_ms is not None:
        return "closed"
    return "waiting" if row.is_waiting else row.mode


def visitor_name(visitor: Any) -> str:
    """What a visitor is called in lists; never empty."""
    return visitor.name or visitor.email or f"Visitor {visitor.id}"
