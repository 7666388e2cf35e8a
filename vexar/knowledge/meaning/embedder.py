"""Makes the embeddings that are missing: of new and changed chunks, and of all when the model was changed.

One process does it, when its scheduler wakes it; in small requests, for a few seconds at a time. What was stored
stays, so that whoever goes on after a restart asks for nothing twice. While the endpoint fails it waits, longer and
longer; a text that the endpoint refuses is left out until the next start.
"""

from __future__ import annotations

import logging
import threading
import time

from vexar.errors import ProviderError
from vexar.knowledge.meaning import rows, vectors
from vexar.knowledge.meaning.rows import Lacking, Made
from vexar.providers.embeddings import EmbeddingClient
from vexar.store import Store, StoreError

log = logging.getLogger("vexar.embedder")

# Some 30,000 characters: far below what endpoints take, and read within a few milliseconds.
TEXTS_PER_REQUEST = 32
REQUEST_TIMEOUT_S = 20.0
# The scheduler allows the next round after a second, while it holds its lease.
ROUND_S = 5.0
FIRST_REST_S, MAX_REST_S = 5.0, 300.0
# Refused as well: the key, the model or the endpoint is at fault, and not a text.
PROBE = "ok"


class Embedder:
    """One thread, asleep until `wake`."""

    def __init__(self, store: Store, client: EmbeddingClient) -> None:
        self._store = store
        self._client = client
        self._after = 0
        self._begun: tuple | None = None
        self._done: tuple | None = None
        self._refused: set[int] = set()
        self._rest_s = 0.0
        self._rests_until = 0.0
        self._is_woken = threading.Event()
        self._is_closing = False
        self._thread = threading.Thread(target=self._keep, name="vexar-embedder", daemon=True)

    def start(self) -> None:
        """Begin to sleep; a process that serves nobody does not."""
        self._thread.start()

    def wake(self) -> None:
        """Let it work for a round."""
        self._is_woken.set()

    def close(self) -> None:
        """End the thread; what it asks is cut off with the client, so close that before."""
        self._is_closing = True
        self._is_woken.set()
        if self._thread.ident is not None:
            self._thread.join(5)

    def work(self) -> int:
        """One round: the number of embeddings stored. Nothing while it rests or none is missing. Raises StoreError."""
        started, saved = time.monotonic(), 0
        if started < self._rests_until or not self._has_begun():
            return 0
        while not self._is_closing and time.monotonic() < started + ROUND_S:
            texts = self._store.read_heavy(
                rows.missing, model=self._client.model, after=self._after, most=TEXTS_PER_REQUEST)
            if not texts:
                self._after, self._done, self._begun = 0, self._begun, None
                break
            try:
                saved += self._embed([text for text in texts if text.chunk_id not in self._refused])
            except ProviderError as problem:
                self._rest(problem)
                break
            self._after, self._rest_s = texts[-1].chunk_id, 0.0
        return saved

    def _has_begun(self) -> bool:
        """Whether there is a pass over the chunks to be made or gone on with."""
        if self._begun is None:
            # Before the pass: what comes during it is met by the next one at the latest.
            state = self._store.read(rows.state)
            self._begun = None if state == self._done else state
        return self._begun is not None

    def _embed(self, texts: list[Lacking]) -> int:
        """Ask for embeddings and store them. Raises ProviderError unless only single texts were refused."""
        if not texts:
            return 0
        try:
            return self._ask(texts)
        except ProviderError as problem:
            if not problem.permanent:
                raise
        self._client.embed([PROBE], timeout_s=REQUEST_TIMEOUT_S)
        return sum(self._embed_alone(text) for text in texts)

    def _embed_alone(self, text: Lacking) -> int:
        try:
            return self._ask([text])
        except ProviderError as problem:
            if not problem.permanent:
                raise
            self._refused.add(text.chunk_id)
            log.warning("the endpoint refuses the text of chunk %d (%s); it is found by its words only",
                        text.chunk_id, problem.detail)
            return 0

    def _ask(self, texts: list[Lacking]) -> int:
        found = self._client.embed([text.text for text in texts], timeout_s=REQUEST_TIMEOUT_S)
        made = [Made(text.chunk_id, text.site_id, numbers, vectors.signs(numbers), vectors.squares(numbers))
                for text, numbers in zip(texts, found, strict=True)]
        return self._store.write(rows.save, model=self._client.model, made=made)

    def _rest(self, problem: ProviderError) -> None:
        if self._is_closing:
            return
        self._rest_s = min(MAX_REST_S, max(FIRST_REST_S, 2 * self._rest_s))
        self._rests_until = time.monotonic() + self._rest_s
        log.warning("no embeddings could be made (%s); trying again in %.0f s", problem, self._rest_s)

    def _keep(self) -> None:
        while not self._is_closing:
            self._is_woken.wait()
            self._is_woken.clear()
            try:
                self.work()
            except StoreError:
                log.warning("the database is away; embeddings wait for it")
            except Exception:
                log.exception("making embeddings stumbled; it goes on when it is woken again")
