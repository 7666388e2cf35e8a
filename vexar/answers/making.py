"""Asking the providers for one answer: who is asked, what is taken of it, when it is enough. Knows no store."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

from config import Config
from vexar import metrics
from vexar.answers.live import LiveRun
from vexar.answers.prompt import CHARS_PER_TOKEN
from vexar.answers.voice import Voice
from vexar.errors import ProviderError
from vexar.events import event
from vexar.providers import (
    Finish,
    Part,
    Passage,
    Prompt,
    Provider,
    Registry,
    Sources,
    Status,
    Text,
    Usage,
)

log = logging.getLogger("vexar.making")

# Of one piece, looked at in one go: a broken upstream may send a megabyte, of which nobody hears the most.
SLICE_CHARS = 2_000


class Outcome:
    """What came of asking. `finish_reason`: stop or length; `error_code` is empty unless everybody failed."""

    def __init__(self, prompt: Prompt) -> None:
        self.voice = Voice(prompt)
        self.prompt = self.voice.prompt
        self.finish_reason = "stop"
        self.error_code = ""
        self.provider = ""
        self.usage: Usage | None = None
        self._sources: tuple[dict, ...] | None = None

    def take(self, piece: Any, live: LiveRun) -> None:
        """A piece that is not text."""
        if isinstance(piece, Status):
            live.notice(event("status", text=piece.text))
        elif isinstance(piece, Sources):
            self._sources = piece.sources
        elif isinstance(piece, Usage):
            self.usage = piece
        elif isinstance(piece, Finish):
            self.finish_reason = piece.reason

    def sources(self) -> tuple[dict, ...]:
        """What the provider named, else what the model cited.

        Without a mark nobody knows what an answer rests on; then the best passage counts, where the ranking was sure
        of it and the model did not say that none answers.
        """
        if self._sources is not None:
            return self._sources
        used = self.voice.cited or (() if self.voice.is_unknown else self._likely())
        return tuple({(passage.cited_as, passage.url): _source(passage) for passage in used}.values())

    def _likely(self) -> tuple[Passage, ...]:
        prompt = self.prompt
        parts = prompt.parts or (Part(prompt.question, prompt.passages, prompt.confidence),)
        return tuple(part.passages[0] for part in parts if part.passages and part.confidence >= prompt.threshold)

    def rests_on(self, live: LiveRun) -> dict[str, Any]:
        """The `sources`, and what they say of the knowledge (run.knowledge)."""
        sources, prompt = self.sources(), self.prompt
        # Where the ranking is sure, no source is left out unless a model said that none of them answers.
        is_sure = bool(prompt.passages) and prompt.confidence >= prompt.threshold
        if sources or live.has_data:
            return {"sources": sources, "knowledge": "known"}
        return {"sources": (), "knowledge": "rejected" if is_sure and self.provider != "builtin" else "missing"}

    def tokens(self, live: LiveRun) -> int:
        """Tokens the answer took: as the upstream counted them, else estimated; 0 where no model answered."""
        if self.usage:
            return self.usage.prompt_tokens + self.usage.answer_tokens
        is_estimated = live.length and self.provider != "builtin"
        return (len(self.prompt.system) + live.length) // CHARS_PER_TOKEN if is_estimated else 0


def make_answer(live: LiveRun, prompt: Prompt, *, providers: Registry, config: Config) -> Outcome:
    """Fill a run's buffer from the first provider that begins to answer; returns when it is whole, or enough."""
    outcome = Outcome(prompt)
    started = time.monotonic()
    chain = list(_chain(providers, config, prompt.provider))
    for provider in chain:
        try:
            _ask(live, provider, outcome, max_chars=config.ai_max_answer_chars, started=started)
            return outcome
        except ProviderError as problem:
            if live.is_over:
                return outcome
            # After the first word nobody else may go on: it would answer anew in the middle of a sentence.
            if live.length or provider is chain[-1]:
                log.warning("run %s of visitor %s: %s", live.key[1], live.key[0], problem)
                outcome.error_code = problem.code
                return outcome
            log.warning("%s failed before its first word, %s answers: %s", provider.name, chain[-1].name, problem)
    return outcome


def _chain(providers: Registry, config: Config, wanted: str) -> Iterator[Provider]:
    first = providers.get(wanted or ("openai" if config.ai_base_url else "builtin"))
    yield first
    if config.ai_fallback and first.name != "builtin":
        yield providers.get("builtin")


def _ask(live: LiveRun, provider: Provider, outcome: Outcome, *, max_chars: int, started: float) -> None:
    answer = provider.answer(outcome.prompt)
    live.makes(answer)
    outcome.provider = provider.name
    quotes = provider.name == "builtin"
    say = partial(_say, live, max_chars=max_chars, started=started)
    fits = True
    try:
        for piece in answer:
            if live.is_over:
                break
            if not isinstance(piece, Text):
                outcome.take(piece, live)
            elif not (fits := say(piece.text) if quotes else all(map(say, _screened(outcome.voice, piece.text)))):
                break
    finally:
        # Also when enough was said: the model would go on, and be paid for.
        answer.cancel()
        # Also where it breaks off, if anything was said; what is kept back before the first word is nobody's.
        if fits and not quotes and live.ending is None and (live.length or sys.exception() is None):
            fits = say(outcome.voice.end())
    if not fits:
        outcome.finish_reason = "length"
    if not live.length and not live.is_over:
        raise ProviderError("upstream_empty", "nothing but marks")


def _screened(voice: Voice, text: str) -> Iterator[str]:
    return (voice.add(text[at:at + SLICE_CHARS]) for at in range(0, len(text), SLICE_CHARS))


def _source(passage: Passage) -> dict:
    url = passage.url or ""
    is_link = url.lower().startswith(("http://", "https://")) or re.match(r"/[^/\\]", url)
    return {"title": passage.cited_as, "url": url if is_link else None}


def _say(live: LiveRun, text: str, *, max_chars: int, started: float) -> bool:
    """Add what fits to the answer; False when not everything did."""
    if text and not live.length:
        metrics.first_token(time.monotonic() - started)
    left = max_chars - live.length
    if left and text:
        live.add(text[:left])
    # An answer that fits exactly is whole; only what had to be dropped makes it `length`.
    return len(text) <= left
