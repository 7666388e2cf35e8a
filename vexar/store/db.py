"""From a URL to a store that is ready: opens the engine and brings its schema to this version."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from peewee import MySQLDatabase, SqliteDatabase

from vexar.store import schema
from vexar.store.base import Store, StoreError
from vexar.store.mysql import MysqlStore, connection_options
from vexar.store.sqlite import SqliteStore

# What the process that came first may need for a large database; the others start after it.
MIGRATION_LOCK_TIMEOUT_S = 120


def open_store(url: str) -> Store:
    """Open the database of this URL, migrated. Raises StoreError when it cannot be reached."""
    migrate(url)
    return MysqlStore(url) if is_mysql(url) else SqliteStore(sqlite_path(url))


def is_mysql(url: str) -> bool:
    """Whether the URL names a MySQL-protocol server."""
    return url.startswith("mysql://")


def sqlite_path(url: str) -> Path:
    """The file of a sqlite:///FILE URL; relative to the working folder, absolute with four slashes."""
    return Path(url.removeprefix("sqlite:///")).absolute()


def migrate(url: str) -> list[str]:
    """Apply what is missing, under a lock; the names of what was applied. Raises StoreError."""
    try:
        if is_mysql(url):
            return _migrate_mysql(url)
        return _migrate_sqlite(sqlite_path(url))
    except (OSError, StoreError):
        raise
    except Exception as problem:
        # peewee passes on what the drivers raise, and each has names of its own.
        raise StoreError(f"the database cannot be opened: {problem}") from problem


def is_migrated(store: Store) -> bool:
    """Whether the schema is the one this version needs. Raises StoreError when the database is away."""
    return store.read(_is_migrated)


def _is_migrated(tx: Any) -> bool:
    rows = tx._run("SELECT name FROM schema_migration", ()).fetchall()
    return schema.is_current({row[0] for row in rows})


def _migrate_sqlite(path: Path) -> list[str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    # SQLite's own lock ends with each transaction of a migration.
    with _file_lock(Path(f"{path}.migrate")):
        database = SqliteDatabase(str(path), pragmas={"journal_mode": "wal", "synchronous": "full"}, timeout=30)
        with database.connection_context():
            return schema.migrate(database, "sqlite")


@contextlib.contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        # The file stays: removing it would let two processes lock two files of one name.
        os.close(descriptor)


def _migrate_mysql(url: str) -> list[str]:
    options = connection_options(url)
    options.pop("autocommit")
    database = MySQLDatabase(options.pop("database"), **options)
    with database.connection_context():
        name = f"vexar-migrate-{database.database}"[:64]
        if database.execute_sql("SELECT GET_LOCK(%s, %s)", (name, MIGRATION_LOCK_TIMEOUT_S)).fetchone()[0] != 1:
            raise StoreError("another process holds the migration lock")
        try:
            return schema.migrate(database, "mysql")
        finally:
            database.execute_sql("SELECT RELEASE_LOCK(%s)", (name,))
