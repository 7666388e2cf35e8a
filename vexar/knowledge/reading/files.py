"""Brings whole files into a site's knowledge."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vexar.knowledge.index import add_entries
from vexar.knowledge.reading.extract import Extracted, ExtractError, extract
from vexar.store import Store


def import_files(store: Store, site_id: int, paths: Iterable[str | Path], lang: str = "") -> dict[str, Any]:
    """Import files; all are read before the first entry is stored. Raises ExtractError naming the file.

    Answers {"imported": entries taken, "ids": in the order of the rows, "skipped": [{"row", "error"}, ...]}, with
    "file" in each of `skipped` when there are several. A row that says what is stored already counts as imported
    and gives the id it has.
    """
    paths = [Path(path) for path in paths]
    read = [(path.name, _read(path)) for path in paths]
    entries = [entry for _, found in read for entry in found.entries]
    ids = add_entries(store, site_id, entries, lang)
    skipped = [({"file": name} if len(paths) > 1 else {}) | row for name, found in read for row in found.skipped]
    return {"imported": len(ids), "ids": ids, "skipped": skipped}


def _read(path: Path) -> Extracted:
    try:
        return extract(path.name, path.read_bytes())
    except ExtractError as problem:
        raise ExtractError(f"{path}: {problem}") from None
    except OSError as problem:
        raise ExtractError(f"{path}: {problem.strerror or 'cannot be read'}") from problem
