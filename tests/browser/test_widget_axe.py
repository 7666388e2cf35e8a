"""axe-core finds nothing to object to, in any state of the widget, whatever it looks like; nor do strict policies."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.states import LIMITS, STATES, Stage, prepare
from tests.cast import add, operator_row

pytestmark = pytest.mark.browser

SERVER_SETTINGS = LIMITS
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
LOOKS = [(scheme, size) for size in (DESKTOP, PHONE) for scheme in ("light", "dark")]
MIN_AXE = (4, 10)
# The initial in the face, taken for an icon; what the open menu covers; cells that wait to be scrolled to.
NOT_SEEN = {"shortTextContent", "bgOverlap", "elmPartiallyObscured"}


@pytest.fixture(scope="module")
def olga(backstage):
    prepare(backstage)
    return add(backstage.parts.store, operator_row("Olga"))[0]


@pytest.fixture
def stage_of(open_page, backstage, upstream, olga, tmp_path):
    """`stage_of(page name, lang)`: a page of the site to bring into a state."""
    stages = []

    def make(name="plain", lang="en"):
        stages.append(Stage(open_page(name), backstage, upstream, olga, tmp_path, lang))
        return stages[-1]

    yield make
    for stage in stages:
        stage.gate.set()


def objections(page):
    """What axe finds with every rule it has, best practices included; a contrast it could not decide counts, too."""
    # The widget stands beside the body, where nothing of the page reaches it; axe sees contrasts inside the body only.
    page.evaluate("document.body.moveBefore(document.querySelector('vexar-chat'), null)")
    found = Axe().run(page, options={"resultTypes": ["violations", "incomplete", "passes"]}).response
    assert tuple(map(int, found["testEngine"]["version"].split(".")[:2])) >= MIN_AXE
    assert any("vexar-chat" in node["target"][0] for rule in found["passes"] for node in rule["nodes"])
    undecided = [rule for rule in found["incomplete"] if rule["id"] == "color-contrast"]
    return {
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found["violations"] + undecided for node in rule["nodes"] if not is_out_of_sight(node)
    }


def is_out_of_sight(node):
    """Whether axe could not decide about a contrast for a reason that has nothing to do with colours."""
    return any((check["data"] or {}).get("messageKey") in NOT_SEEN for check in node["any"])


def objections_in_all_looks(page):
    found = {}
    for scheme, size in LOOKS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        if said := objections(page):
            found[scheme, size["width"]] = said
    return found


@pytest.mark.parametrize("state", STATES)
def test_axe_objects_to_no_state_light_dark_wide_or_on_a_phone(stage_of, state):
    stage = stage_of()
    STATES[state](stage)
    assert objections_in_all_looks(stage.chat.page) == {}


@pytest.mark.parametrize("state", STATES)
def test_axe_objects_to_no_state_from_right_to_left(stage_of, host, state):
    host.strict()
    stage = stage_of("rtl", "ar")
    STATES[state](stage)
    # And no state needs more than the strictest policies allow.
    assert (host.reports, stage.chat.problems, stage.chat.page.evaluate("vexarEvents")) == ([], [], [])
    assert objections(stage.chat.page) == set()


@pytest.mark.parametrize("state", ["answered", "rating", "contact", "person"])
def test_axe_objects_to_no_state_inside_the_page(stage_of, host, state):
    host.attributes = 'data-key="sk_demo" data-inline="#chat"'
    stage = stage_of("inline")
    stage.chat.text.wait_for()
    STATES[state](stage)
    assert objections_in_all_looks(stage.chat.page) == {}


def test_axe_would_object(stage_of):
    stage = stage_of()
    STATES["empty"](stage)
    stage.chat.text.evaluate("(text) => { text.removeAttribute('aria-label'); text.removeAttribute('placeholder'); }")
    stage.chat.find(".hello .bubble").evaluate("(bubble) => { bubble.style.color = '#ccc'; }")
    assert {re.split(":", said)[0] for said in objections(stage.chat.page)} >= {"label", "color-contrast"}
