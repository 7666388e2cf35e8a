"""Gives unanswered questions their groups: one that exists, or a new one. Pure; the rows are asks.py's."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vexar.knowledge.unanswered.alike import Terms, closeness, lang_of, terms_of, weighted

# A question is compared with so many different wordings of each group, the newest.
MAX_WORDINGS = 8


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
    lang: str
    group_id: int | None = None
    first: Ask | None = None
    wordings: dict[str, Terms] = field(default_factory=dict)

    def closeness(self, ask: Ask) -> float:
        """How well an ask fits; 0 when it does not, or is in another language."""
        is_foreign = self.lang and ask.lang and self.lang != ask.lang
        return 0.0 if is_foreign else closeness(ask.terms, list(self.wordings.values()))


def read_asks(asks: Sequence[Ask]) -> list[str]:
    """Find out the language of each; the terms of all, of which the weights are needed."""
    for ask in asks:
        ask.lang = lang_of(ask.question, ask.lang)
    return sorted({term for ask in asks for term in terms_of(ask.question, ask.lang)})


def group(asks: Sequence[Ask], newest: Sequence[Any], weights: Mapping[str, int]) -> None:
    """Give each ask the group it is closest to. `newest`: rows (group_id, lang, terms), the newest first."""
    groups: dict[int, _Group] = {}
    for row in newest:
        known = groups.setdefault(row.group_id, _Group(row.lang, row.group_id))
        if len(known.wordings) < MAX_WORDINGS and row.terms not in known.wordings:
            known.wordings[row.terms] = unpack(row.terms)
    candidates = list(groups.values())
    for ask in asks:
        ask.terms = weighted(ask.question, ask.lang, weights)
        # Of two that are equally close, the one that was asked last.
        best = max(candidates, key=lambda known, ask=ask: known.closeness(ask), default=None)
        if best is None or not best.closeness(ask):
            best = _Group(ask.lang, first=ask)
            candidates.append(best)
        ask.group_id, ask.first = best.group_id, best.first
        best.wordings[pack(ask.terms)] = ask.terms


def pack(terms: Terms) -> str:
    """Terms as they are stored."""
    return json.dumps(terms, ensure_ascii=False, separators=(",", ":"))


def unpack(stored: str) -> Terms:
    """Stored terms."""
    return {term: (weight, meaning) for term, (weight, meaning) in json.loads(stored).items()}
