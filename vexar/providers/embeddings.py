"""What texts mean, as an OpenAI-compatible endpoint says it: POST {base}/embeddings.

It answers for one request with one deadline; whether to ask again is the caller's to know. Only the direction of an
embedding is kept, a byte a dimension. Key and texts never get into a log line or an error.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence

import msgspec

from config import Config
from vexar.errors import ProviderError
from vexar.native import NativePool
from vexar.outbound.dialing import FetchError, Unreachable
from vexar.outbound.fetch import Broken, Call, Ended, Late, Session

# 32 embeddings of 3,072 numbers, generously written.
MAX_ANSWER_BYTES = 8 << 20
MIN_DIMS, MAX_DIMS = 8, 16_384
# The largest number of a direction; -128 is not used, so that a direction and its opposite have the same length.
LARGEST = 127
CODES = {Unreachable: "upstream_unavailable", Late: "upstream_timeout", Broken: "upstream_broken"}


class _Item(msgspec.Struct):
    embedding: list[float]
    index: int | None = None


class _Answer(msgspec.Struct):
    data: list[_Item]


class EmbeddingClient:
    """One endpoint and one model; any number of threads may use it."""

    def __init__(self, config: Config) -> None:
        self.model = config.ai_embedding_model
        self._url = f"{config.ai_base_url}/embeddings"
        self._key = config.ai_api_key
        self._session = Session(config.ai_connect_timeout_s)
        self._native = NativePool(1)
        self._lock = threading.Lock()
        self._open: set[Call] = set()
        self._is_closed = False

    def embed(self, texts: Sequence[str], *, timeout_s: float) -> list[bytes]:
        """The direction of each text, in order and all of as many bytes: signed numbers, the largest LARGEST.

        Raises ProviderError; `permanent`: this request is refused, however often it is asked.
        """
        body = msgspec.json.encode({"model": self.model, "input": list(texts)})
        call = self._session.call(time.monotonic() + timeout_s)
        try:
            self._watch(call)
            data = self._ask(call, body)
        except FetchError as problem:
            raise ProviderError(CODES.get(type(problem), "upstream_broken"), str(problem)) from problem
        finally:
            self._open.discard(call)
            call.close()
        if self._is_closed:
            raise ProviderError("upstream_unavailable", "closed")
        # Some milliseconds of arithmetic, which the running streams must not wait for.
        return self._native.run(read_directions, data, len(texts))

    def close(self) -> None:
        """End what is being asked, and release connections and threads."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            for call in list(self._open):
                call.cancel()
        self._session.close()
        self._native.close()

    def _watch(self, call: Call) -> None:
        with self._lock:
            if self._is_closed:
                raise Ended("closed")
            self._open.add(call)

    def _ask(self, call: Call, body: bytes) -> bytes:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity",
                   "User-Agent": "Vexar"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        call.send("POST", self._url, headers=headers, body=body)
        if call.status != 200:
            is_passing = call.status in (408, 425, 429) or call.status >= 500
            raise ProviderError("upstream_unavailable" if is_passing else "upstream_rejected",
                                f"status {call.status}", permanent=not is_passing)
        data = bytearray()
        while piece := call.read():
            data += piece
            if len(data) > MAX_ANSWER_BYTES:
                raise ProviderError("upstream_broken", "the answer is too long")
        return bytes(data)


def read_directions(data: bytes, many: int) -> list[bytes]:
    """The directions in the endpoint's answer to so many texts, in their order. Raises ProviderError."""
    try:
        items = msgspec.json.decode(data, type=_Answer).data
    except (msgspec.MsgspecError, UnicodeDecodeError) as problem:
        # Its text may quote the answer.
        raise ProviderError("upstream_broken", "the answer is not a list of embeddings") from problem
    if len(items) != many:
        raise ProviderError("upstream_broken", f"{len(items)} embeddings for {many} texts")
    if sorted(-1 if item.index is None else item.index for item in items) == list(range(many)):
        items.sort(key=lambda item: item.index)
    elif any(item.index is not None for item in items):
        raise ProviderError("upstream_broken", "the embeddings are not numbered as the texts are")
    dims = {len(item.embedding) for item in items}
    if len(dims) != 1 or not MIN_DIMS <= min(dims) <= MAX_DIMS:
        raise ProviderError("upstream_broken", f"embeddings of {', '.join(map(str, sorted(dims)[:3]))} dimensions")
    return [direction(item.embedding) for item in items]


def direction(numbers: Sequence[float]) -> bytes:
    """Where a vector points: its numbers as signed bytes, the largest LARGEST. Raises ProviderError."""
    largest = max(map(abs, numbers))
    if not 0 < largest < math.inf or math.isnan(sum(numbers)):
        raise ProviderError("upstream_broken", "an embedding has no direction")
    scale = LARGEST / largest
    if not math.isfinite(scale):
        raise ProviderError("upstream_broken", "an embedding has no direction")
    # As bytes(), which knows no negative numbers: their two's complement.
    return bytes([round(number * scale) & 255 for number in numbers])
