"""Several tabs of one visitor: one listens for all, also where the browser has no locks, and hidden ones rest."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Chat
from tests.browser.test_widget_conversation import listened, slowly

pytestmark = pytest.mark.browser

HIDE = """(isHidden) => {
  Object.defineProperty(document, "hidden", {value: isHidden, configurable: true});
  document.dispatchEvent(new Event("visibilitychange")); }"""


@pytest.fixture
def plain(browser, chromium_path, host):
    """`plain()`: a tab of a site on plain http with a name of its own: no secure context, so no Web Locks."""
    from tests.services import CHROMIUM_FLAGS

    running = browser.browser_type.launch(
        executable_path=chromium_path, args=[*CHROMIUM_FLAGS, "--host-resolver-rules=MAP shop.example 127.0.0.1"]
    )
    context = running.new_context(reduced_motion="reduce")
    context.set_default_timeout(10_000)
    host.url = host.url.replace("127.0.0.1", "shop.example")
    host.base = host.base.replace("127.0.0.1", "shop.example")
    yield lambda: Chat.visit(context.new_page(), host)
    running.close()


def say(chat, text):
    chat.ask(text)
    chat.wait("visitor", text)
    chat.settled()


def test_on_plain_http_three_tabs_share_one_connection_and_one_stream(plain, upstream, acting, olga, gate):
    tabs = [plain().open()]
    assert tabs[0].page.evaluate("!isSecureContext && !navigator.locks")
    say(tabs[0], "hi")
    tabs += [plain().open() for _ in range(2)]
    for tab in tabs:
        tab.wait("visitor", "hi")
    upstream.script(slowly(gate, "All ", "see it"))
    tabs[1].ask("who?")
    for tab in tabs:
        tab.wait("assistant", "All")
    gate.set()
    for tab in tabs:
        tab.wait("assistant", "All see it")
    acting.accept(tabs[0], olga)
    for tab in tabs:
        tab.wait("system", "Olga joined the conversation.")
    assert sum(map(listened, tabs)) == 1
    assert sum("chat/stream" in request.url for tab in tabs for request in tab.requests) == 2
    assert all(not tab.problems for tab in tabs)


def test_on_plain_http_closing_the_tab_that_listens_hands_over_at_once(plain, acting, olga):
    tabs = [plain().open()]
    say(tabs[0], "hi")
    tabs.append(plain().open())
    tabs[1].wait("visitor", "hi")
    tabs[0].until(lambda: listened(tabs[0]), "the first tab to listen")
    tabs[0].page.close()
    tabs[1].until(lambda: listened(tabs[1]), "the second one to listen", 5)
    acting.say(tabs[1], olga, content="still here")
    tabs[1].wait("operator", "still here")


def test_on_plain_http_a_tab_that_dies_without_a_word_is_replaced(plain, acting, olga):
    tabs = [plain().open()]
    say(tabs[0], "hi")
    tabs.append(plain().open())
    tabs[1].wait("visitor", "hi")
    tabs[0].until(lambda: listened(tabs[0]), "the first tab to listen")
    # The lease of a tab that crashed stays where it is.
    tabs[0].page.evaluate("Storage.prototype.removeItem = () => {}; 0")
    tabs[0].page.close()
    tabs[1].until(lambda: listened(tabs[1]), "the second one to listen", 15)
    acting.say(tabs[1], olga, content="still here")
    tabs[1].wait("operator", "still here")


def test_a_tab_that_comes_later_is_told_who_speaks(open_page, host, acting, olga):
    first = open_page().open()
    say(first, "hi")
    acting.accept(first, olga)
    first.wait("system", "Olga joined the conversation.")
    second = Chat.visit(first.page.context.new_page(), host).open()
    second.find(".subtitle").get_by_text("Olga").wait_for()


def test_a_tab_that_is_hidden_for_long_lets_go_and_comes_back(open_page):
    chat = open_page()
    chat.page.clock.install()
    chat.open()
    say(chat, "hi")
    chat.until(lambda: listened(chat) == 1, "to listen")
    chat.page.evaluate(HIDE, True)
    ended = []
    chat.page.on("requestfailed", lambda request: ended.append(request.url))
    chat.page.on("requestfinished", lambda request: ended.append(request.url))
    chat.page.clock.fast_forward(31_000)
    chat.until(lambda: any("chat/events" in url for url in ended), "the connection to end")
    chat.page.evaluate(HIDE, False)
    chat.until(lambda: listened(chat) == 2, "to listen again")


def test_a_page_that_comes_back_from_the_cache_goes_on(open_page, host, acting, olga):
    """What the browser does with a page it keeps, told by the events that it sends."""
    chat = open_page().open()
    say(chat, "hi")
    chat.until(lambda: listened(chat) == 1, "to listen")
    chat.page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true})); 0")
    acting.say(chat, olga, content="while it slept")
    chat.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true})); 0")
    chat.wait("operator", "while it slept")
    acting.say(chat, olga, content="and awake")
    chat.wait("operator", "and awake")
    say(chat, "me too")
    assert (chat.bubbles("visitor"), chat.problems) == (["hi", "me too"], [])


def test_a_message_on_its_way_survives_the_cache(open_page, upstream, gate):
    chat = open_page().open()
    upstream.script(slowly(gate, "The beginning ", "and the end."))
    chat.ask("how?")
    chat.wait("assistant", "The beginning")
    chat.page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true})); 0")
    gate.set()
    chat.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true})); 0")
    chat.wait("assistant", "The beginning and the end.")
    chat.settled()
    assert (chat.bubbles("visitor"), upstream.count) == (["how?"], 1)


def test_whoever_stays_can_be_spoken_to_before_writing(open_page, acting, olga):
    chat = open_page().open()
    chat.until(lambda: listened(chat) == 1, "to listen")
    acting.propose(chat, olga, content="Can I help you?")
    chat.wait("proactive", "Can I help you?")
