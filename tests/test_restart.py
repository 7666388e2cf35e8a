"""Planned restarts on real servers: what runs may end, what does not is given back, and nobody loses anything."""

from __future__ import annotations

import os
import signal
from types import SimpleNamespace

import pytest

from tests.services import wait_until
from tests.wire import Live, Spoken, ask, follow_live, history, listen, rows

pytestmark = pytest.mark.servers

EVENTS = "/api/v1/chat/events?site_key=sk_demo&session_id=ann"


@pytest.fixture
def pair(boot, upstream, database_url, tmp_path) -> SimpleNamespace:
    """A server that will restart (`leaving`) and one that stays (`there`), over one database."""
    shared = {"env": {"VEXAR_AI_BASE_URL": upstream.url}, "database_url": database_url, "data_dir": tmp_path / "shared"}
    leaving, second = boot(**shared), boot(**shared)
    return SimpleNamespace(leaving=leaving, here=leaving.url, there=second.url, database=database_url)


def push(url: str) -> Live:
    """An open chat/events stream."""
    return Live(url, "GET", EVENTS, None, None, "text/event-stream")


def leave(server, number: int) -> None:
    """Ask the server to end, and wait until it refuses new work."""
    os.kill(server.pid, number)
    wait_until(lambda: server.get("/api/v1/chat/config?site_key=sk_demo")[0] == 503, "the server to leave", 10)


def test_answers_that_can_end_do_and_new_messages_are_refused_meanwhile(pair, upstream):
    spoken = Spoken(upstream)
    with listen(pair.here, "A", "m1") as mine, follow_live(pair.there, "m1") as theirs, push(pair.here) as pushed:
        spoken.say("one ")
        mine.until("one ")
        pushed.when(lambda: pushed.events, "the first event")
        leave(pair.leaving, signal.SIGTERM)
        refused = ask(pair.here, "B", "m2")
        assert (refused.status, refused.json["code"]) == (503, "restarting")
        assert refused.headers["Connection"] == "close"
        spoken.end("two")
        for reader in (mine, theirs):
            assert reader.finish().text == "one two"
            assert (reader.done["finish_reason"], reader.events[-1]["id"]) == ("stop", "r1-end")
        assert pushed.finish().raw.endswith(b"\n\n")
    assert pair.leaving.process.wait(10) == 0
    assert [message["content"] for message in history(pair.there)] == ["A", "one two"]


@pytest.mark.parametrize(
    ("engine", "number"), [("sqlite", signal.SIGTERM), ("mysql", signal.SIGQUIT)], indirect=["engine"]
)
def test_what_does_not_end_is_given_back_and_made_anew_at_once_elsewhere(pair, upstream, number):
    """SIGTERM gives answers ten seconds, SIGQUIT one; what happens then is the same."""
    Spoken(upstream).say("one ")
    anew = Spoken(upstream)
    with listen(pair.here, "A", "m1") as mine, listen(pair.here, "B", "m2") as waiting:
        mine.until("one ")
        wait_until(lambda: rows(pair.database, "SELECT COUNT(*) FROM run") == [(2,)], "the second run")
        leave(pair.leaving, number)
        for reader in (mine, waiting):
            assert reader.finish().types[-2:] == ["error", "done"]
            assert reader.events[-2]["code"] == "restarting"
            assert (reader.done["finish_reason"], reader.events[-1]["id"]) == ("error", None)
        assert mine.text == "one "
        assert pair.leaving.process.wait(10) == 0
    assert rows(pair.database, "SELECT seq, attempt, state, checkpoint FROM run ORDER BY seq") == [
        (1, 1, "running", "one "), (2, 1, "waiting", ""),
    ]
    with listen(pair.there, "A", "m1", last="r1-4") as again:
        # A dead worker's lease would hold it back; this one was given back.
        ((owners,),) = rows(pair.database, "SELECT COUNT(*) FROM run WHERE seq = 1 AND attempt = 2")
        assert owners == 1
        anew.end("all of it")
        assert again.finish().types == ["reset", "chunk", "done"]
        assert again.text == "all of it"
    assert ask(pair.there, "B", "m2").done["finish_reason"] == "stop"
    assert upstream.questions == ["A", "A", "B"]
    assert [message["role"] for message in history(pair.there)].count("visitor") == 2
