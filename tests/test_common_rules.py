"""What holds for every public endpoint: envelope, status codes, fields, sites, sessions, texts and times."""

from __future__ import annotations

import logging
import re

import pytest

from tests.cast import API, GETS, POSTS, READS, Cast, Visitor, add_site, open_app, picture
from vexar.errors import CODES

CREATING = ["chat/stream", "chat/email", "chat/contact", "proactive/event"]
NOT_THERE = {
    "chat/stop": "message_not_found",
    **dict.fromkeys(
        ["chat/rate", "chat/rate/comment", "chat/close", "chat/request-operator", "chat/read"], "conversation_not_found"
    ),
}
TEXTS = [
    "emoji \U0001f600\U0001f469\u200d\U0001f467", "שלום עולם", "مرحبا", "e\u0301 is not \u00e9", "  spaces \t kept\r\n",
    "\u2028line\u2029", "a\u202eb", "zero\u200bwidth", "日本語 𠮷", "\x01\x7f", "\ufffe\uffff\U0010ffff",
]  # fmt: skip


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with open_app(tmp_path_factory.mktemp("rules")) as app:
        yield app


@pytest.fixture
def cast(app):
    return Cast(app)


def every_call(visitor):
    """Each endpoint once, as (its name, what asks it)."""
    for path, query in GETS.items():
        yield f"GET {path}", lambda path=path, query=query: visitor.get(path, **query)
    for path, fields in POSTS.items():
        yield f"POST {path}", lambda path=path, fields=fields: visitor.post(path, **fields)
    yield "POST chat/upload-image", lambda: visitor.upload(picture())


def refusal(answer, status, code):
    """The envelope of a failure, looked through."""
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.text
    assert answer.mimetype == "application/json"
    assert answer.json["success"] is False
    assert answer.json["error"]
    assert answer.headers["Cache-Control"] == "no-store"
    known = {"success", "error", "code"} | ({"errors"} if status == 422 else set())
    known |= {"retry_after"} if status in (429, 503) else set()
    assert set(answer.json) == known
    return answer.json


# The envelope and the status codes.


def test_every_endpoint_answers_an_unknown_site_with_404_in_the_one_envelope(cast):
    nobody = Visitor(cast.client, "sk_nobody_has_this_key_at_all")
    for name, call in every_call(nobody):
        assert refusal(call(), 404, "site_not_found"), name


def test_every_endpoint_answers_an_inactive_site_like_an_unknown_one(cast):
    closed = Visitor(cast.client, add_site(cast.store, is_active=0).site_key)
    for name, call in every_call(closed):
        assert refusal(call(), 404, "site_not_found"), name


@pytest.mark.parametrize("path", [*READS[:-1], "chat/config"])
def test_every_read_has_success_and_json(cast, path):
    answer = cast.ann.get(path)
    assert answer.content_type == "application/json"
    assert answer.json["success"] is True


@pytest.mark.parametrize("path", POSTS)
def test_a_body_that_is_not_json_is_400(cast, path):
    for raw in (b"{", b"\xff\xfe", b"[1]", b'"text"', b"nonsense"):
        answer = cast.client.post(f"{API}/{path}", data=raw, content_type="application/json")
        refusal(answer, 400, "bad_json")


@pytest.mark.parametrize("path", POSTS)
def test_an_empty_body_names_the_missing_fields(cast, path):
    answer = cast.client.post(f"{API}/{path}", data=b"{}", content_type="application/json")
    errors = refusal(answer, 422, "invalid")["errors"]
    assert {"site_key", "session_id"} <= set(errors)
    assert all(isinstance(sentence, str) and sentence for sentence in errors.values())


@pytest.mark.parametrize("path", GETS)
def test_a_query_without_site_and_session_names_them(cast, path):
    errors = refusal(cast.client.get(f"{API}/{path}"), 422, "invalid")["errors"]
    assert {"site_key"} | ({"session_id"} if path != "chat/config" else set()) <= set(errors)


@pytest.mark.parametrize("path", POSTS)
def test_a_body_of_another_type_is_415(cast, path):
    answer = cast.client.post(f"{API}/{path}", data="a=1", content_type="application/x-www-form-urlencoded")
    refusal(answer, 415, "unsupported_media_type")


def test_an_upload_takes_multipart_only(cast):
    refusal(cast.ann.post("chat/upload-image"), 415, "unsupported_media_type")


@pytest.mark.parametrize("path", ["chat/email", "chat/history", "chat/stream", "chat/upload-image"])
def test_405_says_what_is_allowed(cast, path):
    answer = cast.client.delete(f"{API}/{path}")
    refusal(answer, 405, "method_not_allowed")
    allowed = {method.strip() for method in answer.headers["Allow"].split(",")}
    assert ("POST" in allowed) == (path in POSTS or path == "chat/upload-image")
    assert ("GET" in allowed) == (path in GETS)


@pytest.mark.parametrize("path", ["/api/v1/chat/x", "/api/v2/chat/history", "/api/v1/", "/x", "/api/v1/chat//x"])
def test_an_unknown_path_is_404_in_json(cast, path):
    refusal(cast.client.get(path), 404, "not_found")


def test_429_says_in_header_and_body_when_to_come_again(tmp_path):
    with open_app(tmp_path, limit_polls_per_minute=2) as app:
        ann = Cast(app).ann
        answers = [ann.get("chat/history") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    said = refusal(answers[-1], 429, "rate_limited")
    assert answers[-1].headers["Retry-After"] == str(said["retry_after"])
    assert 0 < said["retry_after"] <= 60


def test_while_the_server_leaves_new_work_is_503_restarting_and_preflights_are_answered(tmp_path):
    with open_app(tmp_path) as app:
        ann = Cast(app).ann
        app.extensions["vexar"].drain(0)
        answer = ann.post("chat/email", email="ann@shop.example")
        preflight = ann.client.options(f"{API}/chat/email", headers={"Origin": "https://a.example",
                                                                     "Access-Control-Request-Method": "POST"})
    said = refusal(answer, 503, "restarting")
    assert answer.headers["Retry-After"] == str(said["retry_after"])
    assert answer.headers["Connection"] == "close"
    assert preflight.status_code == 204


def test_a_code_never_comes_with_another_status_than_the_list_says(cast):
    for name, call in every_call(Visitor(cast.client, cast.site.site_key, "bad id")):
        answer = call()
        if answer.is_json and not answer.json["success"]:
            assert CODES[answer.json["code"]][0] == answer.status_code, name


def test_every_status_is_one_of_the_promised():
    promised = {400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503}
    assert {status for status, _ in CODES.values()} - {0} <= promised


# Fields.


@pytest.mark.parametrize("path", POSTS)
def test_public_endpoints_ignore_unknown_fields_of_a_body(cast, path):
    """Also those with values no field could hold, or the names of things inside."""
    noise = {"role": "operator", "mode": "operator", "visitor_id": 1, "unknown": {"a": [None]}, "id ": ""}
    plain, noisy = cast.visitor(), cast.visitor()
    expected = plain.post(path, **POSTS[path])
    answer = noisy.post(path, **{**noise, **POSTS[path]})
    assert answer.status_code == expected.status_code


@pytest.mark.parametrize("path", READS)
def test_public_endpoints_ignore_unknown_parameters_of_a_query(cast, path):
    answer = cast.ann.get(path, _="17", utm_source="x", visitor_id="1")
    assert answer.json == cast.ann.get(path).json | {"success": True}


@pytest.mark.parametrize(("path", "field", "values"), [
    ("chat/email", "email", ["", "  ", "ann", "ann@", "@shop.example", "a b@shop.example", "a@b", 5, None, [],
                             "a@shop.example\n", "x" * 250 + "@shop.example"]),
    ("chat/rate", "score", [0, 6, -1, 2.5, "5", None, True, [], {}]),
    ("chat/rate/comment", "comment", ["", "x" * 2001, None, 7]),
    ("chat/read", "cursor", [-1, "x", None, 1.5, 2**60]),
    ("chat/typing", "on", ["yes", 1, []]),
    ("chat/contact", "email", ["ann@"]),
    ("chat/contact", "phone", ["none", "1" * 41]),
    ("proactive/event", "event", ["", "seen", None, 5]),
    ("chat/stream", "message", ["", " \n", 5, None, ["a"]]),
    ("chat/stream", "lang", ["not a language", "x" * 40]),
    ("chat/stream", "message_id", ["m" * 65, 5]),
    ("chat/stop", "message_id", ["", "m" * 65, None]),
    ("chat/stream", "page_url", ["x" * 2001]),
])  # fmt: skip
def test_a_missing_empty_or_wrong_field_is_422_and_named_and_changes_nothing(cast, path, field, values):
    before = cast.rows()
    for value in values:
        said = refusal(cast.ann.post(path, **{**POSTS[path], field: value}), 422, "invalid")
        assert field in said["errors"], value
    assert cast.rows() == before


@pytest.mark.parametrize(("path", "field", "values"), [
    ("chat/history", "limit", ["0", "201", "x", "-1", "1.5"]),
    ("chat/history", "before", ["-1", "x"]),
    ("chat/operator-messages", "since", ["-1", "x"]),
    ("chat/operator-messages", "wait", ["26", "-1", "x"]),
    ("chat/pending-proactive", "since", ["-1", "x"]),
    ("chat/config", "lang", ["not a language"]),
])  # fmt: skip
def test_a_wrong_parameter_is_422_and_named(cast, path, field, values):
    for value in values:
        assert field in refusal(cast.ann.get(path, **{field: value}), 422, "invalid")["errors"], value


@pytest.mark.parametrize("session_id", ["a", "A" * 128, "sess_1-2.3:4", "0"])
def test_a_session_id_is_1_to_128_of_its_characters(cast, session_id):
    assert Visitor(cast.client, cast.site.site_key, session_id).get("chat/history").status_code == 200


@pytest.mark.parametrize("session_id", ["", " ", "a b", "a/b", "a\n", "ä", "A" * 129, "a%00", "a'b"])
def test_other_session_ids_are_422(cast, session_id):
    visitor = Visitor(cast.client, cast.site.site_key)
    visitor.scope["session_id"] = session_id
    assert "session_id" in refusal(visitor.get("chat/history"), 422, "invalid")["errors"]
    assert "session_id" in refusal(visitor.post("chat/typing"), 422, "invalid")["errors"]


@pytest.mark.parametrize("site_key", ["", "demo", "sk_", "SK_demo", "sk_a b", "sk_ä", "sk_" + "a" * 200, "sk_demo\n"])
def test_what_is_no_site_key_is_422(cast, site_key):
    visitor = Visitor(cast.client, site_key)
    assert "site_key" in refusal(visitor.get("chat/history"), 422, "invalid")["errors"]


# Sessions nobody has seen.


@pytest.mark.parametrize("path", READS)
def test_a_read_of_a_session_nobody_has_seen_answers_success_and_stores_nothing(cast, path):
    before = cast.rows()
    answer = cast.ann.get(path, **({"path": "/"} if "proactive" in path else {}))
    assert answer.json["success"] is True
    assert answer.json.get("messages", []) == []
    assert cast.rows() == before


def test_the_history_of_a_session_nobody_has_seen_says_nothing_about_it(cast):
    assert cast.ann.get("chat/history").json == {
        "success": True, "messages": [], "has_more": False, "conversation_id": None, "mode": "ai", "cursor": 0,
    }  # fmt: skip


@pytest.mark.parametrize("path", CREATING)
def test_a_write_creates_the_session_where_that_makes_sense(cast, path):
    assert cast.row(cast.ann) is None
    assert cast.ann.post(path, **POSTS[path]).status_code == 200
    assert cast.row(cast.ann).session_id == cast.ann.session_id


def test_an_upload_creates_the_session(cast):
    assert cast.ann.upload(picture()).status_code == 200
    assert cast.row(cast.ann)


@pytest.mark.parametrize(("path", "code"), NOT_THERE.items())
def test_other_writes_of_a_session_nobody_has_seen_are_404_and_store_nothing(cast, path, code):
    before = cast.rows()
    refusal(cast.ann.post(path, **POSTS[path]), 404, code)
    assert cast.rows() == before


def test_typing_of_a_session_nobody_has_seen_stores_nothing(cast):
    before = cast.rows()
    assert cast.ann.post("chat/typing").json == {"success": True}
    assert cast.rows() == before


def test_a_flood_of_new_sessions_is_limited_on_every_endpoint_that_makes_them(tmp_path):
    with open_app(tmp_path, limit_conversations_per_minute=3) as app:
        # The session that warmed the app up was of another site.
        cast = Cast(app)
        calls = [(path, POSTS[path]) for path in CREATING]
        statuses = [cast.visitor().post(path, **fields).status_code for path, fields in calls]
        assert statuses == [200, 200, 200, 429]
        assert cast.visitor().upload(picture()).status_code == 429
        assert len(cast.rows("visitor")["visitor"]) == 4


# Texts, times, sizes.


@pytest.mark.parametrize("text", TEXTS)
def test_any_unicode_is_stored_and_returned_exactly(cast, text):
    cast.ann.ask(text)
    cast.ann.post("chat/contact", phone="+15550100", name=f"Ann {text}")
    assert cast.ann.history()[0]["content"] == text
    assert cast.row(cast.ann).name == f"Ann {text}"


@pytest.mark.servers
def test_any_unicode_is_stored_and_returned_exactly_on_mysql_too(tmp_path, make_database):
    with open_app(tmp_path, database_url=make_database("mysql")) as app:
        ann = Cast(app).ann
        for text in TEXTS:
            ann.ask(text)
        assert [message["content"] for message in ann.history() if message["role"] == "visitor"] == TEXTS


@pytest.mark.parametrize("bad", [b"\\u0000", b"\\ud800", b"\\udc00x", b"x\\ud83d"])
@pytest.mark.parametrize(("path", "field"), [
    ("chat/stream", "message"), ("chat/stream", "message_id"), ("chat/contact", "name"),
    ("chat/rate/comment", "comment"),
])  # fmt: skip
def test_nul_and_unpaired_surrogates_are_422(cast, path, field, bad):
    fields = {**cast.ann.scope, **POSTS[path], field: "BAD"}
    raw = repr(fields).replace("'", '"').encode().replace(b"BAD", bad)
    answer = cast.client.post(f"{API}/{path}", data=raw, content_type="application/json")
    assert field in refusal(answer, 422, "invalid")["errors"]


def test_a_message_has_at_most_4000_characters_by_default(cast):
    assert "message" in refusal(cast.ann.post("chat/stream", message="\U0001f600" * 4001), 422, "invalid")["errors"]
    cast.ann.ask("\U0001f600" * 4000)
    assert len(cast.ann.history()[0]["content"]) == 4000


def test_a_body_has_at_most_64_kib_by_default(cast):
    def answer(size):
        fields = b'{"site_key":"%b","session_id":"%b","pad":"' % (
            cast.site.site_key.encode(), cast.ann.session_id.encode()
        )
        raw = fields + b"x" * (size - len(fields) - 2) + b'"}'
        return cast.client.post(f"{API}/chat/typing", data=raw, content_type="application/json")

    assert answer(65_536).status_code == 200
    refusal(answer(65_537), 413, "body_too_large")


def test_both_sizes_are_settings(tmp_path):
    with open_app(tmp_path, max_message_chars=10, max_body_bytes=1024) as app:
        ann = Cast(app).ann
        ann.ask("0123456789")
        refusal(ann.post("chat/stream", message="0123456789a"), 422, "invalid")
        refusal(ann.post("chat/stream", message="x", pad="x" * 1024), 413, "body_too_large")


def test_times_are_iso_8601_utc_with_milliseconds_and_z(cast):
    cast.ann.ask()
    cast.block(cast.ann, until_ms=1_900_000_000_007)
    times = [message["created_at"] for message in cast.ann.history()]
    until = cast.ann.get("chat/block-status").json["until"]
    assert until == "2030-03-17T17:46:40.007Z"
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time) for time in times)


# What must not be kept or told.


@pytest.mark.parametrize("path", READS[:-1])
def test_what_holds_conversation_data_is_never_stored_by_a_cache(cast, path):
    cast.ann.ask()
    assert cast.ann.get(path).headers["Cache-Control"] == "no-store"


def test_streams_and_forms_are_never_stored_by_a_cache(cast):
    answers = [cast.ann.post("chat/stream", message="Hi", message_id="m_1"), cast.ann.post("chat/rate", score=5),
               cast.ann.get("chat/stream", message_id="m_1")]  # fmt: skip
    assert [answer.headers["Cache-Control"] for answer in answers] == ["no-store"] * 3


def test_public_endpoints_set_no_cookies(cast):
    cast.ann.ask(message_id="m_1")
    for name, call in every_call(cast.ann):
        if name != "GET chat/events":
            assert "Set-Cookie" not in call().headers, name


def test_no_log_line_holds_a_query_string(cast, caplog):
    with caplog.at_level(logging.DEBUG):
        for path, query in GETS.items():
            cast.ann.get(path, **query).close()
    lines = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    assert "/api/v1/chat/history" in lines
    assert cast.ann.session_id not in lines
    assert "site_key=" not in lines
