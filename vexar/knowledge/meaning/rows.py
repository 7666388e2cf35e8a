"""The rows of embeddings: which chunks lack one, storing them, and reading them for a question."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from peewee import JOIN, fn

from vexar.knowledge.entries import telling_title
from vexar.models import KnowledgeChunk, KnowledgeEntry, KnowledgeVector, Site
from vexar.store import P, Statement, Transaction
from vexar.store.statement import Param

ROWS_PER_READ = 500
# Of one chunk; what models read of a text at most is shorter still.
MAX_TEXT_CHARS = 4_000

_OF_CHUNK = (KnowledgeVector.chunk_id == KnowledgeChunk.id) & (KnowledgeVector.model == P.model)
_PART = fn.SUBSTR(KnowledgeEntry.content, KnowledgeChunk.begins + 1, KnowledgeChunk.ends - KnowledgeChunk.begins)
_FINDABLE = (
    KnowledgeChunk.select()
    .join(KnowledgeEntry, on=(KnowledgeEntry.id == KnowledgeChunk.entry_id))
    .join(Site, on=(Site.id == KnowledgeChunk.site_id))
    .join(KnowledgeVector, JOIN.LEFT_OUTER, on=_OF_CHUNK)
    .where(KnowledgeEntry.length > 0, Site.is_active == 1)
)
MISSING = Statement(
    _FINDABLE.select(
        KnowledgeChunk.id.alias("chunk_id"), KnowledgeChunk.site_id, KnowledgeChunk.heading, KnowledgeEntry.title,
        KnowledgeEntry.question, _PART.alias("content"))
    .where(KnowledgeChunk.id > P.after, KnowledgeVector.id.is_null()).order_by(KnowledgeChunk.id).limit(P.most))
PROGRESS = Statement(
    _FINDABLE.select(fn.COUNT(KnowledgeChunk.id).alias("chunks"), fn.COUNT(KnowledgeVector.id).alias("embedded")))
VERSIONS = Statement(
    Site.select(fn.COUNT(Site.id).alias("sites"), fn.SUM(Site.knowledge_version).alias("versions"))
    .where(Site.is_active == 1))
LAST_CHUNK = Statement(KnowledgeChunk.select(fn.MAX(KnowledgeChunk.id).alias("number")))
# Locked until the embedding is stored: whoever removes the chunk meanwhile finds and removes it, too.
CHUNK = Statement(KnowledgeChunk.select(KnowledgeChunk.id).where(KnowledgeChunk.id == P.chunk_id), lock=True)
# One chunk has one embedding: that of another model makes room.
ADD = Statement(KnowledgeVector.insert({
    KnowledgeVector.site_id: P.site_id, KnowledgeVector.chunk_id: P.chunk_id, KnowledgeVector.model: P.model,
    KnowledgeVector.dims: P.dims, KnowledgeVector.signs: P.signs, KnowledgeVector.numbers: P.numbers,
    KnowledgeVector.squares: P.squares,
}).on_conflict_replace())
PRESENT = Statement(
    KnowledgeVector.select(KnowledgeVector.id)
    .where(KnowledgeVector.chunk_id == P.chunk_id, KnowledgeVector.model == P.model))
_OF_SITE = (KnowledgeVector.site_id == P.site_id) & (KnowledgeVector.model == P.model)
ANY = Statement(KnowledgeVector.select(KnowledgeVector.id).where(_OF_SITE).limit(1))
SIGNS_AFTER = Statement(
    KnowledgeVector.select(KnowledgeVector.id, KnowledgeVector.chunk_id, KnowledgeVector.signs)
    .where(_OF_SITE, KnowledgeVector.id > P.after, KnowledgeVector.dims == P.dims)
    .order_by(KnowledgeVector.id).limit(ROWS_PER_READ))


class Lacking(NamedTuple):
    """A chunk without an embedding, and its text."""

    chunk_id: int
    site_id: int
    text: str


class Made(NamedTuple):
    """The embedding of a chunk."""

    chunk_id: int
    site_id: int
    numbers: bytes
    signs: bytes
    squares: int


def state(tx: Transaction) -> tuple:
    """Something else whenever a chunk became findable since: cheaper to ask than which one lacks an embedding."""
    row = tx.one(VERSIONS)
    return row.sites, int(row.versions or 0), tx.one(LAST_CHUNK).number


def missing(tx: Transaction, *, model: str, after: int, most: int) -> list[Lacking]:
    """The next findable chunks behind `after` that have no embedding of this model. A heavy read."""
    found = tx.all(MISSING, model=model, after=after, most=most)
    return [Lacking(row.chunk_id, row.site_id, _text(row)) for row in found]


def progress(tx: Transaction, *, model: str) -> tuple[int, int]:
    """How many findable chunks have an embedding of this model, of how many. A heavy read."""
    row = tx.one(PROGRESS, model=model)
    return row.embedded, row.chunks


def save(tx: Transaction, *, model: str, made: list[Made]) -> int:
    """Store embeddings of chunks that are still there and have none of this model; how many."""
    saved = 0
    for one in made:
        is_there = tx.one(CHUNK, chunk_id=one.chunk_id)
        if is_there and not tx.one(PRESENT, chunk_id=one.chunk_id, model=model):
            tx.run(ADD, model=model, dims=len(one.numbers), **one._asdict())
            saved += 1
    return saved


def has_any(tx: Transaction, *, site_id: int, model: str) -> bool:
    """Whether a site has embeddings of this model."""
    return tx.one(ANY, site_id=site_id, model=model) is not None


def numbers_of(tx: Transaction, chunks: list[int], *, model: str, dims: int) -> list[Any]:
    """The embeddings of these chunks that have one: chunk_id, numbers, squares."""
    if not chunks:
        return []
    size = 1 << (len(chunks) - 1).bit_length()
    named = {f"chunk{place}": chunks[min(place, len(chunks) - 1)] for place in range(size)}
    return tx.all(_numbers_of(size), model=model, dims=dims, **named)


@functools.cache
def _numbers_of(size: int) -> Statement:
    return Statement(
        KnowledgeVector.select(KnowledgeVector.chunk_id, KnowledgeVector.numbers, KnowledgeVector.squares)
        .where(KnowledgeVector.chunk_id.in_([Param(f"chunk{place}") for place in range(size)]),
               KnowledgeVector.model == P.model, KnowledgeVector.dims == P.dims))


def _text(row: Any) -> str:
    """What a chunk's embedding is made of: as a reader would see it, with the page and heading it stands under."""
    title = telling_title(row.title, row.question, row.content)
    parts = (title, row.heading, row.question, row.content)
    return "\n".join(part.strip() for part in parts if part.strip())[:MAX_TEXT_CHARS]
