"""What scoring needs to know of a site as a whole, kept between searches and renewed when its knowledge changed."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from peewee import fn

from vexar.models import KnowledgeChunk, KnowledgeEntry, Site
from vexar.store import P, Statement, Transaction

ROWS_PER_READ = 500
# Counts of terms are kept with the overview; a site has more words than anybody asks for.
MAX_COUNTS = 20_000

_OF_SITE = ((KnowledgeChunk.site_id == P.site_id) & (KnowledgeEntry.length > 0))
_JOINED = KnowledgeEntry.id == KnowledgeChunk.entry_id
SITE_VERSION = Statement(Site.select(Site.knowledge_version).where(Site.id == P.site_id))
COUNT = Statement(KnowledgeChunk.select(fn.COUNT(1).alias("chunks")).join(KnowledgeEntry, on=_JOINED).where(_OF_SITE))
CHUNKS_AFTER = Statement(
    KnowledgeChunk.select(
        KnowledgeChunk.id, KnowledgeChunk.entry_id, KnowledgeEntry.type, KnowledgeEntry.lang,
        KnowledgeChunk.question_terms, KnowledgeChunk.title_terms, KnowledgeChunk.content_terms)
    .join(KnowledgeEntry, on=_JOINED)
    .where(_OF_SITE & (KnowledgeChunk.id > P.after)).order_by(KnowledgeChunk.id).limit(ROWS_PER_READ))


class Facts(NamedTuple):
    """What scoring knows of one chunk. `lang` is that of its entry."""

    entry_id: int
    is_faq: bool
    lang: str
    lengths: tuple[int, int, int]


@dataclass
class Overview:
    """A site at one version. `means`: of faq and of other chunks, the mean length of question, title and content."""

    version: int = -1
    chunks: dict[int, Facts] = field(default_factory=dict)
    langs: tuple[str, ...] = ()
    means: dict[bool, tuple[float, float, float]] = field(default_factory=dict)
    last_id: int = 0
    # How many chunks have a term; valid for this version.
    counts: dict[str, int] = field(default_factory=dict)


def refresh(tx: Transaction, site_id: int, known: Overview | None) -> Overview:
    """The overview of now; `known` itself while nothing changed, and only what is new where nothing was removed."""
    # The version is read first: chunks that come meanwhile are kept under the older number and read again.
    row = tx.one(SITE_VERSION, site_id=site_id)
    version = row.knowledge_version if row else 0
    if known and known.version == version:
        return known
    found = dict(known.chunks) if known else {}
    _read(tx, site_id, found, known.last_id if known else 0)
    if known and len(found) != tx.one(COUNT, site_id=site_id).chunks:
        found = {}
        _read(tx, site_id, found, 0)
    means = {is_faq: _means(facts.lengths for facts in found.values() if facts.is_faq is is_faq)
             for is_faq in (True, False)}
    langs = tuple(sorted({facts.lang for facts in found.values()}))
    return Overview(version, found, langs, means, max(found, default=0))


def breathe(tx: Transaction) -> None:
    """Let the running answers go on: on MySQL a search shares the loop with them, on SQLite it has a thread."""
    if tx.dialect == "mysql":
        time.sleep(0)


def _read(tx: Transaction, site_id: int, found: dict[int, Facts], after: int) -> None:
    while rows := tx.all(CHUNKS_AFTER, site_id=site_id, after=after):
        for number, entry_id, kind, lang, *lengths in rows:
            found[number] = Facts(entry_id, kind == "faq", lang, tuple(lengths))
        after = rows[-1].id
        breathe(tx)


def _means(lengths: Iterable[tuple[int, int, int]]) -> tuple[float, float, float]:
    """The mean of each field over those that have it; 1 where none does."""
    sums, filled = [0, 0, 0], [0, 0, 0]
    for three in lengths:
        for place, length in enumerate(three):
            sums[place] += length
            filled[place] += length > 0
    return tuple(total / many if many else 1.0 for total, many in zip(sums, filled, strict=True))
