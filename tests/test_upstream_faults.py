"""Every fault of the upstream through the whole server: each ends in the promised way, and the next message works.

The time-outs are short; what a test waits for is the end, never a clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from app import create_app
from tests.conftest import add_site, config_for
from tests.upstream import SCRIPTS, Upstream, refused_url
from tests.wire import all_at_once, ask, history
from vexar.knowledge.index import Entry, add_entries

SHORT = {
    "ai_connect_timeout_s": 1, "ai_first_token_timeout_s": 0.3, "ai_token_timeout_s": 0.3, "ai_answer_timeout_s": 2,
}
# Before the first token nothing was said: the code of the error.
BEFORE = {
    "silent": "upstream_timeout", "silent_after_head": "upstream_timeout", "dripping": "upstream_timeout",
    "status_429": "upstream_unavailable", "status_429_later": "upstream_unavailable",
    "status_500": "upstream_unavailable", "status_400": "upstream_rejected", "empty": "upstream_empty",
}
# After it the two words "one two " are kept: the code of the error.
AFTER = {
    "silent_mid_stream": "upstream_timeout", "comments_mid_stream": "upstream_timeout",
    "cut_mid_stream": "upstream_broken", "reset_mid_stream": "upstream_broken", "short_length": "upstream_broken",
    "error_object": "upstream_broken",
}
# Odd, and whole all the same: the text and how it ends.
WHOLE = {
    "garbage_line": ("good again", "stop"), "split_utf8": ("größer 日本 \U0001f600", "stop"),
    "crlf": ("one two", "stop"), "no_done": ("one two ", "stop"), "huge_token": ("x" * 16_000, "length"),
    "close_framed": ("Answer to [[close_framed]]: one two three four five.", "stop"),
    "not_streamed": ("Answer to [[not_streamed]]: one two three four five.", "stop"),
}
# A refusal that may pass is tried twice again.
ASKED = {"status_429": 3, "status_500": 3}


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[SimpleNamespace]:
    """Every fault met at the same time, each by a visitor of its own, who then sends another message.

    `told[name]`, `after[name]`: both answers; `stored[name]`: the history in between; `asked[name]`: how often.
    """
    with Upstream() as upstream, closing(_app(tmp_path_factory.mktemp("faults"), upstream)) as parts:
        client = parts.app.test_client()
        names = list(SCRIPTS)
        met = all_at_once([lambda name=name: _meet(client, name) for name in names])
        asked = {name: sum(f"[[{name}]]" in question for question in upstream.questions) for name in names}
        yield SimpleNamespace(
            told={name: told for name, (told, _, _) in zip(names, met, strict=True)},
            stored={name: stored for name, (_, stored, _) in zip(names, met, strict=True)},
            after={name: after for name, (_, _, after) in zip(names, met, strict=True)},
            asked=asked,
        )


def _app(folder: Path, upstream: Upstream) -> SimpleNamespace:
    app = create_app(config_for(folder, ai_base_url=upstream.url, ai_fallback=False, **SHORT))
    add_site(app.extensions["vexar"].store)
    return SimpleNamespace(app=app, close=app.extensions["vexar"].close)


def _meet(client: object, name: str) -> tuple:
    told = ask(client, f"[[{name}]]", "m1", session=name)
    return told, history(client, name), ask(client, "And now?", "m2", session=name)


def test_every_fault_has_its_ending_here():
    assert {*BEFORE, *AFTER, *WHOLE} == set(SCRIPTS)


@pytest.mark.parametrize("name", BEFORE)
def test_a_fault_before_the_first_token_is_an_error_without_a_reply(served, name):
    told = served.told[name]
    assert told.types == ["error", "done"]
    assert told.events[0]["code"] == BEFORE[name]
    assert told.events[0]["error"]
    assert (told.done["finish_reason"], told.done["reply_id"]) == ("error", None)
    assert len(served.stored[name]) == 1
    assert served.asked[name] == ASKED.get(name, 1)


@pytest.mark.parametrize("name", AFTER)
def test_a_fault_after_the_first_token_keeps_what_was_said_as_interrupted(served, name):
    told = served.told[name]
    assert told.types == ["chunk", "error", "done"]
    assert (told.text, told.events[-2]["code"]) == ("one two ", AFTER[name])
    assert (told.done["finish_reason"], told.done["reply_id"]) == ("error", 2)
    reply = served.stored[name][1]
    assert (reply["content"], reply["status"]) == ("one two ", "interrupted")
    assert served.asked[name] == 1
    assert "sk-secret" not in str(told.raw)


@pytest.mark.parametrize("name", WHOLE)
def test_an_odd_stream_is_a_whole_answer(served, name):
    told = served.told[name]
    assert (told.text, told.done["finish_reason"]) == WHOLE[name]
    assert told.types == ["chunk", "done"]
    assert [(reply["content"], reply["status"]) for reply in served.stored[name][1:]] == [(told.text, "complete")]


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_next_message_works_after_a_fault(served, name):
    assert served.after[name].text == "Answer to And now?: one two three four five."
    assert served.after[name].done["finish_reason"] == "stop"


@pytest.fixture
def client(make_app, upstream) -> object:
    """A client of the app with short time-outs and no fallback."""
    return make_app(ai_base_url=upstream.url, ai_fallback=False, **SHORT).test_client()


def test_a_fault_that_passes_is_never_seen(client, upstream):
    upstream.script("status_500", "status_429", ["here"])
    assert ask(client, message_id="m1").text == "here"
    assert upstream.count == 3


def test_nobody_who_listens_is_an_error_of_the_upstream(make_app):
    client = make_app(ai_base_url=refused_url(), ai_fallback=False, **SHORT).test_client()
    told = ask(client, message_id="m1")
    assert (told.types, told.events[0]["code"]) == (["error", "done"], "upstream_unavailable")


def test_an_answer_that_never_ends_is_ended(make_app, upstream):
    client = make_app(ai_base_url=upstream.url, **{**SHORT, "ai_answer_timeout_s": 0.4}).test_client()
    upstream.delay_s = 0.05
    upstream.script(["word "] * 1000)
    told = ask(client, message_id="m1")
    assert told.types == ["chunk", "error", "done"]
    assert told.events[-2]["code"] == "upstream_timeout"


@pytest.mark.parametrize("name", ["status_400", "status_500", "empty", "refused"])
def test_before_the_first_token_the_builtin_answerer_takes_over(make_app, upstream, name):
    app = make_app(ai_base_url=refused_url() if name == "refused" else upstream.url, **SHORT)
    add_entries(app.extensions["vexar"].store, 1, [
        Entry("faq", "Shipping", "Do you ship to Canada?", "Yes, we ship to Canada in five days.", "https://x.example/c"),
    ])
    upstream.script(*[name] * ASKED.get(name, 1))
    told = ask(app.test_client(), "Do you ship to Canada?", "m1")
    assert told.types == ["chunk", "done"]
    assert told.text == "Yes, we ship to Canada in five days."
    assert told.done["finish_reason"] == "stop"
    assert told.done["sources"] == [{"title": "Shipping", "url": "https://x.example/c"}]


def test_after_the_first_token_nobody_else_goes_on(make_app, upstream):
    client = make_app(ai_base_url=upstream.url, **SHORT).test_client()
    upstream.script("cut_mid_stream")
    told = ask(client, message_id="m1")
    assert told.types == ["chunk", "error", "done"]
    assert told.text == "one two "


def test_the_sources_of_the_knowledge_used_are_told_and_kept(make_app, upstream):
    app = make_app(ai_base_url=upstream.url)
    add_entries(app.extensions["vexar"].store, 1, [
        Entry("faq", "Shipping", "Do you ship to Canada?", "Yes, we ship to Canada.", "https://x.example/c"),
        Entry("custom", "Bread", "", "Sourdough takes a day.", "https://x.example/b"),
    ])
    client = app.test_client()
    told = ask(client, "Do you ship to Canada?", "m1")
    assert {"title": "Shipping", "url": "https://x.example/c"} in told.done["sources"]
    assert history(client)[1]["sources"] == told.done["sources"]
    assert ask(client, "Do you ship to Canada?", "m1").done["sources"] == told.done["sources"]
