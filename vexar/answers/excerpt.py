"""Data cut to a length on whole items: what a model is shown of an answer that is too long for it."""

from __future__ import annotations

from typing import Any

import msgspec

MAX_STRING_CHARS = 1_000
SHORT_CHARS = 80
RANKS = 3
# Nobody nests data deeper, and every level is measured anew.
MAX_DEPTH = 12
# What separates two items, and what stands around a list or object, in JSON.
COMMA, BRACKETS, COLON = 1, 2, 1


def excerpt(data: Any, max_chars: int) -> tuple[Any, bool]:
    """The same data in at most `max_chars` of JSON, and whether something was left out.

    Long texts are cut and the last items of a list go; a name or price outlives the description, and that the reviews.
    """
    if _size(data) <= max_chars:
        return data, False
    return _cut(_short(data, MAX_DEPTH), max_chars), True


def _cut(value: Any, left: int) -> Any:
    if isinstance(value, list):
        return _items(value, left - BRACKETS)
    if isinstance(value, dict):
        return _parts(value, left - BRACKETS)
    if isinstance(value, str):
        return _text(value, left)
    return value


def _items(items: list, left: int) -> list:
    kept: list = []
    for item in items:
        # The first one is shown in part before nothing is: a single product may be longer than all of it.
        item = item if kept else _cut(item, left)
        left -= _size(item) + COMMA
        if left < 0:
            break
        kept.append(item)
    return kept


def _parts(parts: dict, left: int) -> dict:
    kept: dict = {}
    for rank in range(RANKS):
        names = [name for name, value in parts.items() if _rank(value) == rank]
        for place, name in enumerate(names):
            # What is long shares the room; short values are taken as long as they fit.
            share = left // (len(names) - place) if rank else left
            head = _size(name) + COLON + COMMA
            value = _cut(parts[name], share - head)
            size = head + _size(value)
            if size <= share:
                kept[name] = value
                left -= size
    return {name: kept[name] for name in parts if name in kept}


def _rank(value: Any) -> int:
    """Which of an object's values are kept before others: short ones, then texts, then lists and objects."""
    if isinstance(value, list | dict):
        return 2
    return int(isinstance(value, str) and len(value) > SHORT_CHARS)


def _short(value: Any, depth: int) -> Any:
    """The same with every text cut to MAX_STRING_CHARS, and nothing that lies deeper."""
    if isinstance(value, str):
        return value if len(value) <= MAX_STRING_CHARS else f"{value[:MAX_STRING_CHARS]}…"
    if isinstance(value, list):
        return [_short(item, depth - 1) for item in value] if depth else []
    if isinstance(value, dict):
        return {name: _short(item, depth - 1) for name, item in value.items()} if depth else {}
    return value


def _text(text: str, left: int) -> str:
    # Quotes and the dots; an escape takes up to six characters, and half of such a text is still worth more than none.
    room = min(MAX_STRING_CHARS, left - 6)
    cut = text[:max(room, 0)]
    while cut and _size(cut) > left - 4:
        cut = cut[:len(cut) // 2]
    return cut if len(cut) == len(text) else f"{cut}…"


def _size(value: Any) -> int:
    """Characters of its JSON."""
    return len(msgspec.json.encode(value).decode())
