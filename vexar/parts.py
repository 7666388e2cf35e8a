"""The live objects of one process, as app.create_app() put them together. Routes and commands get them from here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import current_app

if TYPE_CHECKING:
    from config import Config
    from vexar.answers.data_api import DataApi
    from vexar.answers.runs import Runs
    from vexar.broker import Broker
    from vexar.conversing.conversations import Conversations
    from vexar.erasing.erasing import Eraser
    from vexar.housekeeping import Housekeeping
    from vexar.knowledge.crawling.crawler import Crawler
    from vexar.knowledge.meaning.embedder import Embedder
    from vexar.knowledge.meaning.nearness import Meaning
    from vexar.knowledge.reading.reader import Reader
    from vexar.limits import Limits
    from vexar.live.push import Streams
    from vexar.live.push_operators import OperatorStreams
    from vexar.media.uploads import Uploads
    from vexar.people.accounts import Accounts
    from vexar.scheduler import Scheduler
    from vexar.store import Store


@dataclass
class Parts:
    """What a process is made of. Everything below routes/ gets what it needs from here as an argument."""

    config: Config
    store: Store
    broker: Broker
    limits: Limits
    accounts: Accounts
    conversations: Conversations
    runs: Runs
    data_api: DataApi
    uploads: Uploads
    reader: Reader
    crawler: Crawler
    streams: Streams
    operator_streams: OperatorStreams
    eraser: Eraser
    housekeeping: Housekeeping
    scheduler: Scheduler
    # Only where the operator wants embeddings.
    meaning: Meaning | None = None
    embedder: Embedder | None = None

    def drain(self, timeout_s: float = 10.0) -> None:
        """Planned restart: refuse new work, let running answers end, then end every stream. Blocks until done."""
        self.runs.drain(timeout_s)
        self.streams.close()
        self.operator_streams.close()

    def close(self) -> None:
        """Release everything: threads, sockets, connections."""
        # Its request is cut before the lease is given back, so that nobody asks the same.
        if self.meaning and self.embedder:
            self.meaning.close()
            self.embedder.close()
        self.scheduler.close()
        self.crawler.close()
        self.streams.close()
        self.operator_streams.close()
        self.runs.close()
        self.data_api.close()
        self.broker.close()
        self.housekeeping.close()
        self.eraser.close()
        self.uploads.close()
        self.reader.close()
        self.accounts.close()
        self.store.close()


def parts() -> Parts:
    """The parts of the app that serves the current request."""
    return current_app.extensions["vexar"]
