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

    def met_by(self, terms: frozenset[str]) -> str:
        """How a word of an entry meets this one: same, meaning, slip; or not at all."""
        if self.terms & terms:
            return "same"
        if self.alike & terms:
            return "meaning"
        return "slip" if any(is_typo_of(mine, theirs) for mine in self.terms for theirs in terms) else ""


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
        # Reading a page's words takes a few milliseconds; the running answers go on in between.
        time.sleep(0)
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
    initials = frozenset().union(*(word.initials for word in asked))
    words = {name: _words(getattr(row, name)[:MAX_CONTENT_CHARS], initials, langs) for name in FIELDS}
    found = (_best(word, words) for word in asked)
    return [each for each in found if each]


def _words(said: str, initials: frozenset[str], langs: Sequence[str]) -> dict[str, frozenset[str]]:
    """The different words of a text that may be met, with their terms."""
    words = dict.fromkeys(text.words(said))
    return {word: _terms(word, langs) for word in words if text.bare(word)[:1] in initials or word[:1] in initials}


def _best(word: _Asked, words: dict[str, dict[str, frozenset[str]]]) -> dict[str, str] | None:
    """Where a word is met: rather the same than another, and rather in the question than in the content."""
    for wanted in ("same", "meaning", "slip"):
        for field in FIELDS:
            for met, terms in words[field].items():
                if word.met_by(terms) == wanted:
                    return {"word": word.said, "met": met, "field": field, "how": wanted}
    return None


def _terms(word: str, langs: Sequence[str]) -> frozenset[str]:
    return frozenset(text.stem(word, lang) for lang in langs or ("",))
