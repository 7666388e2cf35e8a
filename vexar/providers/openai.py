"""Answers from any OpenAI-compatible endpoint: POST {base}/chat/completions with `stream: true`.

It keeps the time-outs and the retries before the first token. Key, question and answer never get into a log line
or an error.
"""

from __future__ import annotations

import logging
import random
import re
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from config import Config, ConfigError
from vexar.errors import ProviderError
from vexar.native import NativePool
from vexar.outbound.dialing import FetchError, Unreachable
from vexar.outbound.fetch import Broken, Call, Ended, Late, Session
from vexar.providers import Finish, Piece, Prompt, Text, Tool, Usage
from vexar.providers.request import call_messages, request_body
from vexar.providers.wire import Delta, Reader, ToolCall, WireError, Words

log = logging.getLogger(__name__)

RETRIES = 2
TOOLS_REFUSED = (400, 422)
MAX_REFUSAL_BYTES = 8_192
BACKOFF_S = 0.25  # before the first retry when the upstream names no time; doubles
TAIL_TIMEOUT_S = 1.0  # after finish_reason the text is whole; only the usage may still come
DRAIN_TIMEOUT_S = 0.05  # after [DONE]: long enough for the end of the body if it was sent, so the connection is kept
CODES = {Unreachable: "upstream_unavailable", Late: "upstream_timeout", Broken: "upstream_broken"}


class OpenAIProvider:
    """One endpoint, one model, one set of kept connections for all answers of a process."""

    name = "openai"

    def __init__(self, config: Config) -> None:
        if not (config.ai_api_key.isascii() and config.ai_api_key.isprintable()):
            raise ConfigError("VEXAR_AI_API_KEY: holds characters that no key has")
        self.config = config
        self.session = Session(config.ai_connect_timeout_s)
        # Some endpoints refuse a request with tools; then none is offered until the next start.
        self.takes_tools = True
        self._native = NativePool(1)

    def answer(self, prompt: Prompt) -> OpenAIAnswer:
        """Begin an answer; nothing is sent before it is iterated."""
        return OpenAIAnswer(self, prompt)

    def body(self, prompt: Prompt, more: list[dict], *, with_tools: bool) -> bytes:
        """The JSON of the request; `more`: messages behind the question."""
        arguments = (prompt, prompt.model or self.config.ai_model, more, with_tools)
        return self._native.run(request_body, *arguments) if prompt.image_path else request_body(*arguments)

    def close(self) -> None:
        """Close the kept connections."""
        self.session.close()
        self._native.close()


class OpenAIAnswer:
    """One answer in the making; iterate it once."""

    def __init__(self, provider: OpenAIProvider, prompt: Prompt) -> None:
        self._provider = provider
        self._config = provider.config
        self._prompt = prompt
        self._call: Call | None = None
        self._is_cancelled = threading.Event()
        self._reader = Reader()
        self._words = Words()
        self._finish = ""
        self._usage: Usage | None = None
        self._calls: dict[int, ToolCall] = {}

    def __iter__(self) -> Iterator[Piece]:
        """The pieces as they come. Raises ProviderError."""
        try:
            for piece in self._pieces():
                if self._is_cancelled.is_set():
                    return
                yield piece
        except Ended:
            return
        except (FetchError, WireError) as problem:
            raise ProviderError(CODES.get(type(problem), "upstream_broken"), str(problem)) from problem
        finally:
            self._release()

    def cancel(self) -> None:
        """End it now, from any thread."""
        self._is_cancelled.set()
        call = self._call
        if call:
            call.cancel()

    def _pieces(self) -> Iterator[Piece]:
        started = time.monotonic()
        self._answer_deadline = started + self._config.ai_answer_timeout_s
        yield from self._round([])
        called = self._called()
        if called and not self._is_cancelled.is_set():
            yield from self._after(called)
        if self._usage:
            yield self._usage
        if not self._words.has_begun and not self._is_cancelled.is_set():
            raise ProviderError("upstream_empty", f"finish_reason {self._finish[:20] or 'missing'}")
        yield Finish("length" if self._finish in ("length", "max_tokens") else "stop")

    def _round(self, more: list[dict]) -> Iterator[Text]:
        """One request and what is said to it; `more`: messages behind the question."""
        self._first_deadline = min(time.monotonic() + self._config.ai_first_token_timeout_s, self._answer_deadline)
        self._ask(more)
        for delta in self._deltas():
            text = self._take(delta)
            if text:
                yield Text(text)
        rest = self._words.end()
        if rest:
            yield Text(rest)

    def _called(self) -> list[tuple[ToolCall, Tool]]:
        """The calls of tools there are, in order."""
        tools = {tool.name: tool for tool in self._prompt.tools}
        return [(call, tools[call.name]) for _, call in sorted(self._calls.items()) if call.name in tools]

    def _after(self, called: list[tuple[ToolCall, Tool]]) -> Iterator[Text]:
        """Do what the model called for, and let it tell the visitor; whatever happens, the visitor hears of it."""
        # The same tool called twice in one breath is done once.
        results = {tool.name: tool.call() for tool in {tool.name: tool for _, tool in called}.values()}
        has_begun, usage = self._words.has_begun, self._usage
        self._release()
        self._reader, self._words, self._usage, self._finish = Reader(), Words(), None, ""
        try:
            for text in self._round(call_messages(called, results)):
                yield Text("\n\n" + text.text) if has_begun else text
                has_begun = False
        except (ProviderError, FetchError, WireError) as problem:
            if isinstance(problem, Ended):
                raise
            log.warning("the upstream failed after a tool was called: %s", type(problem).__name__)
        if not self._words.has_begun and not self._is_cancelled.is_set():
            yield Text(self._words.add(("\n\n" if has_begun else "") + next(iter(results.values())).text))
        self._finish = "" if self._finish == "tool_calls" else self._finish
        self._usage = _sum(usage, self._usage)

    def _ask(self, more: list[dict]) -> None:
        """Send the question until an answer begins; at most RETRIES times again, within the first token's time."""
        with_tools = bool(self._prompt.tools) and self._prompt.has_people and self._provider.takes_tools
        body = self._provider.body(self._prompt, more, with_tools=with_tools)
        for attempt in range(RETRIES + 1):
            try:
                call = self._send(body)
                if with_tools and not more and _refuses_tools(call):
                    call.close()
                    call = self._send(self._provider.body(self._prompt, more, with_tools=False))
                    self._provider.takes_tools = call.status != 200
                if call.status == 200:
                    return
                problem = _refusal(call.status)
                wait_s = _retry_after_s(call.headers.get("Retry-After"))
                call.close()
            except (Unreachable, Broken) as failure:
                problem, wait_s = ProviderError("upstream_unavailable", str(failure)), None
                problem.__cause__ = failure
            wait_s = _backoff_s(attempt) if wait_s is None else wait_s
            if problem.permanent or attempt == RETRIES or time.monotonic() + wait_s >= self._first_deadline:
                raise problem
            log.warning("the upstream failed (%s); asking again in %.1f s", problem.detail, wait_s)
            if self._is_cancelled.wait(wait_s):
                raise Ended("cancelled")

    def _send(self, body: bytes) -> Call:
        self._call = call = self._provider.session.call(self._first_deadline)
        if self._is_cancelled.is_set():
            raise Ended("cancelled")
        headers = {
            "Content-Type": "application/json", "Accept": "text/event-stream, application/json",
            "Accept-Encoding": "identity", "User-Agent": "Vexar",
        }
        if self._config.ai_api_key:
            headers["Authorization"] = f"Bearer {self._config.ai_api_key}"
        call.send("POST", f"{self._config.ai_base_url}/chat/completions", headers=headers, body=body)
        return call

    def _deltas(self) -> Iterator[Delta]:
        """What the upstream says until it is done; an answer that has finished needs no proper end of its body."""
        data = b"-"
        while data and not self._reader.is_done:
            try:
                data = self._call.read()
            except (Late, Broken):
                if self._finish:
                    return
                raise
            deltas = self._reader.feed(data) if data else self._reader.end()
            yield from deltas
            self._move_deadline(any(delta.is_alive for delta in deltas))

    def _move_deadline(self, has_token: bool) -> None:
        if self._finish:
            deadline = min(self._call.deadline, time.monotonic() + TAIL_TIMEOUT_S)
        elif has_token and self._words.has_begun:
            deadline = time.monotonic() + self._config.ai_token_timeout_s
        else:
            return
        self._call.deadline = min(deadline, self._answer_deadline)

    def _take(self, delta: Delta) -> str:
        """Note what the delta says; the text that can be shown."""
        if delta.error:
            raise ProviderError("upstream_broken", f"the stream reported {delta.error}")
        self._finish = delta.finish or self._finish
        self._usage = Usage(*delta.usage) if delta.usage else self._usage
        for call in delta.calls:
            self._calls.setdefault(call.index, call)
        # Some upstreams repeat the whole message at the end of its stream.
        if not delta.text or (delta.is_whole and self._words.has_begun):
            return ""
        return self._words.add(delta.text)

    def _release(self) -> None:
        if self._reader.skipped:
            log.warning("skipped %d lines of the upstream that are not JSON", self._reader.skipped)
        call = self._call
        if call is None:
            return
        if self._reader.is_done and not self._is_cancelled.is_set():
            call.deadline = time.monotonic() + DRAIN_TIMEOUT_S
            _drain(call)
        call.close()


def _sum(first: Usage | None, second: Usage | None) -> Usage | None:
    if first is None or second is None:
        return first or second
    return Usage(first.prompt_tokens + second.prompt_tokens, first.answer_tokens + second.answer_tokens)


def _drain(call: Call) -> None:
    try:
        while call.read():
            pass
    except FetchError:
        return


def _refuses_tools(call: Call) -> bool:
    """Whether a refusal is about the tools: no other 400 is worth asking again."""
    if call.status not in TOOLS_REFUSED:
        return False
    said = b""
    while len(said) < MAX_REFUSAL_BYTES and (data := call.read()):
        said += data
    return b"tool" in said.lower()


def _refusal(status: int) -> ProviderError:
    if status == 429 or status >= 500:
        return ProviderError("upstream_unavailable", f"status {status}")
    return ProviderError("upstream_rejected", f"status {status}", permanent=True)


def _backoff_s(attempt: int) -> float:
    return BACKOFF_S * 2**attempt * random.uniform(0.8, 1.2)


def _retry_after_s(value: str | None) -> float | None:
    """Seconds to wait as a Retry-After header names them, in seconds or as an HTTP date (RFC 9110, 10.2.3)."""
    if value and re.fullmatch(r"\d{1,9}(\.\d+)?", value.strip()):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
