"""Who is typing to whom, for the operators' streams: told when it begins and when it ends, never stored."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from vexar.conversing.visitors import find
from vexar.live.visitor_stream import TYPING_S
from vexar.store import Store

MAX_TYPISTS = 1_000


@dataclass(slots=True)
class Typist:
    """One who types: where, until when (monotonic), and whether that was told."""

    site_id: int
    conversation_id: int
    operator: dict | None
    until_s: float
    is_told: bool = False


class Typists:
    """Those who type at the moment. `changes` gives each beginning and each end once."""

    def __init__(self) -> None:
        self._typing: dict[tuple, Typist] = {}

    def note(self, site_id: int, note: dict, store: Store) -> None:
        """Take in what a ring said: {"typing", "session_id", "operator": {id, name} or missing}. Raises StoreError."""
        operator = note.get("operator")
        key = (site_id, note.get("session_id"), operator["id"] if operator else None)
        typist = self._typing.get(key)
        if not note["typing"]:
            if typist:
                typist.until_s = 0.0
        elif typist:
            typist.until_s = time.monotonic() + TYPING_S
        elif len(self._typing) < MAX_TYPISTS:
            visitor = store.read(find, site_id=site_id, session_id=note.get("session_id"))
            # Before the first message there is no conversation to show it in.
            if visitor is not None and visitor.conversation_id:
                self._typing[key] = Typist(
                    site_id, visitor.conversation_id, operator, time.monotonic() + TYPING_S
                )

    def forget(self, conversation_ids: set[int]) -> None:
        """What was typed in these conversations was sent."""
        for typist in self._typing.values():
            if typist.conversation_id in conversation_ids:
                typist.until_s = 0.0

    def next_end_s(self) -> float:
        """Seconds until somebody's typing ends by itself; a very long time when nobody types."""
        now = time.monotonic()
        return max(0.0, min((typist.until_s - now for typist in self._typing.values()), default=1e6))

    def changes(self) -> list[tuple[int, dict]]:
        """What has to be told: (site_id, payload of a `typing` event)."""
        now = time.monotonic()
        found = []
        for key, typist in list(self._typing.items()):
            is_over = typist.until_s <= now
            if is_over:
                del self._typing[key]
            if is_over == typist.is_told:
                found.append((typist.site_id, _payload(typist, not is_over)))
            typist.is_told = True
        return found


def _payload(typist: Typist, is_on: bool) -> dict[str, Any]:
    return {
        "conversation_id": typist.conversation_id, "who": "operator" if typist.operator else "visitor",
        "operator": typist.operator, "on": is_on,
    }
