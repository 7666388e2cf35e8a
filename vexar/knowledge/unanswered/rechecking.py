"""Takes questions off the list that a new or changed entry answers: every wording is asked again, off the hot path.

A site is looked at when its knowledge has changed and then stood still for one tick, so that an import or a crawl is
not followed entry by entry. Whoever is killed goes on where `checked_version` says.
"""

from __future__ import annotations

import time
import weakref
from dataclasses import dataclass, field

from vexar.knowledge.unanswered import asks
from vexar.knowledge.unanswered.finding import answering, find_site
from vexar.models import KnowledgeEntry, Site, UnansweredAsk, UnansweredGroup
from vexar.store import P, Statement, Store, Transaction

ASKS_A_LOOK = 50
# What an eraser or a limit left to tidy waits so long.
TIDY_S = 900

_VERSIONS = Statement(
    Site.select(Site.id, Site.knowledge_version)
    .where(Site.id.in_(UnansweredGroup.select(UnansweredGroup.site_id).distinct())).order_by(Site.id)
)
_OLDER = Statement(
    UnansweredAsk.select(
        UnansweredAsk.id, UnansweredAsk.question, UnansweredAsk.lang, UnansweredAsk.is_rejected,
        UnansweredAsk.created_ms)
    .where((UnansweredAsk.site_id == P.site_id) & (UnansweredAsk.checked_version != P.version))
    .order_by(UnansweredAsk.id.desc()).limit(ASKS_A_LOOK)
)

_ENTRY = Statement(KnowledgeEntry.select(KnowledgeEntry.changed_ms).where(KnowledgeEntry.id == P.id))


@dataclass
class _Memory:
    """By site: the version at the last tick, the one everything was checked for, and when it was tidied."""

    seen: dict[int, int] = field(default_factory=dict)
    checked: dict[int, int] = field(default_factory=dict)
    tidied_s: dict[int, float] = field(default_factory=dict)


_memories: weakref.WeakKeyDictionary[Store, _Memory] = weakref.WeakKeyDictionary()


def catch_up(store: Store, *, timeout_s: float = 2.0) -> bool:
    """Check what is not yet; False when something is left. Any number of workers may do it at once."""
    memory = _memories.setdefault(store, _Memory())
    give_up = time.monotonic() + timeout_s
    rows = store.read(_versions)
    still = {row.id for row in rows if memory.seen.get(row.id) == row.knowledge_version}
    memory.seen = {row.id: row.knowledge_version for row in rows}
    is_done = True
    for row in rows:
        if time.monotonic() > memory.tidied_s.get(row.id, 0.0):
            asks.tidy(store, row.id)
            memory.tidied_s[row.id] = time.monotonic() + TIDY_S
        if memory.checked.get(row.id) == row.knowledge_version:
            continue
        if row.id in still and _check(store, row.id, row.knowledge_version, give_up):
            memory.checked[row.id] = row.knowledge_version
        else:
            is_done = False
    return is_done


def _versions(tx: Transaction) -> list:
    return tx.all(_VERSIONS)


def _check(store: Store, site_id: int, version: int, give_up: float) -> bool:
    """Whether every ask of a site was checked for this version before time ran out."""
    site = store.read(find_site, site_id=site_id)
    while site is not None and (rows := store.read(_older, site_id=site_id, version=version)):
        answers: dict[tuple[str, str], int] = {}
        done: dict[int, bool] = {}
        for row in rows:
            if time.monotonic() > give_up:
                break
            key = (row.question, row.lang)
            if key not in answers:
                answers[key] = _changed_ms(store, answering(store, site_id, site, row.question, row.lang))
            # What the model has refused, the same entry does not answer now: it has to be newer than the question.
            done[row.id] = answers[key] > (row.created_ms if row.is_rejected else 0)
        store.write(_settle, version=version, site_id=site_id, done=done)
        if time.monotonic() > give_up:
            return False
    return True


def _older(tx: Transaction, *, site_id: int, version: int) -> list:
    return tx.all(_OLDER, site_id=site_id, version=version)


def _changed_ms(store: Store, entry_id: int | None) -> int:
    """When the entry was written; 0 for none."""
    row = store.read(lambda tx: tx.one(_ENTRY, id=entry_id)) if entry_id else None
    return row.changed_ms if row else 0


def _settle(tx: Transaction, *, site_id: int, version: int, done: dict[int, bool]) -> None:
    """Forget what is answered, with the groups in which nothing else is asked; mark the rest as checked."""
    answered = [number for number, is_answered in done.items() if is_answered]
    open_ids = [number for number, is_answered in done.items() if not is_answered]
    if answered:
        numbers = [row.group_id for row in tx.all(
            UnansweredAsk.select(UnansweredAsk.group_id).where(UnansweredAsk.id.in_(answered)).distinct()
        )]
        tx.run(UnansweredAsk.delete().where(UnansweredAsk.id.in_(answered)))
        asks.drop_empty(tx, site_id, numbers)
    if open_ids:
        tx.run(UnansweredAsk.update(checked_version=version).where(UnansweredAsk.id.in_(open_ids)))
