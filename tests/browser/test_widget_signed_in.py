"""Who is signed in at the page: proved to the server, kept apart from the next person on the same browser."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from tests.browser.test_widget_conversation import visitor_of

pytestmark = pytest.mark.browser


@pytest.fixture
def signed(backstage):
    """`signed("ann")`: what the site's own server hands its page for a signed-in person."""
    from vexar.models import Site

    secret = "only the site's server knows"
    backstage.parts.store.write(
        lambda tx: tx.run(Site.update(identity_secret=secret).where(Site.id == backstage.site_id))
    )

    def sign(user_id, **more):
        user_hash = hmac.new(secret.encode(), user_id.encode(), hashlib.sha256).hexdigest()
        return {"user_id": user_id, "user_hash": user_hash,
                **more}  # fmt: skip

    return sign


def identify(chat, values):
    chat.page.evaluate("(values) => Vexar.identify(values)", values)


def say(chat, text):
    chat.ask(text)
    chat.wait("visitor", text)
    chat.settled()


def test_what_the_page_says_of_its_visitor_reaches_the_server(open_page, backstage, signed):
    chat = open_page()
    identify(chat, signed("ann-1", name="Ann", email="ann@shop.example"))
    chat.open()
    say(chat, "hi")
    chat.until(lambda: visitor_of(backstage, chat).email, "the address")
    row = visitor_of(backstage, chat)
    assert (row.user_id, row.name, row.email) == ("ann-1", "Ann", "ann@shop.example")


def test_a_wrong_hash_is_an_error_event_and_a_message_that_can_be_sent_again(open_page, signed):
    chat = open_page().open()
    chat.page.evaluate("errors = ''; Vexar.on('error', ({code}) => { errors += code + ' '; }); 0")
    identify(chat, {"user_id": "ann-1", "user_hash": "0" * 64})
    chat.ask("hi")
    chat.until(lambda: "bad_user_hash" in chat.page.evaluate("errors"), "the error event")
    identify(chat, signed("ann-1"))
    chat.find(".row .pill").get_by_text("Try again").click()
    chat.settled()
    assert chat.bubbles("visitor") == ["hi"]


def test_the_next_person_on_the_same_browser_sees_nothing_of_the_former(open_page, host, backstage, signed):
    from tests.browser.conftest import Chat

    chat = open_page().open()
    identify(chat, signed("ann-1"))
    say(chat, "Ann's secret")
    before = chat.session_id
    other_tab = Chat.visit(chat.page.context.new_page(), host).open()
    other_tab.wait("visitor", "Ann's secret")
    chat.page.reload()
    chat.button.wait_for()
    identify(chat, signed("ben-2"))
    chat.until(lambda: chat.session_id != before and not chat.bubbles("visitor"), "a new session")
    other_tab.until(lambda: not other_tab.bubbles("visitor"), "the other tab to forget")
    assert other_tab.session_id == chat.session_id
    say(chat, "Ben here")
    assert visitor_of(backstage, chat).user_id == "ben-2"
    other_tab.wait("visitor", "Ben here")


def test_who_signs_in_keeps_what_he_said_before_and_once_more_changes_nothing(open_page, signed):
    chat = open_page().open()
    say(chat, "not signed in yet")
    identify(chat, signed("ann-1"))
    identify(chat, signed("ann-1"))
    say(chat, "now I am")
    assert chat.bubbles("visitor") == ["not signed in yet", "now I am"]


def test_reset_forgets_storage_drafts_and_the_live_connection_in_every_tab(open_page, host, acting, olga):
    from tests.browser.conftest import Chat

    first = open_page().open()
    say(first, "hi")
    second = Chat.visit(first.page.context.new_page(), host).open()
    second.wait("visitor", "hi")
    acting.accept(first, olga)
    second.wait("system", "Olga joined the conversation.")
    first.text.fill("half a thought")
    for chat in (first, second):
        chat.find("header .icon.close").click()
    old = first.session_id
    first.page.evaluate("Vexar.reset()")
    for chat in (first, second):
        chat.until(lambda chat=chat: not chat.bubbles("visitor"), "the tab to forget")
    assert first.kept() == {"local": {}, "session": {}, "cookies": "", "databases": 0}
    first.open()
    second.open()
    first.until(lambda: first.session_id not in ("", old), "a new session")
    assert (first.session_id, first.text.input_value(), first.bubbles("system")) == (second.session_id, "", [])
