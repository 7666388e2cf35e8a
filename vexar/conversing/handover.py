"""A conversation changing hands: persons take it, speak, pass it on, give it back; visitors ask for one, close it.

The rule of the house: the AI never talks over a person. Whatever takes a conversation raises its epoch and cuts
its runs in one transaction, and a run may store only in the epoch it began with. The states are in docs/handover.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from vexar.answers import ledger
from vexar.conversing import blocks, clocks
from vexar.conversing.lines import line, moment
from vexar.conversing.visitors import LockedVisitor
from vexar.errors import ApiError, invalid
from vexar.models import Conversation
from vexar.people import routing
from vexar.sites import hours
from vexar.sites.settings import SiteSettings
from vexar.store import P, Statement, Transaction

_TAKE = Statement(
    Conversation.update(
        mode="operator", epoch=Conversation.epoch + 1, is_waiting=0, operator_id=P.operator_id, offered="",
        boundary_seq=P.boundary_seq, accepted_ms=P.now_ms, unread_count=0, changed_ms=P.now_ms,
    ).where(Conversation.id == P.id)
)
_SPOKE = Statement(
    Conversation.update(
        epoch=Conversation.epoch + P.raised, waiting_ms=None, operator_said_ms=P.now_ms,
        first_reply_ms=P.first_reply_ms, unread_count=0, changed_ms=P.now_ms,
    ).where(Conversation.id == P.id)
)
_GIVE_BACK = Statement(
    Conversation.update(
        mode="ai", is_waiting=0, operator_id=None, waiting_ms=None, offered="", changed_ms=P.now_ms
    ).where(Conversation.id == P.id)
)
_WAIT = Statement(
    Conversation.update(is_waiting=1, waiting_ms=P.now_ms, offered=P.offered, changed_ms=P.now_ms)
    .where(Conversation.id == P.id)
)
_CLOSE = Statement(
    Conversation.update(is_waiting=0, waiting_ms=None, offered="", closed_ms=P.now_ms, changed_ms=P.now_ms)
    .where(Conversation.id == P.id)
)
TAKEN = "Somebody else has this conversation; ask for a transfer."


class Called(NamedTuple):
    """What came of asking for a person. `outcome`: called, away (nobody is there now), no_person (this site has none
    who answer) or has_person; `text` says it in the visitor's language, empty with has_person."""

    waiting: bool
    available: bool
    outcome: str
    text: str


def accept(
    tx: Transaction, *, site_id: int, session_id: str, operator: Any, conversation_id: int | None = None
) -> int:
    """An operator takes the open conversation: its id. `conversation_id`, here and below: refused with
    conversation_not_found when that is not the open one any more. Raises ApiError conversation_not_found, conflict."""
    visitor, conversation = _open(tx, site_id, session_id, conversation_id)
    if _refuse_other(conversation, operator) == "ai":
        _take(visitor, conversation, operator, "joined")
        _save(visitor, conversation.id)
    return conversation.id


def say(
    tx: Transaction, *, site_id: int, session_id: str, operator: Any, content: str, image_path: str | None = None,
    message_id: str | None = None, claim_image: Callable[[Transaction, int, int, str], bool] | None = None,
    conversation_id: int | None = None,
) -> int:
    """An operator's message: its number. Takes the conversation first when the AI has it; the same message_id
    again is the same message. Raises ApiError."""
    visitor = LockedVisitor.find(tx, site_id, session_id)
    # Known also after the conversation was closed: whoever sends again must not hear that it failed.
    known = visitor and _sent_before(visitor, "operator", message_id, content, image_path)
    if known:
        return known
    conversation = _conversation_of(visitor, conversation_id)
    is_new = _refuse_other(conversation, operator) == "ai"
    if is_new:
        _take(visitor, conversation, operator, "joined")
    if image_path and claim_image and not claim_image(tx, site_id, visitor.id, image_path):
        raise invalid(image_url="is not an image of this site")
    seq = visitor.append(
        "operator", content, conversation_id=conversation.id, message_id=message_id, image_url=image_path,
        operator_id=operator.id,
    )
    # Nothing can run here: taking it cut what ran, and a new run ends at once in this mode.
    tx.run(
        _SPOKE, id=conversation.id, raised=int(not is_new), now_ms=visitor.now_ms,
        first_reply_ms=_first_reply_ms(visitor, conversation),
    )
    _save(visitor, conversation.id)
    return seq


def transfer(
    tx: Transaction, *, site_id: int, session_id: str, to: int, conversation_id: int | None = None
) -> int:
    """Give the open conversation to another operator (its id), whoever has it now: the conversation's id.

    Raises ApiError conversation_not_found, not_found (no such operator), conflict (may not chat on this site).
    """
    visitor, conversation = _open(tx, site_id, session_id, conversation_id)
    operator, may_chat = routing.find_who_may_chat(tx, site_id, to)
    if operator is None:
        raise ApiError("not_found")
    if not may_chat:
        raise ApiError("conflict", "This person may not chat on this site.")
    if conversation.mode == "ai" or conversation.operator_id != operator.id:
        _take(visitor, conversation, operator, "transferred")
        _save(visitor, conversation.id)
    return conversation.id


def return_to_ai(tx: Transaction, *, site_id: int, session_id: str, conversation_id: int | None = None) -> int:
    """Give the open conversation back to the AI: its id. Raises ApiError."""
    visitor, conversation = _open(tx, site_id, session_id, conversation_id)
    if conversation.mode == "operator" or conversation.is_waiting:
        give_back(visitor, conversation, line("returned", visitor.row.lang))
    return conversation.id


def request_operator(
    tx: Transaction, *, site_id: int, session_id: str, address: str | None = None, lang: str = "",
    is_told: bool = False,
) -> Called:
    """The visitor asks for a person: the open conversation waits for one. Raises ApiError.

    `lang`: when the visitor's own is unknown; `is_told`: the caller passes the text on, so that a line would only
    repeat that nobody comes.
    """
    visitor, conversation = _open(tx, site_id, session_id)
    blocks.refuse(visitor, address=address)
    settings = clocks.settings_of(tx, site_id)
    if conversation.mode == "operator":
        return Called(False, True, "has_person", "")
    is_available = routing.is_available(tx, site_id, settings, visitor.now_ms)
    outcome = "no_person" if not settings.operator_enabled else "called" if is_available else "away"
    text = _outcome_text(visitor, outcome, settings, visitor.row.lang or lang)
    is_new = settings.operator_enabled and not conversation.is_waiting
    if is_new:
        offered = routing.next_offer(tx, site_id, settings)
        tx.run(_WAIT, id=conversation.id, now_ms=visitor.now_ms, offered=offered)
        if outcome == "called" or not is_told:
            visitor.append("system", text, conversation_id=conversation.id)
        _save(visitor, conversation.id)
    return Called(settings.operator_enabled, is_available, outcome, text)


def propose(
    tx: Transaction, *, site_id: int, session_id: str, operator: Any, content: str, message_id: str | None = None
) -> int:
    """An operator's proactive message, to a visitor who may not have written yet: its number. Raises ApiError conflict
    when a colleague has the conversation."""
    visitor = LockedVisitor.find_or_create(tx, site_id, session_id)
    known = _sent_before(visitor, "proactive", message_id, content)
    if known:
        return known
    conversation = visitor.open_conversation()
    if operator:
        _refuse_other(conversation, operator)
    seq = visitor.append(
        "proactive", content, conversation_id=conversation.id, message_id=message_id,
        operator_id=operator.id if operator else None,
    )
    visitor.save()
    return seq


def close(
    tx: Transaction, *, site_id: int, session_id: str, operator: Any = None, conversation_id: int | None = None
) -> int:
    """End the open conversation: its id. `operator`: who ends it, None for the visitor. What runs in it is stopped
    and kept. Raises ApiError."""
    visitor = LockedVisitor.find(tx, site_id, session_id)
    # This job again, after a COMMIT whose answer was lost.
    if tx.may_be_done and visitor and not visitor.conversation_id and (closed := visitor.newest_conversation()):
        return closed.id
    conversation = _conversation_of(visitor, conversation_id)
    end(visitor, conversation, line("closed", visitor.row.lang, name=operator.name) if operator else "")
    return conversation.id


def give_back(visitor: LockedVisitor, conversation: Any, text: str) -> None:
    """The AI has the conversation again, and nobody waits; `text` tells the visitor. Saves the visitor."""
    visitor.tx.run(_GIVE_BACK, id=conversation.id, now_ms=visitor.now_ms)
    visitor.append("system", text, conversation_id=conversation.id)
    _save(visitor, conversation.id)


def end(visitor: LockedVisitor, conversation: Any, text: str) -> None:
    """Close a conversation; `text` tells the visitor, empty: it knows. Saves the visitor."""
    ledger.cut_all(visitor, conversation.id, "stopped")
    if text:
        visitor.append("system", text, conversation_id=conversation.id)
    visitor.tx.run(_CLOSE, id=conversation.id, now_ms=visitor.now_ms)
    visitor.conversation_id = None
    _save(visitor, conversation.id)


def away_text(visitor: LockedVisitor, settings: SiteSettings, lang: str) -> str:
    """That nobody is there now, when somebody will be, and where an answer goes meanwhile."""
    opening = hours.next_opening(settings.working_hours, visitor.now_ms)
    email = visitor.row.email
    return " ".join([
        line("away", lang),
        *([line("opens", lang, when=moment(opening, lang))] if opening else []),
        line("will_write", lang, email=email) if email else line("ask_email", lang),
    ])


def _open(
    tx: Transaction, site_id: int, session_id: str, conversation_id: int | None = None
) -> tuple[LockedVisitor, Any]:
    visitor = LockedVisitor.find(tx, site_id, session_id)
    return visitor, _conversation_of(visitor, conversation_id)


def _conversation_of(visitor: LockedVisitor | None, conversation_id: int | None = None) -> Any:
    conversation = visitor.conversation() if visitor else None
    # An operator means the conversation it looks at; the visitor may have begun another one meanwhile.
    if conversation is None or conversation_id not in (None, conversation.id):
        raise ApiError("conversation_not_found")
    return conversation


def _refuse_other(conversation: Any, operator: Any) -> str:
    """The mode of a conversation this operator may take or has. Raises ApiError conflict when a colleague has it."""
    if conversation.mode == "operator" and conversation.operator_id != operator.id:
        raise ApiError("conflict", TAKEN)
    return conversation.mode


def _take(visitor: LockedVisitor, conversation: Any, operator: Any, key: str) -> None:
    # The cut first: what the AI had said stands before the line that says a person came.
    ledger.cut_all(visitor, conversation.id, "operator")
    visitor.append("system", line(key, visitor.row.lang, name=operator.name), conversation_id=conversation.id)
    visitor.tx.run(
        _TAKE, id=conversation.id, operator_id=operator.id, now_ms=visitor.now_ms,
        boundary_seq=conversation.boundary_seq if conversation.mode == "operator" else visitor.last_seq,
    )


def _save(visitor: LockedVisitor, conversation_id: int) -> None:
    clocks.wind(visitor.tx, conversation_id)
    visitor.save()


def _first_reply_ms(visitor: LockedVisitor, conversation: Any) -> int:
    """How long the visitor waited for the first word of a person, counted once in a conversation."""
    if conversation.first_reply_ms is not None:
        return conversation.first_reply_ms
    # Of a conversation that is taken with this very word, the row was read before.
    came_ms = conversation.accepted_ms if conversation.mode == "operator" else None
    return visitor.now_ms - (conversation.waiting_ms or came_ms or visitor.now_ms)


def _outcome_text(visitor: LockedVisitor, outcome: str, settings: SiteSettings, lang: str) -> str:
    if outcome == "away":
        return away_text(visitor, settings, lang)
    return line("waiting" if outcome == "called" else "no_person", lang)


def _sent_before(
    visitor: LockedVisitor, role: str, message_id: str | None, content: str, image_path: str | None = None
) -> int | None:
    if message_id is None:
        return None
    found = visitor.message(role, message_id)
    if found is not None and (found.content, found.image_url) != (content, image_path):
        raise ApiError("message_id_conflict")
    return found.seq if found else None
