"""Exactly once on real servers: two worker processes over one database, on each engine, killed and paused."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from tests.services import Server, wait_until
from tests.wire import Spoken, all_at_once, ask, follow, follow_live, history, listen, post, rows

pytestmark = pytest.mark.servers


@pytest.fixture
def pair(boot, upstream, database_url, tmp_path) -> SimpleNamespace:
    """Two workers over one database, each behind a port of its own: `here` and `there` (their urls), `owner` (the
    server behind `here`), `database`."""
    shared = {"env": {"VEXAR_AI_BASE_URL": upstream.url}, "database_url": database_url, "data_dir": tmp_path / "shared"}
    owner, second = boot(**shared), boot(**shared)
    return SimpleNamespace(here=owner.url, there=second.url, owner=owner, database=database_url)


@contextmanager
def paused(server: Server) -> Iterator[None]:
    """The worker stands still, as a machine does that swaps or is suspended."""
    (pid,) = server.worker_pids()
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def checkpoint(database: str) -> str:
    """What the database holds of the only run."""
    ((text,),) = rows(database, "SELECT checkpoint FROM run")
    return text


def test_twenty_identical_messages_at_the_same_time_are_one(boot, upstream, database_url):
    server = boot(workers=2, env={"VEXAR_AI_BASE_URL": upstream.url}, database_url=database_url)
    upstream.delay_s = 0.02
    for n in (1, 2, 3):
        told = all_at_once([lambda n=n: ask(server.url, "Do you ship?", f"m{n}")] * 20)
        assert {answer.status for answer in told} == {200}
        assert {answer.text for answer in told} == {"Answer to Do you ship?: one two three four five."}
        assert len({str(answer.done) for answer in told}) == 1
        assert upstream.count == n
    assert rows(database_url, "SELECT COUNT(*) FROM visitor") == [(1,)]
    assert rows(database_url, "SELECT role, COUNT(*) FROM message GROUP BY role ORDER BY role") == [
        ("assistant", 3), ("visitor", 3),
    ]
    assert [message["id"] for message in history(server.url)] == [1, 2, 3, 4, 5, 6]


def test_the_two_workers_share_one_answer_its_stop_and_its_turns(pair, upstream):
    spoken = Spoken(upstream)
    with listen(pair.here, "A", "m1") as mine, follow_live(pair.there, "m1") as theirs, \
            listen(pair.there, "B", "m2") as next_one:
        for text in ("one ", "one two "):
            spoken.say(text.split()[-1] + " ")
            theirs.until(text)
        assert post(pair.there, "chat/stop", message_id="m1").json["stopped"]
        assert mine.finish().text == theirs.finish().text == "one two "
        assert mine.done == theirs.done
        assert mine.done["finish_reason"] == "stopped"
        assert next_one.finish().done["finish_reason"] == "stop"
    assert upstream.questions == ["A", "B"]


def test_a_killed_worker_s_message_is_made_anew_once_for_the_reader_who_waits(pair, upstream):
    Spoken(upstream).say("one ")
    with listen(pair.here, message_id="m1") as lost, listen(pair.there, message_id="m1") as first, \
            listen(pair.there, message_id="m1") as second:
        for reader in (lost, first, second):
            reader.until("one ")
        pair.owner.kill()
        assert upstream.count == 1
        for reader in (first, second):
            assert reader.finish().types == ["chunk", "reset", "chunk", "done"]
            assert reader.text == "Answer to Hello: one two three four five."
        assert first.done == second.done
    assert upstream.count == 2
    assert [message["content"] for message in history(pair.there)] == ["Hello", first.text]
    assert ask(pair.there, message_id="m1", last="r1-3").types[0] == "reset"


def test_a_paused_worker_that_comes_back_late_stores_nothing(pair, upstream):
    late = Spoken(upstream)
    with listen(pair.here, message_id="m1") as mine:
        late.say("one ")
        mine.until("one ")
        wait_until(lambda: checkpoint(pair.database) == "one ", "the checkpoint")
        with paused(pair.owner):
            late.end("too late")
            told = ask(pair.there, message_id="m1", last="r1-4")
            assert (told.types, told.done["finish_reason"]) == (["reset", "chunk", "done"], "stop")
        assert mine.finish().text == told.text
        assert mine.done == told.done
    assert [message["content"] for message in history(pair.here)] == ["Hello", told.text]
    assert upstream.count == 2


def test_stop_keeps_the_last_checkpoint_of_a_paused_worker(pair, upstream):
    late = Spoken(upstream)
    with listen(pair.here, message_id="m1") as mine:
        late.say("one ")
        mine.until("one ")
        wait_until(lambda: checkpoint(pair.database) == "one ", "the checkpoint")
        with paused(pair.owner):
            late.end("two")
            assert post(pair.there, "chat/stop", message_id="m1").json["stopped"]
            assert follow(pair.there, "m1").done["finish_reason"] == "stopped"
        assert mine.finish().done["finish_reason"] == "stopped"
        assert mine.text == "one "
    assert [(message["content"], message["status"]) for message in history(pair.here)][1:] == [("one ", "stopped")]


def test_a_visitor_who_vanishes_still_gets_the_answer_stored(pair, upstream):
    spoken = Spoken(upstream)
    with listen(pair.here, message_id="m1") as mine:
        spoken.say("one ")
        mine.until("one ")
    spoken.end("two")
    wait_until(lambda: len(history(pair.there)) == 2, "the answer")
    assert history(pair.there)[1]["content"] == "one two"
