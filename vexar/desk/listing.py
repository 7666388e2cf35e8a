"""The operators' lists of conversations: filtered, searched, by pages and in slices; and one conversation as a whole.

Every job takes the sites it may look into. A search is only as complete as the digest (vexar/desk/digest.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any

from peewee import fn

from vexar.conversing import blocks, messages
from vexar.conversing.messages import to_time
from vexar.desk.finding import NO_SEARCH, Search, Token
from vexar.desk.inbox import rows_to_wire
from vexar.models import Conversation, ConversationTerm, Message, Note, Visitor
from vexar.store import P, Statement, Transaction

DAY_MS = 86_400_000
PERIODS_DAYS = {"today": 1, "week": 7, "month": 30}
MAX_EARLIER = 50
# Behind every character that a term can begin with.
_END = "\U0010ffff"

_OPEN = Conversation.closed_ms.is_null()
FILTERS = {
    "all": None,
    "open": _OPEN,
    "operator": _OPEN & (Conversation.mode == "operator") & (Conversation.is_waiting == 0),
    "ai": _OPEN & (Conversation.mode == "ai") & (Conversation.is_waiting == 0),
    "waiting": _OPEN & (Conversation.is_waiting == 1),
    "closed": Conversation.closed_ms.is_null(False),
}

_EARLIER = Statement(
    Conversation.select(Conversation)
    .where((Conversation.visitor_id == P.visitor_id) & (Conversation.id < P.id))
    .order_by(Conversation.id.desc()).limit(MAX_EARLIER)
)
_MESSAGES = Statement(
    Message.select(Message).where(
        (Message.visitor_id == P.visitor_id) & (Message.seq >= P.first) & (Message.seq < P.before)
        & (Message.conversation_id == P.conversation_id)
    ).order_by(Message.seq.desc()).limit(P.limit)
)
_MESSAGES_AFTER = Statement(
    Message.select(Message).where(
        (Message.visitor_id == P.visitor_id) & (Message.seq > P.after)
        & (Message.conversation_id == P.conversation_id)
    ).order_by(Message.seq).limit(P.limit)
)
_NOTES = Statement(Note.select(Note).where(Note.conversation_id == P.conversation_id).order_by(Note.id))
_NO_LIMIT_SEQ = 2**62


@dataclass(frozen=True)
class Wanted:
    """Which conversations of these sites: `kind` one of FILTERS, `period` one of PERIODS_DAYS or all."""

    site_ids: tuple[int, ...]
    kind: str = "all"
    period: str = "all"
    search: Search = NO_SEARCH

    def condition(self, now_ms: int) -> Any:
        """What the rows fulfil."""
        found = [_is_in(Conversation.site_id, self.site_ids)]
        if FILTERS[self.kind] is not None:
            found.append(FILTERS[self.kind])
        if self.period in PERIODS_DAYS:
            found.append(Conversation.changed_ms >= period_start_ms(now_ms, PERIODS_DAYS[self.period]))
        if self.search.tokens:
            found.append(_matches(self.site_ids, self.search))
        return reduce(and_, found)


def page(tx: Transaction, *, wanted: Wanted, limit: int, offset: int) -> tuple[list[dict], int]:
    """Wire rows, those who wait first, then the newest; and how many there are in all."""
    condition = wanted.condition(tx.now_ms())
    total = tx.one(Conversation.select(fn.COUNT(Conversation.id).alias("many")).where(condition)).many
    # The numbers first: sorting whole rows would read all of them.
    found = tx.all(
        Conversation.select(Conversation.id).where(condition)
        .order_by(Conversation.is_waiting.desc(), Conversation.changed_ms.desc(), Conversation.id.desc())
        .limit(limit).offset(offset)
    )
    return by_ids(tx, [row.id for row in found]), total


def by_ids(tx: Transaction, ids: Sequence[int]) -> list[dict]:
    """The wire rows of these conversations in this order."""
    if not ids:
        return []
    rows = {row.id: row for row in tx.all(Conversation.select(Conversation).where(Conversation.id.in_(ids)))}
    return rows_to_wire(tx, [rows[found] for found in ids if found in rows])


def slice_before(tx: Transaction, *, wanted: Wanted, before: int, limit: int) -> list[dict]:
    """The next wire rows below an id, newest first, for exports of any size."""
    condition = wanted.condition(tx.now_ms()) & (Conversation.id < before)
    query = Conversation.select(Conversation).where(condition).order_by(Conversation.id.desc()).limit(limit)
    return rows_to_wire(tx, tx.all(query))


def whole(tx: Transaction, *, conversation_id: int, before: int | None, limit: int, image_base: str) -> dict | None:
    """One conversation with its newest messages (below `before`), notes, rating, block and what came earlier; None
    when it is gone."""
    row = tx.one(Conversation.select(Conversation).where(Conversation.id == conversation_id))
    wire = rows_to_wire(tx, [row]) if row else []
    visitor = tx.one(Visitor.select(Visitor).where(Visitor.id == row.visitor_id)) if wire else None
    # Erased between two of these looks.
    if visitor is None:
        return None
    rows = tx.all(
        _MESSAGES, visitor_id=row.visitor_id, conversation_id=row.id, first=row.first_seq,
        before=_NO_LIMIT_SEQ if before is None else before, limit=limit + 1,
    )
    earlier = tx.all(_EARLIER, visitor_id=row.visitor_id, id=row.id)
    return {
        "conversation": {
            **wire[0],
            "earlier": rows_to_wire(tx, earlier),
            "block": _block(tx, visitor),
        },
        "messages": messages_to_wire(tx, rows[:limit][::-1], image_base),
        "has_more": len(rows) > limit,
        "ratings": [{
            "score": row.rating_score, "comment": row.rating_comment, "created_at": to_time(row.rated_ms),
        }] if row.rating_score else [],
        "notes": notes_to_wire(tx, tx.all(_NOTES, conversation_id=row.id)),
    }  # fmt: skip


def messages_after(tx: Transaction, *, conversation: Any, after: int, limit: int, image_base: str) -> list[dict]:
    """The next messages of a conversation, oldest first, for exports."""
    rows = tx.all(
        _MESSAGES_AFTER, visitor_id=conversation.visitor_id, conversation_id=conversation.id, after=after, limit=limit
    )
    return messages_to_wire(tx, rows, image_base)


def messages_to_wire(tx: Transaction, rows: list, image_base: str) -> list[dict]:
    """Messages as visitors get them; a person's has its number, too."""
    people = people_of(tx, rows)
    return [messages.to_wire(row, people, image_base) for row in rows]


def notes_to_wire(tx: Transaction, rows: list) -> list[dict]:
    """Rows of `note` as JSON shows them."""
    people = people_of(tx, rows)
    return [
        {
            "id": row.id, "operator": people.get(row.operator_id), "content": row.content,
            "created_at": to_time(row.created_ms),
        }
        for row in rows
    ]  # fmt: skip


def people_of(tx: Transaction, rows: Iterable[Any]) -> dict[int, dict]:
    """The operators named in these rows: {id: {"id", "name", "avatar_url"}}."""
    return {found: {"id": found, **facts} for found, facts in messages.operators_of(tx, rows).items()}


def period_start_ms(now_ms: int, days: int) -> int:
    """The midnight (UTC) at which a period of so many days begins, today included."""
    return now_ms - now_ms % DAY_MS - (days - 1) * DAY_MS


def _block(tx: Transaction, visitor: Any) -> dict | None:
    found = blocks.find(
        tx, visitor.site_id, visitor.session_id, email=visitor.email, address=visitor.address or None
    )
    return found and {"id": found.id, "by": found.kind, "reason": found.reason, "until": to_time(found.until_ms)}


def _matches(site_ids: tuple[int, ...], search: Search) -> Any:
    found = reduce(and_, (_has(site_ids, token) for token in search.tokens))
    return found | _has_contact(site_ids, search.phone) if search.phone else found


def _has(site_ids: tuple[int, ...], token: Token) -> Any:
    """The conversation's texts have all terms of the token, or its visitor's contact has it anywhere."""
    term = ConversationTerm.term
    conditions = [term == whole for whole in token.whole]
    conditions += [(term >= beginning) & (term < beginning + _END) for beginning in token.beginnings]
    texts = reduce(and_, (Conversation.id.in_(_with_term(site_ids, condition)) for condition in conditions))
    return or_(texts, _has_contact(site_ids, token.contact))


def _with_term(site_ids: tuple[int, ...], condition: Any) -> Any:
    table = ConversationTerm
    return table.select(table.conversation_id).where(_is_in(table.site_id, site_ids) & condition)


def _has_contact(site_ids: tuple[int, ...], part: str) -> Any:
    found = Visitor.select(Visitor.id).where(
        _is_in(Visitor.site_id, site_ids) & (Visitor.contact_words > "") & (fn.INSTR(Visitor.contact_words, part) > 0)
    )
    return Conversation.visitor_id.in_(found)


def _is_in(column: Any, site_ids: tuple[int, ...]) -> Any:
    # Of one site the rows come in the order of the index; of a list they do not.
    return column == site_ids[0] if len(site_ids) == 1 else column.in_(site_ids)
