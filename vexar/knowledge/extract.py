"""From files to entries: md, txt, csv (`type,title,question,content,url`) and jsonl.

A row that cannot be taken is told with its number, as an editor or a spreadsheet shows it (a csv's header is row
1), and never stops the others. A file that cannot be read at all is an ExtractError.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from vexar.knowledge.index import Entry

MAX_FILE_BYTES = 50 * 1024 * 1024
# A page is found and quoted by parts; longer ones bury what they say.
MAX_PART_CHARS = 2000
FIELDS = ("type", "title", "question", "content", "url")
# UTF-32 LE begins with the same two bytes as UTF-16 LE, so it is looked for first.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)
_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*\s*")
_FENCE = re.compile(r"\s{0,3}(```|~~~)")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_EMPHASIS = re.compile(r"(\*\*|(?<!`)`(?!`))(?=\S)(.+?)(?<=\S)\1")


class ExtractError(Exception):
    """The file as a whole cannot be used; the text says why, in one line, without its path."""


@dataclass
class Extracted:
    """What a file held. `skipped`: [{"row", "error"}]."""

    entries: list[Entry] = field(default_factory=list)
    skipped: list[dict[str, Any]] = field(default_factory=list)

    def take(self, row: int, make: Callable[[], Entry]) -> None:
        """Keep the row's entry, or say why not. `make` raises ValueError for a row that is none."""
        try:
            entry = make()
            problem = entry.problem()
        except ValueError as refused:
            problem = str(refused)
        if problem:
            self.skipped.append({"row": row, "error": problem})
        else:
            self.entries.append(entry)


def extract(name: str, data: bytes) -> Extracted:
    """The entries of a file; its kind is told by the ending of `name`. Raises ExtractError."""
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    if ending not in _READERS:
        raise ExtractError(f"files of this kind cannot be read; use one of {', '.join(sorted(_READERS))}")
    if len(data) > MAX_FILE_BYTES:
        raise ExtractError(f"the file is larger than {MAX_FILE_BYTES // 1024**2} MB")
    found = Extracted()
    stem = re.split(r"[/\\]", name)[-1].rpartition(".")[0]
    _READERS[ending](decode(data), stem, found)
    return found


def decode(data: bytes) -> str:
    """The text of a file in UTF-8, or UTF-16/32 with a byte order mark; line ends become \\n. Raises ExtractError."""
    encoding = next((known for mark, known in _BYTE_ORDER_MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        if data.count(0) * 3 > len(data):
            raise ExtractError("the file is UTF-16 without a byte order mark; save it as UTF-8") from None
        raise ExtractError("the file is not UTF-8 text; save it as UTF-8") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _read_csv(text: str, stem: str, found: Extracted) -> None:
    if not text.strip():
        return
    first_line = text.split("\n", 1)[0]
    # Spreadsheets in half of Europe write semicolons.
    delimiter = max(",;\t", key=first_line.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    csv.field_size_limit(MAX_FILE_BYTES)
    header: list[str] = []
    for row, cells in _counted(rows, found):
        if not header:
            header = [cell.strip().lower() for cell in cells]
            if "content" not in header:
                raise ExtractError(f"the first row must name the columns {','.join(FIELDS)}")
        elif any(cell.strip() for cell in cells):
            found.take(row, partial(_from_cells, header, cells))


def _counted(rows: Iterator[list[str]], found: Extracted) -> Iterator[tuple[int, list[str]]]:
    """Number the records of a csv; a broken one ends the reading, for what follows it cannot be told apart."""
    row = 1
    while True:
        try:
            yield row, next(rows)
        except StopIteration:
            return
        except csv.Error as problem:
            found.skipped.append({"row": row, "error": f"The row is not valid csv: {problem}."})
            return
        row += 1


def _from_cells(header: list[str], cells: list[str]) -> Entry:
    if len(cells) > len(header):
        raise ValueError(f"The row has {len(cells)} fields, the header {len(header)}; is a quotation mark missing?")
    return _entry(dict(zip(header, cells, strict=False)))


def _read_jsonl(text: str, stem: str, found: Extracted) -> None:
    for row, line in enumerate(text.split("\n"), 1):
        if line.strip():
            found.take(row, partial(_from_json, line))


def _from_json(line: str) -> Entry:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError("The line is not valid JSON.") from None
    if not isinstance(values, dict):
        raise ValueError("The line is not a JSON object.")
    wrong = [name for name in FIELDS if not isinstance(values.get(name), str | None)]
    if wrong:
        raise ValueError(f"{wrong[0]} must be text.")
    return _entry(values)


def _entry(values: dict[str, Any]) -> Entry:
    """An entry from named texts; without a type it is a faq when it has a question."""
    texts = {name: (values.get(name) or "").strip() for name in FIELDS}
    kind = texts["type"].lower() or ("faq" if texts["question"] else "custom")
    return Entry(kind, texts["title"] or texts["question"][:200], texts["question"], texts["content"],
                 texts["url"] or None)


def _read_txt(text: str, stem: str, found: Extracted) -> None:
    for row, part in _parts(text, 1):
        found.take(row, partial(Entry, "custom", _title(stem), "", part))


def _read_md(text: str, stem: str, found: Extracted) -> None:
    """Each section is an entry; its title names the headings above it."""
    path: list[tuple[int, str]] = []
    body: list[str] = []
    first_row = 1
    is_code = False
    lines = text.split("\n")
    for row, line in enumerate(lines, 1):
        is_code ^= bool(_FENCE.match(line))
        heading = None if is_code else _HEADING.fullmatch(line)
        if heading is None:
            body.append(line)
            continue
        _take_section(found, first_row, path, stem, body)
        level = len(heading[1])
        path = [above for above in path if above[0] < level] + [(level, _plain(heading[2]))]
        body, first_row = [], row + 1
    _take_section(found, first_row, path, stem, body)


def _take_section(found: Extracted, first_row: int, path: list[tuple[int, str]], stem: str, body: list[str]) -> None:
    title = " - ".join(name for _, name in path if name)[:500] or _title(stem)
    own = path[-1][1] if path else ""
    kind, question = ("faq", own) if own.endswith(("?", "？", "؟")) else ("custom", "")
    for row, part in _parts(_plain("\n".join(body)), first_row):
        found.take(row, partial(Entry, kind, title, question, part))


def _parts(text: str, first_row: int) -> Iterator[tuple[int, str]]:
    """Cut at empty lines into parts of a readable size, each with the row it begins in."""
    part, began = "", first_row
    row = first_row
    for paragraph in re.split(r"(\n\s*\n)", text):
        if part.strip() and len(part) + len(paragraph) > MAX_PART_CHARS:
            yield began, part.strip()
            part = ""
        if not part.strip():
            part, began = "", row
        part += paragraph
        row += paragraph.count("\n")
    if part.strip():
        yield began, part.strip()


def _plain(text: str) -> str:
    """Markdown as a person would say it: no emphasis marks, and of a link its words."""
    return _EMPHASIS.sub(r"\2", _LINK.sub(r"\1", text))


def _title(stem: str) -> str:
    return re.sub(r"[-_]+", " ", stem).strip()[:500]


_READERS: dict[str, Callable[[str, str, Extracted], None]] = {
    "csv": _read_csv, "jsonl": _read_jsonl, "md": _read_md, "txt": _read_txt,
}
