"""Makes a site's index anew where it was cut by older rules: after an upgrade by itself, or when somebody asks.

Entry by entry: each is out of sight for the moment in which its terms are exchanged, the others stay findable.
"""

from __future__ import annotations

from typing import Any

from vexar.knowledge.entries import Entry
from vexar.knowledge.index import INDEX_VERSION, LOCK_SITE, Stored, complete, drop_parts, new_claim, usual_lang
from vexar.models import KnowledgeEntry
from vexar.store import P, Statement, Store, Transaction

# The scheduler's lease is renewed between two slices.
SLICE = 50
# An import or a change that is still under way has this long to finish what it began.
PATIENCE_MS = 60_000

_COLUMNS = (KnowledgeEntry.id, KnowledgeEntry.site_id, KnowledgeEntry.type, KnowledgeEntry.title,
            KnowledgeEntry.question, KnowledgeEntry.content, KnowledgeEntry.url, KnowledgeEntry.lang)
OUTDATED = Statement(
    KnowledgeEntry.select(*_COLUMNS)
    .where(KnowledgeEntry.index_version < INDEX_VERSION, KnowledgeEntry.changed_ms < P.before_ms)
    .order_by(KnowledgeEntry.id).limit(SLICE))

# A claim is below every version: whoever dies before it is indexed again leaves it to the next one.
HIDE = Statement(KnowledgeEntry.update({KnowledgeEntry.length: 0, KnowledgeEntry.index_version: P.claim})
                 .where(KnowledgeEntry.id == P.entry_id))
ONE = Statement(KnowledgeEntry.select(*_COLUMNS).where(KnowledgeEntry.id == P.entry_id))


def catch_up(store: Store) -> int:
    """Index the next entries of any site whose terms are missing or older than the rules; how many there were."""
    rows = store.read_heavy(_outdated)
    for site_id in sorted({row.site_id for row in rows}):
        _renew(store, site_id, [row for row in rows if row.site_id == site_id])
    return len(rows)


def rebuild(store: Store, site_id: int) -> int:
    """Make the whole index of a site anew; the number of its entries."""
    made, after = 0, 0
    while rows := store.read_heavy(_next, site_id=site_id, after=after):
        _renew(store, site_id, rows)
        made, after = made + len(rows), rows[-1].id
    return made


def _renew(store: Store, site_id: int, rows: list) -> None:
    usual = usual_lang([_entry(row) for row in rows])
    for old in rows:
        claim = new_claim()
        row = store.write(_hide, site_id=site_id, entry_id=old.id, claim=claim)
        if row is not None:
            drop_parts(store, site_id, [row.id])
            pairs = [(_entry(row), Stored(row.id, row.url, row.lang, 0))]
            complete(store, site_id, pairs, lang=row.lang, usual=usual, claim=claim, is_change=False)


def _entry(row: Any) -> Entry:
    return Entry(row.type, row.title, row.question, row.content, row.url)


def _outdated(tx: Transaction) -> list:
    return tx.all(OUTDATED, before_ms=tx.now_ms() - PATIENCE_MS)


def _next(tx: Transaction, site_id: int, after: int) -> list:
    query = (KnowledgeEntry.select(*_COLUMNS)
             .where(KnowledgeEntry.site_id == site_id, KnowledgeEntry.id > after)
             .order_by(KnowledgeEntry.id).limit(SLICE))
    return tx.all(query)


def _hide(tx: Transaction, site_id: int, entry_id: int, claim: int) -> Any:
    """The row as it is now, which somebody may have changed since it was listed; None when it is gone."""
    tx.one(LOCK_SITE, site_id=site_id)
    tx.run(HIDE, entry_id=entry_id, claim=claim)
    return tx.one(ONE, entry_id=entry_id)
