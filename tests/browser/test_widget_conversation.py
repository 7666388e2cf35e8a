"""A visitor's conversation in a real browser: asking, stopping, reloading, persons, blocks, forms, tabs."""

from __future__ import annotations

import re

import pytest

pytestmark = pytest.mark.browser

NOTHING = {"local": {}, "session": {}, "cookies": "", "databases": 0}


def slowly(gate, *tokens):
    """A script: the first token at once, the others when the gate opens."""

    def script(wire, body):
        wire.head()
        wire.token(tokens[0])
        gate.wait(20)
        for token in tokens[1:]:
            wire.token(token)
        wire.done()

    return script


def test_before_the_first_open_nothing_is_stored_and_only_the_config_is_asked_for(open_page, host):
    chat = open_page()
    chat.button.hover()
    chat.until(lambda: any("widget.css" in request.url for request in chat.requests), "the panel to be fetched")
    chat.page.wait_for_load_state("networkidle")
    assert chat.kept() == NOTHING
    calls = [(call.method, re.sub(r"\?.*", "", call.url)) for call in chat.requests if "/api/" in call.url]
    assert calls == [("GET", f"{host.base}/api/v1/chat/config")]
    assert all(request.url.startswith((host.url, host.base)) for request in chat.requests)


def test_a_question_is_answered_with_formatting_and_survives_a_reload(open_page, upstream):
    upstream.script(["Yes, **we", " do**.\n\n- one\n- t", "wo\n\nSee [here](https://shop.example/x)"])
    chat = open_page().open()
    chat.find(".starters .pill").click()
    chat.wait("visitor", "Do you ship?")
    chat.wait("assistant", "Yes, we do.\none\ntwo\nSee here")
    link = chat.find(".row.assistant a")
    assert (link.get_attribute("href"), link.get_attribute("rel")) == (
        "https://shop.example/x", "noopener noreferrer nofollow")
    chat.settled()
    chat.page.reload()
    chat.wait("assistant", "Yes, we do.\none\ntwo\nSee here")
    assert chat.bubbles("visitor") == ["Do you ship?"]
    assert upstream.count == 1
    assert not chat.problems


def test_a_reload_in_the_middle_of_an_answer_continues_it(open_page, upstream, gate):
    upstream.script(slowly(gate, "The beginning ", "and the ", "end."))
    chat = open_page().open()
    chat.ask("How does it go?")
    chat.wait("assistant", "The beginning")
    chat.page.reload()
    chat.wait("assistant", "The beginning")
    gate.set()
    chat.wait("assistant", "The beginning and the end.")
    chat.settled()
    assert (chat.bubbles("visitor"), chat.bubbles()) == (["How does it go?"], ["The beginning and the end."])
    assert upstream.count == 1


def test_stop_keeps_what_was_said(open_page, upstream, gate):
    upstream.script(slowly(gate, "Only this. ", "Never that."))
    chat = open_page().open()
    chat.ask("Tell me")
    chat.wait("assistant", "Only this.")
    chat.find(".icon.stop").click()
    chat.find(".row.assistant .meta", ).get_by_text("Stopped").wait_for()
    assert chat.bubbles() == ["Only this."]
    assert chat.find(".icon.stop").is_hidden()


def test_a_failed_answer_can_be_tried_again_under_the_same_id(open_page, upstream, backstage):
    chat = open_page().open()
    upstream.script(["fine"])
    chat.ask("first")
    chat.wait("assistant", "fine")
    upstream.script("cut_mid_stream", ["now it ", "works"])
    chat.ask("second")
    chat.find(".row .pill").get_by_text("Try again").click()
    chat.wait("assistant", "now it works")
    chat.settled()
    assert chat.bubbles("visitor") == ["first", "second"]


def test_two_messages_at_once_are_both_answered_in_order(open_page, upstream, gate):
    upstream.script(slowly(gate, "one ", "two"), ["three"])
    chat = open_page().open()
    chat.ask("first")
    chat.wait("assistant", "one")
    chat.ask("second")
    chat.wait("visitor", "second")
    gate.set()
    chat.wait("assistant", "three")
    chat.settled()
    assert (chat.bubbles("visitor"), chat.bubbles()) == (["first", "second"], ["one two", "three"])


def test_a_person_takes_over_speaks_types_and_leaves(open_page, upstream, acting, olga):
    chat = open_page().open()
    upstream.script(["hello"])
    chat.ask("hi")
    chat.wait("assistant", "hello")
    chat.settled()
    acting.accept(chat, olga)
    chat.wait("system", "Olga joined the conversation.")
    acting.operator_types(chat, True)
    chat.find(".typing").get_by_text("Olga is typing…").wait_for()
    acting.say(chat, olga, content="I am a **person**")
    chat.wait("operator", "I am a person")
    assert chat.find(".subtitle").inner_text() == "Olga"
    assert chat.find("[aria-live=polite]").inner_text() == "I am a **person**"
    chat.ask("good")
    chat.wait("visitor", "good")
    chat.settled()
    acting.return_to_ai(chat)
    chat.wait("system", "You are talking to the assistant again.")
    assert chat.find(".subtitle").inner_text() == ""
    assert upstream.count == 1


def test_a_message_that_comes_while_the_panel_is_closed_is_counted(open_page, upstream, acting, olga):
    chat = open_page().open()
    chat.page.evaluate("unread = []; Vexar.on('unread', ({count}) => { unread[unread.length] = count; }); 0")
    chat.ask("hi")
    chat.settled()
    acting.accept(chat, olga)
    chat.wait("system", "Olga joined the conversation.")
    chat.find("header .icon.close").click()
    acting.say(chat, olga, content="Are you there?")
    chat.find(".badge").get_by_text("1").wait_for()
    assert chat.button.get_attribute("aria-label") == "Open chat, 1 unread"
    chat.button.click()
    chat.find(".badge").wait_for(state="detached")
    assert chat.page.evaluate("unread") == [1, 0]


def test_who_is_blocked_is_told_so_and_for_how_long(open_page, backstage, acting):
    chat = open_page().open()
    chat.ask("hi")
    chat.settled()
    backstage.parts.conversations.block(backstage.site_id, "session", chat.session_id, reason="Be kind.")
    chat.find(".note").get_by_text("You cannot write in this chat. Be kind.").wait_for()
    assert chat.text.is_disabled()
    chat.page.reload()
    chat.find(".note").get_by_text("You cannot write in this chat. Be kind.").wait_for()
    acting.unblock(chat)
    chat.until(lambda: chat.text.is_enabled(), "the block to be lifted")


def test_a_rating_with_a_comment_arrives(open_page, backstage):
    chat = open_page().open()
    chat.page.evaluate("rated = 0; Vexar.on('rating', ({score}) => { rated = score; }); 0")
    chat.ask("hi")
    chat.settled()
    chat.find(".icon.menu").click()
    chat.find(".drop button").get_by_text("Rate this conversation").click()
    chat.find(".stars button").nth(3).click()
    chat.find(".card textarea").fill("Very good")
    chat.find(".card .strong").click()
    chat.find(".card").get_by_text("Thank you!").wait_for()
    assert chat.page.evaluate("rated") == 4
    assert [(row.rating_score, row.rating_comment) for row in rows(backstage, "Conversation") if row.rating_score] == [
        (4, "Very good")]


def test_contact_details_are_taken_and_a_wrong_one_is_said(open_page, backstage):
    chat = open_page().open()
    chat.find(".icon.menu").click()
    chat.find(".drop button").get_by_text("Leave your contact details").click()
    chat.find("input[name=email]").fill("nonsense")
    chat.find(".card .strong").click()
    chat.until(lambda: chat.find(".card .error").inner_text(), "the refusal")
    chat.find("input[name=email]").fill("ann@shop.example")
    chat.find("input[name=name]").fill("Ann")
    chat.find(".card .strong").click()
    chat.find(".card").get_by_text("Thank you!").wait_for()
    assert visitor_of(backstage, chat).email == "ann@shop.example"


def test_a_new_conversation_begins_with_the_starters(open_page, backstage):
    chat = open_page().open()
    chat.ask("hi")
    chat.settled()
    chat.find(".icon.menu").click()
    chat.find(".drop button").get_by_text("New conversation").click()
    chat.find(".card .pill").get_by_text("Not now").click()
    chat.find(".starters .pill").wait_for()
    assert visitor_of(backstage, chat).conversation_id is None


def test_an_image_is_shrunk_uploaded_and_shown(open_page, backstage, tmp_path):
    from PIL import Image

    path = tmp_path / "big.png"
    Image.effect_noise((2400, 1200), 90).convert("RGB").save(path)
    chat = open_page().open()
    chat.find("input[type=file]").set_input_files(path)
    chat.find(".chip canvas").wait_for()
    with chat.page.expect_response(lambda answer: answer.url.endswith("upload-image")) as uploaded:
        pass
    assert (uploaded.value.json()["width"], uploaded.value.json()["height"]) == (1600, 800)
    chat.ask("look")
    chat.find(".row.visitor img").wait_for()
    chat.settled()
    chat.page.reload()
    chat.until(lambda: chat.find(".row.visitor img").evaluate("(image) => image.naturalWidth") == 1600, "the image")


def test_what_is_no_image_is_refused_with_a_sentence(open_page, tmp_path):
    path = tmp_path / "a.png"
    path.write_text("no image")
    chat = open_page().open()
    chat.find("input[type=file]").set_input_files(path)
    chat.find(".note").get_by_text("This image cannot be sent.").wait_for()


def test_older_messages_come_by_page_and_in_order(open_page, backstage, acting, olga):
    chat = open_page().open()
    chat.ask("hi")
    chat.settled()
    for number in range(60):
        acting.say(chat, olga, content=f"number {number}")
    chat.page.reload()
    chat.wait("operator", "number 59")
    assert "number 5" not in chat.bubbles("operator")
    chat.find(".log > .pill").click()
    chat.wait("operator", "number 0")
    assert chat.bubbles("operator") == [f"number {number}" for number in range(60)]
    assert chat.find(".log > .pill").is_hidden()


def test_two_tabs_are_in_step_and_the_second_takes_over_live_push(open_page, host, upstream, acting, olga, gate):
    from tests.browser.conftest import Chat

    first = open_page().open()
    second = Chat.visit(first.page.context.new_page(), host).open()
    upstream.script(slowly(gate, "Both ", "see it"))
    first.ask("Who sees this?")
    second.wait("visitor", "Who sees this?")
    second.wait("assistant", "Both")
    gate.set()
    for chat in (first, second):
        chat.wait("assistant", "Both see it")
    assert sorted(map(listened, (first, second))) == [0, 1]
    leader, other = (first, second) if listened(first) else (second, first)
    leader.page.close()
    other.until(lambda: listened(other), "the other tab to listen")
    acting.say(other, olga, content="still here")
    other.wait("operator", "still here")
    assert other.bubbles("visitor") == ["Who sees this?"]


def test_a_tab_that_dies_with_an_unsent_message_leaves_it_to_the_other(open_page, host, upstream):
    from tests.browser.conftest import Chat

    first = open_page().open()
    second = Chat.visit(first.page.context.new_page(), host).open()
    first.page.route("**/chat/stream", lambda route: route.abort())
    first.ask("Do not lose me")
    second.wait("visitor", "Do not lose me")
    first.page.close()
    second.until(lambda: upstream.questions == ["Do not lose me"], "the other tab to send it", 30)
    second.settled()
    assert second.bubbles("visitor") == ["Do not lose me"]


def test_polling_takes_over_where_the_event_stream_does_not_get_through(open_page, acting, olga):
    chat = open_page()
    chat.page.route("**/chat/events*", lambda route: route.fulfill(status=502, body="no"))
    chat.open()
    chat.ask("hi")
    chat.settled()
    acting.accept(chat, olga)
    acting.say(chat, olga, content="over polling")
    chat.wait("operator", "over polling")


def test_the_page_controls_the_chat(open_page, upstream):
    chat = open_page()
    chat.page.evaluate(
        "seen = ''; for (const name of ['open', 'close', 'message']) Vexar.on(name, () => { seen += name + ' '; }); 0"
    )
    chat.page.evaluate("Vexar.send('from the page')")
    chat.page.evaluate("Vexar.open()")
    chat.wait("visitor", "from the page")
    chat.settled()
    chat.page.evaluate("Vexar.close()")
    assert chat.panel.is_hidden()
    assert chat.page.evaluate("seen").split() == ["open", "message", "message", "close"]
    chat.page.evaluate("Vexar.hide()")
    assert chat.button.is_hidden()
    chat.page.evaluate("Vexar.show(); Vexar.setLanguage('de'); Vexar.open()")
    chat.find("textarea[placeholder='Nachricht schreiben']").wait_for()
    before = chat.session_id
    chat.page.evaluate("Vexar.reset()")
    chat.until(lambda: chat.bubbles("visitor") == [] and chat.session_id != before, "a new session")
    chat.page.evaluate("Vexar.shutdown()")
    assert chat.widget.count() == 0


def test_calls_made_before_the_tag_was_loaded_are_kept(open_page):
    chat = open_page("early")
    chat.text.wait_for()
    chat.wait("visitor", "from early on")


def listened(chat):
    """How often a tab has begun to listen."""
    return sum("chat/events" in request.url for request in chat.requests)


def rows(backstage, name):
    from vexar import models

    model = getattr(models, name)
    return backstage.parts.store.read(lambda tx: tx.all(model.select(model)))


def visitor_of(backstage, chat):
    return next(row for row in rows(backstage, "Visitor") if row.session_id == chat.session_id)
