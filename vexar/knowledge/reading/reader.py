"""Has files and pages taken apart by processes of its own: what a stranger wrote may be made to freeze a parser, to
fill the memory or to end the process, and streams must not notice. child.py is what runs there.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import vexar
from vexar.knowledge.entries import Entry
from vexar.knowledge.reading.extract import Extracted, ExtractError
from vexar.knowledge.reading.frames import read_frame, write_frame
from vexar.knowledge.reading.html import Page

# A file may take a minute; the crawler's pages get through beside it.
PROCESSES = 2
# Less than the lease of a crawl, or two workers would read the same page for ever.
PAGE_TIMEOUT_S, FILE_TIMEOUT_S = 10.0, 120.0
_ROOT = Path(vexar.__file__).resolve().parent.parent


class Reader:
    """One per process. Its children begin with the first work and end by themselves when there is none."""

    def __init__(self) -> None:
        self._children = [_Child() for _ in range(PROCESSES)]
        self._free: queue.LifoQueue[_Child] = queue.LifoQueue()
        for child in self._children:
            self._free.put(child)

    def file(self, name: str, data: bytes) -> Extracted:
        """The entries of a file. Raises ExtractError."""
        found = Extracted()
        for part in self._ask({"do": "file", "name": name}, data, FILE_TIMEOUT_S):
            found.entries += [Entry(*values) for values in part.get("entries", ())]
            found.skipped += part.get("skipped", ())
        return found

    def page(self, data: bytes, url: str, charset: str) -> Page:
        """What an HTML page says. Raises ExtractError for one that no time is enough for."""
        parts = self._ask({"do": "page", "url": url, "charset": charset}, data, PAGE_TIMEOUT_S)
        return Page.of(next(parts))

    def sitemap(self, data: bytes) -> tuple[bool, list[str]]:
        """Whether a sitemap lists other sitemaps, and the addresses in it. Raises ExtractError."""
        part = next(self._ask({"do": "sitemap"}, data, PAGE_TIMEOUT_S))
        return part["is_index"], part["urls"]

    def close(self) -> None:
        """End the processes; what one is at raises ExtractError."""
        for child in self._children:
            child.close()
        idle = []
        with suppress(queue.Empty):
            while True:
                idle.append(self._free.get_nowait())
        for child in idle:
            child.end()
            # Who comes now is told, rather than left waiting.
            self._free.put(child)

    def _ask(self, task: dict[str, str], data: bytes, timeout_s: float) -> Iterator[dict[str, Any]]:
        child = self._free.get()
        try:
            parts = child.ask({**task, "timeout_s": timeout_s}, data, timeout_s)
        finally:
            self._free.put(child)
        for part in parts:
            if "error" in part:
                raise ExtractError(part["error"])
        return iter(parts)


class _Child:
    """A process that may be there or not; one caller at a time."""

    def __init__(self) -> None:
        self._process: subprocess.Popen | None = None
        self._is_closed = False

    def ask(self, task: dict[str, Any], data: bytes, timeout_s: float) -> list[dict[str, Any]]:
        """What it answers. Raises ExtractError when it does not."""
        # One that was idle may have just gone; a fresh one that goes did so over these bytes.
        for is_fresh in (self._process is None, True):
            if self._is_closed:
                raise ExtractError("the server is going down; try again")
            late = threading.Event()
            process = self._process = self._process or _start()
            alarm = threading.Timer(timeout_s, lambda late=late, process=process: (late.set(), process.kill()))
            alarm.daemon = True
            alarm.start()
            try:
                return self._talk(process, task, data)
            except (OSError, EOFError, ValueError):
                self.end()
            finally:
                alarm.cancel()
            if late.is_set() or is_fresh:
                break
        why = "takes too long to read" if late.is_set() else "cannot be read"
        raise ExtractError(f"it is damaged or too intricate: it {why}")

    def close(self) -> None:
        """End it for good, whatever it is doing: who waits for it gets an ExtractError."""
        self._is_closed = True
        process = self._process
        if process is not None:
            # Its caller, if there is one, closes the pipes: two at one pipe would wait for each other.
            process.kill()
            process.wait()

    def end(self) -> None:
        """End it and close what led to it."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            # What could not be written any more is for nobody.
            with suppress(OSError):
                pipe.close()

    @staticmethod
    def _talk(process: subprocess.Popen, task: dict[str, Any], data: bytes) -> list[dict[str, Any]]:
        write_frame(process.stdin, json.dumps(task).encode())
        write_frame(process.stdin, data)
        parts = []
        # In parts, for whoever takes a large answer apart at once holds up all streams of its process.
        while part := read_frame(process.stdout):
            parts.append(json.loads(part))
        return parts


def _start() -> subprocess.Popen:
    # A session of its own: Ctrl-C in a terminal is for the server alone, which ends it in good order.
    return subprocess.Popen(
        [sys.executable, "-m", "vexar.knowledge.reading.child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, cwd=_ROOT, start_new_session=True,
    )
