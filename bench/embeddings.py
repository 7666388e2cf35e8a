"""A site of 10,000 chunks with embeddings of 1,536 dimensions: what meaning adds to the time of a question.

Asked in turns in one run: by words alone, and with the embedding of the question at hand (its way over the network is
the endpoint's). Then the parts: reading all signs once, comparing all signs, the cosines of the best; and how many of
the ten nearest chunks, by exact cosine, are among those the signs choose. The vectors are drawn: topics with noise.
Aims: signs and cosines below 10 ms together, at least 95 % of the ten nearest chosen.
`--database mysql://...` does it there instead of in a temporary SQLite file.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from array import array
from collections.abc import Callable
from operator import mul
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ask_scale import _entries, _questions

from vexar.demo import add_site
from vexar.knowledge.index import add_entries, slices
from vexar.knowledge.meaning import nearness, rows
from vexar.knowledge.meaning.nearness import Meaning
from vexar.knowledge.meaning.vectors import Compass, signs, squares
from vexar.knowledge.search import search
from vexar.models import KnowledgeChunk
from vexar.store import Store, open_store

DIMS, TOPICS, QUESTIONS = 1_536, 400, 60
AIM_MS, AIM_RECALL = 10.0, 0.95


class Drawn:
    """A client of the embeddings' endpoint that answers at once: each question lies near one chunk."""

    model = "drawn"

    def __init__(self, vectors: list[bytes]) -> None:
        self._vectors = vectors
        self._pick = random.Random(8)

    def embed(self, texts: list[str], *, timeout_s: float) -> list[bytes]:
        """As EmbeddingClient."""
        return [_near(self._pick.choice(self._vectors), self._pick, 30) for _ in texts]

    def close(self) -> None:
        """As EmbeddingClient."""


def main() -> int:
    """Fill, ask, measure; 0 when the aims are reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="", help="URL of an empty database; a temporary SQLite file if left out")
    given = parser.parse_args().database
    with tempfile.TemporaryDirectory(prefix="vexar-bench-") as folder:
        store = open_store(given or f"sqlite:///{folder}/vexar.db")
        site_id = add_site(store)
        entries = list(_entries(random.Random(5)))
        add_entries(store, site_id, entries, "en")
        vectors = _fill(store, site_id)
        _ask(store, site_id, vectors, _questions(random.Random(7), entries)[:QUESTIONS])
        spent = _parts(vectors)
        recall = _recall(vectors)
        store.close()
    print(f"signs and cosines: {spent:.1f} ms; aim: below {AIM_MS:.0f}")
    print(f"of the ten nearest by cosine the signs choose {recall:.1%}; aim: at least {AIM_RECALL:.0%}")
    return 0 if spent < AIM_MS and recall >= AIM_RECALL else 1


def _fill(store: Store, site_id: int) -> list[bytes]:
    pick = random.Random(6)
    chunks = [row.id for row in store.read(lambda tx: tx.all(KnowledgeChunk.select(KnowledgeChunk.id)))]
    topics = [bytes(round(pick.gauss(0, 30)) & 255 for _ in range(DIMS)) for _ in range(TOPICS)]
    vectors = [_near(pick.choice(topics), pick, 30) for _ in chunks]
    started = time.perf_counter()
    for some in slices(list(zip(chunks, vectors, strict=True)), 32):
        made = [rows.Made(chunk, site_id, one, signs(one), squares(one)) for chunk, one in some]
        store.write(rows.save, model=Drawn.model, made=made)
    print(f"{len(chunks)} chunks, {DIMS} dimensions; stored {len(chunks) / (time.perf_counter() - started):.0f}/s")
    return vectors


def _near(vector: bytes, pick: random.Random, noise: int) -> bytes:
    drift = (round(pick.gauss(0, noise)) for _ in vector)
    return bytes(max(-127, min(127, one + other)) & 255
                 for one, other in zip(array("b", vector), drift, strict=True))


def _ask(store: Store, site_id: int, vectors: list[bytes], questions: list[str]) -> None:
    search(store, site_id, questions[0])
    meaning = Meaning(store, Drawn(vectors))
    # Drawing a question's vector takes longer than all the rest: they are remembered as those of asked questions are.
    for question in questions:
        meaning.directions(site_id, [question])
    first = _spent_ms(lambda: search(store, site_id, questions[0]))
    plain, near = [], []
    for question in questions:
        nearness._meanings.pop(store)
        plain.append(_spent_ms(lambda question=question: search(store, site_id, question)))
        nearness._meanings[store] = meaning
        near.append(_spent_ms(lambda question=question: search(store, site_id, question)))
    meaning.close()
    print(f"first question, which reads all signs: {first:.0f} ms")
    print(f"ask by words alone p50 {statistics.median(plain):.1f} ms; with meaning {statistics.median(near):.1f} ms, "
          f"p95 {statistics.quantiles(near, n=20)[18]:.1f} ms")


def _parts(vectors: list[bytes]) -> float:
    compass = Compass(vectors[0])
    codes = [int.from_bytes(signs(one), "big") for one in vectors]
    best = [(one, squares(one)) for one in vectors[:nearness.BEST_BY_WORDS + nearness.BEST_BY_SIGNS + nearness.COMMON]]
    scan = statistics.median(_spent_ms(lambda: _ordered(compass, codes)) for _ in range(15))
    rerank = statistics.median(_spent_ms(lambda: [compass.cosine(*one) for one in best]) for _ in range(15))
    kept_bytes = sum(map(sys.getsizeof, codes)) + 16 * len(codes)
    print(f"all signs {scan:.1f} ms, {len(best)} cosines {rerank:.1f} ms; signs kept {kept_bytes / 1e6:.1f} MB")
    return scan + rerank


def _recall(vectors: list[bytes]) -> float:
    pick = random.Random(9)
    codes = [int.from_bytes(signs(one), "big") for one in vectors]
    lengths = [squares(one) ** 0.5 for one in vectors]
    shares = []
    for _ in range(10):
        question = _near(pick.choice(vectors), pick, 45)
        mine = array("b", question).tolist()
        exact = [sum(map(mul, array("b", one), mine)) / length for one, length in zip(vectors, lengths, strict=True)]
        nearest = sorted(range(len(exact)), key=lambda place: -exact[place])[:10]
        chosen = set(_ordered(Compass(question), codes)[:nearness.BEST_BY_SIGNS])
        shares.append(len(chosen & set(nearest)) / 10)
    return statistics.mean(shares)


def _ordered(compass: Compass, codes: list[int]) -> list[int]:
    apart = compass.apart(codes)
    return sorted(range(len(apart)), key=apart.__getitem__)


def _spent_ms(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    sys.exit(main())
