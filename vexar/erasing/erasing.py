"""Erasing for good: a conversation, a visitor with every trace, a whole site, and what a site keeps only for a while.

It goes in slices of at most 200 rows a job, each under the visitor's lock; whatever was begun is found again after a
kill. First the door is shut (a running answer cut, the session or site unknown), then rows and files go, and last the
row that says there is something left to do. Counts per day name nobody and stay.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from vexar.answers.keeping import run_channel
from vexar.answers.runs import turn_channel
from vexar.broker import Broker
from vexar.conversing.visitors import block_channel, channel, site_channel
from vexar.erasing import erasure, retention
from vexar.media.uploads import Uploads
from vexar.sites import sites
from vexar.sites.settings import read_settings
from vexar.store import Store

# Longer than a caller likes to wait; what is left of a large site then goes behind its back.
SITE_WAIT_S = 5.0
# In one call: whoever calls has clocks to look after as well.
MAX_EXPIRED = 50
EXPIRE_EVERY_S = 60.0


class Eraser:
    """Erases on request, expires what a site does not want to keep, and finishes what was begun."""

    def __init__(self, store: Store, broker: Broker, uploads: Uploads) -> None:
        self._store = store
        self._broker = broker
        self._uploads = uploads
        self._closing = threading.Event()
        self._workers: set[threading.Thread] = set()

    def conversation(self, conversation_id: int) -> None:
        """Erase one conversation: messages, images, notes, rating. The visitor stays. May be repeated."""
        self._say(self._conversation(conversation_id))

    def visitor(self, visitor_id: int) -> None:
        """Erase a visitor with every trace. The same session may come again as a new one. May be repeated."""
        self._say(self._visitor(visitor_id))

    def site(self, site_id: int, *, wait_s: float = SITE_WAIT_S) -> bool:
        """Erase a site with everything of it; it is unknown when this returns. Whether all is gone already: what is
        left after `wait_s` goes in a thread of this process, and in any process after its end."""
        self._store.write(erasure.shut_site, site_id=site_id)
        self._broker.ring(block_channel(site_id))
        is_done = self._wipe_site(site_id, until=time.monotonic() + wait_s)
        if not is_done:
            worker = threading.Thread(target=self._go_on, args=(site_id,), name="vexar-eraser", daemon=True)
            self._workers.add(worker)
            worker.start()
        return is_done

    def expire(self) -> int:
        """Erase what is older than its site's `retention_days` (see retention.py): conversations, and visitors of whom
        nothing younger is left; how many. A slice: call it again while it gives more than 0."""
        count = 0
        for site in self._store.read(sites.every):
            days = read_settings(site.settings).retention_days
            if days:
                count += self._expire(site.id, days, limit=MAX_EXPIRED - count)
        return count

    def _expire(self, site_id: int, days: int, *, limit: int) -> int:
        which = {"site_id": site_id, "days": days}
        rows = self._store.read(retention.expired, **which, limit=limit)
        silent = self._store.read_heavy(retention.silent, **which, limit=limit - len(rows))
        erase = [partial(self._visitor, number) for number in silent]
        for row in rows:
            # Asked before: erasing a conversation is a change of its visitor, too. Nobody has it open in a list.
            is_all = self._store.read(retention.is_forgotten, visitor_id=row.visitor_id, days=days)
            erase.append(partial(self._visitor, row.visitor_id) if is_all else partial(self._conversation, row.id))
        for number, one in enumerate(erase):
            if self._closing.is_set():
                return number
            one(days=days)
        return len(erase)

    def finish(self) -> None:
        """Erase what was begun and broken off, by a kill or a lost database."""
        for visitor_id in self._store.read(erasure.half_erased):
            self.visitor(visitor_id)
        for site_id in self._store.read(erasure.removed_sites):
            if self._wipe_site(site_id):
                self._store.write(erasure.forget_site, site_id=site_id)

    def close(self) -> None:
        """End the threads after the slice they are at; another process goes on."""
        self._closing.set()
        for worker in list(self._workers):
            worker.join(5)

    def _conversation(self, conversation_id: int, *, days: int | None = None) -> erasure.Cut | None:
        cut = self._store.write(erasure.shut_conversation, conversation_id=conversation_id, days=days)
        if cut is None:
            return None
        self._tell(cut)
        paths = self._store.read_heavy(
            erasure.images, visitor_id=cut.visitor_id, conversation_id=conversation_id
        )
        self._uploads.remove(paths)
        self._slice_by_slice(erasure.wipe_conversation, visitor_id=cut.visitor_id, conversation_id=conversation_id)
        # Only now: a page that shows what is no more reads its history anew.
        self._tell(cut, {"erased": True})
        return cut

    def _visitor(self, visitor_id: int, *, days: int | None = None) -> erasure.Cut | None:
        cut = self._store.write(erasure.shut_visitor, visitor_id=visitor_id, days=days)
        if cut is not None:
            self._tell(cut)
            self._uploads.remove(self._store.read_heavy(erasure.images, visitor_id=visitor_id))
            self._slice_by_slice(erasure.wipe_visitors, visitor_ids=[visitor_id])
        return cut

    def _say(self, cut: erasure.Cut | None) -> None:
        if cut is not None:
            self._store.write(erasure.touch_site, site_id=cut.site_id)
            self._broker.ring(site_channel(cut.site_id))

    def _wipe_site(self, site_id: int, until: float = float("inf")) -> bool:
        """Everything of a site that has no row any more; False when time ran out first."""

        def is_late() -> bool:
            return self._closing.is_set() or time.monotonic() > until

        # Answers first: they cost money for as long as they run.
        while cuts := self._store.write(erasure.shut_visitors, site_id=site_id):
            for cut in cuts:
                self._tell(cut)
            if is_late():
                return False
        while paths := self._store.read_heavy(erasure.site_images, site_id=site_id):
            self._uploads.remove(paths)
            if is_late():
                return False
        while visitor_ids := self._store.read(erasure.visitors_of, site_id=site_id):
            if not self._slice_by_slice(erasure.wipe_visitors, is_late, visitor_ids=visitor_ids):
                return False
        return self._slice_by_slice(erasure.wipe_site, is_late, site_id=site_id)

    def _go_on(self, site_id: int) -> None:
        try:
            self._wipe_site(site_id)
        finally:
            self._workers.discard(threading.current_thread())

    def _slice_by_slice(self, job: Any, is_late: Callable[[], bool] = lambda: False, **arguments: Any) -> bool:
        while not self._store.write(job, **arguments):
            if is_late():
                return False
        return True

    def _tell(self, cut: erasure.Cut, note: dict | None = None) -> None:
        """Whoever follows an answer, has the chat open or watches the inbox looks again."""
        for seq in cut.seqs:
            self._broker.ring(run_channel(cut.visitor_id, seq))
        if cut.seqs:
            self._broker.ring(turn_channel(cut.visitor_id))
        if cut.session_id:
            self._broker.ring(channel(cut.site_id, cut.session_id), note)
        self._broker.ring(site_channel(cut.site_id))

