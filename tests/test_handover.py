"""A conversation changing hands: who answers, what a cut keeps, and that the AI never talks over a person."""

from __future__ import annotations

import random
import threading
import time
from contextlib import closing
from types import SimpleNamespace

import pytest

from tests.desk import add_operator, all_rows, far_away
from tests.services import wait_until
from tests.wire import Spoken, all_at_once, ask, follow, follow_live, history, listen, post, rows
from vexar.conversing.conversations import Conversations
from vexar.conversing.visitors import site_channel
from vexar.errors import ApiError
from vexar.parts import Parts

WORDS = ["One ", "two ", "three ", "four ", "five."]
JOINED = "Olga joined the conversation."


@pytest.fixture
def quick_keeper(monkeypatch) -> None:
    """Cuts are noticed so soon that a test need not wait for them."""
    monkeypatch.setattr("vexar.answers.keeping.KEEP_TICK_S", 0.02)


@pytest.fixture
def app(quick_keeper, make_app, upstream) -> object:
    """The app in front of the scripted upstream."""
    return make_app(ai_base_url=upstream.url)


@pytest.fixture
def parts(app) -> Parts:
    """Its live objects."""
    return app.extensions["vexar"]


@pytest.fixture
def olga(parts) -> SimpleNamespace:
    """An operator of the site."""
    return add_operator(parts.store, "Olga", "https://shop.example/olga.png")


@pytest.fixture
def verbs(parts) -> Conversations:
    """What operators do, until they have endpoints."""
    return parts.conversations


def lines(client, session="ann") -> list[tuple]:
    """Role, text and status of every message."""
    return [(message["role"], message["content"], message["status"]) for message in history(client, session)]


def checkpoint(parts: Parts) -> str:
    """What the store knows of the newest run's answer."""
    return rows(parts.config.database_url, "SELECT checkpoint FROM run ORDER BY seq DESC LIMIT 1")[0][0]


# A person takes it.


def test_accepting_says_so_and_raises_the_epoch(client, parts, verbs, olga):
    ask(client, "Hello")
    assert verbs.accept(1, "ann", olga) == 1
    assert history(client)[-1] == {
        "id": 3, "message_id": None, "role": "system", "content": JOINED, "image_url": None, "status": "complete",
        "created_at": history(client)[-1]["created_at"], "sources": [], "operator": None, "reply_to": None,
    }
    (conversation,) = all_rows(parts.store)["Conversation"]
    assert (conversation.mode, conversation.epoch, conversation.operator_id) == ("operator", 2, olga.id)


def test_while_a_person_has_it_no_model_is_asked_and_the_stream_is_just_done(client, parts, verbs, olga, upstream):
    ask(client, "Hello")
    verbs.accept(1, "ann", olga)
    with closing(parts.broker.listen(site_channel(1))) as operators:
        told = ask(client, "Are you real?", "m1")
        assert operators.wait(0)
    assert told.types == ["done"]
    assert told.done == {
        "conversation_id": 1, "message_id": "m1", "reply_id": None, "mode": "operator", "finish_reason": "operator",
        "sources": [],
    }
    assert told.events[-1]["id"] == "r4-end"
    assert upstream.count == 1
    assert lines(client)[-1] == ("visitor", "Are you real?", "complete")
    assert follow(client, "m1").types == ["done"]
    assert ask(client, "Are you real?", "m1").types == ["done"]
    assert follow(client, "m1", last="r4-end").status == 204


def test_an_operators_message_takes_the_conversation(client, verbs, olga, upstream):
    ask(client, "Hello")
    assert verbs.say(1, "ann", olga, content="Good morning") == 4
    assert lines(client)[2:] == [("system", JOINED, "complete"), ("operator", "Good morning", "complete")]
    assert history(client)[-1]["operator"] == {"name": "Olga", "avatar_url": "https://shop.example/olga.png"}
    assert ask(client, "Hi").done["finish_reason"] == "operator"
    verbs.say(1, "ann", olga, content="How are you?")
    assert lines(client)[-1] == ("operator", "How are you?", "complete")
    assert [role for role, _, _ in lines(client)].count("system") == 1


def test_accepting_twice_changes_nothing_and_a_colleague_is_refused(client, parts, verbs, olga):
    ask(client, "Hello")
    verbs.accept(1, "ann", olga)
    before = all_rows(parts.store)
    assert verbs.accept(1, "ann", olga) == 1
    otto = add_operator(parts.store, "Otto")
    before |= {table: all_rows(parts.store)[table] for table in ("Operator", "OperatorSite")}
    for take_it in (lambda: verbs.accept(1, "ann", otto), lambda: verbs.say(1, "ann", otto, content="Hi")):
        with pytest.raises(ApiError) as refused:
            take_it()
        assert refused.value.code == "conflict"
    assert all_rows(parts.store) == before


def test_of_two_who_accept_at_once_exactly_one_has_it(client, parts, verbs, olga):
    otto = add_operator(parts.store, "Otto {name}")

    def accept(session: str, operator) -> int | None:
        try:
            return verbs.accept(1, session, operator) and operator.id
        except ApiError as refused:
            return {"conflict": None}[refused.code]

    for number in range(10):
        session = f"visitor{number}"
        verbs.propose(1, session, None, content="Hello")
        winners = all_at_once([lambda who=who, session=session: accept(session, who) for who in (olga, otto)])
        (winner,) = [found for found in winners if found]
        assert all_rows(parts.store)["Conversation"][number].operator_id == winner
        assert [role for role, _, _ in lines(client, session)] == ["proactive", "system"]


@pytest.mark.parametrize(("lang", "line"), [
    ("de-AT", "Olga ist dem Gespräch beigetreten."), ("xx", JOINED), ("pt_BR", "Olga entrou na conversa."),
])
def test_lines_are_in_the_visitors_language(client, verbs, olga, lang, line):
    ask(client, "Hello", lang=lang)
    verbs.accept(1, "ann", olga)
    assert lines(client)[-1][1] == line


@pytest.mark.parametrize("verb", [
    "accept", "say", "return_to_ai", "close", "request_operator", "transfer", "close_by_operator",
])
def test_without_an_open_conversation_there_is_nothing_to_do(client, parts, verbs, olga, verb):
    arguments = {
        "accept": {"operator": olga}, "say": {"operator": olga, "content": "Hi"}, "return_to_ai": {}, "close": {},
        "request_operator": {"address": None}, "transfer": {"operator": olga, "to": olga.id},
        "close_by_operator": {"operator": olga},
    }[verb]
    before = all_rows(parts.store)
    with pytest.raises(ApiError) as refused:
        getattr(verbs, verb)(1, "nobody", **arguments)
    assert refused.value.code == "conversation_not_found"
    assert all_rows(parts.store) == before


# The AI never talks over a person.


@pytest.mark.parametrize("verb", ["accept", "say"])
def test_a_cut_keeps_what_was_said_before_the_line_that_says_a_person_came(client, parts, verbs, olga, upstream, verb):
    spoken = Spoken(upstream)
    with listen(client, "Hello", "m1") as live, follow_live(client, "m1") as second:
        spoken.say("One ", "two ")
        live.until("One two ")
        second.until("One two ")
        wait_until(lambda: checkpoint(parts) == "One two ", "the checkpoint")
        take(verbs, verb, olga)
        told, also = live.finish(), second.finish()
    spoken.end("three")
    assert lines(client)[:3] == [
        ("visitor", "Hello", "complete"), ("assistant", "One two ", "interrupted"), ("system", JOINED, "complete"),
    ]
    assert len(lines(client)) == (3 if verb == "accept" else 4)
    for end in (told, also, follow(client, "m1")):
        assert end.types == (["chunk", "mode", "done"] if end in (told, also) else ["chunk", "done"])
        assert end.text == "One two "
        assert (end.done["finish_reason"], end.done["mode"], end.done["reply_id"]) == ("operator", "operator", 2)
    assert history(client)[1]["reply_to"] == 1
    assert ask(client, "Hello", "m1").text == "One two "
    assert upstream.count == 1


def take(verbs: Conversations, verb: str, olga, session: str = "ann") -> None:
    """A person comes, by accepting or by saying something."""
    verbs.accept(1, session, olga) if verb == "accept" else verbs.say(1, session, olga, content="Good morning")


def test_followers_shown_more_than_was_kept_get_reset_and_the_stored_text(make_app, upstream):
    app = make_app(ai_base_url=upstream.url)
    client, parts = app.test_client(), app.extensions["vexar"]
    verbs, olga = parts.conversations, add_operator(parts.store)
    seen = set()
    for number in range(20):
        session = f"visitor{number}"
        spoken = Spoken(upstream)
        with listen(client, "Hello", session=session) as live:
            spoken.say("One ")
            live.until("One ")
            wait_until(lambda session=session: checkpoint_of(parts, session) == "One ", "the checkpoint")
            # Shown, and most of the time not kept yet.
            spoken.say("two ")
            live.until("two ")
            verbs.accept(1, session, olga)
            told = live.finish()
        spoken.end()
        stored = history(client, session)[1]
        assert told.text == stored["content"]
        assert stored["status"] == "interrupted"
        assert told.done["reply_id"] == stored["id"] == 2
        seen.add(tuple(told.types))
        if ("chunk", "reset", "chunk", "mode", "done") in seen:
            break
    assert ("chunk", "reset", "chunk", "mode", "done") in seen
    assert seen <= {("chunk", "reset", "chunk", "mode", "done"), ("chunk", "mode", "done")}


def checkpoint_of(parts: Parts, session: str) -> str:
    sql = f"SELECT checkpoint FROM run JOIN visitor ON visitor.id = visitor_id WHERE session_id = '{session}'"
    return rows(parts.config.database_url, sql)[0][0]


def test_nothing_is_stored_of_an_answer_that_had_not_begun(client, verbs, olga, upstream):
    spoken = Spoken(upstream)
    with listen(client, "Hello") as live:
        upstream.wait_for(1)
        verbs.accept(1, "ann", olga)
        told = live.finish()
    spoken.end("One ")
    assert told.types == ["mode", "done"]
    assert told.done["reply_id"] is None
    assert lines(client) == [("visitor", "Hello", "complete"), ("system", JOINED, "complete")]


def test_waiting_runs_are_cut_as_well(client, verbs, olga, upstream):
    spoken = Spoken(upstream)
    with listen(client, "Hello", "m1") as first, listen(client, "And?", "m2") as second:
        spoken.say("One ")
        first.until("One ")
        verbs.accept(1, "ann", olga)
        assert first.finish().done["finish_reason"] == "operator"
        assert second.finish().done["finish_reason"] == "operator"
    spoken.end()
    assert upstream.count == 1
    assert [role for role, _, _ in lines(client)][-1] == "system"


def test_a_run_of_an_earlier_epoch_cannot_store_its_reply(client, parts, upstream):
    """Checked in the transaction that stores it, whoever raised the epoch and whether the run was cut or not."""
    spoken = Spoken(upstream)
    with listen(client, "Hello") as live:
        spoken.say("One ")
        live.until("One ")
        wait_until(lambda: checkpoint(parts) == "One ", "the checkpoint")
        rows(parts.config.database_url, "UPDATE conversation SET epoch = epoch + 1")
        spoken.end("two")
        told = live.finish()
    assert told.done["finish_reason"] == "operator"
    assert told.text == history(client)[1]["content"]
    assert history(client)[1]["status"] == "interrupted"


def test_every_message_of_a_person_raises_the_epoch(client, parts, verbs, olga):
    ask(client, "Hello")
    for epoch in (2, 3, 4):
        verbs.say(1, "ann", olga, content="Good morning")
        assert all_rows(parts.store)["Conversation"][0].epoch == epoch


def test_a_person_who_gave_it_back_may_take_it_again_from_a_running_answer(client, verbs, olga, upstream):
    ask(client, "Hello")
    verbs.accept(1, "ann", olga)
    verbs.return_to_ai(1, "ann")
    spoken = Spoken(upstream)
    with listen(client, "And?") as live:
        spoken.say("One ")
        live.until("One ")
        verbs.say(1, "ann", olga, content="I am back")
        assert live.finish().done["finish_reason"] == "operator"
    spoken.end()
    assert lines(client)[-1] == ("operator", "I am back", "complete")
    assert lines(client)[-2] == ("system", JOINED, "complete")


def race(client_of, verbs, olga, rounds: int, verb: str) -> list[str]:
    """So many answers, each taken from the AI about when it ends; how each ended. Checks every promise about it."""
    endings: list[str] = []
    patience_s = [0.01]

    def one(number: int) -> None:
        session = f"{verb}{number}"
        verbs.propose(1, session, None, content="Hello")
        start = threading.Event()

        def come() -> None:
            start.wait()
            time.sleep(random.uniform(0, 2 * patience_s[0]))
            take(verbs, verb, olga, session)

        person = threading.Thread(target=come)
        person.start()
        start.set()
        told = ask(client_of(), "Hello", "m1", session=session)
        # Whoever won comes later the next time, so that it stays a race on any machine.
        patience_s[0] *= 0.8 if told.done["finish_reason"] == "stop" else 1.25
        person.join()
        check_cut(client_of(), session, told)
        endings.append(told.done["finish_reason"])

    for start in range(0, rounds, 4):
        all_at_once([lambda number=number: one(number) for number in range(start, start + 4)])
    assert len(endings) == rounds
    return endings


def check_cut(client, session: str, told) -> None:
    """What a race between an answer and a person may leave behind."""
    stored = history(client, session)
    assert [message["id"] for message in stored] == list(range(1, len(stored) + 1))
    person = next(message["id"] for message in stored if message["role"] == "system")
    replies = [message for message in stored if message["role"] == "assistant"]
    assert all(reply["id"] < person for reply in replies), stored
    assert len(replies) <= 1
    assert told.text == "".join(reply["content"] for reply in replies), (told.status, told.raw, stored)
    assert told.done["reply_id"] == (replies[0]["id"] if replies else None)
    if told.done["finish_reason"] == "stop":
        assert (told.text, replies[0]["status"]) == ("".join(WORDS), "complete")
    else:
        assert told.done["finish_reason"] == "operator"
        assert [reply["status"] for reply in replies] in ([], ["interrupted"])


def speak_quickly(wire, body) -> None:
    """An answer whose words come a moment apart."""
    wire.head()
    for word in WORDS:
        time.sleep(random.uniform(0, 0.002))
        wire.token(word)
    wire.done()


@pytest.mark.parametrize(("engine", "rounds"), [
    ("sqlite", 20), pytest.param("sqlite", 100, marks=pytest.mark.slow),
    pytest.param("mysql", 100, marks=pytest.mark.servers),
])
def test_the_epoch_holds_in_races_of_a_person_against_an_answer(make_app, make_database, upstream, engine, rounds):
    upstream.always = speak_quickly
    app = make_app(ai_base_url=upstream.url, database_url=make_database(engine))
    parts = app.extensions["vexar"]
    olga = add_operator(parts.store)
    endings = race(app.test_client, parts.conversations, olga, rounds, "accept")
    endings += race(app.test_client, parts.conversations, olga, rounds, "say")
    # Not every race was won by the same side.
    assert {"stop", "operator"} == set(endings)


@pytest.mark.servers
@pytest.mark.parametrize("engine", ["sqlite", "mysql"])
def test_the_epoch_holds_on_two_workers_for_followers_in_both(boot, make_database, upstream, engine):
    upstream.always = speak_slowly
    server = boot(
        workers=2, database_url=make_database(engine), env={"VEXAR_AI_BASE_URL": upstream.url, "VEXAR_AI_MODEL": "m"}
    )
    config = SimpleNamespace(database_url=server.database_url)
    with far_away(config) as verbs:
        olga = add_operator(verbs._store)
        endings = []
        for number in range(24):
            session = f"visitor{number}"
            with listen(server.url, "Hello", "m1", session=session) as live, \
                    follow_live(server.url, "m1", session=session) as also:  # fmt: skip
                time.sleep(random.uniform(0, 0.45))
                take(verbs, "accept" if number % 2 else "say", olga, session)
                told, other = live.finish(), also.finish()
            check_cut(server.url, session, told)
            check_cut(server.url, session, other)
            endings.append(told.done["finish_reason"])
    assert "operator" in endings


def speak_slowly(wire, body) -> None:
    """An answer that takes long enough for checkpoints to be written."""
    wire.head()
    for word in WORDS:
        time.sleep(0.08)
        wire.token(word)
    wire.done()


# And gives it back.


def test_returned_to_the_ai_it_answers_again(client, verbs, olga, upstream):
    ask(client, "Hello")
    verbs.say(1, "ann", olga, content="Good morning")
    assert verbs.return_to_ai(1, "ann") == 1
    assert lines(client)[-1] == ("system", "You are talking to the assistant again.", "complete")
    told = ask(client, "Thanks")
    assert (told.done["finish_reason"], told.done["mode"]) == ("stop", "ai")
    assert upstream.count == 2
    verbs.return_to_ai(1, "ann")
    assert [role for role, _, _ in lines(client)].count("system") == 2


def test_a_message_to_a_person_is_not_answered_by_the_ai_when_it_is_sent_again_later(client, verbs, olga, upstream):
    ask(client, "Hello")
    verbs.accept(1, "ann", olga)
    ask(client, "Are you real?", "m1")
    verbs.return_to_ai(1, "ann")
    assert ask(client, "Are you real?", "m1").done["finish_reason"] == "operator"
    assert upstream.count == 1


# The same id is the same message.


def test_an_operators_message_sent_again_is_the_same_message(client, parts, verbs, olga):
    ask(client, "Hello")
    first = verbs.say(1, "ann", olga, content="Good morning", message_id="o1")
    before = all_rows(parts.store)
    assert verbs.say(1, "ann", olga, content="Good morning", message_id="o1") == first
    for changed in ({"content": "Good evening"}, {"content": "Good morning", "image_path": "a.png"}):
        with pytest.raises(ApiError) as refused:
            verbs.say(1, "ann", olga, **changed, message_id="o1")
        assert refused.value.code == "message_id_conflict"
    assert all_rows(parts.store) == before
    verbs.return_to_ai(1, "ann")
    assert verbs.say(1, "ann", olga, content="Good morning", message_id="o1") == first
    # It did not take the conversation a second time.
    assert ask(client, "And?").done["finish_reason"] == "stop"
    verbs.close(1, "ann")
    assert verbs.say(1, "ann", olga, content="Good morning", message_id="o1") == first


def test_an_operators_message_sent_many_times_at_once_is_one(client, verbs, olga):
    ask(client, "Hello")
    seqs = all_at_once([lambda: verbs.say(1, "ann", olga, content="Hi", message_id="o1")] * 10)
    assert set(seqs) == {4}
    assert len(history(client)) == 4


def test_the_same_id_of_visitor_operator_and_proactive_message_does_not_clash(client, verbs, olga):
    ask(client, "Hello", "same")
    verbs.say(1, "ann", olga, content="Good morning", message_id="same")
    verbs.propose(1, "ann", olga, content="Look at this", message_id="same")
    stored = {message["role"]: message for message in history(client) if message["message_id"] == "same"}
    assert set(stored) == {"visitor", "operator", "proactive"}
    assert ask(client, "Hello", "same").done["reply_id"] == 2
    assert len(history(client)) == 5


# A proactive message.


def test_a_proactive_message_reaches_a_visitor_who_never_wrote(client, verbs, olga, upstream):
    assert verbs.propose(1, "new", olga, content="Can I help?", message_id="p1") == 1
    assert verbs.propose(1, "new", olga, content="Can I help?", message_id="p1") == 1
    (message,) = history(client, "new")
    assert (message["role"], message["content"], message["operator"]["name"]) == ("proactive", "Can I help?", "Olga")
    told = ask(client, "Yes", session="new")
    assert (told.done["finish_reason"], told.done["conversation_id"]) == ("stop", 1)
    with pytest.raises(ApiError) as refused:
        verbs.propose(1, "new", olga, content="Something else", message_id="p1")
    assert refused.value.code == "message_id_conflict"


def test_a_proactive_message_does_not_cut_an_answer(client, verbs, upstream):
    spoken = Spoken(upstream)
    with listen(client, "Hello") as live:
        spoken.say("One ")
        live.until("One ")
        verbs.propose(1, "ann", None, content="Look at this")
        spoken.end("two")
        assert live.finish().done["finish_reason"] == "stop"
    assert [role for role, _, _ in lines(client)] == ["visitor", "proactive", "assistant"]


# Waiting for a person.


def test_asking_for_a_person_waits_says_so_once_and_tells_the_operators(client, parts, upstream):
    ask(client, "Hello")
    with closing(parts.broker.listen(site_channel(1))) as operators:
        answer = post(client, "chat/request-operator").json
        assert operators.wait(0)
    assert answer == {"success": True, "waiting": True, "available": True}
    assert post(client, "chat/request-operator").json["waiting"] is True
    assert lines(client)[2:] == [("system", "We are calling a person for you.", "complete")]
    # Nobody came yet: the AI goes on.
    assert ask(client, "And?").done["finish_reason"] == "stop"


def test_waiting_ends_when_a_person_comes_and_when_it_is_returned(client, parts, verbs, olga):
    ask(client, "Hello")
    post(client, "chat/request-operator")
    verbs.accept(1, "ann", olga)
    assert waiting(parts) == 0
    assert post(client, "chat/request-operator").json["waiting"] is False
    verbs.return_to_ai(1, "ann")
    post(client, "chat/request-operator")
    assert waiting(parts) == 1
    verbs.return_to_ai(1, "ann")
    assert waiting(parts) == 0
    assert lines(client)[-1][1] == "You are talking to the assistant again."


def waiting(parts: Parts) -> int:
    return all_rows(parts.store)["Conversation"][0].is_waiting


# Closing.


def test_closing_ends_the_conversation_and_the_next_message_begins_another(client, parts, verbs):
    ask(client, "Hello")
    assert verbs.close(1, "ann") == 1
    assert ask(client, "New").done["conversation_id"] == 2
    first, second = all_rows(parts.store)["Conversation"]
    assert first.closed_ms is not None
    assert second.closed_ms is None
    assert (second.first_seq, second.mode) == (3, "ai")
    assert [message["id"] for message in history(client)] == [1, 2, 3, 4]


def test_closing_stops_what_runs_and_keeps_what_was_said(client, parts, verbs, upstream):
    spoken = Spoken(upstream)
    with listen(client, "Hello") as live, listen(client, "And?") as waiting_run:
        spoken.say("One ")
        live.until("One ")
        wait_until(lambda: rows(parts.config.database_url, "SELECT checkpoint FROM run WHERE seq = 1")[0][0], "it")
        verbs.close(1, "ann")
        assert live.finish().done["finish_reason"] == "stopped"
        assert waiting_run.finish().done["finish_reason"] == "stopped"
    spoken.end()
    assert ("assistant", "One ", "stopped") in lines(client)
    assert upstream.count == 1


def test_the_close_route_ends_a_running_answer_and_the_one_that_waits(client, upstream):
    spoken = Spoken(upstream)
    with listen(client, "Hello") as live, listen(client, "And?") as waiting_run:
        spoken.say("One ")
        live.until("One ")
        assert post(client, "chat/close").json == {"success": True, "conversation_id": 1}
        for reader in (live, waiting_run):
            assert reader.finish().done["finish_reason"] == "stopped"
    spoken.end("two")
    assert [line for line in lines(client) if line[0] == "assistant"] == [("assistant", "One ", "stopped")]
    assert upstream.count == 1
    assert post(client, "chat/close").status == 404


def test_a_transfer_names_the_new_person_and_needs_one_who_may_chat(client, parts, verbs, olga):
    otto, elsewhere = add_operator(parts.store, "Otto"), add_operator(parts.store, "Oscar", site_id=2)
    ask(client, "Hello")
    verbs.accept(1, "ann", olga)
    for to, code in ((elsewhere.id, "not_found"), (99, "not_found")):
        with pytest.raises(ApiError) as refused:
            verbs.transfer(1, "ann", operator=olga, to=to)
        assert refused.value.code == code
    for _ in range(2):
        verbs.transfer(1, "ann", operator=olga, to=otto.id)
    assert lines(client)[-1] == ("system", "Otto now takes care of you.", "complete")
    assert [role for role, _, _ in lines(client)].count("system") == 2
    verbs.say(1, "ann", otto, content="Good morning")
    assert verbs.close_by_operator(1, "ann", operator=otto) == 1
    assert lines(client)[-1] == ("system", "Otto closed the conversation.", "complete")
    assert ask(client, "New").done["conversation_id"] == 2


def test_a_conversation_closed_while_a_person_had_it_is_the_ais_again(client, verbs, olga):
    ask(client, "Hello")
    verbs.accept(1, "ann", olga)
    verbs.close(1, "ann")
    assert ask(client, "New").done["finish_reason"] == "stop"


# A message never changes.


def test_messages_never_change_after_they_were_stored(client, parts, verbs, olga):
    ask(client, "Hello", "m1")
    kept: list = []
    for action in (
        lambda: verbs.request_operator(1, "ann", address=None),
        lambda: verbs.accept(1, "ann", olga),
        lambda: verbs.say(1, "ann", olga, content="Good morning", message_id="o1"),
        lambda: verbs.say(1, "ann", olga, content="Good morning", message_id="o1"),
        lambda: ask(client, "Thanks", "m2"),
        lambda: verbs.return_to_ai(1, "ann"),
        lambda: ask(client, "Hello", "m1"),
        lambda: verbs.block(1, "session", "ann"),
        lambda: verbs.unblock(1, "ann"),
        lambda: post(client, "chat/rate", score=4),
        lambda: post(client, "chat/contact", email="ann@shop.example", name="Ann"),
        lambda: verbs.propose(1, "ann", olga, content="Look at this"),
        lambda: verbs.close(1, "ann"),
        lambda: ask(client, "New", "m3"),
    ):
        action()
        found = all_rows(parts.store)["Message"]
        assert found[:len(kept)] == kept
        kept = found
    assert len(kept) == 10


# Nobody else's.


def test_ben_and_another_site_keep_their_own(client, parts, verbs, olga):
    ask(client, "Hello", session="ben")
    ask(client, "Hello")
    before = history(client, "ben")
    verbs.accept(1, "ann", olga)
    verbs.block(1, "session", "ann")
    assert history(client, "ben") == before
    assert ask(client, "And?", session="ben").done["finish_reason"] == "stop"
    with pytest.raises(ApiError):
        verbs.accept(2, "ann", olga)
