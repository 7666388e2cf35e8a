"""Gives unanswered questions their groups: one that exists, or a new one. The rows are asks.py's."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vexar.knowledge.unanswered.alike import Terms, closeness, lang_of, terms_of, weighted

# A question is compared with so many different wordings of each group, the newest.
MAX_WORDINGS = 8
GROUPS_A_TURN = 50


@dataclass
class Ask:
    """One question of a message. `lang`: the visitor's, then what it is clearly in. Without a `group_id` it begins
    a group, or belongs to the one that `first` begins."""

    site_id: int
    visitor_id: int
    seq: int
    place: int
    conversation_id: int
    question: str
    lang: str
    version: int
    asked_ms: int
    is_rejected: bool = False
    terms: Terms = field(default_factory=dict)
    group_id: int | None = None
    first: Ask | None = None


@dataclass
class _Group:
    """`wordings` as they are stored: most are never read, because they have no word in common with a question."""

    lang: str
    group_id: int | None = None
    first: Ask | None = None
    wordings: list[str] = field(default_factory=list)

    def closeness(self, ask: Ask, marks: Sequence[str]) -> float:
        """How well an ask fits; 0 when it does not, or is in another language. `marks`: see _marks."""
        is_foreign = self.lang and ask.lang and self.lang != ask.lang
        if is_foreign or not any(mark in wording for wording in self.wordings for mark in marks):
            return 0.0
        return closeness(ask.terms, [unpack(wording) for wording in self.wordings])

    def add(self, wording: str) -> None:
        """One more, if it is another one and there is room."""
        if len(self.wordings) < MAX_WORDINGS and wording not in self.wordings:
            self.wordings.append(wording)


def read_asks(asks: Sequence[Ask]) -> list[str]:
    """Find out the language of each; the terms of all, of which the weights are needed."""
    for ask in asks:
        ask.lang = lang_of(ask.question, ask.lang)
    return sorted({term for ask in asks for term in terms_of(ask.question, ask.lang)})


def group(asks: Sequence[Ask], newest: Sequence[Any], weights: Mapping[str, int]) -> None:
    """Give each ask the group it is closest to. `newest`: rows (group_id, lang, terms), the newest first."""
    groups: dict[int, _Group] = {}
    for row in newest:
        groups.setdefault(row.group_id, _Group(row.lang, row.group_id)).add(row.terms)
    candidates = list(groups.values())
    for ask in asks:
        ask.terms = weighted(ask.question, ask.lang, weights)
        best = _closest(candidates, ask)
        if best is None:
            best = _Group(ask.lang, first=ask)
            candidates.append(best)
        ask.group_id, ask.first = best.group_id, best.first
        best.add(pack(ask.terms))


def _closest(candidates: Sequence[_Group], ask: Ask) -> _Group | None:
    """The group an ask belongs to, if any; of two that are equally close the one that was asked last."""
    marks, best, most = _marks(ask.terms), None, 0.0
    for place, known in enumerate(candidates):
        close = known.closeness(ask, marks)
        if close > most:
            best, most = known, close
        if place % GROUPS_A_TURN == 0:
            # The running answers go on: comparing with a thousand questions takes up to ten milliseconds.
            time.sleep(0)
    return best


def _marks(terms: Terms) -> list[str]:
    """What stands in the stored form of every question that is the least alike."""
    return sorted({json.dumps(word, ensure_ascii=False) for term, (_, meaning) in terms.items()
                   for word in (term, meaning)})


def pack(terms: Terms) -> str:
    """Terms as they are stored."""
    return json.dumps(terms, ensure_ascii=False, separators=(",", ":"))


def unpack(stored: str) -> Terms:
    """Stored terms."""
    return {term: (weight, meaning) for term, (weight, meaning) in json.loads(stored).items()}
