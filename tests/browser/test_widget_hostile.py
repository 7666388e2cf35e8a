"""Nothing that anybody writes becomes a script, a foreign element or a request to another host."""

from __future__ import annotations

import pytest

from tests.browser.hostile import STRINGS, TAGS, URLS
from tests.cast import add, operator_row

pytestmark = pytest.mark.browser

TAG_NAMES = """
    a blockquote br button canvas circle code details div em form h2 header i img input label li ol p path pre section
    span strong summary svg table td textarea th time tr ul
"""
ATTRIBUTE_NAMES = """
    accept alt aria-atomic aria-busy aria-checked aria-expanded aria-haspopup aria-hidden aria-label aria-labelledby
    aria-live aria-modal autocomplete class d data-key datetime decoding dir disabled enterkeyhint height hidden href
    id lang loading maxlength name novalidate open part placeholder rel role rows src start style tabindex target
    title type viewbox width
"""
# Everything in the shadow tree, as [tag, attribute names, href or src].
TREE = """() => {
  const found = [];
  for (const e of document.querySelector("vexar-chat").shadowRoot.querySelectorAll("*")) {
    const names = [];
    for (const a of e.attributes) names.push(a.name.toLowerCase());
    found.push([e.localName, names, e.href?.baseVal ?? e.href ?? e.src ?? ""]);
  }
  return found;
}"""


def check(chat):
    """The canary sleeps, only known elements are there, and nobody else was asked for anything."""
    assert chat.page.evaluate("window.canary") == 0
    for tag, attributes, address in chat.page.evaluate(TREE):
        assert tag in TAG_NAMES.split(), tag
        assert set(attributes) <= set(ATTRIBUTE_NAMES.split()), (tag, attributes)
        assert address == "" or address.startswith(("https:", "http:", "mailto:", "tel:")), address
    foreign = [one.url for one in chat.requests if not one.url.startswith((chat.host.url, chat.host.base))]
    assert foreign == []
    assert chat.problems == []


def test_there_are_more_than_three_hundred_of_them():
    assert len(set(STRINGS)) >= 300


def test_as_what_the_visitor_and_the_ai_say(open_page, upstream):
    from tests.upstream import question_of

    def echo(wire, body):
        text = question_of(body)
        wire.answer([text[at:at + 7] for at in range(0, len(text), 7)])

    upstream.always = echo
    chat = open_page().open()
    # Many in one message, apart by blank lines, as blocks of their own.
    size = 12
    for start in range(0, len(STRINGS), size):
        text = "\n\n".join(STRINGS[start:start + size])[:3900]
        chat.page.evaluate("(text) => Vexar.send(text)", text)
        chat.settled()
    check(chat)
    for link in chat.find(".bubble a").all()[:20]:
        assert link.get_attribute("target") == "_blank"
    chat.page.reload()
    chat.find(".row.assistant").first.wait_for()
    check(chat)


def test_as_what_a_person_says_and_is_called(open_page, backstage):
    olga = add(backstage.parts.store, operator_row(TAGS[1] + "{name}"))[0]
    verbs = backstage.parts.conversations
    chat = open_page().open()
    chat.ask("hi")
    chat.settled()
    verbs.accept(backstage.site_id, chat.session_id, olga)
    for start in range(0, len(STRINGS), 40):
        verbs.say(backstage.site_id, chat.session_id, olga, content="\n\n".join(STRINGS[start:start + 40]))
    verbs.operator_types(backstage.site_id, chat.session_id, True)
    chat.until(lambda: chat.find(".row.operator").count() == -(-len(STRINGS) // 40), "everything a person said")
    check(chat)


@pytest.mark.parametrize("text", [*TAGS, URLS[0]])
def test_as_the_names_and_texts_of_the_site(open_page, settings, text):
    settings(bot_name=text, welcome_message=text, starters=[text], header_color=text, position=text, button_style=text,
             bot_avatar_url=f"javascript:{text}")
    chat = open_page().open()
    chat.find(".starters").wait_for()
    check(chat)


@pytest.mark.parametrize("address", [*URLS[:8], *URLS[9:], "http://[", "\u202e"])
def test_as_the_address_of_a_picture(open_page, settings, address):
    settings(bot_avatar_url=address)
    chat = open_page().open()
    assert chat.find(".face").inner_text() == "J"
    check(chat)


def test_as_nudges(open_page):
    chat = open_page()
    for text in STRINGS[::9]:
        chat.page.evaluate("(text) => { Vexar.nudge(text); }", text)
    chat.find(".nudge").wait_for()
    check(chat)


def test_as_the_titles_and_addresses_of_sources(open_page):
    import json

    chat = open_page()
    sources = [{"title": text, "url": url} for text, url in zip(TAGS, [*URLS, *[None] * len(TAGS)], strict=False)]
    message = {
        "id": 1, "message_id": None, "role": "assistant", "content": "x", "image_url": URLS[0], "status": "complete",
        "created_at": TAGS[0], "sources": sources, "operator": None, "reply_to": None,
    }  # fmt: skip
    page = {"success": True, "messages": [message], "has_more": False, "conversation_id": 1, "mode": "ai", "cursor": 1}
    chat.page.route("**/chat/history*", lambda route: route.fulfill(
        body=json.dumps(page), content_type="application/json", headers={"Access-Control-Allow-Origin": "*"}))
    chat.open()
    chat.find(".sources summary").click()
    assert chat.find(".sources li").count() == len(TAGS)
    check(chat)
