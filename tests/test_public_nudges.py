"""Proactive messages: by rule without storing anything, by a person handed out once, and what became of them."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.cast import API, Cast, open_app
from vexar.models import NudgeEvent
from vexar.nudges import nudges
from vexar.nudges.nudge_rules import replace
from vexar.nudges.nudges import DAY_MS, variant_of

RULES = [
    {"path": "/cart", "delay_seconds": 5, "variants": [{"message": "Questions?"}], "frequency": "once"},
    {"path": "/blog/*", "variants": [{"message": "A", "weight": 3}, {"message": "B"}], "frequency": "always"},
    {"path": "/daily", "variants": [{"message": "Good day"}], "frequency": "daily"},
]


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with open_app(tmp_path_factory.mktemp("nudges")) as app:
        yield app


@pytest.fixture
def cast(app):
    cast = Cast(app)
    cast.store.write(replace, site_id=cast.site.id, rules=RULES)
    return cast


def pending(visitor, page=None, **query):
    """The messages of pending-proactive for a page."""
    query |= {"path": page} if page else {}
    return visitor.client.get(f"{API}/chat/pending-proactive", query_string={**visitor.scope, **query}).json["messages"]


def events(cast):
    """What was written down on the site, oldest first."""
    query = NudgeEvent.select(NudgeEvent).where(NudgeEvent.site_id == cast.site.id).order_by(NudgeEvent.id)
    return cast.store.read(lambda tx: tx.all(query))


def test_rules_are_evaluated_for_sessions_nobody_has_seen_and_nothing_is_stored(cast):
    before = cast.rows()
    (message,) = pending(cast.ann, "/cart")
    assert message | {"created_at": None} == {
        "id": None, "content": "Questions?", "rule_path": "/cart", "variant": 0, "delay_seconds": 5,
        "created_at": None,
    }  # fmt: skip
    assert cast.rows() == before


@pytest.mark.parametrize(("page", "count"), [
    ("/cart", 1), ("/cart/", 1), ("/cart/x", 0), ("/CART", 0), ("/blog/2026/x", 1), ("/blog", 0), ("/", 0), (None, 0),
])  # fmt: skip
def test_a_rule_fits_its_path_and_star_any_characters(cast, page, count):
    assert len(pending(cast.ann, page)) == count


@pytest.mark.parametrize(("pattern", "path", "is_one"), [
    ("*", "/", True), ("/a*a", "/a", False), ("/a*a", "/aa", True), ("/*/x", "/a/b/x", True), ("/*x*", "/ax", True),
    ("*a*b*", "/b/a", False), ("*a*b*", "/a\n/b", True), ("/a**b", "/ab", True), ("/.*", "/xy", False),
    ("*/end", "/the/end/", True), ("/*", "/", True), ("/a*b", "/ab/b/c", False),
])  # fmt: skip
def test_stars_stand_for_any_run_of_characters(pattern, path, is_one):
    assert nudges._fits(pattern, path) is is_one


def test_a_long_path_costs_no_more_than_a_look_at_it():
    """A regular expression takes minutes for this one."""
    assert not nudges._fits("/*/*/*/*/*/cart", "/a" * 1000)


def test_the_variant_sticks_and_the_weights_decide_how_many_get_which(cast):
    visitors = [cast.visitor() for _ in range(60)]
    drawn = [pending(visitor, "/blog/x")[0] for visitor in visitors]
    again = [pending(visitor, "/blog/y")[0] for visitor in visitors]
    assert [one["variant"] for one in again] == [one["variant"] for one in drawn]
    assert {(one["variant"], one["content"]) for one in drawn} == {(0, "A"), (1, "B")}
    counts = Counter(variant_of(f"sess_{number}", "/blog/*", [3, 1]) for number in range(4000))
    assert 2800 < counts[0] < 3200


def test_a_visitor_draws_anew_for_each_rule():
    drawn = {tuple(variant_of(f"sess_{number}", path, [1, 1]) for path in ("/a", "/b")) for number in range(60)}
    assert drawn == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_rules_of_another_site_are_not_given(cast):
    assert pending(cast.stranger, "/cart") == []


@pytest.mark.parametrize("event", ["shown", "clicked"])
def test_a_nudge_that_was_shown_once_comes_not_again_where_its_frequency_is_once(cast, event):
    assert cast.ann.post("proactive/event", event=event, rule_path="/cart").json == {"success": True}
    assert pending(cast.ann, "/cart") == []
    assert len(pending(cast.ben, "/cart")) == 1


def test_a_daily_one_comes_again_the_next_day_and_an_always_one_at_once(cast):
    for rule in ("/blog/*", "/daily"):
        cast.ann.post("proactive/event", event="shown", rule_path=rule)
    assert (len(pending(cast.ann, "/blog/x")), len(pending(cast.ann, "/daily"))) == (1, 0)
    cast.store.write(lambda tx: tx.run(NudgeEvent.update(created_ms=NudgeEvent.created_ms - DAY_MS)))
    assert len(pending(cast.ann, "/daily")) == 1


def test_a_dismissed_nudge_never_comes_back(cast):
    cast.ann.post("proactive/event", event="dismissed", rule_path="/blog/*")
    assert pending(cast.ann, "/blog/x") == []


def test_what_became_of_a_nudge_is_written_down_with_its_variant(cast):
    variant = pending(cast.ann, "/blog/x")[0]["variant"]
    cast.ann.post("proactive/event", event="clicked", rule_path="/blog/*")
    (row,) = events(cast)
    assert (row.event, row.rule_path, row.variant, row.message_seq) == ("clicked", "/blog/*", variant, None)
    assert row.visitor_id == cast.row(cast.ann).id


def test_what_became_of_a_persons_message_is_written_down_with_its_number(cast):
    number = cast.olga_proposes(cast.ann, "May I help?")
    cast.ann.post("proactive/event", event="shown", id=number)
    (row,) = events(cast)
    assert (row.event, row.rule_path, row.message_seq) == ("shown", "", number)


def test_nothing_is_written_about_a_nudge_that_is_none(cast):
    cast.ann.ask()
    for fields in ({"rule_path": "/not-a-rule"}, {"id": 1}, {"id": 99}, {"rule_path": "/x" * 100, "id": 1}):
        assert cast.ann.post("proactive/event", event="shown", **fields).json == {"success": True}
    assert events(cast) == []


def test_what_one_visitor_did_is_written_down_up_to_a_bound(cast, monkeypatch):
    monkeypatch.setattr(nudges, "MAX_EVENTS", 2)
    for _ in range(4):
        assert cast.ann.post("proactive/event", event="shown", rule_path="/blog/*").json == {"success": True}
    cast.ben.post("proactive/event", event="shown", rule_path="/blog/*")
    assert [row.visitor_id for row in events(cast)] == [cast.row(cast.ann).id] * 2 + [cast.row(cast.ben).id]


def test_an_event_names_a_rule_or_a_message(cast):
    answer = cast.ann.post("proactive/event", event="shown")
    assert (answer.status_code, set(answer.json["errors"])) == (422, {"rule_path", "id"})


# A person's proactive message.


def test_a_persons_message_reaches_a_visitor_who_has_not_written_yet(cast):
    number = cast.olga_proposes(cast.ann, "May I help?")
    (message,) = pending(cast.ann)
    assert (message["id"], message["content"], message["rule_path"]) == (number, "May I help?", None)


def test_without_a_cursor_it_is_handed_out_once(cast):
    cast.olga_proposes(cast.ann, "one")
    assert [message["content"] for message in pending(cast.ann)] == ["one"]
    assert pending(cast.ann) == []


def test_with_a_cursor_it_is_a_pure_read(cast):
    cast.olga_proposes(cast.ann, "one")
    cast.olga_proposes(cast.ann, "two")
    before = cast.rows()
    assert [message["content"] for message in pending(cast.ann, since=0)] == ["one", "two"]
    assert [message["content"] for message in pending(cast.ann, since=1)] == ["two"]
    assert cast.ann.get("chat/pending-proactive", since=0).json["cursor"] == 2
    assert cast.rows() == before


def test_a_history_page_has_shown_it_too(cast):
    cast.olga_proposes(cast.ann, "one")
    cast.ann.history()
    assert pending(cast.ann) == []


def test_the_mark_stays_when_the_answer_is_not_written(cast):
    cast.olga_proposes(cast.ann, "one")
    answer = cast.client.get(f"{API}/chat/pending-proactive", query_string=cast.ann.scope, buffered=False)
    next(iter(answer.response))
    answer.close()
    assert len(pending(cast.ann)) == 1
