"""A visitor in the demo shop and operators at the console, in real browsers on two workers: what people do together."""

from __future__ import annotations

import threading

import pytest

from tests.browser.desk import asking, slowly
from vexar import models

pytestmark = [pytest.mark.browser, pytest.mark.servers]


@pytest.fixture
def gate():
    event = threading.Event()
    yield event
    event.set()


def calling(shop, question="hi"):
    """One who asked for a person then."""
    chat = asking(shop, question)
    chat.find(".icon.menu").click()
    chat.find(".drop button").get_by_text("Talk to a person").click()
    chat.wait("system", "We are calling a person for you.")
    return chat


def test_a_person_takes_over_in_the_middle_of_an_answer_and_gives_it_back(shop, gate):
    olga = shop.operator()
    chat = shop.visitor()
    shop.upstream.script(slowly(gate, "The beginning ", "that nobody reads."), ["I am back"])
    chat.ask("How does it go?")
    chat.wait("assistant", "The beginning")
    # What was not written down yet is not kept either.
    chat.until(lambda: shop.checkpoint(chat), "the checkpoint")
    olga.answer(chat)
    chat.wait("system", "Olga joined the conversation.")
    gate.set()
    olga.wait("assistant", "The beginning")
    olga.find(".said.assistant .tag", has_text="cut off").wait_for()
    assert (shop.conversation(chat).mode, shop.conversation(chat).operator_id) == ("operator", olga.person.id)

    olga.box.press_sequentially("I am ")
    chat.find(".typing").get_by_text("Olga is typing…").wait_for()
    olga.write("I am a **person**")
    chat.wait("operator", "I am a person")
    olga.wait("operator", "I am a person")
    chat.text.press_sequentially("Good")
    olga.find(".view .typing", has_text="is typing").wait_for()
    chat.ask("Good to know")
    olga.wait("visitor", "Good to know")
    chat.settled()

    olga.press("To the AI")
    chat.wait("system", "You are talking to the assistant again.")
    olga.state("The AI answers")
    chat.ask("And now?")
    olga.wait("assistant", "I am back")
    assert shop.messages(chat) == [
        ("visitor", "How does it go?"), ("assistant", "The beginning"), ("system", "Olga joined the conversation."),
        ("operator", "I am a **person**"), ("visitor", "Good to know"),
        ("system", "You are talking to the assistant again."), ("visitor", "And now?"), ("assistant", "I am back"),
    ]  # fmt: skip
    assert shop.upstream.count == 2
    assert olga.is_same_page


def test_a_waiting_visitor_comes_on_top_with_how_long_and_is_told_in_the_title(shop):
    olga = shop.operator()
    asking(shop)
    chat = calling(shop)
    first = olga.find(".rows > li").first
    first.locator(f".row[href$='/{shop.conversation(chat).id}'] .tag.waiting", has_text="Waiting").wait_for()
    olga.until(lambda: olga.page.title().startswith("("), "the title to count")
    olga.find(".inbox-empty a", has_text="Answer now").click()
    olga.state("Waiting for")
    olga.press("Accept")
    olga.state("You answer")
    olga.write("Here I am")
    chat.wait("operator", "Here I am")
    assert not shop.conversation(chat).is_waiting
    olga.press("Close")
    olga.press("Close it")
    olga.find(".composer-line", has_text="This conversation is closed.").wait_for()
    assert shop.conversation(chat).closed_ms


def test_a_conversation_goes_from_one_operator_to_the_other(shop):
    chat = asking(shop)
    olga, oscar = shop.operator("Olga"), shop.operator("Oscar")
    olga.answer(chat)
    oscar.look_at(chat).state("Olga answers")
    oscar.box.fill("She bought boots.")
    oscar.press("Keep note")
    olga.wait("note", "She bought boots.")
    olga.press("Transfer")
    olga.find("dialog select").select_option(str(oscar.person.id))
    olga.find("dialog button[type=submit]").click()
    oscar.state("You answer")
    oscar.find(".toast", has_text="Olga passed").wait_for()
    olga.state("Oscar answers")
    oscar.write("Hello from Oscar")
    chat.wait("operator", "Hello from Oscar")
    olga.wait("operator", "Hello from Oscar")
    assert shop.conversation(chat).operator_id == oscar.person.id
    assert "She bought boots." not in chat.find(".log").inner_text()
    olga.press("Take over")
    olga.find("dialog button", has_text="Take over").click()
    oscar.state("Olga answers")
    assert shop.conversation(chat).operator_id == olga.person.id


def test_a_blocked_visitor_is_told_and_comes_back_when_it_is_lifted(shop):
    chat = asking(shop)
    olga = shop.operator().look_at(chat)
    olga.press("Block this visitor")
    olga.find("dialog input[name=reason]").fill("Be kind.")
    olga.find("dialog button[type=submit]").click()
    olga.state("blocked")
    chat.find(".note").get_by_text("Be kind.").wait_for()
    assert chat.text.is_disabled()
    blocks = shop.rows(models.Block.select(models.Block).where(models.Block.value == chat.session_id))
    assert [(block.kind, block.reason, block.until_ms is not None) for block in blocks] == [
        ("session", "Be kind.", True)]
    olga.press("Unblock this visitor")
    chat.until(chat.text.is_enabled, "the block to be lifted")
    olga.until(lambda: "blocked" not in olga.find(".view-head .small").inner_text(), "the word to go")
    assert shop.rows(models.Block.select(models.Block).where(models.Block.value == chat.session_id)) == []


def test_an_owner_erases_a_visitor_and_the_list_of_closed_ones_follows(shop):
    chat = asking(shop)
    olga = shop.operator("Olga", is_owner=True).look_at(chat)
    olga.press("Erase this visitor")
    olga.find("dialog button", has_text="Erase for good").click()
    olga.find(".toast", has_text="Erased").wait_for()
    assert shop.messages(chat) == []
    other = asking(shop)
    olga.look_at(other)
    olga.find(".tab", has_text="Closed").click()
    olga.press("Close")
    olga.find("dialog button", has_text="Close it").click()
    olga.find(f".row[href$='/{shop.conversation(other).id}']").wait_for()


def test_a_person_speaks_first_to_somebody_who_only_looks(shop):
    chat = shop.visitor()
    olga = shop.operator(path="visitors")
    olga.find(f"button[data-key='hello {chat.session_id}']").click()
    olga.find("dialog textarea").fill("Can I help you?")
    olga.find("dialog button[type=submit]").click()
    chat.find(".log").get_by_text("Can I help you?").wait_for()
    olga.wait("proactive", "Can I help you?")
    assert shop.messages(chat) == [("proactive", "Can I help you?")]
    chat.ask("Yes, please")
    olga.wait("visitor", "Yes, please")


def test_a_rating_appears_beside_the_conversation(shop):
    chat = asking(shop)
    olga = shop.operator().look_at(chat)
    chat.find(".icon.menu").click()
    chat.find(".drop button").get_by_text("Rate this conversation").click()
    chat.find(".stars button").nth(3).click()
    chat.find(".card textarea").fill("Very good")
    chat.find(".card .strong").click()
    olga.find(".view-side .stars[aria-label='4 of 5']").wait_for()
    olga.find(".view-side", has_text="Very good").wait_for()
    row = shop.conversation(chat)
    assert (row.rating_score, row.rating_comment) == (4, "Very good")
    assert olga.is_same_page


def test_an_operators_words_reach_the_open_widget_at_once_and_in_order(shop, capsys):
    chat = asking(shop)
    olga = shop.operator().answer(chat)
    chat.page.evaluate("""() => {
      window.came = {};
      const root = document.querySelector("vexar-chat").shadowRoot;
      const look = () => root.querySelectorAll(".row.operator .bubble").forEach((bubble) => {
        window.came[bubble.textContent.trim()] ??= Date.now();
      });
      new MutationObserver(look).observe(root, { subtree: true, childList: true, characterData: true });
    }""")
    olga.box.evaluate("""(box) => {
      window.went = {};
      const note = ({ key }) => { if (key === "Enter") window.went[box.value] = Date.now(); };
      box.addEventListener("keydown", note, true);
    }""")
    words = [f"message {number}" for number in range(40)]
    for text in words:
        olga.write(text)
    chat.wait("operator", words[-1])
    assert chat.bubbles("operator") == words
    went, came = olga.page.evaluate("window.went"), chat.page.evaluate("window.came")
    took_ms = sorted(came[text] - went[text] for text in words)
    with capsys.disabled():
        print(f"\noperator to widget, two workers: p50 {took_ms[20]} ms, p99 {took_ms[-1]} ms")


def test_a_visitor_is_answered_with_the_keyboard_alone(shop):
    person = shop.person("Olga")
    reply = models.CannedReply
    site_id = shop.rows(models.Site.select(models.Site.id).where(models.Site.site_key == "sk_demo"))[0].id
    shop.store.write(lambda tx: tx.run(reply.insert(
        site_id=site_id, shortcut="greet", content="Hello {name}, how can I help?", created_ms=1)))
    chat = calling(shop)
    page = shop.visitor().page.context.browser.new_context().new_page()
    page.goto(f"{shop.url}/console/")
    keys = page.keyboard
    keys.type(person.email)
    keys.press("Tab")
    keys.type("correct horse")
    keys.press("Enter")
    page.locator(".inbox-empty", has_text="waits for a person").wait_for()
    keys.press("?")
    page.locator("dialog", has_text="Accept").or_(page.locator("dialog", has_text="Next conversation")).wait_for()
    keys.press("Escape")
    while not page.url.endswith(f"/{shop.conversation(chat).id}"):
        keys.press("j")
        page.wait_for_timeout(50)
    page.locator(".view-head .is-waiting").wait_for()
    keys.press("a")
    page.locator(".view-head", has_text="You answer").wait_for()
    page.locator(".composer textarea:focus").wait_for()
    keys.type("/gre")
    page.locator(".replies [aria-selected=true]", has_text="/greet").wait_for()
    keys.press("Enter")
    keys.press("Enter")
    chat.wait("operator", "Hello, how can I help?")
    keys.press("Escape")
    keys.press("e")
    page.locator("dialog[open]").wait_for()
    for _ in range(3):
        if page.evaluate("document.activeElement.innerText") == "Close it":
            break
        keys.press("Tab")
    keys.press("Enter")
    page.locator(".composer-line", has_text="closed").wait_for()
    assert shop.conversation(chat).closed_ms
    page.context.close()
