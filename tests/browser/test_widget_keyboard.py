"""Without a mouse: everything can be reached; the focus is seen, goes in, stays where it belongs and comes back."""

from __future__ import annotations

import pytest

from tests.browser.states import STATES, Stage, prepare
from tests.cast import add, operator_row

pytestmark = pytest.mark.browser

NAME = """(host) => {
  const e = host.shadowRoot.activeElement;
  return e && (e.getAttribute("aria-label") || e.textContent || e.name || e.localName); }"""
OUTLINE = """(host) => {
  const e = host.shadowRoot.activeElement;
  const box = e.matches(".composer textarea") ? e.parentNode : e;
  const { outlineStyle, outlineWidth } = getComputedStyle(box);
  return outlineStyle === "none" ? 0 : parseFloat(outlineWidth); }"""


@pytest.fixture(scope="module")
def olga(backstage):
    prepare(backstage)
    return add(backstage.parts.store, operator_row("Olga"))[0]


@pytest.fixture
def stage_of(open_page, backstage, upstream, olga, tmp_path):
    """`stage_of(page name, lang)`: a page of the site to bring into a state."""
    stages = []

    def make(name="plain", lang="en", **options):
        stages.append(Stage(open_page(name, **options), backstage, upstream, olga, tmp_path, lang))
        return stages[-1]

    yield make
    for stage in stages:
        stage.gate.set()


def focused(chat):
    """The name of what has the focus inside the widget, None outside of it."""
    return chat.widget.evaluate(NAME)


def tab_to(chat, name, key="Tab"):
    """Press the key until something of this name has the focus."""
    for _ in range(30):
        if focused(chat) == name:
            return
        chat.page.keyboard.press(key)
    raise AssertionError(f"no way to {name}")


def test_a_whole_visit_needs_no_mouse(stage_of):
    stage = stage_of()
    chat, words, press = stage.chat, stage.words, stage.chat.page.keyboard.press
    chat.page.locator("#before").focus()
    tab_to(chat, "Open chat")
    press("Enter")
    chat.until(lambda: focused(chat) == words["placeholder"], "the focus in the text field")
    stage.slowly("We ship ")
    chat.page.keyboard.type("Do you ship?")
    press("Enter")
    chat.wait("assistant", "We ship")
    tab_to(chat, words["stop"])
    press("Enter")
    chat.find(".row.assistant .meta").get_by_text(words["stopped"]).wait_for()
    chat.until(lambda: focused(chat) == words["placeholder"], "the focus to leave the button that went")
    tab_to(chat, words["attach"], "Shift+Tab")
    with chat.page.expect_file_chooser() as chosen:
        press("Enter")
    with chat.page.expect_response(lambda answer: answer.url.endswith("upload-image")):
        chosen.value.set_files(stage.picture())
    tab_to(chat, words["placeholder"])
    press("Enter")
    chat.find(".row.visitor img").wait_for()
    chat.settled()
    tab_to(chat, words["menu"], "Shift+Tab")
    press("Enter")
    chat.until(lambda: focused(chat) == words["askPerson"], "the focus in the menu")
    while focused(chat) != words["rate"]:
        press("ArrowDown")
    press("Enter")
    chat.until(lambda: focused(chat) == "1 of 5", "the focus on the stars")
    press("End")
    press("Space")
    chat.until(lambda: focused(chat) == words["comment"], "the focus in the comment")
    chat.page.keyboard.type("Quick")
    tab_to(chat, words["save"])
    press("Enter")
    chat.find(".card").get_by_text(words["saved"]).wait_for()
    assert focused(chat) == words["placeholder"]
    press("Escape")
    assert chat.panel.is_hidden()
    assert focused(chat) == "Open chat"


def chosen_star(chat):
    return chat.find("[role=radio]").evaluate_all(
        "(stars) => stars.findIndex((star) => star.getAttribute('aria-checked') === 'true') + 1")


@pytest.mark.parametrize(("page", "lang", "forward"), [("plain", "en", "ArrowRight"), ("rtl", "ar", "ArrowLeft")])
def test_the_stars_are_one_radio_group(stage_of, page, lang, forward):
    stage = stage_of(page, lang)
    STATES["rating"](stage)
    chat, press = stage.chat, stage.chat.page.keyboard.press
    back = {"ArrowRight": "ArrowLeft", "ArrowLeft": "ArrowRight"}[forward]
    seen = []
    for key in (forward, forward, "ArrowDown", back, "ArrowUp", "End", forward, "Home", back):
        press(key)
        seen.append(chosen_star(chat))
        assert focused(chat) == stage.words["stars"].replace("{n}", str(seen[-1]))
    assert seen == [1, 2, 3, 2, 1, 5, 5, 1, 1]
    assert chat.find("[role=radio][tabindex='0']").count() == 1
    assert not any("chat/rate" in request.url for request in chat.requests)


@pytest.mark.parametrize("state", [
    "empty", "answered", "sources", "failed", "contact", "rating_comment", "image_attached", "menu", "earlier"])
def test_the_focus_is_seen_wherever_it_goes(stage_of, state):
    stage = stage_of()
    STATES[state](stage)
    chat = stage.chat
    chat.find(".icon.menu").focus()
    # From here on the browser knows that there is a keyboard at work.
    for key in ("Tab", "Shift+Tab"):
        chat.page.keyboard.press(key)
    names = []
    while (name := focused(chat)) and name not in names:
        names.append(name)
        assert chat.widget.evaluate(OUTLINE) >= 2, name
        chat.page.keyboard.press("Tab")
    assert {stage.words["menu"], stage.words["close"], stage.words["placeholder"], stage.words["send"]} <= set(names)


def test_the_focus_goes_back_to_what_opened_the_chat(stage_of):
    chat = stage_of().chat
    opener = chat.page.locator("#before")
    opener.evaluate("(button) => { button.onclick = () => Vexar.open(); }")
    opener.press("Enter")
    chat.text.wait_for()
    chat.page.keyboard.press("Escape")
    assert chat.page.evaluate("document.activeElement.id") == "before"


def test_on_a_phone_the_focus_goes_back_to_the_button(stage_of):
    chat = stage_of(viewport={"width": 390, "height": 844}).chat
    chat.open()
    chat.page.keyboard.press("Escape")
    assert focused(chat) == "Open chat"


def test_inside_the_page_nothing_takes_or_keeps_the_focus(stage_of, host):
    host.attributes = 'data-key="sk_demo" data-inline="#chat"'
    chat = stage_of("inline", viewport={"width": 390, "height": 844}).chat
    chat.find(".starters .pill").wait_for()
    assert chat.page.evaluate("document.activeElement.localName") == "body"
    chat.text.focus()
    tab_to(chat, "Send")
    chat.page.keyboard.press("Tab")
    assert focused(chat) is None


def test_closing_a_form_leaves_the_focus_in_the_text_field(stage_of):
    stage = stage_of()
    STATES["contact"](stage)
    tab_to(stage.chat, stage.words["skip"])
    stage.chat.page.keyboard.press("Enter")
    assert focused(stage.chat) == stage.words["placeholder"]
