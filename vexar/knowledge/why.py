"""Why entries were found for a question: which of its words they hold, and where. For who looks after the knowledge.

It reads the texts again and has no part in the ranking, which never waits for it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vexar.knowledge import text
from vexar.knowledge.synonyms import synonyms
from vexar.knowledge.typos import is_typo_of
from vexar.models import KnowledgeEntry
from vexar.store import P, Statement, Store, Transaction

MAX_WORDS = 40
# Of a long page this much is read; a word that stands only behind it is told as missing there.
MAX_CONTENT_CHARS = 20_000
WORDS_A_TURN = 50
FIELDS = ("question", "title", "content")

_LANGS = Statement(KnowledgeEntry.select(KnowledgeEntry.lang).where(KnowledgeEntry.site_id == P.site_id).distinct())


@dataclass(frozen=True)
class _Asked:
    """A word of the question, and the terms it is found by: its own, and those of words of the same meaning."""

    said: str
    terms: frozenset[str]
    alike: frozenset[str]

    @property
    def initials(self) -> frozenset[str]:
        """What a word has to begin with to be met."""
        return frozenset(term[0] for term in self.terms | self.alike)

    def is_slip_for(self, term: str) -> bool:
        """Whether one of its own terms may be a slip of the keyboard for this one."""
        return any(mine[0] == term[0] and is_typo_of(mine, term) for mine in self.terms)


def explain(store: Store, site_id: int, told: dict[str, Any], lang: str = "") -> dict[str, Any]:
    """What `ask` told, and why: each source with `matched`, [{word, met, field, how}] in the order of the question,
    and `missing`, the words of the question that no source holds.

    `how`: same (perhaps inflected), meaning (another word for it) or slip (of the keyboard).
    """
    langs, rows = store.read_heavy(_read, site_id=site_id, ids=[source["knowledge_id"] for source in told["sources"]])
    asked = list(_asked(told["question"], lang, langs))
    sources = []
    for source in told["sources"]:
        matched = _matched(asked, rows.get(source["knowledge_id"]), langs)
        sources.append({**source, "matched": matched})
    met = {found["word"] for source in sources for found in source["matched"]}
    return {**told, "sources": sources, "missing": [word.said for word in asked if word.said not in met]}


def _read(tx: Transaction, *, site_id: int, ids: Sequence[int]) -> tuple[list[str], dict[int, Any]]:
    """The languages of the site's entries, and the texts of some of them."""
    langs = sorted(row.lang for row in tx.all(_LANGS, site_id=site_id))
    if not ids:
        return langs, {}
    fields = [getattr(KnowledgeEntry, name) for name in ("id", *FIELDS)]
    query = KnowledgeEntry.select(*fields).where(KnowledgeEntry.site_id == site_id, KnowledgeEntry.id.in_(list(ids)))
    return langs, {row.id: row for row in tx.all(query)}


def _asked(question: str, lang: str, langs: Sequence[str]) -> Iterator[_Asked]:
    """The different words of a question, without those that only carry the sentence unless there are no others."""
    words = list(dict.fromkeys(text.words(question)))[:MAX_WORDS]
    spoken = text.language(lang) or text.detect(question)
    little = {word for word in words if any(text.is_little(word, each) for each in ([spoken] if spoken else langs))}
    for word in [word for word in words if word not in little] or words:
        alike = frozenset(text.stem(other, each) for each in langs for other in synonyms(word, each))
        yield _Asked(word, _terms(word, langs), alike)


def _matched(asked: Sequence[_Asked], row: Any, langs: Sequence[str]) -> list[dict[str, str]]:
    if row is None:
        return []
    held = _held(row, frozenset().union(*(word.initials for word in asked)), langs)
    found = []
    for word in asked:
        found.append(_best(word, held))
        time.sleep(0)
    return [each for each in found if each]


def _held(row: Any, initials: frozenset[str], langs: Sequence[str]) -> dict[str, tuple[int, str, str]]:
    """The terms of an entry that may be met, each with its place, its field and its word; the first place counts."""
    held: dict[str, tuple[int, str, str]] = {}
    for field in FIELDS:
        for place, word in enumerate(dict.fromkeys(text.words(getattr(row, field)[:MAX_CONTENT_CHARS]))):
            # Stems take 40 us each, and pages are long; the running answers go on in between.
            if place % WORDS_A_TURN == 0:
                time.sleep(0)
            if text.bare(word)[:1] in initials or word[:1] in initials:
                for term in _terms(word, langs):
                    held.setdefault(term, (len(held), field, word))
    return held


def _best(word: _Asked, held: dict[str, tuple[int, str, str]]) -> dict[str, str] | None:
    """Where a word is met: rather the same than another, and rather in the question than in the content."""
    for how, wanted in (("same", word.terms), ("meaning", word.alike)):
        if places := [held[term] for term in wanted if term in held]:
            return _told(word, min(places), how)
    slip = next((place for term, place in held.items() if word.is_slip_for(term)), None)
    return _told(word, slip, "slip") if slip else None


def _told(word: _Asked, place: tuple[int, str, str], how: str) -> dict[str, str]:
    _, field, met = place
    return {"word": word.said, "met": met, "field": field, "how": how}


def _terms(word: str, langs: Sequence[str]) -> frozenset[str]:
    return frozenset(text.stem(word, lang) for lang in langs or ("",))
