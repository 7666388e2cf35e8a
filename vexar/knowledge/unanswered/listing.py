"""The list of unanswered questions for the people of a site: what was asked how often, and what becomes of it."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from peewee import fn

from vexar.errors import ApiError
from vexar.knowledge import text
from vexar.knowledge.entries import MAX_QUESTION_CHARS, Entry
from vexar.knowledge.index import add_entries
from vexar.knowledge.unanswered import asks, suggesting
from vexar.knowledge.unanswered.grouping import unpack
from vexar.knowledge.unanswered.worth import is_personal
from vexar.models import UnansweredAsk, UnansweredGroup
from vexar.store import P, Statement, Store, Transaction

# Twice as many visitors count as much as having been asked so much later.
DOUBLING_MS = 3 * 86_400_000
MAX_OTHER_WORDINGS = 5
MARKS = ("?", "？", "؟")
# Longer than storing an entry takes; whoever dies in between leaves the group to the next try.
CLAIM_MS = 60_000

_OPEN = Statement(
    UnansweredAsk.select(
        UnansweredAsk.group_id, fn.COUNT(1).alias("asks"),
        fn.COUNT(UnansweredAsk.visitor_id.distinct()).alias("visitors"),
        fn.MIN(UnansweredAsk.created_ms).alias("first_ms"), fn.MAX(UnansweredAsk.created_ms).alias("last_ms"),
    )
    .join(UnansweredGroup, on=(UnansweredGroup.id == UnansweredAsk.group_id))
    .where((UnansweredAsk.site_id == P.site_id) & UnansweredGroup.dismissed_ms.is_null())
    .group_by(UnansweredAsk.group_id)
)
_QUESTIONS = Statement(
    UnansweredAsk.select(UnansweredAsk.group_id, UnansweredAsk.question).where(UnansweredAsk.site_id == P.site_id)
)
_GROUP = UnansweredGroup.select(UnansweredGroup).where(
    (UnansweredGroup.id == P.id) & (UnansweredGroup.site_id == P.site_id)
)
_LOCK = Statement(_GROUP, lock=True)
_CLAIM = Statement(UnansweredGroup.update(claimed_until_ms=P.until_ms).where(UnansweredGroup.id == P.id))
_DISMISS = Statement(
    UnansweredGroup.update(dismissed_ms=P.now_ms)
    .where((UnansweredGroup.id == P.id) & UnansweredGroup.dismissed_ms.is_null())
)


def page(tx: Transaction, *, site_id: int, search: str, limit: int, offset: int) -> tuple[list[dict], int]:
    """Groups as {id, question, wordings, count, visitors, lang, first_ms, last_ms, conversation_id, suggestion}, and
    how many there are in all. Each word of `search` has to be in one of the wordings. A heavy read.

    By the time of the last ask; twice as many visitors are worth DOUBLING_MS.
    """
    rows = tx.all(_OPEN, site_id=site_id)
    if search.split():
        wanted = _matching(tx, site_id, search)
        rows = [row for row in rows if row.group_id in wanted]
    rows.sort(key=lambda row: (-row.last_ms - DOUBLING_MS * math.log2(row.visitors), row.group_id))
    some = rows[offset:offset + limit]
    said = _asks_of(tx, [row.group_id for row in some])
    answers = suggesting.suggestions(tx, said)
    return [_row(row, said[row.group_id], answers.get(row.group_id)) for row in some if said[row.group_id]], len(rows)


def dismiss(tx: Transaction, *, site_id: int, group_id: int) -> bool:
    """Take a group off the list until COMEBACK_VISITORS others ask it; whether it is there. May be repeated."""
    if tx.one(_LOCK, id=group_id, site_id=site_id) is None:
        return False
    tx.run(_DISMISS, id=group_id, now_ms=tx.now_ms())
    return True


def answer(store: Store, site_id: int, group_id: int, *, title: str, question: str, content: str,
           wordings: Sequence[str] | None = None) -> int:
    """Make a faq of a group and take it off the list; the entry's number. It is found by the other wordings, too:
    those given, or (None) those of the list that do not tell who asked.

    Raises ApiError not_found; conflict while somebody else does the same; ValueError for an entry with a problem.
    """
    own = Entry("faq", title, question, content)
    if problem := own.problem():
        raise ValueError(problem)
    claimed = store.write(_claim, site_id=site_id, group_id=group_id)
    if claimed is None:
        raise ApiError("not_found")
    if not claimed:
        raise ApiError("conflict", "Somebody is making an entry of this question at the moment.")
    try:
        others = store.read_heavy(_wordings, group_id=group_id) if wordings is None else wordings
        entry = Entry("faq", title, with_wordings(question, others), content)
        number = add_entries(store, site_id, [entry])[0]
    except BaseException:
        store.write(_release, group_id=group_id)
        raise
    asks.drop_group(store, site_id, group_id)
    return number


def with_wordings(question: str, wordings: Sequence[str]) -> str:
    """A faq's question with other ways to put it, each a sentence of its own; as many as fit."""
    said, known = question.strip(), {folded(question)}
    for wording in wordings:
        if folded(wording) in known:
            continue
        longer = f"{_as_question(said)} {_as_question(wording.strip())}"
        if len(longer) > MAX_QUESTION_CHARS:
            break
        said = longer
        known.add(folded(wording))
    return said


def folded(question: str) -> str:
    """The same for wordings that differ in case, accents and marks only."""
    return " ".join(map(text.bare, text.words(question)))


def _claim(tx: Transaction, *, site_id: int, group_id: int) -> bool | None:
    """Whether the group is ours to answer; None when there is none."""
    group = tx.one(_LOCK, id=group_id, site_id=site_id)
    if group is None:
        return None
    now_ms = tx.now_ms()
    # After a lost COMMIT the claim may be our own.
    if group.claimed_until_ms > now_ms and not tx.may_be_done:
        return False
    tx.run(_CLAIM, id=group_id, until_ms=now_ms + CLAIM_MS)
    return True


def _release(tx: Transaction, *, group_id: int) -> None:
    tx.run(_CLAIM, id=group_id, until_ms=0)


def _wordings(tx: Transaction, *, group_id: int) -> list[str]:
    question, *others = _by_typicality(_asks_of(tx, [group_id])[group_id]) or [""]
    return [each for each in [question, *others[:MAX_OTHER_WORDINGS]] if each and not is_personal(each)]


def _matching(tx: Transaction, site_id: int, search: str) -> set[int]:
    words = [text.bare(word) for word in search.casefold().split()[:10]]
    said: dict[int, str] = defaultdict(str)
    for row in tx.all(_QUESTIONS, site_id=site_id):
        said[row.group_id] += "\n" + text.bare(row.question.casefold())
    return {number for number, texts in said.items() if all(word in texts for word in words)}


def _asks_of(tx: Transaction, group_ids: Sequence[int]) -> dict[int, list]:
    """The asks of groups, the newest first."""
    found: dict[int, list] = {number: [] for number in group_ids}
    if group_ids:
        query = UnansweredAsk.select(UnansweredAsk).where(UnansweredAsk.group_id.in_(list(group_ids)))
        for row in tx.all(query.order_by(UnansweredAsk.id.desc()).limit(asks.MAX_OF_SITE)):
            found[row.group_id].append(row)
    return found


def _row(row: Any, said: Sequence[Any], suggestion: Mapping | None) -> dict:
    question, *others = _by_typicality(said)
    langs = Counter(ask.lang for ask in said if ask.lang)
    return {
        "id": row.group_id, "question": question, "wordings": others[:MAX_OTHER_WORDINGS], "count": row.asks,
        "visitors": row.visitors, "lang": langs.most_common(1)[0][0] if langs else "", "first_ms": row.first_ms,
        "last_ms": row.last_ms, "conversation_id": said[0].conversation_id, "suggestion": suggestion,
    }


def _by_typicality(said: Sequence[Any]) -> list[str]:
    """The different wordings: first what tells nobody's number or address, then what most visitors wrote, then with a
    question mark, then what shares most with the others, then the shortest; of each the newest spelling."""
    terms = [unpack(ask.terms) for ask in said]
    common = Counter(term for each in terms for term in each)
    visitors: dict[str, set[int]] = defaultdict(set)
    spelled: dict[str, tuple[str, float]] = {}
    for ask, each in zip(said, terms, strict=True):
        key = folded(ask.question)
        visitors[key].add(ask.visitor_id)
        spelled.setdefault(key, (ask.question, sum(common[term] for term in each) / max(1, len(each))))

    def rank(key: str) -> tuple:
        question, shared = spelled[key]
        return is_personal(question), -len(visitors[key]), not question.endswith(MARKS), -shared, len(key), key

    return [spelled[key][0] for key in sorted(spelled, key=rank)]


def _as_question(said: str) -> str:
    """With a mark behind it, so that the next wording is a sentence of its own."""
    if said.endswith((*MARKS, "!", "！", ".", "。")):
        return said
    return said + ("？" if text.is_dense(said[-1:]) else "?")
