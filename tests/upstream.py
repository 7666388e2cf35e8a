"""A scripted OpenAI-compatible upstream on a real local socket, for tests, kill tests and benches.

    with Upstream() as up:                          answers every question from its own words
        up.script("status_500", ["Hel", "lo"])      the next two requests; afterwards as `up.always` (None: words)
        up.always = my_script                       my_script(wire, body) writes what it likes

A question that holds `[[silent]]` (any name of SCRIPTS) gets that script, also from a subprocess:
`python tests/upstream.py --port 0 [--tokens N] [--delay-s S] [--script NAME | --varied]` prints its base url on one
line; `GET /count` tells how many completions were asked, `GET /requests` their bodies.
"""

from __future__ import annotations

import argparse
import json
import re
import secrets
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress


class Upstream:
    """The server. `url` is its base url (ends in /v1); `requests` and `headers` hold what was asked, in order."""

    def __init__(
        self, port: int = 0, tokens: int = 0, delay_s: float = 0.0, tls: ssl.SSLContext | None = None
    ) -> None:
        self.tokens, self.delay_s, self._tls = tokens, delay_s, tls
        self.always: str | list | Callable | None = None
        self.requests: list[dict] = []
        self.headers: list[dict[str, str]] = []
        self.connections = 0
        self._scripts: deque = deque()
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=1024)
        self.port = self._listener.getsockname()[1]
        self.url = f"https://localhost:{self.port}/v1" if tls else f"http://127.0.0.1:{self.port}/v1"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Upstream:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def count(self) -> int:
        """How many completions were asked."""
        return len(self.requests)

    @property
    def questions(self) -> list[str]:
        """The text of the last message of each request."""
        return [question_of(body) for body in self.requests]

    def script(self, *scripts: str | list | Callable) -> None:
        """What the next requests get, one each: a name of SCRIPTS, a list of tokens, or a callable (wire, body)."""
        self._scripts.extend(scripts)

    def wait_for(self, count: int, timeout_s: float = 10.0) -> None:
        """Wait until so many completions were asked."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.count >= count, timeout_s), f"{self.count} of {count} asked"

    def close(self) -> None:
        """Refuse new connections and cut the open ones."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in list(self._open):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.connections += 1
                self._open.add(sock)
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        try:
            with suppress(OSError):
                self._talk(self._tls.wrap_socket(sock, server_side=True) if self._tls else sock)
        finally:
            self._open.discard(sock)
            sock.close()

    def _talk(self, sock: socket.socket) -> None:
        self._open.add(sock)
        try:
            with sock, sock.makefile("rb") as reader:
                while self._one(Wire(sock), reader):
                    pass
        finally:
            self._open.discard(sock)

    def _one(self, wire: Wire, reader: object) -> bool:
        """Answer one request; whether the connection lives on."""
        words = reader.readline().decode("latin-1").split()
        if len(words) < 2:
            return False
        headers = {}
        while (line := reader.readline().strip()):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        length = int(headers.get("content-length", 0))
        body = reader.read(length)
        if len(body) < length:
            # Whoever asked hung up in the middle: its run was cut.
            return False
        if words[0] == "GET":
            wire.json({"/count": {"count": self.count}}.get(words[1], self.requests))
        else:
            self._complete(wire, json.loads(body), headers)
        return wire.is_whole

    def _complete(self, wire: Wire, body: dict, headers: dict[str, str]) -> None:
        with self._changed:
            self.requests.append(body)
            self.headers.append(headers)
            script = self._scripts.popleft() if self._scripts else self.always
            self._changed.notify_all()
        named = re.search(r"\[\[(\w+)\]\]", question_of(body))
        script = SCRIPTS.get(named[1], script) if named else script
        script = SCRIPTS[script] if isinstance(script, str) else script
        if callable(script):
            script(wire, body)
        else:
            wire.answer(script or words_for(question_of(body), self.tokens), self.delay_s)


class Wire:
    """One answer in the writing. `is_whole`: it ended properly and the connection can be used again."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.is_whole = False
        self._framing = ""

    def head(self, status: int = 200, framing: str = "chunked", **headers: object) -> None:
        """Status line and headers; `framing`: chunked, close, or the number of bytes that will come."""
        fields = {"Content-Type": "text/event-stream"}
        fields.update({name.replace("_", "-"): str(value) for name, value in headers.items()})
        self._framing = framing
        if framing == "chunked":
            fields["Transfer-Encoding"] = "chunked"
        elif framing == "close":
            fields["Connection"] = "close"
        else:
            fields["Content-Length"] = framing
        lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
        self.sock.sendall("\r\n".join(lines).encode())

    def raw(self, data: bytes) -> None:
        """Some bytes of the body, in one chunk when it is chunked."""
        self.sock.sendall(self._framed(data))

    def event(self, value: object) -> None:
        """One SSE event with this JSON."""
        self.raw(b"data: " + json.dumps(value).encode() + b"\n\n")

    def delta(self, finish: str | None = None, **delta: object) -> None:
        """One chunk with this delta."""
        self.event(chunk(finish, **delta))

    def token(self, text: str) -> None:
        """One piece of text."""
        self.delta(content=text)

    def done(self) -> None:
        """Say [DONE] and end the body, in one send as servers do."""
        self.sock.sendall(self._framed(b"data: [DONE]\n\n") + self._terminator())
        self.is_whole = self._framing != "close"

    def end(self) -> None:
        """End the body properly."""
        self.sock.sendall(self._terminator())
        self.is_whole = self._framing != "close"

    def cut(self) -> None:
        """Reset the connection."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.shutdown(socket.SHUT_RD)

    def hang(self) -> None:
        """Say nothing more; returns when the other side is gone."""
        with suppress(OSError):
            while self.sock.recv(65536):
                pass

    def json(self, value: object, status: int = 200, **headers: object) -> None:
        """A whole answer that is not a stream."""
        data = json.dumps(value).encode()
        self.head(status, str(len(data)), Content_Type="application/json", **headers)
        self.raw(data)
        self.is_whole = True

    def answer(self, tokens: list[str], delay_s: float = 0.0, framing: str = "chunked") -> None:
        """A regular stream: role, tokens, finish_reason, usage, [DONE]."""
        self.head(framing=framing)
        self.delta(role="assistant", content="")
        for text in tokens:
            if delay_s:
                time.sleep(delay_s)
            self.token(text)
        self.delta("stop")
        self.event(usage(7, len(tokens)))
        self.done()

    def _framed(self, data: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(data), data) if self._framing == "chunked" else data

    def _terminator(self) -> bytes:
        return b"0\r\n\r\n" if self._framing == "chunked" else b""


def chunk(finish: str | None = None, **delta: object) -> dict:
    """One object of a stream, as the API sends it."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def usage(prompt_tokens: int, completion_tokens: int) -> dict:
    """The last object of a stream, with the counts and no choice."""
    counts = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens}
    return {"id": "c-1", "object": "chat.completion.chunk", "choices": [], "usage": counts}


def question_of(body: dict) -> str:
    """The text of the last message that was asked."""
    content = body["messages"][-1]["content"]
    parts = content if isinstance(content, list) else [{"text": content}]
    return " ".join(part["text"] for part in parts if "text" in part)


def words_for(question: str, count: int = 0) -> list[str]:
    """The default answer: its words tell the questions apart; `count` above 0 makes it so many tokens."""
    if count:
        return [f"{question}:", *(f" word{number}" for number in range(1, count))]
    return [f"Answer to {question}:", " one", " two", " three", " four", " five."]


def refused_url() -> str:
    """A base url where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


def silent(wire: Wire, body: dict) -> None:
    """Takes the question and says nothing, not even a header."""
    wire.hang()


def silent_after_head(wire: Wire, body: dict) -> None:
    """Headers and keep-alive comments, but no token."""
    wire.head()
    while True:
        wire.raw(b": keep-alive\n\n")
        time.sleep(0.02)


def silent_mid_stream(wire: Wire, body: dict) -> None:
    """Two tokens, then nothing."""
    _begin(wire)
    wire.hang()


def comments_mid_stream(wire: Wire, body: dict) -> None:
    """Two tokens, then only keep-alive comments."""
    _begin(wire)
    while True:
        wire.raw(b": keep-alive\n\n")
        time.sleep(0.02)


def dripping(wire: Wire, body: dict) -> None:
    """Headers that never end, a byte at a time."""
    while True:
        wire.sock.sendall(b"H")
        time.sleep(0.02)


def cut_mid_stream(wire: Wire, body: dict) -> None:
    """Two tokens, then the chunked body breaks off."""
    _begin(wire)


def reset_mid_stream(wire: Wire, body: dict) -> None:
    """Two tokens, then the connection is reset."""
    _begin(wire, framing="close")
    wire.cut()


def short_length(wire: Wire, body: dict) -> None:
    """Fewer bytes than Content-Length promised."""
    _begin(wire, framing="100000")


def status_429(wire: Wire, body: dict) -> None:
    """Too many requests; ask again at once."""
    wire.json({"error": {"message": "slow down"}}, 429, Retry_After=0)


def status_429_later(wire: Wire, body: dict) -> None:
    """Too many requests; ask again in an hour."""
    wire.json({"error": {"message": "slow down"}}, 429, Retry_After=3600)


def status_500(wire: Wire, body: dict) -> None:
    """Broken; ask again at once."""
    wire.json({"error": {"message": "broken"}}, 500, Retry_After=0)


def status_400(wire: Wire, body: dict) -> None:
    """The question is not accepted."""
    wire.json({"error": {"message": "bad"}}, 400)


def garbage_line(wire: Wire, body: dict) -> None:
    """Lines that are no JSON between good ones."""
    wire.head()
    wire.token("good ")
    wire.raw(b'data: {"choices": [{"del\n\nnonsense\ndata: [[[[\n\n')
    wire.token("again")
    wire.done()


def huge_token(wire: Wire, body: dict) -> None:
    """One token of a million characters."""
    wire.answer(["x" * 1_000_000])


def split_utf8(wire: Wire, body: dict) -> None:
    """Text beyond ASCII, unescaped, one byte at a time."""
    wire.head()
    for text in ("größer ", "日本 ", "\U0001f600"):
        data = json.dumps(chunk(content=text), ensure_ascii=False).encode()
        for place in range(len(data)):
            wire.raw((b"data: " if place == 0 else b"") + data[place:place + 1])
        wire.raw(b"\n\n")
    wire.done()


def crlf(wire: Wire, body: dict) -> None:
    """Lines end in CRLF, and the reads cut between the two."""
    wire.head()
    for text in ("one ", "two"):
        wire.raw(b"data: " + json.dumps(chunk(content=text)).encode() + b"\r")
        wire.raw(b"\n\r\n")
    wire.raw(b"data: [DONE]\r\n\r\n")
    wire.end()


def no_done(wire: Wire, body: dict) -> None:
    """A clean end without finish_reason and [DONE]."""
    _begin(wire)
    wire.end()


def close_framed(wire: Wire, body: dict) -> None:
    """Neither chunked nor with a length: the end of the connection ends the body."""
    wire.answer(words_for(question_of(body)), framing="close")


def error_object(wire: Wire, body: dict) -> None:
    """An error inside the stream after two tokens."""
    _begin(wire)
    wire.event({"error": {"message": "the key sk-secret is over quota", "type": "insufficient_quota"}})
    wire.end()


def empty(wire: Wire, body: dict) -> None:
    """A regular answer without any text."""
    wire.answer([])


def not_streamed(wire: Wire, body: dict) -> None:
    """`stream` is ignored: one JSON object."""
    message = {"role": "assistant", "content": "".join(words_for(question_of(body)))}
    counts = usage(7, 6)["usage"]
    wire.json({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": counts})


def varied(wire: Wire, body: dict) -> None:
    """Twenty tokens in half a second, other words each time, as a model's are: `is_varied` knows them again."""
    mark = secrets.token_hex(3)
    wire.answer([f"{question_of(body)}:", *(f" {mark}-{number}" for number in range(1, 20))], 0.025)


def is_varied(question: str, answer: str, *, is_whole: bool) -> bool:
    """Whether this is an answer of `varied` to the question, from its beginning on."""
    begin, _, rest = answer.partition(": ")
    words = rest.split(" ") if rest else []
    mark = words[0].partition("-")[0] if words else ""
    expected = [f"{mark}-{number}" for number in range(1, len(words) + 1)]
    return begin.removesuffix(":") == question and words == expected and (len(words) == 19 or not is_whole)


def _begin(wire: Wire, framing: str = "chunked") -> None:
    wire.head(framing=framing)
    wire.raw(b"".join(b"data: %b\n\n" % json.dumps(chunk(content=text)).encode() for text in ("one ", "two ")))


SCRIPTS: dict[str, Callable] = {
    script.__name__: script
    for script in (
        silent, silent_after_head, silent_mid_stream, comments_mid_stream, dripping, cut_mid_stream, reset_mid_stream,
        short_length, status_429, status_429_later, status_500, status_400, garbage_line, huge_token, split_utf8,
        crlf, no_done, close_framed, error_object, empty, not_streamed,
    )
}


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description="A scripted OpenAI-compatible upstream on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tokens", type=int, default=0, help="tokens per answer; 0: a short sentence")
    parser.add_argument("--delay-s", type=float, default=0.0, help="pause before each token")
    parser.add_argument("--script", choices=sorted(SCRIPTS), help="what every request gets")
    parser.add_argument("--varied", action="store_true", help="no answer is like another")
    options = parser.parse_args()
    up = Upstream(options.port, options.tokens, options.delay_s)
    up.always = varied if options.varied else options.script
    print(up.url, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
