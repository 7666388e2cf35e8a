"""Calls of tools as an upstream writes them: in parts, numbered or not, with an id or without."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

# Of one answer, and of one call: far above what any tool takes, and no more than a refusal needs to be told.
MAX_CALLS = 32
MAX_ARGUMENTS_CHARS = 16_000


@dataclass(frozen=True)
class ToolCall:
    """A call of a tool, or a part of one: the first part has its name and id (empty where the upstream gives none),
    each some of its arguments, which are JSON when they are whole. `index`: which of several calls it belongs to."""

    index: int
    id: str
    name: str
    arguments: str = ""


def read_calls(found: Any) -> Iterator[ToolCall]:
    """The parts of calls in one object of the stream: its `tool_calls`, whatever stands there."""
    for place, call in enumerate(found if isinstance(found, list) else ()):
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            index = call.get("index")
            yield ToolCall(
                index if type(index) is int else place, _word(call.get("id")), _word(function.get("name")),
                _arguments(function.get("arguments")),
            )


class Calls:
    """Joins the parts of tool calls into whole ones.

    Parts belong together by their index. Some upstreams number every call 0; there a new id begins a new call.
    """

    def __init__(self) -> None:
        self._found: list[ToolCall] = []
        self._places: dict[int, int] = {}

    @property
    def has_begun(self) -> bool:
        """Whether there is one."""
        return bool(self._found)

    def add(self, parts: Sequence[ToolCall], *, is_whole: bool = False) -> None:
        """The parts of one delta; `is_whole`: of a message that may repeat what was streamed before it."""
        if is_whole and self._found:
            return
        for part in parts:
            place = self._places.get(part.index)
            if place is None or (part.id and part.id != self._found[place].id):
                self._begin(part)
            elif len(self._found[place].arguments) <= MAX_ARGUMENTS_CHARS:
                joined = self._found[place].arguments + part.arguments
                self._found[place] = replace(self._found[place], arguments=joined)

    def whole(self) -> list[ToolCall]:
        """The calls in the order of their first parts, each with an id; at most MAX_CALLS."""
        # Not sooner: a character may come in two halves, one in each of two parts.
        return [
            ToolCall(call.index, clean(call.id) or f"call_{place}", clean(call.name), clean(call.arguments))
            for place, call in enumerate(self._found)
        ]

    def _begin(self, part: ToolCall) -> None:
        # Without a name it is no call, and a part without a beginning belongs to none.
        if part.name and len(self._found) < MAX_CALLS:
            self._places[part.index] = len(self._found)
            self._found.append(part)


def clean(text: str) -> str:
    """Text that can be sent and stored: halves of a character that met are joined, lone ones and NUL are U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\0", "\ufffd")


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _arguments(value: Any) -> str:
    # Some give the object itself instead of its JSON.
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else _word(value)
