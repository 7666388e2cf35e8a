"""What every engine promises: the interface of the store, of a transaction, and their errors.

A job is a function `job(tx, **arguments)`. It only talks to `tx` and its arguments, returns plain values, and
is safe to run again from the start: an engine repeats it after a deadlock or a lost connection. It rings no
doorbell and takes no lock; on SQLite it runs in a native thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from peewee import Query

from vexar.store.statement import Statement, compile_query, row_type

Job = Callable[..., Any]


class StoreError(Exception):
    """The database cannot be reached or refused the work; nothing of the job was stored."""


class Duplicate(Exception):
    """A unique key exists already; the transaction is still usable."""


class Store(Protocol):
    """A database. Both methods block only the calling thread (under gevent: greenlet)."""

    dialect: str

    def read(self, job: Job, **arguments: Any) -> Any:
        """Run a job that only reads, in one snapshot where the engine has them. Raises StoreError."""

    def read_heavy(self, job: Job, **arguments: Any) -> Any:
        """The same for work over a few milliseconds: search, export, counts."""

    def write(self, job: Job, **arguments: Any) -> Any:
        """Run a job in a transaction; when this returns, its work survives the loss of power. Raises StoreError,
        or what the job raised (then nothing of it was stored)."""

    def close(self) -> None:
        """Release every connection and thread."""


class Transaction:
    """What a job sees. Engines give `_run(sql, values) -> cursor` and, where their clock is elsewhere, `now_ms`."""

    dialect = ""
    # The connection broke during an earlier try: a COMMIT may have arrived whose answer did not. A job that would
    # take its own work for somebody else's has to ask.
    may_be_done = False

    def all(self, query: Statement | Query, **params: Any) -> list:
        """Every row, as named tuples."""
        cursor, statement = self._execute(query, params)
        rows = cursor.fetchall()
        make = _row_maker(cursor, statement)
        return [make(row) for row in rows]

    def one(self, query: Statement | Query, **params: Any) -> Any:
        """The first row as a named tuple, or None."""
        cursor, statement = self._execute(query, params)
        row = cursor.fetchone()
        return None if row is None else _row_maker(cursor, statement)(row)

    def run(self, query: Statement | Query, **params: Any) -> int:
        """Run an insert, update or delete; the number of rows it met. Raises Duplicate."""
        return self._execute(query, params)[0].rowcount

    def insert(self, query: Statement | Query, **params: Any) -> int:
        """Insert one row; the number it got from the database. Raises Duplicate."""
        return self._execute(query, params)[0].lastrowid

    # One machine, one clock: only processes that share it share a file.
    def now_ms(self) -> int:
        """The database's clock, in milliseconds since 1970 UTC."""
        return int(time.time() * 1000)

    def _execute(self, query: Statement | Query, params: Mapping) -> tuple[Any, Statement | None]:
        if isinstance(query, Statement):
            sql, bind = query.compiled(self.dialect)
            return self._run(sql, bind(params)), query
        sql, bind = compile_query(query, self.dialect)
        return self._run(sql, bind(params)), None

    def _run(self, sql: str, values: Sequence) -> Any:
        raise NotImplementedError


def _row_maker(cursor: Any, statement: Statement | None) -> Callable:
    if statement is not None and statement.make_row is not None:
        return statement.make_row
    make = row_type(tuple(column[0] for column in cursor.description))._make
    if statement is not None:
        statement.make_row = make
    return make
