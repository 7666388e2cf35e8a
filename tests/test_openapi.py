"""/openapi.json says what the endpoints are declared with, and every reference in it leads somewhere."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import msgspec
import pytest
from flask import Blueprint, Flask, Response

from tests.conftest import config_for
from vexar import __version__
from vexar.errors import CODES
from vexar.routes.api import endpoint, install_errors
from vexar.routes.fields import Cursor, Done, Email, OneOf, Saved, Scope, Text, Whole
from vexar.routes.service import service

api = Blueprint("widget", __name__)


class EmailBody(Scope):
    """What a visitor sends to leave an address."""

    email: Email


class NoteBody(msgspec.Struct):
    """Nothing is required."""

    note: Text(50) | None = None


class HistoryQuery(Scope, kw_only=True):
    """Which messages."""

    limit: Whole(1, 200) = 50
    before: Cursor | None = None


class Source(msgspec.Struct):
    """Where an answer comes from."""

    title: str


class Message(msgspec.Struct):
    """One message."""

    id: Cursor
    role: OneOf("visitor", "assistant")
    sources: list[Source]


class History(msgspec.Struct):
    """What was said."""

    messages: list[Message]


class Chunk(msgspec.Struct, tag="chunk"):
    """More text."""

    content: str


class End(msgspec.Struct, tag="done"):
    """The end."""

    meta: dict[str, int]


class UploadForm(Scope):
    """The text fields beside an image."""


@endpoint(
    api, "POST", "/chat/email", body=EmailBody, answer=Saved, summary="Save the visitor's email",
    errors=("blocked", "site_not_found", "rate_limited"),
)
def save_email(body: EmailBody) -> dict:
    """Keeps the newest
    address."""
    return {}


@endpoint(api, "POST", "/chat/note", body=NoteBody)
def note(body: NoteBody) -> dict:
    return {}


@endpoint(api, "GET", "/chat/history", query=HistoryQuery, answer=History)
def history(query: HistoryQuery) -> dict:
    return {}


@endpoint(api, "POST", "/chat/stream", body=EmailBody, stream=Chunk | End, may_be_empty=True)
def send(body: EmailBody) -> Response:
    return Response()


@endpoint(api, "GET", "/chat/stream", query=HistoryQuery, stream=Chunk | End)
def follow(query: HistoryQuery) -> Response:
    return Response()


@endpoint(
    api, "POST", "/chat/upload-image", form=UploadForm, files={"image": "image/png, image/jpeg"},
    too_large="image_too_large", errors=("quota",),
)
def upload(form: UploadForm) -> dict:
    return {}


@endpoint(api, "GET", "/chat/mode", query=Scope)
def mode(query: Scope) -> dict:
    return {}


@endpoint(api, "POST", "/chat/close", body=Scope)
def close(body: Scope) -> dict:
    return {}


@endpoint(
    api, "PUT", "/sites/<int:site>/keys/<name>", body=EmailBody, answer=Done, status=201, tag="sites", caller=dict
)
def put_key(site: int, name: str, body: EmailBody) -> dict:
    return {}


@pytest.fixture
def app(tmp_path):
    app = Flask(__name__, static_folder=None)
    install_errors(app)
    app.register_blueprint(api, url_prefix="/api/v1")
    app.register_blueprint(service)
    store = SimpleNamespace(counts=lambda: {"jobs": 0, "commits": 0})
    app.extensions["vexar"] = SimpleNamespace(config=config_for(tmp_path), store=store)
    return app


@pytest.fixture
def document(client):
    answer = client.get("/openapi.json")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    return answer.json


def operation_of(document, method, path):
    return document["paths"][f"/api/v1{path}"][method]


def find(document, schema):
    return document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]


def everything(value):
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from everything(inner)


def check_document(document, app):
    """What must hold for the document of any app."""
    assert document["openapi"] == "3.2.0"
    assert document["info"]["title"]
    assert document["info"]["version"] == __version__
    refs = {value["$ref"] for value in everything(document) if isinstance(value, dict) and "$ref" in value}
    assert {ref for ref in refs if not ref.startswith("#/components/schemas/")} == set()
    assert {ref.rpartition("/")[2] for ref in refs} == document["components"]["schemas"].keys()
    described = {
        (re.sub(r"{\w+}", "{}", path), method) for path, item in document["paths"].items() for method in item
    }
    registered = {
        (re.sub(r"<[^>]*>", "{}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/v1/")
    }
    assert registered - described == set()
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    names = [operation["operationId"] for operation in operations]
    assert sorted(set(names)) == sorted(names)
    tags = {tag["name"] for tag in document["tags"]}
    for path, item in document["paths"].items():
        for operation in item.values():
            check_operation(path, operation, tags)


def check_operation(path, operation, tags):
    assert set(operation["tags"]) <= tags
    in_path = [parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "path"]
    assert in_path == re.findall(r"{(\w+)}", path)
    statuses = operation["responses"].keys()
    assert {"500", "503"} <= statuses
    assert any(status.startswith("2") for status in statuses)
    for status, response in operation["responses"].items():
        assert response["description"]
        assert ("Retry-After" in response.get("headers", {})) is (status in ("429", "503"))


def test_the_document_is_whole(document, app):
    check_document(document, app)


def test_it_is_plain_json_and_may_be_kept_for_a_while(client):
    answer = client.get("/openapi.json")
    json.loads(answer.data)
    assert "max-age=300" in answer.headers["Cache-Control"]
    again = client.get("/openapi.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_it_is_built_once(app, client):
    first = client.get("/openapi.json").data
    built = app.extensions["vexar.openapi"]
    assert client.get("/openapi.json").data == first == built
    assert app.extensions["vexar.openapi"] is built


def test_an_operation_says_what_its_endpoint_was_declared_with(document):
    operation = operation_of(document, "post", "/chat/email")
    assert operation["operationId"] == "widget_save_email"
    assert operation["summary"] == "Save the visitor's email"
    assert operation["description"] == "Keeps the newest address."
    assert operation["tags"] == ["widget"]
    assert operation["requestBody"]["required"] is True
    body = find(document, operation["requestBody"]["content"]["application/json"]["schema"])
    assert body["required"] == ["site_key", "session_id", "email"]
    assert body["properties"]["site_key"]["pattern"].startswith("^sk_")
    assert body["description"] == "What a visitor sends to leave an address."


def test_answers_have_success_and_the_declared_struct(document):
    answer = operation_of(document, "post", "/chat/email")["responses"]["200"]["content"]["application/json"]
    success, saved = answer["schema"]["allOf"]
    assert find(document, success)["properties"]["success"] == {"const": True}
    assert find(document, saved)["required"] == ["message"]


def test_errors_stand_under_their_status_with_the_codes_that_can_come(document):
    responses = operation_of(document, "post", "/chat/email")["responses"]
    codes = {
        status: response["content"]["application/json"]["schema"]["allOf"][1]["properties"]["code"]["enum"]
        for status, response in responses.items()
        if status != "200"
    }
    assert codes == {
        "400": ["bad_json", "bad_request"], "403": ["blocked"], "404": ["site_not_found"], "413": ["body_too_large"],
        "415": ["unsupported_media_type"], "422": ["invalid"], "429": ["rate_limited"], "500": ["internal"],
        "503": ["restarting", "unavailable"],
    }


def test_the_envelope_lists_every_code_that_has_a_status(document):
    error = document["components"]["schemas"]["Error"]
    assert error["properties"]["code"]["enum"] == [code for code, (status, _) in CODES.items() if status]
    assert error["required"] == ["success", "error", "code"]


def test_a_query_becomes_parameters(document):
    parameters = {one["name"]: one for one in operation_of(document, "get", "/chat/history")["parameters"]}
    assert {name: one["required"] for name, one in parameters.items()} == {
        "site_key": True, "session_id": True, "limit": False, "before": False,
    }
    assert parameters["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
    assert parameters["before"]["schema"]["type"] == "integer"
    assert "HistoryQuery" not in document["components"]["schemas"]


def test_a_path_argument_becomes_a_parameter(document):
    operation = operation_of(document, "put", "/sites/{site}/keys/{name}")
    kinds = {one["name"]: one["schema"]["type"] for one in operation["parameters"]}
    assert kinds == {"site": "integer", "name": "string"}
    assert operation["security"] == [{"bearer": []}]
    assert operation["tags"] == ["sites"]
    assert {"201", "401"} <= operation["responses"].keys()
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


def test_a_stream_has_an_item_schema_of_its_events(document):
    responses = operation_of(document, "post", "/chat/stream")["responses"]
    item = responses["200"]["content"]["text/event-stream"]["itemSchema"]
    assert item["properties"]["data"]["contentMediaType"] == "application/json"
    kinds = [find(document, kind) for kind in item["properties"]["data"]["contentSchema"]["anyOf"]]
    assert [kind["properties"]["type"] for kind in kinds] == [{"enum": ["chunk"]}, {"enum": ["done"]}]
    assert "204" in responses
    assert "204" not in operation_of(document, "get", "/chat/stream")["responses"]


def test_a_form_has_its_fields_and_files(document):
    operation = operation_of(document, "post", "/chat/upload-image")
    media = operation["requestBody"]["content"]["multipart/form-data"]
    fields, files = media["schema"]["allOf"]
    assert find(document, fields)["required"] == ["site_key", "session_id"]
    assert files["required"] == ["image"]
    assert media["encoding"] == {"image": {"contentType": "image/png, image/jpeg"}}
    assert operation["responses"]["413"]["description"] == (
        f"{CODES['image_too_large'][1]} {CODES['quota'][1]}"
    )


def test_a_body_without_required_fields_is_not_required(document):
    assert operation_of(document, "post", "/chat/note")["requestBody"]["required"] is False


def test_a_struct_that_is_a_query_here_and_a_body_there_is_both(document):
    names = [one["name"] for one in operation_of(document, "get", "/chat/mode")["parameters"]]
    assert names == ["site_key", "session_id"]
    body = operation_of(document, "post", "/chat/close")["requestBody"]["content"]["application/json"]["schema"]
    assert find(document, body)["required"] == names


def test_the_document_of_vexar_itself_is_whole(make_app):
    app = make_app()
    document = app.test_client().get("/openapi.json").json
    check_document(document, app)
    assert len(document["paths"]) > 20
