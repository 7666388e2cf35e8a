"""Sending a message: the bytes of its stream, what refuses it beforehand, attaching, replaying and resuming."""

from __future__ import annotations

import hashlib
import hmac
import io

import pytest
from PIL import Image

from tests.conftest import add_site
from tests.wire import STREAM, Spoken, ask, body, follow, follow_live, history, listen, post, rows, scope
from vexar.sse import Relay


@pytest.fixture
def app(make_app, upstream) -> object:
    """The app in front of the scripted upstream."""
    return make_app(ai_base_url=upstream.url)


@pytest.fixture
def database(app) -> str:
    """The url of its database."""
    return app.extensions["vexar"].config.database_url


# The bytes.


def test_the_bytes_of_a_stream_for_a_reader_of_events(client, upstream):
    spoken = Spoken(upstream)
    spoken.say("Yes, ")
    with listen(client, "Do you ship to Canada?", "m_abc") as live:
        live.until("Yes, ")
        spoken.end("we do.")
        assert live.finish().raw == (
            b":\n"
            b'data: {"type":"chunk","content":"Yes, "}\nid: r1-5\n\n'
            b'data: {"type":"chunk","content":"we do."}\nid: r1-11\n\n'
            b'data: {"type":"done","meta":{"conversation_id":1,"message_id":"m_abc","reply_id":2,"mode":"ai",'
            b'"finish_reason":"stop","sources":[]}}\nid: r1-end\n\n'
        )


def test_a_plain_client_gets_what_the_reference_shows_no_ids_and_no_comment(client, upstream):
    upstream.script(["Yes, we do."])
    told = ask(client, "Do you ship to Canada?", "m_abc", lang="en", accept=None)
    assert told.raw.startswith(b'data: {"type":"chunk","content":"Yes, we do."}\n\ndata: {"type":"done","meta":{')
    assert all(line.startswith(b"data: ") for line in told.raw.splitlines() if line)
    assert told.raw.endswith(b"}\n\n")


def test_ids_are_for_who_names_event_streams(client):
    for accept in ("text/event-stream", "application/json, text/event-stream;q=0.9"):
        assert b"\nid: " in ask(client, accept=accept).raw
    for accept in ("*/*", "application/json"):
        assert b"\nid: " not in ask(client, accept=accept).raw


def test_the_headers_of_a_stream(client):
    told = ask(client, message_id="m1")
    assert told.status == 200
    assert told.headers["Content-Type"].startswith("text/event-stream")
    assert told.headers["Cache-Control"] == "no-store"
    assert told.headers["X-Accel-Buffering"] == "no"
    assert "Vexar-Message-Id" not in told.headers


def test_ids_count_code_points_and_nothing_else_carries_one(client, upstream):
    tokens = ["e\u0301", "\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "שלום", "\U00020000"]
    upstream.script(tokens)
    told = ask(client, message_id="m1")
    length = 0
    for event in told.events[:-1]:
        length += len(event["content"])
        assert event["id"] == f"r1-{length}"
    assert length == len("".join(tokens))
    assert told.events[-1]["id"] == "r1-end"
    assert told.text == history(client)[-1]["content"] == "".join(tokens)


def test_a_comment_comes_after_fifteen_seconds_of_silence(monkeypatch, client, upstream):
    monkeypatch.setitem(Relay.__init__.__kwdefaults__, "heartbeat_s", 0.05)
    spoken = Spoken(upstream)
    with listen(client, message_id="m1", accept=None) as live:
        live.when(lambda: live.raw.startswith(b":\n\n"), "a comment")
        spoken.end("hi")
        assert live.finish().text == "hi"


def test_done_tells_everything_about_the_run(client):
    done = ask(client, message_id="m1").done
    mine, reply = history(client)
    assert done == {
        "conversation_id": 1, "message_id": "m1", "reply_id": reply["id"], "mode": "ai", "finish_reason": "stop",
        "sources": [],
    }
    assert (mine["id"], mine["message_id"], mine["status"]) == (1, "m1", "complete")
    assert (reply["reply_to"], reply["role"], reply["status"]) == (mine["id"], "assistant", "complete")


def test_the_message_is_stored_when_the_first_byte_leaves_and_the_answer_when_done_leaves(client, database, upstream):
    spoken = Spoken(upstream)
    with listen(client, "Hi there", "m1") as live:
        live.when(lambda: live.raw, "the first byte")
        assert rows(database, "SELECT role, content FROM message") == [("visitor", "Hi there")]
        spoken.end("Hello.")
        live.when(lambda: '"done"' in live.raw.decode(), "done")
        assert rows(database, "SELECT content FROM message WHERE seq = 2") == [("Hello.",)]


def test_an_id_made_by_the_server_is_told_in_a_header(client):
    told = ask(client, "Hi")
    message_id = told.headers["Vexar-Message-Id"]
    assert 1 <= len(message_id) <= 64
    assert told.done["message_id"] == message_id == history(client)[0]["message_id"]
    assert ask(client, "Hi", "").headers["Vexar-Message-Id"] != message_id


# What refuses a message before its stream opens.


WRONG = [
    {"message": ""}, {"message": "  \n"}, {"message": None}, {"message": 5}, {"message": "nul \0"},
    {"message": "half \ud83d"}, {"message_id": "x" * 65}, {"message_id": "\0"},
    {"message_id": "\udc00"}, {"lang": "not a tag"}, {"session_id": ""}, {"session_id": "a b"}, {"site_key": ""},
    {"message": "x" * 4001}, {"image_url": "https://elsewhere.example/x.png"}, {"user_id": "a\0", "user_hash": "x"},
    {"page_url": "x" * 2001},
]


def test_a_wrong_field_is_named_and_nothing_is_stored(client, database, upstream):
    for sent in WRONG:
        answer = client.post(STREAM, json={**body("Hello", "m1"), **sent})
        assert (answer.status_code, answer.json["code"]) == (422, "invalid"), sent
        assert set(answer.json["errors"]) <= set(sent)
    assert rows(database, "SELECT COUNT(*) FROM visitor") == [(0,)]
    assert upstream.count == 0


def test_a_missing_field_is_named(client):
    for name in ("site_key", "session_id", "message"):
        sent = body("Hello", "m1")
        del sent[name]
        answer = client.post(STREAM, json=sent)
        assert (answer.status_code, list(answer.json["errors"])) == (422, [name])


def test_a_message_of_exactly_the_limit_is_taken_in_characters_not_bytes(client):
    assert ask(client, "\U0001f600" * 4000).status == 200


def test_an_unknown_site_is_told_as_json(client):
    told = ask(client, site_key="sk_" + "x" * 24)
    assert (told.status, told.json["code"]) == (404, "site_not_found")


def test_a_wrong_origin_is_told_as_json_and_stores_nothing(client, app, database):
    add_site(app.extensions["vexar"].store, "sk_" + "s" * 24, allowed_origins=["https://shop.example"])
    sent = body("Hi", "m1", site_key="sk_" + "s" * 24)
    answer = client.post(STREAM, json=sent, headers={"Origin": "https://evil.example"})
    assert (answer.status_code, answer.json["code"]) == (403, "origin_not_allowed")
    assert rows(database, "SELECT COUNT(*) FROM visitor") == [(0,)]


def test_a_blocked_visitor_is_refused_before_anything_is_stored_or_asked(client, app, database, upstream):
    app.extensions["vexar"].conversations.block(1, "session", "ann", reason="Enough.")
    told = ask(client, message_id="m1")
    assert (told.status, told.json["code"], told.json["error"]) == (403, "blocked", "Enough.")
    assert rows(database, "SELECT COUNT(*) FROM message") == [(0,)]
    assert upstream.count == 0


def test_a_message_too_many_is_told_with_its_time(make_app, upstream):
    client = make_app(ai_base_url=upstream.url, limit_session_messages_per_minute=1).test_client()
    assert ask(client, message_id="m1").status == 200
    told = ask(client, message_id="m2")
    assert (told.status, told.json["code"]) == (429, "rate_limited")
    assert int(told.headers["Retry-After"]) == told.json["retry_after"] > 0


def test_attaching_and_replaying_count_as_polls_not_as_messages(make_app, upstream):
    client = make_app(
        ai_base_url=upstream.url, limit_session_messages_per_minute=1, limit_polls_per_minute=3
    ).test_client()
    answers = [ask(client, message_id="m1").status for _ in range(5)]
    assert answers == [200, 200, 200, 200, 429]


@pytest.mark.parametrize("budget", [{"messages_per_month": 1}, {"tokens_per_day": 1}])
def test_a_spent_budget_refuses_new_messages_only(make_app, upstream, budget):
    from vexar.models import Site
    from vexar.sites.settings import SiteSettings, write_settings

    app = make_app(ai_base_url=upstream.url)
    settings = write_settings(SiteSettings(allowed_origins=["*"], **budget))
    app.extensions["vexar"].store.write(lambda tx: tx.run(Site.update(settings=settings)))
    client = app.test_client()
    assert ask(client, message_id="m1").status == 200
    told = ask(client, message_id="m2")
    assert (told.status, told.json["code"]) == (429, "budget_exhausted")
    assert ask(client, message_id="m1").done["finish_reason"] == "stop"


def test_an_id_used_again_for_other_text_is_a_conflict(client, upstream):
    ask(client, "Hello", "m1")
    for other in ("Bye", "Hello ", "hello", "H\u00e9llo"):
        told = ask(client, other, "m1")
        assert (told.status, told.json["code"]) == (409, "message_id_conflict")
    assert upstream.count == 1
    assert len(history(client)) == 2


def test_a_verified_visitor_is_remembered_and_a_wrong_hash_refused(client, app, database):
    from vexar.models import Site

    app.extensions["vexar"].store.write(lambda tx: tx.run(Site.update(identity_secret="s3cret")))
    good = hmac.new(b"s3cret", "zoë".encode(), hashlib.sha256).hexdigest()
    for user in ({"user_id": "zoë", "user_hash": "0" * 64}, {"user_id": "zoë"}, {"user_id": "joe", "user_hash": good},
                 {"user_hash": good}):
        told = ask(client, message_id="m1", **user)
        assert (told.status, told.json["code"]) == (403, "bad_user_hash")
    assert rows(database, "SELECT COUNT(*) FROM visitor") == [(0,)]
    assert ask(client, message_id="m1", user_id="zoë", user_hash=good).status == 200
    assert rows(database, "SELECT user_id FROM visitor") == [("zoë",)]


# Images.


@pytest.fixture
def image_url(client) -> str:
    """An image ann uploaded."""
    data = io.BytesIO()
    Image.new("RGB", (4, 3), "red").save(data, "PNG")
    data.seek(0)
    answer = client.post("/api/v1/chat/upload-image", data={**scope(), "image": (data, "x.png")})
    return answer.json["url"]


def test_a_message_may_be_an_image_alone(client, image_url, upstream):
    assert ask(client, "", "m1", image_url=image_url).done["finish_reason"] == "stop"
    assert history(client)[0]["image_url"] == image_url
    (part,) = upstream.requests[0]["messages"][-1]["content"]
    assert part["image_url"]["url"].startswith("data:image/png;base64,")


def test_an_image_of_somebody_else_is_refused(client, image_url):
    told = ask(client, "Look", "m1", session="ben", image_url=image_url)
    assert (told.status, list(told.json["errors"])) == (422, ["image_url"])
    assert history(client, "ben") == []


def test_the_same_id_with_another_image_is_a_conflict(client, image_url):
    ask(client, "Look", "m1", image_url=image_url)
    assert ask(client, "Look", "m1", image_url=image_url).status == 200
    assert ask(client, "Look", "m1").status == 409


# The same message again: attach, replay, resume.


def test_the_same_message_again_is_attached_to_its_running_answer(client, upstream):
    spoken = Spoken(upstream)
    with listen(client, message_id="m1") as first, listen(client, message_id="m1") as second:
        spoken.say("one ")
        first.until("one ")
        second.until("one ")
        with listen(client, message_id="m1") as late:
            late.until("one ")
            spoken.end("two")
            assert {first.finish().text, second.finish().text, late.finish().text} == {"one two"}
        assert first.done == second.done == late.done
    assert upstream.count == 1
    assert len(history(client)) == 2


def test_a_finished_answer_is_replayed_as_chunks_and_done(client, upstream):
    first = ask(client, message_id="m1")
    again = ask(client, message_id="m1")
    assert (again.text, again.done, again.events[-1]) == (first.text, first.done, first.events[-1])
    assert follow(client, "m1").text == first.text
    assert upstream.count == 1


def test_a_long_answer_is_replayed_in_many_chunks(client, upstream):
    upstream.script(["word " * 1000])
    ask(client, message_id="m1")
    told = ask(client, message_id="m1")
    assert told.text == "word " * 1000
    assert len(told.events) > 3


def test_what_lies_before_the_last_event_id_is_left_out(client, upstream):
    text = "ab\U0001f600 e\u0301 \U0001f600xyz"
    upstream.script([text])
    ask(client, message_id="m1")
    for n in range(len(text) + 1):
        for again in (ask(client, message_id="m1", last=f"r1-{n}"), follow(client, "m1", last=f"r1-{n}")):
            assert again.text == text[n:]
            assert again.done["finish_reason"] == "stop"
            assert "reset" not in again.types


def test_a_running_answer_is_resumed_in_the_middle_of_a_chunk(client, upstream):
    spoken = Spoken(upstream)
    spoken.say("one two ")
    with listen(client, message_id="m1") as first:
        first.until("two ")
        with listen(client, message_id="m1", last="r1-3") as again, follow_live(client, "m1", last="r1-8") as at_end:
            again.until(" two ")
            spoken.end("three")
            assert again.finish().text == " two three"
            assert at_end.finish().text == "three"
            assert again.events[-2]["id"] == at_end.events[-2]["id"] == "r1-13"


def test_the_header_wins_over_the_query_parameter(client, upstream):
    upstream.script(["0123456789"])
    ask(client, message_id="m1")
    assert follow(client, "m1", last_event_id="r1-4").text == "456789"
    assert follow(client, "m1", last="r1-7", last_event_id="r1-4").text == "789"
    answer = client.post(f"{STREAM}?last_event_id=r1-end", json=body("Hello", "m1"))
    assert (answer.status_code, answer.data) == (204, b"")


def test_the_terminal_id_is_answered_with_204_on_post_and_get(client, upstream):
    last = ask(client, message_id="m1").events[-1]["id"]
    for told in (ask(client, message_id="m1", last=last), follow(client, "m1", last=last)):
        assert (told.status, told.raw) == (204, b"")
    assert upstream.count == 1


def test_an_id_beyond_what_is_stored_begins_with_reset(client, upstream):
    upstream.script(["short"])
    ask(client, message_id="m1")
    for last in ("r1-99", "r1.2-3", "r1.2-end"):
        for told in (ask(client, message_id="m1", last=last), follow(client, "m1", last=last)):
            assert told.types == ["reset", "chunk", "done"]
            assert told.text == "short"


def test_an_id_beyond_a_running_answer_begins_with_reset(client, upstream):
    spoken = Spoken(upstream)
    spoken.say("one ")
    with listen(client, message_id="m1") as first, first.until("one "), \
            listen(client, message_id="m1", last="r1-99") as lost:
        lost.until("one ")
        assert lost.types == ["reset", "chunk"]
        spoken.end("two")
        assert lost.finish().text == "one two"


def test_an_id_that_is_not_of_this_message_is_ignored(client, upstream):
    upstream.script(["whole"])
    ask(client, message_id="m1")
    for last in ("7", "nonsense", "r2-3", "r-1", "r1", "r1-x", "r\u0661-\u0662", "r" + "1" * 60 + "-1"):
        told = follow(client, "m1", last_event_id=last)
        assert told.types == ["chunk", "done"]
        assert told.text == "whole"


def test_an_unknown_message_cannot_be_followed(client):
    ask(client, message_id="m1")
    for session, message_id in (("ann", "m2"), ("ben", "m1"), ("nobody", "m1")):
        told = follow(client, message_id, session=session)
        assert (told.status, told.json["code"]) == (404, "message_not_found")
        told = post(client, "chat/stop", session, message_id=message_id)
        assert (told.status, told.json["code"]) == (404, "message_not_found")


def test_the_same_ids_on_another_site_are_another_message(client, app, upstream):
    add_site(app.extensions["vexar"].store, "sk_" + "s" * 24)
    ask(client, "Hello", "m1")
    other = ask(client, "Hello", "m1", site_key="sk_" + "s" * 24)
    assert other.done["conversation_id"] == 2
    assert upstream.count == 2
    assert len(history(client)) == 2


def test_ben_s_message_with_ann_s_id_is_his_own(client, upstream):
    ask(client, "from ann", "m1")
    assert ask(client, "from ben", "m1", session="ben").text.startswith("Answer to from ben")
    assert [message["content"] for message in history(client, "ben")][0] == "from ben"
    assert upstream.count == 2


ODD_IDS = [
    "m", "M", "m ", " m", "\U0001f600", "e\u0301", "\xe9", "\u00df", "ss", "\U0001f600" * 64, "'; --", "%00", "a\nb",
]


def test_ids_that_differ_in_anything_are_different_messages(make_app, upstream, database_url):
    client = make_app(ai_base_url=upstream.url, database_url=database_url).test_client()
    first = [ask(client, f"number {n}", message_id) for n, message_id in enumerate(ODD_IDS)]
    again = [follow(client, message_id) for message_id in ODD_IDS]
    assert [told.text for told in again] == [told.text for told in first]
    assert upstream.count == len(ODD_IDS) == len({told.text for told in first})
    assert [message["message_id"] for message in history(client)[::2]] == ODD_IDS


ANY_TEXT = [
    " x ", "\u202eשלום\u202c", "e\u0301\u0308", "\U0001f468\u200d\U0001f469", "\u2028\u2029\x85\x7f\ufeff\uffff",
    "\r\n\tdata: {}\n\n: comment\nid: 7", "\\u0000 \\ \"",
]


def test_any_text_comes_back_as_it_was_sent(make_app, upstream, database_url):
    client = make_app(ai_base_url=upstream.url, database_url=database_url).test_client()
    for n, text in enumerate(ANY_TEXT):
        upstream.script([text])
        assert ask(client, text, f"m{n}").text == text
        assert [message["content"] for message in history(client)[-2:]] == [text, text]


def test_no_text_ends_a_line_for_readers_with_line_ends_of_their_own(client, upstream):
    upstream.script(["a\u2028b\u2029c\x85d\x0be\x0cf\x1cg"])
    lines = ask(client, message_id="m1", accept=None).raw.decode().splitlines()
    assert len([line for line in lines if line]) == 2


def test_nul_and_half_characters_of_the_upstream_break_neither_stream_nor_store(client, upstream):
    upstream.script(["a\0b", "\ud83d", "\ude00", "c\ud83d", "d"])
    told = ask(client, message_id="m1")
    assert told.text == "a\ufffdb\U0001f600c\ufffdd" == history(client)[-1]["content"]
    assert ask(client, message_id="m1").text == told.text
