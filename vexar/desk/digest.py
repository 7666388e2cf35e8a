"""What operators search and count is made here, off the hot path: each message is digested exactly once.

A visitor's messages behind `visitor.digested_seq` are not yet digested. The scheduler catches up all the time, and
whoever is about to search or count catches up first, so that the newest message is found. Whoever erases a
conversation removes its messages before its terms: a digest that comes between finds nothing to write down.
"""

from __future__ import annotations

import time
import weakref
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from peewee import fn

from vexar.desk.finding import contact_words, terms
from vexar.models import Conversation, ConversationTerm, Message, SiteDay, Visitor
from vexar.store import Duplicate, P, Statement, Store, Transaction

# Rows one write job may make, and visitors it may lock.
MAX_TERMS, MAX_VISITORS = 200, 20
MESSAGES_A_READ = 40
# Found by one look through all visitors; the next look finds the others.
MAX_FULL = 2_000
# A transaction takes its time before it commits; whoever looked in between has to look again that far back.
OVERLAP_MS = 60_000
# After a clock was set back, what was missed is found that late at the latest.
FULL_LOOK_S = 900
SEARCHED_ROLES = ("visitor", "assistant", "operator", "proactive")
COUNTED_ROLES = ("visitor", "assistant", "operator")
_TERMS_A_STATEMENT = 25

_BEHIND = Visitor.select(Visitor.id, Visitor.site_id).where(Visitor.last_seq > Visitor.digested_seq)
_BEHIND_SINCE = Statement(_BEHIND.where(Visitor.changed_ms >= P.since_ms).order_by(Visitor.id))
_BEHIND_OF_SITE = Statement(_BEHIND.where(Visitor.site_id == P.site_id).order_by(Visitor.id))
_BEHIND_ANYWHERE = Statement(_BEHIND.order_by(Visitor.id).limit(MAX_FULL))
_VISITOR = Visitor.select(Visitor).where(Visitor.id == P.id)
_LOOK = Statement(_VISITOR)
_LOCK = Statement(_VISITOR, lock=True)
_NEXT = Statement(
    Message.select(Message.seq, Message.conversation_id, Message.role, Message.content, Message.created_ms)
    .where((Message.visitor_id == P.visitor_id) & (Message.seq > P.since)).order_by(Message.seq).limit(P.limit)
)
_STILL_THERE = Statement(
    Message.select(fn.COUNT(Message.seq).alias("many"))
    .where((Message.visitor_id == P.visitor_id) & (Message.seq > P.since) & (Message.seq <= P.until))
)
_BEGAN = Statement(Conversation.select(Conversation.id, Conversation.first_seq).where(
    Conversation.visitor_id == P.visitor_id
))
_KNOWN = Statement(
    ConversationTerm.select(ConversationTerm.term).where(ConversationTerm.conversation_id == P.conversation_id)
)
_ADD_TERMS = Statement(
    ConversationTerm.insert_many([
        {"site_id": getattr(P, f"site{n}"), "term": getattr(P, f"term{n}"),
         "conversation_id": getattr(P, f"conversation{n}")}
        for n in range(_TERMS_A_STATEMENT)
    ]).on_conflict_ignore()
)
_ANSWERED = Statement(
    Conversation.update(is_answered=1).where((Conversation.id == P.id) & (Conversation.is_answered == 0))
)
_DIGESTED = Statement(
    Visitor.update(digested_seq=P.seq, contact_words=P.contact_words).where(Visitor.id == P.id)
)
_COUNT = Statement(
    SiteDay.update(
        conversations=SiteDay.conversations + P.conversations,
        visitor_messages=SiteDay.visitor_messages + P.visitor,
        assistant_messages=SiteDay.assistant_messages + P.assistant,
        operator_messages=SiteDay.operator_messages + P.operator,
    ).where((SiteDay.site_id == P.site_id) & (SiteDay.day == P.day))
)
_ADD_DAY = Statement(
    SiteDay.insert(
        site_id=P.site_id, day=P.day, conversations=P.conversations, visitor_messages=P.visitor,
        assistant_messages=P.assistant, operator_messages=P.operator,
    )
)


@dataclass
class Part:
    """What a visitor's messages behind `since`, up to `until`, come to. `terms`: (conversation_id, term), as far as
    they are new; `days`: counts by (day, what). `messages_count` were read, up to `read_until`."""

    visitor_id: int
    site_id: int
    since: int
    until: int
    read_until: int
    messages_count: int = 0
    terms: list[tuple[int, str]] = field(default_factory=list)
    days: Counter = field(default_factory=Counter)
    answered: set[int] = field(default_factory=set)


class _Marks:
    """Until when everything is known to be digested, of all sites (None) and of single ones."""

    def __init__(self) -> None:
        self.until_ms: dict[int | None, int] = {}
        self.full_at_s = time.monotonic() + FULL_LOOK_S

    def since_ms(self, site_id: int | None) -> int:
        if site_id is None and time.monotonic() > self.full_at_s:
            self.__init__()
        return max(self.until_ms.get(site_id, 0), self.until_ms.get(None, 0))


_marks: weakref.WeakKeyDictionary[Store, _Marks] = weakref.WeakKeyDictionary()


def catch_up(store: Store, *, site_id: int | None = None, timeout_s: float = 2.0) -> bool:
    """Digest what is not yet, of one site or of all; False when time ran out before the end. Any number of workers
    may do it at once."""
    marks = _marks.setdefault(store, _Marks())
    give_up = time.monotonic() + timeout_s
    now_ms, found = _find_behind(store, site_id, marks.since_ms(site_id))
    for start in range(0, len(found), MAX_VISITORS):
        if not _digest_visitors(store, found[start:start + MAX_VISITORS], give_up):
            return False
    if len(found) == MAX_FULL:
        return False
    marks.until_ms[site_id] = now_ms - OVERLAP_MS
    return True


def _find_behind(store: Store, site_id: int | None, since_ms: int) -> tuple[int, list[int]]:
    """The time before the look, and the visitors with something to digest, ascending."""
    if since_ms <= 0:
        return store.read_heavy(_behind, site_id=site_id)
    now_ms, rows = store.read(_changed_since, since_ms=since_ms)
    return now_ms, [row.id for row in rows if site_id in (None, row.site_id)]


def _changed_since(tx: Transaction, *, since_ms: int) -> tuple[int, list]:
    return tx.now_ms(), tx.all(_BEHIND_SINCE, since_ms=since_ms)


def _behind(tx: Transaction, *, site_id: int | None) -> tuple[int, list[int]]:
    now_ms = tx.now_ms()
    rows = tx.all(_BEHIND_ANYWHERE) if site_id is None else tx.all(_BEHIND_OF_SITE, site_id=site_id)
    return now_ms, [row.id for row in rows]


def _digest_visitors(store: Store, waiting: list[int], give_up: float) -> bool:
    """Whether nothing is left of these before time ran out."""
    while waiting:
        if time.monotonic() > give_up:
            return False
        parts = [part for part in (_next_part(store, visitor_id) for visitor_id in waiting) if part]
        for batch in _batches(parts):
            store.write(_write, parts=batch)
        # Also those that seem to be done: another worker may have been faster, but not as far.
        waiting = [part.visitor_id for part in parts]
    return True


def _next_part(store: Store, visitor_id: int) -> Part | None:
    visitor, rows, first, known = store.read(_read_next, visitor_id=visitor_id)
    if visitor is None or visitor.last_seq <= visitor.digested_seq:
        return None
    part = Part(visitor.id, visitor.site_id, visitor.digested_seq, visitor.last_seq, visitor.last_seq)
    pairs: set[tuple[int, str]] = set()
    for row in rows:
        # Words are cut in the calling thread: the others have their turn between two messages.
        time.sleep(0)
        new = _pairs(row, first) - known - pairs
        if len(pairs) + len(new) > MAX_TERMS:
            return _cut(part, row, pairs, new)
        pairs |= new
        part.until = part.read_until = row.seq
        _count(part, row, first)
    part.terms = sorted(pairs)
    # Numbers without a message were erased: there is nothing more up to the last one.
    if len(rows) < MESSAGES_A_READ:
        part.until = visitor.last_seq
    return part


def _cut(part: Part, row: Any, pairs: set, new: set) -> Part:
    """The part ends before the message that does not fit in. A message that is too long by itself is written down in
    pieces, and counted with the last one."""
    if part.messages_count:
        part.terms = sorted(pairs)
        return part
    part.until, part.read_until, part.messages_count = part.since, row.seq, 1
    part.terms = sorted(new)[:MAX_TERMS]
    return part


def _read_next(tx: Transaction, *, visitor_id: int) -> tuple[Any, list, dict[int, int], set[tuple[int, str]]]:
    """The visitor, its next messages, where its conversations begin, and the terms these have."""
    visitor = tx.one(_LOOK, id=visitor_id)
    if visitor is None or visitor.last_seq <= visitor.digested_seq:
        return visitor, [], {}, set()
    rows = tx.all(_NEXT, visitor_id=visitor_id, since=visitor.digested_seq, limit=MESSAGES_A_READ)
    first = {row.id: row.first_seq for row in tx.all(_BEGAN, visitor_id=visitor_id)}
    conversations = {row.conversation_id for row in rows}
    known = {(found, row.term) for found in conversations for row in tx.all(_KNOWN, conversation_id=found)}
    return visitor, rows, first, known


def _pairs(row: Any, first: dict[int, int]) -> set[tuple[int, str]]:
    if row.role not in SEARCHED_ROLES or row.conversation_id not in first:
        return set()
    return {(row.conversation_id, term) for term in terms(row.content)}


def _count(part: Part, row: Any, first: dict[int, int]) -> None:
    part.messages_count += 1
    day = f"{datetime.fromtimestamp(row.created_ms // 1000, UTC):%Y-%m-%d}"
    if row.role in COUNTED_ROLES:
        part.days[day, row.role] += 1
    if first.get(row.conversation_id) == row.seq:
        part.days[day, "conversations"] += 1
    if row.role == "assistant":
        part.answered.add(row.conversation_id)


def _batches(parts: list[Part]) -> Iterator[list[Part]]:
    """What one job may write; a long transaction would keep the others waiting."""
    batch: list[Part] = []
    for part in parts:
        if batch and sum(len(one.terms) for one in batch) + len(part.terms) > MAX_TERMS:
            yield batch
            batch = []
        batch.append(part)
    if batch:
        yield batch


def _write(tx: Transaction, *, parts: list[Part]) -> None:
    """Store parts; one that another digest or an eraser was faster with is left out."""
    # All locks first and in order, like every other digest: two of them never wait for each other.
    rows = [(part, tx.one(_LOCK, id=part.visitor_id)) for part in parts]
    good = [(part, row) for part, row in rows if row and _is_current(tx, part, row)]
    _add_terms(tx, [(part.site_id, *pair) for part, _ in good for pair in part.terms])
    days: Counter = Counter()
    for part, row in good:
        for conversation_id in part.answered:
            tx.run(_ANSWERED, id=conversation_id)
        words = row.contact_words if part.since >= 0 else contact_words(row.name, row.email, row.phone)
        tx.run(_DIGESTED, id=part.visitor_id, seq=part.until, contact_words=words)
        days.update({(part.site_id, *key): many for key, many in part.days.items()})
    _add_days(tx, days)


def _is_current(tx: Transaction, part: Part, row: Any) -> bool:
    if row.digested_seq != part.since:
        return False
    # Messages never change, but they may have been erased since they were read.
    found = tx.one(_STILL_THERE, visitor_id=part.visitor_id, since=part.since, until=part.read_until)
    return found.many == part.messages_count


def _add_terms(tx: Transaction, rows: list[tuple[int, int, str]]) -> None:
    for start in range(0, len(rows), _TERMS_A_STATEMENT):
        some = rows[start:start + _TERMS_A_STATEMENT]
        # The statement has a fixed number of rows; the last one again is ignored.
        some += some[-1:] * (_TERMS_A_STATEMENT - len(some))
        values = {}
        for number, (site_id, conversation_id, term) in enumerate(some):
            values |= {f"site{number}": site_id, f"conversation{number}": conversation_id, f"term{number}": term}
        tx.run(_ADD_TERMS, **values)


def _add_days(tx: Transaction, days: Counter) -> None:
    by_day: dict[tuple[int, str], dict[str, int]] = {}
    for (site_id, day, what), many in days.items():
        by_day.setdefault((site_id, day), dict.fromkeys(("conversations", *COUNTED_ROLES), 0))[what] = many
    for (site_id, day), counts in sorted(by_day.items()):
        if not tx.run(_COUNT, site_id=site_id, day=day, **counts):
            try:
                tx.run(_ADD_DAY, site_id=site_id, day=day, **counts)
            except Duplicate:
                # Another worker began the day between the two statements (MySQL only).
                tx.run(_COUNT, site_id=site_id, day=day, **counts)
