"""What a model may have done while it answers. So far: calling a person."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from vexar.answers.live import LiveRun
from vexar.conversing.handover import Called
from vexar.errors import ApiError
from vexar.providers import REQUEST_OPERATOR, Tool, ToolResult
from vexar.store import StoreError

log = logging.getLogger("vexar.tools")

DESCRIPTION = (
    "Calls a person of this website to the conversation. Use it when the visitor asks for a human being, or accepts "
    "your offer to call one. Never claim to have called somebody without it."
)
# What a model is told; the sentence for the visitor comes with it, so that the promise it makes is a true one.
_TOLD = {
    "called": "A person was called and joins when one is free; nobody can say when. Tell the visitor so in one "
    "sentence, and that you go on answering until then.",
    "away": "Nobody is there at the moment. Tell the visitor this, in its language, and nothing else: {text}",
    "no_person": "No person answers in this chat. Tell the visitor this, in its language: {text}",
    "has_person": "A person has the conversation already.",
}
_FAILED = ToolResult("Nobody could be called: a technical problem. Ask the visitor to try again.", "", "failed")

AskForPerson = Callable[..., Called]


def tools_for(live: LiveRun, session_id: str, ask: AskForPerson) -> tuple[Tool, ...]:
    """The tools of one run; `ask(site_id, session_id, lang=, is_told=)` is Conversations.request_operator."""

    def call(lang: str = "", is_told: bool = False) -> ToolResult:
        # Cut or closed meanwhile: what is asked now would be about a conversation the visitor knows nothing of.
        if live.ending is not None:
            return _FAILED
        try:
            return _result(ask(live.row.site_id, session_id, lang=lang, is_told=is_told))
        except (ApiError, StoreError) as problem:
            log.warning("no person could be called: %s", type(problem).__name__)
            return _FAILED

    return (Tool(REQUEST_OPERATOR, DESCRIPTION, call),)


def _result(called: Any) -> ToolResult:
    return ToolResult(_TOLD[called.outcome].replace("{text}", called.text), called.text, called.outcome)
