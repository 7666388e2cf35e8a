"""Reads files and pages in native threads: taking them apart takes the processor, and streams must not wait for it."""

from __future__ import annotations

import threading

from vexar.knowledge.reading.extract import Extracted, extract
from vexar.knowledge.reading.html import Page, read_page
from vexar.native import NativePool

# A file may take a minute; the crawler's pages get through beside it.
THREADS = 2


class Reader:
    """One per process. Its threads begin with the first work."""

    def __init__(self) -> None:
        self._pool: NativePool | None = None
        self._lock = threading.Lock()

    def file(self, name: str, data: bytes) -> Extracted:
        """The entries of a file. Raises ExtractError."""
        return self._threads().run(extract, name, data)

    def page(self, data: bytes, url: str, charset: str) -> Page:
        """What an HTML page says."""
        return self._threads().run(read_page, data, url, charset)

    def close(self) -> None:
        """End the threads."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool:
            pool.close()

    def _threads(self) -> NativePool:
        with self._lock:
            self._pool = self._pool or NativePool(THREADS)
            return self._pool
