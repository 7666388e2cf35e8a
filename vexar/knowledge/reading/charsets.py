"""From bytes to text when nobody can be trusted to know the encoding: files of spreadsheets, pages of old servers."""

from __future__ import annotations

import codecs
import re

# UTF-32 LE begins with the same two bytes as UTF-16 LE, so it is looked for first.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)
# Browsers read these names as the larger set, and so does everybody who writes them (WHATWG Encoding).
_LARGER = {
    "ascii": "cp1252", "us-ascii": "cp1252", "iso-8859-1": "cp1252", "iso8859-1": "cp1252", "latin1": "cp1252",
    "latin-1": "cp1252", "iso-8859-9": "cp1254", "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030",
    "shift_jis": "cp932", "shift-jis": "cp932", "x-sjis": "cp932", "sjis": "cp932", "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949", "big5": "big5hkscs", "x-euc-jp": "euc_jp", "windows-874": "cp874",
}  # fmt: skip
_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,40}")
_META = re.compile(rb"<meta\b[^>]{0,500}?\bcharset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
META_BYTES = 4096
# Beyond that share of signs outside of ASCII a text is in no language that Latin-1 is made for.
MAX_LATIN_SHARE = 0.25
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def file_text(data: bytes) -> str:
    """The text of a file: with a byte order mark, UTF-8, UTF-16 without a mark, or Latin-1. Raises ValueError, with a
    sentence, for what is none of them."""
    marked = _by_mark(data)
    if marked is not None:
        return marked
    wide = _wide(data)
    try:
        return data.decode(wide or "utf-8")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    high = sum(sign > "\x7f" for sign in text)
    if wide or high > MAX_LATIN_SHARE * len(text) or _CONTROLS.search(text):
        raise ValueError("the file is not UTF-8 text; save it as UTF-8")
    return text


def page_text(data: bytes, declared: str = "") -> str:
    """The text of an HTML page; `declared` is the charset of its Content-Type. Never fails.

    Bytes that are UTF-8 are so, whatever is declared: by chance no other text is.
    """
    marked = _by_mark(data, is_strict=False)
    if marked is not None:
        return marked
    in_page = _META.search(data[:META_BYTES])
    names = [_wide(data), "utf-8", declared, in_page[1].decode("ascii") if in_page else ""]
    if re.search(rb"\x1b[$(]", data[:META_BYTES]):
        # Seven bits only: as UTF-8 it would seem fine.
        names = [declared, names[3], "utf-8"]
    for name in filter(None, names):
        text = _decoded(data, name)
        if text is not None:
            return text
    return data.decode("cp1252", "replace")


def _by_mark(data: bytes, *, is_strict: bool = True) -> str | None:
    encoding = next((known for mark, known in _BYTE_ORDER_MARKS if data.startswith(mark)), None)
    if encoding is None:
        return None
    try:
        return data.decode(encoding, "strict" if is_strict else "replace")
    except UnicodeDecodeError:
        raise ValueError("the file is damaged: it is not the Unicode text that it says") from None


def _wide(data: bytes) -> str:
    """utf-16-le or -be when every second byte of the beginning is mostly 0; else empty."""
    some = data[:META_BYTES]
    half = max(1, len(some) // 2)
    if some[1::2].count(0) > 0.3 * half:
        return "utf-16-le"
    return "utf-16-be" if some[::2].count(0) > 0.3 * half else ""


def _decoded(data: bytes, name: str) -> str | None:
    name = name.strip().strip("\"'").lower()
    if not _NAME.fullmatch(name):
        return None
    try:
        # A page that was cut may end within a character.
        return codecs.getincrementaldecoder(_LARGER.get(name, name))().decode(data)
    except (LookupError, ValueError, TypeError):
        return None
