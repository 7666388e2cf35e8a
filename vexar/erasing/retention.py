"""What a site does not want to keep any longer: conversations that ended or fell asleep, and visitors of the past.

It only finds; erasing.py erases. What a person has, or a visitor waits in, is alive however old it is.
"""

from __future__ import annotations

from peewee import fn

from vexar.models import Conversation, Visitor
from vexar.store import P, Statement, Transaction

DAY_MS = 86_400_000

_IS_ASLEEP = Conversation.closed_ms.is_null() & (Conversation.mode == "ai") & (Conversation.is_waiting == 0)
# Most visitors just leave: if only what was closed went, nearly everything would stay.
_IS_OLD = (Conversation.changed_ms < P.before_ms) & ((Conversation.closed_ms < P.before_ms) | _IS_ASLEEP)

_EXPIRED = Statement(
    Conversation.select(Conversation.id, Conversation.visitor_id).where((Conversation.site_id == P.site_id) & _IS_OLD)
    .order_by(Conversation.changed_ms).limit(P.limit)
)
_IS_EXPIRED = Statement(Conversation.select(Conversation.id).where((Conversation.id == P.id) & _IS_OLD))
_OF_VISITOR = Conversation.select(Conversation.id).where(Conversation.visitor_id == P.visitor_id)
_OLD_ONES = Statement(
    Conversation.select(Conversation.id).where((Conversation.visitor_id == P.visitor_id) & _IS_OLD)
)
_ALL_OF = Statement(_OF_VISITOR)
_VISITOR = Statement(Visitor.select(Visitor.changed_ms).where(Visitor.id == P.id))
_SILENT = Statement(
    Visitor.select(Visitor.id).where(
        (Visitor.site_id == P.site_id) & (Visitor.changed_ms < P.before_ms)
        & ~fn.EXISTS(Conversation.select(Conversation.id).where(Conversation.visitor_id == Visitor.id))
    ).order_by(Visitor.changed_ms).limit(P.limit)
)


def expired(tx: Transaction, *, site_id: int, days: int, limit: int) -> list:
    """Conversations (id, visitor_id) that were closed longer ago than that, or in which nothing happened since."""
    return tx.all(_EXPIRED, site_id=site_id, before_ms=_before_ms(tx, days), limit=limit)


def silent(tx: Transaction, *, site_id: int, days: int, limit: int) -> list[int]:
    """The numbers of visitors who left a contact or an image longer ago than that, and never wrote."""
    return [row.id for row in tx.all(_SILENT, site_id=site_id, before_ms=_before_ms(tx, days), limit=limit)]


def is_expired(tx: Transaction, *, conversation_id: int, days: int) -> bool:
    """Whether a conversation is older than that."""
    return tx.one(_IS_EXPIRED, id=conversation_id, before_ms=_before_ms(tx, days)) is not None


def is_forgotten(tx: Transaction, *, visitor_id: int, days: int) -> bool:
    """Whether there is nothing of a visitor that is younger than that, nor alive."""
    before_ms = _before_ms(tx, days)
    visitor = tx.one(_VISITOR, id=visitor_id)
    if visitor is None or visitor.changed_ms >= before_ms:
        return False
    return len(tx.all(_OLD_ONES, visitor_id=visitor_id, before_ms=before_ms)) == len(
        tx.all(_ALL_OF, visitor_id=visitor_id)
    )


def _before_ms(tx: Transaction, days: int) -> int:
    return tx.now_ms() - days * DAY_MS
