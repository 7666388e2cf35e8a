"""An endpoint for embeddings on a real local socket, for tests: texts that share words, or mean the same, lie near.

    with EmbeddingUpstream() as up:                 up.url is its base url (ends in /v1)
        up.script("status_500", "late")             what the next requests get; afterwards as `up.always`
        up.texts                                    every text that was embedded, in order

`python tests/embedding_upstream.py` serves alone; `GET /texts` tells them there.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DIMS = 512
# What this "model" knows: words that mean the same, in the way a real one has learnt it.
CONCEPTS = {
    word: concept
    for concept, words in {
        "shoe": "sneakers trainers kicks plimsolls", "forget": "misplaced lost forgotten",
        "credential": "passphrase login password", "sick": "nauseous queasy seasick", "cheap": "thrifty bargain",
    }.items()
    for word in words.split()
}  # fmt: skip
# What a text is about weighs more than its other words; and all lean one way a little, as texts do in real models.
CONCEPT_WEIGHT, LEANING = 3.0, 1.0
LITTLE = re.compile("(the|and|for|you|your|how|what|which|when|are|was|have|has|got|any|does|can|with|who|now|most)$")


@cache
def embed(text: str, dims: int = DIMS) -> list[float]:
    """A unit vector made of the text's concepts, words and runs of four letters."""
    sums = [LEANING * one for one in _feature("everything", dims)]
    for word in re.findall(r"\w{3,}", text.casefold()):
        concept = CONCEPTS.get(word)
        runs = [] if concept or LITTLE.match(word) else [word[at:at + 4] for at in range(max(1, len(word) - 3))]
        own = [(concept, CONCEPT_WEIGHT)] if concept else [(word, 1.0)] if runs else []
        for feature, weight in [*own, *((run, 0.5 / len(runs)) for run in runs)]:
            sums = [one + weight * other for one, other in zip(sums, _feature(feature, dims), strict=True)]
    length = math.sqrt(sum(one * one for one in sums))
    return [one / length for one in sums]


@cache
def _feature(name: str, dims: int) -> list[float]:
    bits = int.from_bytes(hashlib.shake_128(name.encode()).digest(dims // 8), "big")
    return [1.0 if bits >> place & 1 else -1.0 for place in range(dims)]


class EmbeddingUpstream:
    """The server."""

    def __init__(self) -> None:
        self.always: str | Callable = "regular"
        self.bodies: list[dict] = []
        self.keys: list[str | None] = []
        self._scripts: deque = deque()
        self._open = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.upstream = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def __enter__(self) -> EmbeddingUpstream:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def texts(self) -> list[str]:
        """What was asked, whatever it was answered."""
        return [text for body in self.bodies for text in body["input"]]

    def forget(self) -> None:
        """Begin to note anew, and answer regularly."""
        self.bodies.clear()
        self._scripts.clear()
        self.always = "regular"

    def script(self, *scripts: str | Callable) -> None:
        """What the next requests get, one each: a name of SCRIPTS, or a callable (handler, body)."""
        self._scripts.extend(scripts)

    def close(self) -> None:
        """End it."""
        self._open.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, handler: _Handler, body: dict) -> None:
        """One request."""
        self.bodies.append(body)
        self.keys.append(handler.headers["Authorization"])
        script = self._scripts.popleft() if self._scripts else self.always
        (SCRIPTS[script] if isinstance(script, str) else script)(handler, body)

    def hang(self) -> None:
        """Wait until the server ends, or long enough for anybody."""
        self._open.wait(30)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.json(self.server.upstream.texts)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.endswith("/embeddings"):
            self.server.upstream.answer(self, body)
        else:
            self.json({"error": {"message": "unknown"}}, 404)

    def json(self, value: object, status: int = 200) -> None:
        self.send(json.dumps(value).encode(), status)

    def send(self, data: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def items(self, vectors: list) -> None:
        items = [{"object": "embedding", "index": place, "embedding": one} for place, one in enumerate(vectors)]
        self.json({"object": "list", "data": items, "model": "m", "usage": {"prompt_tokens": 1, "total_tokens": 1}})

    def log_message(self, *arguments: object) -> None:
        pass


def _vectors(body: dict) -> list[list[float]]:
    return [embed(text) for text in body["input"]]


def _not_numbers(handler: _Handler, body: dict) -> None:
    *others, last = _vectors(body)
    handler.items([*others, [float("nan"), *last[1:]]])


def _backwards(handler: _Handler, body: dict) -> None:
    items = [{"index": place, "embedding": one} for place, one in enumerate(_vectors(body))]
    handler.json({"data": items[::-1]})


def _uneven(handler: _Handler, body: dict) -> None:
    vectors = _vectors(body)
    handler.items([*vectors[:-1], vectors[-1][:100]])


def _late(handler: _Handler, body: dict) -> None:
    handler.server.upstream.hang()


def _dripping(handler: _Handler, body: dict) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    for _ in range(200):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


def _cut(handler: _Handler, body: dict) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    handler.wfile.write(b'{"data": [')
    handler.close_connection = True


SCRIPTS: dict[str, Callable] = {
    "regular": lambda handler, body: handler.items(_vectors(body)),
    "unnumbered": lambda handler, body: handler.json({"data": [{"embedding": one} for one in _vectors(body)]}),
    "backwards": _backwards,
    "other_dims": lambda handler, body: handler.items([embed(text, 128) for text in body["input"]]),
    "uneven": _uneven,
    "short": lambda handler, body: handler.items(_vectors(body)[:-1]),
    "long": lambda handler, body: handler.items([*_vectors(body), embed("more")]),
    "misnumbered": lambda handler, body: handler.json(
        {"data": [{"index": place + 1, "embedding": one} for place, one in enumerate(_vectors(body))]}),
    "zeros": lambda handler, body: handler.items([[0.0] * DIMS for _ in body["input"]]),
    "tiny": lambda handler, body: handler.items([[1.0, 2.0] for _ in body["input"]]),
    "huge": lambda handler, body: handler.send(
        b'{"data":[%b]}' % b",".join(b'{"embedding":[1e999%b]}' % (b",1" * 99) for _ in body["input"])),
    "not_numbers": _not_numbers,
    "words": lambda handler, body: handler.items([["a"] * DIMS for _ in body["input"]]),
    "base64": lambda handler, body: handler.items(["AACAPwAAAEA=" for _ in body["input"]]),
    "no_list": lambda handler, body: handler.json({"error": {"message": "sk-secret is over quota"}}),
    "not_json": lambda handler, body: handler.send(b"<html>busy</html>"),
    "not_utf8": lambda handler, body: handler.send(b'{"data": "\xff\xfe"}'),
    "endless": lambda handler, body: handler.send(b" " * (9 << 20)),
    "status_500": lambda handler, body: handler.json({"error": {"message": "broken"}}, 500),
    "status_429": lambda handler, body: handler.json({"error": {"message": "slow down"}}, 429),
    "status_400": lambda handler, body: handler.json({"error": {"message": "sk-secret: too long"}}, 400),
    "status_401": lambda handler, body: handler.json({"error": {"message": "who are you"}}, 401),
    "redirect": lambda handler, body: handler.json({}, 307),
    "late": _late,
    "dripping": _dripping,
    "cut": _cut,
}


if __name__ == "__main__":
    with EmbeddingUpstream() as server:
        print(server.url, flush=True)
        threading.Event().wait()
