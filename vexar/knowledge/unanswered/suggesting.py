"""What an operator answered right after a question that nobody else could answer. Only reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vexar.knowledge import text
from vexar.knowledge.unanswered.worth import is_small_talk, question_of
from vexar.models import Conversation, Message, Operator
from vexar.store import P, Statement, Transaction

# Of each group so many of the newest asks are looked at, and so many messages behind each.
MAX_ASKS, MAX_MESSAGES = 5, 16
# A shorter word of an operator says "one moment" rather than an answer.
MIN_WORDS = 4

_BEHIND = Statement(
    Message.select(Message.role, Message.content, Message.operator_id)
    .where((Message.visitor_id == P.visitor_id) & (Message.seq > P.seq)
           & (Message.conversation_id == P.conversation_id)).order_by(Message.seq).limit(MAX_MESSAGES)
)


def suggestions(tx: Transaction, said: Mapping[int, Sequence[Any]]) -> dict[int, dict]:
    """By group the newest such answer, {"content", "operator"}; groups without one are left out. `said`: asks of each
    group, the newest first."""
    talked = _conversations_with_people(tx, {ask.conversation_id for some in said.values() for ask in some[:MAX_ASKS]})
    found: dict[int, tuple[str, int | None]] = {}
    for number, some in said.items():
        for ask in some[:MAX_ASKS]:
            if number not in found and ask.conversation_id in talked and (answer := _answer(tx, ask)):
                found[number] = answer
    names = _names(tx, {operator_id for _, operator_id in found.values() if operator_id})
    return {number: {"content": content, "operator": names.get(operator_id, "")}
            for number, (content, operator_id) in found.items()}


def _answer(tx: Transaction, ask: Any) -> tuple[str, int | None] | None:
    """The operator's words up to the visitor's next question: without greetings, several messages joined."""
    parts: list[str] = []
    operator_id = None
    for row in tx.all(_BEHIND, visitor_id=ask.visitor_id, seq=ask.seq, conversation_id=ask.conversation_id):
        if row.role == "visitor" and (parts or _asks_another(row.content, ask.question)):
            break
        if row.role == "operator" and _is_answer(row.content):
            parts.append(row.content.strip())
            operator_id = row.operator_id
    return ("\n".join(parts), operator_id) if parts else None


def _asks_another(message: str, question: str) -> bool:
    """Whether a visitor's message asks something else; who waits for a person often repeats the question."""
    return bool(question_of(message)) and not set(text.words(message)) & _long_words(question)


def _long_words(question: str) -> set[str]:
    return {word for word in text.words(question) if len(word) > 3 or text.is_dense(word)}


def _is_answer(content: str) -> bool:
    return len(text.words(content)) >= MIN_WORDS and not is_small_talk(content)


def _conversations_with_people(tx: Transaction, numbers: set[int]) -> set[int]:
    if not numbers:
        return set()
    query = Conversation.select(Conversation.id).where(
        Conversation.id.in_(sorted(numbers)) & Conversation.operator_said_ms.is_null(False)
    )
    return {row.id for row in tx.all(query)}


def _names(tx: Transaction, numbers: set[int]) -> dict[int, str]:
    if not numbers:
        return {}
    query = Operator.select(Operator.id, Operator.name).where(Operator.id.in_(sorted(numbers)))
    return {row.id: row.name for row in tx.all(query)}
