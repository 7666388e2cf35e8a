"""What a visitor may read of its own: history, state, what people of the site said. Pure reads and two marks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vexar.conversing import blocks, messages
from vexar.conversing.visitors import find, find_open_conversation
from vexar.models import Message, Operator, Visitor
from vexar.store import P, Statement, Transaction

_OF_ROLES = Message.select(Message).where((Message.visitor_id == P.visitor_id) & (Message.seq > P.since))
_OPERATOR_ONLY = Statement(_OF_ROLES.where(Message.role == "operator").order_by(Message.seq).limit(P.limit))
_OPERATOR_AND_SYSTEM = Statement(
    _OF_ROLES.where(Message.role.in_(("operator", "system"))).order_by(Message.seq).limit(P.limit)
)
_PROACTIVE = Statement(_OF_ROLES.where(Message.role == "proactive").order_by(Message.seq).limit(P.limit))
# Not a count: a visitor who never says what was read would make every poll walk the whole history.
_UNREAD = Statement(
    Message.select(Message.seq).where(
        (Message.visitor_id == P.visitor_id) & (Message.seq > P.since) & (Message.role != "visitor")
    ).order_by(Message.seq).limit(P.limit)
)
MAX_UNREAD = 99
_HAND_OUT = Statement(
    Visitor.update(handed_seq=P.cursor).where((Visitor.id == P.id) & (Visitor.handed_seq < P.cursor))
)
_NUDGE_OUT = Statement(
    Visitor.update(nudged_seq=P.cursor).where((Visitor.id == P.id) & (Visitor.nudged_seq < P.cursor))
)
_OPERATOR = Statement(Operator.select(Operator.name, Operator.avatar_url).where(Operator.id == P.id))
MAX_MESSAGES = 500


@dataclass(frozen=True)
class State:
    """Where a visitor stands. `operator`: {"name", "avatar_url"} or None; `cursor`: its newest message, 0 for none."""

    visitor_id: int | None
    conversation_id: int | None
    mode: str
    operator: dict | None
    is_waiting: bool
    cursor: int
    handed_seq: int
    nudged_seq: int
    read_seq: int
    block: Any


def state(tx: Transaction, *, site_id: int, session_id: str, address: str | None) -> State:
    """Where the visitor of this session stands; for a session nobody has seen: nothing, mode ai."""
    visitor = find(tx, site_id, session_id)
    conversation = find_open_conversation(tx, visitor)
    block = blocks.find(
        tx, site_id, session_id, email=visitor.email if visitor else "", address=address
    )
    operator_id = conversation.operator_id if conversation else None
    operator = tx.one(_OPERATOR, id=operator_id) if operator_id else None
    return State(
        visitor_id=visitor.id if visitor else None,
        conversation_id=conversation.id if conversation else None,
        mode=conversation.mode if conversation else "ai",
        operator=operator._asdict() if operator else None,
        is_waiting=bool(conversation and conversation.is_waiting),
        cursor=visitor.last_seq if visitor else 0,
        handed_seq=visitor.handed_seq if visitor else 0,
        nudged_seq=visitor.nudged_seq if visitor else 0,
        read_seq=visitor.read_seq if visitor else 0,
        block=block,
    )


def history(
    tx: Transaction, *, site_id: int, session_id: str, limit: int, before: int | None, image_base: str
) -> tuple[list[dict], bool, Any, Any]:
    """A page of the whole history, oldest first: messages, whether there are earlier ones, visitor and open
    conversation (rows or None)."""
    visitor = find(tx, site_id, session_id)
    if visitor is None:
        return [], False, None, None
    rows = messages.newest(tx, visitor.id, before=before, limit=limit + 1)
    has_more = len(rows) > limit
    page = rows[1:] if has_more else rows
    return (
        messages.all_to_wire(tx, page, image_base), has_more, visitor, find_open_conversation(tx, visitor)
    )


def from_people(
    tx: Transaction, *, visitor_id: int, since: int, image_base: str, with_system: bool
) -> list[dict]:
    """Messages of operators (and system lines) behind a cursor."""
    query = _OPERATOR_AND_SYSTEM if with_system else _OPERATOR_ONLY
    rows = tx.all(query, visitor_id=visitor_id, since=since, limit=MAX_MESSAGES)
    return messages.all_to_wire(tx, rows, image_base)


def unread(tx: Transaction, *, visitor_id: int, since: int) -> int:
    """How many messages of others lie behind what the visitor has seen; at most MAX_UNREAD."""
    return len(tx.all(_UNREAD, visitor_id=visitor_id, since=since, limit=MAX_UNREAD))


def proactive(tx: Transaction, *, visitor_id: int, since: int) -> list:
    """Rows of proactive messages behind a cursor."""
    return tx.all(_PROACTIVE, visitor_id=visitor_id, since=since, limit=MAX_MESSAGES)


def hand_out(tx: Transaction, *, visitor_id: int, cursor: int) -> None:
    """Operator messages up to the cursor have reached a client that knows no cursor."""
    tx.run(_HAND_OUT, id=visitor_id, cursor=cursor)


def hand_out_all(tx: Transaction, *, visitor_id: int, cursor: int) -> None:
    """A page of the history has shown everything up to the cursor."""
    hand_out(tx, visitor_id=visitor_id, cursor=cursor)
    hand_out_proactive(tx, visitor_id=visitor_id, cursor=cursor)


def hand_out_proactive(tx: Transaction, *, visitor_id: int, cursor: int) -> None:
    """The same for proactive messages."""
    tx.run(_NUDGE_OUT, id=visitor_id, cursor=cursor)
