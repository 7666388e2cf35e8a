"""The SQLite engine: WAL, synchronous=FULL, one writer, reads inline on one long-lived connection."""

from __future__ import annotations

import queue
import sqlite3
import threading
from pathlib import Path
from typing import Any

from vexar.native import NativePool
from vexar.store.base import Job, StoreError
from vexar.store.writer import LOCK_TIMEOUT_S, SqliteTransaction, Writer

# One long export must not keep every search waiting; more would only fight for the same processor.
HEAVY_READERS = 2
CACHE_KIB = 16_384


class SqliteStore:
    """A database file. Several processes of one machine may open it at the same time."""

    dialect = "sqlite"

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        self._read_lock = threading.Lock()
        # A wait here stops every stream of the worker; in WAL mode a reader waits for nothing but a recovery.
        self._reader = _connect(self.path, lock_timeout_s=0.2)
        self._heavy_readers: queue.SimpleQueue = queue.SimpleQueue()
        for _ in range(HEAVY_READERS):
            self._heavy_readers.put(_connect(self.path, lock_timeout_s=0.2))
        self._heavy_pool = NativePool(HEAVY_READERS)
        self._is_closed = False
        self._writer = Writer(lambda: _connect(self.path, lock_timeout_s=LOCK_TIMEOUT_S))

    def read(self, job: Job, **arguments: Any) -> Any:
        """See Store.read. 20 to 60 us inline beat a hand-over to a thread."""
        with self._read_lock:
            return _read(self._reader, job, arguments)

    def read_heavy(self, job: Job, **arguments: Any) -> Any:
        """See Store.read_heavy."""
        connection = self._heavy_readers.get()
        try:
            if self._is_closed:
                raise StoreError("the database is closed")
            return self._heavy_pool.run(_read, connection, job, arguments)
        finally:
            self._heavy_readers.put(connection)

    def write(self, job: Job, **arguments: Any) -> Any:
        """See Store.write."""
        return self._writer.write(job, arguments)

    def counts(self) -> dict[str, int]:
        """Write jobs and commits since the start; their ratio is what group commit saves."""
        return {"jobs": self._writer.jobs, "commits": self._writer.commits}

    def data_version(self) -> int:
        """A number that changes when anybody else committed: the cheapest question whether there is news."""
        with self._read_lock:
            return self._reader.execute("PRAGMA data_version").fetchone()[0]

    def close(self) -> None:
        """See Store.close."""
        self._is_closed = True
        self._writer.close()
        self._reader.close()
        for connection in [self._heavy_readers.get() for _ in range(HEAVY_READERS)]:
            connection.close()
            # Whoever comes late must not wait for a connection that never comes back.
            self._heavy_readers.put(connection)
        self._heavy_pool.close()


def _connect(path: str, *, lock_timeout_s: float) -> sqlite3.Connection:
    # Transactions are begun by hand: the module would begin its own before the first write, too late for IMMEDIATE.
    connection = sqlite3.connect(path, timeout=lock_timeout_s, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    # Its own one knows A to Z only; MariaDB's knows every alphabet.
    connection.create_function("LOWER", 1, lambda text: text and text.lower(), deterministic=True)
    return connection


def _read(connection: sqlite3.Connection, job: Job, arguments: dict) -> Any:
    try:
        connection.execute("BEGIN")
    except sqlite3.Error as problem:
        raise StoreError(f"the database cannot be read: {problem}") from problem
    try:
        return job(SqliteTransaction(connection), **arguments)
    except sqlite3.OperationalError as problem:
        raise StoreError(f"the database cannot be read: {problem}") from problem
    finally:
        # A reader that stays open would let the write-ahead log grow without bound.
        connection.execute("ROLLBACK")
