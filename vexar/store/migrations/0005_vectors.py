"""Embeddings of knowledge: 0005_vectors.sql."""

from pathlib import Path

from vexar.store.schema import apply


def up(migrator, db):
    apply(db, Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
