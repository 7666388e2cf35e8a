"""Nudges: only where a rule is, as often as it says, never again once dismissed."""

from __future__ import annotations

import pytest

from vexar import nudge_rules

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def rule(backstage):
    """A rule for pages below /plain/lamps."""

    def replace(rules):
        backstage.parts.store.write(nudge_rules.replace, site_id=backstage.site_id, rules=rules)

    replace([{"path": "/plain/lamps*", "delay_seconds": 0, "variants": [{"message": "Lamps are 20 % off", "weight": 1}],
              "frequency": "always"}])  # fmt: skip
    yield
    replace([])


def reported(backstage):
    from vexar.models import NudgeEvent

    return [row.event for row in backstage.parts.store.read(lambda tx: tx.all(NudgeEvent.select(NudgeEvent)))]


def test_on_a_page_without_a_rule_nothing_is_asked_and_nothing_stored(open_page):
    chat = open_page()
    chat.page.wait_for_load_state("networkidle")
    assert not any("proactive" in request.url or "panel.js" in request.url for request in chat.requests)
    assert chat.page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_a_nudge_is_shown_reported_and_opens_the_chat(open_page, backstage):
    chat = open_page("plain/lamps")
    chat.find(".nudge .text").get_by_text("Lamps are 20 % off").click()
    chat.text.wait_for()
    chat.until(lambda: {"shown", "clicked"} <= set(reported(backstage)), "the reports")
    assert chat.find(".nudge").count() == 0


def test_a_dismissed_nudge_does_not_come_back(open_page, backstage):
    chat = open_page("plain/lamps")
    chat.find(".nudge .icon").click()
    chat.until(lambda: "dismissed" in reported(backstage), "the report")
    chat.page.reload()
    chat.button.wait_for()
    chat.page.wait_for_load_state("networkidle")
    assert chat.find(".nudge").count() == 0
