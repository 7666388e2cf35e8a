"""What must hold after a crash: what visitors were told, held against what the database says.

| kind      | means                                                                                          |
|-----------|------------------------------------------------------------------------------------------------|
| lost      | an acknowledged message or an answer with `done` is not in the database                        |
| changed   | a stored message or answer is not what was sent, shown or stored before                        |
| doubled   | a message has two rows, or two complete replies                                                |
| gap       | the numbers of a visitor are not 1..n                                                          |
| reply_to  | a reply does not belong to the message it names                                                |
| unended   | a run, or the visitor's waiting for it, did not end                                            |
| refused   | the server answered what it must not                                                           |
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.upstream import is_varied


@dataclass
class Told:
    """One message of a visitor and what came back, over all its connections."""

    session_id: str
    message_id: str
    content: str
    # The head of a stream arrived, so the message has to be durable.
    is_acknowledged: bool = False
    # The assembled text and the `meta` of every `done`.
    endings: list[tuple[str, dict]] = field(default_factory=list)
    connections: int = 0
    has_left: bool = False
    refusals: list[str] = field(default_factory=list)

    @property
    def is_answered(self) -> bool:
        """Whether a complete answer was shown."""
        return any(meta["finish_reason"] == "stop" for _, meta in self.endings)


class Row(NamedTuple):
    """A stored message."""

    session_id: str
    seq: int
    role: str
    message_id: str | None
    content: str
    status: str
    reply_to: int | None


class RunRow(NamedTuple):
    """A stored run."""

    session_id: str
    seq: int
    attempt: int
    state: str
    finish_reason: str
    reply_seq: int | None


@dataclass(frozen=True)
class Stored:
    """What the database holds at one moment."""

    messages: dict[tuple[str, int], Row]
    runs: list[RunRow]
    last_seqs: dict[str, int]

    @property
    def unended(self) -> list[RunRow]:
        """The runs that wait or run."""
        return [run for run in self.runs if run.state != "ended"]


def read_stored(fetch: Callable[[str], list[tuple]]) -> Stored:
    """Read everything there is; `fetch` runs one statement."""
    joined = "JOIN visitor v ON v.id = x.visitor_id"
    rows = fetch(
        "SELECT v.session_id, x.seq, x.role, x.message_id, x.content, x.status, x.reply_to "
        f"FROM message x {joined} ORDER BY v.id, x.seq"
    )
    runs = fetch(f"SELECT v.session_id, x.seq, x.attempt, x.state, x.finish_reason, x.reply_seq FROM run x {joined}")
    messages = [Row(*map(_text, row)) for row in rows]
    return Stored(
        {(row.session_id, row.seq): row for row in messages},
        [RunRow(*map(_text, run)) for run in runs],
        {_text(session_id): last_seq for session_id, last_seq in fetch("SELECT session_id, last_seq FROM visitor")},
    )


def violations(told: list[Told], stored: Stored, before: Stored | None = None) -> list[str]:
    """Every broken promise, as "kind: sentence". `before`: an earlier state of the same database."""
    sent = {(one.session_id, one.message_id): one for one in told}
    own = {(row.session_id, row.message_id): row for row in stored.messages.values() if row.role == "visitor"}
    found = [f"changed: {key} was stored differently before" for key in _changed(stored, before)]
    found += _numbers(stored)
    found += _doubles(stored)
    found += [f"doubled: nobody sent {key}" for key in own if key not in sent]
    for key, one in sent.items():
        found += [f"refused: {key} {refusal}" for refusal in one.refusals]
        found += _message(one, own.get(key))
        for text, meta in one.endings:
            found += _ending(one, own.get(key), stored, text, meta)
    for row in stored.messages.values():
        if row.role == "assistant":
            found += _reply(row, stored, sent)
    return found


def unended(told: list[Told], stored: Stored) -> list[str]:
    """What did not come to an end, once everybody is gone."""
    found = [f"unended: run {run}" for run in stored.unended]
    waiting = [one for one in told if not one.has_left and not one.is_answered]
    return found + [f"unended: {one.session_id} still waits for {one.message_id}" for one in waiting]


def _changed(stored: Stored, before: Stored | None) -> Iterator[tuple[str, int]]:
    for key, row in before.messages.items() if before else ():
        if stored.messages.get(key) != row:
            yield key


def _numbers(stored: Stored) -> Iterator[str]:
    numbers: dict[str, list[int]] = {session_id: [] for session_id in stored.last_seqs}
    for session_id, seq in stored.messages:
        numbers[session_id].append(seq)
    for session_id, found in numbers.items():
        if found != list(range(1, len(found) + 1)) or stored.last_seqs[session_id] != len(found):
            yield f"gap: {session_id} has the numbers {found} and says {stored.last_seqs[session_id]}"


def _doubles(stored: Stored) -> Iterator[str]:
    rows = stored.messages.values()
    sent = Counter((row.session_id, row.message_id) for row in rows if row.role == "visitor")
    answers = Counter((row.session_id, row.reply_to) for row in rows if _is_answer(row))
    yield from (f"doubled: {count} rows of {key}" for key, count in sent.items() if count > 1)
    yield from (f"doubled: {count} complete replies to {key}" for key, count in answers.items() if count > 1)


def _message(one: Told, row: Row | None) -> Iterator[str]:
    if row is None and (one.is_acknowledged or one.endings):
        yield f"lost: message {one.message_id} of {one.session_id}"
    if row is not None and row.content != one.content:
        yield f"changed: message {one.message_id} of {one.session_id} is {row.content!r}"


def _ending(one: Told, own: Row | None, stored: Stored, text: str, meta: dict) -> Iterator[str]:
    name = f"the answer to {one.message_id} of {one.session_id}"
    if meta["message_id"] != one.message_id:
        yield f"reply_to: {name} came with {meta['message_id']}"
    if meta["finish_reason"] == "stop" and not is_varied(one.content, text, is_whole=True):
        yield f"changed: {name} was shown as {text!r}"
    if meta["reply_id"] is None:
        if meta["finish_reason"] == "stop":
            yield f"lost: {name} has no number"
        return
    row = stored.messages.get((one.session_id, meta["reply_id"]))
    if row is None:
        yield f"lost: {name}, number {meta['reply_id']}"
    elif row.content != text:
        yield f"changed: {name} is stored as {row.content!r}, shown as {text!r}"
    elif own is not None and row.reply_to != own.seq:
        yield f"reply_to: {name} names {row.reply_to}, not {own.seq}"


def _reply(row: Row, stored: Stored, sent: dict[tuple[str, str], Told]) -> Iterator[str]:
    name = f"reply {row.seq} of {row.session_id}"
    asked = stored.messages.get((row.session_id, row.reply_to or 0))
    one = sent.get((row.session_id, asked.message_id)) if asked and asked.role == "visitor" else None
    if one is None or asked.seq >= row.seq:
        yield f"reply_to: {name} names {row.reply_to}"
    elif not is_varied(one.content, row.content, is_whole=_is_answer(row)):
        yield f"changed: {name} to {one.message_id} is {row.content!r}"


def _is_answer(row: Row) -> bool:
    return row.role == "assistant" and row.status == "complete"


def _text(value: object) -> object:
    # MySQL keeps ids as bytes.
    return value.decode() if isinstance(value, bytes) else value
