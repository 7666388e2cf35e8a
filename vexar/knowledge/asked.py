"""The words of a question, and where they occur in a site's knowledge: the rows that the ranking scores."""

from __future__ import annotations

import functools
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from peewee import fn

from vexar.knowledge import text
from vexar.knowledge.kin import COMPOUNDING, akin, ends, is_end_of
from vexar.knowledge.overview import MAX_COUNTS, Overview, breathe
from vexar.knowledge.synonyms import synonyms
from vexar.knowledge.typos import is_typo_of
from vexar.models import KnowledgeTerm
from vexar.store import P, Statement, Transaction
from vexar.store.statement import Param

MAX_WORDS = 40
LITTLE_SHARE = 0.15
# A pair of characters that the site does not know is more often the seam of two words than a word; all the more so next
# to a pair that is known.
UNKNOWN_PAIR = 0.35
# A measure or a number that the site does not know ("I'm 1.80 m") says little; a code that begins with a letter does.
UNKNOWN_NUMBER = 0.15
TYPO_TRUST, SYNONYM_TRUST, KIN_TRUST = 0.75, 0.6, 0.6
# So many rows are read to find candidates, the rarest words first; more frequent words only order what was found.
MAX_ROWS = 1_000
MAX_CANDIDATES = 200
MAX_CHUNKS_FOR_COMPOUNDS = 1_000
ROWS_PER_READ = 500
# Statements are compiled for these numbers of values; in between, the last one is repeated.
IN_SIZES = (1, 2, 4, 8, 16, 32, 64, 128)

_KATAKANA = re.compile("[\u30a1-\u30ff]{2}")
_OCCURRENCES = KnowledgeTerm.select(
    KnowledgeTerm.term, KnowledgeTerm.chunk_id, KnowledgeTerm.in_question, KnowledgeTerm.in_title,
    KnowledgeTerm.in_content)
ROWS_OF_TERM = Statement(
    _OCCURRENCES.where(KnowledgeTerm.site_id == P.site_id, KnowledgeTerm.term == P.term,
                       KnowledgeTerm.chunk_id > P.after).order_by(KnowledgeTerm.chunk_id).limit(P.most))
TERMS_BETWEEN = Statement(
    KnowledgeTerm.select(KnowledgeTerm.term)
    .where(KnowledgeTerm.site_id == P.site_id, KnowledgeTerm.term >= P.low, KnowledgeTerm.term < P.high).distinct())


@dataclass
class Word:
    """One different word of the question: the terms that stand for it, what it counts, where it occurs.

    `weight` from 0 to 1 (1: hardly any chunk has it); `share` below 1: a little word; `trust` below 1: it was read
    as another word, and that may be wrong. `alike`: terms of words that mean much the same.
    """

    said: str
    terms: frozenset[str]
    share: float
    alike: frozenset[str] = frozenset()
    occurs_in: int = 0
    weight: float = 1.0
    trust: float = 1.0
    rows: list[Any] = field(default_factory=list)

    @property
    def value(self) -> float:
        """What meeting it is worth."""
        return self.weight * self.share

    @functools.cached_property
    def runs(self) -> tuple[str, ...]:
        """Runs of three letters, its borders being letters, too; none of numbers and writings without spaces."""
        marked = "" if text.is_dense(self.said) or any(map(str.isdigit, self.said)) else f" {text.bare(self.said)} "
        return tuple(marked[at:at + 3] for at in range(len(marked) - 2))

    def likeness(self, said: str) -> float:
        """The share of its runs that a text holds whose words are bare and between spaces."""
        return sum(run in said for run in self.runs) / len(self.runs) if self.runs else 0.0


def read_question(question: str, lang: str, site_langs: Sequence[str]) -> list[Word]:
    """The different words of a question in order, cut for every language the site's knowledge is in."""
    asked = text.words(question)[:MAX_WORDS]
    spoken = lang or text.detect(question)
    little_in = {spoken} if spoken else set(site_langs)
    cut_for = site_langs or ("",)
    found: dict[frozenset[str], Word] = {}
    for word in asked:
        terms = frozenset(text.stem(word, each) for each in cut_for)
        alike = frozenset(text.stem(other, each) for each in cut_for for other in synonyms(word, each)) - terms
        # A pair with a hiragana is mostly a seam, but not where it begins a verb we know.
        is_little = any(text.is_little(word, each) for each in little_in) and not (alike and text.is_dense(word))
        share = LITTLE_SHARE if is_little else 1.0
        found.setdefault(terms, Word(word, terms, share, alike))
    return list(found.values())


def weigh(tx: Transaction, site_id: int, words: Sequence[Word], overview: Overview) -> None:
    """Weigh each word by how few chunks have it."""
    _count(tx, site_id, set().union(*(word.terms | word.alike for word in words)), overview)
    for word in words:
        word.occurs_in = min(len(overview.chunks), sum(overview.counts.get(term, 0) for term in word.terms))
        word.weight = rarity(word.occurs_in, len(overview.chunks))
    known = set("".join(word.said for word in words if word.occurs_in))
    for word in words:
        if not word.occurs_in and text.is_dense(word.said):
            word.weight *= UNKNOWN_PAIR ** (1 + len(known.intersection(word.said)))
        elif not word.occurs_in and word.said[0].isdigit():
            word.weight *= UNKNOWN_NUMBER
        elif _is_chance(word, words):
            word.weight *= UNKNOWN_PAIR


def _is_chance(word: Word, words: Sequence[Word]) -> bool:
    """Whether a known pair of katakana is of a longer word that is not known: the end of "present" is that of "point"
    in Japanese."""
    if not _KATAKANA.fullmatch(word.said):
        return False
    beside = [other for other in words if _KATAKANA.fullmatch(other.said) and other is not word
              and (other.said[-1] == word.said[0] or other.said[0] == word.said[-1])]
    return bool(beside) and not any(other.occurs_in for other in beside)


def rarity(occurs_in: int, chunks: int) -> float:
    """1 for a word of one chunk or none, falling towards 0 for one that is everywhere."""
    most = math.log(1 + (chunks - 0.5) / 1.5) if chunks > 1 else 1.0
    return min(1.0, math.log(1 + (chunks - occurs_in + 0.5) / (occurs_in + 0.5)) / most)


def reread_unknown(tx: Transaction, site_id: int, words: Iterable[Word], overview: Overview) -> None:
    """Read words that the site does not use as others of the same meaning, else as slips of the keyboard."""
    for word in words:
        if word.occurs_in:
            continue
        known = frozenset(term for term in word.alike if overview.counts.get(term))
        trust = SYNONYM_TRUST
        if not known:
            known, trust = _meant(tx, site_id, word, overview)
        if known:
            _count(tx, site_id, set(known), overview)
            word.terms, word.trust = known, trust
            word.occurs_in = sum(overview.counts.get(term, 0) for term in known)


def find_rows(tx: Transaction, site_id: int, words: Iterable[Word], overview: Overview) -> None:
    """Fetch everywhere the words occur."""
    for word in words:
        word.rows = [row for term in sorted(word.terms) for row in _rows_of(tx, site_id, term)
                     if row.chunk_id in overview.chunks]


def find_rows_among(tx: Transaction, site_id: int, words: Sequence[Word], among: Sequence[int]) -> None:
    """Fetch where the words occur in some chunks, at most MAX_CANDIDATES."""
    terms = sorted(set().union(*(word.terms for word in words)))
    if not terms or not among:
        return
    statement = _occurrences_among(_padded(len(terms)), _padded(len(among)))
    rows = defaultdict(list)
    for row in tx.all(statement, site_id=site_id, **_named("term", terms), **_named("chunk", among)):
        rows[row.term].append(row)
    for word in words:
        word.rows = [row for term in sorted(word.terms) for row in rows[term]]


def _count(tx: Transaction, site_id: int, terms: set[str], overview: Overview) -> None:
    new = sorted(terms - overview.counts.keys())
    if not new:
        return
    if len(overview.counts) > MAX_COUNTS:
        overview.counts.clear()
        new = sorted(terms)
    found = tx.all(_chunks_with(_padded(len(new))), site_id=site_id, **_named("term", new))
    counts = {row.term: row.chunks for row in found}
    overview.counts.update((term, counts.get(term, 0)) for term in new)


def _meant(tx: Transaction, site_id: int, word: Word, overview: Overview) -> tuple[frozenset[str], float]:
    """The terms the site uses that this unknown word is likely a slip of or akin to, and how much that is trusted."""
    related: set[str] = set()
    is_compounding = not COMPOUNDING.isdisjoint(overview.langs)
    for term in sorted(word.terms):
        if not text.is_dense(term):
            # The first letter is rarely the wrong one, and the index finds what begins with it.
            rows = tx.all(TERMS_BETWEEN, site_id=site_id, low=term[0], high=chr(ord(term[0]) + 1))
            known = [row.term for row in rows]
            if nearest := frozenset(other for other in known if is_typo_of(term, other)):
                return nearest, TYPO_TRUST
            related |= akin(term, known, compounding=is_compounding)
    if is_compounding and not text.is_dense(word.said):
        related |= _known_end(tx, site_id, word, overview) or _compounds_of(tx, site_id, word, overview)
    return frozenset(related), KIN_TRUST


def _known_end(tx: Transaction, site_id: int, word: Word, overview: Overview) -> set[str]:
    """The longest end of a compound that the site has as a word."""
    tails = [text.stem(end, lang) for end in ends(word.said) for lang in overview.langs if lang in COMPOUNDING]
    _count(tx, site_id, set(tails), overview)
    return set([tail for tail in tails if overview.counts.get(tail)][:1])


def _compounds_of(tx: Transaction, site_id: int, word: Word, overview: Overview) -> set[str]:
    """The site's compounds that end with the word; all its terms are read for that, so of small sites only."""
    if len(overview.chunks) > MAX_CHUNKS_FOR_COMPOUNDS:
        return set()
    rows = tx.all(TERMS_BETWEEN, site_id=site_id, low="a", high="\U0010ffff")
    return {row.term for row in rows if any(is_end_of(term, row.term) for term in word.terms)}


def _rows_of(tx: Transaction, site_id: int, term: str) -> list:
    """All rows of a term; page by page where the loop has to go on meanwhile."""
    most = ROWS_PER_READ if tx.dialect == "mysql" else 1 << 30
    rows = part = tx.all(ROWS_OF_TERM, site_id=site_id, term=term, after=0, most=most)
    while len(part) == most:
        breathe(tx)
        part = tx.all(ROWS_OF_TERM, site_id=site_id, term=term, after=part[-1].chunk_id, most=most)
        rows += part
    return rows


def _padded(many: int) -> int:
    """For how many values the statement is made: few sizes, so that few are compiled."""
    return next((size for size in (*IN_SIZES, MAX_CANDIDATES) if size >= many), many)


def _named(name: str, values: Sequence) -> dict[str, Any]:
    """The values as the statement's parameters; what is over repeats the last, which finds nothing new."""
    return {f"{name}{place}": values[min(place, len(values) - 1)] for place in range(_padded(len(values)))}


def _params(name: str, size: int) -> list[Param]:
    return [Param(f"{name}{place}") for place in range(size)]


@functools.cache
def _chunks_with(size: int) -> Statement:
    return Statement(
        KnowledgeTerm.select(KnowledgeTerm.term, fn.COUNT(1).alias("chunks"))
        .where(KnowledgeTerm.site_id == P.site_id, KnowledgeTerm.term.in_(_params("term", size)))
        .group_by(KnowledgeTerm.term))


@functools.cache
def _occurrences_among(terms: int, chunks: int) -> Statement:
    return Statement(_OCCURRENCES.where(
        KnowledgeTerm.site_id == P.site_id, KnowledgeTerm.term.in_(_params("term", terms)),
        KnowledgeTerm.chunk_id.in_(_params("chunk", chunks))))
