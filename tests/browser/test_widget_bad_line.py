"""A visitor on a bad line: what was typed arrives once, what was answered is shown whole."""

from __future__ import annotations

import pytest

from tests.browser.bad_line import BadLine
from tests.browser.conftest import Chat

pytestmark = [pytest.mark.browser, pytest.mark.slow]
QUESTIONS = [f"Question {number}: größer than 日本 😀?" for number in range(10)]


@pytest.fixture
def line(backstage):
    line = BadLine(backstage.server.port, seed=20)
    yield line
    line.close()


def answer_to(question):
    words = " ".join(f"Word {place}" for place in range(40))
    return f"About “{question}”, **all** of it. {words} End of {question}"


def test_ten_questions_on_a_bad_line_are_ten_messages_and_ten_answers(page, host, backstage, upstream, line):
    from tests.upstream import question_of

    def slow(wire, body):
        text = answer_to(question_of(body))
        wire.answer([text[at:at + 20] for at in range(0, len(text), 20)], 0.01)

    upstream.always = slow
    host.base = line.url
    chat = Chat.visit(page, host).open()
    line.worsen()
    for question in QUESTIONS:
        chat.text.fill(question)
        chat.find(".icon.send").dblclick()
    chat.until(lambda: upstream.count >= 10, "all questions to arrive", 150)
    answered = chat.find(".row.assistant .bubble:not([hidden]):not(:has(.dots))")
    chat.until(lambda: answered.count() == 10, "all answers", 150)
    line.mend()
    chat.settled()
    answers = [answer_to(question).replace("**", "") for question in QUESTIONS]
    assert (chat.bubbles("visitor"), sorted(chat.bubbles())) == (QUESTIONS, sorted(answers))
    assert sorted(upstream.questions) == sorted(QUESTIONS)
    stored = history(backstage, chat)
    assert [row["content"] for row in stored if row["role"] == "visitor"] == QUESTIONS
    assert sorted(row["content"] for row in stored if row["role"] == "assistant") == sorted(map(answer_to, QUESTIONS))
    assert line.cuts >= 3
    print(f"{line.cuts} connections cut, {line.delays} late")


def test_without_a_network_it_says_so_and_sends_when_it_is_back(page, host, upstream):
    chat = Chat.visit(page, host).open()
    chat.ask("first")
    chat.settled()
    page.context.set_offline(True)
    chat.ask("second")
    chat.find(".note").get_by_text("No connection.").wait_for()
    page.context.set_offline(False)
    chat.settled()
    chat.until(lambda: not chat.find(".note").inner_text(), "the note to go")
    assert chat.bubbles("visitor") == ["first", "second"]
    assert upstream.questions == ["first", "second"]


def history(backstage, chat):
    import json

    path = f"/api/v1/chat/history?limit=200&site_key=sk_demo&session_id={chat.session_id}"
    return json.loads(backstage.server.get(path)[1])["messages"]
