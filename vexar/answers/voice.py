"""What becomes of a model's words before they are said: its marks are read, its links are screened, its tools watched.

The builtin answerer only quotes the site's own words, so they are said as they are.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from vexar.answers.citing import Citing
from vexar.answers.foreign import gives_orders
from vexar.answers.links import Links
from vexar.answers.screening import Screen
from vexar.providers import Passage, Prompt, Tool, ToolResult


class Voice:
    """The words of one answer. `prompt`: the given one, with tools that tell the voice what they came to."""

    def __init__(self, prompt: Prompt) -> None:
        self._links = Links(prompt.origins, _link_texts(prompt), _plain_texts(prompt))
        self._passages = prompt.passages
        self._citing = Citing(len(prompt.passages))
        self._screen = Screen(self._links, prompt.lang)
        self._asked = ""
        # Tools may end in threads of their own.
        self._learning = threading.Lock()
        self.prompt = replace(prompt, tools=tuple(self._watched(tool) for tool in prompt.tools))

    def add(self, text: str) -> str:
        """What can be said now that `text` has come; may be empty."""
        return self._screen.add(self._citing.add(text))

    def end(self) -> str:
        """What was still kept back, at the end of an answer or where it breaks off."""
        return self._screen.add(self._citing.end()) + self._screen.end()

    @property
    def cited(self) -> tuple[Passage, ...]:
        """The passages that were cited, in the order of their first mark."""
        return tuple(self._passages[number - 1] for number in self._citing.cited)

    @property
    def is_unknown(self) -> bool:
        """Whether the model said that no passage answers, and cited none."""
        return self._citing.is_unknown and not self._citing.cited

    def _watched(self, tool: Tool) -> Tool:
        def call(params: Any = None, **how: Any) -> ToolResult:
            result = tool.call(params, **how)
            with self._learning:
                # What only comes back to the model, now or later, is no word of the site.
                self._asked += f"\n{json.dumps(params, ensure_ascii=False, default=str)}"
                self._links.learn(result.told, said_before=self._asked)
            return result

        return replace(tool, call=call)


def _link_texts(prompt: Prompt) -> Iterator[str]:
    """Whose links may be said: what the owner wrote, where the passages are from, and what they hold.

    The text of a page that was read from the web may hold what strangers wrote there, so it lends none.
    """
    urls = (passage.url or "" for passage in prompt.passages)
    written = (f"{passage.title}\n{passage.question}\n{passage.content}" for passage in prompt.passages
               if passage.type != "page")
    return itertools.chain(prompt.link_texts, urls, (text for text in written if not gives_orders(text)))


def _plain_texts(prompt: Prompt) -> Iterator[str]:
    """Whose email addresses may be told: the visitor's own, and those on the site's pages, as their phone numbers
    are. An address carries nothing away, and how to reach the shop stands on its pages more often than elsewhere."""
    visitor = (prompt.question, *(turn.content for turn in prompt.history if turn.role == "user"))
    pages = (passage.content for passage in prompt.passages if passage.type == "page")
    return itertools.chain(visitor, (text for text in pages if not gives_orders(text)))
