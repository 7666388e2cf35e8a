"""Calls of tools in every shape that endpoints write them, and what a provider makes of them by itself."""

from __future__ import annotations

import json
import threading

import pytest

from tests.conftest import config_for
from vexar.providers import REQUEST_OPERATOR, Prompt, Status, Text, Tool, ToolResult, Usage
from vexar.providers.calling import Calling
from vexar.providers.calls import MAX_ARGUMENTS_CHARS, MAX_CALLS, Calls, ToolCall, read_calls
from vexar.providers.openai import MAX_ROUNDS, OpenAIProvider


def part(name=None, arguments=None, **more):
    """One element of `tool_calls`."""
    function = {"name": name, "arguments": arguments}
    return {**more, "function": {key: value for key, value in function.items() if value is not None}}


def joined(*deltas):
    """(id, name, arguments) of the calls that these deltas make."""
    calls = Calls()
    for delta in deltas:
        calls.add(tuple(read_calls(delta)))
    return [(call.id, call.name, call.arguments) for call in calls.whole()]


@pytest.mark.parametrize(("deltas", "expected"), [
    # As the API documents it: the name first, arguments in pieces.
    ([[part("a", "", index=0, id="x")], [part(None, '{"q"', index=0)], [part(None, ":1}", index=0)]],
     [("x", "a", '{"q":1}')]),
    ([[part("a", "1", index=0, id="x"), part("b", "2", index=1, id="y")], [part(None, "3", index=1)]],
     [("x", "a", "1"), ("y", "b", "23")]),
    ([[part("a", "1", index=0, id="x")], [part("b", "2", index=1, id="y")], [part(None, "3", index=0)]],
     [("x", "a", "13"), ("y", "b", "2")]),
    # Whole calls, each numbered 0, or not at all.
    ([[part("a", "1", index=0, id="x")], [part("a", "2", index=0, id="y")]], [("x", "a", "1"), ("y", "a", "2")]),
    ([[part("a", "1", id="x"), part("b", "2", id="y")]], [("x", "a", "1"), ("y", "b", "2")]),
    ([[part("a", "1", id="x")], [part("b", "2", id="y")], [part(None, "3")]], [("x", "a", "1"), ("y", "b", "23")]),
    # Name and id said again with every piece; no id; an object for the arguments; none at all.
    ([[part("a", "1", index=0, id="x")], [part("a", "2", index=0, id="x")]], [("x", "a", "12")]),
    ([[part("a", "1", index=0), part("b", "2", index=1)]], [("call_0", "a", "1"), ("call_1", "b", "2")]),
    ([[part("a", {"q": "é"}, index=0, id="x")]], [("x", "a", '{"q": "é"}')]),
    ([[part("a", index=3, id="")]], [("call_0", "a", "")]),
    ([[part("a", "1", index="0", id=7)]], [("call_0", "a", "1")]),
    # No calls.
    ([None], []), ([{}], []), ([["x", None, {}, {"function": "f"}, {"function": {}}]], []),
    ([[part(None, "1", index=0)]], []), ([[part("", "1", index=0, id="x")]], []), ([[part(7, "1", index=0)]], []),
])  # fmt: skip
def test_the_parts_of_calls_are_joined(deltas, expected):
    assert joined(*deltas) == expected


def test_calls_are_bounded_in_number_and_length():
    assert len(joined([part("a", "", index=number, id=str(number)) for number in range(99)])) == MAX_CALLS
    pieces = [[part("a", "x" * 1_000, index=0, id="x")] for _ in range(99)]
    assert MAX_ARGUMENTS_CHARS < len(joined(*pieces)[0][2]) <= MAX_ARGUMENTS_CHARS + 1_000


def test_a_message_that_repeats_the_stream_adds_nothing():
    calls = Calls()
    calls.add([ToolCall(0, "x", "a", "{}")])
    calls.add([ToolCall(0, "x", "a", "{}"), ToolCall(1, "y", "b", "{}")], is_whole=True)
    assert [call.arguments for call in calls.whole()] == ["{}"]


class Recorder:
    """A tool that notes what it was called with."""

    def __init__(self, name="look", text="", doing="Looking"):
        self.asked: list = []
        self.hold = None
        self.result = ToolResult("seen", text, "ok")
        self.tool = Tool(
            name, "Looks.", self._call, parameters={"type": "object", "properties": {"q": {"type": "string"}}},
            read=json.loads, doing=doing,
        )

    def _call(self, params, **options):
        self.asked.append(params)
        if self.hold:
            self.hold(options)
        return self.result


@pytest.fixture
def answering(upstream, tmp_path):
    """`answering(*tools, **prompt)`: an answer of a provider that may call these tools."""
    provider = OpenAIProvider(config_for(tmp_path, ai_base_url=upstream.url))
    yield lambda *tools, **more: provider.answer(Prompt(question="Hi", tools=tools, **more))
    provider.close()


def calls_look(*arguments, **usage):
    def script(wire, body):
        wire.head()
        for index, text in enumerate(arguments):
            wire.delta(tool_calls=[part("look", text, index=index, id=f"c{index}")])
        wire.event({"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 5}})
        wire.done()

    return script


def test_each_round_is_a_request_with_everything_that_was_called_before(upstream, answering):
    tool = Recorder()
    upstream.script(calls_look('{"q":1}', '{"q":2}'), calls_look('{"q":3}'), ["So."])
    pieces = list(answering(tool.tool))
    assert tool.asked == [{"q": 1}, {"q": 2}, {"q": 3}]
    assert [piece for piece in pieces if isinstance(piece, Status)] == [Status("Looking")] * 2
    assert [piece.text for piece in pieces if isinstance(piece, Text)] == ["So."]
    # Three requests are paid for.
    assert [piece for piece in pieces if isinstance(piece, Usage)] == [Usage(27, 11)]
    roles = [message["role"] for message in upstream.requests[-1]["messages"]]
    assert roles == ["user", "assistant", "tool", "tool", "assistant", "tool"]
    first = upstream.requests[-1]["messages"][1]
    assert first["content"] is None
    assert [call["function"]["arguments"] for call in first["tool_calls"]] == ['{"q":1}', '{"q":2}']


def test_an_answer_that_is_not_streamed_may_call_too(upstream, answering):
    tool = Recorder()

    def whole(wire, body):
        called = [part("look", '{"q":1}', id="x", type="function")]
        message = {"role": "assistant", "content": None, "tool_calls": called}
        wire.json({"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]})

    upstream.script(whole, ["So."])
    assert [piece.text for piece in answering(tool.tool) if isinstance(piece, Text)] == ["So."]
    assert tool.asked == [{"q": 1}]


def test_the_last_request_names_the_tools_and_allows_none(upstream, answering):
    tool = Recorder()
    upstream.script(*(calls_look(json.dumps({"q": number})) for number in range(MAX_ROUNDS)), ["Enough."])
    list(answering(tool.tool))
    assert [(len(request["tools"]), request.get("tool_choice")) for request in upstream.requests] == [
        *[(1, None)] * MAX_ROUNDS, (1, "none"),
    ]  # fmt: skip


def test_without_people_their_tool_is_not_offered_but_the_others_are(upstream, answering):
    list(answering(Recorder(REQUEST_OPERATOR).tool, Recorder().tool, has_people=False))
    assert [tool["function"]["name"] for tool in upstream.requests[0]["tools"]] == ["look"]


def test_a_tool_that_crashes_is_told_and_the_answer_goes_on(upstream, answering):
    tool = Recorder()
    tool.hold = lambda options: 1 / 0
    upstream.script(calls_look('{"q":1}'), ["Sorry."])
    assert [piece.text for piece in answering(tool.tool) if isinstance(piece, Text)] == ["Sorry."]
    assert upstream.requests[1]["messages"][-1]["content"] == "This failed: a technical problem."


def test_cancelling_ends_what_is_watched_and_asks_nothing_more(upstream, answering):
    class End:
        def __init__(self):
            self.cancelled = threading.Event()

        def cancel(self):
            self.cancelled.set()

    end, tool = End(), Recorder()
    is_waiting = threading.Event()

    def hold(options):
        options["watch"](end)
        is_waiting.set()
        assert end.cancelled.wait(10)

    tool.hold = hold
    upstream.script(calls_look('{"q":1}'))
    answer = answering(tool.tool)
    found = []
    reading = threading.Thread(target=lambda: found.extend(answer))
    reading.start()
    assert is_waiting.wait(10)
    answer.cancel()
    assert end.cancelled.is_set()
    reading.join(10)
    assert (found, upstream.count) == ([Status("Looking")], 1)


def test_what_begins_after_the_end_is_ended_at_once():
    tool = Recorder()
    calling = Calling([tool.tool])
    planned = calling.plan([ToolCall(0, "x", "look", '{"q":1}')])
    calling.cancel()
    assert [result.outcome for result in calling.do(planned, deadline=0)] == ["failed"]
    assert tool.asked == []
