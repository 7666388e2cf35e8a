"""A conversation changing hands: persons take it, speak, give it back; visitors ask for one, close it, are blocked.

The rule of the house: the AI never talks over a person. Whatever takes a conversation raises its epoch and cuts
its runs in one transaction, and a run may store only in the epoch it began with.
"""

from __future__ import annotations

from typing import Any

from vexar import blocks, ledger
from vexar.errors import ApiError
from vexar.models import Conversation, Site, Visitor
from vexar.store import P, Statement, Transaction
from vexar.visitors import LockedVisitor, find
from vexar.wording import line

_TAKE = Statement(
    Conversation.update(
        mode="operator", epoch=Conversation.epoch + 1, is_waiting=0, operator_id=P.operator_id,
        boundary_seq=P.boundary_seq, changed_ms=P.now_ms,
    ).where(Conversation.id == P.id)
)
_RAISE_EPOCH = Statement(
    Conversation.update(epoch=Conversation.epoch + 1, operator_id=P.operator_id, changed_ms=P.now_ms)
    .where(Conversation.id == P.id)
)
_GIVE_BACK = Statement(
    Conversation.update(mode="ai", is_waiting=0, operator_id=None, changed_ms=P.now_ms)
    .where(Conversation.id == P.id)
)
_WAIT = Statement(Conversation.update(is_waiting=1, changed_ms=P.now_ms).where(Conversation.id == P.id))
_CLOSE = Statement(
    Conversation.update(is_waiting=0, closed_ms=P.now_ms, changed_ms=P.now_ms).where(Conversation.id == P.id)
)
# Live streams look at their block again when the site's changed time moves.
_SITE_CHANGED = Statement(Site.update(changed_ms=P.now_ms).where(Site.id == P.id))
_VISITOR_OF = Statement(Visitor.select(Visitor).where(Visitor.id == P.id))


def accept(tx: Transaction, *, site_id: int, session_id: str, operator: Any) -> int:
    """An operator takes the open conversation: its id. Raises ApiError conversation_not_found."""
    visitor, conversation = _open(tx, site_id, session_id)
    _take(visitor, conversation, operator)
    visitor.save()
    return conversation.id


def say(
    tx: Transaction, *, site_id: int, session_id: str, operator: Any, content: str, image_path: str | None = None,
    message_id: str | None = None,
) -> int:
    """An operator's message: its number. Takes the conversation first when the AI has it; the same message_id
    again is the same message. Raises ApiError."""
    visitor = LockedVisitor.find(tx, site_id, session_id)
    # Known also after the conversation was closed: whoever sends again must not hear that it failed.
    known = visitor and _sent_before(visitor, "operator", message_id, content, image_path)
    if known:
        return known
    conversation = _conversation_of(visitor)
    if conversation.mode != "operator":
        _take(visitor, conversation, operator)
    else:
        # Nothing can run here: taking it cut what ran, and a new run ends at once in this mode.
        tx.run(_RAISE_EPOCH, id=conversation.id, operator_id=operator.id, now_ms=visitor.now_ms)
    seq = visitor.append(
        "operator", content, conversation_id=conversation.id, message_id=message_id, image_url=image_path,
        operator_id=operator.id,
    )
    visitor.save()
    return seq


def return_to_ai(tx: Transaction, *, site_id: int, session_id: str) -> int:
    """Give the open conversation back to the AI: its id. Raises ApiError."""
    visitor, conversation = _open(tx, site_id, session_id)
    if conversation.mode == "operator" or conversation.is_waiting:
        tx.run(_GIVE_BACK, id=conversation.id, now_ms=visitor.now_ms)
        visitor.append("system", line("returned", visitor.row.lang), conversation_id=conversation.id)
        visitor.save()
    return conversation.id


def request_operator(tx: Transaction, *, site_id: int, session_id: str, address: str | None) -> None:
    """The visitor asks for a person: the open conversation waits for one. Raises ApiError."""
    visitor, conversation = _open(tx, site_id, session_id)
    blocks.refuse(visitor, address=address)
    if conversation.mode == "ai" and not conversation.is_waiting:
        tx.run(_WAIT, id=conversation.id, now_ms=visitor.now_ms)
        visitor.append("system", line("waiting", visitor.row.lang), conversation_id=conversation.id)
        visitor.save()


def propose(
    tx: Transaction, *, site_id: int, session_id: str, operator: Any, content: str, message_id: str | None = None
) -> int:
    """An operator's proactive message, to a visitor who may not have written yet: its number."""
    visitor = LockedVisitor.find_or_create(tx, site_id, session_id)
    known = _sent_before(visitor, "proactive", message_id, content)
    if known:
        return known
    conversation = visitor.open_conversation()
    seq = visitor.append(
        "proactive", content, conversation_id=conversation.id, message_id=message_id,
        operator_id=operator.id if operator else None,
    )
    visitor.save()
    return seq


def close(tx: Transaction, *, site_id: int, session_id: str) -> int:
    """End the open conversation: its id. What runs in it is stopped and kept. Raises ApiError."""
    visitor, conversation = _open(tx, site_id, session_id)
    _cut_all(visitor, conversation.id, "stopped")
    tx.run(_CLOSE, id=conversation.id, now_ms=visitor.now_ms)
    visitor.conversation_id = None
    visitor.save()
    return conversation.id


def block(
    tx: Transaction, *, site_id: int, kind: str, value: str, reason: str | None = None, until_ms: int | None = None
) -> list[str]:
    """Block by session, ip or email and cut what runs for those it meets: their session ids.

    `value` as blocks.target gives it.
    """
    # The visitors first, then the block and the site: the order in which every other job locks.
    met = cut_blocked(tx, site_id=site_id, kind=kind, value=value)
    now_ms = tx.now_ms()
    blocks.add(tx, site_id, kind, value, reason=reason, until_ms=until_ms, now_ms=now_ms)
    tx.run(_SITE_CHANGED, id=site_id, now_ms=now_ms)
    return met


def cut_blocked(tx: Transaction, *, site_id: int, kind: str, value: str) -> list[str]:
    """Cut what runs for those a block meets: their session ids. Visitors are locked in the order of their ids."""
    met = []
    for visitor_id in _met_by(tx, site_id, kind, value):
        visitor = LockedVisitor.by_id(tx, visitor_id)
        _cut_all(visitor, None, "blocked")
        visitor.save()
        met.append(visitor.row.session_id)
    return met


def is_blocked(tx: Transaction, *, site_id: int, session_id: str, address: str | None) -> bool:
    """Whether a block meets this visitor now."""
    visitor = find(tx, site_id, session_id)
    return blocks.find(tx, site_id, session_id, email=visitor.email if visitor else "", address=address) is not None


def unblock(tx: Transaction, *, site_id: int, session_id: str, address: str | None = None) -> int:
    """Lift every block that meets this visitor: how many."""
    visitor = LockedVisitor.find(tx, site_id, session_id)
    lifted = 0
    while found := blocks.find(
        tx, site_id, session_id, email=visitor.row.email if visitor else "",
        address=address or (visitor.row.address if visitor else None),
    ):
        blocks.remove(tx, found)
        lifted += 1
    tx.run(_SITE_CHANGED, id=site_id, now_ms=tx.now_ms())
    return lifted


def _open(tx: Transaction, site_id: int, session_id: str) -> tuple[LockedVisitor, Any]:
    visitor = LockedVisitor.find(tx, site_id, session_id)
    return visitor, _conversation_of(visitor)


def _conversation_of(visitor: LockedVisitor | None) -> Any:
    conversation = visitor.conversation() if visitor else None
    if conversation is None:
        raise ApiError("conversation_not_found")
    return conversation


def _take(visitor: LockedVisitor, conversation: Any, operator: Any) -> None:
    # The cut first: what the AI had said stands before the line that says a person came.
    _cut_all(visitor, conversation.id, "operator")
    has_it = conversation.mode == "operator" and conversation.operator_id == operator.id
    if not has_it:
        visitor.append(
            "system", line("joined", visitor.row.lang, name=operator.name), conversation_id=conversation.id
        )
    visitor.tx.run(
        _TAKE, id=conversation.id, operator_id=operator.id, now_ms=visitor.now_ms,
        boundary_seq=conversation.boundary_seq if conversation.mode == "operator" else visitor.last_seq,
    )


def _cut_all(visitor: LockedVisitor, conversation_id: int | None, finish_reason: str) -> None:
    for run in ledger.unended(visitor.tx, visitor.id):
        if conversation_id is None or run.conversation_id == conversation_id:
            ledger.cut(visitor, run, finish_reason)


def _sent_before(
    visitor: LockedVisitor, role: str, message_id: str | None, content: str, image_path: str | None = None
) -> int | None:
    if message_id is None:
        return None
    found = visitor.message(role, message_id)
    if found is not None and (found.content, found.image_url) != (content, image_path):
        raise ApiError("message_id_conflict")
    return found.seq if found else None


def _met_by(tx: Transaction, site_id: int, kind: str, value: str) -> list[int]:
    """Visitors a block meets, ascending; by address or email only those with something to cut."""
    if kind == "session":
        visitor = LockedVisitor.find(tx, site_id, value)
        return [visitor.id] if visitor else []
    busy = [tx.one(_VISITOR_OF, id=found) for found in ledger.visitors_with_runs(tx, site_id)]
    if kind == "email":
        return [visitor.id for visitor in busy if visitor.email.lower() == value]
    return [visitor.id for visitor in busy if visitor.address and blocks.meets(visitor.address, value)]
