"""Which messages ask something, and which questions ask the same: tables of cases in several languages."""

from __future__ import annotations

import itertools

import pytest

from vexar.knowledge.unanswered.alike import SAME, lang_of, similarity, weighted
from vexar.knowledge.unanswered.grouping import Ask, group, pack, read_asks, unpack
from vexar.knowledge.unanswered.listing import folded, with_wordings
from vexar.knowledge.unanswered.worth import MAX_QUESTION_CHARS, is_personal, question_of

ASKING = (
    "Do you ship to Norway?", "gift cards", "Öffnungszeiten?", "Gibt es einen Abholservice", "it does not work",
    "Where is my order 4711?", "Vous livrez en Norvège ?", "¿Hacen envíos a Noruega?", "Чи є доставка до Норвегії",
    "هل تشحنون إلى النرويج؟", "ノルウェーに発送できますか", "你们送货到挪威吗", "营业时间", "SKU-123 in blue?",
    "Hi! Do you ship to Norway?", "Is ann@shop.example your address?", "thanks, but what about gift cards?",
)
NOT_ASKING = (
    "", " ", "hi", "Hello there!", "ok", "ok, thanks. Bye", "yes please", "no, thanks", "lol", "???", "😀😀", "what?",
    "Vielen Dank!", "Guten Tag, danke", "merci beaucoup", "gracias, adiós", "ні, дякую", "شكرا", "谢谢", "ありがとう",
    "okay thanks", "bye, see you tomorrow", "ありがとう、さようなら",
    "Danke für die Hilfe, bis morgen", "안녕하세요", "감사합니다. 내일 봐요",
    "Hej, tak for hjælpen", "merci pour votre aide, à demain", "grazie, ci vediamo domani", "谢谢，明天见",
    "ありがとうございましたまた明日", "Ok, vielen Dank und tschüss", "bonne journée à vous",
    "ann@shop.example", "my mail is ann@shop.example", "+49 170 1234567", "call me on 0170 123 45 67", "12345",
    "asdfgh", "I want to talk to a human", "Einen Menschen bitte", "转人工", "https://win.example",
    "cheap pills http://a.example http://b.example ?", "aaaaaaaaaa is it?",
)
# Each line is one question in several words; all are alike to the first, and to none of another line.
GROUPS = {
    "en": (
        ("Do you ship to Norway?", "Can you deliver to Norway", "shiping to norway", "Is shipping to Norway possible?"),
        ("Do you ship to Sweden?", "delivery to sweden"),
        ("Do you sell gift cards?", "gift cards", "do you still sell gift cards at all?"),
        ("Is the blue kettle dishwasher safe?", "blue kettle safe in the dishwasher?"),
        ("Is the red kettle dishwasher safe?",),
        ("How long does the battery of the K14 last?", "K14: will the battery last long?"),
        ("How long does the battery of the K15 last?",),
        ("Do you accept bitcoin?",), ("Do you accept cheques?",),
    ),
    "de": (
        ("Liefern Sie nach Norwegen?", "Versand nach Norwegen", "Gibt es eine Lieferung nach Norwegen?"),
        ("Liefern Sie nach Schweden?",),
        ("Haben Sie Geschenkgutscheine?", "Gibt es Geschenkgutschein", "geschenkgutscheine?"),
    ),
    "fr": (
        ("Livrez-vous en Norvège ?", "livraison Norvege", "Vous livrez en Norvège"),
        ("Livrez-vous en Suède ?",), ("Faites-vous des cartes cadeaux ?", "carte cadeau"),
    ),
    "es": (("¿Hacen envíos a Noruega?", "envio a noruega"), ("¿Hacen envíos a Suecia?",)),
    "uk": (("Чи є доставка до Норвегії?", "доставка в Норвегію"), ("Чи є доставка до Швеції?",)),
    "ar": (("هل لديكم بطاقات هدايا؟", "بطاقات هدايا"), ("هل لديكم ضمان؟",)),
    "ja": (("ノルウェーに発送できますか", "ノルウェーへの発送は可能ですか"), ("スウェーデンに発送できますか",)),
    "zh": (
        ("你们送货到挪威吗", "可以送货到挪威吗", "请问能送货到挪威吗"),
        ("你们送货到瑞典吗", "请问你们可以送货到瑞典吗"),
    ),
}


def terms(question, lang):
    return weighted(question, lang_of(question, lang), {})


@pytest.mark.parametrize("message", ASKING)
def test_a_question_is_worth_listing_as_it_was_written(message):
    assert question_of(message) == message


@pytest.mark.parametrize("message", NOT_ASKING)
def test_what_asks_nothing_is_not(message):
    assert question_of(message) == ""


def test_of_a_long_message_its_last_question_is_listed_and_without_one_nothing():
    story = "I bought a sweater in May and wore it twice. " * 10
    assert question_of(f"{story}Can I return it to the showroom? It is blue.") == "Can I return it to the showroom?"
    assert question_of(story) == ""
    assert question_of("word " * 500 + "?") == ""
    assert len(question_of(story)) <= MAX_QUESTION_CHARS


@pytest.mark.parametrize(("question", "expected"), [
    ("Where is order 4711234?", True), ("Is ann@shop.example known?", True), ("Call 0170 123 4567?", True),
    ("What is https://a.example/me?", True), ("Do you ship to Norway?", False), ("Is 30 degrees fine?", False),
])  # fmt: skip
def test_what_may_tell_who_asked_is_known(question, expected):
    assert is_personal(question) is expected


@pytest.mark.parametrize("lang", GROUPS)
def test_the_same_question_in_other_words_is_alike_and_another_question_is_not(lang):
    for line in GROUPS[lang]:
        for one, other in ((line[0], other) for other in line[1:]):
            assert similarity(terms(one, lang), terms(other, lang)) >= SAME, (one, other)
            assert similarity(terms(one, lang), terms(other, lang)) == similarity(terms(other, lang), terms(one, lang))
    for first, second in itertools.combinations(GROUPS[lang], 2):
        for one, other in itertools.product(first, second):
            assert similarity(terms(one, lang), terms(other, lang)) < SAME, (one, other)


def asks(lang, *questions):
    return [Ask(1, number, 1, 0, 1, question, lang, 0, number) for number, question in enumerate(questions)]


@pytest.mark.parametrize("lang", GROUPS)
def test_questions_that_come_one_after_the_other_make_the_groups_of_the_table(lang):
    some = asks(lang, *(question for line in GROUPS[lang] for question in line))
    read_asks(some)
    group(some, [], {})
    found = {}
    for ask in some:
        found.setdefault(id(ask.first), []).append(ask.question)
    assert sorted(map(tuple, found.values())) == sorted(GROUPS[lang])


def test_a_word_that_the_site_uses_everywhere_does_not_hold_two_questions_together_nor_apart():
    common = {"pay": 20, "accept": 20}

    def alike(one, other):
        return similarity(weighted(one, "en", common), weighted(other, "en", common)) >= SAME

    assert alike("Can I pay with bitcoin?", "Do you accept bitcoin?")
    assert not alike("Can I pay with bitcoin?", "Can I pay with cheques?")


def test_stored_terms_come_back_as_they_were():
    known = terms("Do you ship to Norway?", "en")
    assert unpack(pack(known)) == known


def test_wordings_are_sentences_of_their_own_and_none_comes_twice():
    said = with_wordings("Gift cards", ["gift CARDS?", "Do you sell vouchers", "有礼品卡吗"])
    assert said == "Gift cards? Do you sell vouchers? 有礼品卡吗？"
    assert with_wordings("Gift cards", []) == "Gift cards"
    assert len(with_wordings("Gift cards", ["x" * 1500, "y" * 1500])) < 2000
    assert folded("Größe, CAFÉ!") == folded("grosse cafe")
