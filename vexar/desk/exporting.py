"""What is stored about a visitor or a conversation, whole, for whoever asks for it (a privacy request, an archive)."""

from __future__ import annotations

from typing import Any

from vexar.conversing import messages
from vexar.conversing.messages import to_time
from vexar.desk import inbox
from vexar.media.uploads import PREFIX
from vexar.models import Block, Conversation, Message, Note, NudgeEvent, UnansweredAsk, Upload, Visitor
from vexar.store import P, Statement, Transaction

MESSAGE_COLUMNS = ("conversation_id", "id", "created_at", "role", "operator", "content", "image_url", "status")

_VISITOR = Statement(Visitor.select(Visitor).where(Visitor.id == P.id))
_CONVERSATION = Statement(Conversation.select(Conversation).where(Conversation.id == P.id))
_CONVERSATIONS = Statement(
    Conversation.select(Conversation).where(Conversation.visitor_id == P.visitor_id).order_by(Conversation.id)
)
_MESSAGES = Statement(
    Message.select(Message)
    .where((Message.visitor_id == P.visitor_id) & (Message.conversation_id == P.conversation_id))
    .order_by(Message.seq)
)
_NOTES = Statement(Note.select(Note).where(Note.conversation_id == P.conversation_id).order_by(Note.id))
_NUDGES = Statement(NudgeEvent.select(NudgeEvent).where(NudgeEvent.visitor_id == P.visitor_id).order_by(NudgeEvent.id))
_UNANSWERED = Statement(
    UnansweredAsk.select(UnansweredAsk).where(UnansweredAsk.visitor_id == P.visitor_id).order_by(UnansweredAsk.id)
)
_UPLOADS = Statement(Upload.select(Upload).where(Upload.visitor_id == P.visitor_id).order_by(Upload.created_ms))
_BLOCKS = Statement(
    Block.select(Block)
    .where((Block.site_id == P.site_id) & (Block.kind == "session") & (Block.value == P.session_id))
)


def find_visitor(tx: Transaction, *, visitor_id: int) -> Any:
    """The row of a visitor, or None."""
    return tx.one(_VISITOR, id=visitor_id)


def conversation(tx: Transaction, *, conversation_id: int, image_base: str) -> dict | None:
    """One conversation: {conversation, visitor, messages, notes}; None when it is gone. A heavy read."""
    row = tx.one(_CONVERSATION, id=conversation_id)
    owner = tx.one(_VISITOR, id=row.visitor_id) if row else None
    if owner is None:
        return None
    return {"visitor": _visitor(owner), **_conversation(tx, row, image_base)}


def visitor(tx: Transaction, *, visitor_id: int, image_base: str) -> dict | None:
    """Everything of a visitor: {visitor, conversations, nudge_events, unanswered, uploads, blocks}; None when it is
    gone. A heavy read."""
    row = tx.one(_VISITOR, id=visitor_id)
    if row is None:
        return None
    return {
        "visitor": _visitor(row),
        "conversations": [
            _conversation(tx, each, image_base) for each in tx.all(_CONVERSATIONS, visitor_id=visitor_id)
        ],
        "nudge_events": [
            {"event": each.event, "rule_path": each.rule_path or None, "variant": each.variant,
             "id": each.message_seq, "created_at": to_time(each.created_ms)}
            for each in tx.all(_NUDGES, visitor_id=visitor_id)
        ],
        "unanswered": [
            {"question": each.question, "conversation_id": each.conversation_id, "id": each.seq,
             "created_at": to_time(each.created_ms)}
            for each in tx.all(_UNANSWERED, visitor_id=visitor_id)
        ],
        "uploads": [
            {"url": f"{image_base}{each.path}", "bytes": each.bytes, "width": each.width, "height": each.height,
             "created_at": to_time(each.created_ms)}
            for each in tx.all(_UPLOADS, visitor_id=visitor_id)
        ],
        "blocks": [
            {"reason": each.reason, "until": to_time(each.until_ms), "created_at": to_time(each.created_ms)}
            for each in tx.all(_BLOCKS, site_id=row.site_id, session_id=row.session_id)
        ],
    }


def message_rows(exported: dict) -> list[dict]:
    """The messages of either export as rows of MESSAGE_COLUMNS."""
    parts = exported.get("conversations", [exported])
    return [
        {**message, "conversation_id": part["conversation"]["id"],
         "operator": message["operator"]["name"] if message["operator"] else ""}
        for part in parts for message in part["messages"]
    ]


def image_base(public_url: str) -> str:
    """What stands before the path of an upload."""
    return f"{public_url}{PREFIX}"


def _visitor(row: Any) -> dict:
    values = {name: value for name, value in row._asdict().items() if not name.endswith(("_ms", "_seq"))}
    return {**values, "created_at": to_time(row.created_ms), "changed_at": to_time(row.changed_ms)}


def _conversation(tx: Transaction, row: Any, image_base: str) -> dict:
    said = tx.all(_MESSAGES, visitor_id=row.visitor_id, conversation_id=row.id)
    noted = tx.all(_NOTES, conversation_id=row.id)
    people = messages.operators_of(tx, noted)
    return {
        "conversation": (inbox.rows_to_wire(tx, [row]) or [None])[0],
        "messages": messages.all_to_wire(tx, said, image_base),
        "notes": [
            {"id": note.id, "content": note.content, "operator": people.get(note.operator_id),
             "created_at": to_time(note.created_ms)}
            for note in noted
        ],
    }
