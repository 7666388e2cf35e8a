"""The console when something is in its way: lost lines, colleagues, long and hostile texts, sessions that end."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.browser.desk import asking
from tests.people import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.servers]

MARKUP = "<img src=x onerror=\"document.title='hit'\"> <b>bold</b>"
HOSTILE = f"{MARKUP} {'w' * 400} مرحبا https://x.example/{'y' * 300}"
# As the screen of answers lets it through.
ENDLESS = f"1 < 2 & {'w' * 400} مرحبا"


def call(shop, person, method, path, **body):
    """One request of a person from elsewhere."""
    headers = {"Authorization": f"Bearer {person.token}"}
    return httpx.request(method, f"{shop.url}/api/v1/{path}", json=body or None, headers=headers)


def joined(shop, chat):
    return [text for role, text in shop.messages(chat) if role == "system" and "joined" in text]


def test_what_happened_while_the_line_was_away_is_caught_up_and_nothing_is_lost(shop):
    chat, other = asking(shop), asking(shop)
    olga = shop.operator().answer(chat)
    olga.context.set_offline(True)
    olga.find(".offline-line").wait_for()
    olga.write("Written in a tunnel")
    olga.find(".letter.is-passing", has_text="Written in a tunnel").wait_for()
    olga.box.fill("A draft")
    chat.ask("Are you there?")
    other.ask("And me?")
    chat.settled()
    other.settled()
    olga.context.set_offline(False)
    chat.wait("operator", "Written in a tunnel")
    olga.wait("visitor", "Are you there?")
    olga.wait("operator", "Written in a tunnel")
    olga.until(lambda: olga.find(".offline-line").is_hidden(), "the line to go")
    assert olga.find(".letter").count() == 0
    assert olga.box.input_value() == "A draft"
    assert olga.is_same_page
    assert [text for role, text in shop.messages(chat) if role == "operator"] == ["Written in a tunnel"]
    olga.until(lambda: olga.row(other).inner_text().count("And me?") or shop.conversation(other).last_message
               in olga.row(other).inner_text(), "the list to catch up")


def test_a_server_that_restarts_is_waited_for(shop):
    chat = asking(shop)
    olga = shop.operator().answer(chat)
    shop.server.restart()
    olga.write("Still here")
    chat.wait("operator", "Still here")
    olga.wait("operator", "Still here")
    chat.ask("So am I")
    olga.wait("visitor", "So am I")
    assert olga.is_same_page


def test_a_message_whose_answer_was_lost_is_sent_again_and_arrives_once(shop):
    chat = asking(shop)
    olga = shop.operator().answer(chat)

    def lose(route):
        route.fetch()
        route.abort()

    olga.page.route("**/operator/message", lose, times=1)
    olga.write("Only once")
    olga.find(".letter.is-failed", has_text="Only once").wait_for()
    chat.wait("operator", "Only once")
    olga.press("Send again")
    olga.until(lambda: olga.find(".letter").count() == 0, "the line to go")
    olga.wait("operator", "Only once")
    assert shop.messages(chat).count(("operator", "Only once")) == 1


def test_what_the_server_refuses_stays_until_it_is_discarded(shop):
    chat = asking(shop)
    olga = shop.operator().answer(chat)
    olga.box.evaluate("(box) => box.removeAttribute('maxlength')")
    olga.write("x" * 9_000)
    line = olga.find(".letter.is-failed")
    line.wait_for()
    olga.press("Discard")
    olga.until(lambda: line.count() == 0, "the line to go")
    assert "operator" not in [role for role, _ in shop.messages(chat)]


def test_drafts_stay_with_their_conversation_also_after_a_reload(shop):
    one, two = asking(shop), asking(shop)
    olga = shop.operator().look_at(one)
    olga.box.fill("for one")
    olga.look_at(two)
    assert olga.box.input_value() == ""
    olga.box.fill("for two")
    olga.look_at(one)
    assert olga.box.input_value() == "for one"
    olga.go(f"inbox/{shop.conversation(two).id}")
    assert olga.box.input_value() == "for two"


def test_a_double_click_accepts_once(shop):
    chat = asking(shop)
    olga = shop.operator().look_at(chat)
    asked = []
    olga.page.on("request", lambda request: asked.append(request.url) if "/accept/" in request.url else None)
    olga.page.get_by_role("button", name="Accept").dblclick()
    olga.state("You answer")
    assert len(asked) == 1
    assert joined(shop, chat) == ["Olga joined the conversation."]


def test_who_comes_second_hears_who_was_faster(shop):
    chat = asking(shop)
    olga, oscar = shop.operator("Olga"), shop.person("Oscar")
    olga.look_at(chat)

    def after_oscar(route):
        assert call(shop, oscar, "POST", f"operator/accept/{shop.conversation(chat).id}").is_success
        route.continue_()

    olga.page.route("**/operator/accept/*", after_oscar, times=1)
    olga.press("Accept")
    olga.find(".toast", has_text="Somebody else has this conversation").wait_for()
    olga.state("Oscar answers")
    olga.find(".composer-line", has_text="Oscar answers this visitor.").wait_for()
    assert joined(shop, chat) == ["Oscar joined the conversation."]


def test_a_visitor_who_closes_and_begins_again_is_found_again(shop):
    chat = asking(shop)
    olga = shop.operator().answer(chat)
    chat.find(".icon.menu").click()
    chat.find(".drop button").get_by_text("New conversation").click()
    chat.find(".card .pill").get_by_text("Not now").click()
    olga.find(".composer-line", has_text="This conversation is closed.").wait_for()
    assert olga.box.is_hidden()
    chat.ask("Something else")
    olga.find(".composer-line a", has_text="begun a new one").click()
    olga.wait("visitor", "Something else")


def test_an_erased_visitor_leaves_the_screen(shop):
    chat = asking(shop)
    olga = shop.operator().look_at(chat)
    owner = shop.person("Owen", is_owner=True)
    row, visitor_id = olga.row(chat), shop.conversation(chat).visitor_id
    assert call(shop, owner, "DELETE", f"visitors/{visitor_id}").is_success
    olga.find(".view-main > .empty", has_text="This conversation was erased.").wait_for()
    olga.until(lambda: row.count() == 0, "the row to go")
    assert "hello" not in olga.find(".view").inner_text()


def test_earlier_messages_come_above_and_the_place_stays(shop):
    chat = asking(shop)
    olga = shop.operator()
    conversation = shop.conversation(chat)
    for number in range(120):
        call(shop, olga.person, "POST", "operator/message", conversation_id=conversation.id, content=f"number {number}")
    olga.look_at(chat)
    olga.wait("operator", "number 119")
    assert "number 60" not in olga.texts("operator")
    place = "(log) => log.scrollHeight - log.clientHeight - log.scrollTop"
    assert olga.find(".log").evaluate(place) < 2
    while olga.find(".earlier").is_visible():
        first = olga.find(".said").first
        text = first.inner_text()
        olga.find(".earlier").scroll_into_view_if_needed()
        before = first.bounding_box()["y"]
        count = olga.find(".said").count()
        olga.press("Earlier messages")
        olga.until(lambda count=count: olga.find(".said").count() > count, "earlier messages")
        again = olga.find(".said", has_text=re.compile(rf"{re.escape(text.split()[-1])}$"))
        assert abs(again.last.bounding_box()["y"] - before) < 3
    assert olga.texts("operator") == [f"number {number}" for number in range(120)]
    assert olga.find(".day").count() == 1
    # Who reads what was said before is not carried away by what comes.
    chat.ask("New")
    olga.find(".newest").click()
    olga.until(lambda: olga.find(".log").evaluate(place) < 2, "the end")


def test_hostile_and_endless_texts_stay_texts_and_inside(shop):
    chat = asking(shop, HOSTILE, ENDLESS)
    olga = shop.operator().look_at(chat)
    assert "<img src=x" in olga.texts("visitor")[0]
    assert "<b>bold</b>" in olga.texts("visitor")[0]
    assert olga.texts("assistant")[0] == ENDLESS
    assert olga.find(".log img").count() == 0
    for width in (1280, 390):
        olga.page.set_viewport_size({"width": width, "height": 800})
        wide = "[document.documentElement, ...document.querySelectorAll('.log, .view-main, .rows-place, .view-head')]" \
               ".filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.className)"
        assert olga.page.evaluate(wide) == []


def test_an_image_is_shown_before_it_is_sent_and_a_wrong_one_is_refused(shop, tmp_path):
    from PIL import Image

    chat = asking(shop)
    olga = shop.operator().answer(chat)
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    Image.new("RGB", (80, 40), "green").save(good)
    bad.write_text("<script>alert(1)</script>")
    olga.find("input[type=file]").set_input_files(good)
    olga.find(".chip img").wait_for()
    assert "operator" not in [role for role, _ in shop.messages(chat)]
    olga.write("Look at this")
    olga.find(".said.operator img").wait_for()
    chat.until(lambda: chat.find(".row.operator img").evaluate("(image) => image.naturalWidth") == 80, "the image")
    olga.until(lambda: olga.find(".said.operator img").evaluate("(image) => image.naturalWidth") == 80, "the image")
    olga.find("input[type=file]").set_input_files(bad)
    olga.press("Send")
    olga.find(".letter.is-failed", has_text="image").wait_for()
    assert [text for role, text in shop.messages(chat) if role == "operator"] == ["Look at this"]


def test_a_pasted_image_waits_to_be_sent(shop):
    chat = asking(shop)
    olga = shop.operator().answer(chat)
    olga.box.evaluate("""async (box) => {
      const canvas = new OffscreenCanvas(30, 20);
      canvas.getContext("2d").fillRect(0, 0, 30, 20);
      const data = new DataTransfer();
      data.items.add(new File([await canvas.convertToBlob()], "shot.png", { type: "image/png" }));
      box.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
    }""")
    olga.find(".chip", has_text="shot.png").wait_for()
    olga.press("Send")
    chat.find(".row.operator img").wait_for()


def test_two_tabs_of_one_operator_are_in_step(shop):
    chat = asking(shop)
    olga = shop.operator().answer(chat)
    other = olga.tab().look_at(chat)
    other.state("You answer")
    olga.write("From the first tab")
    other.wait("operator", "From the first tab")
    other.go("inbox")
    olga.page.bring_to_front()
    chat.ask("Read in one tab")
    olga.wait("visitor", "Read in one tab")
    other.until(lambda: other.row(chat).locator(".unread").count() == 0, "the mark to go")
    assert shop.conversation(chat).unread_count == 0


def test_nothing_counts_as_read_while_nobody_looks(shop):
    chat = asking(shop)
    olga = shop.operator().answer(chat)
    see = "(state) => { Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });" \
          "document.dispatchEvent(new Event('visibilitychange')); }"
    olga.page.evaluate(see, "hidden")
    chat.ask("Nobody sees this")
    olga.wait("visitor", "Nobody sees this")
    olga.row(chat).locator(".unread").wait_for()
    assert shop.conversation(chat).unread_count == 1
    olga.page.evaluate(see, "visible")
    olga.until(lambda: shop.conversation(chat).unread_count == 0, "the mark to go")
    assert olga.row(chat).locator(".unread").count() == 0


def test_the_focus_stays_where_it_is_when_others_write(shop):
    one, two = asking(shop), asking(shop)
    olga = shop.operator()
    olga.row(one).focus()
    two.ask("I come to the top")
    top = olga.row(two).get_attribute("href")
    olga.until(lambda: olga.find(".row").first.get_attribute("href") == top, "the order")
    has_focus = "(row) => row === document.activeElement"
    assert olga.row(one).evaluate(has_focus)
    one.ask("So do I")
    top = olga.row(one).get_attribute("href")
    olga.until(lambda: olga.find(".row").first.get_attribute("href") == top, "the order")
    assert olga.row(one).evaluate(has_focus)
    olga.answer(one)
    olga.box.fill("I am writ")
    two.ask("Once more")
    one.ask("And I")
    olga.wait("visitor", "And I")
    assert olga.box.evaluate("(box) => box === document.activeElement")
    assert olga.box.input_value() == "I am writ"


def test_who_looks_elsewhere_is_notified_once(shop):
    chat = asking(shop)
    olga = shop.operator(permissions=["notifications"])
    olga.page.evaluate("""() => {
      window.told = [];
      window.Notification = class { static permission = "granted"; constructor(title) { window.told.push(title); } };
      document.hasFocus = () => false;
    }""")
    olga.answer(chat)
    chat.ask("Psst")
    olga.wait("visitor", "Psst")
    name = olga.find(".view-name h2").inner_text()
    assert olga.page.evaluate("window.told") == [name]


def test_a_session_that_ends_leads_to_the_login_and_back_with_the_draft(shop):
    chat = asking(shop)
    olga = shop.operator().answer(chat)
    olga.box.fill("Half a sen")
    assert call(shop, olga.person, "POST", "auth/logout").is_success
    olga.page.wait_for_url("**/console/login**", timeout=40_000)
    olga.page.fill("[name=email]", olga.person.email)
    olga.page.fill("[name=password]", PASSWORD)
    olga.page.keyboard.press("Enter")
    olga.page.wait_for_url(f"**/console/inbox/{shop.conversation(chat).id}")
    olga.state("You answer")
    assert olga.box.input_value() == "Half a sen"
