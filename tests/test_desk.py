"""What operators do over HTTP: take, write, pass on, note, show images, block; who is there and who is online."""

from __future__ import annotations

import pytest

from tests.cast import Cast, open_app, picture, wait_until
from tests.desk import Desk
from vexar.errors import ApiError
from vexar.models import Note
from vexar.models import Visitor as VisitorRow

OPERATOR = "operator"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with open_app(tmp_path_factory.mktemp("desk")) as app:
        yield app


@pytest.fixture
def cast(app):
    """ann has written; olga and otto may chat on her site, oscar works elsewhere."""
    cast = Cast(app)
    cast.ann.ask("Hello")
    store = cast.store
    cast.conversation_id = cast.row(cast.ann).conversation_id
    cast.olga = Desk(cast.client, store, cast.site.id)
    cast.otto = Desk(cast.client, store, cast.site.id, name="Otto")
    cast.oscar = Desk(cast.client, store, cast.elsewhere.id, name="Oscar")
    cast.viewer = Desk(cast.client, store, cast.site.id, name="Vera", can_chat=0)
    return cast


def say(desk, cast, content="Good morning", **fields):
    return desk.post("operator/message", conversation_id=cast.conversation_id, content=content, **fields)


def row(cast):
    (found,) = cast.olga.get("operator/active-chats", site_id=cast.site.id).json["data"]
    return found


# The verbs.


def test_accept_write_return_and_close(cast):
    number = cast.conversation_id
    assert cast.olga.post(f"operator/accept/{number}").json == {"success": True, "conversation_id": number}
    assert (row(cast)["status"], row(cast)["operator"]["name"]) == ("operator", "Olga")
    said = say(cast.olga, cast).json["message"]
    assert said.pop("operator") == {"id": cast.olga.id, "name": "Olga", "avatar_url": None}
    told = cast.ann.history()[-1]
    assert told.pop("operator") == {"name": "Olga", "avatar_url": None}
    assert said == told
    assert (said["role"], said["content"]) == ("operator", "Good morning")
    assert cast.olga.post(f"operator/return-to-ai/{number}").status_code == 200
    assert row(cast)["status"] == "ai"
    assert cast.olga.post(f"operator/close/{number}").status_code == 200
    assert cast.olga.get("operator/active-chats").json["data"] == []
    roles = [message["role"] for message in cast.ann.history()]
    assert roles == ["visitor", "assistant", "system", "operator", "system", "system"]


def test_what_a_colleague_has_is_refused_until_it_is_passed_on(cast):
    cast.olga.post(f"operator/accept/{cast.conversation_id}")
    first = cast.otto.post(
        "operator/proactive-message", site_id=cast.site.id, session_id=cast.ann.session_id, content="Me, too"
    )
    for refused in (cast.otto.post(f"operator/accept/{cast.conversation_id}"), say(cast.otto, cast), first):
        assert (refused.status_code, refused.json["code"]) == (409, "conflict")
    passed = cast.olga.post(f"operator/transfer/{cast.conversation_id}", operator_id=cast.otto.id)
    assert passed.status_code == 200
    assert row(cast)["operator"]["name"] == "Otto"
    assert say(cast.otto, cast).status_code == 200
    assert say(cast.olga, cast).json["code"] == "conflict"


def test_a_conversation_is_passed_only_to_who_may_chat_on_its_site(cast):
    refused = cast.olga.post(f"operator/transfer/{cast.conversation_id}", operator_id=cast.viewer.id)
    assert (refused.status_code, refused.json["code"]) == (409, "conflict")
    # Somebody of another site looks like nobody.
    answers = [
        cast.olga.post(f"operator/transfer/{cast.conversation_id}", operator_id=number)
        for number in (cast.oscar.id, 10**9)
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].data == answers[1].data
    assert row(cast)["status"] == "ai"


def test_a_message_sent_again_is_one_message_also_after_the_end(cast):
    first = say(cast.olga, cast, message_id="o1").json["message"]
    assert say(cast.olga, cast, message_id="o1").json["message"] == first
    assert say(cast.olga, cast, "Other", message_id="o1").json["code"] == "message_id_conflict"
    cast.olga.post(f"operator/close/{cast.conversation_id}")
    assert say(cast.olga, cast, message_id="o1").json["message"] == first
    assert [message["content"] for message in cast.ann.history() if message["role"] == "operator"] == ["Good morning"]


def test_a_closed_conversation_is_not_reopened_by_mistake(cast):
    cast.ann.post("chat/close")
    cast.ann.ask("Something else")
    for path in ("accept", "close", "return-to-ai"):
        refused = cast.olga.post(f"operator/{path}/{cast.conversation_id}")
        assert (refused.status_code, refused.json["code"]) == (404, "conversation_not_found"), path
    refused = say(cast.olga, cast)
    assert refused.json["code"] == "conversation_not_found"
    assert row(cast)["status"] == "ai"


def test_what_does_not_fit_is_named(cast):
    number = cast.conversation_id
    for path, fields, wrong in [
        ("operator/message", {"conversation_id": number, "content": "  "}, "content"),
        ("operator/message", {"conversation_id": number, "content": "x" * 4001}, "content"),
        ("operator/message", {"conversation_id": number, "content": "x", "shout": True}, "shout"),
        ("operator/message", {"conversation_id": number, "image_url": "https://evil.example/x.png"}, "image_url"),
        ("operator/note", {"conversation_id": number, "content": ""}, "content"),
        ("operator/block", {"conversation_id": number, "by": "name"}, "by"),
        ("operator/block", {"conversation_id": number, "by": "email"}, "by"),
        ("operator/block", {"conversation_id": number, "by": "session", "until": "2020-01-01T00:00:00Z"}, "until"),
        ("operator/block", {"conversation_id": number, "by": "ip", "network": "192.0.2.0/24"}, "network"),
        ("operator/block", {"conversation_id": number, "by": "session", "network": "127.0.0.0/8"}, "network"),
        ("operator/proactive-message", {"site_id": cast.site.id, "session_id": "a b", "content": "x"}, "session_id"),
    ]:
        refused = cast.olga.post(path, **fields)
        assert (refused.status_code, list(refused.json["errors"])) == (422, [wrong]), (path, fields)
    assert len(cast.ann.history()) == 2


# Beside the conversation.


def test_notes_are_for_colleagues_only(cast):
    note = cast.olga.post("operator/note", conversation_id=cast.conversation_id, content="Be kind").json["note"]
    assert (note["content"], note["operator"]["name"]) == ("Be kind", "Olga")
    assert cast.otto.get(f"conversations/{cast.conversation_id}/messages").json["notes"] == [note]
    assert "Be kind" not in cast.ann.get("chat/history").text


def test_a_note_that_comes_behind_an_eraser_is_not_kept(cast):
    visitor, number = cast.row(cast.ann), cast.conversation_id
    cast.parts.eraser.conversation(number)
    with pytest.raises(ApiError, match="not"):
        cast.verbs.add_note(cast.site.id, visitor_id=visitor.id, conversation_id=number, operator_id=cast.olga.id,
                            content="late")
    assert cast.store.read(lambda tx: tx.all(Note.select(Note).where(Note.conversation_id == number))) == []


@pytest.mark.parametrize("call", [
    ("GET", "conversations/{}/messages"), ("GET", "conversations/{}/export"), ("POST", "operator/accept/{}"),
    ("POST", "operator/close/{}"), ("POST", "operator/read/{}"), ("POST", "operator/unblock/{}"),
    ("POST", "operator/note", {"content": "x"}), ("POST", "operator/typing", {}),
    ("POST", "operator/message", {"content": "x"}), ("POST", "operator/block", {"by": "session"}),
])  # fmt: skip
def test_a_conversation_whose_visitor_is_just_being_erased_is_not_found(cast, call):
    method, path, *fields = call
    cast.store.write(lambda tx: tx.run(VisitorRow.delete().where(VisitorRow.id == cast.row(cast.ann).id)))
    body = {"conversation_id": cast.conversation_id, **fields[0]} if fields else {}
    path = path.format(cast.conversation_id)
    answer = cast.olga.get(path) if method == "GET" else cast.olga.post(path, **body)
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_an_image_of_the_site_may_be_sent_and_no_other(cast):
    url = cast.olga.upload(picture(), conversation_id=cast.conversation_id).json["url"]
    sent = say(cast.olga, cast, "", image_url=url)
    assert sent.json["message"]["image_url"] == url == cast.ann.history()[-1]["image_url"]
    anns, bens = (visitor.upload(picture()).json["url"] for visitor in (cast.ann, cast.ben))
    elsewhere = cast.oscar.upload(picture(), site_id=cast.elsewhere.id).json["url"]
    assert say(cast.olga, cast, "", image_url=anns).status_code == 200
    before = cast.ann.history()
    for other in (bens, elsewhere, url.replace(url[-12:-8], "0000")):
        assert list(say(cast.olga, cast, "", image_url=other).json["errors"]) == ["image_url"]
    assert cast.ann.history() == before


def test_an_image_sent_to_one_visitor_is_not_sent_to_another_and_outlives_the_erasing_of_others(cast):
    url = cast.olga.upload(picture(), site_id=cast.site.id).json["url"]
    assert say(cast.olga, cast, "", image_url=url).status_code == 200
    cast.ben.ask("Hello")
    bens = cast.row(cast.ben)
    again = cast.olga.post("operator/message", conversation_id=bens.conversation_id, image_url=url)
    assert list(again.json["errors"]) == ["image_url"]
    cast.parts.eraser.visitor(bens.id)
    assert cast.client.get(url).status_code == 200
    cast.parts.eraser.visitor(cast.row(cast.ann).id)
    assert cast.client.get(url).status_code == 404


def test_an_upload_needs_one_place_to_go_to(cast):
    for fields in ({}, {"site_id": cast.site.id, "conversation_id": cast.conversation_id}):
        assert cast.olga.upload(picture(), **fields).status_code == 422
    assert cast.olga.upload(b"no image", site_id=cast.site.id).json["code"] == "unsupported_image"


def test_opening_a_conversation_clears_what_is_unread(cast):
    assert row(cast)["unread_count"] == 1
    changed_at = row(cast)["changed_at"]
    assert cast.olga.post(f"operator/read/{cast.conversation_id}").json["was_unread"] is True
    assert cast.olga.post(f"operator/read/{cast.conversation_id}").json["was_unread"] is False
    assert (row(cast)["unread_count"], row(cast)["changed_at"]) == (0, changed_at)


def test_a_person_writes_first_once(cast):
    new = cast.visitor()
    fields = {"site_id": cast.site.id, "session_id": new.session_id, "content": "May I help?", "message_id": "p1"}
    first = cast.olga.post("operator/proactive-message", **fields).json
    assert cast.olga.post("operator/proactive-message", **fields).json == first
    assert [(message["role"], message["content"]) for message in new.history()] == [("proactive", "May I help?")]


# Who is there.


def online(desk, cast):
    (site,) = [site for site in desk.get("operator/status").json["sites"] if site["site_id"] == cast.site.id]
    return site["online"], [operator["name"] for operator in site["operators"] if operator["online"]]


def test_who_beats_is_there_until_it_says_otherwise(cast):
    assert online(cast.olga, cast) == (False, [])
    cast.olga.post("operator/heartbeat", site_ids=[cast.site.id])
    assert online(cast.olga, cast) == (True, ["Olga"])
    assert online(cast.otto, cast) == (False, ["Olga"])
    cast.olga.post("operator/set-status", site_id=cast.site.id, online=False)
    cast.olga.post("operator/heartbeat", site_ids=[cast.site.id])
    assert online(cast.olga, cast) == (False, [])
    cast.otto.post("operator/set-status", site_id=cast.site.id, online=True)
    assert online(cast.olga, cast) == (False, ["Otto"])


def test_who_is_silent_is_not_there(cast, monkeypatch):
    cast.olga.post("operator/heartbeat", site_ids=[cast.site.id])
    monkeypatch.setattr("vexar.people.presence.ONLINE_MS", 1)
    wait_until(lambda: online(cast.otto, cast) == (False, []), "the end of olga's presence")


def test_nobody_is_there_for_a_site_that_is_not_its_own(cast):
    assert cast.oscar.post("operator/heartbeat", site_ids=[cast.site.id]).status_code == 404
    assert cast.viewer.post("operator/heartbeat", site_ids=[cast.site.id]).status_code == 403
    assert online(cast.olga, cast) == (False, [])


def watched(cast):
    found = cast.olga.get("operator/visitors", site_id=cast.site.id).json["data"]
    return {row["session_id"]: row for row in found}


def test_sessions_with_an_open_page_are_seen_known_or_not(cast, monkeypatch):
    monkeypatch.setattr("vexar.live.push.FLUSH_S", 0.02)
    new = cast.visitor()
    before = cast.rows()
    page = {"page_url": "https://shop.example/cart", "lang": "de"}
    streams = [
        visitor.client.get("/api/v1/chat/events", query_string={**visitor.scope, **page}, buffered=False)
        for visitor in (cast.ann, new)
    ]
    found = wait_until(lambda: len(both := watched(cast)) == 2 and both, "both")
    assert found[cast.ann.session_id]["conversation_id"] == cast.conversation_id
    assert found[cast.ann.session_id]["status"] == "ai"
    assert {found[new.session_id][name] for name in ("visitor_id", "visitor_name", "conversation_id")} == {None}
    assert {name: found[new.session_id][name] for name in page} == page
    assert cast.rows() == before
    assert cast.oscar.get("operator/visitors").json["data"] == []
    for stream in streams:
        stream.close()
    wait_until(lambda: not watched(cast), "the end of both")


# Lists.


@pytest.mark.parametrize("path", ["active-chats", "visitors", "blocked"])
def test_lists_are_paged_and_come_as_csv(cast, path):
    cast.olga.post("operator/block", conversation_id=cast.conversation_id, by="session", reason="=1+1")
    answer = cast.olga.get(f"operator/{path}", per_page=1).json
    assert answer["pagination"]["per_page"] == 1
    assert len(answer["data"]) == min(1, answer["pagination"]["total"])
    text = cast.olga.get(f"operator/{path}", format="csv").get_data()
    assert text.startswith(b"\xef\xbb\xbf")
    assert b",=1+1" not in text


def test_waiting_conversations_come_first(cast):
    cast.ben.ask("Me first?")
    cast.ann.post("chat/request-operator")
    cast.ben.ask("Now?")
    statuses = [row["status"] for row in cast.olga.get("operator/active-chats").json["data"]]
    assert statuses == ["waiting", "ai"]


@pytest.mark.parametrize("until", ["9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"])
def test_a_block_ends_at_a_time_that_can_be_told(cast, until):
    refused = cast.olga.post("operator/block", conversation_id=cast.conversation_id, by="session", until=until)
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["until"])
    assert cast.ann.get("chat/block-status").json["blocked"] is False


@pytest.mark.parametrize("path", ["active-chats", "blocked"])
def test_a_long_list_is_fetched_by_slices_for_csv(cast, monkeypatch, path):
    for _ in range(5):
        visitor = cast.visitor()
        visitor.ask("Hello")
        cast.olga.post("operator/block", conversation_id=cast.row(visitor).conversation_id, by="session")
    monkeypatch.setattr("vexar.routes.lists.SLICE_ROWS", 2)
    lines = cast.olga.get(f"operator/{path}", format="csv").get_data(as_text=True).splitlines()
    ids = [line.partition(",")[0] for line in lines[1:]]
    assert len(ids) == len(set(ids)) == cast.olga.get(f"operator/{path}").json["pagination"]["total"] >= 5


# Whose things are whose.


ACTS = {
    "accept": lambda desk, cast: desk.post(f"operator/accept/{cast.conversation_id}"),
    "message": say,
    "close": lambda desk, cast: desk.post(f"operator/close/{cast.conversation_id}"),
    "transfer": lambda desk, cast: desk.post(
        f"operator/transfer/{cast.conversation_id}", operator_id=cast.otto.id
    ),
    "return": lambda desk, cast: desk.post(f"operator/return-to-ai/{cast.conversation_id}"),
    "typing": lambda desk, cast: desk.post("operator/typing", conversation_id=cast.conversation_id),
    "note": lambda desk, cast: desk.post("operator/note", conversation_id=cast.conversation_id, content="x"),
    "upload": lambda desk, cast: desk.upload(picture(), conversation_id=cast.conversation_id),
    "upload to a site": lambda desk, cast: desk.upload(picture(), site_id=cast.site.id),
    "read": lambda desk, cast: desk.post(f"operator/read/{cast.conversation_id}"),
    "proactive": lambda desk, cast: desk.post(
        "operator/proactive-message", site_id=cast.site.id, session_id="new", content="x"
    ),
    "block": lambda desk, cast: desk.post("operator/block", conversation_id=cast.conversation_id, by="session"),
    "unblock": lambda desk, cast: desk.post(f"operator/unblock/{cast.conversation_id}"),
    "lift": lambda desk, cast: desk.delete(f"operator/blocked/{cast.block_id}"),
    "set-status": lambda desk, cast: desk.post("operator/set-status", site_id=cast.site.id, online=True),
    "active-chats": lambda desk, cast: desk.get("operator/active-chats", site_id=cast.site.id),
    "visitors": lambda desk, cast: desk.get("operator/visitors", site_id=cast.site.id),
    "blocked": lambda desk, cast: desk.get("operator/blocked", site_id=cast.site.id),
}


@pytest.mark.parametrize("act", ACTS)
def test_an_operator_of_another_site_gets_404_and_one_who_may_not_chat_403(cast, act):
    cast.olga.post("operator/note", conversation_id=cast.conversation_id, content="A guard")
    cast.block_id = cast.olga.post(
        "operator/block", conversation_id=cast.conversation_id, by="session"
    ).json["block"]["id"]
    before = cast.rows()
    assert [ACTS[act](desk, cast).status_code for desk in (cast.oscar, cast.viewer)] == [404, 403]
    assert cast.rows() == before
