"""Group commit for SQLite: the one place of a process that writes to the file.

Jobs that queued while one commit waited for the disk become the next transaction, a savepoint each, without
any timer; so one fsync serves many visitors, and a job that fails takes only itself back.
"""

from __future__ import annotations

import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any

from vexar.native import NativePool
from vexar.store.base import Duplicate, Job, StoreError, Transaction

# By then the fsync costs each of them next to nothing, and a batch that fails fails for all of its jobs.
MAX_BATCH_JOBS = 200
# A batch holds the file's lock; other workers, and their leases, wait for that long at the most.
MAX_BATCH_S = 0.05
# How long the writer waits for another process before the jobs fail; the streams go on meanwhile.
LOCK_TIMEOUT_S = 10.0


class SqliteTransaction(Transaction):
    """A transaction on a raw sqlite3 connection."""

    dialect = "sqlite"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def _run(self, sql: str, values: Any) -> sqlite3.Cursor:
        try:
            return self._connection.execute(sql, values)
        except sqlite3.IntegrityError as problem:
            # Others (a missing value) are faults of ours and must not pass for a repeat.
            if "UNIQUE" in str(problem):
                raise Duplicate(str(problem)) from problem
            raise


class _Ticket:
    """A waiting job and, later, its outcome."""

    __slots__ = ("arguments", "done", "error", "job", "value")

    def __init__(self, job: Job, arguments: dict) -> None:
        self.job = job
        self.arguments = arguments
        self.value: Any = None
        self.error: BaseException | None = None
        self.done = threading.Event()


class Writer:
    """Runs write jobs, many in one commit. `connect` opens the connection, in the writer's native thread."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._connection: sqlite3.Connection | None = None
        self._queue: queue.SimpleQueue = queue.SimpleQueue()
        # A job queued behind the end would wait for ever.
        self._lock = threading.Lock()
        self._is_closed = False
        self._pool = NativePool(1)
        self.commits = 0
        self.jobs = 0
        self._thread = threading.Thread(target=self._gather, name="vexar-writer", daemon=True)
        self._thread.start()

    def write(self, job: Job, arguments: dict) -> Any:
        """Run the job in the next transaction; returns after its commit. Raises StoreError, also once it is closed."""
        ticket = _Ticket(job, arguments)
        with self._lock:
            if self._is_closed:
                raise StoreError("the database is closed")
            self._queue.put(ticket)
        ticket.done.wait()
        if ticket.error is not None:
            raise ticket.error
        return ticket.value

    def close(self) -> None:
        """Finish what is queued, then end the threads."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            self._queue.put(None)
        self._thread.join()
        self._pool.run(self._disconnect)
        self._pool.close()

    def _gather(self) -> None:
        waiting: list[_Ticket] = []
        closing = False
        while not (closing and not waiting):
            if not waiting:
                waiting.append(self._queue.get())
            while len(waiting) < MAX_BATCH_JOBS and not self._queue.empty():
                waiting.append(self._queue.get())
            closing = closing or None in waiting
            waiting = [ticket for ticket in waiting if ticket is not None]
            done = self._pool.run(self._commit, waiting) if waiting else 0
            for ticket in waiting[:done]:
                ticket.done.set()
            # What did not fit into MAX_BATCH_S goes first in the next one.
            waiting = waiting[done:]

    def _commit(self, tickets: list[_Ticket]) -> int:
        """Run as many tickets as fit into one transaction; how many. In the native thread."""
        done = 0
        try:
            connection = self._connected()
            connection.execute("BEGIN IMMEDIATE")
            started = time.monotonic()
            tx = SqliteTransaction(connection)
            for ticket in tickets:
                done += 1
                _run_in_savepoint(connection, tx, ticket)
                if time.monotonic() - started > MAX_BATCH_S:
                    break
            connection.execute("COMMIT")
        except Exception as problem:
            # None begun: the file is locked or away, and one by one they would each wait as long again.
            done = done or len(tickets)
            self._fail(tickets[:done], problem)
        self.commits += 1
        self.jobs += done
        return done

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _fail(self, tickets: list[_Ticket], problem: Exception) -> None:
        for ticket in tickets:
            ticket.value = None
            ticket.error = StoreError(f"the database refused the write: {problem}")
            ticket.error.__cause__ = problem
        self._disconnect()

    def _disconnect(self) -> None:
        # A connection whose commit failed is in an unknown state; the next batch opens a new one.
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.rollback()
            self._connection.close()
            self._connection = None


def _run_in_savepoint(connection: sqlite3.Connection, tx: SqliteTransaction, ticket: _Ticket) -> None:
    connection.execute("SAVEPOINT job")
    try:
        ticket.value = ticket.job(tx, **ticket.arguments)
    except sqlite3.OperationalError:
        # The disk or the file, not this job: SQLite may have rolled back everything already.
        raise
    except Exception as problem:
        ticket.error = problem
        connection.execute("ROLLBACK TO job")
    connection.execute("RELEASE job")
