"""The MySQL engine (MariaDB, MySQL and what speaks their protocol): PyMySQL and a small pool of kept connections."""

from __future__ import annotations

import contextlib
import queue
import random
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pymysql
from pymysql.constants import CLIENT, FIELD_TYPE

from vexar.store.base import Duplicate, Job, StoreError, Transaction

# Measured: 4 to 8 a worker are best, more only queue inside the server.
POOL_SIZE = 8
# With their pauses at most 3 s: whoever loses a deadlock that often does not lose by chance.
MAX_REPEATS = 12
CONNECT_TIMEOUT_S = 5
# Far beyond any statement of ours and the wait for a lock: such a server is gone without having said so.
READ_TIMEOUT_S = 60

# A process that is paused or gone in the middle of a transaction keeps its locks, and the keepers of others wait for
# them: half a lease, so that their runs live on.
IDLE_TRANSACTION_TIMEOUT_S = 3

DEADLOCK, LOCK_TIMEOUT, DUPLICATE, UNKNOWN_VARIABLE = 1213, 1205, 1062, 1193
# Beside these: the row changed, the commit failed (both from clusters), the server closed an idle connection.
REPEATABLE = {DEADLOCK, LOCK_TIMEOUT, 1020, 1180, 4031}
# No connection, lost, malformed, killed, shutting down, a node that is not ready; 0 is PyMySQL after an earlier loss.
GONE = {2006, 2013, 2055, 1927, 1053, 1047, 0}
# A statement of its own: the variable has different names on MariaDB and MySQL.
ISOLATION = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
SESSION = (
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', "
    "time_zone = '+00:00', innodb_lock_wait_timeout = 10"
)


class MysqlTransaction(Transaction):
    """A transaction on a PyMySQL connection."""

    dialect = "mysql"

    def __init__(self, connection: pymysql.Connection, *, may_be_done: bool = False) -> None:
        self._connection = connection
        self.may_be_done = may_be_done

    def now_ms(self) -> int:
        """The server's clock: leases of several machines are compared by it, never by a worker's own."""
        cursor = self._run("SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)", ())
        return int(cursor.fetchone()[0])

    def _run(self, sql: str, values: Any) -> Any:
        cursor = self._connection.cursor(_Cursor)
        try:
            cursor.execute(sql, tuple(values) or None)
        except pymysql.err.IntegrityError as problem:
            # Others (a missing value) are faults of ours and must not pass for a repeat.
            if problem.args[0] == DUPLICATE:
                raise Duplicate(str(problem)) from problem
            raise
        return cursor


class _Cursor(pymysql.cursors.Cursor):
    """VARBINARY columns hold UTF-8 text (schema.sql says why); give them back as text. BLOBs stay bytes."""

    def _do_get_result(self) -> None:
        super()._do_get_result()
        if self._rows and any(type(value) is bytes for row in self._rows for value in row):
            are_texts = [column[1] != FIELD_TYPE.BLOB for column in self.description]
            self._rows = [tuple(map(_as_text, row, are_texts)) for row in self._rows]


def _as_text(value: Any, is_text: bool) -> Any:
    return value.decode() if is_text and type(value) is bytes else value


class MysqlStore:
    """A database server. `url`: mysql://user:password@host:3306/name?unix_socket=/path"""

    dialect = "mysql"

    def __init__(self, url: str) -> None:
        self._options = connection_options(url)
        # The last used first, so that a quiet server keeps few busy connections instead of eight that time out.
        self._pool: queue.LifoQueue = queue.LifoQueue()
        for _ in range(POOL_SIZE):
            self._pool.put(None)
        self._jobs = self._commits = 0
        self._is_closed = False

    def read(self, job: Job, **arguments: Any) -> Any:
        """See Store.read. READ COMMITTED: two queries of one job may see different moments."""
        return self._attempts(_read, job, arguments)

    read_heavy = read

    def write(self, job: Job, **arguments: Any) -> Any:
        """See Store.write. Deadlocks, lock time-outs and lost connections run the whole job again."""
        result = self._attempts(_write, job, arguments)
        self._jobs += 1
        self._commits += 1
        return result

    def counts(self) -> dict[str, int]:
        """Write jobs and commits since the start."""
        return {"jobs": self._jobs, "commits": self._commits}

    def close(self) -> None:
        """See Store.close."""
        self._is_closed = True
        for connection in [self._pool.get() for _ in range(POOL_SIZE)]:
            if connection is not None:
                _close(connection)
            # Whoever comes late must not wait for a connection that never comes back.
            self._pool.put(None)

    def _attempts(self, work: Callable, job: Job, arguments: dict) -> Any:
        is_lost = was_lost = False
        for attempt in range(MAX_REPEATS):
            try:
                return self._once(partial(work, may_be_done=was_lost), job, arguments, is_fresh=is_lost)
            except pymysql.err.MySQLError as problem:
                code = problem.args[0] if problem.args else 0
                is_lost = code in GONE
                was_lost = was_lost or is_lost
                # Lost on three new connections, too: the server is away, and the visitor should hear it soon.
                if attempt + 1 == MAX_REPEATS or code not in REPEATABLE | GONE or (is_lost and attempt > 2):
                    raise StoreError(f"the database refused: {problem}") from problem
            # By chance, or two jobs that met in a deadlock meet again.
            time.sleep(random.uniform(0, min(0.5, 0.01 * 2**attempt)))
        raise AssertionError("unreachable")

    def _once(self, work: Callable, job: Job, arguments: dict, *, is_fresh: bool) -> Any:
        connection = self._pool.get()
        try:
            if self._is_closed:
                raise StoreError("the database is closed")
            if is_fresh and connection is not None:
                # One was lost; after a restart of the server all the others of the pool are dead, too.
                _close(connection)
                connection = None
            if connection is None:
                connection = _connect(self._options)
            return work(connection, job, arguments)
        except BaseException as problem:
            if connection is not None and not _is_usable(connection, problem):
                _close(connection)
                connection = None
            raise
        finally:
            self._pool.put(connection)


def connection_options(url: str) -> dict[str, Any]:
    """The PyMySQL arguments of a mysql:// URL."""
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    options: dict[str, Any] = {
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "database": unquote(parts.path.lstrip("/")),
        "charset": "utf8mb4",
        "autocommit": True,
        # FOUND_ROWS: "rows met", not "rows changed", decides whether a run still holds its lease.
        "client_flag": CLIENT.FOUND_ROWS,
        "connect_timeout": CONNECT_TIMEOUT_S,
        "read_timeout": READ_TIMEOUT_S,
        "init_command": SESSION,
    }
    if "unix_socket" in query:
        options["unix_socket"] = query["unix_socket"]
    else:
        options.update(host=parts.hostname or "127.0.0.1", port=parts.port or 3306)
    return options


def _connect(options: dict[str, Any]) -> pymysql.Connection:
    connection = pymysql.connect(**options)
    connection.query(ISOLATION)
    try:
        connection.query(f"SET SESSION idle_transaction_timeout = {IDLE_TRANSACTION_TIMEOUT_S}")
    except pymysql.err.OperationalError as problem:
        # MySQL has no such thing.
        if problem.args[0] != UNKNOWN_VARIABLE:
            raise
    return connection


def _close(connection: pymysql.Connection) -> None:
    with contextlib.suppress(Exception):
        connection.close()


def _read(connection: pymysql.Connection, job: Job, arguments: dict, *, may_be_done: bool) -> Any:
    return job(MysqlTransaction(connection, may_be_done=may_be_done), **arguments)


def _write(connection: pymysql.Connection, job: Job, arguments: dict, *, may_be_done: bool) -> Any:
    connection.begin()
    result = job(MysqlTransaction(connection, may_be_done=may_be_done), **arguments)
    connection.commit()
    return result


def _is_usable(connection: pymysql.Connection, problem: BaseException) -> bool:
    """Roll back explicitly (1205 alone undoes only a statement); False when the connection is lost."""
    if isinstance(problem, pymysql.err.MySQLError) and (problem.args[0] if problem.args else 0) in GONE:
        return False
    try:
        connection.rollback()
    except Exception:
        return False
    return isinstance(problem, Exception)
