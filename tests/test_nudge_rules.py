"""Nudges as operators see them: rules, variants that stick to a visitor, figures that can be begun anew."""

from __future__ import annotations

import json

import pytest

from tests.cast import API, Cast, open_app
from tests.desk import Desk
from vexar.cli import main
from vexar.models import NudgeRule
from vexar.nudges.nudge_rules import _numbered

CART = {"path": "/cart", "delay_seconds": 5, "frequency": "always", "variants": [
    {"message": "A", "weight": 1}, {"message": "B", "weight": 1},
]}  # fmt: skip


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with open_app(tmp_path_factory.mktemp("rules")) as app:
        yield app


@pytest.fixture
def cast(app):
    return Cast(app)


@pytest.fixture
def edda(cast):
    return Desk(cast.client, cast.store, cast.site.id, name="Edda", can_edit=1)


@pytest.fixture
def path(cast):
    return f"sites/{cast.site.id}/nudge"


def shown(visitor, page="/cart"):
    """The variant a visitor gets on a page, as (number, words), after it was shown; None for none."""
    query = {**visitor.scope, "path": page}
    found = visitor.client.get(f"{API}/chat/pending-proactive", query_string=query).json["messages"]
    if not found:
        return None
    visitor.post("proactive/event", event="shown", rule_path=found[0]["rule_path"])
    return found[0]["variant"], found[0]["content"]


def figures(edda, path) -> dict:
    """(impressions, clicks, dismissals, conversions) per (path, variant)."""
    rules = edda.get(f"{path}/analytics").json["rules"]
    names = ("impressions", "clicks", "dismissals", "conversions")
    return {
        (rule["path"], one["message"]): tuple(one[name] for name in names)
        for rule in rules for one in rule["variants"]
    }


def test_rules_are_set_read_and_sent_back_as_they_are(edda, path):
    other = {"path": "/blog/*", "variants": [{"message": "Hi"}]}
    rules = edda.put(f"{path}/rules", rules=[CART, other]).json["rules"]
    assert [rule["path"] for rule in rules] == ["/cart", "/blog/*"]
    assert rules[0]["variants"] == [{"id": 0, "message": "A", "weight": 1}, {"id": 1, "message": "B", "weight": 1}]
    assert rules[1]["frequency"] == "once"
    assert edda.get(f"{path}/rules").json["rules"] == rules
    assert edda.put(f"{path}/rules", rules=rules).json["rules"] == rules
    assert edda.put(f"{path}/rules", rules=[]).json["rules"] == []


@pytest.mark.parametrize("rule", [
    {"path": "cart"}, {"path": ""}, {"path": "/" * 501}, {"variants": []}, {"variants": [{"message": " "}]},
    {"variants": [{"message": "A", "weight": 0}]}, {"delay_seconds": -1}, {"delay_seconds": 3601},
    {"frequency": "hourly"}, {"color": "red"}, {"variants": [{"message": "A", "id": 1}, {"message": "B", "id": 1}]},
    {"variants": [{"message": "A"}] * 21},
])  # fmt: skip
def test_a_wrong_rule_is_refused_by_the_api_and_the_command_alike(edda, path, capsys, rule):
    before = edda.get(f"{path}/rules").json
    refused = edda.put(f"{path}/rules", rules=[{**CART, **rule}])
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["rules"])
    assert edda.get(f"{path}/rules").json == before
    with pytest.raises(SystemExit) as problem:
        main(["nudge", "--site", "sk_demo", "--rules", json.dumps([{**CART, **rule}])])
    assert problem.value.code == 2


def test_two_rules_of_one_path_are_refused(edda, path):
    refused = edda.put(f"{path}/rules", rules=[CART, {**CART, "path": "/cart/"}])
    assert "twice" in refused.json["errors"]["rules"]


def test_a_visitor_keeps_what_it_was_shown_when_weights_order_and_others_change(cast, edda, path):
    edda.put(f"{path}/rules", rules=[CART])
    visitors = [cast.visitor() for _ in range(12)]
    first = [shown(visitor) for visitor in visitors]
    assert {words for _, words in first} == {"A", "B"}
    changed = {**CART, "variants": [
        {"message": "C", "weight": 900}, {"message": "B", "weight": 1}, {"message": "A", "weight": 500},
    ]}  # fmt: skip
    edda.put(f"{path}/rules", rules=[changed])
    assert [shown(visitor) for visitor in visitors] == first
    # Whoever comes new is drawn by the new weights; the new variant has a number that nobody had.
    assert {shown(cast.visitor()) for _ in range(12)} >= {(2, "C")}


def test_words_may_be_mended_without_becoming_another_variant(cast, edda, path):
    edda.put(f"{path}/rules", rules=[{**CART, "variants": [{"message": "Teh lamp"}]}])
    assert shown(cast.ann) == (0, "Teh lamp")
    edda.put(f"{path}/rules", rules=[{**CART, "variants": [
        {"message": "New", "weight": 900}, {"message": "The lamp", "id": 0},
    ]}])  # fmt: skip
    assert shown(cast.ann) == (0, "The lamp")


def test_a_visitor_whose_variant_is_gone_is_drawn_anew_and_keeps_that(cast, edda, path):
    edda.put(f"{path}/rules", rules=[{**CART, "variants": [{"message": "Old"}]}])
    assert shown(cast.ann) == (0, "Old")
    edda.put(f"{path}/rules", rules=[CART])
    # The number of the old one is not given again, or its figures would be mixed with another's.
    number, words = shown(cast.ann)
    assert number in (1, 2)
    edda.put(f"{path}/rules", rules=[{**CART, "variants": CART["variants"][::-1]}])
    assert shown(cast.ann) == (number, words)


def test_a_number_stays_used_after_its_rule_was_away(cast, edda, path):
    edda.put(f"{path}/rules", rules=[{**CART, "variants": [{"message": "Old"}]}])
    shown(cast.ann)
    edda.put(f"{path}/rules", rules=[])
    edda.put(f"{path}/rules", rules=[{**CART, "variants": [{"message": "New"}]}])
    assert edda.get(f"{path}/rules").json["rules"][0]["variants"][0]["id"] == 1


def test_numbers_told_win_over_words():
    before = [{"id": 0, "message": "A", "weight": 1}, {"id": 1, "message": "B", "weight": 1}]
    swapped = [{"message": "A", "id": 1}, {"message": "B", "id": 0}]
    assert [one["id"] for one in _numbered(swapped, before, -1)] == [1, 0]
    assert [one["id"] for one in _numbered([{"message": "A"}, {"message": "B", "id": 0}], before, 6)] == [7, 0]
    assert [one["id"] for one in _numbered([{"message": "B", "id": 77}], before, -1)] == [1]


def test_rules_of_the_first_release_are_numbered_by_place(cast, edda, path):
    edda.put(f"{path}/rules", rules=[CART])
    plain = json.dumps([{"message": "X"}, {"message": "Y", "weight": 3}])
    cast.store.write(lambda tx: tx.run(NudgeRule.update(variants=plain).where(NudgeRule.site_id == cast.site.id)))
    assert edda.get(f"{path}/rules").json["rules"][0]["variants"] == [
        {"id": 0, "message": "X", "weight": 1}, {"id": 1, "message": "Y", "weight": 3},
    ]  # fmt: skip


def test_figures_count_impressions_clicks_dismissals_and_who_wrote_afterwards(cast, edda, path):
    edda.put(f"{path}/rules", rules=[{**CART, "variants": [{"message": "A"}]}, {**CART, "path": "/other"}])
    wrote_before = cast.visitor()
    wrote_before.ask("Hello")
    for visitor in (cast.ann, cast.ben, wrote_before):
        shown(visitor)
    shown(cast.ann)
    cast.ann.post("proactive/event", event="clicked", rule_path="/cart")
    cast.ben.post("proactive/event", event="dismissed", rule_path="/cart")
    cast.ann.ask("Yes please")
    cast.ann.ask("And more")
    found = figures(edda, path)
    # ann was shown it twice and counts once as somebody who wrote.
    assert found["/cart", "A"] == (4, 1, 1, 1)
    assert found["/other", "A"] == (0, 0, 0, 0)
    rule = edda.get(f"{path}/analytics").json["rules"][0]
    assert (rule["impressions"], rule["conversions"], rule["is_current"]) == (4, 1, True)


def test_figures_of_what_is_no_more_are_still_told(cast, edda, path):
    edda.put(f"{path}/rules", rules=[CART])
    number, _ = shown(cast.ann)
    edda.put(f"{path}/rules", rules=[])
    (rule,) = edda.get(f"{path}/analytics").json["rules"]
    assert (rule["path"], rule["is_current"], rule["impressions"]) == ("/cart", False, 1)
    assert (rule["variants"][0]["id"], rule["variants"][0]["message"]) == (number, None)


def test_beginning_anew_forgets_figures_and_neither_dismissals_nor_frequencies(cast, edda, path):
    once = {**CART, "path": "/once", "frequency": "once"}
    edda.put(f"{path}/rules", rules=[CART, once])
    shown(cast.ann, "/once")
    cast.ben.post("proactive/event", event="dismissed", rule_path="/cart")
    kept = shown(cast.visitor())
    count = len(cast.rows("nudge_event")["nudge_event"])
    assert edda.delete(f"{path}/analytics").json == {"success": True}
    assert set(figures(edda, path).values()) == {(0, 0, 0, 0)}
    assert (shown(cast.ann, "/once"), shown(cast.ben)) == (None, None)
    assert kept is not None
    assert len(cast.rows("nudge_event")["nudge_event"]) == count
    shown(cast.visitor())
    assert sum(row[0] for row in figures(edda, path).values()) == 1
    assert "nudge_figures_after_id" not in edda.get(f"sites/{cast.site.id}/chatbot").json["config"]


def test_figures_of_another_site_stay_apart(cast, edda, path):
    edda.put(f"{path}/rules", rules=[CART])
    shown(cast.ann)
    oscar = Desk(cast.client, cast.store, cast.elsewhere.id, name="Oscar", can_edit=1)
    assert oscar.get(f"sites/{cast.elsewhere.id}/nudge/analytics").json["rules"] == []
    assert oscar.get(f"{path}/analytics").status_code == oscar.put(f"{path}/rules", rules=[]).status_code == 404


def test_who_may_only_chat_changes_nothing(cast, edda, path):
    edda.put(f"{path}/rules", rules=[CART])
    carl = Desk(cast.client, cast.store, cast.site.id, name="Carl", can_view_conversations=0, can_edit=0)
    answers = (carl.get(f"{path}/rules"), carl.put(f"{path}/rules", rules=[]), carl.get(f"{path}/analytics"),
               carl.delete(f"{path}/analytics"))  # fmt: skip
    assert [answer.status_code for answer in answers] == [403] * 4
    assert len(edda.get(f"{path}/rules").json["rules"]) == 1
