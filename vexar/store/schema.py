"""The schema in each engine's own words, and the migrations that bring an older database to it.

A new database gets schema.sql and is marked as holding every migration; an older one gets the missing ones.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from peewee import DatabaseError
from playhouse.migrations import Runner

from vexar.store.base import StoreError

MIGRATIONS = Path(__file__).parent / "migrations"
SCHEMA = Path(__file__).parent.parent.parent / "schema.sql"
# MySQL's words for a table, a column and an index that are there.
EXISTS_ALREADY = (1050, 1060, 1061)

_WORDS = {
    "sqlite": ((r" COLLATE ascii_bin", ""), (r"VARBINARY\(\d+\)", "TEXT")),
    "mysql": (
        (r"\bINTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT PRIMARY KEY AUTO_INCREMENT"),
        (r"\bINTEGER\b", "BIGINT"),
        (r"COLLATE ascii_bin", "CHARACTER SET ascii COLLATE ascii_bin"),
        (r"(?s)^(CREATE .*)\)( WITHOUT ROWID)?$", r"\1) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"),
    ),
}


def statements(dialect: str, text: str | None = None) -> list[str]:
    """The statements of schema.sql (or of `text`) for one engine, without comments."""
    bare = re.sub(r"--[^\n]*", "", SCHEMA.read_text(encoding="utf-8") if text is None else text)
    found = []
    for statement in bare.split(";"):
        statement = statement.strip()
        if not statement:
            continue
        words = _WORDS[dialect] if statement.startswith(("CREATE TABLE", "ALTER TABLE")) else ()
        for pattern, word in words:
            statement = re.sub(pattern, word, statement)
        found.append(statement)
    return found


def migrate(database: Any, dialect: str) -> list[str]:
    """Bring a peewee database to the newest schema; the names of what was applied. Call it under a lock.

    Raises StoreError when the database holds tables of something else.
    """
    runner = Runner(database, directory=str(MIGRATIONS), table_name="schema_migration")
    pending = [step for step in runner.status() if not step.applied]
    if not pending:
        return []
    if runner.applied():
        return runner.up()
    # The runner's table is made before all others: a first start may be cut off, and MySQL takes no table back.
    is_carried_on = runner.History.table_exists()
    if not is_carried_on and database.table_exists("site"):
        raise StoreError("the database exists already and is not one of Vexar's; give Vexar a database of its own")
    runner.History.create_table()
    with database.atomic():
        for statement in statements(dialect):
            _make(database, statement, is_carried_on=is_carried_on)
        return runner.fake()


def apply(database: Any, text: str) -> None:
    """Run the statements of one migration. MySQL takes no table back when one is cut off: what is there stays."""
    dialect = "sqlite" if "sqlite" in type(database).__name__.lower() else "mysql"
    for statement in statements(dialect, text):
        _make(database, statement, is_carried_on=dialect == "mysql")


def _make(database: Any, statement: str, *, is_carried_on: bool) -> None:
    try:
        database.execute_sql(statement)
    except DatabaseError as problem:
        if not (is_carried_on and problem.args[0] in EXISTS_ALREADY):
            raise


def is_current(applied: set[str]) -> bool:
    """Whether these applied migrations are all there are."""
    return {path.stem for path in MIGRATIONS.glob("[0-9]*.py")} <= applied
