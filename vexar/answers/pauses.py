"""Which endpoints are left alone for a while, so that no visitor waits for one that is down. In this process only."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable

# So many failures in a row begin a pause; a single one is often a restart.
FAILURES = 3
PAUSE_S = 30.0
# An action an endpoint does not have is not offered for so long.
LACK_S = 600.0
# Beyond that everything is forgotten: nobody has so many sites, and it only costs a few time-outs.
MAX_KNOWN = 2_000


class Pauses:
    """What the last calls of each endpoint came to; a changed address or key is another endpoint."""

    def __init__(self) -> None:
        self._failures: dict[Hashable, int] = {}
        self._until: dict[Hashable, float] = {}
        self._lacking: dict[tuple[Hashable, str], float] = {}
        self._lock = threading.Lock()

    def may_ask(self, endpoint: Hashable) -> bool:
        """Whether it is worth a try. After a pause one call is let through and the others wait for what it says."""
        now = time.monotonic()
        with self._lock:
            until = self._until.get(endpoint)
            if until is None:
                return True
            if until > now:
                return False
            self._until[endpoint] = now + PAUSE_S
            return True

    def note(self, endpoint: Hashable, *, is_good: bool) -> None:
        """Whether a call got an answer that can be used."""
        with self._lock:
            if is_good:
                self._failures.pop(endpoint, None)
                self._until.pop(endpoint, None)
                return
            self._forget_all_of_too_many()
            failures = self._failures[endpoint] = self._failures.get(endpoint, 0) + 1
            if failures >= FAILURES:
                self._until[endpoint] = time.monotonic() + PAUSE_S

    def lack(self, endpoint: Hashable, action: str) -> None:
        """The endpoint said that it does not have this action."""
        with self._lock:
            self._forget_all_of_too_many()
            self._lacking[endpoint, action] = time.monotonic() + LACK_S

    def lacks(self, endpoint: Hashable, action: str) -> bool:
        """Whether it said so a while ago."""
        return self._lacking.get((endpoint, action), 0) > time.monotonic()

    def _forget_all_of_too_many(self) -> None:
        for known in (self._failures, self._until, self._lacking):
            if len(known) > MAX_KNOWN:
                known.clear()
