"""The widget inside the pages of others: strict policies, hostile styles, replaced globals, phones, languages."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

RICH = [
    "# Title\n\n**bold** *it* `code`\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n",
    "```\nlet x;\n```\n\nhttps://a.example/",
]


def use_everything(chat, upstream, tmp_path):
    """Every feature of the panel, one after the other."""
    from PIL import Image

    upstream.script(RICH)
    chat.open().ask("format this")
    chat.find(".row.assistant table").wait_for()
    chat.settled()
    path = tmp_path / "picture.png"
    Image.effect_noise((300, 200), 90).convert("RGB").save(path)
    with chat.page.expect_response(lambda answer: answer.url.endswith("upload-image")):
        chat.find("input[type=file]").set_input_files(path)
    chat.ask("look")
    image = chat.find(".row.visitor img")
    chat.until(lambda: image.count() and image.evaluate("(image) => image.naturalWidth") == 300, "the image")
    chat.settled()
    for entry in ("Leave your contact details", "Rate this conversation", "Turn sound on"):
        chat.find(".icon.menu").click()
        chat.find(".drop button").get_by_text(entry).click()
    chat.find(".stars button").nth(4).click()
    chat.find(".card textarea").wait_for()
    chat.page.evaluate("Vexar.nudge('psst'); 0")
    chat.page.evaluate("Vexar.setLanguage('ar')")
    chat.find(".panel[dir=rtl]").wait_for()
    chat.find("header .icon.close").click()
    chat.page.evaluate("Vexar.nudge('psst'); 0")
    chat.find(".nudge .text").click()
    chat.text.wait_for()


def test_under_the_strictest_policies_everything_works_without_a_violation(open_page, host, upstream, tmp_path):
    host.strict()
    chat = open_page()
    violations = []
    chat.page.on("console", lambda message: violations.append(message.text) if "olic" in message.text else None)
    assert chat.page.evaluate("crossOriginIsolated")
    use_everything(chat, upstream, tmp_path)
    chat.page.reload()
    chat.find(".row.assistant table").wait_for()
    assert (violations, host.reports, chat.problems) == ([], [], [])


def test_the_policies_of_that_test_are_in_force(open_page, host):
    host.strict()
    chat = open_page()
    chat.page.evaluate("try { document.body.innerHTML = '<b>x</b>'; } catch { document.title = 'refused'; }")
    assert chat.page.title() == "refused"
    chat.page.evaluate("document.body.append(Object.assign(document.createElement('img'), {src: 'data:,'}))")
    chat.until(lambda: host.reports, "a report")


def test_hostile_styles_do_not_reach_it(open_page, host, upstream):
    chat, plain = open_page("hostile"), open_page("plain")
    boxes = [one.button.bounding_box() for one in (chat, plain)]
    assert boxes[0] == boxes[1]
    for one in (chat, plain):
        upstream.script(["An *answer*"])
        one.open().ask("hi")
        one.wait("assistant", "An answer")
    for selector in (".panel", ".row.visitor .bubble", ".composer textarea", "header .icon.close"):
        assert chat.find(selector).bounding_box() == plain.find(selector).bounding_box(), selector
        styles = [
            one.find(selector).evaluate(
                "(e) => { const s = getComputedStyle(e); return [s.fontSize, s.color, s.fontFamily, "
                "s.visibility, s.opacity, s.writingMode, s.direction, s.zIndex]; }"
            )
            for one in (chat, plain)
        ]
        assert styles[0] == styles[1], selector
    chat.find("header .icon.close").click()
    assert chat.panel.is_hidden()


def test_a_page_that_replaced_the_methods_of_array_does_not_break_it(open_page, upstream, tmp_path, acting, olga):
    chat = open_page("globals")
    use_everything(chat, upstream, tmp_path)
    acting.accept(chat, olga)
    acting.say(chat, olga, content="- a\n- **person**")
    chat.find(".row.operator li").nth(1).wait_for()
    assert (chat.problems, chat.page.evaluate("window.misused")) == ([], None)


def test_inline_it_is_part_of_the_page(open_page, host):
    host.attributes = 'data-key="sk_demo" data-inline="#chat"'
    chat = open_page("inline")
    chat.text.wait_for()
    box = chat.panel.bounding_box()
    assert box["y"] > 50
    assert box["width"] > 600
    assert chat.button.is_hidden()
    assert chat.find("header .icon.close").count() == 0


def test_on_a_phone_it_fills_the_screen_and_keeps_the_focus(open_page):
    chat = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    chat.open()
    assert chat.panel.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 844}
    assert chat.panel.get_attribute("aria-modal") == "true"
    assert float(chat.text.evaluate("(e) => parseFloat(getComputedStyle(e).fontSize)")) >= 16
    for _ in range(12):
        chat.page.keyboard.press("Tab")
        assert chat.page.evaluate("document.activeElement.localName") == "vexar-chat"


@pytest.mark.parametrize(("lang", "placeholder", "direction"), [
    ("de-AT", "Nachricht schreiben", "ltr"), ("ar", "اكتب رسالتك", "rtl"), ("he", "כתבו הודעה", "rtl"),
    ("ja", "メッセージを入力", "ltr"), ("xx", "Type your message", "ltr"),
])  # fmt: skip
def test_it_speaks_the_language_of_the_tag(open_page, host, lang, placeholder, direction):
    host.attributes = f'data-key="sk_demo" data-lang="{lang}"'
    chat = open_page().open()
    assert chat.text.get_attribute("placeholder") == placeholder
    assert chat.panel.evaluate("(e) => getComputedStyle(e).direction") == direction


def test_without_an_own_language_it_follows_the_page(open_page):
    chat = open_page("rtl").open()
    assert chat.panel.get_attribute("lang") == "ar"
    assert chat.button.get_attribute("aria-label") == "فتح الدردشة"


PLACES = """(block) => {
  const text = document.createTreeWalker(block, NodeFilter.SHOW_TEXT).nextNode();
  const left = (at) => {
    const range = document.createRange(); range.setStart(text, at); range.setEnd(text, at + 1);
    return range.getBoundingClientRect().left; };
  return [left(0), left(text.length - 1)]; }"""


def test_every_block_of_an_answer_runs_in_its_own_direction(open_page, upstream):
    upstream.script(["שלום, הנה זה.\n\nHello שלום world.\n\n- Two שתיים.\n\n```\nx = 'שלום';\n```"])
    chat = open_page().open()
    chat.ask("in both, please")
    chat.settled()
    first, last = chat.find(".row.assistant p").nth(0).evaluate(PLACES)
    assert first > last
    for selector in ("p >> nth=1", "li", "pre"):
        first, last = chat.find(f".row.assistant {selector}").evaluate(PLACES)
        assert first < last, selector


COLORS = ["#000000", "#ffffff", "#2f5bea", "#ffcc00", "#666666", "#757575", "#777777", "#7f7f7f", "#999999", "#00ff00",
          "#0000ff", "#c8102e", "#f5f5dc", "#800080", "#ffff00", "#1e90ff"]  # fmt: skip
CONTRAST = """(element) => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgb = (color) => {
    canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); return canvas.getImageData(0, 0, 1, 1).data; };
  const linear = (v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  const light = (color) => {
    const [r, g, b] = rgb(color); return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b); };
  let ground = element;
  while (getComputedStyle(ground).backgroundColor === "rgba(0, 0, 0, 0)") ground = ground.parentNode;
  const [a, b] = [light(getComputedStyle(element).color), light(getComputedStyle(ground).backgroundColor)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_whatever_the_colour_of_the_site_text_is_legible(open_page, upstream, scheme):
    upstream.script(["see https://shop.example/"])
    chat = open_page(color_scheme=scheme).open()
    chat.ask("hi")
    chat.find(".row.assistant a").wait_for()
    chat.find(".icon.menu").click()
    chat.find(".drop button").get_by_text("Leave your contact details").click()
    chat.text.fill("something, so that it can be sent")
    for color in COLORS:
        for name in ("primary", "header"):
            set_it = f"(host, color) => host.style.setProperty('--vexar-own-{name}', color)"
            chat.widget.evaluate(set_it, color)
        for selector in (".button", "header h2", "header .icon.menu", ".row.visitor .bubble", ".row.assistant .bubble",
                         ".row.assistant a", ".composer .send", ".composer textarea", ".card .strong", ".card .pill"):
            assert chat.find(selector).first.evaluate(CONTRAST) >= 4.5, (color, selector)


def test_with_the_keyboard_alone_one_can_open_ask_rate_and_close(open_page, upstream):
    chat = open_page()
    keys = chat.page.keyboard
    chat.page.locator("#before").focus()
    keys.press("Tab")
    keys.press("Enter")
    chat.text.wait_for()
    chat.until(lambda: focused(chat) == "textarea", "the focus in the text field")
    upstream.script(["**Yes.**"])
    keys.type("Do you ship?")
    keys.press("Enter")
    chat.wait("assistant", "Yes.")
    chat.settled()
    tab_to(chat, "icon menu")
    keys.press("Enter")
    chat.find(".drop button").first.wait_for()
    keys.press("Escape")
    chat.until(lambda: chat.find(".drop").is_hidden() and focused(chat) == "icon menu", "the menu to close")
    keys.press("Enter")
    chat.find(".drop button").get_by_text("Rate").wait_for()
    while chat.widget.evaluate("(host) => host.shadowRoot.activeElement.textContent") != "Rate this conversation":
        keys.press("Tab")
    keys.press("Enter")
    chat.find(".stars").wait_for()
    tab_to(chat, "icon star")
    keys.press("Space")
    chat.find(".card textarea").wait_for()
    keys.press("Escape")
    assert chat.panel.is_hidden()
    assert focused(chat) == "button"


def test_a_screen_reader_is_told_sentences_not_tokens(open_page, upstream):
    chat = open_page().open()
    told = chat.find("[aria-live=polite]")
    told.evaluate("""(region) => {
      window.told = ""; window.changes = 0;
      const note = () => { window.changes++; window.told += region.textContent + "|"; };
      new MutationObserver(note).observe(region, {childList: true, subtree: true}); }""")
    text = "One two three four. Five six seven eight nine ten. Eleven twelve thirteen. And the end"
    words = text.split()
    upstream.script([f"{word} " for word in words])
    chat.ask("count")
    chat.settled()
    chat.until(lambda: "And the end" in chat.page.evaluate("told"), "the end to be told")
    assert chat.page.evaluate("told").replace("|", " ").split() == words
    assert chat.page.evaluate("changes") <= 5
    assert chat.find(".log").get_attribute("aria-live") == "off"


def test_printing_hides_it(open_page):
    chat = open_page()
    chat.page.emulate_media(media="print")
    assert chat.button.is_hidden()


def focused(chat):
    return chat.widget.evaluate(
        "(host) => { const e = host.shadowRoot.activeElement; return e && (e.className || e.localName); }"
    )


def tab_to(chat, name):
    for _ in range(30):
        if focused(chat) == name:
            return
        chat.page.keyboard.press("Shift+Tab")
    raise AssertionError(f"no way to {name}")
