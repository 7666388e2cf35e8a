"""A run that is being made in this process: its text so far, its readers' bells, its ending.

Written by one worker, read by any number of followers; nothing here blocks or knows the store.
"""

from __future__ import annotations

import threading
from typing import Any, Protocol

from vexar.answers.ledger import Ending
from vexar.events import Event


class Rung(Protocol):
    """Whatever can be woken."""

    def ring(self) -> None:
        """Wake it."""


class LiveRun:
    """The buffer of one attempt. `key`: (visitor_id, seq, attempt). `user_id`: verified by the request that began
    this attempt; empty: whoever asks is nobody in particular."""

    def __init__(self, row: Any, user_id: str = "") -> None:
        self.row = row
        self.user_id = user_id
        self.key = (row.visitor_id, row.seq, row.attempt)
        self.pieces: list[str] = []
        self.length = 0
        # The first piece that no checkpoint holds yet.
        self.kept_pieces = 0
        self.kept_at = 0.0
        self.notices: list[Event] = []
        self.ending: Ending | None = None
        self.is_stop_asked = False
        # The site's own endpoint gave something for this answer.
        self.has_data = False
        self.ended = threading.Event()
        self._answer: Any = None
        self._bells: set[Rung] = set()

    @property
    def text(self) -> str:
        """Everything said so far."""
        if len(self.pieces) > 1:
            # Followers keep places in the list, so the list itself stays as it is.
            return "".join(self.pieces)
        return self.pieces[0] if self.pieces else ""

    def add(self, text: str) -> None:
        """The next characters."""
        # First the length: a reader must never have seen more than it says.
        self.length += len(text)
        self.pieces.append(text)
        self.ring()

    def notice(self, event: Event) -> None:
        """Something for readers that is not text of the answer."""
        self.notices.append(event)
        self.ring()

    def makes(self, answer: Any) -> None:
        """What is asked for pieces at the moment, so that stop can end it at once."""
        self._answer = answer
        if self.is_over:
            answer.cancel()

    @property
    def is_over(self) -> bool:
        """Whether its worker should stop asking for pieces."""
        return self.ending is not None or self.is_stop_asked

    def stop(self) -> None:
        """Ask the worker to end with what was said."""
        self.is_stop_asked = True
        self._cancel()
        self.ring()

    def end(self, ending: Ending) -> None:
        """Tell every reader how it ended; the first ending counts."""
        if self.ending is None:
            self.ending = ending
            self.ended.set()
            self._cancel()
            self.ring()

    def attach(self, bell: Rung) -> None:
        """Ring this bell with every change."""
        self._bells.add(bell)

    def detach(self, bell: Rung) -> None:
        """The reader left."""
        self._bells.discard(bell)

    def ring(self) -> None:
        """Wake every reader."""
        # A copy: readers come and go while they are rung.
        for bell in tuple(self._bells):
            bell.ring()

    def _cancel(self) -> None:
        if self._answer is not None:
            self._answer.cancel()
