"""The demo shop in Chromium: the real tag on the plain page and on its strict, Arabic, dark and inline sisters."""

from __future__ import annotations

import re
import threading
from types import SimpleNamespace

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import Chat
from tests.services import Server
from tests.upstream import Upstream

pytestmark = [pytest.mark.browser, pytest.mark.servers]

CANADA = ("Do you ship to Canada?", "Yes, we ship to Canada.", "/demo/help/shipping-canada")
SAUDI = ("كم تكلفة الشحن إلى السعودية؟", "نعم، نشحن إلى جميع الدول العربية.", "/demo/rtl/help/shipping")
LOOKS = {"/": CANADA, "/demo/strict": CANADA, "/demo/rtl": SAUDI, "/demo/dark": CANADA, "/demo/inline": CANADA}
HELP = ("/demo/help", "/demo/help/shipping-canada", "/demo/rtl/help/shipping")
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
WATCH = """
document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
  console.error(`refused: ${violatedDirective} ${blockedURI}`));
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The demo, with the builtin answerer."""
    running = Server(tmp_path_factory.mktemp("demo"), env={"VEXAR_DEMO": "on"})
    yield running
    running.kill()


@pytest.fixture
def visit(browser, server):
    """`visit(path, **context options)`: a page of the shop in a browser of its own, as a Chat. Whatever the console,
    a policy or a request to another server says against it fails the test."""
    contexts, said = [], []

    def go(path, base=server.url, **options):
        context = browser.new_context(**{"reduced_motion": "reduce", "viewport": DESKTOP, **options})
        contexts.append(context)
        context.set_default_timeout(15_000)
        context.add_init_script(WATCH)
        context.on("console", lambda line: said.append(line.text) if line.type in ("error", "warning") else None)
        context.on("weberror", lambda problem: said.append(str(problem.error)))
        context.on("request", lambda sent: None if sent.url.startswith(base) else said.append(f"asked {sent.url}"))
        chat = Chat(context.new_page(), SimpleNamespace(url=base))
        chat.page.goto(base + path)
        return chat

    go.said = said
    yield go
    for context in contexts:
        context.close()
    assert said == []


def open_chat(chat):
    """Open the panel, unless it is a part of the page and open already."""
    chat.widget.wait_for(state="attached")
    if not chat.page.locator("script[data-inline]").count():
        chat.button.click()
    chat.text.wait_for()


def answer_of(chat, question, words):
    """Ask the shop, and wait for the whole answer."""
    chat.ask(question)
    chat.until(lambda: any(said.startswith(words) for said in chat.bubbles()), f"{words!r}")
    chat.settled()


@pytest.mark.parametrize("path", LOOKS)
def test_a_question_is_answered_with_a_source_that_leads_to_its_page(visit, path):
    question, words, source = LOOKS[path]
    chat = visit(path)
    open_chat(chat)
    answer_of(chat, question, words)
    chat.find(".sources summary").click()
    with chat.page.context.expect_page() as opened:
        chat.find(".sources a").first.click()
    opened.value.wait_for_load_state()
    assert opened.value.url.endswith(source)
    # Behind it may stand what else one could ask.
    answer = chat.bubbles()[-1].split("\n")[0]
    assert answer in opened.value.locator(".answer").inner_text()


def test_a_model_answers_from_the_shops_knowledge_and_its_citation_is_the_source(browser, tmp_path):
    def answer(wire, body):
        system = next(message["content"] for message in body["messages"] if message["role"] == "system")
        [number] = re.findall(r"(?m)^\[(\d)\] .*Canada", system)[:1]
        offer = ". You may also ask:\n- Which countries "
        wire.answer(["Yes, we do, in 6 to 10 ", f"days [{number}]", offer, "are there?"])

    with Upstream() as upstream:
        upstream.always = answer
        env = {"VEXAR_DEMO": "on", "VEXAR_AI_BASE_URL": upstream.url, "VEXAR_AI_MODEL": "m"}
        shop, context = Server(tmp_path, env=env), browser.new_context(viewport=PHONE)
        try:
            chat = Chat(context.new_page(), SimpleNamespace(url=shop.url))
            chat.page.goto(shop.url)
            open_chat(chat)
            answer_of(chat, CANADA[0], "Yes, we do, in 6 to 10 days.")
            chat.find(".asks button").wait_for()
            chat.find(".sources summary").click()
            assert chat.find(".sources a").count() == 1
            assert chat.find(".sources a").get_attribute("href").endswith(CANADA[2])
        finally:
            context.close()
            shop.kill()


def test_what_else_one_could_ask_is_asked_by_a_tap(visit):
    question, words, _ = CANADA
    chat = visit("/demo/strict")
    open_chat(chat)
    answer_of(chat, question, words)
    offered = chat.find(".asks button")
    offered.first.wait_for()
    next_question = offered.first.inner_text()
    offered.first.focus()
    chat.page.keyboard.press("Enter")
    chat.until(lambda: chat.bubbles("visitor") == [question, next_question], "the second question")
    chat.settled()
    chat.until(lambda: len(chat.bubbles()) == 2, "its answer")
    chat.page.reload()
    chat.text.wait_for()
    offered.first.wait_for()
    assert offered.first.inner_text() == next_question


@pytest.mark.parametrize("path", LOOKS)
def test_an_image_can_be_sent_from_every_page(visit, path, tmp_path):
    from PIL import Image

    picture = tmp_path / "zip.png"
    Image.effect_noise((300, 200), 90).convert("RGB").save(picture)
    chat = visit(path)
    open_chat(chat)
    with chat.page.expect_response(lambda answer: answer.url.endswith("upload-image")):
        chat.find("input[type=file]").set_input_files(picture)
    chat.ask(LOOKS[path][0])
    image = chat.find(".row.visitor img")
    chat.until(lambda: image.count() and image.evaluate("(image) => image.naturalWidth") == 300, "the image")
    chat.settled()


def test_the_strict_page_is_strict(visit):
    chat = visit("/demo/strict")
    assert chat.page.evaluate("crossOriginIsolated")
    chat.page.evaluate("try { document.body.innerHTML = '<b>x</b>'; } catch { document.title = 'refused'; }")
    assert chat.page.title() == "refused"
    chat.until(lambda: visit.said, "the console to say so")
    assert all("TrustedHTML" in line or "require-trusted-types-for" in line for line in visit.said)
    visit.said.clear()


def test_elsewhere_it_looks_as_the_page_says(visit):
    assert visit("/demo/rtl").page.evaluate("getComputedStyle(document.body).direction") == "rtl"
    arabic = visit("/demo/rtl")
    open_chat(arabic)
    assert arabic.panel.get_attribute("dir") == "rtl"
    assert arabic.panel.bounding_box()["x"] < 100, "on the left, where a line ends"
    dark = visit("/demo/dark", color_scheme="light")
    open_chat(dark)
    assert dark.panel.evaluate("(panel) => getComputedStyle(panel).colorScheme") == "dark"
    inline = visit("/demo/inline")
    open_chat(inline)
    assert inline.page.locator("#ask vexar-chat").count() == 1
    assert inline.button.is_hidden()


def test_a_question_of_the_page_opens_the_chat_and_asks_it(visit):
    chat = visit("/")
    chat.page.get_by_role("button", name="When are you open?").click()
    chat.until(lambda: any("Tuesday to Saturday" in said for said in chat.bubbles()), "the opening hours")
    assert chat.bubbles("visitor") == ["When are you open?"]


def test_the_chat_stays_open_on_the_way_to_a_help_page(visit):
    chat = visit("/")
    chat.page.get_by_role("button", name="Ask us anything").click()
    chat.text.wait_for()
    answer_of(chat, CANADA[0], CANADA[1])
    chat.page.locator(".foot").get_by_role("link", name="Returns").click()
    chat.page.wait_for_url("**/demo/help/returns")
    chat.text.wait_for()
    chat.until(lambda: chat.bubbles()[-1:] and chat.bubbles()[-1].startswith(CANADA[1]), "the history")


def test_the_tag_can_be_copied(visit):
    chat = visit("/", permissions=["clipboard-read", "clipboard-write"])
    chat.page.get_by_role("button", name="Copy the tag").click()
    chat.page.get_by_text("Copied.").wait_for()
    pasted = chat.page.evaluate("navigator.clipboard.readText()")
    assert pasted == f'<script src="{chat.host.url}/widget/chatbot.js" data-key="sk_demo" async></script>'


def test_the_page_leads_to_the_console(visit):
    chat = visit("/")
    with chat.page.context.expect_page() as opened:
        chat.page.locator("#console").click()
    opened.value.wait_for_url("**/console/login")


def test_a_killed_server_does_not_lose_the_question(browser, tmp_path):
    said, gate = "Half an answer and the rest of it.", threading.Event()

    def stall(wire, body):
        wire.head()
        wire.token("Half")
        gate.wait(20)

    with Upstream() as upstream:
        upstream.script(stall)
        env = {"VEXAR_DEMO": "on", "VEXAR_AI_BASE_URL": upstream.url, "VEXAR_AI_MODEL": "m"}
        fragile = Server(tmp_path, env=env)
        context = browser.new_context()
        try:
            chat = Chat(context.new_page(), SimpleNamespace(url=fragile.url))
            chat.page.goto(fragile.url)
            open_chat(chat)
            chat.ask("are you there?")
            chat.until(lambda: "Half" in chat.bubbles(), "the first half")
            upstream.always = [said]
            fragile.restart()
            chat.until(lambda: said in chat.bubbles(), "the whole answer", timeout_s=40)
            assert chat.bubbles("visitor") == ["are you there?"]
        finally:
            gate.set()
            context.close()
            fragile.kill()


def test_before_the_chat_is_opened_nothing_is_kept(visit):
    chat = visit("/")
    chat.page.wait_for_load_state("networkidle")
    assert chat.kept() == {"local": {}, "session": {}, "cookies": "", "databases": 0}


def test_nothing_is_wider_than_the_window(visit):
    chat = visit("/")
    for width in (320, 390, 700, 1280):
        chat.page.set_viewport_size({"width": width, "height": 700})
        for path in (*LOOKS, *HELP):
            chat.page.goto(chat.host.url + path)
            assert chat.page.evaluate("document.documentElement.scrollWidth") <= width, f"{path} at {width}"


@pytest.mark.parametrize("path", [*LOOKS, *HELP])
def test_axe_objects_to_nothing(visit, path):
    chat = visit(path)
    chat.widget.wait_for(state="attached")
    for scheme, size in ((scheme, size) for scheme in ("light", "dark") for size in (DESKTOP, PHONE)):
        chat.page.emulate_media(color_scheme=scheme)
        chat.page.set_viewport_size(size)
        found = Axe().run(chat.page).response
        assert len(found["passes"]) > 10, "axe looked at nothing"
        undecided = [rule for rule in found["incomplete"] if rule["id"] == "color-contrast"]
        said = [(rule["id"], node["target"]) for rule in found["violations"] + undecided for node in rule["nodes"]]
        assert said == [], f"{path}, {scheme}, {size['width']}"
