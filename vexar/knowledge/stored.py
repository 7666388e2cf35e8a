"""The entries a site has: read one, page through them, change one in place. Adding and removing is the index's."""

from __future__ import annotations

import json
from functools import reduce
from operator import or_
from typing import Any

from peewee import fn

from vexar.knowledge.entries import Entry
from vexar.knowledge.index import GROW_VERSION, Stored, complete, drop_parts, new_claim, usual_lang
from vexar.models import KnowledgeEntry
from vexar.store import P, Statement, Store, Transaction

_ONE = Statement(KnowledgeEntry.select(KnowledgeEntry).where(KnowledgeEntry.id == P.entry_id))
_REPLACE = Statement(
    KnowledgeEntry.update({
        KnowledgeEntry.type: P.type, KnowledgeEntry.title: P.title, KnowledgeEntry.question: P.question,
        KnowledgeEntry.content: P.content, KnowledgeEntry.url: P.url, KnowledgeEntry.length: 0,
        KnowledgeEntry.index_version: P.claim, KnowledgeEntry.changed_ms: P.now_ms,
    }).where(KnowledgeEntry.id == P.entry_id, KnowledgeEntry.site_id == P.site_id)
)
_PAGE_AT = Statement(
    KnowledgeEntry.select(KnowledgeEntry.id)
    .where(KnowledgeEntry.site_id == P.site_id, KnowledgeEntry.type == "page", KnowledgeEntry.url == P.url)
    .order_by(KnowledgeEntry.id).limit(1)
)
_MARK = Statement(KnowledgeEntry.update({KnowledgeEntry.anchors: P.anchors}).where(KnowledgeEntry.id == P.entry_id))


def find(tx: Transaction, *, entry_id: int) -> Any:
    """The row of an entry of any site, or None."""
    return tx.one(_ONE, entry_id=entry_id)


def page_at(tx: Transaction, *, site_id: int, url: str) -> int | None:
    """The number of the entry that a page of the site became, or None. A heavy read."""
    row = tx.one(_PAGE_AT, site_id=site_id, url=url)
    return row and row.id


def page(tx: Transaction, *, site_id: int, kind: str, search: str, limit: int, offset: int) -> tuple[list, int]:
    """Rows, the newest first, and how many there are in all. `kind` empty: every type; each word of `search` has to be
    in title, question, content or url."""
    query = _matching(KnowledgeEntry.select(fn.COUNT(KnowledgeEntry.id).alias("many")), site_id, kind, search)
    total = tx.one(query).many
    rows = _matching(KnowledgeEntry.select(KnowledgeEntry), site_id, kind, search)
    return tx.all(rows.order_by(KnowledgeEntry.id.desc()).limit(limit).offset(offset)), total


def slice_below(tx: Transaction, *, site_id: int, kind: str, search: str, below: int, limit: int) -> list:
    """The next rows with smaller numbers than `below`, for exports."""
    query = _matching(KnowledgeEntry.select(KnowledgeEntry), site_id, kind, search)
    return tx.all(query.where(KnowledgeEntry.id < below).order_by(KnowledgeEntry.id.desc()).limit(limit))


def change(store: Store, site_id: int, entry_id: int, entry: Entry) -> bool:
    """Give an entry another text; whether it is still there. It is findable by the new one when this returns, unless
    somebody gave it yet another meanwhile: the last one wins. Raises ValueError for an entry with a `problem()`."""
    if problem := entry.problem():
        raise ValueError(problem)
    claim = new_claim()
    if not store.write(_replace, site_id=site_id, entry_id=entry_id, entry=entry, claim=claim):
        return False
    drop_parts(store, site_id, [entry_id])
    pairs = [(entry, Stored(entry_id, entry.url, "", 0))]
    complete(store, site_id, pairs, lang="", usual=usual_lang([entry]), claim=claim)
    return True


def mark(tx: Transaction, *, entry_id: int, anchors: dict[str, str]) -> None:
    """Remember the fragments that lead to the headings of an entry's page."""
    tx.run(_MARK, entry_id=entry_id, anchors=json.dumps(anchors, ensure_ascii=False) if anchors else None)


def _matching(query: Any, site_id: int, kind: str, search: str) -> Any:
    query = query.where(KnowledgeEntry.site_id == site_id)
    if kind:
        query = query.where(KnowledgeEntry.type == kind)
    for word in search.lower().split()[:10]:
        fields = (KnowledgeEntry.title, KnowledgeEntry.question, KnowledgeEntry.content, KnowledgeEntry.url)
        query = query.where(reduce(or_, [fn.INSTR(fn.LOWER(field), word) > 0 for field in fields]))
    return query


def _replace(tx: Transaction, site_id: int, entry_id: int, entry: Entry, claim: int) -> bool:
    # First, for its lock: who is still writing parts of the old text has written them, or will see the claim.
    tx.run(GROW_VERSION, site_id=site_id)
    # Hidden and claimed at once: whoever dies before it is indexed leaves it to the scheduler.
    return bool(tx.run(_REPLACE, site_id=site_id, entry_id=entry_id, type=entry.type, title=entry.title,
                       question=entry.question, content=entry.content, url=entry.url, now_ms=tx.now_ms(), claim=claim))
