"""What visitors tell about themselves and their conversation: contact, rating, how far they read."""

from __future__ import annotations

import re

from vexar.conversing import blocks
from vexar.conversing.visitors import LockedVisitor
from vexar.desk.finding import contact_words
from vexar.errors import ApiError
from vexar.models import Conversation, Visitor
from vexar.store import P, Statement, Transaction

_EMAIL = re.compile(r"[\w.+%-]{1,64}@(?:[\w-]{1,63}\.)+[^\W\d_]{2,24}")
_SAVE_CONTACT = Statement(
    Visitor.update(
        email=P.email, phone=P.phone, name=P.name, address=P.address, contact_words=P.contact_words,
        changed_ms=P.now_ms,
    ).where(Visitor.id == P.id)
)
_RATE = Statement(
    Conversation.update(rating_score=P.score, rated_ms=P.now_ms, changed_ms=P.now_ms).where(Conversation.id == P.id)
)
_COMMENT = Statement(
    Conversation.update(rating_comment=P.comment, changed_ms=P.now_ms).where(Conversation.id == P.id)
)
# Operators see who it is beside the conversation.
_CHANGED = Statement(Conversation.update(changed_ms=P.now_ms).where(Conversation.id == P.id))
_READ = Statement(
    Visitor.update(read_seq=P.cursor).where((Visitor.id == P.id) & (Visitor.read_seq < P.cursor))
)


def save_contact(
    tx: Transaction, *, site_id: int, session_id: str, address: str | None, email: str | None = None,
    phone: str | None = None, name: str | None = None,
) -> None:
    """Keep what is given (an email in lower case); what is None stays as it was. Raises ApiError blocked."""
    visitor = LockedVisitor.find_or_create(tx, site_id, session_id)
    blocks.refuse(visitor, address=address)
    row = visitor.row
    email, phone, name = (email or row.email).lower(), phone or row.phone, name or row.name
    tx.run(
        _SAVE_CONTACT, id=visitor.id, email=email, phone=phone, name=name, address=address or row.address,
        contact_words=contact_words(name, email, phone), now_ms=visitor.now_ms,
    )
    if visitor.conversation_id:
        tx.run(_CHANGED, id=visitor.conversation_id, now_ms=visitor.now_ms)


def email_in(text: str) -> str | None:
    """The first email address somebody wrote in a sentence, or None."""
    found = _EMAIL.search(text) if "@" in text else None
    return found[0] if found else None


def keep_email(tx: Transaction, *, site_id: int, session_id: str, address: str | None, email: str) -> None:
    """Keep an address that was written in a message, unless one is known: it may be somebody else's."""
    visitor = LockedVisitor.find(tx, site_id, session_id)
    if visitor is not None and not visitor.row.email:
        save_contact(tx, site_id=site_id, session_id=session_id, address=address, email=email)


def rate(tx: Transaction, *, site_id: int, session_id: str, address: str | None, score: int) -> int:
    """Rate the newest conversation, replacing an earlier rating: its id. Raises ApiError."""
    visitor, conversation_id, _ = _newest(tx, site_id, session_id, address)
    tx.run(_RATE, id=conversation_id, score=score, now_ms=visitor.now_ms)
    return conversation_id


def comment(tx: Transaction, *, site_id: int, session_id: str, address: str | None, text: str) -> int:
    """Say something about the rating just given: the conversation's id. Raises ApiError not_rated."""
    visitor, conversation_id, score = _newest(tx, site_id, session_id, address)
    if score is None:
        raise ApiError("not_rated")
    tx.run(_COMMENT, id=conversation_id, comment=text, now_ms=visitor.now_ms)
    return conversation_id


def mark_read(tx: Transaction, *, site_id: int, session_id: str, cursor: int) -> None:
    """Everything up to the cursor was seen. A cursor beyond the end counts as the end."""
    visitor = LockedVisitor.find(tx, site_id, session_id)
    if visitor is None:
        raise ApiError("conversation_not_found")
    tx.run(_READ, id=visitor.id, cursor=min(cursor, visitor.last_seq))


def _newest(
    tx: Transaction, site_id: int, session_id: str, address: str | None
) -> tuple[LockedVisitor, int, int | None]:
    visitor = LockedVisitor.find(tx, site_id, session_id)
    conversation = visitor.newest_conversation() if visitor else None
    if conversation is None:
        raise ApiError("conversation_not_found")
    blocks.refuse(visitor, address=address)
    return visitor, conversation.id, conversation.rating_score
