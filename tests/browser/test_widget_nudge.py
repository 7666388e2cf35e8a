"""Nudges: only where a rule is, as often as it says, never again once dismissed."""

from __future__ import annotations

import pytest

from vexar.nudges import nudge_rules
from vexar.nudges.nudges import _fits

pytestmark = pytest.mark.browser

LAMPS = {"path": "/plain/lamps*", "delay_seconds": 0, "frequency": "always",
         "variants": [{"message": "Lamps are 20 % off", "weight": 1}]}  # fmt: skip


@pytest.fixture
def rules(backstage):
    """`rules([...])`: the site's rules for this test."""

    def replace(found):
        backstage.parts.store.write(nudge_rules.replace, site_id=backstage.site_id, rules=found)

    replace([LAMPS])
    yield replace
    replace([])


@pytest.fixture
def reported(backstage):
    """What visitors did with nudges since the test began: (event, variant)."""
    from vexar.models import NudgeEvent

    def read():
        return [(row.event, row.variant) for row in
                backstage.parts.store.read(lambda tx: tx.all(NudgeEvent.select(NudgeEvent).order_by(NudgeEvent.id)))]

    before = len(read())
    return lambda: read()[before:]


def nudge(chat):
    return chat.find(".nudge .text")


def asked(chat):
    return sum("pending-proactive" in request.url for request in chat.requests)


def test_on_a_page_without_a_rule_nothing_is_asked_and_nothing_stored(open_page, rules):
    chat = open_page()
    chat.page.wait_for_load_state("networkidle")
    assert not any("proactive" in request.url or "panel.js" in request.url for request in chat.requests)
    assert chat.page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_a_nudge_is_shown_reported_and_opens_the_chat(open_page, rules, reported):
    chat = open_page("plain/lamps")
    nudge(chat).get_by_text("Lamps are 20 % off").click()
    chat.text.wait_for()
    chat.until(lambda: set(reported()) == {("shown", 0), ("clicked", 0)}, "the reports")
    assert chat.find(".nudge").count() == 0


def test_a_dismissed_nudge_does_not_come_back(open_page, rules, reported):
    chat = open_page("plain/lamps")
    chat.find(".nudge .icon").click()
    chat.until(lambda: ("dismissed", 0) in reported(), "the report")
    chat.page.reload()
    chat.until(lambda: asked(chat) == 2, "the second question")
    chat.page.wait_for_load_state("networkidle")
    assert chat.find(".nudge").count() == 0


def test_a_nudge_that_comes_once_does_not_come_twice(open_page, rules, reported):
    rules([{**LAMPS, "frequency": "once"}])
    chat = open_page("plain/lamps")
    nudge(chat).wait_for()
    chat.until(lambda: ("shown", 0) in reported(), "the report")
    chat.page.reload()
    chat.until(lambda: asked(chat) == 2, "the second question")
    chat.page.wait_for_load_state("networkidle")
    assert chat.find(".nudge").count() == 0


def test_a_nudge_waits_for_its_delay_and_not_on_another_page(open_page, rules):
    rules([{**LAMPS, "delay_seconds": 1}])
    chat = open_page("plain/lamps")
    chat.until(lambda: asked(chat), "the question")
    chat.page.evaluate("history.pushState(0, '', '/plain/cups')")
    chat.page.wait_for_timeout(1500)
    assert chat.find(".nudge").count() == 0
    chat.page.evaluate("history.pushState(0, '', '/plain/lamps/red')")
    assert chat.find(".nudge").count() == 0
    nudge(chat).wait_for()


def test_nudges_and_the_page_told_follow_a_page_that_changes_without_loading(open_page, rules, backstage, upstream):
    from tests.browser.test_widget_conversation import visitor_of

    chat = open_page()
    chat.page.evaluate("history.pushState(0, '', '/plain/lamps')")
    nudge(chat).wait_for()
    chat.page.evaluate("history.pushState(0, '', '/plain/cups')")
    chat.until(lambda: chat.find(".nudge").count() == 0, "the nudge to go with its page")
    chat.open()
    chat.ask("hi")
    chat.settled()
    assert visitor_of(backstage, chat).page_url == f"{chat.host.url}/plain/cups"


def test_a_visitor_keeps_the_variant_drawn_first(open_page, rules, reported):
    rules([{**LAMPS, "variants": [{"message": f"Text {number}", "weight": 1} for number in range(5)]}])
    chat = open_page("plain/lamps")
    nudge(chat).wait_for()
    first = nudge(chat).inner_text()
    for _ in range(2):
        chat.page.reload()
        nudge(chat).wait_for()
        assert nudge(chat).inner_text() == first
    chat.until(lambda: len(reported()) == 3, "the reports")
    assert len({variant for _, variant in reported()}) == 1


def test_the_page_may_show_a_text_of_its_own(open_page):
    chat = open_page()
    chat.page.evaluate("Vexar.nudge('<b>Need</b> help?')")
    nudge(chat).get_by_text("<b>Need</b> help?").click()
    chat.text.wait_for()


def test_the_widget_and_the_server_agree_which_pages_a_rule_fits(open_page, host):
    cases = [("/plain/lamps*", "/plain/lamps/red"), ("/a/", "/a"), ("/a", "/a/"), ("/", "/"), ("*", "/x"),
             ("/a.b", "/axb"), ("/a(b)", "/a(b)"), ("/a*z", "/a/b/z"), ("/a", "/ab"), ("/a+", "/aa")]  # fmt: skip
    page = open_page().page
    found = page.evaluate("""async ([base, cases]) => {
      const { fits } = await import(base + "/widget/rules.js");
      return cases.map(([rule, path]) => fits(rule, path)); }""", [host.base, cases])
    assert found == [_fits(rule, path) for rule, path in cases]
