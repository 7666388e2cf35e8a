"""Scores chunks for a question: BM25 over weighted fields, then a closer look at the best; pure arithmetic.

A word's weight lies between 0 and 1, so scores of small and large sites compare. The numbers were found on public
question sets (bench/retrieval.py measures them); the same rows give the same score on every engine.
"""

from __future__ import annotations

import itertools
import math
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from vexar.knowledge import frames, text
from vexar.knowledge.asked import SYNONYM_TRUST, Word
from vexar.knowledge.kin import COMPOUNDING
from vexar.knowledge.overview import Overview
from vexar.knowledge.sentences import sentences

# By is_faq, for (question, title, content): a faq is found by its question, a page by what it says.
FIELD_WEIGHTS = {True: (2.5, 2.0, 1.0), False: (1.0, 1.0, 1.4)}
LENGTH_SHARES = {True: (0.65, 0.3, 0.65), False: (0.5, 0.3, 0.65)}
SATURATION = {True: 0.8, False: 1.2}
# What the closer look adds: of a faq, how alike the questions are in their letters; of a page, how much of the
# question one sentence holds (and what its neighbours add); of both, words that stand together in both.
ALIKE_LETTERS, ONE_SENTENCE, NEIGHBOURS, TOGETHER = 0.7, 0.5, 0.5, {True: 0.05, False: 0.2}
LETTERS = (3, 4)
# A word with like letters is worth part of the word, in a sentence and in a chunk that lacks the word itself. Cubed,
# for most words share a run or two by chance.
LIKE_WORD, LIKE_WORD_CHUNK, LEAST_LIKE = 0.5, 0.5, 0.5
# confidence: at this strength the threshold is met, and so steep it rises. Below LEAST_BEST a question has common
# words only ("where is my order"), and meeting them all is enough.
STRENGTH, STEEPNESS, LEAST_BEST, BEST_POWER = 0.64, 9.0, 1.0, 0.6
THRESHOLD = 0.45
# An entry that says yes or no to something else than was asked is as strong as this at most; and what it loses of the
# share of words that the whole site lacks ("Do you deliver to the moon?"). Only words worth TELLING can be something.
ELSE_STRENGTH, LOST_TO_UNKNOWN, TELLING = 0.5, 0.8, 0.5
# Words alone never make certain; and a site whose threshold is above it gets no answer from them.
MOST_CONFIDENCE = 0.98


@dataclass(frozen=True)
class Closer:
    """What the closer look needs of one chunk's text: of each sentence the terms.

    Only of a faq `letters`, for its whole question and for each way it is put; only of others `plain`, each
    sentence as bare words between spaces. Only of one that says yes or no `matter`, the terms it says it of.
    """

    sentences: tuple[frozenset[str], ...]
    pairs: frozenset[tuple[str, str]]
    letters: tuple[frozenset[str], ...]
    plain: tuple[str, ...]
    matter: frozenset[str] | None = None
    question: str = ""


@dataclass(frozen=True)
class Asked:
    """The question for the closer look: values by term, neighbouring terms, letters, and the best possible score."""

    values: Mapping[str, float]
    pairs: frozenset[tuple[str, str]]
    letters: frozenset[str]
    best: float


def first_scores(words: Iterable[Word], overview: Overview) -> dict[int, float]:
    """Every chunk that has any of the words, with its score; between 0 and the sum of the words' values."""
    scores: dict[int, float] = defaultdict(float)
    for word in words:
        often: dict[int, float] = defaultdict(float)
        for _, number, in_question, in_title, in_content in word.rows:
            facts = overview.chunks[number]
            (wq, wt, wc), (bq, bt, bc) = FIELD_WEIGHTS[facts.is_faq], LENGTH_SHARES[facts.is_faq]
            means = overview.means[facts.is_faq]
            if in_question:
                often[number] += wq * in_question / (1 - bq + bq * facts.lengths[0] / means[0])
            if in_title:
                often[number] += wt * in_title / (1 - bt + bt * facts.lengths[1] / means[1])
            if in_content:
                often[number] += wc * in_content / (1 - bc + bc * facts.lengths[2] / means[2])
        worth = word.value * word.trust
        for number, times in often.items():
            scores[number] += worth * times / (times + SATURATION[overview.chunks[number].is_faq])
    return scores


def look_closer(question: str, content: str, heading: str, lang: str, *, is_faq: bool) -> Closer:
    """Cut a chunk's text for the closer look; worth keeping, it costs up to half a millisecond."""
    said = [question] if is_faq else [heading, *sentences(content)]
    cut = [[text.stem(word, lang) for word in text.words(sentence)] for sentence in said]
    pairs = frozenset(pair for terms in cut for pair in _pairs(terms))
    ways = tuple(map(letters, dict.fromkeys((question, *sentences(question))))) if is_faq else ()
    plain = () if is_faq else tuple(f" {' '.join(map(text.bare, text.words(sentence)))} " for sentence in said)
    matter = frames.matter(question, content, lang) if is_faq else None
    return Closer(tuple(map(frozenset, cut)), pairs, ways, plain, matter, question)


def letters(said: str) -> frozenset[str]:
    """The runs of letters (LETTERS long) of each word, its begin and end being letters, too."""
    found: set[str] = set()
    for word in text.words(said):
        marked = word if text.is_dense(word) else f"^{text.bare(word)}$"
        runs = (marked[at:at + size] for size in LETTERS for at in range(max(1, len(marked) - size + 1)))
        # Thousands of texts are kept, and they share most of their runs.
        found.update(map(sys.intern, runs))
    return frozenset(found)


def closer_score(score: float, closer: Closer, words: Sequence[Word], asked: Asked) -> float:
    """The first score and what the closer look adds, never less."""
    is_faq = bool(closer.letters)
    # Sorted, for sums of the same numbers in another order differ in their last digit.
    for pair in sorted(asked.pairs & closer.pairs):
        score += TOGETHER[is_faq] * math.sqrt(asked.values[pair[0]] * asked.values[pair[1]])
    if is_faq:
        return score + ALIKE_LETTERS * asked.best * max(_alike(asked.letters, way) for way in closer.letters)
    met = _met_by_sentence(closer, words)
    everywhere = {place for each in met for place in each}
    for place in everywhere:
        if not any(not words[place].terms.isdisjoint(sentence) for sentence in closer.sentences):
            score += LIKE_WORD_CHUNK * max(each.get(place, 0.0) for each in met)
    return score + ONE_SENTENCE * max((_with_neighbours(met, at) for at in range(len(met))), default=0.0)


def asked(question: str, words: Sequence[Word], lang: str) -> Asked:
    """Prepare a question; `lang` is the language its neighbouring words are cut for."""
    values = {term: word.value for word in words for term in word.terms}
    pairs = frozenset(pair for pair in _pairs(text.terms(question, lang)) if pair[0] in values and pair[1] in values)
    return Asked(values, pairs, letters(question), best_possible(words))


def best_possible(words: Iterable[Word]) -> float:
    """The sum of what the words are worth, those included that nobody knows."""
    return sum(word.value for word in words)


def confidence(first: float, final: float, words: Sequence[Word], closer: Closer | None, number: int,
               question: str, lang: str, langs: Iterable[str]) -> float:
    """From 0 to 1: the scores of the chunk `number` against the best possible one. Words of the same meaning count
    partly here, and a yes or no to something else than was asked is not believed."""
    best = best_possible(words)
    if not best or not first:
        return 0.0
    # What the closer look adds counts half here: it orders well, and says less about whether there is an answer.
    score = (first + final) / 2 + _of_same_meaning(words, closer)
    strength = score / best * max(best, LEAST_BEST) ** (1 - BEST_POWER)
    if closer and closer.matter is not None and frames.is_same_frame(question, closer.question, lang):
        unmet = _unmet(words, closer.matter, number, langs)
        if _is_of_something_else(unmet, words, closer.matter, number, langs):
            strength = min(strength, ELSE_STRENGTH)
        strength *= 1 - LOST_TO_UNKNOWN * sum(word.value for word in unmet if not word.occurs_in) / best
    odds = STEEPNESS * (strength - STRENGTH) + math.log(THRESHOLD / (MOST_CONFIDENCE - THRESHOLD))
    return round(MOST_CONFIDENCE / (1 + math.exp(-odds)), 4)


def _of_same_meaning(words: Sequence[Word], closer: Closer | None) -> float:
    """What the words add that a chunk says in another way only."""
    if not closer:
        return 0.0
    present = frozenset().union(*closer.sentences)
    return sum(SYNONYM_TRUST * word.value / 2 for word in words
               if word.share == 1.0 and word.terms.isdisjoint(present) and not word.alike.isdisjoint(present))


def _unmet(words: Sequence[Word], matter: frozenset[str], number: int, langs: Iterable[str]) -> list[Word]:
    """The words of the question that a chunk says nothing of, not even in its question and in another way."""
    compounding = not COMPOUNDING.isdisjoint(langs)
    return [word for word in words if word.share == 1.0 and not word.said[0].isdigit()
            and not any(row.chunk_id == number for row in word.rows)
            and not frames.is_met(word.terms | word.alike, matter, compounding=compounding)]


def _is_of_something_else(unmet: Sequence[Word], words: Sequence[Word], matter: frozenset[str], number: int,
                          langs: Iterable[str]) -> bool:
    """Whether the question has a telling word that the chunk lacks, and the chunk's question one that it lacks."""
    telling = [word for word in unmet if word.value >= TELLING]
    # A question that names many things is met by one of them; only what the whole site lacks is still something else.
    is_short = len(matter) <= 1 + sum(word.share == 1.0 for word in words)
    if not any(is_short or not word.occurs_in for word in telling):
        return False
    # What only the answer speaks of was no common frame, but its matter ("Is there a discount for 60?").
    if any(row.chunk_id == number and row.in_content and not row.in_question
           for word in words if word.value * word.trust >= TELLING for row in word.rows):
        return False
    said = frozenset().union(*(word.terms | word.alike for word in words if word not in unmet))
    compounding = not COMPOUNDING.isdisjoint(langs)
    return any(not frames.is_met({term}, said, compounding=compounding) for term in matter)


def _pairs(terms: Sequence[str]) -> Iterable[tuple[str, str]]:
    return itertools.chain(itertools.pairwise(terms), zip(terms, terms[2:], strict=False))


def _alike(asked: frozenset[str], known: frozenset[str]) -> float:
    return 2 * len(asked & known) / (len(asked) + len(known)) if asked and known else 0.0


def _met_by_sentence(closer: Closer, words: Sequence[Word]) -> list[dict[int, float]]:
    """Which of the words each sentence holds, by place, with what that is worth."""
    whole = "".join(closer.plain)
    met: list[dict[int, float]] = [{} for _ in closer.sentences]
    for place, word in enumerate(words):
        # Most words have no like in the whole text, and need not be looked for in each sentence.
        may_be_like = word.share == 1.0 and word.likeness(whole) >= LEAST_LIKE
        for each, sentence, plain in zip(met, closer.sentences, closer.plain, strict=True):
            if not word.terms.isdisjoint(sentence):
                each[place] = word.value * word.trust
            elif may_be_like and (likeness := word.likeness(plain)) >= LEAST_LIKE:
                each[place] = word.value * LIKE_WORD * likeness**3
    return met


def _with_neighbours(met: Sequence[Mapping[int, float]], at: int) -> float:
    beside = [met[place] for place in (at - 1, at + 1) if 0 <= place < len(met)]
    added = (sum(worth for word, worth in other.items() if word not in met[at]) for other in beside)
    return sum(met[at].values()) + NEIGHBOURS * max(added, default=0.0)
