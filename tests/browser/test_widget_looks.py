"""What may not go wrong with the looks: nothing sticks out, is cut off, scrolls where it should not, or vanishes."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from tests.browser.states import RICH, STATES, Stage, prepare
from tests.cast import add, operator_row
from tests.test_widget_js import LANGUAGES

pytestmark = pytest.mark.browser

LONG_NAME = "The Very Helpful Assistant of the House of Lamps, Cups and Sweaters"
# What is wider or higher inside than it is: the texts and boxes that should hold what is in them.
HOLDING = ".panel, header, .log, .row, .bubble, .pill, .note, .composer, .line, .card, .drop button"
STICKING_OUT = """(host, holding) => {
  const found = [];
  for (const e of host.shadowRoot.querySelectorAll(holding)) {
    if (e.checkVisibility() && e.scrollWidth > e.clientWidth + 1) found.push(`${e.className}: ${e.textContent}`);
  }
  return found; }"""


@pytest.fixture(scope="module")
def olga(backstage):
    prepare(backstage)
    return add(backstage.parts.store, operator_row("Olga"))[0]


@pytest.fixture
def stage_of(open_page, backstage, upstream, olga, tmp_path):
    """`stage_of(page name, lang)`: a page of the site to bring into a state."""

    def make(name="plain", lang="en", **options):
        return Stage(open_page(name, **options), backstage, upstream, olga, tmp_path, lang)

    return make


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_long_words_links_code_and_tables_do_not_widen_the_panel(stage_of, settings, width):
    settings(bot_name=LONG_NAME)
    stage = stage_of(viewport={"width": width, "height": 800})
    stage.answered(RICH, question="x" * 300)
    stage.chat.find(".row.assistant table").wait_for()
    assert stage.chat.widget.evaluate(STICKING_OUT, HOLDING) == []
    for inner in (".wide", "pre"):
        assert stage.chat.find(inner).evaluate("(e) => e.scrollWidth > e.clientWidth"), inner
    assert stage.chat.find("header .icon.close").is_visible()


@pytest.mark.parametrize("lang", sorted(LANGUAGES))
def test_every_language_fits_into_a_small_phone(stage_of, host, lang):
    host.attributes = f'data-key="sk_demo" data-lang="{lang}"'
    stage = stage_of(lang=lang, viewport={"width": 320, "height": 640})
    STATES["menu"](stage)
    assert stage.chat.widget.evaluate(STICKING_OUT, HOLDING) == []
    stage.chat.page.keyboard.press("Escape")
    stage.choose("contact")
    stage.chat.find(".card input[name=phone]").wait_for()
    assert stage.chat.widget.evaluate(STICKING_OUT, HOLDING) == []
    placeholder = stage.chat.text
    assert placeholder.evaluate("(e) => e.scrollHeight <= e.clientHeight"), "the placeholder is cut off"


@pytest.mark.parametrize("size", [(640, 400), (320, 256)], ids=["200 %", "400 %"])
def test_when_the_page_is_zoomed_everything_can_still_be_reached(stage_of, size):
    stage = stage_of(viewport={"width": size[0], "height": size[1]})
    stage.answered("Yes.")
    for selector in ("header .icon.close", ".composer textarea", ".composer .send"):
        box = stage.chat.find(selector).bounding_box()
        assert box["y"] >= 0, selector
        assert box["y"] + box["height"] <= size[1], selector
    assert stage.chat.find(".log").bounding_box()["height"] >= 100


def test_the_empty_text_field_does_not_scroll_and_grows_with_the_text(stage_of):
    chat = stage_of().chat.open()
    fits = "(e) => e.scrollHeight <= e.clientHeight && e.offsetWidth === e.clientWidth"
    assert chat.text.evaluate(fits)
    low = chat.text.bounding_box()["height"]
    chat.text.fill("one\ntwo\nthree")
    assert chat.text.evaluate(fits)
    assert chat.text.bounding_box()["height"] > low
    chat.text.press("Enter")
    assert chat.text.bounding_box()["height"] == low


def test_the_welcome_stays_the_first_line(stage_of):
    stage = stage_of()
    chat = stage.chat.open()
    first = "(log) => [...log.querySelectorAll('.bubble')].find((bubble) => bubble.checkVisibility()).textContent"
    assert chat.find(".log").evaluate(first) == "Hello!"
    stage.answered("Yes.")
    assert chat.find(".log").evaluate(first) == "Hello!"
    chat.page.reload()
    chat.wait("assistant", "Yes.")
    assert (chat.find(".log").evaluate(first), chat.find(".hello").count()) == ("Hello!", 1)


def test_the_end_stays_in_sight_when_a_picture_comes_late(stage_of):
    stage = stage_of(viewport={"width": 390, "height": 500})
    page, held = stage.chat.page, []
    page.route(lambda url: "/uploads/" in url, lambda route: held.append(route))
    STATES["image_sent"](stage)
    stage.chat.until(lambda: held, "the picture to be asked for")
    for route in held:
        route.continue_()
    stage.chat.until(lambda: stage.chat.find(".photo").evaluate("(e) => e.naturalHeight"), "the picture")
    page.wait_for_timeout(200)
    assert stage.chat.find(".log").evaluate("(e) => e.scrollHeight - e.scrollTop - e.clientHeight") < 2


def test_who_wants_less_motion_sees_none(stage_of):
    chat = stage_of().chat.open()
    moving = "(panel) => panel.getAnimations({ subtree: true }).length"
    assert chat.panel.evaluate(moving) == 0
    assert chat.panel.evaluate("(e) => getComputedStyle(e).animationName") == "none"
    chat.page.emulate_media(reduced_motion="no-preference")
    assert chat.panel.evaluate("(e) => getComputedStyle(e).animationName") == "rise"


def test_with_forced_colors_everything_has_an_outline_of_its_own(stage_of):
    stage = stage_of(forced_colors="active")
    stage.answered("Yes.")
    for selector in (".row.visitor .bubble", ".row.assistant .bubble", ".icon.send", ".icon.menu", ".panel", ".line"):
        width = stage.chat.find(selector).evaluate("(e) => parseFloat(getComputedStyle(e).borderTopWidth)")
        assert width >= 1, selector


def test_with_forced_colors_the_button_and_its_icon_are_seen(stage_of):
    chat = stage_of(forced_colors="active").chat
    picture = Image.open(io.BytesIO(chat.button.screenshot())).convert("L")
    width, height = picture.size
    darkest, lightest = picture.crop((width // 4, height // 4, width * 3 // 4, height * 3 // 4)).getextrema()
    assert lightest - darkest > 150
    assert chat.button.evaluate("(e) => parseFloat(getComputedStyle(e).borderTopWidth)") >= 1
