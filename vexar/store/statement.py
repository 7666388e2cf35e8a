"""Statements compiled from the peewee models: once per engine, then run on the raw connection.

    FIND = Statement(Visitor.select(Visitor.id).where(Visitor.session_id == P.session_id))
    tx.one(FIND, session_id="sess_1")

peewee stays the one source of table and column names; the 200 microseconds of building SQL are paid once.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from peewee import MySQLDatabase, Node, Query, Select, SqliteDatabase

# Never connected: they only know how each engine spells SQL.
DIALECTS = {"sqlite": SqliteDatabase(None), "mysql": MySQLDatabase(None)}


class Param(Node):
    """A value that is given by name when the statement runs."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __sql__(self, ctx: Any) -> Any:
        # False keeps peewee from sending the placeholder object itself through the column's converter.
        return ctx.value(_Slot(self.name), False)


class _Params:
    def __getattr__(self, name: str) -> Param:
        return Param(name)


class _Slot:
    def __init__(self, name: str) -> None:
        self.name = name


P = _Params()


class Statement:
    """One query with named parameters (`P.name`). `lock`: the selected rows stay locked (MySQL only; SQLite
    locks the whole file at BEGIN IMMEDIATE)."""

    def __init__(self, query: Query, *, lock: bool = False) -> None:
        self._query = query
        self._lock = lock
        self._compiled: dict[str, tuple[str, Callable[[Mapping], Sequence]]] = {}
        # Makes a named tuple of the selected columns; found out when the statement first returns rows.
        self.make_row: Callable[[Sequence], Any] | None = None

    def compiled(self, dialect: str) -> tuple[str, Callable[[Mapping], Sequence]]:
        """The SQL text, and the function that turns named parameters into the list the driver takes."""
        found = self._compiled.get(dialect)
        if found is None:
            found = self._compiled[dialect] = compile_query(self._query, dialect, lock=self._lock)
        return found


# namedtuple() compiles a class, which costs more than most of our queries.
_row_types: dict[tuple[str, ...], type] = {}


def row_type(names: tuple[str, ...]) -> type:
    """The named tuple type of these columns, one for all rows of one shape."""
    found = _row_types.get(names)
    if found is None:
        found = _row_types[names] = namedtuple("Row", names)
    return found


def compile_query(query: Query, dialect: str, *, lock: bool = False) -> tuple[str, Callable[[Mapping], Sequence]]:
    """Compile a peewee query for one engine."""
    if lock and dialect == "mysql" and isinstance(query, Select):
        query = query.for_update()
    sql, values = DIALECTS[dialect].get_sql_context().sql(query).query()
    if not any(isinstance(value, _Slot) for value in values):
        fixed = tuple(values)
        return sql, lambda params: fixed
    plan = tuple((value.name, None) if isinstance(value, _Slot) else (None, value) for value in values)

    def bind(params: Mapping) -> list:
        return [params[name] if name else value for name, value in plan]

    return sql, bind
