"""How near a question comes to a site's chunks in meaning, and what that adds to what the words say.

Off unless VEXAR_AI_EMBEDDING_MODEL is set. It never fails a search: without the question's embedding in time the
words decide alone. What "near" is differs from model to model, so it is measured against the site itself.
"""

from __future__ import annotations

import logging
import math
import statistics
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

from config import Config
from vexar import metrics
from vexar.errors import ProviderError
from vexar.knowledge import text
from vexar.knowledge.meaning import rows
from vexar.knowledge.meaning.vectors import Compass
from vexar.knowledge.overview import Overview, breathe
from vexar.providers.embeddings import EmbeddingClient
from vexar.store import Store, Transaction

log = logging.getLogger("vexar.meaning")

# A visitor waits for it before every answer.
QUESTION_TIMEOUT_S = 1.5
MAX_QUESTION_CHARS = 2_000
# After a failure questions go without, so that not every visitor waits for an endpoint that is away.
FIRST_REST_S, MAX_REST_S = 2.0, 60.0
# Of one process. A question's weighs 2 kB, a chunk's signs 0.3 kB.
MAX_QUESTIONS, MAX_SIGNS = 500, 60_000
# So many of the best by words are compared with the question, and so many of the best by signs.
BEST_BY_WORDS, BEST_BY_SIGNS = 20, 30
# Around the chunk that comes third in four of a site, this many tell how near anything comes.
COMMON = 9
# The same meaning is worth so much of the best score that words can have; those reach about 1.6 of it.
MEANING = 1.5
# At this nearness meaning alone reaches the threshold of THRESHOLD, and so steep its confidence rises.
NEAR, STEEPNESS, THRESHOLD, MOST_CONFIDENCE = 0.38, 14.0, 0.45, 0.98
# What the weaker of the two confidences takes away of the stronger one's doubt.
AGREEMENT = 0.3


class Signs(NamedTuple):
    """The signs of a site's chunks; never changed, as several searches read it at a time."""

    last_id: int
    chunks: tuple[int, ...]
    codes: tuple[int, ...]
    version: int


class Meaning:
    """The embeddings of one process and store. Any number of threads may ask."""

    def __init__(self, store: Store, client: EmbeddingClient) -> None:
        self._store = store
        self._client = client
        self._lock = threading.Lock()
        self._questions: OrderedDict[str, bytes] = OrderedDict()
        self._rest_s = self._rests_until = 0.0
        self._signs: OrderedDict[tuple[int, int], Signs] = OrderedDict()
        _meanings[store] = self

    def directions(self, site_id: int, questions: Sequence[str]) -> Mapping[str, bytes]:
        """The direction of each question; empty where the site has no embeddings, or none comes in time.

        Not in a native thread: it waits for the network, and holds a lock.
        """
        if not self._store.read(rows.has_any, site_id=site_id, model=self._client.model):
            return {}
        wanted = [question for question in dict.fromkeys(questions) if text.words(question)]
        with self._lock:
            found = {question: self._questions[question] for question in wanted if question in self._questions}
        fresh = [question for question in wanted if question not in found]
        if not fresh:
            return found
        if time.monotonic() < self._rests_until:
            metrics.question_embedded("skipped")
            return found
        return found | self._ask(fresh)

    def nearness(
        self, tx: Transaction, site_id: int, direction: bytes, best: Iterable[int], overview: Overview
    ) -> dict[int, float]:
        """How near the question comes to the best chunks by words and to the best by meaning: 0 as near as to the
        site's other texts, 1 the same. Chunks without an embedding are left out."""
        compass = Compass(direction)
        signs = self._refresh(tx, site_id, compass.dims, overview)
        order = _order(tx, compass, signs)
        at = max(0, len(order) * 3 // 4 - COMMON // 2)
        common = _present(signs, order[at:], overview, COMMON)
        chosen = _present(signs, order, overview, BEST_BY_SIGNS)
        asked = dict.fromkeys([*islice(best, BEST_BY_WORDS), *chosen, *common])
        cosines: dict[int, float] = {}
        for row in rows.numbers_of(tx, list(asked), model=self._client.model, dims=compass.dims):
            cosines[row.chunk_id] = compass.cosine(row.numbers, row.squares)
            if len(cosines) % 10 == 0:
                breathe(tx)
        usual = statistics.median([cosines[number] for number in common if number in cosines] or [1.0])
        rest = max(1e-6, 1.0 - usual)
        return {number: max(0.0, (cosine - usual) / rest) for number, cosine in cosines.items()}

    def close(self) -> None:
        """Searches go without from now on; what is being asked is cut off."""
        _meanings.pop(self._store, None)
        self._client.close()

    def _ask(self, questions: list[str]) -> dict[str, bytes]:
        try:
            found = self._client.embed([question[:MAX_QUESTION_CHARS] for question in questions],
                                       timeout_s=QUESTION_TIMEOUT_S)
        except ProviderError as problem:
            self._rest_s = min(MAX_REST_S, max(FIRST_REST_S, 2 * self._rest_s))
            self._rests_until = time.monotonic() + self._rest_s
            metrics.question_embedded("late" if problem.code == "upstream_timeout" else "failed")
            log.warning("a question has no embedding (%s); words decide alone, the next %.0f s for all questions",
                        problem, self._rest_s)
            return {}
        self._rest_s = 0.0
        metrics.question_embedded("embedded")
        made = dict(zip(questions, found, strict=True))
        with self._lock:
            self._questions.update(made)
            while len(self._questions) > MAX_QUESTIONS:
                self._questions.popitem(last=False)
        return made

    def _refresh(self, tx: Transaction, site_id: int, dims: int, overview: Overview) -> Signs:
        """The signs of now: what was stored since is read, and all anew where many chunks are gone."""
        key = (site_id, dims)
        known = self._signs.get(key)
        if known and known.version != overview.version:
            gone = sum(chunk not in overview.chunks for chunk in known.chunks)
            known = None if gone * 8 > len(known.chunks) else known._replace(version=overview.version)
        known = self._read(tx, site_id, dims, known or Signs(0, (), (), overview.version))
        self._signs[key] = known
        # No lock: on SQLite this is a native thread. Two at a time may drop one site too many, which is read again.
        with suppress(KeyError):
            self._signs.move_to_end(key)
            while len(self._signs) > 1 and sum(len(signs.codes) for signs in [*self._signs.values()]) > MAX_SIGNS:
                self._signs.popitem(last=False)
        return known

    def _read(self, tx: Transaction, site_id: int, dims: int, known: Signs) -> Signs:
        last_id, chunks, codes = known.last_id, [], []
        # Above the bound the rest is found by its words only, and still compared when it is.
        while len(known.codes) + len(codes) < MAX_SIGNS:
            found = tx.all(rows.SIGNS_AFTER, site_id=site_id, model=self._client.model, dims=dims, after=last_id)
            if not found:
                break
            last_id = found[-1].id
            chunks += [row.chunk_id for row in found]
            codes += [int.from_bytes(row.signs, "big") for row in found]
            breathe(tx)
        if not chunks:
            return known
        return Signs(last_id, (*known.chunks, *chunks), (*known.codes, *codes), known.version)


# By store, as the searches' own memory is: whoever has the store searches in the same way.
_meanings: weakref.WeakKeyDictionary[Store, Meaning] = weakref.WeakKeyDictionary()


def open_client(config: Config) -> EmbeddingClient | None:
    """Who makes embeddings; None where the operator wants none."""
    return EmbeddingClient(config) if config.ai_embedding_model else None


def meaning_of(store: Store) -> Meaning | None:
    """What searches of this store ask for embeddings; None: nobody."""
    return _meanings.get(store)


def with_meaning(
    finals: Mapping[int, float], firsts: Mapping[int, float], near: Mapping[int, float], best_possible: float
) -> dict[int, float]:
    """The scores of all that was found by words or by meaning. `firsts`: of those words found, but not among the best;
    `best_possible`: the score of a chunk that has all words."""
    # A question of unknown words only has no best score, and is found by its meaning alone.
    worth = MEANING * (best_possible or 1.0)
    return dict(finals) | {
        number: finals.get(number, firsts.get(number, 0.0)) + worth * here for number, here in near.items() if here
    }


def surer(confidence: float, near: float) -> float:
    """From 0 to 1: what words and meaning say together, never less than either."""
    odds = STEEPNESS * (near - NEAR) + math.log(THRESHOLD / (1 - THRESHOLD))
    other = 1 / (1 + math.exp(-odds)) if near else 0.0
    more, less = max(confidence, other), min(confidence, other)
    return round(max(confidence, min(MOST_CONFIDENCE, more + AGREEMENT * less * (1 - more))), 4)


def _order(tx: Transaction, compass: Compass, signs: Signs) -> list[int]:
    """The places of the codes, the nearest first."""
    apart: list[int] = []
    for at in range(0, len(signs.codes), 1_000):
        apart += compass.apart(signs.codes[at:at + 1_000])
        breathe(tx)
    return sorted(range(len(apart)), key=apart.__getitem__)


def _present(signs: Signs, places: Iterable[int], overview: Overview, many: int) -> list[int]:
    """The first of these chunks that are still findable."""
    chunks = (signs.chunks[place] for place in places)
    return list(islice((chunk for chunk in chunks if chunk in overview.chunks), many))
