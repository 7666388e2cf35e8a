"""Puts entries into a site's knowledge and takes them out again, in small slices.

An entry counts only while its `length` is above 0, and that is written last: whoever dies in between leaves
nothing half findable behind, and the same import again (or rebuild.py) completes it. Who gives an entry another text
claims it by a number of its own in `index_version`; whoever was at it before writes nothing more.
"""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from vexar.errors import ApiError
from vexar.knowledge import text
from vexar.knowledge.chunks import Chunk, chunks
from vexar.knowledge.entries import Entry, field_counts
from vexar.models import KnowledgeChunk, KnowledgeEntry, KnowledgeTerm, KnowledgeVector, Site
from vexar.store import P, Statement, Store, Transaction
from vexar.store.statement import Param

# By which rules terms and parts are cut. One more, and every index is made anew by rebuild.py.
INDEX_VERSION = 1
# No write job over 200 rows, or the leases of running answers would run out behind an import.
ENTRIES_PER_JOB, ROWS_PER_JOB, ENTRIES_PER_READ = 50, 200, 500
# Compiling an insert of so many rows costs more than running it.
INSERT_SIZES = (ROWS_PER_JOB, 50, 10, 1)
TERM_FIELDS = ("site_id", "term", "chunk_id", "in_question", "in_title", "in_content")
# An entry tells its own language with that many different little words; else it has that of the whole import.
TELLING_WORDS = 3

INSERT_ENTRY = Statement(KnowledgeEntry.insert({
    KnowledgeEntry.site_id: P.site_id, KnowledgeEntry.type: P.type, KnowledgeEntry.title: P.title,
    KnowledgeEntry.question: P.question, KnowledgeEntry.content: P.content, KnowledgeEntry.url: P.url,
    KnowledgeEntry.lang: "", KnowledgeEntry.length: 0, KnowledgeEntry.created_ms: P.now_ms,
    KnowledgeEntry.changed_ms: P.now_ms, KnowledgeEntry.index_version: 0,
}))
FINISH_ENTRY = Statement(
    KnowledgeEntry.update({KnowledgeEntry.lang: P.lang, KnowledgeEntry.length: P.length, KnowledgeEntry.url: P.url,
                           KnowledgeEntry.index_version: INDEX_VERSION})
    .where(KnowledgeEntry.id == P.entry_id, KnowledgeEntry.site_id == P.site_id,
           KnowledgeEntry.index_version == P.claim))
# Not where only the index is made anew: the text says the same as before.
CHANGED_NOW = Statement(
    KnowledgeEntry.update({KnowledgeEntry.changed_ms: P.now_ms})
    .where(KnowledgeEntry.id == P.entry_id, KnowledgeEntry.site_id == P.site_id))
MOVE_ENTRY = Statement(
    KnowledgeEntry.update({KnowledgeEntry.url: P.url, KnowledgeEntry.changed_ms: P.now_ms})
    .where(KnowledgeEntry.id == P.entry_id, KnowledgeEntry.site_id == P.site_id))
CLAIM = Statement(KnowledgeEntry.select(KnowledgeEntry.index_version).where(KnowledgeEntry.id == P.entry_id))
STORED_AFTER = Statement(
    KnowledgeEntry.select(KnowledgeEntry.id, KnowledgeEntry.type, KnowledgeEntry.title, KnowledgeEntry.question,
                          KnowledgeEntry.content, KnowledgeEntry.url, KnowledgeEntry.lang, KnowledgeEntry.length)
    .where(KnowledgeEntry.site_id == P.site_id, KnowledgeEntry.id > P.after)
    .order_by(KnowledgeEntry.id).limit(ENTRIES_PER_READ))
CHUNK = Statement(KnowledgeChunk.select(KnowledgeChunk.id)
                  .where(KnowledgeChunk.entry_id == P.entry_id, KnowledgeChunk.place == P.place))
CHUNKS = Statement(KnowledgeChunk.select(KnowledgeChunk.id).where(KnowledgeChunk.entry_id == P.entry_id))
INSERT_CHUNK = Statement(KnowledgeChunk.insert({
    KnowledgeChunk.site_id: P.site_id, KnowledgeChunk.entry_id: P.entry_id, KnowledgeChunk.place: P.place,
    KnowledgeChunk.heading: P.heading, KnowledgeChunk.begins: P.begins, KnowledgeChunk.ends: P.ends,
    KnowledgeChunk.question_terms: P.question_terms, KnowledgeChunk.title_terms: P.title_terms,
    KnowledgeChunk.content_terms: P.content_terms,
}))
CHUNK_IS_THERE = Statement(KnowledgeChunk.select(KnowledgeChunk.id).where(KnowledgeChunk.id == P.chunk_id))
DELETE_CHUNK = Statement(KnowledgeChunk.delete().where(KnowledgeChunk.id == P.chunk_id))
DELETE_VECTOR = Statement(KnowledgeVector.delete().where(KnowledgeVector.chunk_id == P.chunk_id))
SOME_TERMS = Statement(KnowledgeTerm.select(KnowledgeTerm.term)
                       .where(KnowledgeTerm.chunk_id == P.chunk_id, KnowledgeTerm.site_id == P.site_id)
                       .limit(ROWS_PER_JOB))
LOCK_SITE = Statement(Site.select(Site.id).where(Site.id == P.site_id), lock=True)
GROW_VERSION = Statement(Site.update({Site.knowledge_version: Site.knowledge_version + 1})
                         .where(Site.id == P.site_id))


@dataclass(frozen=True)
class Stored:
    """What is known of an entry that has a row; `length` 0: its terms are not all there."""

    entry_id: int
    url: str | None
    lang: str
    length: int


@dataclass(frozen=True)
class _Part:
    """One part of an entry with the number of its row and its terms."""

    chunk: Chunk
    place: int
    entry_id: int
    counts: dict[str, tuple[int, int, int]]

    def sums(self) -> tuple[int, int, int]:
        return tuple(map(sum, zip(*self.counts.values(), strict=True))) or (0, 0, 0)


def add_entries(store: Store, site_id: int, entries: Iterable[Entry], lang: str = "",
                told: Callable[[int, int], object] | None = None) -> list[int]:
    """Store and index entries; their ids in order. They are findable when this returns.

    An entry that says the same as a stored one (type, title, question and content) gets that one's id, and that
    one the new url. `lang` empty: each entry's language is guessed from its words. `told(done, total)` is called
    after each slice. Raises ValueError for an entry with a `problem()`, before anything is stored, and ApiError
    site_not_found when the site went meanwhile.
    """
    entries = list(entries)
    for entry in entries:
        if problem := entry.problem():
            raise ValueError(problem)
    wanted = {entry.digest(): entry for entry in entries}
    known, last_id = store.read_heavy(_known, site_id=site_id, wanted=frozenset(wanted))
    fresh = [digest for digest in wanted if digest not in known]
    for some in slices(fresh, ENTRIES_PER_JOB):
        # An earlier slice may have met what another server stored of this one; it looks behind `last_id` only.
        missing = {each: wanted[each] for each in some if each not in known}
        more, last_id = store.write(_insert, site_id=site_id, entries=missing, wanted=frozenset(wanted), after=last_id)
        known.update(more)
    usual = usual_lang(entries, lang)
    for count, some in enumerate(slices(list(wanted), ENTRIES_PER_JOB)):
        complete(store, site_id, [(wanted[digest], known[digest]) for digest in some], lang=lang, usual=usual)
        if told:
            told(count * ENTRIES_PER_JOB + len(some), len(wanted))
    return [known[entry.digest()].entry_id for entry in entries]


def remove_entries(store: Store, site_id: int, ids: Sequence[int] | None = None) -> int:
    """Remove these entries of a site (None: all); how many there were. They stop being found at once."""
    present = store.read_heavy(_present, site_id=site_id)
    doomed = present if ids is None else sorted(set(ids) & set(present))
    for some in slices(doomed, ROWS_PER_JOB):
        store.write(_hide, site_id=site_id, ids=some, claim=new_claim())
    drop_parts(store, site_id, doomed)
    for some in slices(doomed, ROWS_PER_JOB):
        store.write(_delete, site_id=site_id, ids=some)
    return len(doomed)


def usual_lang(entries: Sequence[Entry], lang: str = "") -> str:
    """The language of entries that do not tell their own: the given one, or what the first ones are in."""
    return text.language(lang) or text.detect("\n".join(entry.content[:300] for entry in entries[:50]))


def new_claim() -> int:
    """A number for `index_version` that nobody else has, below every version."""
    return -1 - secrets.randbelow(2**31 - 1)


def complete(store: Store, site_id: int, pairs: Sequence[tuple[Entry, Stored]], *, lang: str, usual: str,
             claim: int = 0, is_change: bool = True) -> None:
    """Write parts and terms of those entries that have none yet, then what makes them findable; nothing of an entry
    that is no longer under this claim. `is_change` false: only the index is new, and the time of the change stays."""
    rows: dict[int, dict] = {}
    for entry, stored in pairs:
        if not stored.length or (entry.url or stored.url) != stored.url:
            rows[stored.entry_id] = {"entry_id": stored.entry_id, "url": entry.url or stored.url,
                                     "lang": stored.lang, "length": stored.length}
    unfinished = ((entry, rows[stored.entry_id]) for entry, stored in pairs if not stored.length)
    parts = _parts(unfinished, text.language(lang), usual)
    # A few at a time: cutting words takes the processor, and every write lets the running answers go on.
    while some := list(islice(parts, 10)):
        ids = store.write(_add_chunks, site_id=site_id, parts=some, claim=claim)
        terms = [(site_id, term, number, *counts) for part, number in zip(some, ids, strict=True) if number
                 for term, counts in part.counts.items()]
        for part in some:
            rows[part.entry_id]["length"] += max(1, sum(part.sums()))
        for batch in slices(terms, ROWS_PER_JOB):
            store.write(_insert_terms, site_id=site_id, rows=batch)
    if rows:
        moved = {stored.entry_id for _, stored in pairs if stored.length}
        store.write(_finish, site_id=site_id, rows=list(rows.values()), moved=moved, claim=claim,
                    is_change=is_change)


def drop_parts(store: Store, site_id: int, ids: Iterable[int]) -> None:
    """Take away parts and terms of hidden entries."""
    for entry_id in ids:
        for row in store.read(lambda tx, entry_id=entry_id: tx.all(CHUNKS, entry_id=entry_id)):
            while store.write(_delete_terms, site_id=site_id, chunk_id=row.id) >= ROWS_PER_JOB:
                pass


def slices(things: Sequence, size: int) -> Iterator[list]:
    """The things in order, so many at a time."""
    return (list(things[at:at + size]) for at in range(0, len(things), size))


def _parts(unfinished: Iterable[tuple[Entry, dict]], lang: str, usual: str) -> Iterator[_Part]:
    """The parts of the entries with their terms; the language of each entry is noted in its row."""
    for entry, row in unfinished:
        whole = "\n".join((entry.question, entry.title, entry.content))
        row["lang"] = lang or text.detect(whole, least=TELLING_WORDS) or usual
        for place, chunk in enumerate(chunks(entry.content)):
            yield _Part(chunk, place, row["entry_id"], field_counts(entry, chunk, row["lang"]))


def _known(tx: Transaction, site_id: int, wanted: frozenset[bytes],
           after: int = 0) -> tuple[dict[bytes, Stored], int]:
    """Which of the wanted entries have a row behind `after`, by digest; and the number of the last row."""
    found: dict[bytes, Stored] = {}
    while rows := tx.all(STORED_AFTER, site_id=site_id, after=after):
        for row in rows:
            digest = Entry(row.type, row.title, row.question, row.content).digest()
            if digest in wanted:
                found.setdefault(digest, Stored(row.id, row.url, row.lang, row.length))
        after = rows[-1].id
    return found, after


def _present(tx: Transaction, site_id: int) -> list[int]:
    query = KnowledgeEntry.select(KnowledgeEntry.id).where(KnowledgeEntry.site_id == site_id)
    return [row.id for row in tx.all(query.order_by(KnowledgeEntry.id))]


def _insert(tx: Transaction, site_id: int, entries: dict[bytes, Entry], wanted: frozenset[bytes],
            after: int) -> tuple[dict[bytes, Stored], int]:
    # The lock and the second look keep two servers that start at once from writing the same entries twice.
    if tx.one(LOCK_SITE, site_id=site_id) is None:
        raise ApiError("site_not_found")
    found, after = _known(tx, site_id, wanted, after)
    now_ms = tx.now_ms()
    for digest, entry in entries.items():
        if digest not in found:
            number = tx.insert(INSERT_ENTRY, site_id=site_id, type=entry.type, title=entry.title,
                               question=entry.question, content=entry.content, url=entry.url, now_ms=now_ms)
            found[digest], after = Stored(number, None, "", 0), max(after, number)
    return found, after


def _add_chunks(tx: Transaction, site_id: int, parts: list[_Part], claim: int) -> list[int]:
    """The numbers of their rows; 0 for one whose entry somebody else claimed, finished or removed."""
    tx.one(LOCK_SITE, site_id=site_id)
    holders = {entry_id: tx.one(CLAIM, entry_id=entry_id) for entry_id in {part.entry_id for part in parts}}
    ids = []
    for part in parts:
        holder = holders[part.entry_id]
        if holder is None or holder.index_version != claim:
            ids.append(0)
            continue
        # What an import that died has left, or another server writes at the same time: the same part.
        there = tx.one(CHUNK, entry_id=part.entry_id, place=part.place)
        of_question, of_title, of_content = part.sums()
        ids.append(there.id if there else tx.insert(
            INSERT_CHUNK, site_id=site_id, entry_id=part.entry_id, place=part.place, heading=part.chunk.heading,
            begins=part.chunk.begins, ends=part.chunk.ends, question_terms=of_question, title_terms=of_title,
            content_terms=of_content))
    return ids


def _insert_terms(tx: Transaction, site_id: int, rows: list[tuple]) -> None:
    # Under the lock, or the parts could go while their terms come, which nobody would ever take away again.
    tx.one(LOCK_SITE, site_id=site_id)
    there = {number for number in {row[2] for row in rows} if tx.one(CHUNK_IS_THERE, chunk_id=number)}
    rows = [row for row in rows if row[2] in there]
    at = 0
    for size in INSERT_SIZES:
        while len(rows) - at >= size:
            values = {f"{name}{place}": value for place, row in enumerate(rows[at:at + size])
                      for name, value in zip(TERM_FIELDS, row, strict=True)}
            tx.run(_insert_of(size), **values)
            at += size


@functools.cache
def _insert_of(size: int) -> Statement:
    fields = [getattr(KnowledgeTerm, name) for name in TERM_FIELDS]
    rows = [tuple(Param(f"{name}{place}") for name in TERM_FIELDS) for place in range(size)]
    # Replace: an import that died here is completed by the next one with the same rows.
    return Statement(KnowledgeTerm.insert_many(rows, fields=fields).on_conflict_replace())


def _finish(tx: Transaction, site_id: int, rows: list[dict], moved: set[int], claim: int, *, is_change: bool) -> None:
    now_ms = tx.now_ms()
    tx.run(GROW_VERSION, site_id=site_id)
    for row in rows:
        if row["entry_id"] in moved:
            tx.run(MOVE_ENTRY, site_id=site_id, now_ms=now_ms, entry_id=row["entry_id"], url=row["url"])
        elif tx.run(FINISH_ENTRY, site_id=site_id, claim=claim, **row) and is_change:
            tx.run(CHANGED_NOW, site_id=site_id, now_ms=now_ms, entry_id=row["entry_id"])


def _hide(tx: Transaction, site_id: int, ids: list[int], claim: int) -> None:
    tx.run(GROW_VERSION, site_id=site_id)
    hiding = KnowledgeEntry.update({KnowledgeEntry.length: 0, KnowledgeEntry.index_version: claim})
    tx.run(hiding.where(KnowledgeEntry.site_id == site_id, KnowledgeEntry.id.in_(ids)))


def _delete_terms(tx: Transaction, site_id: int, chunk_id: int) -> int:
    tx.one(LOCK_SITE, site_id=site_id)
    terms = [row.term for row in tx.all(SOME_TERMS, site_id=site_id, chunk_id=chunk_id)]
    if terms:
        tx.run(KnowledgeTerm.delete().where(KnowledgeTerm.site_id == site_id, KnowledgeTerm.chunk_id == chunk_id,
                                            KnowledgeTerm.term.in_(terms)))
    if len(terms) < ROWS_PER_JOB:
        tx.run(DELETE_CHUNK, chunk_id=chunk_id)
        tx.run(DELETE_VECTOR, chunk_id=chunk_id)
    return len(terms)


def _delete(tx: Transaction, site_id: int, ids: list[int]) -> None:
    tx.run(KnowledgeEntry.delete().where(KnowledgeEntry.site_id == site_id, KnowledgeEntry.id.in_(ids)))
