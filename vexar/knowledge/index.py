"""Puts entries into a site's knowledge and takes them out again, in small slices.

An entry counts only while its `length` is above 0, and that is written last: whoever dies in between leaves
nothing half findable behind, and the same import again completes it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from vexar.knowledge import text
from vexar.models import KnowledgeEntry, KnowledgeTerm, Site
from vexar.store import P, Statement, Store, Transaction

TYPES = ("custom", "faq", "page")
MAX_TITLE_CHARS, MAX_QUESTION_CHARS, MAX_URL_CHARS, MAX_CONTENT_CHARS = 500, 2000, 2000, 200_000
# No write job over 200 rows, or the leases of running answers would run out behind an import.
ENTRIES_PER_JOB, ROWS_PER_JOB, ENTRIES_PER_READ = 50, 200, 500
_TERM_FIELDS = (KnowledgeTerm.site_id, KnowledgeTerm.term, KnowledgeTerm.entry_id, KnowledgeTerm.in_question,
                KnowledgeTerm.in_title, KnowledgeTerm.in_content)
# An entry tells its own language with that many different little words; else it has that of the whole import.
TELLING_WORDS = 3


@dataclass(frozen=True)
class Entry:
    """What a site writes into its knowledge. `type`: custom, faq or page; `question` is empty unless faq."""

    type: str
    title: str
    question: str
    content: str
    url: str | None = None

    def digest(self) -> bytes:
        """The same for entries that say the same; the url does not count."""
        parts = "\0".join((self.type, self.title, self.question, self.content))
        return hashlib.blake2b(parts.encode(), digest_size=16).digest()

    def problem(self) -> str:
        """Why it cannot be taken, as a sentence; empty when it can."""
        limits = (("title", MAX_TITLE_CHARS), ("question", MAX_QUESTION_CHARS), ("content", MAX_CONTENT_CHARS))
        long = [(name, most) for name, most in limits if len(getattr(self, name)) > most]
        if len(self.url or "") > MAX_URL_CHARS:
            long.append(("url", MAX_URL_CHARS))
        everything = self.title + self.question + self.content + (self.url or "")
        if self.type not in TYPES:
            return f"type must be one of {', '.join(TYPES)}, not {self.type[:40]!r}."
        if not self.content.strip():
            return "content is missing."
        if self.type == "faq" and not self.question.strip():
            return "question is missing, and a faq needs one."
        if "\0" in everything or any("\ud800" <= character <= "\udfff" for character in everything):
            return "The text holds a character that cannot be stored."
        return f"{long[0][0]} is longer than {long[0][1]} characters." if long else ""



INSERT_ENTRY = Statement(KnowledgeEntry.insert({
    KnowledgeEntry.site_id: P.site_id, KnowledgeEntry.type: P.type, KnowledgeEntry.title: P.title,
    KnowledgeEntry.question: P.question, KnowledgeEntry.content: P.content, KnowledgeEntry.url: P.url,
    KnowledgeEntry.lang: "", KnowledgeEntry.length: 0, KnowledgeEntry.created_ms: P.now_ms,
    KnowledgeEntry.changed_ms: P.now_ms,
}))
FINISH_ENTRY = Statement(
    KnowledgeEntry.update({KnowledgeEntry.lang: P.lang, KnowledgeEntry.length: P.length,
                           KnowledgeEntry.url: P.url, KnowledgeEntry.changed_ms: P.now_ms})
    .where(KnowledgeEntry.id == P.entry_id, KnowledgeEntry.site_id == P.site_id))
HIDE_ENTRIES = KnowledgeEntry.update({KnowledgeEntry.length: 0})
STORED_AFTER = Statement(
    KnowledgeEntry.select(KnowledgeEntry.id, KnowledgeEntry.type, KnowledgeEntry.title, KnowledgeEntry.question,
                          KnowledgeEntry.content, KnowledgeEntry.url, KnowledgeEntry.lang, KnowledgeEntry.length)
    .where(KnowledgeEntry.site_id == P.site_id, KnowledgeEntry.id > P.after)
    .order_by(KnowledgeEntry.id).limit(ENTRIES_PER_READ))
SOME_TERMS = Statement(KnowledgeTerm.select(KnowledgeTerm.term)
                       .where(KnowledgeTerm.entry_id == P.entry_id, KnowledgeTerm.site_id == P.site_id)
                       .limit(ROWS_PER_JOB))
LOCK_SITE = Statement(Site.select(Site.id).where(Site.id == P.site_id), lock=True)
GROW_VERSION = Statement(Site.update({Site.knowledge_version: Site.knowledge_version + 1})
                         .where(Site.id == P.site_id))


@dataclass(frozen=True)
class _Stored:
    """What is known of an entry that has a row; `length` 0: its terms are not all there."""

    entry_id: int
    url: str | None
    lang: str
    length: int


def add_entries(store: Store, site_id: int, entries: Iterable[Entry], lang: str = "") -> list[int]:
    """Store and index entries; their ids in order. They are findable when this returns.

    An entry that says the same as a stored one (type, title, question and content) gets that one's id, and that
    one the new url. `lang` empty: each entry's language is guessed from its words. Raises ValueError for an
    entry with a `problem()`, before anything is stored.
    """
    entries = list(entries)
    for entry in entries:
        if problem := entry.problem():
            raise ValueError(problem)
    wanted = {entry.digest(): entry for entry in entries}
    known, last_id = store.read_heavy(_known, site_id=site_id, wanted=frozenset(wanted))
    fresh = [digest for digest in wanted if digest not in known]
    for some in _slices(fresh, ENTRIES_PER_JOB):
        # An earlier slice may have met what another server stored of this one; it looks behind `last_id` only.
        missing = {each: wanted[each] for each in some if each not in known}
        more, last_id = store.write(_insert, site_id=site_id, entries=missing, wanted=frozenset(wanted), after=last_id)
        known.update(more)
    usual = text.language(lang) or text.detect("\n".join(entry.content[:300] for entry in entries[:50]))
    for some in _slices(list(wanted), ENTRIES_PER_JOB):
        _complete(store, site_id, [(wanted[digest], known[digest]) for digest in some], text.language(lang), usual)
    return [known[entry.digest()].entry_id for entry in entries]


def remove_entries(store: Store, site_id: int, ids: Sequence[int] | None = None) -> int:
    """Remove these entries of a site (None: all); how many there were. They stop being found at once."""
    present = store.read_heavy(_present, site_id=site_id)
    doomed = present if ids is None else sorted(set(ids) & set(present))
    for some in _slices(doomed, ROWS_PER_JOB):
        store.write(_hide, site_id=site_id, ids=some)
    for number in doomed:
        _drop_terms(store, site_id, number)
    for some in _slices(doomed, ROWS_PER_JOB):
        store.write(_delete, site_id=site_id, ids=some)
    return len(doomed)


def field_counts(entry: Entry, lang: str) -> dict[str, tuple[int, int, int]]:
    """How often each term occurs in question, title and content. A title that only repeats is left out."""
    title = entry.title.strip().rstrip(".…").casefold()
    is_repeat = title == entry.question.strip().casefold() or entry.content.casefold().startswith(title)
    fields = (entry.question, "" if is_repeat else entry.title, entry.content)
    counts = [Counter(text.terms(field, lang)) for field in fields]
    return {term: tuple(count[term] for count in counts) for term in sorted(set().union(*counts))}


def _complete(store: Store, site_id: int, pairs: Sequence[tuple[Entry, _Stored]], lang: str, usual: str) -> None:
    """Write the terms of those entries that have none yet, then what makes them findable."""
    terms: list[tuple] = []
    rows: list[dict] = []
    for entry, stored in pairs:
        row = {"entry_id": stored.entry_id, "url": entry.url or stored.url, "lang": stored.lang,
               "length": stored.length}
        if not stored.length:
            whole = "\n".join((entry.question, entry.title, entry.content))
            row["lang"] = lang or text.detect(whole, least=TELLING_WORDS) or usual
            counts = field_counts(entry, row["lang"])
            row["length"] = max(1, sum(map(sum, counts.values())))
            terms += [(site_id, term, stored.entry_id, *numbers) for term, numbers in counts.items()]
        if not stored.length or row["url"] != stored.url:
            rows.append(row)
    for some in _slices(terms, ROWS_PER_JOB):
        store.write(_insert_terms, rows=some)
    if rows:
        store.write(_finish, site_id=site_id, rows=rows)


def _drop_terms(store: Store, site_id: int, entry_id: int) -> None:
    while store.write(_delete_terms, site_id=site_id, entry_id=entry_id) == ROWS_PER_JOB:
        pass


def _slices(things: Sequence, size: int) -> Iterator[list]:
    return (list(things[at:at + size]) for at in range(0, len(things), size))


def _known(tx: Transaction, site_id: int, wanted: frozenset[bytes],
           after: int = 0) -> tuple[dict[bytes, _Stored], int]:
    """Which of the wanted entries have a row behind `after`, by digest; and the number of the last row."""
    found: dict[bytes, _Stored] = {}
    while rows := tx.all(STORED_AFTER, site_id=site_id, after=after):
        for row in rows:
            digest = Entry(row.type, row.title, row.question, row.content).digest()
            if digest in wanted:
                found.setdefault(digest, _Stored(row.id, row.url, row.lang, row.length))
        after = rows[-1].id
    return found, after


def _present(tx: Transaction, site_id: int) -> list[int]:
    query = KnowledgeEntry.select(KnowledgeEntry.id).where(KnowledgeEntry.site_id == site_id)
    return [row.id for row in tx.all(query.order_by(KnowledgeEntry.id))]


def _insert(tx: Transaction, site_id: int, entries: dict[bytes, Entry], wanted: frozenset[bytes],
            after: int) -> tuple[dict[bytes, _Stored], int]:
    # The lock and the second look keep two servers that start at once from writing the same entries twice.
    tx.one(LOCK_SITE, site_id=site_id)
    found, after = _known(tx, site_id, wanted, after)
    now_ms = tx.now_ms()
    for digest, entry in entries.items():
        if digest not in found:
            number = tx.insert(INSERT_ENTRY, site_id=site_id, type=entry.type, title=entry.title,
                               question=entry.question, content=entry.content, url=entry.url, now_ms=now_ms)
            found[digest], after = _Stored(number, None, "", 0), max(after, number)
    return found, after


def _insert_terms(tx: Transaction, rows: list[tuple]) -> None:
    # Replace: an import that died here is completed by the next one with the same rows.
    tx.run(KnowledgeTerm.insert_many(rows, fields=_TERM_FIELDS).on_conflict_replace())


def _finish(tx: Transaction, site_id: int, rows: list[dict]) -> None:
    now_ms = tx.now_ms()
    tx.run(GROW_VERSION, site_id=site_id)
    for row in rows:
        tx.run(FINISH_ENTRY, site_id=site_id, now_ms=now_ms, **row)


def _hide(tx: Transaction, site_id: int, ids: list[int]) -> None:
    tx.run(HIDE_ENTRIES.where(KnowledgeEntry.site_id == site_id, KnowledgeEntry.id.in_(ids)))
    tx.run(GROW_VERSION, site_id=site_id)


def _delete_terms(tx: Transaction, site_id: int, entry_id: int) -> int:
    terms = [row.term for row in tx.all(SOME_TERMS, site_id=site_id, entry_id=entry_id)]
    if terms:
        tx.run(KnowledgeTerm.delete().where(KnowledgeTerm.site_id == site_id, KnowledgeTerm.entry_id == entry_id,
                                            KnowledgeTerm.term.in_(terms)))
    return len(terms)


def _delete(tx: Transaction, site_id: int, ids: list[int]) -> None:
    tx.run(KnowledgeEntry.delete().where(KnowledgeEntry.site_id == site_id, KnowledgeEntry.id.in_(ids)))
