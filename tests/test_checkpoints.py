"""What becomes of a run whose owner died, was paused, or lost the database: leases, attempts and checkpoints.

A message that is received but never started is what a process leaves that died right after; editing its lease in
the database stands for the time that passes.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from types import SimpleNamespace

import pytest

from tests.services import wait_until
from tests.wire import Spoken, all_at_once, ask, follow, follow_live, history, listen, post, rows
from vexar.answers import leases, ledger
from vexar.answers import runs as runs_module
from vexar.conversing.receiving import Incoming
from vexar.conversing.visitors import LockedVisitor
from vexar.sites.settings import SiteSettings
from vexar.store.db import sqlite_path

pytestmark = pytest.mark.servers

OLGA = SimpleNamespace(id=1, name="Olga")


@pytest.fixture(autouse=True)
def quick_ticks(monkeypatch) -> None:
    """Clocks that only bound how late something is noticed."""
    monkeypatch.setattr("vexar.answers.keeping.KEEP_TICK_S", 0.03)
    monkeypatch.setattr("vexar.answers.following.REMOTE_TICK_S", 0.03)
    monkeypatch.setattr("vexar.answers.runs.TURN_TICK_S", 0.05)


@pytest.fixture
def app(make_app, upstream, database_url) -> object:
    """The app in front of the scripted upstream, on each engine."""
    return make_app(ai_base_url=upstream.url, database_url=database_url, limit_runs_per_session=3)


@pytest.fixture
def other(make_app, app) -> object:
    """A client of a second process over the same database."""
    config = app.extensions["vexar"].config
    return make_app(ai_base_url=config.ai_base_url, database_url=config.database_url).test_client()


@pytest.fixture
def parts(app) -> object:
    """The live objects of the process."""
    return app.extensions["vexar"]


def leave_behind(parts, message="Hello", message_id="m1", said="") -> None:
    """A run whose process died before its lease ran out; `said`: its last checkpoint."""
    incoming = Incoming(site_id=1, session_id="ann", message_id=message_id, content=message)
    run = parts.conversations.receive(incoming, SiteSettings()).run
    if said:
        rows(parts.config.database_url, f"UPDATE run SET checkpoint = '{said}' WHERE seq = {run.seq}")


def expire(parts, *, ago_ms: int = 1, where: str = "1 = 1") -> None:
    """Let leases run out, so long ago."""
    now_ms = parts.store.read(lambda tx: tx.now_ms())
    rows(parts.config.database_url, f"UPDATE run SET lease_until_ms = {now_ms - ago_ms} WHERE {where}")


def state(parts) -> tuple:
    """Attempt, state and ending of the only run."""
    ((found),) = rows(parts.config.database_url, "SELECT attempt, state, finish_reason FROM run")
    return found


# Dead owners.


def test_an_attached_reader_waits_for_the_lease_and_gets_one_new_run(client, parts, upstream):
    leave_behind(parts)
    with listen(client, message_id="m1") as live, follow_live(client, "m1") as second:
        live.when(lambda: live.raw == b":\n", "the first comment")
        assert upstream.count == 0
        expire(parts)
        assert live.finish().done["finish_reason"] == second.finish().done["finish_reason"] == "stop"
        assert live.text == second.text
    assert upstream.count == 1
    assert live.events[-1]["id"] == "r1.2-end"


def test_many_who_send_the_message_of_a_dead_owner_again_get_one_new_run(client, other, parts, upstream):
    leave_behind(parts)
    expire(parts)
    told = all_at_once([lambda at=at: ask((client, other)[at % 2], message_id="m1") for at in range(10)])
    assert len({answer.text for answer in told}) == 1
    assert upstream.count == 1
    assert state(parts) == (2, "ended", "stop")
    assert [message["role"] for message in history(client)] == ["visitor", "assistant"]


def test_a_get_makes_a_new_run_only_where_the_owner_died(client, parts, upstream):
    leave_behind(parts)
    expire(parts)
    assert follow(client, "m1").done["finish_reason"] == "stop"
    assert upstream.count == 1


def test_an_id_of_an_earlier_run_begins_with_reset(client, parts):
    leave_behind(parts, said="one two")
    expire(parts)
    first = ask(client, message_id="m1", last="r1-4")
    assert first.types == ["reset", "chunk", "done"]
    for told in (ask(client, message_id="m1", last="r1-4"), follow(client, "m1", last="r1-4")):
        assert told.types == ["reset", "chunk", "done"]
        assert told.text == first.text
    assert ask(client, message_id="m1", last="r1.2-4").text == first.text[4:]
    assert ask(client, message_id="m1", last="r1.2-end").status == 204


def test_a_reader_of_a_checkpoint_forgets_it_when_the_owner_dies(client, parts):
    leave_behind(parts, said="one ")
    with follow_live(client, "m1") as live:
        live.until("one ")
        expire(parts)
        assert live.finish().types == ["chunk", "reset", "chunk", "done"]
        assert live.text.startswith("Answer to Hello")


def test_a_new_run_begins_with_an_empty_checkpoint(client, parts, upstream):
    Spoken(upstream)
    leave_behind(parts, said="old")
    expire(parts)
    with listen(client, message_id="m1"):
        upstream.wait_for(1)
        assert _checkpoint(parts)[0] == ""


def test_dead_waiting_runs_neither_count_nor_hold_up_anybody(client, parts, upstream):
    for n in range(3):
        leave_behind(parts, f"old {n}", f"old{n}")
    assert ask(client, "new", "m1").status == 429
    expire(parts)
    assert ask(client, "new", "m1").done["finish_reason"] == "stop"
    assert upstream.questions == ["new"]
    assert ask(client, "old 1", "old1").done["finish_reason"] == "stop"
    assert upstream.questions == ["new", "old 1"]


def test_a_waiting_run_begins_when_the_one_before_it_has_died(client, parts, upstream):
    leave_behind(parts)
    with listen(client, "next", "m2") as live:
        wait_until(lambda: len(history(client)) == 2, "the message")
        assert upstream.count == 0
        expire(parts, where="seq = 1")
        assert live.finish().done["finish_reason"] == "stop"


def test_a_dead_message_sent_again_counts_against_the_limit_like_any_other(client, parts, upstream):
    leave_behind(parts, "old", "old")
    expire(parts)
    first = Spoken(upstream)
    with listen(client, "A", "m1"), listen(client, "B", "m2"), listen(client, "C", "m3") as last:
        wait_until(lambda: len(history(client)) == 4, "four messages")
        assert ask(client, "old", "old").json["code"] == "too_many_runs"
        first.end("a")
        last.finish()
    assert ask(client, "old", "old").done["finish_reason"] == "stop"


def test_a_person_who_takes_over_keeps_the_checkpoint_of_a_dead_run(client, parts):
    leave_behind(parts, said="one ")
    parts.conversations.accept(1, "ann", OLGA)
    assert [(message["role"], message["status"]) for message in history(client)] == [
        ("visitor", "complete"), ("assistant", "interrupted"), ("system", "complete"),
    ]
    assert follow(client, "m1").types == ["chunk", "done"]


# Late owners.


@pytest.mark.parametrize("late_word", ["one two", "another text"])
def test_an_owner_that_comes_back_late_cannot_store(client, other, parts, upstream, late_word):
    late, anew = Spoken(upstream), Spoken(upstream)
    with listen(client, message_id="m1") as here:
        late.say("one ")
        here.until("one ")
        with parts.runs._keeper._lock:
            expire(parts)
            with listen(other, message_id="m1") as there:
                upstream.wait_for(2)
                late.end(late_word)
                anew.end("the new answer")
                assert there.finish().text == "the new answer"
        assert here.finish().text == "the new answer"
        assert here.done["finish_reason"] == "stop"
        assert "reset" in here.types
    assert [message["content"] for message in history(client)] == ["Hello", "the new answer"]


def test_a_late_owner_neither_writes_a_checkpoint_nor_takes_a_lease_nor_begins(parts):
    leave_behind(parts, said="old")
    expire(parts)
    parts.store.write(_another_attempt)
    before = rows(parts.config.database_url, "SELECT * FROM run")
    mine = {"owner": parts.runs.owner, "checkpoints": [(1, 1, 1, "late")]}
    parts.store.write(leases.keep, **mine)
    parts.store.write(leases.release, **mine)
    key = {"visitor_id": 1, "seq": 1, "attempt": 1, "owner": parts.runs.owner}
    assert parts.store.write(ledger.begin, **key) == "lost"
    finished = parts.store.write(ledger.finish, **key, finish_reason="stop", text="late", status="complete")
    assert finished is None
    assert rows(parts.config.database_url, "SELECT * FROM run") == before


def _another_attempt(tx) -> None:
    visitor = LockedVisitor.by_id(tx, 1)
    ledger.restart(visitor, visitor.conversation(), ledger.find(tx, 1, 1), owner="another", tokens=0)


def test_a_paused_owner_learns_from_its_keeper_that_the_run_is_lost(client, other, parts, upstream):
    Spoken(upstream)
    anew = Spoken(upstream)
    with listen(client, message_id="m1") as here:
        upstream.wait_for(1)
        with parts.runs._keeper._lock:
            expire(parts)
            there = listen(other, message_id="m1")
            upstream.wait_for(2)
        anew.end("anew")
        assert here.finish().text == there.finish().text == "anew"
    assert state(parts) == (2, "ended", "stop")


def test_an_owner_whose_lease_ran_out_unnoticed_keeps_its_run(client, parts, upstream):
    spoken = Spoken(upstream)
    with listen(client, message_id="m1") as here:
        upstream.wait_for(1)
        expire(parts)
        spoken.end("in time")
        assert here.finish().text == "in time"
    assert state(parts) == (1, "ended", "stop")


def test_a_message_that_comes_again_to_its_own_process_ends_the_attempt_whose_lease_ran_out(client, parts, upstream):
    Spoken(upstream).say("one ")
    anew = Spoken(upstream)
    with listen(client, message_id="m1") as first:
        first.until("one ")
        with parts.runs._keeper._lock:
            expire(parts)
            with listen(client, message_id="m1") as second:
                upstream.wait_for(2)
                anew.end("the new answer")
                assert second.finish().text == first.finish().text == "the new answer"
    assert state(parts) == (2, "ended", "stop")


def test_stop_stores_the_checkpoint_of_a_silent_owner(monkeypatch, client, other, parts, upstream):
    monkeypatch.setattr(runs_module, "STOP_WAIT_S", 0.2)
    late = Spoken(upstream)
    with listen(client, message_id="m1") as here:
        late.say("one ")
        here.until("one ")
        wait_until(lambda: rows(parts.config.database_url, "SELECT checkpoint FROM run") == [("one ",)], "a checkpoint")
        with parts.runs._keeper._lock:
            late.say("two ")
            here.until("two ")
            assert post(other, "chat/stop", message_id="m1").json["stopped"]
            late.end("three")
            assert here.finish().done["finish_reason"] == "stopped"
        assert here.text == "one "
    assert history(client)[1]["status"] == "stopped"


# Checkpoints that nobody came back for.


def test_a_checkpoint_not_sent_again_within_a_minute_becomes_an_interrupted_reply(client, parts, upstream):
    leave_behind(parts, said="one ")
    expire(parts, ago_ms=59_000)
    parts.runs._keeper._bury()
    assert not parts.store.write(ledger.bury, visitor_id=1, seq=1)
    assert state(parts) == (1, "running", "")
    expire(parts, ago_ms=60_001)
    parts.runs._keeper._bury()
    assert state(parts) == (1, "ended", "error")
    reply = history(client)[1]
    assert (reply["content"], reply["status"], reply["reply_to"]) == ("one ", "interrupted", 1)
    assert upstream.count == 0

    told = ask(client, message_id="m1", last="r1-2")
    assert (told.types, told.text, told.done["finish_reason"]) == (["chunk", "error", "done"], "e ", "error")
    retried = ask(client, message_id="m1")
    assert retried.done["reply_id"] == 3
    assert [(message["reply_to"], message["status"]) for message in history(client)[1:]] == [
        (1, "interrupted"), (1, "complete"),
    ]
    assert upstream.count == 1


def test_a_dead_run_that_said_nothing_ends_without_a_reply(client, parts):
    leave_behind(parts)
    expire(parts, ago_ms=60_001)
    parts.runs._keeper._bury()
    assert state(parts) == (1, "ended", "error")
    assert len(history(client)) == 1


def test_the_keeper_itself_buries_the_dead(monkeypatch, make_app, parts):
    monkeypatch.setattr("vexar.answers.keeping.BURY_TICK_S", 0.02)
    leave_behind(parts, said="one ")
    expire(parts, ago_ms=60_001)
    make_app(database_url=parts.config.database_url)
    wait_until(lambda: state(parts) == (1, "ended", "error"), "the burial")


def test_a_running_answer_is_written_down_and_its_lease_renewed(monkeypatch, client, parts, upstream):
    monkeypatch.setattr("vexar.answers.keeping.RENEW_S", 0.1)
    spoken = Spoken(upstream)
    with listen(client, message_id="m1"):
        for text in ("one ", "one two "):
            spoken.say(text.split()[-1] + " ")
            wait_until(lambda text=text: _checkpoint(parts)[0] == text, "the checkpoint")
        lease = _checkpoint(parts)[1]
        wait_until(lambda: _checkpoint(parts)[1] > lease, "the lease to be renewed in silence")
        spoken.end()
    wait_until(lambda: _checkpoint(parts) == ("", 0), "the end")


def test_a_waiting_run_s_lease_is_renewed_too(monkeypatch, client, parts, upstream):
    monkeypatch.setattr("vexar.answers.keeping.RENEW_S", 0.1)
    spoken = Spoken(upstream)
    with listen(client, "A", "m1"), listen(client, "B", "m2"):
        wait_until(lambda: rows(parts.config.database_url, "SELECT 1 FROM run WHERE state = 'waiting'"), "the second")
        lease = _checkpoint(parts, 2)[1]
        wait_until(lambda: _checkpoint(parts, 2)[1] > lease, "the lease to be renewed")
        assert upstream.questions == ["A"]
        spoken.end()


def _checkpoint(parts, seq=1) -> tuple:
    ((found),) = rows(parts.config.database_url, f"SELECT checkpoint, lease_until_ms FROM run WHERE seq = {seq}")
    return found


# Planned restarts, seen from inside.


def test_what_is_unfinished_when_the_process_leaves_is_given_back_with_its_checkpoint(client, other, parts, upstream):
    Spoken(upstream).say("one ")
    anew = Spoken(upstream)
    with listen(client, message_id="m1") as here:
        here.until("one ")
        parts.runs.drain(0.05)
        assert here.finish().types == ["chunk", "error", "done"]
        assert here.events[-2]["code"] == "restarting"
        assert (here.done["finish_reason"], here.events[-1]["id"]) == ("error", None)
        ((checkpoint, lease),) = rows(
            parts.config.database_url, "SELECT checkpoint, lease_until_ms FROM run WHERE seq = 1"
        )
        assert checkpoint == "one "
        assert lease <= parts.store.read(lambda tx: tx.now_ms())
        with listen(other, message_id="m1", last="r1-4") as again:
            upstream.wait_for(2)
            anew.end("all of it")
            assert again.finish().types == ["reset", "chunk", "done"]
            assert again.text == "all of it"


def test_a_reader_of_another_process_s_run_is_sent_away_when_its_own_process_leaves(client, other, parts, upstream):
    spoken = Spoken(upstream)
    with listen(other, message_id="m1") as owner, follow_live(client, "m1") as reader:
        spoken.say("one ")
        reader.until("one ")
        parts.runs.drain(5)
        assert reader.finish().types == ["chunk", "error", "done"]
        assert reader.events[-1]["id"] is None
        spoken.end("two")
        assert owner.finish().text == "one two"


def test_a_reader_follows_while_its_process_drains(client, other, parts, upstream):
    spoken = Spoken(upstream)
    with listen(client, message_id="m1") as here:
        spoken.say("one ")
        here.until("one ")
        parts.runs.is_draining = True
        spoken.end("two")
        assert here.finish().text == "one two"
        assert here.events[-1]["id"] == "r1-end"


def test_a_process_that_leaves_takes_no_new_work(client, parts, upstream):
    ask(client, message_id="m1")
    parts.runs.drain(0)
    for told in (ask(client, message_id="m2"), ask(client, message_id="m1"), follow(client, "m1")):
        assert (told.status, told.json["code"]) == (503, "restarting")
        assert told.headers["Connection"] == "close"
        assert int(told.headers["Retry-After"]) == told.json["retry_after"]
    assert upstream.count == 1


def test_a_process_that_leaves_makes_no_dead_run_anew(parts, upstream):
    leave_behind(parts)
    expire(parts)
    parts.runs.is_draining = True
    assert not parts.runs.revive(1, 1)
    assert state(parts) == (1, "running", "")


def test_a_run_received_while_the_process_left_is_given_back_at_once(parts, upstream):
    incoming = Incoming(site_id=1, session_id="ann", message_id="m1", content="Hello")
    row = parts.conversations.receive(incoming, SiteSettings()).run
    parts.runs.drain(0)
    live = parts.runs.start(row)
    assert live.ended.wait(5)
    assert live.ending.is_restart
    ((lease,),) = rows(parts.config.database_url, "SELECT lease_until_ms FROM run")
    assert lease <= parts.store.read(lambda tx: tx.now_ms())
    assert upstream.count == 0


# Errors, and sending again.


def test_an_answer_that_failed_is_made_anew_when_it_is_sent_again(client, upstream):
    upstream.script("cut_mid_stream", ["whole"])
    failed = ask(client, message_id="m1")
    assert failed.types == ["chunk", "error", "done"]
    assert (failed.text, failed.done["finish_reason"], failed.done["reply_id"]) == ("one two ", "error", 2)
    assert follow(client, "m1").text == "one two "
    assert upstream.count == 1
    again = ask(client, message_id="m1")
    assert (again.text, again.done["reply_id"], again.events[-1]["id"]) == ("whole", 3, "r1.2-end")
    assert [message["status"] for message in history(client)] == ["complete", "interrupted", "complete"]


@pytest.mark.parametrize("last", ["r1-0", "r1-4"])
def test_an_answer_that_failed_is_only_told_again_to_who_resumes(client, upstream, last):
    upstream.script("cut_mid_stream")
    ask(client, message_id="m1")
    for told in (ask(client, message_id="m1", last=last), follow(client, "m1", last=last)):
        assert told.types == ["chunk", "error", "done"]
        assert told.done["finish_reason"] == "error"
    assert ask(client, message_id="m1", last="r1-end").status == 204
    assert upstream.count == 1


# A database that is away.


def test_an_answer_survives_a_database_that_is_away_for_a_moment(make_app, upstream, mariadb, make_database):
    values = {"ai_base_url": upstream.url, "database_url": make_database("mysql")}
    client, other = make_app(**values).test_client(), make_app(**values).test_client()
    spoken = Spoken(upstream)
    with listen(client, message_id="m1") as here, follow_live(other, "m1") as there:
        spoken.say("one ")
        here.until("one ")
        there.until("one ")
        mariadb.kill()
        spoken.end("two")
        here.until("one two")
        assert ask(client, message_id="m2").json["code"] == "unavailable"
        mariadb.start()
        assert here.finish().text == there.finish().text == "one two"
        assert here.done == there.done
    assert upstream.count == 1


def test_a_whole_answer_is_stored_also_when_the_database_was_locked_for_longer_than_a_lease(
    monkeypatch, make_app, upstream, make_database
):
    monkeypatch.setattr("vexar.store.sqlite.LOCK_TIMEOUT_S", 0.05)
    monkeypatch.setattr("vexar.answers.runs.STORE_RETRY_S", 0.05)
    url = make_database("sqlite")
    app = make_app(ai_base_url=upstream.url, database_url=url)
    spoken = Spoken(upstream)
    with listen(app.test_client(), message_id="m1") as live, closing(sqlite3.connect(sqlite_path(url))) as link:
        spoken.say("one ")
        live.until("one ")
        monkeypatch.setattr(leases, "LEASE_MS", 100)
        link.execute("BEGIN IMMEDIATE")
        spoken.end("two")
        live.until("one two")
        time.sleep(0.5)
        link.rollback()
        assert live.finish().types == ["chunk", "done"]
        assert live.text == "one two"
    assert state(app.extensions["vexar"]) == (1, "ended", "stop")
    assert upstream.count == 1
