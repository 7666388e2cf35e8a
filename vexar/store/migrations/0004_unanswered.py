"""Questions that the knowledge did not answer: 0004_unanswered.sql."""

from pathlib import Path

from vexar.store.schema import apply


def up(migrator, db):
    apply(db, Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
