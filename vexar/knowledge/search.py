"""Finds the entries of a site that fit a question, and says how sure it is that the best one answers it.

The rows come by index from the database; all scoring is rank.py's, so that the order is the same on every engine.
"""

from __future__ import annotations

import functools
import itertools
import json
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from peewee import fn

from vexar.knowledge import rank, text
from vexar.knowledge.asked import (
    MAX_CANDIDATES,
    MAX_ROWS,
    Word,
    find_rows,
    find_rows_among,
    read_question,
    reread_unknown,
    weigh,
)
from vexar.knowledge.meaning.nearness import Meaning, meaning_of, surer, with_meaning
from vexar.knowledge.overview import Overview, breathe, refresh
from vexar.knowledge.questions import questions
from vexar.knowledge.rank import THRESHOLD, Closer
from vexar.models import KnowledgeChunk, KnowledgeEntry
from vexar.providers import Part, Passage
from vexar.store import P, Statement, Store, Transaction
from vexar.store.statement import Param

# The closer look reads texts: of these many, and more only to fill the limit.
CLOSER_LOOKS = 40
# Of one worker, for all its sites; a text weighs about 5 kB here.
MAX_KEPT = 3_000
# Signs that stand in a fragment as they are (RFC 3986).
FRAGMENT_SIGNS = "!$&'()*+,;=:@/?-._~"
ANCHORS = Statement(KnowledgeEntry.select(KnowledgeEntry.anchors).where(KnowledgeEntry.id == P.entry_id))
IN_SIZES = (8, CLOSER_LOOKS, MAX_CANDIDATES)

__all__ = ["THRESHOLD", "Found", "search"]


@dataclass(frozen=True)
class Found:
    """Best first; at or above `threshold`, `confidence` (0 to 1) says that the first one answers the question."""

    passages: tuple[Passage, ...]
    confidence: float
    threshold: float = THRESHOLD
    # What was found for each question of a message that asks several; empty for a single one.
    parts: tuple[Part, ...] = ()


@dataclass
class _Memory:
    """Kept of one store between searches: overviews by site, closer looks by chunk, whose text never changes."""

    overviews: dict[int, Overview] = field(default_factory=dict)
    closers: dict[int, Closer] = field(default_factory=dict)


_memories: weakref.WeakKeyDictionary[Store, _Memory] = weakref.WeakKeyDictionary()


def search(store: Store, site_id: int, question: str, *, lang: str = "", limit: int = 5) -> Found:
    """The entries of a site that fit a question, each with its best part as the passage, at most `limit`."""
    memory = _memories.setdefault(store, _Memory())
    several = questions(question)
    meaning = meaning_of(store)
    asked = [question, *several] if len(several) > 1 else [question]
    directions = meaning.directions(site_id, asked) if meaning else {}

    def look(question: str) -> Found:
        return store.read_heavy(_search, site_id=site_id, question=question, lang=lang, limit=limit, memory=memory,
                                meaning=meaning, direction=directions.get(question))

    whole = look(question)
    if len(several) < 2:
        return whole
    parts = tuple(Part(one, found.passages, found.confidence) for one in several for found in [look(one)])
    sure = max(part.confidence for part in parts)
    if sure < whole.confidence:
        return whole
    return Found(_in_turns([part.passages for part in parts], limit), sure, parts=parts)


def _in_turns(lists: Sequence[tuple[Passage, ...]], limit: int) -> tuple[Passage, ...]:
    """The best of each list, then the second of each; every entry once. Scores of different questions compare."""
    found: dict[int, Passage] = {}
    for row in itertools.zip_longest(*lists):
        for passage in row:
            if passage is not None:
                found.setdefault(passage.entry_id, passage)
    return tuple(sorted(list(found.values())[:limit], key=lambda passage: -passage.score))


def _search(
    tx: Transaction, site_id: int, question: str, lang: str, limit: int, memory: _Memory,
    meaning: Meaning | None = None, direction: bytes | None = None,
) -> Found:
    overview = memory.overviews[site_id] = refresh(tx, site_id, memory.overviews.get(site_id))
    if not overview.chunks:
        return Found((), 0.0)
    words = read_question(question, text.language(lang), overview.langs)
    weigh(tx, site_id, words, overview)
    reread_unknown(tx, site_id, (word for word in words if word.share == 1.0), overview)
    scores = _first_scores(tx, site_id, words, overview)
    firsts = sorted(scores, key=lambda number: (-scores[number], number))
    closers = _closers(tx, firsts[:max(CLOSER_LOOKS, limit)], overview, memory)
    spoken = _spoken(question, lang, overview)
    asked = rank.asked(question, words, spoken)
    finals = {}
    for place, (number, closer) in enumerate(closers.items()):
        finals[number] = rank.closer_score(scores[number], closer, words, asked)
        if place % 10 == 0:
            breathe(tx)
    by_words = finals
    near = meaning.nearness(tx, site_id, direction, firsts, overview) if meaning and direction else {}
    if near:
        finals = with_meaning(finals, scores, near, asked.best)
    best = _one_per_entry(sorted(finals, key=lambda number: (-finals[number], number)), overview)[:limit]
    sure = _confidence(best[0], scores, by_words, words, closers, overview, question, spoken) if best else 0.0
    if near and best:
        sure = surer(sure, near.get(best[0], 0.0))
    return Found(_passages(tx, best, finals), sure)


def _confidence(number: int, scores: Mapping[int, float], by_words: Mapping[int, float], words: Sequence[Word],
                closers: Mapping[int, Closer], overview: Overview, question: str, lang: str) -> float:
    """How sure the words make of a chunk; what only its meaning brought here has no scores."""
    first = scores.get(number, 0.0)
    return rank.confidence(first, by_words.get(number, first), words, closers.get(number), number,
                           question, lang, overview.langs)


def _first_scores(tx: Transaction, site_id: int, words: Sequence[Word], overview: Overview) -> dict[int, float]:
    """The best MAX_CANDIDATES chunks by the rarest words, then ordered by all."""
    finding, rows = [], 0
    # Little words find something only where there is no other word.
    rarest = sorted((word for word in words if word.occurs_in),
                    key=lambda word: (word.share < 1.0, word.occurs_in, sorted(word.terms)))
    for word in rarest:
        if finding and (word.share < 1.0 or rows + word.occurs_in > MAX_ROWS):
            break
        finding.append(word)
        rows += word.occurs_in
    find_rows(tx, site_id, finding, overview)
    found = rank.first_scores(finding, overview)
    candidates = sorted(found, key=lambda number: (-found[number], number))[:MAX_CANDIDATES]
    breathe(tx)
    ordering = [word for word in rarest if word not in finding]
    find_rows_among(tx, site_id, ordering, candidates)
    more = rank.first_scores(ordering, overview)
    return {number: found[number] + more.get(number, 0.0) for number in candidates}


def _spoken(question: str, lang: str, overview: Overview) -> str:
    """The language of the site that the question is most likely in."""
    if len(overview.langs) == 1:
        return overview.langs[0]
    spoken = text.language(lang) or text.detect(question)
    return spoken if spoken in overview.langs or not overview.langs else overview.langs[0]


def _closers(tx: Transaction, numbers: Sequence[int], overview: Overview, memory: _Memory) -> dict[int, Closer]:
    """The closer looks at these chunks, in their order; what was looked at before is remembered."""
    kept = memory.closers
    missing = [number for number in numbers if number not in kept]
    fresh: dict[int, Closer] = {}
    for place, row in enumerate(_texts(tx, missing)):
        facts = overview.chunks[row.chunk_id]
        fresh[row.chunk_id] = rank.look_closer(row.question, row.content, row.heading, facts.lang, is_faq=facts.is_faq)
        if place % 5 == 4:
            breathe(tx)
    found = {number: kept.get(number) or fresh.get(number) for number in numbers}
    if len(kept) + len(fresh) > MAX_KEPT:
        # Simple on purpose: other threads read it meanwhile, and what is asked often is soon back.
        kept.clear()
    kept.update(fresh)
    return {number: closer for number, closer in found.items() if closer}


def _one_per_entry(numbers: Iterable[int], overview: Overview) -> list[int]:
    """The best chunk of each entry, in order."""
    best: dict[int, int] = {}
    for number in numbers:
        best.setdefault(overview.chunks[number].entry_id, number)
    return list(best.values())


def _passages(tx: Transaction, numbers: Sequence[int], scores: Mapping[int, float]) -> tuple[Passage, ...]:
    rows = {row.chunk_id: row for row in _texts(tx, numbers)}
    found = (rows[number] for number in numbers if number in rows)
    return tuple(Passage(row.entry_id, row.type, row.title, row.question, row.content, _place(tx, row),
                         score=round(scores[row.chunk_id], 4), heading=row.heading) for row in found)


def _place(tx: Transaction, row: Any) -> str | None:
    """Where a passage stands: its page, and the heading in it where that can be linked to."""
    if not row.url or not row.heading or "#" in row.url:
        return row.url
    entry = tx.one(ANCHORS, entry_id=row.entry_id)
    fragment = json.loads(entry.anchors).get(row.heading, "") if entry and entry.anchors else ""
    return f"{row.url}#{quote(fragment, safe=FRAGMENT_SIGNS)}" if fragment else row.url


def _texts(tx: Transaction, numbers: Sequence[int]) -> list[Any]:
    if not numbers:
        return []
    size = next((size for size in IN_SIZES if size >= len(numbers)), len(numbers))
    named = {f"chunk{place}": numbers[min(place, len(numbers) - 1)] for place in range(size)}
    return tx.all(_texts_of(size), **named)


@functools.cache
def _texts_of(size: int) -> Statement:
    # The text is cut by the database: a part of a long page must not bring the whole page along.
    part = fn.SUBSTR(KnowledgeEntry.content, KnowledgeChunk.begins + 1, KnowledgeChunk.ends - KnowledgeChunk.begins)
    return Statement(
        KnowledgeChunk.select(
            KnowledgeChunk.id.alias("chunk_id"), KnowledgeChunk.entry_id, KnowledgeChunk.heading, KnowledgeEntry.type,
            KnowledgeEntry.title, KnowledgeEntry.question, part.alias("content"), KnowledgeEntry.url)
        .join(KnowledgeEntry, on=(KnowledgeEntry.id == KnowledgeChunk.entry_id))
        .where(KnowledgeChunk.id.in_([Param(f"chunk{place}") for place in range(size)])))
