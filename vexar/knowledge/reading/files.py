"""Brings whole files into a site's knowledge: named ones, those of folders, those a pattern fits."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from vexar.knowledge.index import add_entries
from vexar.knowledge.reading.extract import KINDS, Extracted, ExtractError, extract
from vexar.store import Store

Told = Callable[[str, int, int], object]


def import_files(
    store: Store, site_id: int, paths: Iterable[str | Path], lang: str = "", told: Told | None = None
) -> dict[str, Any]:
    """Import files, folders and patterns; all are read before the first entry is stored. `told(step, done, total)` is
    called as it goes on. Raises ExtractError naming the file.

    Answers {"imported": entries taken, "ids": in the order of the rows, "skipped": [{"row", "error"}, ...]}, with
    "file" in each of `skipped` when there are several. A row that says what is stored already counts as imported
    and gives the id it has.
    """
    told = told or (lambda step, done, total: None)
    files = list(dict.fromkeys(file for path in paths for file in _files(path)))
    read = []
    for count, file in enumerate(files, 1):
        read.append((str(file.name), _read(file)))
        told("reading files", count, len(files))
    entries = [entry for _, found in read for entry in found.entries]
    ids = add_entries(store, site_id, entries, lang, told=lambda done, total: told("storing entries", done, total))
    skipped = [({"file": name} if len(files) > 1 else {}) | row for name, found in read for row in found.skipped]
    return {"imported": len(ids), "ids": ids, "skipped": skipped}


def _files(path: str | Path) -> list[Path]:
    """A file itself; of a folder, everything below it of a kind that can be read; of a pattern, what it fits."""
    named = Path(path)
    if named.is_dir():
        found = [file for file in sorted(named.rglob("*")) if _is_readable(file.relative_to(named)) and file.is_file()]
        if not found:
            raise ExtractError(f"{path}: no file in this folder can be read; use {', '.join(KINDS)}")
        return found
    # Shells that know no patterns hand them over as they are.
    if not named.exists() and glob.has_magic(str(path)):
        plain = next(at for at, part in enumerate(named.parts) if glob.has_magic(part))
        pattern = "/".join(named.parts[plain:])
        found = [file for file in sorted(Path(*named.parts[:plain]).glob(pattern)) if file.is_file()]
        if not found:
            raise ExtractError(f"{path}: no file fits this pattern")
        return found
    return [named]


def _is_readable(path: Path) -> bool:
    is_hidden = any(part.startswith(".") for part in path.parts)
    return path.suffix.lower().lstrip(".") in (*KINDS, "htm") and not is_hidden


def _read(path: Path) -> Extracted:
    try:
        return extract(path.name, path.read_bytes())
    except ExtractError as problem:
        raise ExtractError(f"{path}: {problem}") from None
    except OSError as problem:
        raise ExtractError(f"{path}: {problem.strerror or 'cannot be read'}") from problem
