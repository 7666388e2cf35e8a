"""What operators do beside the verbs of a conversation: notes, marks of reading, and what is going on now, as jobs.

It refuses to know who asks; routes give it only conversations and sites the member may work with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from peewee import fn

from vexar.conversing import messages
from vexar.conversing.visitors import FIND_CONVERSATION, LockedVisitor, find
from vexar.desk import inbox, listing
from vexar.live import online
from vexar.models import Conversation, Note, OnlineSession, Visitor
from vexar.store import P, Statement, Transaction

_ADD_NOTE = Statement(
    Note.insert(
        conversation_id=P.conversation_id, operator_id=P.operator_id, content=P.content, created_ms=P.now_ms
    )
)
_NOTE = Statement(Note.select(Note).where(Note.id == P.id))
_NEWEST_NOTE = Statement(
    Note.select(Note).where(Note.conversation_id == P.conversation_id).order_by(Note.id.desc()).limit(1)
)
_CONVERSATION_CHANGED = Statement(Conversation.update(changed_ms=P.now_ms).where(Conversation.id == P.id))
_SEEN = Statement(
    Conversation.update(unread_count=0).where((Conversation.id == P.id) & (Conversation.unread_count > 0))
)
_SESSIONS = (
    OnlineSession.select(
        OnlineSession, Visitor.id.alias("visitor_id"), Visitor.name, Visitor.email, Visitor.phone,
        Visitor.conversation_id, Visitor.lang.alias("known_lang"), Visitor.page_url.alias("known_page_url"),
        Conversation.mode, Conversation.is_waiting, Conversation.closed_ms,
    )
    .left_outer_join(
        Visitor,
        on=((Visitor.site_id == OnlineSession.site_id) & (Visitor.session_id == OnlineSession.session_id)),
    )
    .left_outer_join(Conversation, on=(Conversation.id == Visitor.conversation_id))
)


def add_note(tx: Transaction, *, visitor_id: int, conversation_id: int, operator_id: int, content: str) -> dict | None:
    """Keep a note about a conversation: as JSON shows it; None when that was erased meanwhile."""
    visitor = LockedVisitor.by_id(tx, visitor_id)
    # Asked under the lock: what is noted behind an eraser's back would stay for ever.
    if visitor is None or tx.one(FIND_CONVERSATION, id=conversation_id) is None:
        return None
    if tx.may_be_done and (found := _same_note(tx, conversation_id, operator_id, content)):
        # This job again, after a COMMIT whose answer was lost.
        return listing.notes_to_wire(tx, [found])[0]
    note_id = tx.insert(
        _ADD_NOTE, conversation_id=conversation_id, operator_id=operator_id, content=content, now_ms=visitor.now_ms
    )
    # What live streams look for.
    tx.run(_CONVERSATION_CHANGED, id=conversation_id, now_ms=visitor.now_ms)
    return listing.notes_to_wire(tx, [tx.one(_NOTE, id=note_id)])[0]


def mark_seen(tx: Transaction, *, visitor_id: int, conversation_id: int) -> bool:
    """An operator has opened a conversation: nothing in it is unread. Whether anything was.

    Its changed time stays: reading must not move a conversation to the top of the list.
    """
    LockedVisitor.by_id(tx, visitor_id)
    return tx.run(_SEEN, id=conversation_id) > 0


def message(tx: Transaction, *, visitor_id: int, seq: int, image_base: str) -> dict | None:
    """One stored message as operators get it; None when it was erased meanwhile."""
    row = messages.one(tx, visitor_id, seq)
    return listing.messages_to_wire(tx, [row], image_base)[0] if row else None


def visitor(tx: Transaction, *, site_id: int, session_id: str) -> Any:
    """The row of a visitor, or None."""
    return find(tx, site_id, session_id)


def active(tx: Transaction, *, site_ids: Sequence[int], offset: int, limit: int) -> tuple[list[dict], int]:
    """A page of the open conversations of some sites, the waiting first, and how many there are."""
    if not site_ids:
        return [], 0
    query = Conversation.select(Conversation).where(
        Conversation.site_id.in_(sorted(site_ids)) & Conversation.closed_ms.is_null()
    )
    total = tx.one(query.select(fn.COUNT(Conversation.id).alias("total"))).total
    in_order = query.order_by(
        Conversation.is_waiting.desc(), (Conversation.mode == "operator").desc(), Conversation.changed_ms.desc(),
        Conversation.id.desc(),
    )
    return inbox.rows_to_wire(tx, tx.all(in_order.limit(limit).offset(offset))), total


def visitors(tx: Transaction, *, site_ids: Sequence[int], offset: int, limit: int) -> tuple[list[dict], int]:
    """A page of the sessions with an open page, known or not, the newest first, and how many there are."""
    if not site_ids:
        return [], 0
    is_online = OnlineSession.site_id.in_(sorted(site_ids)) & (OnlineSession.seen_ms > online.since_ms(tx))
    total = tx.one(OnlineSession.select(fn.COUNT(OnlineSession.session_id).alias("total")).where(is_online)).total
    newest = _SESSIONS.where(is_online).order_by(OnlineSession.since_ms.desc(), OnlineSession.session_id)
    return [_session_to_wire(row) for row in tx.all(newest.limit(limit).offset(offset))], total


def _session_to_wire(row: Any) -> dict:
    # Of a session nobody has seen there is nothing to call it by.
    name = (row.name or row.email or f"Visitor {row.visitor_id}") if row.visitor_id else None
    return {
        "site_id": row.site_id,
        "session_id": row.session_id,
        "visitor_id": row.visitor_id,
        "visitor_name": name,
        "email": row.email or "",
        "phone": row.phone or "",
        "page_url": row.page_url or row.known_page_url or "",
        "lang": row.lang or row.known_lang or "",
        "online_since": messages.to_time(row.since_ms),
        "conversation_id": row.conversation_id,
        "status": inbox.status(row) if row.conversation_id and row.mode else None,
    }


def _same_note(tx: Transaction, conversation_id: int, operator_id: int, content: str) -> Any:
    newest = tx.one(_NEWEST_NOTE, conversation_id=conversation_id)
    is_same = newest is not None and (newest.operator_id, newest.content) == (operator_id, content)
    return newest if is_same else None
