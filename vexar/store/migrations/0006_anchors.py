"""Fragments of headings: 0006_anchors.sql."""

from pathlib import Path

from vexar.store.schema import apply


def up(migrator, db):
    apply(db, Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
