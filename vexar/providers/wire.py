"""The reader of an upstream's answer: bytes in, what they say out.

It understands every legal shape of an OpenAI-compatible stream and the usual odd ones, knows nothing of sockets
and time, and never lets the text of an answer into a log line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vexar.providers.calls import ToolCall, clean, read_calls

MAX_LINE_BYTES = 16 * 1024 * 1024  # far above any token; a body without line ends must not fill the memory


class WireError(ValueError):
    """The body cannot be an answer."""


@dataclass(frozen=True)
class Delta:
    """What one object of the stream says.

    `text` is new text (with `is_whole`: all of it, in an answer that was not streamed); `is_alive`: it carries
    something a model made, even if no text; `finish` is the upstream's finish_reason; `usage` its prompt and answer
    tokens; `error` a harmless word about the error it reports.
    """

    text: str = ""
    is_whole: bool = False
    is_alive: bool = False
    finish: str = ""
    usage: tuple[int, int] | None = None
    error: str = ""
    calls: tuple[ToolCall, ...] = ()


class Reader:
    """Cuts the bytes of a body into the deltas they hold.

    `is_done` once the stream said [DONE]; `skipped` counts the lines that made no sense.
    """

    def __init__(self) -> None:
        self.is_done = False
        self.skipped = 0
        self._lines = _Lines()
        self._data = b""
        self._loose: list[bytes] | None = []
        self._loose_bytes = 0

    def feed(self, data: bytes) -> list[Delta]:
        """The deltas these bytes complete. Raises WireError."""
        return [delta for line in self._lines.feed(data) for delta in self._line(line)]

    def end(self) -> list[Delta]:
        """The deltas that the regular end of the body completes."""
        deltas = [delta for line in (*self._lines.end(), b"") for delta in self._line(line)]
        whole = _object(b"\n".join(self._loose)) if self._loose else None
        if whole is not None:
            return [*deltas, _delta(whole)]
        self.skipped += len(self._loose or ())
        return deltas

    def _line(self, line: bytes) -> Iterator[Delta]:
        if self.is_done:
            return
        if line.startswith(b"data:"):
            yield from self._on_data(line[5:].strip())
        elif not line:
            self._drop_data()
        elif not line.startswith((b":", b"event:", b"id:", b"retry:")):
            self._on_loose(line)

    def _on_data(self, data: bytes) -> Iterator[Delta]:
        if data == b"[DONE]":
            self.is_done = True
            return
        self.skipped += len(self._loose or ())
        self._loose = None
        whole = _object(self._data + b"\n" + data) if self._data else None
        found = whole if whole is not None else _object(data)
        if found is not None:
            self._data = b"" if whole is not None else self._drop_data()
            yield _delta(found)
        elif len(self._data) + len(data) > MAX_LINE_BYTES:
            raise WireError("event too long")
        else:
            # One event may be spread over several data lines; a blank line says that it is over.
            self._data += b"\n" + data

    def _drop_data(self) -> bytes:
        self.skipped += self._data.count(b"\n")
        self._data = b""
        return b""

    def _on_loose(self, line: bytes) -> None:
        # Before any event, lines outside of SSE may be a plain JSON body; an upstream may ignore `stream: true`.
        if self._loose is None:
            self.skipped += 1
            return
        self._loose.append(line)
        self._loose_bytes += len(line) + 1
        if self._loose_bytes > MAX_LINE_BYTES:
            raise WireError("body too long")


class Words:
    """Joins pieces of text into text that can be shown and stored.

    Surrogate pairs cut in two by an upstream are joined, lone ones and NUL become U+FFFD. White space at the start
    waits for the first word, so that an answer of nothing else is an empty one.
    """

    def __init__(self) -> None:
        self.has_begun = False
        self._held = ""

    def add(self, text: str) -> str:
        """What can be said now that `text` has come; may be empty."""
        text = self._held + text
        self._held = ""
        if "\ud800" <= text[-1:] <= "\udbff":
            text, self._held = text[:-1], text[-1]
        text = clean(text)
        if not self.has_begun and not text.strip():
            self._held = text + self._held
            return ""
        self.has_begun = True
        return text

    def end(self) -> str:
        """What was still held back, at the end of an answer."""
        text, self._held = self._held, ""
        return clean(text) if self.has_begun else ""


class _Lines:
    """Splits bytes at CRLF, LF or CR, wherever the reads cut them; U+2028 and its like are text."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._is_after_cr = False
        self._is_first = True

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The lines these bytes complete, without their ends. Raises WireError."""
        if self._is_after_cr and data.startswith(b"\n"):
            data = data[1:]
        self._is_after_cr = data.endswith(b"\r")
        for line in data.splitlines(keepends=True):
            self._parts.append(line)
            self._size += len(line)
            if line.endswith((b"\n", b"\r")):
                yield self._take()
            elif self._size > MAX_LINE_BYTES:
                raise WireError("line too long")

    def end(self) -> Iterator[bytes]:
        """The last line, if nothing ended it."""
        if self._parts:
            yield self._take()

    def _take(self) -> bytes:
        line = b"".join(self._parts).rstrip(b"\r\n")
        self._parts, self._size = [], 0
        if self._is_first:
            self._is_first = False
            return line.removeprefix(b"\xef\xbb\xbf")
        return line


def _object(data: bytes) -> dict | None:
    """The JSON object that `data` is, or None."""
    if not data.rstrip().endswith(b"}"):
        return None
    try:
        # Not json.loads(bytes): one broken character should cost itself and not the whole line.
        found = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _delta(event: dict) -> Delta:
    if event.get("error") or event.get("object") == "error":
        return Delta(error=_error_word(event.get("error") or event))
    choice = _first_choice(event.get("choices"))
    is_whole = not isinstance(choice.get("delta"), dict)
    said = choice.get("message") if is_whole else choice["delta"]
    said = said if isinstance(said, dict) else {}
    return Delta(
        text=_text(said.get("content")),
        is_whole=is_whole,
        is_alive=any(value for name, value in said.items() if name != "role"),
        finish=choice["finish_reason"] if isinstance(choice.get("finish_reason"), str) else "",
        usage=_usage(event.get("usage")),
        calls=tuple(read_calls(said.get("tool_calls"))),
    )


def _first_choice(choices: Any) -> dict:
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict) and not choice.get("index"):
            return choice
    return {}


def _text(content: Any) -> str:
    """Content as a string, or as a list of parts of which the text ones count."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else ()
    return "".join(_part_text(part) for part in parts)


def _part_text(part: Any) -> str:
    if isinstance(part, dict):
        part = part.get("text") if part.get("type", "text") in ("text", "output_text") else ""
    return part if isinstance(part, str) else ""


def _usage(usage: Any) -> tuple[int, int] | None:
    if not isinstance(usage, dict):
        return None
    counts = (usage.get("prompt_tokens"), usage.get("completion_tokens"))
    return counts if all(type(count) is int and count >= 0 for count in counts) else None


def _error_word(error: Any) -> str:
    """The error's type or code when it is a plain word or number; messages may quote the question or the key."""
    known = error if isinstance(error, dict) else {}
    words = [str(known.get(name, "")) for name in ("type", "code", "status")]
    return next((word for word in words if len(word) <= 40 and word.replace("_", "a").isalpha()), "error")
