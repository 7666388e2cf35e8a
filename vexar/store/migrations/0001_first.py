"""The schema of the first release, frozen in 0001_first.sql; a new database gets schema.sql instead."""

from pathlib import Path

from vexar.store.schema import statements


def up(migrator, db):
    dialect = "sqlite" if "sqlite" in type(db).__name__.lower() else "mysql"
    for statement in statements(dialect, Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")):
        db.execute_sql(statement)
