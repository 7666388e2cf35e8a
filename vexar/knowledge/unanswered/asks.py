"""The rows of unanswered questions: adding asks to their groups, taking them away, keeping their number down."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from peewee import fn

from vexar.knowledge.asked import rarity
from vexar.knowledge.unanswered.alike import MAX_TERMS
from vexar.knowledge.unanswered.grouping import Ask, pack
from vexar.models import KnowledgeChunk, KnowledgeTerm, UnansweredAsk, UnansweredGroup
from vexar.store import P, Statement, Store, Transaction
from vexar.store.statement import Param

# A question is compared with so many others of its site.
MAX_COMPARED = 1_000
# Nobody fills the list alone; and a site keeps what a person can still read.
MAX_OF_VISITOR, MAX_OF_SITE = 20, 5_000
# So many visitors who did not ask before bring a dismissed group back.
COMEBACK_VISITORS = 3
SLICE_ROWS = 200

_INSERT = Statement(
    UnansweredAsk.insert(
        site_id=P.site_id, group_id=P.group_id, visitor_id=P.visitor_id, seq=P.seq, place=P.place,
        conversation_id=P.conversation_id, question=P.question, lang=P.lang, terms=P.terms,
        checked_version=P.version, is_rejected=P.is_rejected, created_ms=P.asked_ms,
    ).on_conflict_ignore()
)
_NEW_GROUP = Statement(
    UnansweredGroup.insert(site_id=P.site_id, dismissed_ms=None, claimed_until_ms=0, created_ms=P.now_ms)
)
_GROUP = Statement(
    UnansweredGroup.select(UnansweredGroup)
    .where((UnansweredGroup.id == P.id) & (UnansweredGroup.site_id == P.site_id)), lock=True
)
_DROP = Statement(UnansweredGroup.delete().where(UnansweredGroup.id == P.id))
_REOPEN = Statement(UnansweredGroup.update(dismissed_ms=None).where(UnansweredGroup.id == P.id))
_OF_VISITOR = Statement(
    UnansweredAsk.select(fn.COUNT(1).alias("many")).where(UnansweredAsk.visitor_id == P.visitor_id)
)
_NEWEST = Statement(
    UnansweredAsk.select(UnansweredAsk.group_id, UnansweredAsk.lang, UnansweredAsk.terms)
    .where(UnansweredAsk.site_id == P.site_id).order_by(UnansweredAsk.id.desc()).limit(MAX_COMPARED)
)
_CHUNKS = Statement(KnowledgeChunk.select(fn.COUNT(1).alias("many")).where(KnowledgeChunk.site_id == P.site_id))
_NEW_VISITORS = Statement(
    UnansweredAsk.select(UnansweredAsk.visitor_id).where(UnansweredAsk.group_id == P.group_id)
    .group_by(UnansweredAsk.visitor_id).having(fn.MIN(UnansweredAsk.created_ms) > P.dismissed_ms)
    .limit(COMEBACK_VISITORS)
)
_ALL_GROUPS = Statement(UnansweredGroup.select(UnansweredGroup.id).where(UnansweredGroup.site_id == P.site_id))
_GROUPS = Statement(
    UnansweredAsk.select(
        UnansweredAsk.group_id, fn.COUNT(1).alias("asks"),
        fn.COUNT(UnansweredAsk.visitor_id.distinct()).alias("visitors"), fn.MAX(UnansweredAsk.id).alias("newest_id"),
    ).where(UnansweredAsk.site_id == P.site_id).group_by(UnansweredAsk.group_id)
)
_ASKS_OF = Statement(
    UnansweredAsk.select(UnansweredAsk.id).where(UnansweredAsk.group_id == P.group_id)
    .order_by(UnansweredAsk.id).limit(SLICE_ROWS)
)


def compared(tx: Transaction, *, site_id: int, terms: Sequence[str]) -> tuple[list, dict[str, int]]:
    """The newest wordings of a site, and what those terms weigh that its knowledge has, in percent. A heavy read."""
    chunks = tx.one(_CHUNKS, site_id=site_id).many
    weights: dict[str, int] = {}
    for start in range(0, len(terms), MAX_TERMS):
        some = terms[start:start + MAX_TERMS]
        named = {f"term{place}": some[min(place, len(some) - 1)] for place in range(MAX_TERMS)}
        for row in tx.all(_occurrences(), site_id=site_id, **named):
            weights[row.term] = round(100 * rarity(min(row.chunks, chunks), chunks))
    return tx.all(_NEWEST, site_id=site_id), weights


def add(tx: Transaction, asks: Sequence[Ask]) -> None:
    """Store asks of one visitor, whose row is locked; a group that is gone meanwhile is begun anew."""
    begun: dict[tuple[int, int], int] = {}
    for ask in asks:
        if tx.one(_OF_VISITOR, visitor_id=ask.visitor_id).many >= MAX_OF_VISITOR:
            return
        number = ask.group_id or (begun.get((ask.first.seq, ask.first.place)) if ask.first else None)
        known = tx.one(_GROUP, id=number, site_id=ask.site_id) if number else None
        if known is None:
            number = tx.insert(_NEW_GROUP, site_id=ask.site_id, now_ms=tx.now_ms())
            begun[ask.seq, ask.place] = number
        tx.run(_INSERT, site_id=ask.site_id, group_id=number, visitor_id=ask.visitor_id, seq=ask.seq, place=ask.place,
               conversation_id=ask.conversation_id, question=ask.question, lang=ask.lang, terms=pack(ask.terms),
               version=ask.version, is_rejected=int(ask.is_rejected), asked_ms=ask.asked_ms)
        if known and known.dismissed_ms is not None:
            _come_back(tx, known)


def drop_group(store: Store, site_id: int, group_id: int) -> None:
    """Take a group away with its asks. May be repeated."""
    while store.write(_drop_slice, site_id=site_id, group_id=group_id) == SLICE_ROWS:
        pass


def drop_empty(tx: Transaction, site_id: int, numbers: Sequence[int]) -> None:
    """Take away those of these groups that nobody asks."""
    for number in sorted(numbers):
        if tx.one(_GROUP, id=number, site_id=site_id) and not tx.one(_ASKS_OF, group_id=number):
            tx.run(_DROP, id=number)


def tidy(store: Store, site_id: int) -> None:
    """Take away groups nobody asks any more, and what is over MAX_OF_SITE: first what one visitor asked, the oldest."""
    sizes, numbers = store.read_heavy(_sizes, site_id=site_id)
    empty = sorted(numbers - {row.group_id for row in sizes})
    for start in range(0, len(empty), SLICE_ROWS):
        store.write(drop_empty, site_id=site_id, numbers=empty[start:start + SLICE_ROWS])
    over = sum(row.asks for row in sizes) - MAX_OF_SITE
    for row in sorted(sizes, key=lambda row: (row.visitors > 1, row.newest_id)):
        if over <= 0:
            return
        drop_group(store, site_id, row.group_id)
        over -= row.asks


def _come_back(tx: Transaction, group: object) -> None:
    if len(tx.all(_NEW_VISITORS, group_id=group.id, dismissed_ms=group.dismissed_ms)) >= COMEBACK_VISITORS:
        tx.run(_REOPEN, id=group.id)


def _sizes(tx: Transaction, *, site_id: int) -> tuple[list, set[int]]:
    # Groups first: one that is begun meanwhile is not in the list, and so not taken for empty.
    numbers = {row.id for row in tx.all(_ALL_GROUPS, site_id=site_id)}
    return tx.all(_GROUPS, site_id=site_id), numbers


def _drop_slice(tx: Transaction, *, site_id: int, group_id: int) -> int:
    tx.one(_GROUP, id=group_id, site_id=site_id)
    ids = [row.id for row in tx.all(_ASKS_OF, group_id=group_id)]
    if ids:
        tx.run(UnansweredAsk.delete().where(UnansweredAsk.id.in_(ids)))
    if len(ids) < SLICE_ROWS:
        tx.run(_DROP, id=group_id)
    return len(ids)


@cache
def _occurrences() -> Statement:
    terms = [Param(f"term{place}") for place in range(MAX_TERMS)]
    return Statement(
        KnowledgeTerm.select(KnowledgeTerm.term, fn.COUNT(1).alias("chunks"))
        .where(KnowledgeTerm.site_id == P.site_id, KnowledgeTerm.term.in_(terms)).group_by(KnowledgeTerm.term)
    )
