"""The visitor's end of a stream, in this process or over a socket, and the rows behind it.

    told = ask(client, "Hello", "m1")            the whole answer: told.text, told.done, told.events, told.raw
    with listen(client, "Hello", "m1") as live:  an open stream: live.until("one") waits for that text
    spoken = Spoken(upstream); spoken.say("one")  an answer of the upstream, said as the test goes; spoken.end()
    rows(url, "SELECT ...")                      what is in the database, on both engines

`client` is Flask's test client or the base url of a real server.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import queue
import socket
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pymysql

from vexar.store.db import is_mysql, sqlite_path
from vexar.store.mysql import connection_options

STREAM = "/api/v1/chat/stream"
PATIENCE_S = 20.0


def body(message: str = "Hello", message_id: str | None = None, session: str = "ann", **more: Any) -> dict:
    """The JSON of a message."""
    ids = {"message_id": message_id} if message_id is not None else {}
    return {"site_key": "sk_demo", "session_id": session, "message": message, **ids, **more}


def scope(session: str = "ann", **more: Any) -> dict:
    """Site and session, for queries and small bodies."""
    return {"site_key": "sk_demo", "session_id": session, **more}


def parse(raw: bytes) -> list[dict]:
    """The events of a stream: each one's JSON, with its `id` (None without)."""
    found = []
    for block in raw.decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if "data" in lines:
            found.append({**json.loads(lines["data"]), "id": lines.get("id")})
    return found


class Told:
    """A stream, or the part of it that came so far. `raw`: its bytes; `status` and `headers` of the response."""

    def __init__(self, status: int, headers: Any, raw: bytes) -> None:
        self.status, self.headers, self.raw = status, headers, raw

    @property
    def events(self) -> list[dict]:
        """Every event, whole ones only."""
        return parse(self.raw)

    @property
    def types(self) -> list[str]:
        """Their types; neighbouring chunks count as one."""
        names = [event["type"] for event in self.events]
        return [name for at, name in enumerate(names) if name != "chunk" or names[at - 1:at] != ["chunk"]]

    @property
    def text(self) -> str:
        """What a reader would show: chunks, begun anew with every reset."""
        text = ""
        for event in self.events:
            text = "" if event["type"] == "reset" else text + event.get("content", "")
        return text

    @property
    def done(self) -> dict:
        """The meta of `done`, which is the last event and the only one of its kind."""
        events = self.events
        assert [event["type"] for event in events].count("done") == 1, events
        assert events[-1]["type"] == "done", events
        return events[-1]["meta"]

    @property
    def json(self) -> dict:
        """An answer that is no stream."""
        return json.loads(self.raw)


def ask(client: Any, message: str = "Hello", message_id: str | None = None, *, last: str | None = None,
        accept: str | None = "text/event-stream", **more: Any) -> Told:  # fmt: skip
    """Send a message and read its stream to the end. `last`: the Last-Event-ID."""
    with listen(client, message, message_id, last=last, accept=accept, **more) as live:
        return live.finish()


def follow(client: Any, message_id: str, *, session: str = "ann", last: str | None = None, **query: Any) -> Told:
    """GET the stream of a message and read it to the end."""
    with follow_live(client, message_id, session=session, last=last, **query) as live:
        return live.finish()


def listen(client: Any, message: str = "Hello", message_id: str | None = None, *, last: str | None = None,
           accept: str | None = "text/event-stream", **more: Any) -> Live:  # fmt: skip
    """Send a message; its open stream."""
    return Live(client, "POST", STREAM, body(message, message_id, **more), last, accept)


def follow_live(client: Any, message_id: str, *, session: str = "ann", last: str | None = None, **query: Any) -> Live:
    """GET the stream of a message; it stays open."""
    path = f"{STREAM}?{urlencode(scope(session, message_id=message_id, **query))}"
    return Live(client, "GET", path, None, last, "text/event-stream")


class Live(Told):
    """An open stream, read by a thread of its own. Leaving the block closes the connection."""

    def __init__(
        self, client: Any, method: str, path: str, sent: dict | None, last: str | None, accept: str | None
    ) -> None:
        headers = {"Accept": accept, "Last-Event-ID": last}
        opened = _open(client, method, path, sent, {name: value for name, value in headers.items() if value})
        status, found, self._parts, self._hang_up = opened
        super().__init__(status, found, b"")
        self._queue: queue.SimpleQueue = queue.SimpleQueue()
        self._is_remote = isinstance(client, str)
        self._has_left = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self) -> Live:
        return self

    def __exit__(self, *exc: object) -> None:
        self.leave()

    def until(self, text: str, timeout_s: float = PATIENCE_S) -> Live:
        """Wait until the reader shows this text somewhere."""
        return self.when(lambda: text in self.text, f"the text {text!r}", timeout_s)

    def when(self, condition: Any, what: str, timeout_s: float = PATIENCE_S) -> Live:
        """Wait until a condition about what came so far holds."""
        give_up = time.monotonic() + timeout_s
        while not condition():
            part = self._next(give_up, what)
            assert part is not None, f"ended without {what}: {self.raw!r}"
            self.raw += part
        return self

    def finish(self, timeout_s: float = PATIENCE_S) -> Told:
        """Everything up to the end."""
        give_up = time.monotonic() + timeout_s
        while (part := self._next(give_up, "the end")) is not None:
            self.raw += part
        return self

    def leave(self) -> None:
        """Close the connection. In this process the server notices with its next part, as it does with sockets."""
        self._has_left = True
        if self._is_remote:
            self._hang_up()

    def _next(self, give_up: float, what: str) -> bytes | None:
        try:
            return self._queue.get(timeout=max(0.0, give_up - time.monotonic()))
        except queue.Empty:
            raise AssertionError(f"waited in vain for {what}; came so far: {self.raw!r}") from None

    def _read(self) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError, AttributeError):
            for part in self._parts:
                self._queue.put(part)
                if self._has_left:
                    break
        self._hang_up()
        self._queue.put(None)


def _open(client: Any, method: str, path: str, sent: dict | None, headers: dict) -> tuple:
    """Status, headers, the parts of the body as they come, and what hangs up."""
    if not isinstance(client, str):
        answer = client.open(path, method=method, json=sent, headers=headers, buffered=False)
        return answer.status_code, answer.headers, answer.response, answer.close
    link = http.client.HTTPConnection(client.removeprefix("http://"), timeout=2 * PATIENCE_S)
    data = None if sent is None else json.dumps(sent)
    link.request(method, path, data, {"Content-Type": "application/json", **headers})
    sock = link.sock
    answer = link.getresponse()

    def hang_up() -> None:
        # Closing alone waits for whoever is reading.
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        link.close()

    return answer.status, answer.headers, iter(lambda: answer.read1(65536), b""), hang_up


class Spoken:
    """The upstream's answer to its next question, said word by word by the test."""

    def __init__(self, upstream: Any) -> None:
        self._words: queue.SimpleQueue = queue.SimpleQueue()
        upstream.script(self)

    def __call__(self, wire: Any, body: dict) -> None:
        """See Upstream.script."""
        wire.head()
        for word in iter(self._words.get, None):
            wire.token(word)
        wire.done()

    def say(self, *words: str) -> None:
        """The next tokens."""
        for word in words:
            self._words.put(word)

    def end(self, *words: str) -> None:
        """The last tokens, and the end."""
        self.say(*words)
        self._words.put(None)


def history(client: Any, session: str = "ann", **more: Any) -> list[dict]:
    """The messages of a session."""
    path = f"/api/v1/chat/history?{urlencode(scope(session, **more))}"
    _, _, parts, _ = _open(client, "GET", path, None, {})
    return json.loads(b"".join(parts))["messages"]


def post(client: Any, path: str, session: str = "ann", **more: Any) -> Told:
    """POST a small JSON body to an endpoint below /api/v1/."""
    status, headers, parts, _ = _open(client, "POST", f"/api/v1/{path}", scope(session, **more), {})
    return Told(status, headers, b"".join(parts))


def rows(database_url: str, sql: str) -> list[tuple]:
    """Run one statement behind Vexar's back: its rows. VARBINARY comes as text on both engines."""
    with closing(_connect(database_url)) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(sql)
        found = cursor.fetchall()
        connection.commit()
        return [tuple(value.decode() if isinstance(value, bytes) else value for value in row) for row in found]


def _connect(database_url: str) -> Any:
    if not is_mysql(database_url):
        return sqlite3.connect(sqlite_path(database_url), timeout=10)
    return pymysql.connect(**connection_options(database_url))


def all_at_once(calls: list) -> list:
    """Run the calls in threads that start together; the list of what each returned, in order."""
    results: list = [None] * len(calls)
    gate = threading.Barrier(len(calls))

    def run(place: int) -> None:
        gate.wait()
        results[place] = calls[place]()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * PATIENCE_S)
    return results


@dataclass(frozen=True)
class Received:
    """One event of a stream: its JSON, and its `id:` line or None."""

    data: dict
    id: str | None = None

    @property
    def type(self) -> str:
        """The kind of event."""
        return self.data["type"]


def parse_events(body: bytes | Iterable[bytes]) -> Iterator[Received]:
    """The events of a stream, as they come; comments are left out."""
    buffer = b""
    for piece in (body,) if isinstance(body, bytes) else body:
        buffer += piece
        while b"\n\n" in buffer:
            block, buffer = buffer.split(b"\n\n", 1)
            fields = dict(line.split(b": ", 1) for line in block.split(b"\n") if not line.startswith(b":"))
            if b"data" in fields:
                yield Received(json.loads(fields[b"data"]), fields[b"id"].decode() if b"id" in fields else None)
