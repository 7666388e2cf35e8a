"""Busy visitors of the crash audit: good clients, who send a message again until they were told its end."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.crash_checks import Told
from tests.wire import Received, parse_events

# Twice a lease, a slow start and some answers.
TURN_TIMEOUT_S = 60.0
RETRY_S = 0.1
NETWORK = (OSError, http.client.HTTPException)
# How a visitor sends, and how often: once; the same twice at once; two different ones at once; once, then leaves.
MANNERS = {"once": 60, "twice": 15, "two": 20, "leaves": 5}


@dataclass(frozen=True)
class Plan:
    """What to do. `may_leave`: some visitors leave a message for good, which takes more than a minute to end."""

    rounds: int
    visitors: int
    seed: int
    may_leave: bool = True
    kill_database: bool = False


class Telling:
    """One reader of one message: it sends it again until it was told the end."""

    def __init__(self, told: Told, port: int) -> None:
        self._told, self._port = told, port
        self._text = self._last_id = ""

    def until_done(self) -> None:
        give_up = time.monotonic() + TURN_TIMEOUT_S
        while time.monotonic() < give_up:
            with contextlib.suppress(*NETWORK):
                if self._connect(self._read):
                    return
            time.sleep(RETRY_S)

    def until_first_byte(self) -> None:
        with contextlib.suppress(*NETWORK):
            self._connect(lambda response: bool(response.read1(1)))

    def _connect(self, read: Callable[[http.client.HTTPResponse], bool]) -> bool:
        told = self._told
        body = {
            "site_key": "sk_demo", "session_id": told.session_id, "message_id": told.message_id,
            "message": told.content,
        }  # fmt: skip
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
        if self._last_id:
            headers["Last-Event-ID"] = self._last_id
        else:
            self._text = ""
        link = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        with contextlib.closing(link):
            link.request("POST", "/api/v1/chat/stream", json.dumps(body), headers)
            response = link.getresponse()
            told.connections += 1
            if response.status == 200:
                told.is_acknowledged = True
                return read(response)
            if response.status != 503:
                told.refusals.append(f"was answered with {response.status} after {self._last_id!r}")
            return False

    def _read(self, response: http.client.HTTPResponse) -> bool:
        for event in parse_events(iter(lambda: response.read1(65536), b"")):
            self._last_id = event.id or self._last_id
            if event.type == "done":
                return self._is_end(event)
            self._text = "" if event.type == "reset" else self._text + event.data.get("content", "")
        return False

    def _is_end(self, done: Received) -> bool:
        meta = done.data["meta"]
        self._told.endings.append((self._text, meta))
        if meta["finish_reason"] == "error" and done.id:
            # Only without a Last-Event-ID may a new run start.
            self._last_id = ""
        return meta["finish_reason"] != "error"


class Visitor:
    """A busy visitor: one message after the other, in all manners."""

    def __init__(self, number: int, port: int, plan: Plan, is_over: threading.Event) -> None:
        self.told: list[Told] = []
        self._port = port
        self._session_id = f"visitor-{number}"
        self._random = random.Random(f"{plan.seed} {number}")
        self._manners = [name for name in MANNERS if plan.may_leave or name != "leaves"]
        self._is_over = is_over
        self._numbers = itertools.count(1)
        self.thread = threading.Thread(target=self._live, daemon=True)

    @property
    def answered(self) -> int:
        return sum(one.is_answered for one in self.told)

    def _live(self) -> None:
        while not self._is_over.is_set():
            getattr(self, f"_{self._random.choices(self._manners, [MANNERS[name] for name in self._manners])[0]}")()

    def _once(self) -> None:
        Telling(self._next(), self._port).until_done()

    def _twice(self) -> None:
        told = self._next()
        self._together(told, told)

    def _two(self) -> None:
        self._together(self._next(), self._next())

    def _leaves(self) -> None:
        told = self._next()
        told.has_left = True
        Telling(told, self._port).until_first_byte()

    def _together(self, *told: Told) -> None:
        threads = [threading.Thread(target=Telling(one, self._port).until_done, daemon=True) for one in told]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _next(self) -> Told:
        number = next(self._numbers)
        content = f"Größe {number} of {self._session_id} \U0001f600?"
        self.told.append(Told(self._session_id, f"m-{number}", content))
        return self.told[-1]
