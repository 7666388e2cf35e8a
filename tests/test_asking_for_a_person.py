"""A visitor asks for a person: in plain words to the builtin answerer, or a model calls the tool. Always the truth."""

from __future__ import annotations

import pytest

from tests.desk import all_rows
from tests.test_clocks import NEVER, decide
from tests.wire import ask, history
from vexar.providers.openai import MAX_ROUNDS
from vexar.providers.people import CALLED, asks_for_person
from vexar.providers.phrases import UNKNOWN, UNKNOWN_ALONE

ASKS = {
    "en": ["can I talk to a human", "Real person, please!", "I'd like to speak with someone about my order", "Human",
           "please connect me to an agent", "is there someone I can talk to?", "I need a human now",
           "I don't want to talk to a bot, I want to talk to a human", "I am not happy. Can I speak to someone?"],
    "de": ["mit einem Menschen sprechen", "Kann ich bitte mit jemandem reden?",
           "Bitte verbinden Sie mich mit einem Mitarbeiter",
           "Ich will nicht mit einem Bot reden. Ich möchte mit einem Menschen sprechen!"],
    "fr": ["parler à quelqu'un", "Je voudrais parler à une vraie personne",
           "Non, je veux parler à un humain"],
    "es": ["Quiero hablar con una persona", "¿Puedo hablar con alguien?"],
    "pt": ["Quero falar com um atendente", "Posso falar com alguém?"],
    "it": ["Vorrei parlare con un operatore", "Posso parlare con qualcuno?"],
    "nl": ["Ik wil met een medewerker praten", "Kan ik met iemand spreken?"],
    "pl": ["Chcę porozmawiać z człowiekiem", "Czy mogę porozmawiać z konsultantem?"],
    "uk": ["Хочу поговорити з людиною", "З'єднайте мене з оператором"],
    "tr": ["Bir insanla konuşmak istiyorum", "Müşteri temsilcisiyle görüşmek istiyorum"],
    "ar": ["أريد التحدث إلى شخص", "أريد التحدث مع موظف"],
    "he": ["אני רוצה לדבר עם נציג", "אפשר לדבר עם בן אדם?"],
    "zh": ["我要转人工", "我想和真人聊天", "找人工客服", "不要机器人，转人工谢谢"],
    "ja": ["人と話したいです", "担当者につないでください"],
}  # fmt: skip
ASKS_NOT = [
    "do you sell a human anatomy book", "are you a real person?", "I need a person to install it, do you offer that?",
    "I don't want to talk to a person", "Please, I do not want to talk to a human, just answer",
    "Can I use the intercom to talk to someone outside?", "operator manual",
    "Which jacket does your staff recommend?", "Who is your agent in France?", "Can I connect two tents?",
    "Ich möchte nicht mit einem Menschen sprechen", "Verkaufen Sie ein Buch über den menschlichen Körper?",
    "Vendez-vous un livre sur le corps humain ?", "¿Cuántas personas caben en la tienda?", "Quantas pessoas cabem?",
    "Per quante persone è la tenda?", "Voor hoeveel personen is deze tent?", "Dla ilu osób jest namiot?",
    "На скільки людей намет?", "Kaç kişilik çadır?", "كم شخصًا تتسع الخيمة؟", "לכמה אנשים האוהל?",
    "这个帐篷能睡几个人？", "人工草坪多少钱", "找人工智能的书", "怎么接人工草坪",
    "恋人と話すためのベンチはありますか", "何人用のテントですか",
]  # fmt: skip
AWAY = "Nobody is here at the moment. Leave your email address and we will write to you."
NO_PERSON = "No person answers in this chat; the assistant is here for you."


@pytest.mark.parametrize(("lang", "question"), [(lang, text) for lang, texts in ASKS.items() for text in texts])
def test_plain_words_in_every_language_ask_for_a_person(lang, question):
    assert asks_for_person(question)


@pytest.mark.parametrize("question", ASKS_NOT)
def test_other_questions_do_not(question):
    assert not asks_for_person(question)


def waiting(app) -> int:
    return all_rows(app.extensions["vexar"].store)["Conversation"][0].is_waiting


def lines(client) -> list[str]:
    return [message["content"] for message in history(client) if message["role"] == "system"]


@pytest.mark.parametrize(("settings", "said", "is_waiting", "line"), [
    ({}, CALLED["en"], 1, ["We are calling a person for you."]),
    ({"working_hours": NEVER}, AWAY, 1, []),
    ({"operator_enabled": False}, NO_PERSON, 0, []),
])
def test_the_builtin_calls_somebody_and_says_what_happens_now(app, client, settings, said, is_waiting, line):
    decide(app.extensions["vexar"].store, **settings)
    ask(client, "Hello")
    assert waiting(app) == 0
    for _ in range(2):
        assert ask(client, "Can I talk to a human?").text == said
        assert (waiting(app), lines(client)) == (is_waiting, line)
    # Nobody came yet: the AI goes on.
    assert ask(client, "xyzzy").done["finish_reason"] == "stop"


def test_it_answers_in_the_language_of_the_question(app, client):
    assert ask(client, "Ich möchte bitte mit einem Menschen sprechen").text == CALLED["de"]


@pytest.mark.parametrize(("is_on", "offer"), [(True, UNKNOWN), (False, UNKNOWN_ALONE)])
def test_when_nothing_is_known_it_offers_a_person_only_where_there_is_one(app, client, is_on, offer):
    decide(app.extensions["vexar"].store, operator_enabled=is_on)
    assert ask(client, "xyzzy").text == offer["en"]


# The model's tool.


@pytest.fixture
def modelled(make_app, upstream):
    """An app with a model."""
    return make_app(ai_base_url=upstream.url)


def calls_tool(*words: str, name: str = "request_operator"):
    """A model that says these words, then calls a tool in pieces."""
    def script(wire, body) -> None:
        wire.head()
        for word in words:
            wire.token(word)
        call = {"index": 0, "id": "c1", "type": "function", "function": {"name": name, "arguments": ""}}
        wire.delta(tool_calls=[call])
        wire.delta(tool_calls=[{"index": 0, "function": {"arguments": "{}"}}])
        wire.delta(finish="tool_calls")
        wire.done()

    return script


def test_a_model_may_call_a_person_and_tells_the_visitor_itself(modelled, upstream):
    client = modelled.test_client()
    upstream.script(calls_tool(), ["I called ", "somebody."])
    told = ask(client, "This does not help")
    assert (told.text, told.done["finish_reason"]) == ("I called somebody.", "stop")
    assert (waiting(modelled), lines(client)) == (1, ["We are calling a person for you."])
    first, second = upstream.requests
    assert [tool["function"]["name"] for tool in first["tools"]] == ["request_operator"]
    called, result = second["messages"][-2:]
    assert (called["role"], called["tool_calls"][0]["id"]) == ("assistant", "c1")
    assert (result["role"], result["tool_call_id"]) == ("tool", "c1")
    assert "A person was called" in result["content"]


def test_what_the_model_said_before_the_call_stays(modelled, upstream):
    upstream.script(calls_tool("One ", "moment."), ["Done."])
    assert ask(modelled.test_client(), "Hm").text == "One moment.\n\nDone."


@pytest.mark.parametrize(("second", "settings", "text"), [
    ("status_500", {}, "We are calling a person for you."),
    ("cut_mid_stream", {}, None),
    ("empty", {"working_hours": NEVER}, AWAY),
    (calls_tool(), {}, "We are calling a person for you."),
])
def test_a_model_that_fails_after_the_call_leaves_the_truth(modelled, upstream, monkeypatch, second, settings, text):
    monkeypatch.setattr("vexar.providers.openai.RETRIES", 0)
    decide(modelled.extensions["vexar"].store, **settings)
    client = modelled.test_client()
    upstream.script(calls_tool(), *[second] * MAX_ROUNDS)
    told = ask(client, "Somebody there?")
    assert told.done["finish_reason"] == "stop"
    assert told.text == text if text else told.text
    assert waiting(modelled) == 1


def test_a_tool_nobody_offered_is_not_called_and_the_model_is_told(modelled, upstream):
    client = modelled.test_client()
    upstream.script(calls_tool("Hm.", name="delete_everything"), ["I cannot."])
    assert ask(client, "Hello").text == "Hm.\n\nI cannot."
    assert (waiting(modelled), upstream.count) == (0, 2)
    assert upstream.requests[1]["messages"][-1]["content"] == "There is no such tool."


def test_where_no_person_answers_the_tool_is_not_offered(modelled, upstream):
    decide(modelled.extensions["vexar"].store, operator_enabled=False)
    ask(modelled.test_client(), "Hello")
    assert "tools" not in upstream.requests[0]


def test_an_endpoint_that_refuses_tools_is_asked_without_them(modelled, upstream):
    def refuse(wire, body) -> None:
        wire.json({"error": {"message": "this model does not support tools"}}, status=400)

    client = modelled.test_client()
    upstream.script(refuse, ["Yes."])
    assert ask(client, "Hello").text == "Yes."
    ask(client, "And?")
    assert ["tools" in request for request in upstream.requests] == [True, False, False]
