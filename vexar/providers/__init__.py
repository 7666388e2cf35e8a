"""Who makes the text of an answer: the contract of a provider, and the registry.

A provider gets a finished Prompt and gives pieces. It decides about its own time-outs and retries; it knows
nothing of runs, stores or visitors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

# The tool that asks for a person.
REQUEST_OPERATOR = "request_operator"


@dataclass(frozen=True)
class Passage:
    """One knowledge entry (or the part of it) found for a question; `score` falls with the rank.

    `heading`: the one a part of a long page stands under, or empty.
    """

    entry_id: int
    type: str
    title: str
    question: str
    content: str
    url: str | None
    score: float
    heading: str = ""

    @property
    def cited_as(self) -> str:
        """How the source is named: the page, and the heading in it."""
        name = self.title or self.question
        return f"{name} - {self.heading}" if self.heading and self.heading not in name else name


@dataclass(frozen=True)
class Part:
    """One of several questions in a message, with what was found for it; as in Prompt."""

    question: str
    passages: tuple[Passage, ...]
    confidence: float


@dataclass(frozen=True)
class Turn:
    """One earlier message, as a model sees it. `role`: user or assistant."""

    role: str
    content: str


@dataclass(frozen=True)
class ToolResult:
    """What a tool did: `told` for the model, `text` for the visitor, in its language; `outcome` in one word."""

    told: str
    text: str
    outcome: str


def _reads_nothing(arguments: str) -> None:
    """For a tool that takes nothing: whatever a model adds."""


@dataclass(frozen=True)
class Tool:
    """Something that can be done while an answer is made; neither part of it raises anything else.

    `read(arguments)` gives what `call` takes from the JSON a model wrote, or raises ValueError with a sentence for
    it. `call(params, lang=, is_told=, deadline=, watch=)` does it: `is_told`, the caller says the result's `text`
    itself; `deadline` as in `time.monotonic()`; `watch(call)` is given what ends with `cancel()`. `parameters` is
    a JSON schema; `doing` tells the visitor what is going on meanwhile, in its language.
    """

    name: str
    description: str
    call: Callable[..., ToolResult]
    parameters: dict = field(default_factory=lambda: {"type": "object", "properties": {}})
    read: Callable[[str], Any] = _reads_nothing
    doing: str = ""


@dataclass(frozen=True)
class Prompt:
    """Everything one answer is made from.

    `passages` best first; `confidence` from 0 to 1 says how sure the ranking is that the best one fits, and at
    or above `threshold` it counts as an answer. `image_path` is a file on disk, or None. `system` is the whole
    system text, passages included; `history` ends before `question`. `has_people`: persons of the site answer, too.
    """

    question: str
    lang: str = ""
    system: str = ""
    history: tuple[Turn, ...] = ()
    passages: tuple[Passage, ...] = ()
    confidence: float = 0.0
    threshold: float = 0.45
    image_path: str | None = None
    site_name: str = ""
    # Whom the site wants to be asked, and for which model; empty: the server's own.
    provider: str = ""
    model: str = ""
    tools: tuple[Tool, ...] = ()
    has_people: bool = True
    # Where the message asks several things: each by itself.
    parts: tuple[Part, ...] = ()
    # Which links an answer may hold: of these origins, and those that stand in these texts of the owner.
    origins: tuple[str, ...] = ()
    link_texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Text:
    """The next characters of the answer."""

    text: str


@dataclass(frozen=True)
class Status:
    """What the provider is doing, for the visitor to read meanwhile."""

    text: str


@dataclass(frozen=True)
class Sources:
    """The passages the answer rests on: [{"title", "url"}]. Without one, those count that the text cites."""

    sources: tuple[dict, ...]


@dataclass(frozen=True)
class Usage:
    """Tokens as the upstream counted them."""

    prompt_tokens: int
    answer_tokens: int


@dataclass(frozen=True)
class Finish:
    """Why the text ends: stop or length. The last piece; left out it means stop."""

    reason: str


Piece = Text | Status | Sources | Usage | Finish


class Answer(Protocol):
    """One answer in the making."""

    def __iter__(self) -> Iterator[Piece]:
        """The pieces as they come. Raises ProviderError; before the first Text that means "nothing was said"."""

    def cancel(self) -> None:
        """End it now, from any thread: connections are closed, a blocked iteration ends soon. May be repeated."""


class Provider(Protocol):
    """A maker of answers; one object serves all runs of a process at the same time."""

    name: str

    def answer(self, prompt: Prompt) -> Answer:
        """Begin an answer; nothing is sent before it is iterated."""

    def close(self) -> None:
        """Release connections and threads."""


@dataclass
class Registry:
    """The providers by name."""

    providers: dict[str, Provider] = field(default_factory=dict)

    def add(self, provider: Provider) -> None:
        """Make a provider available under its name."""
        self.providers[provider.name] = provider

    def get(self, name: str) -> Provider:
        """The provider of this name; the builtin one when it is unknown."""
        return self.providers.get(name) or self.providers["builtin"]

    def close(self) -> None:
        """Release what the providers hold."""
        for provider in self.providers.values():
            provider.close()
