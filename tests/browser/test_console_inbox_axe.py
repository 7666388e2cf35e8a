"""axe-core finds nothing to object to in the inbox and among the visitors, in any state, wide, narrow, light, dark."""

from __future__ import annotations

import pytest

from tests.browser.desk import DESKTOP, PHONE, asking

pytestmark = [pytest.mark.browser, pytest.mark.servers]


def call_person(chat):
    chat.find(".icon.menu").click()
    chat.find(".drop button").get_by_text("Talk to a person").click()
    chat.wait("system", "We are calling a person for you.")


def empty(olga, chat):
    olga.find(".inbox-empty h2").wait_for()


def somebody_waits(olga, chat):
    call_person(chat)
    olga.find(".inbox-empty a", has_text="Answer now").wait_for()


def nothing_found(olga, chat):
    olga.find("input[type=search]").fill("zzzz")
    olga.find(".rows-place .empty", has_text="Nothing found.").wait_for()


def waiting(olga, chat):
    olga.look_at(chat)
    call_person(chat)
    olga.state("Waiting for")
    olga.row(chat).focus()


def mine(olga, chat):
    olga.answer(chat)
    olga.write("- **one**\n- [two](https://shop.example)")
    olga.find(".said.operator li").first.wait_for()
    olga.page.keyboard.press("Escape")
    olga.page.keyboard.press("n")
    olga.page.keyboard.type("Only for us")
    olga.page.keyboard.press("Enter")
    olga.wait("note", "Only for us")
    chat.text.press_sequentially("I am")
    olga.find(".view .typing", has_text="is typing").wait_for()


def replies(olga, chat):
    add = {"shortcut": "hi", "content": "Hello {name}"}
    olga.page.evaluate("""async (body) => {
      const token = document.querySelector("meta[name=csrf]").content;
      const headers = { "Content-Type": "application/json", "X-CSRF-Token": token };
      await fetch("/api/v1/sites/1/canned-replies", { method: "POST", headers, body: JSON.stringify(body) });
    }""", add)
    olga.answer(chat)
    olga.box.press_sequentially("/")
    olga.find(".replies li").first.wait_for()


def note(olga, chat):
    olga.look_at(chat).press("Note")


def lost_line(olga, chat):
    olga.answer(chat)
    olga.context.set_offline(True)
    olga.write("Into the dark")
    olga.find(".letter.is-passing").wait_for()


def refused(olga, chat):
    olga.answer(chat)
    olga.box.evaluate("(box) => box.removeAttribute('maxlength')")
    olga.write("x" * 9_000)
    olga.find(".letter.is-failed").wait_for()


def others(olga, chat):
    olga.shop.operator("Oscar").answer(chat)
    olga.look_at(chat).state("Oscar answers")


def closed(olga, chat):
    olga.answer(chat).press("Close")
    olga.press("Close it")
    olga.find(".composer-line", has_text="closed").wait_for()


def dialog(words):
    def state(olga, chat):
        olga.answer(chat).press(words)
        olga.find("dialog[open]").wait_for()

    return state


def transfer(olga, chat):
    olga.shop.person("Oscar")
    dialog("Transfer")(olga, chat)


def keys(olga, chat):
    olga.look_at(chat).page.keyboard.press("?")


def about(olga, chat):
    olga.look_at(chat).page.keyboard.press("i")
    olga.find("dialog .details").wait_for()


def menu(olga, chat):
    olga.page.set_viewport_size(PHONE)
    olga.press("More")
    olga.page.set_viewport_size(DESKTOP)


def nobody_online(olga, chat):
    olga.page.route("**/operator/visitors**", lambda route: route.fulfill(json={"data": [], "pagination": {}}))
    olga.go("visitors")


def visitors(olga, chat):
    olga.go("visitors").find("button", has_text="Say hello").first.wait_for()


def hello(olga, chat):
    visitors(olga, chat)
    olga.find("button", has_text="Say hello").first.click()


STATES = {
    "empty": empty, "somebody waits": somebody_waits, "nothing found": nothing_found, "waiting": waiting, "mine": mine,
    "replies": replies, "note": note, "lost line": lost_line, "refused": refused, "others": others, "closed": closed,
    "close": dialog("Close"), "transfer": transfer, "block": dialog("Block this visitor"), "alerts": dialog("Alerts"),
    "keys": keys, "about": about, "menu": menu, "nobody online": nobody_online, "visitors": visitors, "hello": hello,
}  # fmt: skip


@pytest.mark.parametrize("state", STATES)
def test_axe_objects_to_no_state_of_the_inbox(shop, state):
    chat = None if state == "empty" else asking(shop)
    olga = shop.operator()
    STATES[state](olga, chat)
    assert olga.objections() == {}


def test_axe_would_object(shop):
    olga = shop.operator()
    olga.find("input[type=search]").evaluate("(box) => { box.removeAttribute('aria-label'); box.placeholder = ''; }")
    assert any("label" in said for found in olga.objections().values() for said in found)
