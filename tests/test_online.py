"""Who is online: what a worker writes of its streams, in how many rows and jobs, and what it leaves behind."""

from __future__ import annotations

import threading
from contextlib import closing

import pytest

from tests.conftest import add_site
from tests.desk import add_operator
from tests.wire import all_at_once
from vexar import models
from vexar.desk import desk
from vexar.live import online
from vexar.live.online import OnlineSessions
from vexar.people import presence
from vexar.store import Store, open_store


def sessions(store: Store) -> dict[str, tuple]:
    """The rows: {session: (page_url, lang)}."""
    found = store.read(lambda tx: tx.all(models.OnlineSession.select(models.OnlineSession)))
    return {row.session_id: (row.page_url, row.lang) for row in found}


def listed(store: Store) -> list[str]:
    """The sessions operators see."""
    rows, total = store.read(desk.visitors, site_ids=[1], offset=0, limit=100)
    assert total == len(rows)
    return sorted(row["session_id"] for row in rows)


class Counted:
    """A store that counts its write jobs and the rows of each."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.sizes: list[int] = []

    def write(self, job, **arguments):
        """See Store.write."""
        self.sizes.append(len(arguments.get("pages", ())))
        return self._store.write(job, **arguments)


def test_a_session_is_one_row_however_many_pages_it_has_open(store):
    here = OnlineSessions(store)
    here.enter(1, "ann", page_url="https://shop.example/", lang="de")
    here.enter(1, "ann", page_url="https://shop.example/cart")
    here.flush()
    assert sessions(store) == {"ann": ("https://shop.example/cart", "de")}
    here.leave(1, "ann")
    here.flush()
    assert listed(store) == ["ann"]
    here.leave(1, "ann")
    here.flush()
    assert sessions(store) == {}


def test_who_left_before_it_was_written_never_is(store):
    here = OnlineSessions(store)
    here.enter(1, "ann")
    here.leave(1, "ann")
    here.flush()
    assert sessions(store) == {}


def test_many_streams_are_few_jobs_of_few_rows(store):
    counted = Counted(store)
    here = OnlineSessions(counted)
    for number in range(450):
        here.enter(1, f"visitor{number}")
    here.flush()
    assert sorted(counted.sizes, reverse=True)[:3] == [200, 200, 50]
    assert len(sessions(store)) == 450
    counted.sizes.clear()
    here.flush()
    assert counted.sizes == []
    here.close()
    assert sessions(store) == {}


def test_a_page_in_another_worker_keeps_the_session_online(store, database_url):
    with closing(open_store(database_url)) as second:
        here, there = OnlineSessions(store), OnlineSessions(second)
        here.enter(1, "ann")
        here.flush()
        threading.Event().wait(0.005)
        there.enter(1, "ann")
        there.flush()
        here.leave(1, "ann")
        here.flush()
        assert listed(store) == ["ann"]


def test_rows_of_a_dead_worker_are_not_shown_and_then_removed(store, monkeypatch):
    dead, alive = OnlineSessions(store), OnlineSessions(store)
    dead.enter(1, "ann")
    dead.flush()
    assert listed(store) == ["ann"]
    store.write(lambda tx: tx.run(models.OnlineSession.update(seen_ms=tx.now_ms() - online.ONLINE_MS - 1)))
    assert listed(store) == []
    store.write(lambda tx: tx.run(models.OnlineSession.update(seen_ms=tx.now_ms() - 3 * online.ONLINE_MS)))
    alive.enter(1, "ben")
    alive.flush()
    assert list(sessions(store)) == ["ben"]


def test_an_open_stream_is_refreshed_before_it_would_be_forgotten(store, monkeypatch):
    assert online.REFRESH_S * 1000 * 2 < online.ONLINE_MS
    monkeypatch.setattr(online, "REFRESH_S", 0.0)
    here = OnlineSessions(store)
    here.enter(1, "ann")
    here.flush()
    store.write(lambda tx: tx.run(models.OnlineSession.update(seen_ms=1)))
    here.flush()
    assert listed(store) == ["ann"]


def test_workers_that_write_the_same_sessions_do_not_lock_each_other_out(store, database_url):
    with closing(open_store(database_url)) as second:
        workers = [OnlineSessions(one) for one in (store, second, store, second)]
        for worker in workers:
            for number in range(40):
                worker.enter(1, f"visitor{number}")
        all_at_once([worker.flush for worker in workers])
        assert len(listed(store)) == 40


def test_heartbeats_of_one_operator_at_once_are_one_row(store, database_url):
    site_id = add_site(store)
    olga = add_operator(store)
    with closing(open_store(database_url)) as second:
        all_at_once([
            lambda one=one: one.write(presence.beat, operator_id=olga.id, site_ids=[site_id, site_id])
            for one in (store, second, store, second)
        ])
    rows = store.read(lambda tx: tx.all(models.Presence.select(models.Presence)))
    assert [(row.operator_id, row.site_id, row.is_online) for row in rows] == [(olga.id, site_id, 1)]


@pytest.mark.parametrize("change", [
    models.Operator.update(is_active=0), models.OperatorSite.update(can_chat=0), models.OperatorSite.delete(),
])
def test_who_may_not_chat_any_more_is_not_there(store, change):
    site_id = add_site(store)
    olga = add_operator(store)
    store.write(presence.beat, operator_id=olga.id, site_ids=[site_id])
    assert [row.name for row in store.read(presence.online, site_id=site_id)] == ["Olga"]
    store.write(lambda tx: tx.run(change))
    assert store.read(presence.online, site_id=site_id) == []
