"""Runs: they outlive their readers, keep their turn, stop, are cut by people, and ask with the right prompt."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from tests.services import wait_until
from tests.wire import Spoken, all_at_once, ask, follow, follow_live, history, listen, post, rows
from vexar.answers import prompt as prompts
from vexar.answers.live import LiveRun
from vexar.providers import Status, Text

OLGA = SimpleNamespace(id=1, name="Olga")


@pytest.fixture(autouse=True)
def quick_ticks(monkeypatch) -> None:
    """Clocks that only bound how late something is noticed."""
    monkeypatch.setattr("vexar.answers.keeping.KEEP_TICK_S", 0.03)
    monkeypatch.setattr("vexar.answers.following.REMOTE_TICK_S", 0.03)
    monkeypatch.setattr("vexar.answers.runs.TURN_TICK_S", 0.05)
    # Here the owner itself stops; what happens when it is silent is tested with the checkpoints.
    monkeypatch.setattr("vexar.answers.runs.STOP_WAIT_S", 60)


@pytest.fixture
def app(make_app, upstream) -> object:
    """The app in front of the scripted upstream."""
    return make_app(ai_base_url=upstream.url, limit_runs_per_session=3)


@pytest.fixture
def other(make_app, upstream, app) -> object:
    """A client of a second process over the same database; `client` is one of the first."""
    return make_app(ai_base_url=upstream.url, limit_runs_per_session=3).test_client()


@pytest.fixture
def parts(app) -> object:
    """The live objects of the first process."""
    return app.extensions["vexar"]


def contents(client, session="ann") -> list[tuple]:
    """Role, text and status of every message."""
    return [(message["role"], message["content"], message["status"]) for message in history(client, session)]


def states(parts) -> list[tuple]:
    """Number, state and ending of every run."""
    return rows(parts.config.database_url, "SELECT seq, state, finish_reason FROM run ORDER BY visitor_id, seq")


# A run is not a connection.


def test_a_visitor_who_leaves_does_not_stop_the_answer(client, upstream):
    spoken = Spoken(upstream)
    with listen(client, message_id="m1") as live:
        spoken.say("one ")
        live.until("one ")
    spoken.end("two")
    wait_until(lambda: len(history(client)) == 2, "the answer to be stored")
    assert contents(client)[1] == ("assistant", "one two", "complete")
    assert upstream.count == 1


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_a_reader_who_leaves_at_any_moment_leaves_nothing_behind(client, parts, upstream, steps):
    spoken = Spoken(upstream)
    answer = client.post("/api/v1/chat/stream", buffered=False, headers={"Accept": "text/event-stream"}, json={
        "site_key": "sk_demo", "session_id": "ann", "message": "Hello", "message_id": "m1",
    })
    parts_of_body = iter(answer.response)
    for word in ["one ", "two ", "three "][:steps]:
        spoken.say(word)
        next(parts_of_body)
    live = parts.runs.live(1, 1)
    answer.close()
    assert parts.broker.listeners() == 0
    assert live._bells == set()
    spoken.end()
    assert live.ended.wait(5)
    wait_until(lambda: not [t for t in threading.enumerate() if t.name == "vexar-run"], "the worker to end")


def test_a_process_that_ends_leaves_no_worker_behind(client, parts, upstream):
    Spoken(upstream)
    Spoken(upstream)
    with listen(client, "A", "m1"), listen(client, "B", "m2"), listen(client, "C", "m1", session="ben"):
        upstream.wait_for(2)
        parts.runs.close()
        assert not [thread for thread in threading.enumerate() if thread.name in ("vexar-run", "vexar-keeper")]


def test_ended_streams_leave_no_bell(client, other, parts):
    ask(client, message_id="m1")
    for told in (ask(client, message_id="m1"), ask(client, message_id="m1", last="r1-end"), follow(client, "m1")):
        assert told.status in (200, 204)
    assert parts.broker.listeners() == 0


# Readers in another process.


def test_a_reader_in_another_process_sees_what_was_said_while_the_next_word_is_still_to_come(client, other, upstream):
    spoken = Spoken(upstream)
    with listen(client, message_id="m1") as here, listen(other, message_id="m1") as there:
        for text in ("one ", "one two ", "one two three "):
            spoken.say(text.split()[-1] + " ")
            there.until(text)
        spoken.end("end")
        assert there.finish().text == here.finish().text == "one two three end"
        assert there.done == here.done
        assert there.events[-1]["id"] == here.events[-1]["id"] == "r1-end"
    assert upstream.count == 1


def test_a_reader_moves_to_another_process_with_its_last_event_id(monkeypatch, client, other, upstream):
    monkeypatch.setattr("vexar.answers.following.CATCH_UP_S", 0.3)
    spoken = Spoken(upstream)
    with listen(client, message_id="m1") as here:
        spoken.say("one ", "two ")
        last = here.until("two ").events[-1]["id"]
    with listen(other, message_id="m1", last=last) as there, follow_live(other, "m1", last="r1-99") as lost:
        lost.until("one two ")
        assert lost.types[0] == "reset"
        spoken.end("three")
        assert there.finish().text == "three"
        assert "reset" not in there.types
        assert lost.finish().text == "one two three"


# One at a time.


def test_a_second_message_is_stored_at_once_and_its_answer_waits_for_its_turn(client, other, parts, upstream):
    first, second = Spoken(upstream), Spoken(upstream)
    with listen(client, "A", "m1") as one, listen(other, "B", "m2") as two, listen(client, "C", "m3") as three:
        wait_until(lambda: len(states(parts)) == 3, "three runs")
        assert [message["content"] for message in history(client)] == ["A", "B", "C"]
        assert [state for _, state, _ in states(parts)] == ["running", "waiting", "waiting"]
        first.end("a")
        assert one.finish().text == "a"
        upstream.wait_for(2)
        assert upstream.questions == ["A", "B"]
        second.end("b")
        assert two.finish().text == "b"
        assert three.finish().text.startswith("Answer to C")
    assert upstream.questions == ["A", "B", "C"]
    assert [message["reply_to"] for message in history(client)][3:] == [1, 2, 3]


def test_an_earlier_message_sent_again_waits_for_the_one_that_runs(client, parts, upstream):
    upstream.script("cut_mid_stream")
    ask(client, "A", "m1")
    spoken = Spoken(upstream)
    with listen(client, "B", "m2") as running:
        upstream.wait_for(2)
        with listen(client, "A", "m1") as again:
            again.when(lambda: again.raw == b":\n", "the first comment")
            assert states(parts) == [(1, "waiting", ""), (3, "running", "")]
            spoken.end("b")
            running.finish()
            assert again.finish().done["finish_reason"] == "stop"
    assert upstream.questions == ["A", "B", "A"]
    assert upstream.requests[-1]["messages"][1:] == [{"role": "user", "content": "A"}]
    assert [message["reply_to"] for message in history(client)][-2:] == [3, 1]


def test_the_fourth_message_at_a_time_is_refused_and_not_stored(client, other, upstream):
    spoken = Spoken(upstream)
    with listen(client, "A", "m1"), listen(other, "B", "m2"), listen(client, "C", "m3") as third:
        for waits in (client, other):
            told = ask(waits, "D", "m4")
            assert (told.status, told.json["code"]) == (429, "too_many_runs")
            assert told.json["retry_after"] == int(told.headers["Retry-After"])
        assert len(history(client)) == 3
        assert ask(other, "D", "m4", session="ben").status == 200
        with listen(client, "C", "m3") as attached:
            spoken.end("a")
            assert attached.finish().text == third.finish().text
        assert ask(client, "D", "m4").status == 200


def test_visitors_do_not_wait_for_each_other(client, upstream):
    spoken = Spoken(upstream)
    with listen(client, "A", "m1"):
        upstream.wait_for(1)
        assert ask(client, "B", "m2", session="ben").done["finish_reason"] == "stop"
        spoken.end("a")


def test_runs_of_a_whole_site_are_limited(make_app, upstream):
    client = make_app(ai_base_url=upstream.url, limit_runs_per_site=1).test_client()
    spoken = Spoken(upstream)
    with listen(client, "A", "m1"):
        assert ask(client, "B", "m2", session="ben").json["code"] == "too_many_runs"
        assert history(client, "ben") == []
        spoken.end("a")


# Stop.


@pytest.mark.parametrize("where", ["the same process", "another process"])
def test_stop_keeps_what_was_said_and_tells_every_reader(client, other, upstream, where):
    spoken = Spoken(upstream)
    stopper = client if where == "the same process" else other
    with listen(client, message_id="m1") as here, listen(other, message_id="m1") as there:
        spoken.say("one ", "two ")
        here.until("two ")
        there.until("two ")
        assert post(stopper, "chat/stop", message_id="m1").json == {"success": True, "stopped": True}
        for reader in (here, there):
            assert reader.finish().done["finish_reason"] == "stopped"
            assert reader.text == "one two "
            assert "error" not in reader.types
    assert contents(client)[1] == ("assistant", "one two ", "stopped")
    assert post(stopper, "chat/stop", message_id="m1").json == {"success": True, "stopped": False}
    assert ask(client, message_id="m1").done["finish_reason"] == "stopped"
    assert upstream.count == 1


@pytest.mark.parametrize("where", ["the same process", "another process"])
def test_a_waiting_answer_can_be_stopped_before_its_turn(client, other, upstream, where):
    spoken = Spoken(upstream)
    with listen(client, "A", "m1") as first, listen(client, "B", "m2") as second:
        stopper = client if where == "the same process" else other
        assert post(stopper, "chat/stop", message_id="m2").json["stopped"]
        assert second.finish().done["finish_reason"] == "stopped"
        assert second.done["reply_id"] is None
        spoken.end("a")
        assert first.finish().text == "a"
    assert upstream.questions == ["A"]


def test_stop_before_the_first_word_stores_no_reply(client, upstream):
    Spoken(upstream)
    with listen(client, message_id="m1") as live:
        upstream.wait_for(1)
        assert post(client, "chat/stop", message_id="m1").json["stopped"]
        assert live.finish().done == {**live.done, "finish_reason": "stopped", "reply_id": None}
    assert len(history(client)) == 1


def test_stop_cancels_the_answer_at_once_and_one_that_begins_later():
    live = LiveRun(SimpleNamespace(visitor_id=1, seq=1, attempt=1))
    first, second = threading.Event(), threading.Event()
    live.makes(SimpleNamespace(cancel=first.set))
    assert not first.is_set()
    live.stop()
    assert first.is_set()
    live.makes(SimpleNamespace(cancel=second.set))
    assert second.is_set()


def test_stopping_lets_the_next_message_begin(client, upstream):
    Spoken(upstream)
    with listen(client, "A", "m1"), listen(client, "B", "m2") as second:
        upstream.wait_for(1)
        post(client, "chat/stop", message_id="m1")
        assert second.finish().done["finish_reason"] == "stop"


def test_stopping_what_is_done_changes_nothing(client):
    ask(client, message_id="m1")
    before = history(client)
    assert post(client, "chat/stop", message_id="m1").json == {"success": True, "stopped": False}
    assert history(client) == before


def test_closing_the_conversation_stops_everything_in_it(client, upstream):
    spoken = Spoken(upstream)
    with listen(client, "A", "m1") as first, listen(client, "B", "m2") as second:
        spoken.say("one ")
        first.until("one ")
        assert post(client, "chat/close").status == 200
        assert [first.finish().done["finish_reason"], second.finish().done["finish_reason"]] == ["stopped", "stopped"]
    assert contents(client)[2] == ("assistant", "one ", "stopped")
    assert ask(client, "C", "m3").done["conversation_id"] == 2
    assert upstream.questions == ["A", "C"]


# People come first.


def test_a_message_to_a_person_asks_no_model_and_is_just_done(client, parts, upstream):
    ask(client, "A", "m1")
    parts.conversations.accept(1, "ann", OLGA)
    told = ask(client, "B", "m2")
    assert told.types == ["done"]
    assert (told.done["finish_reason"], told.done["mode"], told.done["reply_id"]) == ("operator", "operator", None)
    assert ask(client, "B", "m2").raw == told.raw
    assert history(client)[-1]["content"] == "B"
    assert upstream.questions == ["A"]


def test_a_person_who_takes_over_cuts_the_answer_before_the_line_that_says_so(client, other, parts, upstream):
    spoken = Spoken(upstream)
    with listen(client, "A", "m1") as here, listen(other, "A", "m1") as there, listen(client, "B", "m2") as waiting:
        spoken.say("one ")
        here.until("one ")
        there.until("one ")
        parts.conversations.accept(1, "ann", OLGA)
        spoken.end("two")
        for reader in (here, there):
            assert reader.finish().types[-2:] == ["mode", "done"]
            assert reader.events[-2]["mode"] == "operator"
            assert (reader.done["finish_reason"], reader.text) == ("operator", "one ")
        assert waiting.finish().done["finish_reason"] == "operator"
    kept = contents(client)
    assert kept[2] == ("assistant", "one ", "interrupted")
    assert (kept[3][0], len(kept)) == ("system", 4)
    assert upstream.questions == ["A"]


def test_a_reader_who_was_shown_more_than_was_kept_begins_anew(client, parts, upstream):
    spoken = Spoken(upstream)
    with listen(client, "A", "m1") as here:
        spoken.say("one ")
        here.until("one ")
        wait_until(lambda: rows(parts.config.database_url, "SELECT checkpoint FROM run") == [("one ",)], "a checkpoint")
        with parts.runs._keeper._lock:
            spoken.say("two ")
            here.until("one two ")
            parts.conversations.accept(1, "ann", OLGA)
        assert here.finish().types[-4:] == ["reset", "chunk", "mode", "done"]
        assert here.text == "one "
    assert contents(client)[1] == ("assistant", "one ", "interrupted")


def test_a_take_over_before_the_first_word_keeps_nothing(client, parts, upstream):
    Spoken(upstream)
    with listen(client, "A", "m1") as live:
        upstream.wait_for(1)
        parts.conversations.accept(1, "ann", OLGA)
        assert live.finish().done["reply_id"] is None
    assert [message["role"] for message in history(client)] == ["visitor", "system"]


def test_an_answer_that_began_before_a_person_came_and_went_cannot_be_stored(client, parts, upstream):
    spoken = Spoken(upstream)
    with listen(client, "A", "m1") as live:
        upstream.wait_for(1)
        with parts.runs._keeper._lock:
            parts.conversations.accept(1, "ann", OLGA)
            parts.conversations.return_to_ai(1, "ann")
            spoken.end("too late")
            assert live.finish().done["finish_reason"] == "operator"
    assert "too late" not in str(history(client))


def test_only_the_epoch_a_run_began_with_lets_it_store(client, parts, upstream):
    """Whoever raises the epoch also cuts; should a cut ever miss a run, it still cannot talk over a person."""
    spoken = Spoken(upstream)
    with listen(client, "A", "m1") as live:
        upstream.wait_for(1)
        rows(parts.config.database_url, "UPDATE conversation SET epoch = epoch + 1")
        spoken.end("too late")
        assert live.finish().done["finish_reason"] == "operator"
    assert "too late" not in str(history(client))


def test_a_block_cuts_the_answer(client, other, parts, upstream):
    spoken = Spoken(upstream)
    with listen(client, "A", "m1") as here, listen(other, "A", "m1") as there:
        spoken.say("one ")
        there.until("one ")
        parts.conversations.block(1, "session", "ann")
        assert [reader.finish().done["finish_reason"] for reader in (here, there)] == ["blocked", "blocked"]
        assert here.text == there.text == "one "
    assert contents(client)[1] == ("assistant", "one ", "interrupted")
    assert follow(client, "m1").done["finish_reason"] == "blocked"


# The prompt.


def asked(upstream) -> list[tuple]:
    """Role and text of the newest prompt, without the system text."""
    return [(turn["role"], turn["content"]) for turn in upstream.requests[-1]["messages"][1:]]


def test_the_prompt_pairs_each_earlier_message_with_its_reply_and_ends_with_its_own(client, upstream):
    upstream.script(["a"])
    first, second = Spoken(upstream), Spoken(upstream)
    ask(client, "A", "m1")
    with listen(client, "B", "m2") as two, listen(client, "C", "m3") as three, listen(client, "D", "m4") as four:
        first.end("b")
        two.finish()
        second.end("c")
        three.finish()
        four.finish()
    assert asked(upstream) == [
        ("user", "A"), ("assistant", "a"), ("user", "B"), ("assistant", "b"), ("user", "C"), ("assistant", "c"),
        ("user", "D"),
    ]


def test_a_message_sent_again_after_later_ones_is_still_the_last_of_its_prompt(client, upstream):
    upstream.script(["a"], "cut_mid_stream", ["c"])
    ask(client, "A", "m1")
    assert ask(client, "B", "m2").done["finish_reason"] == "error"
    ask(client, "C", "m3")
    ask(client, "B", "m2")
    assert asked(upstream) == [("user", "A"), ("assistant", "a"), ("user", "B")]
    ask(client, "D", "m4")
    assert [text for role, text in asked(upstream) if role == "user"] == ["A", "B", "C", "D"]
    assert ("assistant", "one two ") not in asked(upstream)


def test_the_prompt_begins_behind_the_last_hand_over(client, parts, upstream):
    ask(client, "A", "m1")
    parts.conversations.say(1, "ann", OLGA, content="I am Olga")
    ask(client, "B", "m2")
    parts.conversations.return_to_ai(1, "ann")
    ask(client, "C", "m3")
    assert asked(upstream) == [("assistant", "I am Olga"), ("user", "B"), ("user", "C")]


def test_a_new_conversation_has_no_history(client, upstream):
    ask(client, "A", "m1")
    post(client, "chat/close")
    ask(client, "B", "m2")
    assert asked(upstream) == [("user", "B")]


def test_the_history_keeps_within_its_budget_and_leaves_older_exchanges_out_whole(monkeypatch, client, upstream):
    monkeypatch.setattr(prompts, "HISTORY_TOKENS", 10)
    for n in range(4):
        upstream.script([f"answer {n} xxxx"])
        ask(client, f"question {n}", f"m{n}")
    assert asked(upstream) == [("user", "question 2"), ("assistant", "answer 2 xxxx"), ("user", "question 3")]


def test_nobody_else_s_words_are_in_the_prompt(client, upstream):
    ask(client, "secret of ann", "m1")
    ask(client, "B", "m1", session="ben")
    assert "secret" not in str(upstream.requests[-1])


# What an answer may be.


def test_an_answer_is_cut_at_the_cap(make_app, upstream):
    client = make_app(ai_base_url=upstream.url, ai_max_answer_chars=5).test_client()
    upstream.script(["ab", "c\U0001f600", "ef", "gh"], ["abcde"], ["abcdef"])
    told = ask(client, "A", "m1")
    assert (told.text, told.done["finish_reason"]) == ("abc\U0001f600e", "length")
    assert contents(client)[1] == ("assistant", "abc\U0001f600e", "complete")
    assert ask(client, "B", "m2").done["finish_reason"] == "stop"
    assert ask(client, "C", "m3").done["finish_reason"] == "length"
    assert ask(client, "C", "m3").text == "abcde"


def test_what_is_being_done_meanwhile_is_told_and_changes_no_state(make_app):
    class Busy:
        name = "builtin"

        def answer(self, prompt) -> Busy:
            return self

        def __iter__(self) -> Iterator:
            yield Status("Searching the knowledge base")
            yield Text("found")

        def cancel(self) -> None:
            pass

        def close(self) -> None:
            pass

    app = make_app()
    app.extensions["vexar"].runs.providers.add(Busy())
    told = ask(app.test_client(), message_id="m1")
    assert told.events[0] == {"type": "status", "text": "Searching the knowledge base", "id": None}
    assert told.text == "found"


def test_many_identical_messages_at_once_are_one(client, other, upstream):
    told = all_at_once([lambda at=at: ask((client, other)[at % 2], "Hi", "m1") for at in range(20)])
    assert {answer.text for answer in told} == {"Answer to Hi: one two three four five."}
    assert len({str(answer.done) for answer in told}) == 1
    assert upstream.count == 1
    assert len(history(client)) == 2
