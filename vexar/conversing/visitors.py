"""A visitor and what may be done while its row is locked: the only place that numbers messages.

`LockedVisitor` is the first thing of every job that touches a conversation. Locking first means that two jobs
about one visitor never interleave, so numbers have no gaps and order is commit order.
"""

from __future__ import annotations

import json
from typing import Any

from vexar.models import Conversation, Message, Visitor
from vexar.store import Duplicate, P, Statement, Transaction

_VISITOR = Visitor.select(Visitor)
FIND = Statement(_VISITOR.where((Visitor.site_id == P.site_id) & (Visitor.session_id == P.session_id)))
_LOCK = Statement(
    _VISITOR.where((Visitor.site_id == P.site_id) & (Visitor.session_id == P.session_id)), lock=True
)
_LOCK_BY_ID = Statement(_VISITOR.where(Visitor.id == P.id), lock=True)
_ADD = Statement(
    Visitor.insert(
        site_id=P.site_id, session_id=P.session_id, conversation_id=None, last_seq=0, handed_seq=0, nudged_seq=0,
        read_seq=0, user_id="", name="", email="", phone="", lang="", page_url="", address="",
        created_ms=P.now_ms, changed_ms=P.now_ms,
    )
)
# Last in a job, and once: each job would otherwise write the hottest row several times.
_SAVE = Statement(
    Visitor.update(
        conversation_id=P.conversation_id, last_seq=P.last_seq, lang=P.lang, page_url=P.page_url,
        address=P.address, user_id=P.user_id, changed_ms=P.now_ms,
    ).where(Visitor.id == P.id)
)
_CONVERSATION = Statement(Conversation.select(Conversation).where(Conversation.id == P.id))
_NEWEST_CONVERSATION = Statement(
    Conversation.select(Conversation).where(Conversation.visitor_id == P.visitor_id)
    .order_by(Conversation.id.desc()).limit(1)
)
_ADD_CONVERSATION = Statement(
    Conversation.insert(
        site_id=P.site_id, visitor_id=P.visitor_id, mode="ai", epoch=1, is_waiting=0, operator_id=None,
        first_seq=P.first_seq, boundary_seq=0, messages_count=0, last_message="", rating_score=None,
        rating_comment="", rated_ms=None, created_ms=P.now_ms, changed_ms=P.now_ms, closed_ms=None,
    )
)
_ADD_MESSAGE = Statement(
    Message.insert(
        visitor_id=P.visitor_id, seq=P.seq, conversation_id=P.conversation_id, role=P.role, message_id=P.message_id,
        content=P.content, image_url=P.image_url, status=P.status, sources=P.sources, operator_id=P.operator_id,
        reply_to=P.reply_to, created_ms=P.now_ms,
    )
)
# Counted as they come: a list of conversations has no time to count.
_COUNT_MESSAGE = Statement(
    Conversation.update(
        messages_count=Conversation.messages_count + 1, last_message=P.last_message, changed_ms=P.now_ms
    ).where(Conversation.id == P.id)
)
_COUNT_VISITORS_MESSAGE = Statement(
    Conversation.update(
        messages_count=Conversation.messages_count + 1, last_message=P.last_message, changed_ms=P.now_ms,
        visitor_said_ms=P.now_ms, unread_count=Conversation.unread_count + 1,
    ).where(Conversation.id == P.id)
)
_SENT = Statement(
    Message.select(Message).where(
        (Message.visitor_id == P.visitor_id) & (Message.role == P.role) & (Message.message_id == P.message_id)
    )
)
_BEGINNING_CHARS = 200

FIND_CONVERSATION = _CONVERSATION


def find(tx: Transaction, site_id: int, session_id: str) -> Any:
    """The visitor's row, or None for a session nobody has seen."""
    return tx.one(FIND, site_id=site_id, session_id=session_id)


def find_open_conversation(tx: Transaction, visitor: Any) -> Any:
    """The row of the visitor's open conversation, or None."""
    if visitor is None or visitor.conversation_id is None:
        return None
    return tx.one(_CONVERSATION, id=visitor.conversation_id)


def find_newest_conversation(tx: Transaction, visitor_id: int) -> Any:
    """The row of the visitor's newest conversation, open or closed, or None."""
    return tx.one(_NEWEST_CONVERSATION, visitor_id=visitor_id)


class LockedVisitor:
    """One visitor inside one transaction. Changes of its row are collected; `save` writes them once."""

    def __init__(self, tx: Transaction, row: Any, now_ms: int) -> None:
        self.tx = tx
        self.row = row
        self.id = row.id
        self.site_id = row.site_id
        # Asked after the lock was there: a time from before the wait could lie before what others stored meanwhile.
        self.now_ms = now_ms
        self.last_seq = row.last_seq
        self.conversation_id = row.conversation_id
        self.noted = {"lang": row.lang, "page_url": row.page_url, "address": row.address, "user_id": row.user_id}

    @classmethod
    def find(cls, tx: Transaction, site_id: int, session_id: str) -> LockedVisitor | None:
        """Lock the visitor of this session; None for one nobody has seen."""
        row = tx.one(_LOCK, site_id=site_id, session_id=session_id)
        return cls(tx, row, tx.now_ms()) if row else None

    @classmethod
    def find_or_create(cls, tx: Transaction, site_id: int, session_id: str) -> LockedVisitor:
        """Lock the visitor of this session, making it on its first visit."""
        found = cls.find(tx, site_id, session_id)
        if found:
            return found
        try:
            tx.insert(_ADD, site_id=site_id, session_id=session_id, now_ms=tx.now_ms())
        except Duplicate:
            # Another worker made it between the two statements (MySQL only); it is committed, so it is found now.
            pass
        # Unless it was erased at once: then there is room for a new one.
        return cls.find_or_create(tx, site_id, session_id)

    @classmethod
    def by_id(cls, tx: Transaction, visitor_id: int) -> LockedVisitor | None:
        """Lock a visitor known by its number; None for one that was erased meanwhile."""
        row = tx.one(_LOCK_BY_ID, id=visitor_id)
        return cls(tx, row, tx.now_ms()) if row else None

    def note(self, **facts: str | None) -> None:
        """Remember what the visitor's last request said of lang, page_url, address, user_id; None changes nothing."""
        self.noted.update({name: value for name, value in facts.items() if value is not None})

    def conversation(self) -> Any:
        """The row of the open conversation, or None."""
        return self.tx.one(_CONVERSATION, id=self.conversation_id) if self.conversation_id else None

    def newest_conversation(self) -> Any:
        """The row of the newest conversation, open or closed, or None."""
        return find_newest_conversation(self.tx, self.id)

    def open_conversation(self) -> Any:
        """The open conversation, begun now if there is none."""
        if not self.conversation_id:
            self.conversation_id = self.tx.insert(
                _ADD_CONVERSATION, site_id=self.site_id, visitor_id=self.id, first_seq=self.last_seq + 1,
                now_ms=self.now_ms,
            )
        return self.conversation()

    def message(self, role: str, message_id: str) -> Any:
        """The message its sender gave this id, or None."""
        return self.tx.one(_SENT, visitor_id=self.id, role=role, message_id=message_id)

    def append(
        self,
        role: str,
        content: str,
        *,
        conversation_id: int,
        message_id: str | None = None,
        image_url: str | None = None,
        status: str = "complete",
        sources: tuple[dict, ...] | list[dict] = (),
        operator_id: int | None = None,
        reply_to: int | None = None,
    ) -> int:
        """Store a message at the visitor's next number, and return that number. Raises Duplicate (message_id)."""
        self.tx.run(
            _ADD_MESSAGE, visitor_id=self.id, seq=self.last_seq + 1, conversation_id=conversation_id, role=role,
            message_id=message_id, content=content, image_url=image_url, status=status,
            sources=json.dumps(sources, ensure_ascii=False) if sources else "", operator_id=operator_id,
            reply_to=reply_to, now_ms=self.now_ms,
        )
        # Only now: after a Duplicate the number is still free, and numbers have no gaps.
        self.last_seq += 1
        self.tx.run(
            _COUNT_VISITORS_MESSAGE if role == "visitor" else _COUNT_MESSAGE, id=conversation_id,
            last_message=content[:_BEGINNING_CHARS], now_ms=self.now_ms,
        )
        return self.last_seq

    def save(self) -> None:
        """Write the collected changes; the changed time tells live streams to look."""
        self.tx.run(
            _SAVE, id=self.id, conversation_id=self.conversation_id, last_seq=self.last_seq, now_ms=self.now_ms,
            **self.noted,
        )


CHANGED_SINCE = Statement(
    Visitor.select(Visitor.site_id, Visitor.session_id, Visitor.last_seq, Visitor.changed_ms)
    .where(Visitor.changed_ms >= P.since_ms)
)


def channel(site_id: int, session_id: str) -> str:
    """The doorbell of one visitor."""
    return f"v{site_id}:{session_id}"


def site_channel(site_id: int) -> str:
    """The doorbell of a site's operators."""
    return f"s{site_id}"


def block_channel(site_id: int) -> str:
    """The doorbell of a site's blocks, which may meet many visitors."""
    return f"b{site_id}"
