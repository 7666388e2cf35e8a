"""Answers from any OpenAI-compatible endpoint: POST {base}/chat/completions with `stream: true`.

It keeps the time-outs and the retries before the first token. Key, question and answer never get into a log line
or an error.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Iterator

from config import Config, ConfigError
from vexar.errors import ProviderError
from vexar.native import NativePool
from vexar.outbound.dialing import FetchError, Unreachable
from vexar.outbound.fetch import Broken, Call, Ended, Late, Session
from vexar.providers import REQUEST_OPERATOR, Finish, Piece, Prompt, Status, Text, Tool, Usage
from vexar.providers.calling import Calling
from vexar.providers.calls import Calls, ToolCall
from vexar.providers.refusals import refusal, refuses_tools, retry_after_s
from vexar.providers.request import call_messages, request_body
from vexar.providers.wire import Delta, Reader, WireError, Words

log = logging.getLogger(__name__)

RETRIES = 2
# So often a model may call tools before it has to answer: search, look closer, check, and one more.
MAX_ROUNDS = 4
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

    def body(self, prompt: Prompt, more: list[dict], tools: list[Tool], *, may_call: bool = True) -> bytes:
        """The JSON of the request; see request_body."""
        arguments = (prompt, prompt.model or self.config.ai_model, more, tools, may_call)
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
        self._calls = Calls()
        # A tool for people is offered only where there are some.
        self._tools = [tool for tool in prompt.tools if prompt.has_people or tool.name != REQUEST_OPERATOR]
        self._calling = Calling(self._tools)
        # What earlier rounds said, whether by text or in tokens, and the sentence of a tool that the visitor must hear.
        self._has_said = False
        self._spent: Usage | None = None
        self._owed = ""

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
        self._calling.cancel()

    def _pieces(self) -> Iterator[Piece]:
        started = time.monotonic()
        self._answer_deadline = started + self._config.ai_answer_timeout_s
        more: list[dict] = []
        for left in range(MAX_ROUNDS, -1, -1):
            said: list[str] = []
            yield from self._round(more, said, may_call=left > 0)
            calls = self._calls.whole() if self._tools and left else []
            if not calls or self._is_cancelled.is_set():
                break
            yield from self._do(calls, more, "".join(said))
        yield from self._end()

    def _end(self) -> Iterator[Piece]:
        if self._is_cancelled.is_set():
            return
        if not self._words.has_begun and self._owed:
            yield Text(self._words.add(("\n\n" if self._has_said else "") + self._owed))
        self._spend()
        if self._spent:
            yield self._spent
        if not self._words.has_begun:
            raise ProviderError("upstream_empty", f"finish_reason {self._finish[:20] or 'missing'}")
        yield Finish("length" if self._finish in ("length", "max_tokens") else "stop")

    def _round(self, more: list[dict], said: list[str], *, may_call: bool) -> Iterator[Text]:
        """One request and what is said to it; `more`: messages behind the question; `said` gets the words."""
        self._first_deadline = min(time.monotonic() + self._config.ai_first_token_timeout_s, self._answer_deadline)
        try:
            self._ask(more, may_call=may_call)
            for text in self._texts():
                gap = "\n\n" if self._has_said and not said else ""
                said.append(text)
                yield Text(gap + text)
        except (ProviderError, FetchError, WireError) as problem:
            if isinstance(problem, Ended) or not self._owed:
                raise
            log.warning("the upstream failed after a tool was called: %s", type(problem).__name__)

    def _texts(self) -> Iterator[str]:
        """The words of one answer of the upstream."""
        for delta in self._deltas():
            text = self._take(delta)
            if text:
                yield text
        rest = self._words.end()
        if rest:
            yield rest

    def _do(self, calls: list[ToolCall], more: list[dict], said: str) -> Iterator[Status]:
        """Do what the model called for, and get ready to ask it again; `more` gets what it is told."""
        planned = self._calling.plan(calls)
        for line in planned.lines:
            yield Status(line)
        if self._is_cancelled.is_set():
            return
        # Before the tools: the upstream's connection is of no use meanwhile.
        self._release()
        self._call = None
        results = self._calling.do(planned, deadline=self._answer_deadline)
        more += call_messages(said, calls, results)
        self._owed = next((result.text for result in results if result.text), self._owed)
        self._has_said = self._has_said or self._words.has_begun
        self._spend()
        self._reader, self._words, self._calls, self._finish = Reader(), Words(), Calls(), ""

    def _spend(self) -> None:
        self._spent, self._usage = _sum(self._spent, self._usage), None

    def _ask(self, more: list[dict], *, may_call: bool) -> None:
        """Send the question until an answer begins; at most RETRIES times again, within the first token's time."""
        tools = self._tools if self._provider.takes_tools else []
        body = self._provider.body(self._prompt, more, tools, may_call=may_call)
        for attempt in range(RETRIES + 1):
            try:
                call = self._send(body)
                if tools and not more and refuses_tools(call):
                    call.close()
                    call = self._send(self._provider.body(self._prompt, more, []))
                    self._provider.takes_tools = call.status != 200
                if call.status == 200:
                    return
                problem = refusal(call.status)
                wait_s = retry_after_s(call.headers.get("Retry-After"))
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
        elif has_token and (self._words.has_begun or self._calls.has_begun):
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
        self._calls.add(delta.calls, is_whole=delta.is_whole)
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


def _backoff_s(attempt: int) -> float:
    return BACKOFF_S * 2**attempt * random.uniform(0.8, 1.2)
