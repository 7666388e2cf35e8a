"""Whose things are whose: sessions are never mixed, and a blocked visitor may still read, never write."""

from __future__ import annotations

import time

import pytest

from tests.cast import GETS, POSTS, READS, Cast, open_app, picture

SECRET = "ann's own secret words"
# A visitor's own choices about what it has already got are reading: `read` moves a mark, as the reads themselves do.
# `stop` writes nothing either, since a block has ended every run; it must not fail for a page that presses it late.
OPEN_TO_THE_BLOCKED = ("chat/read", "chat/stop")
WRITES = [*(path for path in POSTS if path not in OPEN_TO_THE_BLOCKED), "chat/upload-image"]
ANNS_TABLES = ("visitor", "conversation", "message", "run", "upload", "nudge_event", "block", "budget")


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with open_app(tmp_path_factory.mktemp("scope")) as app:
        yield app


@pytest.fixture
def cast(app):
    """ann and ben have a conversation each, with everything a conversation may have."""
    cast = Cast(app)
    for visitor in (cast.ann, cast.ben):
        visitor.ask("Hello", message_id="m_1")
        visitor.post("chat/rate", score=2)
    return cast


def first_events(answer, count=2):
    """The beginning of a stream that stays open."""
    parts = iter(answer.response)
    text = b""
    while text.count(b"data: ") < count:
        text += next(parts)
    answer.close()
    return text.decode()


def read_of(visitor, path, query):
    """What a GET gives, as text; of live push only the beginning."""
    if path != "chat/events":
        return visitor.get(path, **query).text
    answer = visitor.client.get("/api/v1/chat/events", query_string={**visitor.scope, "since": 0}, buffered=False)
    return first_events(answer)


# Sessions.


@pytest.fixture
def told(cast):
    """ann, who has told everything, and the url of her image."""
    cast.image_url = cast.ann.upload(picture()).json["url"]
    cast.ann.ask(SECRET, message_id="m_secret", image_url=cast.image_url)
    cast.ann.post("chat/contact", email="ann.secret@shop.example", name=SECRET)
    cast.ann.post("chat/rate/comment", comment=SECRET)
    cast.olga_proposes(cast.ann, SECRET)
    cast.olga_says(cast.ann, SECRET)
    cast.block(cast.ann, reason=SECRET)
    return cast


@pytest.mark.parametrize("whose", ["ben", "stranger"])
def test_no_read_gives_anything_of_another_session_or_site_whatever_ids_it_is_given(told, whose):
    ids = {"message_id": "m_secret", "conversation_id": 1, "since": 0, "path": "/", "last_event_id": "r1-0"}
    for path, query in GETS.items():
        assert "secret" not in read_of(getattr(told, whose), path, {**query, **ids}), path


def test_ann_herself_reads_all_of_it(told):
    """The guard: the test above looks for words that are there."""
    for path in GETS.keys() - {"chat/config", "chat/stream"}:
        assert SECRET in read_of(told.ann, path, {"since": 0}), path


@pytest.mark.parametrize("whose", ["ben", "stranger"])
def test_no_write_changes_or_tells_anything_of_another_session_or_site(told, whose):
    mine = told.row(told.ann).id

    def anns_rows():
        rows = told.rows(*ANNS_TABLES)
        whole = {table: [row for row in rows[table] if f"visitor_id={mine}," in row] for table in ANNS_TABLES}
        return whole, [row for row in rows["visitor"] if f"Row(id={mine}," in row], rows["block"]

    before = anns_rows()
    assert all(before)
    ids = {"message_id": "m_secret", "cursor": 1, "id": 1, "conversation_id": 1, "visitor_id": mine}
    for path, fields in POSTS.items():
        answer = getattr(told, whose).post(path, **{**ids, **fields})
        assert "secret" not in answer.text.replace("m_secret", ""), path
        assert anns_rows() == before, path


@pytest.mark.parametrize("whose", ["ben", "stranger"])
def test_the_same_message_id_of_another_session_is_another_message(told, whose):
    other = getattr(told, whose)
    asked = told.client.application.upstream.count
    events = other.ask("my own words", message_id="m_secret")
    assert told.client.application.upstream.count == asked + 1
    assert "secret" not in str([event.data.get("content") for event in events])


def test_session_ids_differ_by_case_and_every_other_character(cast):
    name = cast.ann.session_id
    for other in (name.upper(), name + ".", name[:-1]):
        assert type(cast.ann)(cast.client, cast.site.site_key, other).history() == []


# Blocks.


def is_refused(answer):
    """Whether it was refused as the contract says."""
    return (answer.status_code, answer.json["code"], answer.json["success"]) == (403, "blocked", False)


def send(visitor, path):
    """One write of the table, or an upload."""
    return visitor.upload(picture()) if path == "chat/upload-image" else visitor.post(path, **POSTS[path])


@pytest.mark.parametrize("path", WRITES)
def test_a_blocked_visitor_is_refused_and_no_row_changes(cast, path):
    cast.block(cast.ann)
    before = cast.rows()
    asked = cast.client.application.upstream.count
    assert is_refused(send(cast.ann, path))
    assert cast.rows() == before
    assert cast.client.application.upstream.count == asked
    assert send(cast.ben, path).status_code == 200, "the guard: ben may"


def test_a_blocked_session_nobody_has_seen_is_refused_and_stays_unseen(cast):
    new = cast.visitor()
    cast.block(new)
    before = cast.rows()
    for path in WRITES:
        # Where there is nothing to change a 404 says no more than the visitor knows.
        assert send(new, path).status_code in (403, 404), path
    assert cast.rows() == before


@pytest.mark.parametrize(("kind", "value"), [("ip", "127.0.0.0/8"), ("ip", "127.0.0.1"), ("email", "ANN@shop.example")])
def test_a_block_by_address_or_email_refuses_as_one_by_session_does(cast, kind, value):
    cast.ann.post("chat/email", email="Ann@Shop.example")
    cast.verbs.block(cast.site.id, kind, value)
    before = cast.rows()
    for path in WRITES:
        assert is_refused(send(cast.ann, path)), path
    assert cast.rows() == before


def test_the_refusal_says_the_public_reason(cast):
    cast.block(cast.ann, reason="Please be kind.")
    assert cast.ann.post("chat/email", email="a@shop.example").json["error"] == "Please be kind."


@pytest.mark.parametrize("path", READS)
def test_a_blocked_visitor_may_still_read(cast, path):
    expected = cast.ann.get(path)
    cast.block(cast.ann)
    answer = cast.ann.get(path)
    assert answer.status_code == 200
    assert answer.json.get("messages") == expected.json.get("messages")


def test_a_blocked_visitor_may_follow_the_answer_it_has_already_got(cast):
    cast.block(cast.ann)
    assert "Answer to Hello" in cast.ann.get("chat/stream", message_id="m_1").text.replace('"}', "")


def test_reading_marks_of_a_blocked_visitor_still_move_and_a_late_stop_is_no_failure(cast):
    cast.block(cast.ann)
    assert cast.ann.post("chat/read", cursor=2).json == {"success": True}
    assert cast.row(cast.ann).read_seq == 2
    before = cast.rows()
    assert cast.ann.post("chat/stop", message_id="m_1").json == {"success": True, "stopped": False}
    assert cast.rows() == before


def test_block_status_tells_reason_and_end(cast):
    nothing = {"success": True, "blocked": False, "reason": None, "until": None}
    assert cast.ann.get("chat/block-status").json == nothing
    cast.block(cast.ann, reason="Please be kind.", until_ms=1_900_000_000_000)
    assert cast.ann.get("chat/block-status").json == {
        "success": True, "blocked": True, "reason": "Please be kind.", "until": "2030-03-17T17:46:40.000Z",
    }  # fmt: skip
    assert cast.ben.get("chat/block-status").json == nothing
    assert cast.stranger.get("chat/block-status").json == nothing


def test_a_block_that_ran_out_blocks_nobody(cast):
    cast.block(cast.ann, until_ms=int(time.time() * 1000) - 1)
    assert cast.ann.get("chat/block-status").json["blocked"] is False
    assert cast.ann.post("chat/email", email="a@shop.example").status_code == 200


def test_whoever_gives_a_blocked_address_is_blocked_from_then_on(cast):
    cast.verbs.block(cast.site.id, "email", "ann@shop.example")
    assert cast.ann.post("chat/email", email="Ann@shop.example").status_code == 200
    assert is_refused(cast.ann.post("chat/email", email="other@shop.example"))
    assert cast.ann.get("chat/block-status").json["blocked"] is True


def test_a_lifted_block_lets_write_again(cast):
    cast.block(cast.ann)
    cast.verbs.unblock(cast.site.id, cast.ann.session_id)
    assert cast.ann.post("chat/email", email="a@shop.example").status_code == 200


def test_a_site_without_operators_refuses_a_blocked_visitor_who_asks_for_one_too(app):
    cast = Cast(app, operator_enabled=False)
    cast.block(cast.ann)
    assert is_refused(cast.ann.post("chat/request-operator"))
