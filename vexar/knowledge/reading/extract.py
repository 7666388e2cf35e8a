"""From files to entries: md, txt, csv (`type,title,question,content,url`), jsonl, html and pdf.

A row that cannot be taken is told with its number, as an editor or a spreadsheet shows it (a csv's header is row
1), and never stops the others. A file that cannot be read at all is an ExtractError.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from vexar.knowledge.entries import Entry
from vexar.knowledge.reading.charsets import file_text
from vexar.knowledge.reading.html import read_page

MAX_FILE_BYTES = 50 * 1024 * 1024
# A page is found and quoted by parts; longer ones bury what they say.
MAX_PART_CHARS = 2000
FIELDS = ("type", "title", "question", "content", "url")
# No part of a pattern here can match what the next one does, and lengths are bounded: files are long.
_HEADING = re.compile(r"(#{1,6})\s(.*)", re.DOTALL)
# A line of its own at the top, underlined or not, that is no sentence.
_OWN_TITLE = re.compile(r"([^\n]{1,119}[^\n.!?:;,。！？])[ \t]*\n(?:[=\-_*~]{3,}[ \t]*\n)?[ \t]*\n")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_LINK = re.compile(r"!?\[([^\]\n]{0,1000})\]\([^)\n]{0,2000}\)")
_EMPHASIS = re.compile(r"(\*\*|(?<!`)`(?!`))(?=\S)(.{1,1000}?)(?<=\S)\1")


class ExtractError(Exception):
    """The file as a whole cannot be used; the text says why, in one line, without its path."""


class PackageMissing(ExtractError):
    """One more package, `package`, would read the file."""

    def __init__(self, kind: str, package: str) -> None:
        super().__init__(f"reading {kind} needs one more package: pip install {package}")
        self.kind, self.package = kind, package


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
    if ending not in _READERS and ending not in _DATA_READERS:
        raise ExtractError(f"files of this kind cannot be read; use one of {', '.join(KINDS)}")
    if len(data) > MAX_FILE_BYTES:
        raise ExtractError(f"the file is larger than {MAX_FILE_BYTES // 1024**2} MB")
    found = Extracted()
    stem = re.split(r"[/\\]", name)[-1].rpartition(".")[0]
    if ending in _DATA_READERS:
        _DATA_READERS[ending](data, stem, found)
    else:
        _READERS[ending](decode(data), stem, found)
    return found


def decode(data: bytes) -> str:
    """The text of a file, as `charsets.file_text` finds it; line ends become \\n. Raises ExtractError."""
    try:
        return file_text(data).replace("\r\n", "\n").replace("\r", "\n")
    except ValueError as problem:
        raise ExtractError(str(problem)) from None


def _read_csv(text: str, stem: str, found: Extracted) -> None:
    if not text.strip():
        return
    first_line = text.split("\n", 1)[0]
    # Excel's way to name the sign itself, in a line before the header.
    named = re.fullmatch(r"\ufeff?\"?sep=(.)\"?", first_line)
    # Spreadsheets in half of Europe write semicolons.
    delimiter = named[1] if named else max(",;\t", key=first_line.count)
    text = "\n" + text.partition("\n")[2] if named else text
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    csv.field_size_limit(MAX_FILE_BYTES)
    header: list[str] = []
    for row, cells in _counted(rows, found):
        if not header and not cells:
            continue
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
    title, first_row = _title(stem), 1
    named = _OWN_TITLE.match(text, len(text) - len(text.lstrip()))
    if named and text[named.end():].strip():
        title, first_row = named[1].strip(), text.count("\n", 0, named.end()) + 1
        text = text[named.end():]
    for row, part in _parts(text, first_row):
        found.take(row, partial(Entry, "custom", title, "", part))


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
        level, name = len(heading[1]), heading[2].strip().rstrip("#").rstrip()
        path = [above for above in path if above[0] < level] + [(level, _plain(name))]
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


def _read_html(data: bytes, stem: str, found: Extracted) -> None:
    """A page is one entry; its headings stay in its text."""
    page = read_page(data)
    url = page.canonical if page.canonical.startswith(("http://", "https://", "/")) else None
    found.take(1, partial(Entry, "page", page.title or _title(stem), "", page.text, url))


def _read_pdf(data: bytes, stem: str, found: Extracted) -> None:
    """By pages, which are the rows."""
    try:
        from pypdf import PdfReader
    except ImportError:
        raise PackageMissing("pdf", "pypdf") from None
    # It raises whatever it stumbles over, and logs every oddity of a file.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise ExtractError("the pdf is locked with a password")
        pages = [_unbroken(page.extract_text()) for page in reader.pages]
        title = str((reader.metadata and reader.metadata.title) or "").strip()[:500] or _title(stem)
    except ExtractError:
        raise
    except Exception as problem:
        raise ExtractError("the pdf is damaged and cannot be read") from problem
    if pages and not any(pages):
        raise ExtractError("the pdf holds pictures of text only; text is needed")
    for row, text in enumerate(pages, 1):
        for _, part in _parts(text, row):
            found.take(row, partial(Entry, "custom", title, "", part))


def _unbroken(text: str) -> str:
    """A page's lines joined where a sentence goes on, as they were before they were set."""
    text = re.sub("[\x00\ud800-\udfff]", "", text)
    text = re.sub(r"(?<=[a-zà-ÿ])-\n(?=[a-zà-ÿ])", "", text)
    return re.sub(r"(?<=[^\n.!?:])\n(?=[^\W\d_A-Z])", " ", text).strip()


_READERS: dict[str, Callable[[str, str, Extracted], None]] = {
    "csv": _read_csv, "jsonl": _read_jsonl, "md": _read_md, "txt": _read_txt,
}
_DATA_READERS: dict[str, Callable[[bytes, str, Extracted], None]] = {
    "htm": _read_html, "html": _read_html, "pdf": _read_pdf,
}
KINDS = sorted({*_READERS, *_DATA_READERS} - {"htm"})
