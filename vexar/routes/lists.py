"""Lists for operators: pages as JSON, or everything as CSV, written slice by slice so that no size is too large."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import msgspec
from flask import Response

from vexar.routes.fields import OneOf, Whole

MAX_PER_PAGE = 100
# Spreadsheets take a cell that begins so for a formula, and a visitor may have written it.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")
# More rows at once would keep the streams of the worker waiting where the database is a server.
SLICE_ROWS = 200
# Each slice costs as much as those before it; lists that are longer have a key.
MAX_OFFSET = 10_000


class ListQuery(msgspec.Struct, kw_only=True):
    """Which page, or all of it as CSV."""

    page: Whole(1, 1_000_000) = 1
    per_page: Whole(1, MAX_PER_PAGE) = 20
    format: OneOf("json", "csv") = "json"

    @property
    def offset(self) -> int:
        """How many rows come before the page."""
        return (self.page - 1) * self.per_page


class CsvQuery(msgspec.Struct, kw_only=True):
    """As JSON, or as CSV."""

    format: OneOf("json", "csv") = "json"


class Pagination(msgspec.Struct, kw_only=True):
    """Where a page stands; `pages` is 0 when there is nothing."""

    total: int
    page: int
    per_page: int
    pages: int


def page_answer(rows: list[dict], total: int, query: ListQuery) -> dict[str, Any]:
    """The `data` and `pagination` of one page."""
    pages = -(-total // query.per_page)
    return {
        "data": rows,
        "pagination": {"total": total, "page": query.page, "per_page": query.per_page, "pages": pages},
    }


def list_answer(
    query: ListQuery, read: Callable[..., tuple[list[dict], int]], name: str, columns: Sequence[str],
    shown: Callable[[dict], dict] = dict,
) -> dict[str, Any] | Response:
    """One page of what `read(offset=, limit=)` gives (rows and their number in all), or a file `name`.csv of these
    columns with every row as `shown` makes it."""
    if query.format == "csv":
        return csv_answer(name, columns, map(shown, _by_offsets(read)))
    return page_answer(*read(offset=query.offset, limit=query.per_page), query)


def whole_answer(
    query: ListQuery, rows: Sequence[dict], name: str, columns: Sequence[str]
) -> dict[str, Any] | Response:
    """The same for rows that are all here already: lists that a person made, which stay short."""
    if query.format == "csv":
        return csv_answer(name, columns, rows)
    return page_answer(list(rows[query.offset:query.offset + query.per_page]), len(rows), query)


def csv_answer(name: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Response:
    """A file `name`.csv (UTF-8 with BOM) of these columns of the rows; they are fetched while it is sent."""
    slices = _csv_slices(columns, rows)
    # What fails at once can still be answered with its status.
    body = chain([next(slices)], slices)
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(body, headers=headers, content_type="text/csv; charset=utf-8")


def by_slices(read: Callable[[Any], list[dict]], first: Any, key: Callable[[dict], Any]) -> Iterator[dict]:
    """Rows of one slice after the other: `read(mark)` gives at most SLICE_ROWS behind a mark, which `key` takes from
    the last row."""
    mark = first
    while rows := read(mark):
        yield from rows
        if len(rows) < SLICE_ROWS:
            return
        mark = key(rows[-1])


def _by_offsets(read: Callable[..., tuple[list[dict], int]]) -> Iterator[dict]:
    """For lists that have no key to go on from: what moves meanwhile may come twice or not at all."""
    for offset in range(0, MAX_OFFSET, SLICE_ROWS):
        rows, _ = read(offset=offset, limit=SLICE_ROWS)
        yield from rows
        if len(rows) < SLICE_ROWS:
            return


def cell(value: Any) -> str:
    """One value as text that no spreadsheet runs."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text


def _csv_slices(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    file = io.StringIO()
    writer = csv.writer(file)
    file.write("\ufeff")
    writer.writerow(columns)
    waiting = 0
    for row in rows:
        writer.writerow([cell(row[column]) for column in columns])
        waiting += 1
        if waiting == SLICE_ROWS:
            yield _take(file)
            waiting = 0
    yield _take(file)


def _take(file: io.StringIO) -> bytes:
    text = file.getvalue()
    file.seek(0)
    file.truncate()
    return text.encode()
