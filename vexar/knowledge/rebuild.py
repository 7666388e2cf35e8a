"""Makes a site's index anew where it was cut by older rules: after an upgrade by itself, or when somebody asks.

Entry by entry: each is out of sight for the moment in which its terms are exchanged, the others stay findable.
"""

from __future__ import annotations

from vexar.knowledge.entries import Entry
from vexar.knowledge.index import INDEX_VERSION, Stored, complete, drop_parts, usual_lang
from vexar.models import KnowledgeEntry
from vexar.store import P, Statement, Store, Transaction

# The scheduler's lease is renewed between two slices.
SLICE = 50
# An import that is still under way has this long to finish what it began.
PATIENCE_MS = 60_000

_COLUMNS = (KnowledgeEntry.id, KnowledgeEntry.site_id, KnowledgeEntry.type, KnowledgeEntry.title,
            KnowledgeEntry.question, KnowledgeEntry.content, KnowledgeEntry.url, KnowledgeEntry.lang)
OUTDATED = Statement(
    KnowledgeEntry.select(*_COLUMNS)
    .where(KnowledgeEntry.index_version < INDEX_VERSION, KnowledgeEntry.created_ms < P.before_ms)
    .order_by(KnowledgeEntry.id).limit(SLICE))

# Marked as outdated, too: whoever dies before it is indexed again leaves it to the next one.
HIDE = Statement(KnowledgeEntry.update({KnowledgeEntry.length: 0, KnowledgeEntry.index_version: 0})
                 .where(KnowledgeEntry.id == P.entry_id))


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
    entries = [Entry(row.type, row.title, row.question, row.content, row.url) for row in rows]
    usual = usual_lang(entries)
    for entry, row in zip(entries, rows, strict=True):
        store.write(_hide, entry_id=row.id)
        drop_parts(store, site_id, [row.id])
        complete(store, site_id, [(entry, Stored(row.id, row.url, row.lang, 0))], lang=row.lang, usual=usual)


def _outdated(tx: Transaction) -> list:
    return tx.all(OUTDATED, before_ms=tx.now_ms() - PATIENCE_MS)


def _next(tx: Transaction, site_id: int, after: int) -> list:
    query = (KnowledgeEntry.select(*_COLUMNS)
             .where(KnowledgeEntry.site_id == site_id, KnowledgeEntry.id > after)
             .order_by(KnowledgeEntry.id).limit(SLICE))
    return tx.all(query)


def _hide(tx: Transaction, entry_id: int) -> None:
    tx.run(HIDE, entry_id=entry_id)
