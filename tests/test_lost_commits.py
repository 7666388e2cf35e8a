"""COMMITs that arrive and whose answers do not: MySQL's jobs run again, and nothing is stored or asked twice.

The connection breaks where the driver hears of the commit; what follows is the real thing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import pymysql
import pytest

from tests.conftest import add_site
from tests.desk import add_operator
from tests.wire import Spoken, ask, follow, history, listen, rows
from vexar.conversing.receiving import Incoming
from vexar.sites.settings import SiteSettings

pytestmark = pytest.mark.servers


@pytest.fixture
def app(make_app, upstream, make_database) -> object:
    """The app in front of the scripted upstream, on MariaDB."""
    return make_app(ai_base_url=upstream.url, database_url=make_database("mysql"))


@pytest.fixture
def parts(app) -> object:
    """The live objects of the process."""
    return app.extensions["vexar"]


@pytest.fixture
def lose_next(app, monkeypatch) -> Callable[[], None]:
    """Lose the answer to the next COMMIT that is not the keeper's. Every loss asked for has to happen."""
    commit = pymysql.Connection.commit
    lost: list[str] = []

    def commit_and_lose(connection: pymysql.Connection) -> None:
        commit(connection)
        if lost and threading.current_thread().name != "vexar-keeper":
            lost.pop()
            raise pymysql.err.OperationalError(2013, "Lost connection to MySQL server during query")

    monkeypatch.setattr(pymysql.Connection, "commit", commit_and_lose)
    yield lambda: lost.append("one")
    assert not lost


def run_rows(parts) -> list[tuple]:
    return rows(parts.config.database_url, "SELECT attempt, state, finish_reason FROM run")


def test_a_message_is_stored_once_and_answered_by_who_received_it(client, parts, upstream, lose_next):
    lose_next()
    assert ask(client, message_id="m1").done["finish_reason"] == "stop"
    assert run_rows(parts) == [(1, "ended", "stop")], "nobody had to wait for a lease to run out"
    assert upstream.count == 1
    assert len(history(client)) == 2


def test_a_dead_run_is_made_anew_by_who_took_it(client, parts, upstream, lose_next):
    parts.conversations.receive(Incoming(site_id=1, session_id="ann", message_id="m1", content="Hi"), SiteSettings())
    rows(parts.config.database_url, "UPDATE run SET lease_until_ms = 1")
    lose_next()
    assert follow(client, "m1").done["finish_reason"] == "stop"
    assert run_rows(parts) == [(2, "ended", "stop")]
    assert upstream.count == 1


def test_somebody_else_s_run_is_not_made_a_second_time(client, parts, upstream, lose_next):
    spoken = Spoken(upstream)
    with listen(client, message_id="m1") as first:
        upstream.wait_for(1)
        lose_next()
        with listen(client, message_id="m1") as again:
            spoken.end("one")
            assert first.finish().raw == again.finish().raw
    assert upstream.count == 1


def test_an_answer_is_stored_once_and_its_tokens_counted_once(client, parts, upstream, lose_next):
    add_site(parts.store, "sk_counted", tokens_per_day=1_000_000)
    used = []
    for lose in (lambda: None, lose_next):
        spoken = Spoken(upstream)
        with listen(client, message_id="m1", session=f"session{len(used)}", site_key="sk_counted") as live:
            spoken.say("one ")
            live.until("one ")
            lose()
            spoken.end("two")
            assert live.finish().done["finish_reason"] == "stop"
        used += rows(parts.config.database_url, "SELECT SUM(tokens) FROM budget")[0]
    assert used[0] > 0
    assert used[1] == 2 * used[0]
    assert rows(parts.config.database_url, "SELECT content FROM message WHERE role = 'assistant'") == [("one two",)] * 2


def test_what_a_person_says_without_an_id_is_said_once(client, parts, lose_next):
    olga = add_operator(parts.store)
    ask(client, message_id="m1")
    lose_next()
    parts.conversations.say(1, "ann", olga, content="I am Olga")
    lose_next()
    parts.conversations.propose(1, "ann", olga, content="Need help?")
    assert [message["content"] for message in history(client)[3:]] == ["I am Olga", "Need help?"]
