"""History page by page, what people said by cursor or handed out once, and waiting for it."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing

import pytest
import requests

from tests.cast import API, Cast, add, open_app, operator_row, wait_until
from vexar.conversing import handover
from vexar.routes import widget
from vexar.routes.scope import find_site
from vexar.store import open_store

MESSAGE = {
    "id", "message_id", "role", "content", "image_url", "created_at", "status", "sources", "operator", "reply_to"
}  # fmt: skip


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with open_app(tmp_path_factory.mktemp("reading")) as app:
        yield app


@pytest.fixture
def cast(app):
    return Cast(app)


def contents(messages):
    """What was said."""
    return [message["content"] for message in messages]


def ids(messages):
    """The numbers of messages."""
    return [message["id"] for message in messages]


# History.


def test_a_message_has_exactly_the_promised_fields(cast):
    cast.ann.ask("Hello", message_id="m_abc")
    cast.olga_says(cast.ann, "Hi ann")
    question, reply, _, by_olga = cast.ann.history()
    assert all(set(message) == MESSAGE for message in (question, reply, by_olga))
    assert question | {"created_at": None} == {
        "id": 1, "message_id": "m_abc", "role": "visitor", "content": "Hello", "image_url": None, "created_at": None,
        "status": "complete", "sources": [], "operator": None, "reply_to": None,
    }  # fmt: skip
    assert (reply["role"], reply["reply_to"], reply["status"], reply["operator"]) == ("assistant", 1, "complete", None)
    assert (by_olga["role"], by_olga["operator"]) == ("operator", {"name": "Olga", "avatar_url": None})


def test_the_history_can_be_read_while_nothing_can_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr("vexar.store.sqlite.LOCK_TIMEOUT_S", 0.05)
    with open_app(tmp_path) as app, closing(sqlite3.connect(tmp_path / "vexar.db")) as link:
        ann = Cast(app).ann
        ann.ask("one")
        link.execute("BEGIN IMMEDIATE")
        assert contents(ann.history())[0] == "one"


def test_a_message_never_changes_and_its_id_is_the_visitors_own_sequence(cast):
    cast.ann.ask("one")
    before = cast.ann.history()
    cast.olga_says(cast.ann, "two")
    cast.ann.post("chat/close")
    cast.ann.ask("three")
    after = cast.ann.history()
    assert after[:2] == before
    assert ids(after) == list(range(1, len(after) + 1))


def test_the_history_is_whole_over_all_conversations(cast):
    cast.ann.ask("first")
    first = cast.ann.get("chat/history").json["conversation_id"]
    cast.ann.post("chat/close")
    assert cast.ann.get("chat/history").json["conversation_id"] is None
    cast.ann.ask("second")
    page = cast.ann.get("chat/history").json
    assert page["conversation_id"] not in (None, first)
    assert [m["content"] for m in page["messages"] if m["role"] == "visitor"] == ["first", "second"]


def test_the_history_is_oldest_first_50_at_a_time_by_default(cast):
    cast.fill(cast.ann, *["visitor", "assistant"] * 30)
    page = cast.ann.get("chat/history").json
    assert ids(page["messages"]) == list(range(11, 61))
    assert (page["has_more"], page["cursor"], page["mode"]) == (True, 60, "ai")


def test_paging_back_has_neither_gaps_nor_repeats_at_any_limit(cast):
    cast.fill(cast.ann, *["visitor"] * 203)
    for limit in (1, 2, 3, 7, 50, 101, 199, 200):
        found, before, has_more = [], {}, True
        while has_more:
            page = cast.ann.get("chat/history", limit=limit, **before).json
            assert 0 < len(page["messages"]) <= limit
            found, has_more = ids(page["messages"]) + found, page["has_more"]
            before = {"before": found[0]}
        assert found == list(range(1, 204)), limit


def test_paging_goes_on_evenly_while_new_messages_arrive(cast):
    cast.fill(cast.ann, *["visitor"] * 6)
    newest = ids(cast.ann.history(limit=3))
    cast.fill(cast.ann, *["visitor"] * 5)
    assert ids(cast.ann.history(limit=3, before=newest[0])) + newest == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("before", [0, 1])
def test_before_the_first_message_there_is_nothing(cast, before):
    cast.fill(cast.ann, "visitor", "assistant")
    page = cast.ann.get("chat/history", before=before).json
    assert (page["messages"], page["has_more"]) == ([], False)


def test_mode_on_the_wire_is_only_ai_or_operator_and_waiting_is_a_field_of_its_own(cast):
    cast.ann.ask()
    answer = cast.ann.post("chat/request-operator").json
    assert (answer["waiting"], cast.ann.get("chat/history").json["mode"]) == (True, "ai")
    cast.olga_says(cast.ann, "Here I am")
    assert cast.ann.get("chat/history").json["mode"] == "operator"
    assert cast.ann.people()["mode"] == "operator"


# With a cursor: a pure read.


def test_with_a_cursor_come_operator_and_system_and_nothing_else(cast):
    cast.fill(cast.ann, "visitor", "assistant", "operator", "proactive", "system", "operator")
    assert ids(cast.ann.people(since=0)["messages"]) == [3, 5, 6]
    assert ids(cast.ann.people(since=3)["messages"]) == [5, 6]


def test_with_a_cursor_it_is_a_pure_read_and_safe_to_repeat(cast):
    cast.fill(cast.ann, "operator", "system")
    before = cast.rows("visitor")
    first = cast.ann.people(since=0)
    assert cast.ann.people(since=0) == first
    assert cast.rows("visitor") == before


def test_the_cursor_goes_to_the_end_and_from_there_nothing_comes_twice(cast):
    cast.fill(cast.ann, "visitor", "operator", "visitor")
    answer = cast.ann.people(since=0)
    assert answer["cursor"] == 3
    assert cast.ann.people(since=answer["cursor"])["messages"] == []
    cast.fill(cast.ann, "operator")
    assert ids(cast.ann.people(since=answer["cursor"])["messages"]) == [4]


def test_following_the_cursor_through_more_than_one_answer_holds_loses_nothing(cast):
    cast.fill(cast.ann, *["operator"] * 190)
    cast.fill(cast.ann, *["visitor"] * 5, *["operator"] * 190)
    cast.fill(cast.ann, *["operator"] * 190)
    found, cursor = [], 0
    while (answer := cast.ann.people(since=cursor))["messages"]:
        found, cursor = found + ids(answer["messages"]), answer["cursor"]
    assert found == [*range(1, 191), *range(196, 576)]


# Without one: each message once.


def test_without_a_cursor_each_operator_message_is_handed_out_once(cast):
    cast.ann.ask()
    cast.olga_says(cast.ann, "one")
    assert contents(cast.ann.people()["messages"]) == ["one"]
    assert cast.ann.people()["messages"] == []
    cast.olga_says(cast.ann, "two")
    assert contents(cast.ann.people()["messages"]) == ["two"]


def test_without_a_cursor_only_the_role_operator_comes(cast):
    cast.fill(cast.ann, "system", "proactive", "assistant", "operator", "system")
    assert [message["role"] for message in cast.ann.people()["messages"]] == ["operator"]


def test_it_is_handed_out_once_per_visitor(cast):
    for visitor in (cast.ann, cast.ben):
        cast.fill(visitor, "operator")
    assert len(cast.ann.people()["messages"]) == len(cast.ben.people()["messages"]) == 1


def test_history_has_all_that_was_handed_out(cast):
    cast.fill(cast.ann, "operator")
    cast.ann.people()
    assert contents(cast.ann.history()) == ["operator 1"]


def test_a_history_page_without_before_moves_the_mark_too(cast):
    cast.fill(cast.ann, "operator", "operator")
    cast.ann.history()
    assert cast.ann.people()["messages"] == []


def test_a_history_page_with_before_does_not_move_the_mark(cast):
    cast.fill(cast.ann, "operator", "operator")
    cast.ann.history(before=2)
    assert len(cast.ann.people()["messages"]) == 2


def test_a_read_with_a_cursor_does_not_move_the_mark(cast):
    cast.fill(cast.ann, "operator")
    cast.ann.people(since=0)
    assert len(cast.ann.people()["messages"]) == 1


@pytest.mark.parametrize("path", ["chat/operator-messages", "chat/history"])
def test_the_mark_stays_where_it_is_when_the_answer_is_not_written(cast, path):
    """The server asks for the next part only once the last one was written; a broken connection closes instead."""
    cast.fill(cast.ann, "operator")
    answer = cast.client.get(f"{API}/{path}", query_string=cast.ann.scope, buffered=False)
    next(iter(answer.response))
    answer.close()
    assert cast.row(cast.ann).handed_seq == 0
    assert len(cast.ann.people()["messages"]) == 1


def test_the_mark_has_moved_before_the_last_byte_so_that_asking_again_at_once_repeats_nothing(cast):
    cast.fill(cast.ann, "operator")
    parts = iter(cast.client.get(f"{API}/chat/operator-messages", query_string=cast.ann.scope, buffered=False).response)
    beginning, end = next(parts), next(parts)
    assert (len(end), cast.row(cast.ann).handed_seq) == (1, 1)
    assert (beginning + end).endswith(b"}")


def test_asking_only_for_the_headers_moves_no_mark(cast):
    cast.fill(cast.ann, "operator")
    for path in ("chat/operator-messages", "chat/history"):
        assert cast.client.head(f"{API}/{path}", query_string=cast.ann.scope).status_code == 200
    assert len(cast.ann.people()["messages"]) == 1


# Unread, typing, waiting.


def test_unread_counts_what_others_said_behind_what_was_read(cast):
    cast.fill(cast.ann, "visitor", "assistant", "operator", "visitor", "system")
    assert cast.ann.people(since=0)["unread"] == 3
    assert cast.ann.post("chat/read", cursor=2).json == {"success": True}
    assert cast.ann.people(since=0)["unread"] == 2
    cast.ann.post("chat/read", cursor=5)
    assert cast.ann.people(since=0)["unread"] == 0


def test_reading_never_goes_back_nor_beyond_the_end(cast):
    cast.fill(cast.ann, "operator", "operator")
    cast.ann.post("chat/read", cursor=99)
    cast.ann.post("chat/read", cursor=1)
    assert cast.row(cast.ann).read_seq == 2
    cast.fill(cast.ann, "operator")
    assert cast.ann.people(since=0)["unread"] == 1


def test_typing_tells_whether_the_operator_types(cast):
    cast.ann.ask()
    assert cast.ann.people()["typing"] is False
    cast.verbs.operator_types(cast.site.id, cast.ann.session_id, True)
    assert (cast.ann.people()["typing"], cast.ben.people()["typing"]) == (True, False)
    cast.verbs.operator_types(cast.site.id, cast.ann.session_id, False)
    assert cast.ann.people()["typing"] is False


def waits(cast, visitor, **query):
    """Begin a long poll; the list that will hold its answer."""
    found = []
    client = cast.client.application.test_client()
    query = {**visitor.scope, "wait": 25, **query}
    before = cast.parts.broker.listeners()

    def poll():
        found.append(client.get(f"{API}/chat/operator-messages", query_string=query).json)

    threading.Thread(target=poll, daemon=True).start()
    wait_until(lambda: cast.parts.broker.listeners() > before, "the long poll to listen")
    return found


@pytest.mark.parametrize("query", [{}, {"since": 0}])
def test_a_long_poll_ends_with_the_first_message(cast, query):
    cast.fill(cast.ann, "visitor")
    found = waits(cast, cast.ann, **query)
    cast.olga_says(cast.ann, "Hello ann")
    wait_until(lambda: found, "the long poll")
    assert "Hello ann" in contents(found[0]["messages"])


def test_a_long_poll_with_something_to_tell_answers_at_once(cast):
    cast.fill(cast.ann, "operator")
    assert len(cast.ann.people(wait=25)["messages"]) == 1


def test_a_long_poll_without_news_ends_after_its_time_with_nothing(cast):
    cast.fill(cast.ann, "visitor")
    answer = cast.ann.people(wait=1)
    assert (answer["messages"], answer["cursor"]) == ([], 1)


def test_a_long_poll_without_a_cursor_ends_when_a_person_takes_the_conversation_in_silence(cast):
    cast.fill(cast.ann, "visitor")
    found = waits(cast, cast.ann)
    cast.verbs.accept(cast.site.id, cast.ann.session_id, cast.olga)
    wait_until(lambda: found, "the long poll")
    assert (found[0]["mode"], found[0]["messages"]) == ("operator", [])


def test_a_long_poll_ends_when_the_operator_begins_to_type(cast):
    cast.fill(cast.ann, "visitor")
    found = waits(cast, cast.ann, since=1)
    cast.verbs.operator_types(cast.site.id, cast.ann.session_id, True)
    wait_until(lambda: found, "the long poll")
    assert found[0]["typing"] is True


def test_a_long_poll_tells_soon_of_typing_that_began_before_it(cast, monkeypatch):
    """Between two polls nobody listens, and the whole wait would be longer than people type."""
    monkeypatch.setattr(widget, "TYPING_WAIT_S", 0.1)
    cast.fill(cast.ann, "visitor")
    cast.verbs.operator_types(cast.site.id, cast.ann.session_id, True)
    wait_until(lambda: cast.ann.people(since=1)["typing"], "the typing")
    found = waits(cast, cast.ann, since=1)
    wait_until(lambda: found, "the long poll")
    assert found[0]["typing"] is True


def test_a_long_poll_of_a_session_nobody_has_seen_ends_when_somebody_speaks_to_it(cast):
    found = waits(cast, cast.ann)
    cast.olga_proposes(cast.ann, "May I help?")
    cast.olga_says(cast.ann, "I am Olga")
    wait_until(lambda: found, "the long poll")
    assert contents(found[0]["messages"]) == ["I am Olga"]


@pytest.mark.servers
def test_on_a_real_server_each_message_is_handed_out_once_to_whoever_asks_again_at_once(boot):
    """Every poll is a new connection, and meets either of two workers."""
    server = boot(workers=2)
    ann = "site_key=sk_demo&session_id=ann"

    def poll():
        answer = requests.get(f"{server.url}{API}/chat/operator-messages?{ann}", timeout=10)
        assert int(answer.headers["Content-Length"]) == len(answer.content)
        return contents(answer.json()["messages"])

    with closing(open_store(server.database_url)) as store:
        (olga,) = add(store, operator_row("Olga"))
        who = {"site_id": store.read(find_site, site_key="sk_demo").id, "session_id": "ann", "operator": olga}
        store.write(handover.propose, **who, content="May I help?")
        for number in range(20):
            store.write(handover.say, **who, content=f"message {number}")
            assert [poll(), poll(), poll()] == [[f"message {number}"], [], []]


def test_long_polls_end_when_the_server_leaves_and_leave_no_bell_behind(tmp_path):
    with open_app(tmp_path) as app:
        cast = Cast(app)
        found = waits(cast, cast.ann, since=0)
        cast.parts.drain(0)
        wait_until(lambda: found, "the long poll")
        wait_until(lambda: cast.parts.broker.listeners() == 0, "its bell")
    assert found[0]["success"] is True
