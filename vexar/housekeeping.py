"""What has to be done every hour, beside all requests: sweeping uploads that no message took.

Every worker does it; the work is safe to do twice at once. It never fails a request, and stops with the process.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger("vexar.housekeeping")

EVERY_S = 3_600.0
# Not while the server starts: the first requests come first.
FIRST_S = 60.0


class Housekeeping:
    """Does each of `chores` a while after the start and then every hour, in a thread of its own."""

    def __init__(self, *chores: Callable[[], object], first_s: float = FIRST_S, every_s: float = EVERY_S) -> None:
        self.chores = chores
        self._every_s = every_s
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._keep, args=(first_s,), name="vexar-housekeeping", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether the chores will come again."""
        return self._thread.is_alive()

    def close(self) -> None:
        """End the thread; a chore that is at work is waited for, so close this before what it works with."""
        self._closing.set()
        self._thread.join(5)

    def _keep(self, wait_s: float) -> None:
        while not self._closing.wait(wait_s):
            for chore in self.chores:
                self._do(chore)
            wait_s = self._every_s

    def _do(self, chore: Callable[[], object]) -> None:
        try:
            chore()
        except Exception:
            log.exception("a chore failed; it comes again in an hour")
