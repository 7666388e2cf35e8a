"""The user's own API reference, replayed: its ten examples, word for word where they hold words.

What the reference leaves out ("sk_…", "sess_…", the hidden email address) is filled in; nothing else is changed.
"""

from __future__ import annotations

import json

import pytest

from tests.cast import Cast, Visitor, open_app, picture

SESSION = "sess_reference"
EMAIL = "jane@shop.example"
# (endpoint, body, answer): "site_key" and "session_id" are added to the body, `...` stands for what varies.
POSTS = [
    ("chat/email", {"email": EMAIL}, {"success": True, "message": "Email saved"}),
    ("chat/contact", {"email": EMAIL, "phone": "+1…", "name": "Jane"}, {"success": True, "message": "Contact saved"}),
    ("chat/rate", {"score": 5}, {"success": True}),
    ("chat/rate/comment", {"comment": "Great!"}, {"success": True}),
]  # fmt: skip
GETS = [
    ("chat/history", {"success": True, "messages": ...}),
    ("chat/operator-messages", {"success": True, "messages": ..., "mode": "operator"}),
    ("chat/block-status", {"success": True, "blocked": False}),
    ("chat/pending-proactive", {"success": True, "messages": ...}),
]
QUESTION = {"message": "Do you ship to Canada?", "lang": "en", "message_id": "m_abc"}


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with open_app(tmp_path_factory.mktemp("reference")) as app:
        yield app


@pytest.fixture
def cast(app):
    return Cast(app)


@pytest.fixture
def jane(app, cast):
    return Visitor(app.test_client(), cast.site.site_key, SESSION)


def holds(answer, promised):
    """Whether an answer has every promised key, with the promised value."""
    values = answer.json
    return answer.status_code == 200 and all(
        name in values and (value is ... or values[name] == value) for name, value in promised.items()
    )


def read_data_lines(text):
    """What a client sees that reads only lines of `data: `, of the types the reference names."""
    found = [json.loads(line[6:]) for line in text.split("\n") if line.startswith("data: ")]
    return [event for event in found if event["type"] in ("chunk", "done")]


def test_the_stream_gives_chunks_and_a_final_event_with_the_conversation_id(app, jane):
    app.upstream.script(["Yes, ", "we do."])
    answer = jane.post("chat/stream", **QUESTION)
    assert answer.mimetype == "text/event-stream"
    *chunks, done = read_data_lines(answer.text)
    assert all(set(chunk) == {"type", "content"} for chunk in chunks)
    assert "".join(chunk["content"] for chunk in chunks) == "Yes, we do."
    assert done["type"] == "done"
    assert isinstance(done["meta"]["conversation_id"], int)


def test_the_stream_is_nothing_but_data_lines_for_a_client_that_does_not_ask_for_more(app, jane):
    """As printed: `data: {...}`, no ids, no comments; clients cut at blank lines and parse what follows `data: `."""
    app.upstream.script(["Yes, ", "we do."])
    blocks = jane.post("chat/stream", **QUESTION).text.removesuffix("\n\n").split("\n\n")
    assert [json.loads(block.removeprefix("data: "))["type"] for block in blocks[-1:]] == ["done"]
    assert all(block.startswith('data: {"type":"') and "\n" not in block for block in blocks)


@pytest.mark.parametrize(("path", "body", "promised"), POSTS)
def test_a_post_of_the_reference_is_answered_as_printed(jane, path, body, promised):
    jane.ask(**QUESTION)
    if path == "chat/rate/comment":
        assert jane.post("chat/rate", score=5).json == {"success": True}
    answer = jane.post(path, **body)
    assert holds(answer, promised), answer.text


@pytest.mark.parametrize(("path", "promised"), GETS)
def test_a_get_of_the_reference_is_answered_as_printed(cast, jane, path, promised):
    jane.ask(**QUESTION)
    cast.olga_proposes(jane, "Can I help?")
    cast.olga_says(jane, "Hello Jane")
    answer = jane.get(path)
    assert holds(answer, promised), answer.text
    if "messages" in promised:
        assert answer.json["messages"]


def test_an_image_of_the_multipart_field_image_gets_a_url(jane):
    answer = jane.upload(picture())
    assert holds(answer, {"success": True, "url": ...}), answer.text
    assert jane.client.get(answer.json["url"]).status_code == 200


def test_where_a_public_address_is_set_the_url_of_an_image_is_absolute_as_printed(tmp_path):
    with open_app(tmp_path, public_url="https://chat.example") as app:
        url = Cast(app).ann.upload(picture()).json["url"]
    assert url.startswith("https://chat.example/uploads/")


def test_no_endpoint_of_the_reference_needs_a_token(jane):
    assert all(jane.get(path).status_code == 200 for path, _ in GETS)
