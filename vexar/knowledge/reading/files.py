"""Brings whole files into a site's knowledge: named ones, those of folders, those a pattern fits."""

from __future__ import annotations

import glob
import shlex
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from vexar.knowledge.index import add_entries
from vexar.knowledge.reading.extract import KINDS, Extracted, ExtractError, PackageMissing, extract
from vexar.store import Store

Told = Callable[[str, int, int], object]


def import_files(
    store: Store, site_id: int, paths: Iterable[str | Path], lang: str = "", told: Told | None = None
) -> dict[str, Any]:
    """Import files, folders and patterns; all are read before the first entry is stored. `told(step, done, total)` is
    called as it goes on. Raises ExtractError for a file that is not there, and for one alone that cannot be read.

    Answers {"imported": entries taken, "ids": in the order of the rows, "skipped": [{"row", "error"}, ...]}, with
    "file" in each of `skipped` when there are several; `row` is None for a file that cannot be read as a whole. A row
    that says what is stored already counts as imported and gives the id it has.
    """
    told = told or (lambda step, done, total: None)
    files = list(dict.fromkeys(file for path in paths for file in _files(path)))
    read = []
    for count, file in enumerate(files, 1):
        read.append((str(file.name), _read(file, is_alone=len(files) == 1)))
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


def _read(path: Path, is_alone: bool) -> Extracted:
    """What a file holds; one of many that cannot be read holds nothing but the reason."""
    try:
        return extract(path.name, path.read_bytes())
    except FileNotFoundError as problem:
        # A name that was mistyped: nothing is stored before it is mended.
        raise ExtractError(f"{path}: {problem.strerror}") from problem
    except (ExtractError, OSError) as problem:
        reason = _reason(problem)
        if is_alone:
            raise ExtractError(f"{path}: {reason}") from problem
        return Extracted(skipped=[{"row": None, "error": reason}])


def _reason(problem: ExtractError | OSError) -> str:
    if isinstance(problem, PackageMissing):
        # Another Python of this machine is no use to this installation.
        python = shlex.quote(sys.executable)
        return f"reading {problem.kind} needs one more package: {python} -m pip install {problem.package}"
    return str(problem) if isinstance(problem, ExtractError) else problem.strerror or "cannot be read"
