"""What the public endpoints really answer is what /openapi.json says they may: status, type, fields and codes."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from tests.cast import API, GETS, POSTS, Cast, Visitor, open_app, picture

TYPES = {
    "object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool,
    "null": type(None),
}  # fmt: skip
LIMITS_OF_ONE = {
    f"limit_{name}_per_minute": 1 for name in ("messages", "session_messages", "conversations", "uploads", "forms",
                                               "polls")
}  # fmt: skip


class Document:
    """The document of an app; `check(answer)` compares an answer of it."""

    def __init__(self, client: Any) -> None:
        self._document = client.get("/openapi.json").json

    def check(self, answer: Any) -> None:
        """AssertionError where the document does not foresee this answer."""
        name = f"{answer.request.method} {answer.request.path} {answer.status_code}"
        operation = self._document["paths"][answer.request.path][answer.request.method.lower()]
        assert str(answer.status_code) in operation["responses"], f"{name}: {answer.text}"
        response = operation["responses"][str(answer.status_code)]
        if "content" not in response:
            assert answer.data == b"", name
            return
        content = response["content"][answer.mimetype]
        if answer.is_json:
            self._fits(answer.json, content["schema"], name)
            return
        event = content["itemSchema"]["properties"]["data"]["contentSchema"]
        for line in next(iter(answer.response)).decode().splitlines():
            if line.startswith("data: "):
                self._fits(json.loads(line.removeprefix("data: ")), event, name)
        answer.close()

    def _fits(self, value: Any, schema: dict, name: str) -> None:
        self._check(value, schema, name)
        if isinstance(value, dict):
            assert set(value) <= self._names(schema), f"{name}: undocumented fields"

    def _check(self, value: Any, schema: dict, name: str) -> None:
        schema = self._resolve(schema)
        for part in schema.get("allOf", ()):
            self._check(value, part, name)
        if "anyOf" in schema:
            assert any(self._would_fit(value, part) for part in schema["anyOf"]), f"{name}: {value!r}"
        if "const" in schema:
            assert value == schema["const"], name
        assert value in schema.get("enum", [value]), f"{name}: {value!r} is not one of {schema.get('enum')}"
        kind = schema.get("type")
        assert kind is None or isinstance(value, TYPES[kind]), f"{name}: {value!r} is no {kind}"
        if isinstance(value, dict):
            assert set(schema.get("required", ())) <= set(value), f"{name}: {value!r}"
            for key in value.keys() & schema.get("properties", {}).keys():
                self._check(value[key], schema["properties"][key], f"{name} {key}")
        for one in value if isinstance(value, list) else ():
            check = self._fits if "$ref" in schema["items"] else self._check
            check(one, schema["items"], f"{name} []")

    def _would_fit(self, value: Any, schema: dict) -> bool:
        try:
            self._check(value, schema, "")
        except AssertionError:
            return False
        return True

    def _resolve(self, schema: dict) -> dict:
        if "$ref" in schema:
            return self._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema

    def _names(self, schema: dict) -> set[str]:
        schema = self._resolve(schema)
        return set(schema.get("properties", ())).union(*map(self._names, schema.get("allOf", ())))


def every_call(visitor: Visitor, **headers: str) -> list[Any]:
    """The answers of all public endpoints, writes first, unread."""
    form = {**visitor.scope, "image": (io.BytesIO(picture()), "a.png")}
    answers = [visitor.client.post(f"{API}/chat/upload-image", data=form, headers=headers)]
    answers += [visitor.post(path, headers, **{**fields, **({"message_id": "m_1"} if "stream" in path else {})})
                for path, fields in POSTS.items()]  # fmt: skip
    return answers + [visitor.get(path, headers, **{**query, "since": 0}) for path, query in GETS.items()]


def check_all(cast: Cast, answers: list[Any], status: int | None = None) -> None:
    """Every answer as documented; and all with this status, if one is given."""
    document = Document(cast.client)
    for answer in answers:
        assert status in (None, answer.status_code), answer.request.path
        document.check(answer)


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with open_app(tmp_path_factory.mktemp("answers")) as app:
        yield app


def test_good_answers_are_documented(app):
    cast = Cast(app)
    answers = every_call(cast.ann)
    # After `close` there is nothing to ask a person about.
    assert [answer.request.path for answer in answers if answer.status_code != 200] == [f"{API}/chat/request-operator"]
    cast.fill(cast.ann, "visitor", "assistant", "operator", "system", "proactive")
    check_all(cast, [*answers, *every_call(cast.ann)])


@pytest.mark.parametrize(("scope", "status"), [
    ({"site_key": "sk_nobody"}, 404), ({"site_key": "nobody"}, 422), ({"session_id": "a b"}, 422),
])  # fmt: skip
def test_what_is_said_to_wrong_keys_and_ids_is_documented(app, scope, status):
    cast = Cast(app)
    cast.ann.scope |= scope
    answers = [answer for answer in every_call(cast.ann) if "session_id" not in scope or "config" not in
               answer.request.path]  # fmt: skip
    check_all(cast, answers, status)


def test_what_is_said_to_foreign_pages_is_documented(app):
    cast = Cast(app, allowed_origins=[])
    check_all(cast, every_call(cast.ann, Origin="https://evil.example"), 403)


def test_what_is_said_to_the_blocked_is_documented(app):
    cast = Cast(app)
    every_call(cast.ann)
    cast.block(cast.ann)
    check_all(cast, every_call(cast.ann))


def test_what_is_said_to_bodies_that_are_none_is_documented(app):
    cast = Cast(app)
    kinds = [(b"{", "application/json"), (b"x", "text/plain"), (b"x" * 70_000, "application/json")]
    answers = [cast.client.post(f"{API}/{path}", data=data, content_type=kind)
               for path in (*POSTS, "chat/upload-image") for data, kind in kinds]  # fmt: skip
    check_all(cast, answers)


def test_what_is_said_to_those_in_a_hurry_is_documented(tmp_path):
    with open_app(tmp_path, **LIMITS_OF_ONE, limit_streams_per_address=1) as app:
        cast = Cast(app)
        answers = [*every_call(cast.ann), *every_call(cast.ann), *every_call(cast.visitor())]
        assert sum(answer.status_code == 429 for answer in answers) > len(POSTS)
        check_all(cast, answers)


def test_what_a_server_says_that_leaves_is_documented(tmp_path):
    with open_app(tmp_path) as app:
        cast = Cast(app)
        app.extensions["vexar"].drain(0)
        check_all(cast, every_call(cast.ann), 503)


def test_service_endpoints_answer_as_documented(app):
    client = app.test_client()
    check_all(Cast(app), [client.get(path) for path in ("/healthz", "/readyz", "/version")], 200)
