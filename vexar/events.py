"""Every event that reaches a browser: its name, its payload, who may see it.

| type         | stream              | payload                                              | has an id  |
|--------------|---------------------|------------------------------------------------------|------------|
| chunk        | chat/stream         | content: the next characters of the answer           | <run>-<n>  |
| status       | chat/stream         | text: what is being done meanwhile                   | no         |
| reset        | all                 | forget what was shown (chat/stream); read it again   | the others |
| mode         | chat/stream, events | mode: ai or operator; events: operator too           | events     |
| error        | chat/stream         | code, error                                          | no         |
| done         | chat/stream         | meta: how the run ended; always the last             | <run>-end  |
| message      | events, operators   | message: as in history; operators: conversation_id   | yes        |
| typing       | events, operators   | who, on; operators: conversation_id, operator        | no         |
| blocked      | chat/events         | blocked, reason, until                               | cursor     |
| closed       | chat/events         | conversation_id                                      | cursor     |
| ready        | operator/stream     | nothing: from here on nothing is missed              | time       |
| conversation | operator/stream     | conversation: the whole row of the lists             | time       |
| note         | operator/stream     | conversation_id, note                                | time       |
| presence     | operator/stream     | operator, site_id, online                            | time       |

Those of chat/... are seen only by the session they are about; those of operator/stream by who may view the site's
conversations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from vexar.errors import CODES

_encode_json = msgspec.json.Encoder().encode
# Line ends to many readers (Python's splitlines), though neither to JSON nor to SSE.
_LINE_ENDS = {"\x85".encode(): b"\\u0085", "\u2028".encode(): b"\\u2028", "\u2029".encode(): b"\\u2029"}


class Event(NamedTuple):
    """One event: its JSON bytes, and the id a reader may resume from (None: it changes no state)."""

    data: bytes
    id: str | None = None


def event(type: str, id: str | None = None, **payload: Any) -> Event:
    """An event of one of the types above."""
    return Event(_encode({"type": type, **payload}), id)


def chunk(text: str, id: str) -> Event:
    """The next characters of an answer."""
    return Event(b'{"type":"chunk","content":' + _encode(text) + b"}", id)


def _encode(value: Any) -> bytes:
    """JSON on one line, whatever the reader takes for the end of a line."""
    data = _encode_json(value)
    if not data.isascii():
        for line_end, escape in _LINE_ENDS.items():
            data = data.replace(line_end, escape)
    return data


def error(code: str) -> Event:
    """What went wrong inside a stream; the sentence is the public one of the code."""
    return event("error", code=code, error=CODES[code][1])


@dataclass(frozen=True, slots=True)
class RunId:
    """The name of one attempt of a run, as it stands in event ids."""

    seq: int
    attempt: int

    def __str__(self) -> str:
        return f"r{self.seq}" if self.attempt == 1 else f"r{self.seq}.{self.attempt}"


@dataclass(frozen=True, slots=True)
class LastEventId:
    """Where a client says it stopped: code points of an attempt, or its end (`n` None)."""

    run: RunId
    n: int | None


def parse_last_event_id(text: str | None) -> LastEventId | None:
    """Read a Last-Event-ID; None when there is none, or it is not one of ours."""
    if not text or not text.startswith("r") or len(text) > 40:
        return None
    name, _, place = text[1:].rpartition("-")
    seq, _, attempt = name.partition(".")
    if not (_is_number(seq) and (not attempt or _is_number(attempt)) and (place == "end" or _is_number(place))):
        return None
    return LastEventId(RunId(int(seq), int(attempt or 1)), None if place == "end" else int(place))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
