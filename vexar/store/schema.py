"""The schema in each engine's own words, and the migrations that bring an older database to it.

A new database gets schema.sql and is marked as holding every migration; an older one gets the missing ones.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playhouse.migrations import Runner

MIGRATIONS = Path(__file__).parent / "migrations"
SCHEMA = Path(__file__).parent.parent.parent / "schema.sql"

_WORDS = {
    "sqlite": ((r" COLLATE ascii_bin", ""), (r"VARBINARY\(\d+\)", "TEXT")),
    "mysql": (
        (r"\bINTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT PRIMARY KEY AUTO_INCREMENT"),
        (r"\bINTEGER\b", "BIGINT"),
        (r"COLLATE ascii_bin", "CHARACTER SET ascii COLLATE ascii_bin"),
        (r"\)( WITHOUT ROWID)?$", ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"),
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
        words = _WORDS[dialect] if statement.startswith("CREATE TABLE") else ()
        for pattern, word in words:
            statement = re.sub(pattern, word, statement)
        found.append(statement)
    return found


def migrate(database: Any, dialect: str) -> list[str]:
    """Bring a peewee database to the newest schema; the names of what was applied. Call it under a lock."""
    runner = Runner(database, directory=str(MIGRATIONS), table_name="schema_migration")
    pending = [step for step in runner.status() if not step.applied]
    if not pending:
        return []
    if runner.applied() or database.table_exists("site"):
        return runner.up()
    with database.atomic():
        for statement in statements(dialect):
            database.execute_sql(statement)
        return runner.fake()


def is_current(applied: set[str]) -> bool:
    """Whether these applied migrations are all there are."""
    return {path.stem for path in MIGRATIONS.glob("[0-9]*.py")} <= applied
