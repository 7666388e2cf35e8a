"""The widget's manners: pictures, places, sounds, counts, forms, limits, sources, blocks."""

from __future__ import annotations

import time

import pytest

from tests.browser.test_widget_conversation import rows, visitor_of

pytestmark = pytest.mark.browser

SERVER_SETTINGS = {"VEXAR_LIMIT_SESSION_MESSAGES_PER_MINUTE": "4"}
GIVE_PICTURE = """async ([kind, side]) => {
  const canvas = new OffscreenCanvas(side, side / 2);
  canvas.getContext("2d").fillRect(0, 0, side, side / 4);
  const file = new File([await canvas.convertToBlob()], "p.png", {type: "image/png"});
  const data = new DataTransfer(); data.items.add(file);
  const more = {bubbles: true, composed: true, cancelable: true};
  const event = kind === "paste" ? new ClipboardEvent("paste", {...more, clipboardData: data})
    : new DragEvent("drop", {...more, dataTransfer: data});
  const root = document.querySelector("vexar-chat").shadowRoot;
  root.querySelector(kind === "paste" ? ".composer textarea" : ".log").dispatchEvent(event);
  return event.defaultPrevented; }"""
COUNT_TONES = """() => { window.tones = 0;
  window.AudioContext = class { constructor() { tones++; throw new Error("quiet"); } }; }"""


@pytest.fixture(scope="module", autouse=True)
def knowledge(backstage):
    """What the site knows; put there before a test counts the threads that this takes."""
    from vexar.knowledge.index import Entry, add_entries

    entry = Entry("faq", "Shipping of lamps", "When do lamps ship?", "In two days.", "https://shop.example/shipping")
    add_entries(backstage.parts.store, backstage.site_id, [entry])


def say(chat, text):
    chat.ask(text)
    chat.wait("visitor", text)
    chat.settled()


def choose(chat, entry):
    chat.find(".icon.menu").click()
    chat.find(".drop button").get_by_text(entry).click()


@pytest.mark.parametrize("kind", ["paste", "drop"])
def test_a_picture_may_be_pasted_and_dropped_and_is_made_small_first(open_page, kind):
    chat = open_page().open()
    with chat.page.expect_response(lambda answer: answer.url.endswith("upload-image")) as uploaded:
        assert chat.page.evaluate(GIVE_PICTURE, [kind, 4000])
    assert (uploaded.value.json()["width"], uploaded.value.json()["height"]) == (1600, 800)
    chat.find(".chip canvas").wait_for()
    say(chat, "look")
    chat.find(".row.visitor img").wait_for()


def test_the_site_may_have_it_at_the_left_and_square(open_page, settings, host):
    settings(position="left", button_style="square")
    chat = open_page().open()
    assert chat.panel.bounding_box()["x"] < 100
    assert chat.button.bounding_box()["x"] < 100
    assert chat.button.evaluate("(e) => getComputedStyle(e).borderRadius") != "50%"
    host.attributes += ' data-position="right" data-shape="round"'
    other = open_page()
    assert other.button.bounding_box()["x"] > 600
    assert other.button.evaluate("(e) => getComputedStyle(e).borderRadius") == "50%"


def test_above_the_keyboard_of_a_phone_it_keeps_to_what_is_seen(open_page):
    chat = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True).open()
    chat.page.evaluate("""() => {
      Object.defineProperty(visualViewport, "height", {value: 420});
      Object.defineProperty(visualViewport, "offsetTop", {value: 30});
      visualViewport.dispatchEvent(new Event("resize")); }""")
    box = chat.panel.bounding_box()
    assert (box["y"], box["height"]) == (30, 420)


def test_sound_is_off_until_it_is_switched_on_and_one_tab_makes_it(open_page, host, acting, olga):
    from tests.browser.conftest import Chat

    chat = open_page().open()
    say(chat, "hi")
    acting.accept(chat, olga)
    other = Chat.visit(chat.page.context.new_page(), host).open()
    other.wait("system", "Olga joined the conversation.")
    for one in (chat, other):
        one.page.evaluate(COUNT_TONES)
        one.find("header .icon.close").click()
    acting.say(chat, olga, content="one")
    for one in (chat, other):
        one.find(".badge").get_by_text("1").wait_for()
    assert [one.page.evaluate("tones") for one in (chat, other)] == [0, 0]
    chat.open()
    choose(chat, "Turn sound on")
    chat.find("header .icon.close").click()
    acting.say(chat, olga, content="two")
    chat.until(lambda: sum(one.page.evaluate("tones") for one in (chat, other)) == 1, "one tone")
    other.open()
    choose(other, "Turn sound off")
    other.find("header .icon.close").click()
    acting.say(chat, olga, content="three")
    for one in (chat, other):
        one.find(".badge").get_by_text("1").wait_for()
    assert sum(one.page.evaluate("tones") for one in (chat, other)) == 1


def test_unread_messages_are_counted_in_title_and_badge_until_it_is_opened(open_page, backstage, acting, olga):
    chat = open_page().open()
    say(chat, "hi")
    acting.accept(chat, olga)
    chat.wait("system", "Olga joined the conversation.")
    chat.find("header .icon.close").click()
    acting.say(chat, olga, content="one")
    acting.say(chat, olga, content="two")
    chat.until(lambda: chat.page.title() == "(2) A shop", "the count in the title")
    chat.page.evaluate("document.title = 'Another page'; 0")
    chat.open()
    chat.until(lambda: chat.page.title() == "Another page", "the page's own title")
    assert chat.find(".badge").count() == 0
    chat.until(lambda: visitor_of(backstage, chat).read_seq >= 4, "the server to be told that it was read")
    chat.page.reload()
    chat.button.wait_for()
    assert chat.page.title() == "A shop"


def test_a_message_for_a_visitor_who_waits_for_a_person_is_told_on_the_next_page(open_page, acting, olga):
    chat = open_page().open()
    say(chat, "hi")
    choose(chat, "Talk to a person")
    chat.until(lambda: chat.page.evaluate("localStorage['vexar:sk_demo'].includes('\"live\":true')"), "to wait")
    chat.find("header .icon.close").click()
    chat.page.reload()
    chat.button.wait_for()
    acting.accept(chat, olga)
    acting.say(chat, olga, content="Here I am")
    chat.find(".badge").wait_for()


@pytest.mark.parametrize("collect", ["email", "phone", "both"])
def test_at_the_start_the_site_asks_for_what_it_wants_once(open_page, settings, collect):
    settings(collect_data=collect, lead_when="start")
    chat = open_page().open()
    chat.find(".card").wait_for()
    asked = {"email": chat.find("input[name=email]").count(), "phone": chat.find("input[name=phone]").count()}
    assert asked == {"email": collect != "phone", "phone": collect != "email"}
    chat.page.reload()
    chat.text.wait_for()
    chat.find(".starters .pill").wait_for()
    assert chat.find(".card").count() == 0


def test_after_the_first_answer_the_site_may_ask_and_the_older_switch_asks_for_an_email(open_page, settings, backstage):
    settings(collect_data="none", collect_email=True, lead_when="after_answer")
    chat = open_page().open()
    chat.find(".starters .pill").wait_for()
    assert chat.find(".card").count() == 0
    say(chat, "hi")
    chat.find("input[name=email]").fill("ann@shop.example")
    assert chat.find("input[name=phone]").count() == 0
    chat.find(".card .strong").click()
    chat.until(lambda: visitor_of(backstage, chat).email == "ann@shop.example", "the address")


def test_who_writes_too_much_is_told_so_and_the_message_is_sent_later_under_its_id(open_page, backstage):
    chat = open_page().open()
    sent = []
    chat.page.on("request", lambda request: sent.append(request.post_data_json["message_id"])
                 if request.url.endswith("chat/stream") else None)
    limited = []
    chat.page.on("response", lambda answer: limited.append(answer) if answer.status == 429 else None)
    chat.page.route("**/chat/stream", lambda route: route.fulfill(
        status=429, headers={"Access-Control-Allow-Origin": "*", "Retry-After": "2"},
        json={"success": False, "code": "rate_limited", "error": "Too many requests", "retry_after": 2},
    ) if not limited else route.continue_())
    chat.ask("patience")
    chat.find(".note").get_by_text("Too many messages. Please wait a moment; yours will be sent then.").wait_for()
    chat.settled()
    assert len(sent) == 2
    assert len(set(sent)) == 1
    chat.until(lambda: not chat.find(".note").inner_text(), "the line to go")
    assert chat.bubbles("visitor") == ["patience"]


def test_the_servers_own_limit_is_said_and_everything_arrives_after_the_wait_it_names(open_page):
    chat = open_page().open()
    refused = []
    chat.page.on("response", lambda answer: refused.append(answer.json()["retry_after"])
                 if answer.status == 429 else None)
    for number in range(5):
        chat.ask(f"number {number}")
    chat.find(".note").get_by_text("Too many messages.").wait_for()
    assert chat.bubbles("visitor") == [f"number {number}" for number in range(5)]
    chat.until(lambda: refused, "the refusal")
    assert 1 <= refused[0] <= 60


def test_sources_are_shown_with_title_and_link(open_page, upstream):
    chat = open_page().open()
    upstream.script(["In two days."])
    say(chat, "When do lamps ship?")
    chat.find(".sources summary").click()
    link = chat.find(".sources a")
    assert (link.inner_text(), link.get_attribute("href")) == ("Shipping of lamps", "https://shop.example/shipping")


def test_a_block_that_ends_by_itself_is_said_with_its_end(open_page, backstage):
    chat = open_page().open()
    say(chat, "hi")
    until_ms = int(time.time() * 1000) + 4_000
    backstage.parts.conversations.block(backstage.site_id, "session", chat.session_id, reason="Be kind.",
                                        until_ms=until_ms)
    chat.find(".note").get_by_text("You cannot write in this chat. Be kind. Until ").wait_for()
    chat.until(lambda: chat.text.is_enabled(), "the block to end")
    say(chat, "kind words")


def test_who_is_blocked_before_the_first_word_is_told_when_writing(open_page, backstage):
    chat = open_page().open()
    backstage.parts.conversations.block(backstage.site_id, "session", chat.session_id, reason="Be kind.")
    chat.ask("hi")
    chat.find(".note").get_by_text("You cannot write in this chat. Be kind.").wait_for()
    assert all(row.session_id != chat.session_id or not row.last_seq for row in rows(backstage, "Visitor"))


def test_what_is_written_and_not_sent_survives_a_reload_and_another_language(open_page):
    chat = open_page().open()
    chat.text.fill("half a thought")
    chat.page.evaluate("Vexar.setLanguage('de')")
    chat.find("textarea[placeholder='Nachricht schreiben']").wait_for()
    assert chat.text.input_value() == "half a thought"
    chat.page.reload()
    chat.text.wait_for()
    assert chat.text.input_value() == "half a thought"
    chat.ask("half a thought")
    chat.settled()
    chat.page.reload()
    chat.wait("visitor", "half a thought")
    assert chat.text.input_value() == ""


def test_events_tell_mode_and_the_visitor_types(open_page, backstage, acting, olga):
    chat = open_page().open()
    chat.page.evaluate("modes = ''; Vexar.on('mode', ({mode}) => { modes += mode + ' '; }); 0")
    say(chat, "hi")
    acting.accept(chat, olga)
    chat.wait("system", "Olga joined the conversation.")
    with chat.page.expect_request("**/chat/typing"):
        chat.text.press_sequentially("hm")
    acting.return_to_ai(chat)
    chat.wait("system", "You are talking to the assistant again.")
    assert chat.page.evaluate("modes").split() == ["operator", "ai"]
