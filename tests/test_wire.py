"""The reader of an upstream's body: every legal shape of a stream, the usual odd ones, and nonsense."""

from __future__ import annotations

import json

import pytest

from tests.upstream import chunk, usage
from vexar.providers import wire
from vexar.providers.wire import Reader, WireError, Words


def data(value: object, **options: object) -> bytes:
    """One SSE event."""
    return b"data: " + json.dumps(value, **options).encode() + b"\n\n"


def said(*parts: bytes) -> str:
    """The text of a body that comes in these parts."""
    reader = Reader()
    deltas = [delta for part in parts for delta in reader.feed(part)] + reader.end()
    return "".join(delta.text for delta in deltas)


def one(value: object) -> wire.Delta:
    """The only delta of a stream of one event."""
    (delta,) = Reader().feed(data(value))
    return delta


def test_a_regular_stream_is_read():
    reader = Reader()
    body = data(chunk(role="assistant", content="")) + data(chunk(content="Hi")) + data(chunk("stop"))
    deltas = reader.feed(body + data(usage(3, 4)) + b"data: [DONE]\n\n")
    assert [(delta.text, delta.finish, delta.usage) for delta in deltas] == [
        ("", "", None), ("Hi", "", None), ("", "stop", None), ("", "", (3, 4)),
    ]
    assert reader.is_done
    assert reader.skipped == 0


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=["lf", "crlf", "cr"])
def test_a_stream_is_the_same_wherever_the_reads_cut_it(end):
    lines = [
        b"\xef\xbb\xbf: hello", b"", b"event: message", b"id: 7", b"retry: 5",
        b"data:" + json.dumps(chunk(content="größer\u2028 \x85"), ensure_ascii=False).encode(), b"",
        b"data: " + json.dumps(chunk(content="\U0001f600 日本")).encode(), b"",
        b"data: {", b'data: "choices": [{"delta":', b'data: {"content": " many"}}]', b"data: }", b"",
        b"data:   [DONE]  ", b"",
    ]
    body = end.join(lines) + end
    expected = "größer\u2028 \x85\U0001f600 日本 many"
    assert said(body) == expected
    for place in range(len(body)):
        assert said(body[:place], body[place:]) == expected
    assert said(*(body[place:place + 1] for place in range(len(body)))) == expected


def test_events_need_no_blank_line_between_them():
    body = data(chunk(content="one ")).rstrip() + b"\n" + data(chunk(content="two")).rstrip()
    assert said(body) == "one two"


def test_an_event_is_known_as_soon_as_its_line_ends():
    assert [delta.text for delta in Reader().feed(data(chunk(content="now")).rstrip() + b"\n")] == ["now"]


def test_nothing_counts_after_done():
    assert said(data(chunk(content="yes")) + b"data: [DONE]\n\n" + data(chunk(content=" no"))) == "yes"


@pytest.mark.parametrize(("content", "text"), [
    ("text", "text"), (None, ""), ("", ""), (5, ""), ({}, ""),
    ([{"type": "text", "text": "a"}, {"type": "image_url"}, {"text": "b"}, "c", None, {"text": 5}], "abc"),
])
def test_content_is_text_or_a_list_of_parts(content, text):
    assert one(chunk(content=content)).text == text


@pytest.mark.parametrize("value", [
    {}, {"choices": None}, {"choices": {}}, {"choices": [None, 5]}, {"choices": [{}]}, {"choices": [{"delta": None}]},
    {"choices": [{"delta": [], "finish_reason": 5}]}, {"choices": [{"message": "x"}]}, {"usage": 5, "error": None},
    {"usage": {"prompt_tokens": None}}, {"usage": {"prompt_tokens": -1, "completion_tokens": 2}},
])
def test_objects_that_say_nothing_are_no_failure(value):
    delta = one(value)
    assert (delta.text, delta.finish, delta.usage, delta.error) == ("", "", None, "")


def test_only_the_first_of_several_choices_counts():
    choices = [{"index": 1, "delta": {"content": "no"}}, {"index": 0, "delta": {"content": "yes"}}]
    assert one({"choices": choices}).text == "yes"
    assert one({"choices": choices[:1]}).text == ""


def test_reasoning_and_tool_calls_are_life_but_not_text():
    for delta in (one(chunk(reasoning_content="hm")), one(chunk(tool_calls=[{"index": 0}]))):
        assert delta.is_alive
        assert delta.text == ""
    assert not one(chunk(role="assistant", content="")).is_alive


@pytest.mark.parametrize(("value", "word"), [
    ({"error": {"type": "insufficient_quota", "message": "sk-secret"}}, "insufficient_quota"),
    ({"error": "sk-secret"}, "error"), ({"error": {"code": "sk-secret-1"}}, "error"),
    ({"object": "error", "type": "server_error", "message": "sk-secret"}, "server_error"),
])
def test_an_error_is_named_by_its_type_and_never_quoted(value, word):
    assert one(value).error == word


def test_lines_that_are_no_json_are_skipped_and_counted():
    reader = Reader()
    body = b"data: {\"broken\n\nwhat\n" + data(chunk(content="good")) + b"data: [[[[\ndata: 5\n\nwhat\n"
    assert [delta.text for delta in reader.feed(body)] == ["good"]
    assert reader.end() == []
    assert reader.skipped == 5


def test_garbage_does_not_take_the_next_line_with_it():
    assert said(b"data: garbage\n" + data(chunk(content="good"))) == "good"


def test_deep_nesting_is_garbage_too():
    assert said(b"data: " + b'{"a":' * 200_000 + b"}" * 200_000 + b"\n\n" + data(chunk(content="good"))) == "good"


def test_a_broken_character_costs_only_itself():
    assert said(data(chunk(content="a?b")).replace(b"?", b"\xff")) == "a\ufffdb"


@pytest.mark.parametrize("indent", [None, 2])
def test_a_body_that_is_one_json_object_is_understood(indent):
    message = {"role": "assistant", "content": "all of it"}
    whole = {"choices": [{"message": message, "finish_reason": "length"}], "usage": usage(1, 2)["usage"]}
    reader = Reader()
    assert reader.feed(json.dumps(whole, indent=indent).encode()) == []
    (delta,) = reader.end()
    assert delta == wire.Delta("all of it", is_whole=True, is_alive=True, finish="length", usage=(1, 2))
    assert reader.skipped == 0


def test_a_body_that_is_a_page_says_nothing():
    reader = Reader()
    assert reader.feed(b"<html>\n<body>busy</body>\n</html>") == []
    assert reader.end() == []
    assert reader.skipped == 3


def test_a_line_of_a_million_characters_is_fine_in_small_parts():
    body = data(chunk(content="x" * 1_000_000))
    assert said(*(body[place:place + 4096] for place in range(0, len(body), 4096))) == "x" * 1_000_000


@pytest.mark.parametrize("part", [b"x" * 1000, b"x" * 999 + b"\n", b"data: " + b"x" * 999 + b"\n"],
                         ids=["line", "body", "event"])
def test_a_body_without_sense_does_not_fill_the_memory(part, monkeypatch):
    monkeypatch.setattr(wire, "MAX_LINE_BYTES", 10_000)
    with pytest.raises(WireError):
        said(*[part] * 20)


@pytest.mark.parametrize(("parts", "text"), [
    (["a", "b"], "ab"), (["\ud83d", "\ude00"], "\U0001f600"), (["a\ud83d", "\ude00b"], "a\U0001f600b"),
    (["a\ud83d", "b"], "a\ufffdb"), (["\ude00"], "\ufffd"), (["a\ud83d"], "a\ufffd"), (["a\0b"], "a\ufffdb"),
    ([" ", "\n", "a", " ", "b "], " \na b "), ([" ", "\n"], ""), (["\ud83d"], ""), ([], ""),
])
def test_words_are_joined_and_made_storable(parts, text):
    words = Words()
    pieces = [words.add(part) for part in parts] + [words.end()]
    assert "".join(pieces) == text
    assert words.has_begun == bool(text)
