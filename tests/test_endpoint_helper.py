"""Typed endpoints: what a request must be, what is said of one that is not, and the one shape of every failure."""

from __future__ import annotations

import http.client
import io
import json
import logging
import threading
from types import SimpleNamespace
from typing import Annotated

import msgspec
import pytest
from flask import Blueprint, Flask, Response, abort, request
from msgspec import Meta
from werkzeug.serving import make_server

from tests.conftest import config_for
from vexar.errors import CODES, ApiError, invalid
from vexar.routes.api import endpoint, install_errors
from vexar.routes.fields import (
    Cursor,
    Done,
    Email,
    Filled,
    Lang,
    MessageId,
    OneOf,
    Phone,
    Saved,
    Scope,
    Score,
    SessionId,
    SiteKey,
    Text,
    Whole,
)
from vexar.store import StoreError

SCOPE = {"site_key": "sk_demo", "session_id": "sess_1"}
BAD_TEXT = "must not contain NUL characters or unpaired surrogates"
MAX_BODY_BYTES = 2048
api = Blueprint("widget", __name__)


class EmailBody(Scope):
    """What a visitor sends to leave an address."""

    email: Email


class RateBody(Scope, kw_only=True):
    """One field of each kind."""

    score: Score
    lang: Lang | None = None
    message_id: MessageId = "made"
    phone: Phone | None = None
    is_loud: bool = False
    mood: OneOf("good", "bad") = "good"
    weight: float = 1.0
    tags: list[Filled(5)] = []


class ContactBody(Scope, kw_only=True):
    """A rule of two fields."""

    email: Email | None = None
    phone: Phone | None = None

    def __post_init__(self) -> None:
        if not self.email and not self.phone:
            raise invalid(email="give an email or a phone number", phone="give an email or a phone number")


class HistoryQuery(Scope, kw_only=True):
    """Numbers in a query."""

    limit: Whole(1, 200) = 50
    before: Cursor | None = None
    path: Text(20) = "/"


class OptionalBody(msgspec.Struct):
    """Nothing is required."""

    note: Text(50) = "none"


class UploadForm(Scope):
    """The text fields beside an image."""


@endpoint(api, "POST", "/email", body=EmailBody, answer=Saved)
def save_email(body: EmailBody) -> dict:
    return {"message": body.email}


@endpoint(api, "POST", "/rate", body=RateBody)
def rate(body: RateBody) -> dict:
    return {"given": msgspec.to_builtins(body)}


@endpoint(api, "POST", "/contact", body=ContactBody)
def contact(body: ContactBody) -> dict:
    return {"email": body.email, "phone": body.phone}


@endpoint(api, "PUT", "/strict/<int:number>", body=EmailBody, strict=True, status=201)
def strict(number: int, body: EmailBody) -> dict:
    return {"number": number}


@endpoint(api, "POST", "/optional", body=OptionalBody)
def optional(body: OptionalBody) -> tuple[dict, int]:
    return {"note": body.note}, 201


@endpoint(api, "GET", "/history", query=HistoryQuery, cache="public, max-age=60")
def history(query: HistoryQuery) -> dict:
    return {"limit": query.limit, "before": query.before, "path": query.path}


@endpoint(api, "GET", "/history/strict", query=HistoryQuery, strict=True)
def strict_history(query: HistoryQuery) -> dict:
    return {}


@endpoint(api, "GET", "/stream", query=HistoryQuery, stream=Done)
def stream(query: HistoryQuery) -> Response:
    return Response(iter(["data: {}\n\n"]), mimetype="text/event-stream")


@endpoint(
    api, "POST", "/upload", form=UploadForm, files={"image": "image/png"},
    max_bytes=lambda config: config.max_image_bytes, too_large="image_too_large",
)
def upload(form: UploadForm) -> dict:
    return {"session_id": form.session_id, "bytes": len(request.files["image"].read())}


@api.get("/fails/<code>")
def fails(code: str) -> None:
    raise ApiError(code)


@api.get("/waits")
def waits() -> None:
    raise ApiError("rate_limited", retry_after=42)


@api.get("/aborts/<int:status>")
def aborts(status: int) -> None:
    abort(status)


@api.get("/database")
def database() -> None:
    raise StoreError("cannot open /var/lib/secret.db")


@api.get("/crash")
def crash() -> None:
    raise RuntimeError("the secret reason")


@api.get("/folder/")
def folder() -> dict:
    return {}


@pytest.fixture
def app(tmp_path):
    app = Flask(__name__, static_folder=None)
    install_errors(app)
    app.register_blueprint(api, url_prefix="/api/v1")
    config = config_for(tmp_path, max_body_bytes=MAX_BODY_BYTES, max_image_bytes=1024)
    app.extensions["vexar"] = SimpleNamespace(config=config)
    return app


def post(client, path, body, **options):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(f"/api/v1{path}", data=data, **{"content_type": "application/json", **options})


def get(client, path):
    return client.get(f"/api/v1{path}")


def errors_of(answer):
    assert answer.status_code == 422
    assert answer.json["success"] is False
    assert answer.json["code"] == "invalid"
    return answer.json["errors"]


def code_of(answer):
    assert answer.is_json
    assert answer.json["success"] is False
    assert answer.json["error"]
    assert CODES[answer.json["code"]][0] == answer.status_code
    return answer.json["code"]


# What comes through.


def test_a_good_body_reaches_the_function_and_success_comes_first(client):
    answer = post(client, "/email", {**SCOPE, "email": "jane@example.org"})
    assert answer.status_code == 200
    assert answer.data == b'{"success":true,"message":"jane@example.org"}'
    assert answer.content_type == "application/json"


def test_the_decorated_function_stays_callable():
    assert save_email(EmailBody(**SCOPE, email="a@b.org")) == {"message": "a@b.org"}


def test_unknown_fields_are_ignored(client):
    assert post(client, "/email", {**SCOPE, "email": "a@b.org", "colour": "red"}).status_code == 200


def test_strict_endpoints_name_every_unknown_field(client):
    body = {**SCOPE, "email": "a@b.org", "colour": "red", "size": 3}
    errors = errors_of(client.put("/api/v1/strict/7", json=body))
    assert errors == {"colour": "is not a known field", "size": "is not a known field"}
    answer = client.put("/api/v1/strict/7", json={**SCOPE, "email": "a@b.org"})
    assert (answer.status_code, answer.json) == (201, {"success": True, "number": 7})


def test_strict_queries_name_unknown_parameters(client):
    errors = errors_of(get(client, "/history/strict?site_key=sk_demo&session_id=1&colour=red"))
    assert errors == {"colour": "is not a known field"}


def test_every_text_comes_through_exactly(client):
    text = "שלום 👩‍👩‍👧 e\u0301 \u202e \t\n\u2028 x"
    for body in (json.dumps({"note": text}), json.dumps({"note": text}, ensure_ascii=False)):
        answer = post(client, "/optional", body.encode())
        assert answer.json == {"success": True, "note": text}


def test_where_nothing_is_required_an_empty_body_counts_as_an_empty_object(client):
    for content_type in ("application/json", "text/plain", ""):
        answer = post(client, "/optional", b"", content_type=content_type)
        assert (answer.status_code, answer.json["note"]) == (201, "none")


def test_where_something_is_required_an_empty_body_is_not_json(client):
    assert code_of(post(client, "/email", b"")) == "bad_json"


def test_json_answers_are_not_stored_unless_the_endpoint_says_so(client):
    assert post(client, "/optional", b"").headers["Cache-Control"] == "no-store"
    query = "?site_key=sk_demo&session_id=1"
    assert get(client, f"/history{query}").headers["Cache-Control"] == "public, max-age=60"
    assert get(client, "/history").headers["Cache-Control"] == "no-store"


# Wrong fields.


def test_every_missing_field_is_named_at_once(client):
    assert errors_of(post(client, "/email", {})) == dict.fromkeys(("site_key", "session_id", "email"), "is required")


@pytest.mark.parametrize("nothing", [None, "", "  \n"])
def test_an_empty_required_field_counts_as_missing(client, nothing):
    errors = errors_of(post(client, "/email", {**SCOPE, "email": nothing}))
    assert errors == {"email": "is required"}


@pytest.mark.parametrize("nothing", [None, "", " "])
def test_an_empty_optional_field_counts_as_absent(client, nothing):
    answer = post(client, "/rate", {**SCOPE, "score": 5, "lang": nothing, "phone": nothing, "mood": nothing})
    assert answer.json["given"] == {
        **SCOPE, "score": 5, "lang": None, "message_id": "made", "phone": None, "is_loud": False, "mood": "good",
        "weight": 1.0, "tags": [],
    }


def test_wrong_and_missing_fields_are_named_together_in_sentences(client):
    wrong = {
        "site_key": "demo", "session_id": "a b", "score": 6, "lang": "?", "message_id": "x" * 65, "phone": "none",
        "is_loud": "yes", "mood": "fine", "weight": "heavy", "tags": ["red", ""],
    }
    assert errors_of(post(client, "/rate", wrong)) == {
        "site_key": "must be a site key, which begins with sk_",
        "session_id": "must be 1 to 128 characters of A-Z a-z 0-9 . _ : -",
        "score": "must be a whole number from 1 to 5",
        "lang": "must be a language tag such as en or pt-BR",
        "message_id": "must be 1 to 64 characters",
        "phone": "must be a phone number of at most 40 characters",
        "is_loud": "must be true or false",
        "mood": "must be one of bad, good",
        "weight": "must be a number",
        "tags": "has a wrong value at [1]",
    }


@pytest.mark.parametrize("score", [True, False, "5", 0, 6, -1, 4.5, 10**30, [], {}, "five"])
def test_a_score_is_a_whole_number_and_nothing_else(client, score):
    errors = errors_of(post(client, "/rate", {**SCOPE, "score": score}))
    assert errors == {"score": "must be a whole number from 1 to 5"}


def test_a_whole_number_may_be_written_with_a_point(client):
    assert post(client, "/rate", {**SCOPE, "score": 5.0}).json["given"]["score"] == 5


def test_a_rule_of_two_fields_names_both(client):
    sentence = "give an email or a phone number"
    assert errors_of(post(client, "/contact", {**SCOPE, "email": ""})) == {"email": sentence, "phone": sentence}
    assert post(client, "/contact", {**SCOPE, "email": "", "phone": "+15550100"}).json["phone"] == "+15550100"


def test_a_text_counts_its_code_points(client):
    assert post(client, "/optional", {"note": "👩" * 50}).status_code == 201
    errors = errors_of(post(client, "/optional", {"note": "👩" * 51}))
    assert errors == {"note": "must be text of at most 50 characters"}


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (SiteKey, ["sk_demo", "sk_" + "aZ0-_" * 20], ["sk_", "demo", "sk_ä", "sk_a b", "sk_" + "a" * 126, "sk_a\n"]),
        (SessionId, ["a", "A.z_0:9-", "x" * 128], ["", "x" * 129, "a b", "a/b", "é", "a\n"]),
        (MessageId, ["m", "日" * 64, "a b"], ["", "x" * 65]),
        (Lang, ["en", "pt-BR", "zh-Hant-TW", "de_CH"], ["e n", "-en", "en-", "en\n", "x" * 9, "en" + "-abcdefg" * 5]),
        (Score, [1, 5], [0, 6, True, "1"]),
        (Cursor, [0, 2**53 - 1], [-1, 2**53, 1.5, None]),
        (Phone, ["+1 (555) 0100", "0"], ["", "phone", "1" * 41]),
    ],
)
def test_each_kind_of_field_has_its_bounds(kind, good, bad):
    assert [value for value in good if not fits(kind, value)] == []
    assert [value for value in bad if fits(kind, value)] == []


@pytest.mark.parametrize(
    "address",
    ["jane@example.org", "j.d+tag@mail.example.co.uk", "o'neil@a-b.io", "用户@例子.公司", "josé@example.com", "a@b.de"],
)
def test_ordinary_email_addresses_are_accepted(address):
    assert fits(Email, address)


@pytest.mark.parametrize(
    "address",
    [
        "jane", "@example.org", "jane@", "jane@example", "jane@@example.org", "ja ne@example.org", "jane@exa mple.org",
        ".jane@example.org", "jane.@example.org", "ja..ne@example.org", "jane@example..org", "jane@.org", "jane@-a.org",
        "jane@a-.org", "jane@10.0.0.1", "jane@example.org\n", "jane@example.org,b@c.de", "<jane@example.org>",
        "x" * 250 + "@a.de", "[email protected]", "jane@exam_ple.org", "a\x7f@b.de",
    ],
)
def test_what_is_no_email_address_is_refused(address):
    assert not fits(Email, address)


def test_a_long_near_miss_of_an_address_costs_nothing(client):
    hostile = "a." * 60 + "@" + "a." * 60 + "!"
    assert errors_of(post(client, "/email", {**SCOPE, "email": hostile})) == {"email": "must be an email address"}


def fits(kind, value):
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


# What is not JSON.


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"", b"site_key=sk_demo", b"{'a': 1}", b'{"a": NaN}', b'{"a": Infinity}', b'{"a": 1} x', b'{"a": 1,}',
        b"\xff\xfe{\x00}\x00", b'{"a": "\xff"}', b'{"a": "\xed\xa0\x80"}', b'{"a": "raw \x00"}', b'{"a": "\\u12"}',
        b'{"a": "\\ud800"', b'{"a": "\\ud800", "b": NaN}', b'{"a": "\\ud800\xff"}',
    ],
)
def test_a_body_that_is_not_json_is_refused(client, body):
    answer = post(client, "/email", body)
    assert (answer.status_code, code_of(answer)) == (400, "bad_json")


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"7", b"true"])
def test_json_that_is_no_object_is_refused(client, body):
    assert code_of(post(client, "/optional", body)) == "bad_json"


@pytest.mark.parametrize(
    "bomb",
    [
        b'{"a":' * 300, b"[" * 2000, b'{"a":' + b"[" * 900 + b"]" * 900 + b"}", b'{"a": 1e999}',
        b'{"score": ' + b"9" * 1800 + b"}", b'{"a": "\\ud800", "b": ' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"a": "\\ud800", "score": ' + b"9" * 1800 + b"}",
    ],
)
def test_bombs_of_nesting_and_huge_numbers_are_refused_without_a_crash(client, bomb):
    assert post(client, "/rate", bomb).status_code in (400, 422)


def test_a_deep_bomb_does_not_crash_where_bodies_may_be_large(app):
    app.extensions["vexar"].config.max_body_bytes = 2**20
    client = app.test_client()
    for bomb in (b"[" * 500_000, b'{"a":' * 100_000, b'{"a":"\\ud800","b":' + b"[" * 500_000, b"9" * 500_000):
        assert code_of(post(client, "/rate", bomb)) == "bad_json"


# NUL and unpaired surrogates.


@pytest.mark.parametrize("escape", ["\\u0000", "\\ud800", "\\udc00", "\\ud83d x", "\\udc00\\ud800"])
def test_nul_and_unpaired_surrogates_name_their_field_and_the_others_too(client, escape):
    body = f'{{"site_key": "sk_demo", "email": "jane{escape}@example.org"}}'
    assert errors_of(post(client, "/email", body.encode())) == {"email": BAD_TEXT, "session_id": "is required"}


def test_they_are_found_in_nested_and_unknown_fields_and_in_names(client):
    body = b'{"note": "ok", "extra": {"deep": [{"a\\u0000": 1}]}, "more": [["\\ud800"]], "x\\udc00": 1}'
    assert errors_of(post(client, "/optional", body)) == dict.fromkeys(("extra", "more", "x?"), BAD_TEXT)


def test_a_pair_of_surrogates_is_a_character(client):
    assert post(client, "/optional", b'{"note": "\\ud83d\\ude00"}').json["note"] == "😀"


@pytest.mark.parametrize("bad", ["%00", "%ED%A0%80", "%FF", "\udcff"])
def test_they_are_found_in_query_parameters(client, bad):
    query = f"site_key=sk_demo&session_id=1&path=a{bad}"
    options = {"QUERY_STRING": query.encode("utf-8", "surrogateescape").decode("latin-1")}
    answer = client.get("/api/v1/history", environ_overrides=options)
    assert errors_of(answer) == {"path": BAD_TEXT}


def test_they_are_found_in_the_names_of_query_parameters(client):
    errors = errors_of(get(client, "/history?site_key=sk_demo&session_id=1&a%00b=1"))
    assert errors == {"a\ufffdb": BAD_TEXT}


def test_they_are_found_in_forms(client):
    fields = {"site_key": "sk_demo", "session_id": "a\0b", "image": (io.BytesIO(b"x"), "a.png")}
    assert errors_of(client.post("/api/v1/upload", data=fields)) == {"session_id": BAD_TEXT}


# Content types and sizes.


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=ascii", "Application/JSON;charset=utf-8", "application/x+json", ""],
)
def test_json_comes_under_several_names(client, content_type):
    assert post(client, "/optional", {"note": "é"}, content_type=content_type).json["note"] == "é"


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "text/a+json", "x+json"]
)
def test_another_content_type_is_refused(client, content_type):
    assert code_of(post(client, "/optional", {}, content_type=content_type)) == "unsupported_media_type"


def test_a_body_of_the_largest_size_is_read_and_a_byte_more_is_not(client):
    largest = b'{"note": "x"' + b" " * (MAX_BODY_BYTES - 13) + b"}"
    assert len(largest) == MAX_BODY_BYTES
    assert post(client, "/optional", largest).status_code == 201
    assert code_of(post(client, "/optional", largest + b" ")) == "body_too_large"


def test_a_chunked_body_is_bounded_too(app):
    with serving(app) as port:
        assert send_chunked(port, [b'{"note": ', b'"chunked"}'])[1]["note"] == "chunked"
        status, body = send_chunked(port, [b" " * 500] * 10)
    assert (status, body["code"]) == (413, "body_too_large")


def test_a_chunked_upload_is_bounded_too(app):
    head = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
    with serving(app) as port:
        kind = "multipart/form-data; boundary=x"
        status, body = send_chunked(port, [head, b"x" * 2000, b"\r\n--x--"], path="/api/v1/upload", kind=kind)
    assert (status, body["code"]) == (413, "image_too_large")


def send_chunked(port, chunks, path="/api/v1/optional", kind="application/json"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Content-Type": kind, "Transfer-Encoding": "chunked"}
    connection.request("POST", path, iter(chunks), headers, encode_chunked=True)
    answer = connection.getresponse()
    found = answer.status, json.loads(answer.read())
    connection.close()
    return found


class serving:
    """The app on a port of its own, over real sockets."""

    def __init__(self, app):
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.server = make_server("127.0.0.1", 0, app)
        self.server.RequestHandlerClass.protocol_version = "HTTP/1.1"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self.server.port

    def __exit__(self, *problem):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


# Queries and forms.


def test_numbers_in_a_query_are_parsed_and_the_last_of_repeated_parameters_counts(client):
    answer = get(client, "/history?site_key=sk_demo&session_id=1&limit=7&limit=20&before=3&path=%2Fcaf%C3%A9+x")
    assert answer.json == {"success": True, "limit": 20, "before": 3, "path": "/café x"}


def test_empty_optional_parameters_count_as_absent(client):
    answer = get(client, "/history?site_key=sk_demo&session_id=1&limit=&before=&path=")
    assert answer.json == {"success": True, "limit": 50, "before": None, "path": "/"}


def test_every_wrong_parameter_is_named(client):
    assert errors_of(get(client, "/history?session_id=&limit=201&before=-1")) == {
        "site_key": "is required",
        "session_id": "is required",
        "limit": "must be a whole number from 1 to 200",
        "before": "must be a whole number of at least 0",
    }


@pytest.mark.parametrize("number", ["true", "1.5", "0x10", "ten", "9" * 400, "[1]"])
def test_what_is_no_whole_number_in_a_query_is_refused(client, number):
    errors = errors_of(get(client, f"/history?site_key=sk_demo&session_id=1&before={number}"))
    assert errors == {"before": "must be a whole number of at least 0"}


def test_a_form_gives_its_fields_and_files(client):
    fields = {**SCOPE, "image": (io.BytesIO(b"12345"), "a.png")}
    assert client.post("/api/v1/upload", data=fields).json == {"success": True, "session_id": "sess_1", "bytes": 5}


def test_a_missing_file_is_named_with_the_other_fields(client):
    answer = client.post("/api/v1/upload", data={"site_key": "sk_demo"}, content_type="multipart/form-data")
    assert errors_of(answer) == {"session_id": "is required", "image": "is required"}


def test_an_upload_has_a_bound_and_a_code_of_its_own(client):
    fields = {**SCOPE, "image": (io.BytesIO(b"x" * 1024), "a.png")}
    assert code_of(client.post("/api/v1/upload", data=fields)) == "image_too_large"


class Unreadable(io.RawIOBase):
    """A body that breaks off with an error of the server's own, as gunicorn's parser of chunks has."""

    def read(self, *size):
        raise LookupError("no chunk begins like this: secret")

    readinto = read


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x"])
def test_a_body_that_cannot_be_read_is_the_senders_fault_and_no_crash(client, caplog, kind):
    path = "/api/v1/upload" if "form" in kind else "/api/v1/optional"
    environ = {"wsgi.input": Unreadable(), "CONTENT_LENGTH": "9"}
    answer = client.post(path, content_type=kind, environ_overrides=environ)
    assert (answer.status_code, code_of(answer)) == (400, "bad_request")
    assert "secret" not in answer.text + caplog.text


def test_a_form_must_be_multipart(client):
    assert code_of(client.post("/api/v1/upload", json=SCOPE)) == "unsupported_media_type"


def test_a_broken_multipart_body_is_no_crash(client):
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x"):
        answer = client.post("/api/v1/upload", data=b"--x\r\nbroken", content_type=kind)
        assert answer.status_code in (400, 422)
        assert code_of(answer) in ("bad_request", "invalid")


def test_head_of_a_stream_gives_its_headers_and_starts_nothing(client):
    path = "/api/v1/stream?site_key=sk_demo&session_id=1"
    assert client.get(path).data == b"data: {}\n\n"
    answer = client.head(path)
    assert (answer.status_code, answer.mimetype, answer.data) == (200, "text/event-stream", b"")


# Every failure has one shape.


@pytest.mark.parametrize("code", [code for code, (status, _) in CODES.items() if status])
def test_every_code_answers_with_its_status_and_the_envelope(client, code):
    answer = get(client, f"/fails/{code}")
    assert code_of(answer) == code
    waits = answer.status_code in (429, 503)
    assert answer.headers.get("Retry-After") == ("1" if waits else None)
    assert answer.json.get("retry_after") == (1 if waits else None)
    assert ("errors" in answer.json) is False
    assert answer.headers["Cache-Control"] == "no-store"


def test_retry_after_stands_in_the_body_and_in_the_header(client):
    answer = get(client, "/waits")
    assert (answer.status_code, answer.json["retry_after"], answer.headers["Retry-After"]) == (429, 42, "42")


def test_an_unknown_path_is_json(client):
    for path in ("/", "/api/v1/nothing", "/api/v1//email", "/%00", "/api/v1/email/x", "/<script>"):
        answer = client.get(path)
        assert code_of(answer) == "not_found"
        assert b"<" not in answer.data


def test_a_wrong_method_tells_the_right_ones(client):
    answer = client.get("/api/v1/email")
    assert code_of(answer) == "method_not_allowed"
    assert set(answer.headers["Allow"].split(", ")) == {"OPTIONS", "POST"}
    assert set(client.delete("/api/v1/history").headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_options_answers_without_a_body(client):
    answer = client.options("/api/v1/email")
    assert (answer.status_code, answer.data, answer.headers["Allow"]) == (204, b"", "OPTIONS, POST")


def test_head_answers_like_get_without_a_body(client):
    answer = client.head("/api/v1/history?site_key=sk_demo&session_id=1")
    assert (answer.status_code, answer.data) == (200, b"")
    assert client.head("/api/v1/nothing").status_code == 404


def test_a_slash_more_or_less_never_redirects(client):
    for path in ("/api/v1/folder", "/api/v1/folder/", "/api/v1/history/"):
        answer = client.get(path)
        assert answer.is_json
        assert answer.status_code in (200, 422)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 415, 418, 429, 500, 502, 503])
def test_what_flask_aborts_with_has_the_envelope_too(client, status):
    answer = get(client, f"/aborts/{status}")
    assert code_of(answer) in CODES
    assert answer.status_code == {418: 400, 502: 500}.get(status, status)


def test_a_lost_database_says_try_again_and_nothing_of_itself(client, caplog):
    answer = get(client, "/database")
    assert code_of(answer) == "unavailable"
    assert (answer.json["retry_after"], answer.headers["Retry-After"]) == (1, "1")
    assert "secret" not in answer.text
    assert "secret.db" in caplog.text


def test_a_crash_is_logged_with_its_traceback_and_never_shown(client, caplog):
    answer = get(client, "/crash")
    assert code_of(answer) == "internal"
    assert "secret" not in answer.text
    assert "Traceback" in caplog.text
    assert "the secret reason" in caplog.text


def test_errors_in_text_of_any_kind_still_make_json(client):
    answer = post(client, "/rate", {**SCOPE, "score": "\u2028<b>"})
    assert errors_of(answer) == {"score": "must be a whole number from 1 to 5"}


def test_a_type_without_words_of_its_own_still_gets_a_sentence():
    struct = msgspec.defstruct("Odd", [("size", Annotated[float, Meta(ge=0, le=1)]), ("either", int | str)])
    from vexar.routes.reading import Plan

    with pytest.raises(ApiError) as refused:
        Plan(struct).convert({"size": 2, "either": []})
    assert refused.value.errors == {"size": "must be a number from 0 to 1", "either": "has a wrong value"}
