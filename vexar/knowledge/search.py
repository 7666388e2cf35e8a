"""Ranks a site's entries for a question, and says how sure it is that the best one answers it.

BM25 over weighted fields, scored here and not in SQL, so that the order is the same on every engine. A word's
weight lies between 0 and 1 (1: it occurs in one entry only), so scores of small and large sites compare.
"""

from __future__ import annotations

import functools
import math
import weakref
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from peewee import fn

from vexar.knowledge import text
from vexar.knowledge.typos import is_typo_of
from vexar.models import KnowledgeEntry, KnowledgeTerm, Site
from vexar.providers import Passage
from vexar.store import P, Statement, Store, Transaction
from vexar.store.statement import Param

THRESHOLD = 0.45
MAX_WORDS = 40
# Little words only reorder the best: their rows are nearly as many as the entries.
MAX_CANDIDATES = 200
LITTLE_WEIGHT = 0.3
TYPO_TRUST = 0.75
# (question, title, content): a faq is found by its question, a page by what it says.
FIELD_WEIGHTS = {"faq": (2.5, 2.0, 0.8)}
OTHER_FIELD_WEIGHTS = (1.0, 1.0, 1.4)
SATURATION, LENGTH_SHARE = 1.6, 0.65
# confidence = s / (s + HALF), s = score / best possible score ** BEST_POWER; found on public question sets. Below
# LEAST_BEST a question has common words only ("where is my order"), and meeting them all is enough.
BEST_POWER, HALF, LEAST_BEST = 0.65, 0.46, 1.0

# Up to so many entries a search is over in about a millisecond: handing it to a thread would cost more, and so
# would compiling a list of candidates instead of reading every row of the little words.
SMALL_SITE = 500
# Statements are compiled for these numbers of terms; in between, the last term is repeated.
IN_SIZES = (2, 4, 8, 16, 32, 64, 128)

_OCCURRENCES = KnowledgeTerm.select(
    KnowledgeTerm.term, KnowledgeTerm.entry_id, KnowledgeTerm.in_question, KnowledgeTerm.in_title,
    KnowledgeTerm.in_content)
SITE_VERSION = Statement(Site.select(Site.knowledge_version).where(Site.id == P.site_id))
ENTRY_LENGTHS = Statement(
    KnowledgeEntry.select(KnowledgeEntry.id, KnowledgeEntry.type, KnowledgeEntry.lang, KnowledgeEntry.length)
    .where(KnowledgeEntry.site_id == P.site_id, KnowledgeEntry.length > 0))
TERMS_BETWEEN = Statement(
    KnowledgeTerm.select(KnowledgeTerm.term)
    .where(KnowledgeTerm.site_id == P.site_id, KnowledgeTerm.term >= P.low, KnowledgeTerm.term < P.high).distinct())


@dataclass(frozen=True)
class Found:
    """Best first; at or above `threshold`, `confidence` (0 to 1) says that the first one answers the question."""

    passages: tuple[Passage, ...]
    confidence: float
    threshold: float = THRESHOLD


@dataclass(frozen=True)
class _Overview:
    """What scoring needs to know of a site as a whole, at one version of its knowledge."""

    version: int
    entries: Mapping[int, Any]
    langs: tuple[str, ...]
    mean_length: float


@dataclass
class _Word:
    """One different word of the question: the terms that stand for it, what it counts, where it occurs.

    `trust` below 1: it was read as another word, and that may be wrong.
    """

    terms: set[str]
    share: float
    rows: list[Any]
    weight: float = 1.0
    trust: float = 1.0


_overviews: weakref.WeakKeyDictionary[Store, dict[int, _Overview]] = weakref.WeakKeyDictionary()


def search(store: Store, site_id: int, question: str, *, lang: str = "", limit: int = 5) -> Found:
    """The entries of a site that fit a question, one passage each, at most `limit`."""
    overviews = _overviews.setdefault(store, {})
    known = overviews.get(site_id)
    is_small = known is not None and len(known.entries) <= SMALL_SITE
    found, overview = (store.read if is_small else store.read_heavy)(
        _search, site_id=site_id, question=question, lang=lang, limit=limit, known=known)
    overviews[site_id] = overview
    return found


def _search(tx: Transaction, site_id: int, question: str, lang: str, limit: int,
            known: _Overview | None) -> tuple[Found, _Overview]:
    overview = _overview(tx, site_id, known)
    if not overview.entries:
        return Found((), 0.0), overview
    words = _question_words(question, text.language(lang), overview.langs)
    _weigh(tx, site_id, words, overview)
    matter = [word for word in words if word.share == 1.0]
    _find_rows(tx, site_id, matter, overview)
    for word in matter:
        if not word.rows:
            _find_typo(tx, site_id, word, overview)
    scores = _scores(matter, overview)
    candidates = sorted(scores, key=lambda number: (-scores[number], number))[:MAX_CANDIDATES]
    little = [word for word in words if word.share < 1.0]
    _find_rows(tx, site_id, little, overview, among=candidates or None)
    for number, score in _scores(little, overview).items():
        scores[number] = scores.get(number, 0.0) + score
    best = sorted(candidates or scores, key=lambda number: (-scores[number], number))[:limit]
    confidence = _confidence(scores[best[0]], words) if best else 0.0
    return Found(_passages(tx, site_id, best, scores), confidence), overview


def _overview(tx: Transaction, site_id: int, known: _Overview | None) -> _Overview:
    # The version is read first: entries that come meanwhile are kept under the older number and read again.
    row = tx.one(SITE_VERSION, site_id=site_id)
    version = row.knowledge_version if row else 0
    if known and known.version == version:
        return known
    rows = tx.all(ENTRY_LENGTHS, site_id=site_id)
    mean_length = sum(row.length for row in rows) / len(rows) if rows else 1.0
    langs = tuple(sorted({row.lang for row in rows}))
    return _Overview(version, {row.id: row for row in rows}, langs, mean_length)


def _question_words(question: str, lang: str, site_langs: Sequence[str]) -> list[_Word]:
    """The different words of a question, cut for every language the site's knowledge is in."""
    asked = text.words(question)[:MAX_WORDS]
    spoken = lang or text.detect(question)
    little_in = {spoken} if spoken else set(site_langs)
    found: dict[frozenset[str], _Word] = {}
    for word in asked:
        terms = frozenset(text.stem(word, each) for each in site_langs or ("",))
        share = LITTLE_WEIGHT if any(text.is_little(word, each) for each in little_in) else 1.0
        found.setdefault(terms, _Word(set(terms), share, []))
    return list(found.values())


def _weigh(tx: Transaction, site_id: int, words: Sequence[_Word], overview: _Overview) -> None:
    """Weigh each word by how few entries have it."""
    terms = sorted(set().union(*(word.terms for word in words)))
    rows = tx.all(_entries_with(_padded(terms)), site_id=site_id, **_named(terms)) if terms else []
    entries = {row.term: row.entries for row in rows}
    for word in words:
        occurs_in = min(len(overview.entries), sum(entries.get(term, 0) for term in word.terms))
        word.weight = _rarity(occurs_in, len(overview.entries))


def _find_rows(tx: Transaction, site_id: int, words: Sequence[_Word], overview: _Overview,
               among: list[int] | None = None) -> None:
    """Fetch where the words occur, in all entries or `among` some."""
    terms = sorted(set().union(*(word.terms for word in words)))
    if not terms:
        return
    if among is None or len(overview.entries) <= SMALL_SITE:
        found = tx.all(_occurrences_of(_padded(terms)), site_id=site_id, **_named(terms))
    else:
        found = tx.all(_OCCURRENCES.where(KnowledgeTerm.site_id == site_id, KnowledgeTerm.term.in_(terms),
                                          KnowledgeTerm.entry_id.in_(among)))
    wanted = overview.entries.keys() if among is None else set(among)
    rows = defaultdict(list)
    for row in found:
        if row.entry_id in wanted:
            rows[row.term].append(row)
    for word in words:
        word.rows = [row for term in sorted(word.terms) for row in rows[term]]


def _padded(terms: list[str]) -> int:
    """For how many terms the statement is made: few sizes, so that few are compiled."""
    return next((size for size in IN_SIZES if size >= len(terms)), len(terms))


def _named(terms: list[str]) -> dict[str, str]:
    """The terms as the statement's parameters; what is over repeats the last, which finds nothing new."""
    size = _padded(terms)
    return {f"term{number}": terms[min(number, len(terms) - 1)] for number in range(size)}


@functools.cache
def _entries_with(size: int) -> Statement:
    return Statement(
        KnowledgeTerm.select(KnowledgeTerm.term, fn.COUNT(1).alias("entries"))
        .where(KnowledgeTerm.site_id == P.site_id, KnowledgeTerm.term.in_(_params(size))).group_by(KnowledgeTerm.term))


@functools.cache
def _occurrences_of(size: int) -> Statement:
    return Statement(
        _OCCURRENCES.where(KnowledgeTerm.site_id == P.site_id, KnowledgeTerm.term.in_(_params(size))))


def _params(size: int) -> list[Param]:
    return [Param(f"term{number}") for number in range(size)]


def _rarity(occurs_in: int, entries: int) -> float:
    """1 for a word of one entry or none, falling towards 0 for one that is everywhere."""
    most = math.log(1 + (entries - 0.5) / 1.5) if entries > 1 else 1.0
    return min(1.0, math.log(1 + (entries - occurs_in + 0.5) / (occurs_in + 0.5)) / most)


def _find_typo(tx: Transaction, site_id: int, word: _Word, overview: _Overview) -> None:
    """Read an unknown word as the nearest one the site uses; both begin with the same letter."""
    for term in sorted(word.terms):
        known = tx.all(TERMS_BETWEEN, site_id=site_id, low=term[0], high=chr(ord(term[0]) + 1))
        nearest = [row.term for row in known if is_typo_of(term, row.term)]
        if nearest:
            meant = _Word(set(nearest), word.share, [])
            _find_rows(tx, site_id, [meant], overview)
            word.rows, word.trust = meant.rows, TYPO_TRUST
            return


def _scores(words: Iterable[_Word], overview: _Overview) -> dict[int, float]:
    """Every entry that has any of the words, with its score; between 0 and the sum of the words' weights."""
    scores: dict[int, float] = defaultdict(float)
    for word in words:
        often: dict[int, float] = defaultdict(float)
        for row in word.rows:
            weights = FIELD_WEIGHTS.get(overview.entries[row.entry_id].type, OTHER_FIELD_WEIGHTS)
            often[row.entry_id] += (row.in_question * weights[0] + row.in_title * weights[1]
                                    + row.in_content * weights[2])
        for number, times in often.items():
            long = overview.entries[number].length / overview.mean_length
            times /= 1 - LENGTH_SHARE + LENGTH_SHARE * long
            scores[number] += word.weight * word.share * word.trust * times / (times + SATURATION)
    return scores


def _confidence(score: float, words: Sequence[_Word]) -> float:
    """From 0 to 1: a score against the best possible one, in which words that nobody knows count as well."""
    best = sum(word.weight * word.share for word in words)
    strength = score / best * max(best, LEAST_BEST) ** (1 - BEST_POWER)
    return round(strength / (strength + HALF), 4)


def _passages(tx: Transaction, site_id: int, ids: Sequence[int], scores: Mapping[int, float]) -> tuple[Passage, ...]:
    if not ids:
        return ()
    query = KnowledgeEntry.select(
        KnowledgeEntry.id, KnowledgeEntry.type, KnowledgeEntry.title, KnowledgeEntry.question,
        KnowledgeEntry.content, KnowledgeEntry.url,
    ).where(KnowledgeEntry.site_id == site_id, KnowledgeEntry.id.in_(list(ids)))
    rows = {row.id: row for row in tx.all(query)}
    return tuple(Passage(number, *rows[number][1:], score=round(scores[number], 4)) for number in ids
                 if number in rows)
