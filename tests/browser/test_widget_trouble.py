"""When the widget cannot work: nothing is thrown into the page, and one line says what to do about it."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture
def failing(browser, host):
    """`failing(route=(pattern, handler), at="/plain")`: a page whose chat cannot be loaded, and what it says."""
    contexts = []

    def load(route=None, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.said, page.thrown = [], []
        page.on("console", lambda message: page.said.append(message.text) if message.type == "warning" else None)
        page.on("pageerror", lambda error: page.thrown.append(str(error)))
        if route:
            page.route(*route)
        page.goto(f"{host.url}/plain")
        page.wait_for_function("() => window.Vexar?.open")
        return page

    yield load
    for context in contexts:
        context.close()


def said(page):
    """The lines of the widget, once there is one."""
    for _ in range(250):
        if found := [text for text in page.said if text.startswith("vexar")]:
            page.evaluate("Vexar.open(); Vexar.send('x'); 0")
            page.wait_for_timeout(300)
            found = [text for text in page.said if text.startswith("vexar")]
            assert (page.thrown, page.evaluate("vexarEvents")) == ([], [])
            return found
        page.wait_for_timeout(20)
    raise AssertionError("it said nothing")


def test_a_page_that_is_not_allowed_is_told_which_origin_to_add_where(failing, settings, host):
    settings(allowed_origins=["https://elsewhere.example"])
    (line,) = said(failing())
    assert host.url in line
    assert "allowed_origins" in line
    assert "sk_demo" in line


def test_an_unknown_key_and_no_key_are_said(failing, host):
    host.attributes = 'data-key="sk_012345678901234567890123"'
    (line,) = said(failing())
    assert "site_key" in line
    host.attributes = ""
    (line,) = said(failing())
    assert "data-key" in line


def test_a_policy_that_forbids_the_connection_is_said(failing, host):
    host.headers = {"Content-Security-Policy": f"connect-src 'none'; script-src 'unsafe-inline' {host.base}"}
    (line,) = said(failing())
    assert f"connect-src {host.base}" in line


@pytest.mark.parametrize("name", ["panel.js", "session.js", "widget.css", "lang/en.js"])
def test_a_file_that_did_not_load_is_fetched_again_with_the_next_click(failing, host, name):
    page = failing((f"**/{name}*", lambda route: route.abort()))
    page.wait_for_load_state("networkidle")
    button = page.locator("vexar-chat .button")
    page.evaluate("errors = 0; Vexar.on('error', () => { errors++; }); 0")
    button.click()
    page.wait_for_function("() => errors > 0")
    page.unroute_all()
    button.click()
    page.locator("vexar-chat .composer textarea").wait_for()
    assert (page.thrown, page.evaluate("vexarEvents")) == ([], [])
    assert len([text for text in page.said if text.startswith("vexar")]) == 1


def test_a_listener_of_the_page_that_throws_harms_nobody(open_page):
    chat = open_page()
    chat.page.evaluate("Vexar.on('open', () => { throw new Error('mine'); }); 0")
    chat.page.evaluate("heard = 0; stop = Vexar.on('open', () => { heard++; }); 0")
    chat.open()
    chat.page.evaluate("stop(); Vexar.close(); Vexar.open()")
    assert (chat.page.evaluate("heard"), chat.problems) == (1, [])


def test_a_second_tag_is_ignored_and_after_a_shutdown_the_tag_works_again(open_page, host):
    chat = open_page()
    add = f"""() => new Promise((resolve) => {{
      const tag = document.createElement("script");
      tag.src = "{host.base}/widget/chatbot.js"; tag.dataset.key = "sk_demo"; tag.onload = resolve;
      document.head.append(tag); }})"""
    chat.page.evaluate(add)
    assert chat.widget.count() == 1
    chat.open()
    chat.page.evaluate("Vexar.shutdown(); Vexar.open(); 0")
    assert chat.widget.count() == 0
    chat.page.evaluate(add)
    chat.text.wait_for()
    assert chat.widget.count() == 1
    assert chat.problems == []


def test_where_nothing_can_be_stored_it_works_for_this_page(open_page, browser, host, upstream):
    """A sandboxed frame has no storage, no locks and no origin."""
    from tests.browser.conftest import Chat

    upstream.script(["from memory"])
    page = open_page().page
    page.evaluate("""(url) => { const frame = document.createElement("iframe");
      frame.sandbox = "allow-scripts"; frame.src = url; frame.width = 500; frame.height = 700;
      document.body.append(frame); }""", f"{host.url}/plain")
    page.wait_for_function("() => frames.length === 1")
    frame = page.frames[1]
    frame.locator("vexar-chat .button").click()
    frame.locator("vexar-chat .composer textarea").fill("hi")
    frame.locator("vexar-chat .composer textarea").press("Enter")
    frame.locator("vexar-chat .row.assistant .bubble").get_by_text("from memory").wait_for()
    frame.locator("vexar-chat header .icon.close").click()
    assert frame.evaluate("vexarEvents") == []
    assert Chat(page, host).widget.count() == 1
