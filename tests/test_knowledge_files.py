"""From files to entries: each kind, each encoding, and what is said about rows that cannot be taken."""

from __future__ import annotations

import json
import sys

import pytest

from tests.knowledge import make_site
from vexar.knowledge.reading.extract import MAX_PART_CHARS, ExtractError, extract
from vexar.knowledge.reading.files import import_files
from vexar.knowledge.search import search
from vexar.store import open_store

CSV = (
    "type,title,question,content,url\r\n"
    'faq,Shipping,Do you ship?,"Yes, and\r\nfast, ""really"".",/ship\r\n'
    ",,,,\r\n"
    "story,X,Y,Z,\r\n"
    "custom,About us,,We knit.,\r\n"
    "faq,No question,,Text,\r\n"
    "custom,Empty,,  ,\r\n"
)


@pytest.fixture
def store(make_database):
    """An open SQLite store."""
    opened = open_store(make_database("sqlite"))
    yield opened
    opened.close()


def texts(found):
    return [(entry.type, entry.title, entry.question, entry.content, entry.url) for entry in found.entries]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_csv_gives_its_rows_and_names_those_it_cannot_take(encoding):
    found = extract("Export.CSV", CSV.encode(encoding))
    assert texts(found) == [
        ("faq", "Shipping", "Do you ship?", 'Yes, and\nfast, "really".', "/ship"),
        ("custom", "About us", "", "We knit.", None),
    ]
    assert [(row["row"], row["error"].split()[0]) for row in found.skipped] == [
        (4, "type"), (6, "question"), (7, "content")]  # fmt: skip


def test_columns_may_come_in_any_order_and_be_missing():
    found = extract("a.csv", b"Content; Question\nYes.;Do you ship?\nWe knit.;\n")
    assert texts(found) == [
        ("faq", "Do you ship?", "Do you ship?", "Yes.", None),
        ("custom", "", "", "We knit.", None),
    ]


@pytest.mark.parametrize(
    ("text", "row"),
    [("type,content\ncustom,fine\ncustom,x,y,z\n", 3), ('type,content\ncustom,fine\ncustom,"never closed\nfaq', 3)],
)
def test_a_broken_csv_row_does_not_take_the_others_with_it(text, row):
    found = extract("a.csv", text.encode())
    assert [entry.content for entry in found.entries] == ["fine"]
    assert [skipped["row"] for skipped in found.skipped] == [row]


def test_jsonl_gives_its_lines_and_names_those_it_cannot_take():
    lines = [
        json.dumps({"type": "faq", "title": "T", "question": "Q?", "content": "C", "url": "/u", "extra": 1}),
        "",
        "{broken",
        "[1]",
        json.dumps({"content": 5}),
        json.dumps({"content": "bare", "url": None}),
        '{"content": "half \\ud83d a pair"}',
        "[" * 100_000,
    ]
    found = extract("a.jsonl", "\r\n".join(lines).encode())
    assert texts(found) == [("faq", "T", "Q?", "C", "/u"), ("custom", "", "", "bare", None)]
    assert [row["row"] for row in found.skipped] == [3, 4, 5, 7, 8]


def test_a_line_separator_inside_a_text_is_no_end_of_line():
    found = extract("a.jsonl", '{"content": "one\u2028two\x85three"}'.encode())
    assert [entry.content for entry in found.entries] == ["one\u2028two\x85three"]


def test_markdown_sections_become_entries_and_question_headings_faqs():
    text = (
        "Intro with **bold** and [a link](https://x.test/).\n"
        "# Help\n\n## Shipping ##\nWe ship.\n\n```\n# no heading\n```\n## Do you ship to `Canada`?\nYes.\n# Empty\n"
    )
    assert texts(extract("our-shop.md", text.encode())) == [
        ("custom", "our shop", "", "Intro with bold and a link.", None),
        ("custom", "Help - Shipping", "", "We ship.\n\n```\n# no heading\n```", None),
        ("faq", "Help - Do you ship to Canada?", "Do you ship to Canada?", "Yes.", None),
    ]


def test_a_long_text_is_cut_between_paragraphs_and_loses_nothing():
    paragraphs = [f"Paragraph {n}. " + "word " * 80 for n in range(30)]
    found = extract("notes_2024.txt", "\n\n".join(paragraphs).encode())
    assert all(len(entry.content) <= MAX_PART_CHARS for entry in found.entries)
    assert " ".join(entry.content for entry in found.entries).split() == " ".join(paragraphs).split()
    assert {entry.title for entry in found.entries} == {"notes 2024"}


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.md", "a.txt"])
@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\r\n \r\n"])
def test_an_empty_file_gives_nothing_and_no_error(name, data):
    found = extract(name, data)
    assert (found.entries, found.skipped) == ([], [])


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.docx", b"x", "csv, html, jsonl, md, pdf, txt"),
        ("README", b"x", "csv, html, jsonl, md, pdf, txt"),
        ("a.txt", "Привіт, світе".encode("cp1251"), "UTF-8"),
        ("a.txt", b"\x89PNG\r\n\x1a\n\x01\x02\x03 and some more", "UTF-8"),
        ("a.txt", b"\xff\xfea", "damaged"),
        ("a.pdf", b"%PDF-1.4 no more", "damaged"),
        ("a.csv", b"name,text\nx,y\n", "type,title,question,content,url"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_what_to_do(name, data, said):
    with pytest.raises(ExtractError, match=said):
        extract(name, data)


def test_imported_files_are_findable_at_once_and_ids_are_in_row_order(store, tmp_path):
    site = make_site(store)
    (tmp_path / "a.csv").write_text(CSV, encoding="utf-8")
    (tmp_path / "b.txt").write_text("The walrus is not for sale.", encoding="utf-8")
    result = import_files(store, site.id, [tmp_path / "a.csv", tmp_path / "b.txt"])
    assert (result["imported"], len(result["ids"])) == (3, 3)
    assert [search(store, site.id, asked).passages[0].entry_id for asked in ("ship", "knit", "walrus")] == result["ids"]
    assert [row["file"] for row in result["skipped"]] == ["a.csv"] * 3


def test_the_same_file_twice_gives_the_same_ids(store, tmp_path):
    site = make_site(store)
    (tmp_path / "a.csv").write_text(CSV, encoding="utf-8")
    first, second = (import_files(store, site.id, [tmp_path / "a.csv"]) for _ in range(2))
    assert first == second
    assert "file" not in first["skipped"][0]


def test_a_file_that_is_not_there_and_nothing_is_imported(store, tmp_path):
    site = make_site(store)
    (tmp_path / "good.txt").write_text("The walrus is not for sale.", encoding="utf-8")
    with pytest.raises(ExtractError, match=r"missing\.txt: No such file"):
        import_files(store, site.id, [tmp_path / "good.txt", tmp_path / "missing.txt"])
    (tmp_path / "empty").mkdir()
    for path, said in ((tmp_path / "empty", "no file in this folder"), (tmp_path / "*.pdf", "no file fits")):
        with pytest.raises(ExtractError, match=said):
            import_files(store, site.id, [tmp_path / "good.txt", path])
    assert search(store, site.id, "walrus").passages == ()


def test_a_file_of_many_that_cannot_be_read_is_told_and_the_others_are_imported(store, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pypdf", None)
    site = make_site(store)
    (tmp_path / "good.txt").write_text("The walrus is not for sale.", encoding="utf-8")
    (tmp_path / "manual.pdf").write_bytes(b"%PDF-1.4")
    (tmp_path / "broken.txt").write_bytes(b"\xff\xfea")
    result = import_files(store, site.id, [tmp_path])
    assert [(row["file"], row["row"]) for row in result["skipped"]] == [("broken.txt", None), ("manual.pdf", None)]
    assert result["skipped"][1]["error"].endswith(f"one more package: {sys.executable} -m pip install pypdf")
    assert search(store, site.id, "walrus").passages[0].entry_id == result["ids"][0]
    with pytest.raises(ExtractError, match=r"manual\.pdf: .* -m pip install pypdf"):
        import_files(store, site.id, [tmp_path / "manual.pdf"])


def test_folders_and_patterns_give_their_files_once_and_in_order(store, tmp_path):
    site = make_site(store)
    for name in ("b.txt", "a/deep/c.md", ".hidden/no.txt", "a/.no.txt", "a/image.png", "a/D.HTM"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"<p>The text of {name} is here.</p>")
    told = []
    whole = import_files(store, site.id, [tmp_path], told=lambda *step: told.append(step))
    assert (whole["imported"], told[-1], told[2]) == (3, ("storing entries", 3, 3), ("reading files", 3, 3))
    again = import_files(store, site.id, [tmp_path / "**" / "*.md", tmp_path / "b.txt", tmp_path])
    assert again["ids"] == [whole["ids"][1], whole["ids"][2], whole["ids"][0]]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16-le", "utf-16-be", "utf-8"])
@pytest.mark.parametrize("sign", [";", "\t", ","])
def test_tables_of_spreadsheets_are_read_whatever_they_are_written_in(encoding, sign):
    rows = [["question", "content"], ["Größe?", "Café, schön"], ["Zahlung?", "Über \u201eKarte\u201c"]]
    text = "\r\n".join(sign.join(f'"{cell}"' for cell in row) for row in rows)
    found = extract("a.csv", text.encode(encoding))
    assert [(entry.question, entry.content) for entry in found.entries] == [tuple(row) for row in rows[1:]]
    marked = extract("a.csv", f"sep={sign}\r\n{text}\r\n{sign}only".encode())
    assert len(marked.entries) == 3
    assert marked.entries[-1].content == "only"


def test_a_text_names_itself_with_a_line_of_its_own():
    assert texts(extract("a-b.txt", b"Our returns\n===========\n\nSend it back.\n"))[0][1:4] == (
        "Our returns", "", "Send it back.")  # fmt: skip
    assert extract("a-b.txt", b"We ship everywhere.\n\nReally.\n").entries[0].title == "a b"
    assert extract("a-b.txt", b"Only one line\n").entries[0].content == "Only one line"


def test_a_page_is_one_entry_with_its_headings_and_without_its_menus():
    page = (
        "<html><head><title>Returns - Shop</title><link rel=canonical href='https://s.example/r'></head><body>"
        "<nav><a href=/>Home</a></nav><main><h1>Returns</h1><p>Send it back.<h2>Cost</h2><p>Free&excl;</main>"
        "<footer>Imprint</footer></body></html>"
    )
    assert texts(extract("x.html", page.encode())) == [
        ("page", "Returns", "", "Send it back.\n\n## Cost\n\nFree!", "https://s.example/r")]  # fmt: skip
    assert extract("x.html", b"<html></html>").entries == []


def make_pdf(*lines: str) -> bytes:
    """A pdf with one page for each line."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for line in lines:
        stream = f"BT /F1 12 Tf 50 700 Td ({line}) Tj ET"
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents {len(objects)} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    text, places = "%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(text))
        text += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    trailer = f"trailer << /Size {size} /Root 1 0 R >>\nstartxref\n{len(text)}\n%%EOF"
    return f"{text}xref\n0 {size}\n0000000000 65535 f \n{table}{trailer}".encode()


def test_a_pdf_gives_its_pages_and_says_what_it_lacks(monkeypatch):
    pytest.importorskip("pypdf")
    found = extract("our-terms.pdf", make_pdf("Send it back.", "The walrus is not for sale."))
    assert [(entry.title, entry.content) for entry in found.entries] == [
        ("our terms", "Send it back."), ("our terms", "The walrus is not for sale.")]  # fmt: skip
    with pytest.raises(ExtractError, match="pictures"):
        extract("a.pdf", make_pdf(""))
    monkeypatch.setitem(sys.modules, "pypdf", None)
    with pytest.raises(ExtractError, match="pip install pypdf"):
        extract("a.pdf", make_pdf("x"))
