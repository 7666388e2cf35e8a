"""The builtin answerer: what it says, in which language, in which pieces, and how it ends."""

from __future__ import annotations

import threading

import pytest

from vexar.knowledge.quoting import WHOLE_CHARS
from vexar.providers import Finish, Passage, Prompt, Sources, Text
from vexar.providers.builtin import BuiltinProvider
from vexar.providers.people import CALLED
from vexar.providers.phrases import ALL_RIGHT, ALSO, BYE, GREETING, NO_IMAGE, THANKS, UNKNOWN

CANADA = Passage(7, "faq", "Canada", "Do you ship to Canada?", "Yes, we ship to  Canada.\n\nIt costs $12.", "/ca", 2.0)


def answer(question="Do you ship to Canada?", *, passages=(CANADA,), confidence=0.9, **more):
    """The text of an answer, and the sources it names."""
    prompt = Prompt(question, passages=passages, confidence=confidence, **more)
    pieces = list(BuiltinProvider(pace_s=0).answer(prompt))
    (sources,) = [piece.sources for piece in pieces if isinstance(piece, Sources)]
    assert pieces[-1] == Finish("stop")
    return "".join(piece.text for piece in pieces if isinstance(piece, Text)), sources


def test_it_says_what_the_best_passage_says_and_names_it():
    said, sources = answer(passages=(CANADA, Passage(8, "faq", "Other", "?", "Nonsense.", "/x", 1.0)))
    assert said == CANADA.content
    assert sources == ({"title": "Canada", "url": "/ca"},)


def test_an_untitled_passage_is_named_by_its_question():
    passage = Passage(7, "faq", "", "Do you ship?", "Yes.", None, 1.0)
    assert answer(passages=(passage,))[1] == ({"title": "Do you ship?", "url": None},)


@pytest.mark.parametrize(("confidence", "is_known"), [(0.45, True), (0.4499, False), (0.0, False)])
def test_the_threshold_decides_whether_it_knows(confidence, is_known):
    said, sources = answer(confidence=confidence, threshold=0.45)
    assert (said == CANADA.content) is is_known
    assert bool(sources) is is_known


def test_without_any_passage_it_never_claims_to_know():
    assert answer(passages=(), confidence=1.0) == (UNKNOWN["en"], ())


def test_of_a_page_it_says_the_sentences_that_answer():
    filler = "Our story began long ago in a quiet harbour town. " * 30
    page = Passage(1, "page", "History", "", f"{filler}The walrus arrived in 1893. It stayed. {filler}", "/h", 1.0)
    said, _ = answer("When did the walrus arrive?", passages=(page,))
    assert said.startswith("The walrus arrived in 1893. It stayed.")
    assert len(said) <= WHOLE_CHARS


SERVICE = (
    "The workshop is next to the station. A full service takes two days. It costs 89 euro. Brakes are checked. "
    "The chain is oiled. Every full service comes with a warranty of a year."
)


@pytest.mark.parametrize(("content", "said"), [
    ("It costs 89 euro.\n" * 6, "It costs 89 euro."),
    ("Bike service\n\nA full service costs 89 euro.", "A full service costs 89 euro."),
    ("Full service\nA full service costs 89 euro.", "A full service costs 89 euro."),
    ("Bike service - Acme\nA service costs 89 euro. Bike service", "A service costs 89 euro."),
    ("Bike service", "Bike service"),
    ("One. One. We sell bikes.\n\nTwo. We sell bikes.", "One. We sell bikes.\n\nTwo."),
    ("Monday:\n9-18 h\nTuesday:\n9-18 h", "Monday:\n9-18 h\nTuesday:\n9-18 h"),
    (SERVICE, "A full service takes two days. It costs 89 euro. Brakes are checked. The chain is oiled."),
])  # fmt: skip
def test_of_a_page_it_says_no_title_nothing_twice_and_a_few_sentences(content, said):
    page = Passage(1, "page", "Bike service - Acme", "", content, "/s", 1.0, heading="Full service")
    quoted, _, place = answer("How much does a full service cost?", passages=(page,))[0].rpartition("\n")
    assert quoted == said
    assert place == "(Bike service - Acme - Full service)"


WORKSHOP = (
    "A full service includes cleaning, new cables and a test ride. It takes two working days. The price is 89 euro for "
    "city bikes. You can bring the bike any weekday before noon. Please take off bags and locks. Parts are extra. "
    "A full service comes with a warranty of twelve months on our work. The warranty does not cover tyres."
)


@pytest.mark.parametrize("heading", ["", "Full service"])
@pytest.mark.parametrize(("question", "fact"), [
    ("how much does a full service cost", "89 euro"), ("what does a full service cost?", "89 euro"),
    ("how long does a full service take?", "two working days"), ("does the warranty cover tyres?", "not cover tyres"),
    ("what is included in a full service?", "new cables"), ("When can I bring my bike?", "before noon"),
])  # fmt: skip
def test_what_is_said_of_a_section_holds_the_fact_that_was_asked(question, fact, heading):
    page = Passage(1, "page", "Bikes", "", WORKSHOP, "/s", 1.0, heading=heading)
    said, _ = answer(question, passages=(page,))
    assert fact in said
    assert len(said) < len(WORKSHOP) * 0.7


def test_a_short_faq_is_said_whole_and_of_a_long_one_the_sentences_that_answer():
    faq = Passage(1, "faq", "Service", "What is a full service?", SERVICE, "/s", 1.0)
    assert answer("How much does a full service cost?", passages=(faq,))[0] == SERVICE
    shops = " ".join(f"Shop number {number} is open every day until six in the evening." for number in range(9))
    long = Passage(1, "faq", "Service", "What is a full service?", f"{SERVICE} {shops}", "/s", 1.0)
    said, _ = answer("When are the brakes checked?", passages=(long,))
    assert said.startswith("Brakes are checked.")
    assert len(said) <= WHOLE_CHARS


@pytest.mark.parametrize("lang", ["en", "de", "fr", "es", "pt", "it", "nl", "pl", "uk", "tr", "ar", "he", "zh", "ja"])
def test_it_says_in_the_visitors_language_that_it_does_not_know(lang):
    assert answer("xyzzy", confidence=0, lang=f"{lang}-XX") == (UNKNOWN[lang], ())


@pytest.mark.parametrize(
    ("question", "lang", "said_in"),
    [
        ("Wie kann ich mein Paket an der Tür abholen?", "en", "de"),
        ("¿Dónde está mi paquete y cuándo llega?", "", "es"),
        ("送料はいくらですか", "", "ja"),
        ("xyzzy", "", "en"),
        ("xyzzy", "tlh", "en"),
    ],
)
def test_a_question_that_is_clearly_in_a_language_is_answered_in_it(question, lang, said_in):
    assert answer(question, confidence=0, lang=lang)[0] == UNKNOWN[said_in]


@pytest.mark.parametrize(
    ("question", "lang", "phrases", "said_in"),
    [
        ("Hi!", "", GREETING, "en"),
        ("  HELLO there ", "", GREETING, "en"),
        ("Hi", "de", GREETING, "de"),
        ("Guten Tag", "en", GREETING, "de"),
        ("¡Hola!", "", GREETING, "es"),
        ("你好", "", GREETING, "zh"),
        ("Thank you very much!", "", THANKS, "en"),
        ("Merci beaucoup", "fr", THANKS, "fr"),
        ("ok, thanks.", "nl", THANKS, "nl"),
        ("Hej", "sv", GREETING, "sv"),
        ("Hej!", "da-DK", GREETING, "da"),
        ("Hej", "pl", GREETING, "pl"),
        ("Hej", "en-GB", GREETING, "en"),
        ("Hejsan", "en", GREETING, "sv"),
        ("Dzien dobry", "", GREETING, "pl"),
        ("안녕하세요", "en", GREETING, "ko"),
        ("감사합니다!", "ko-KR", THANKS, "ko"),
        ("ok", "", ALL_RIGHT, "en"),
        ("Alles klar.", "en", ALL_RIGHT, "de"),
        ("👍", "fr", ALL_RIGHT, "fr"),
    ],
)
def test_a_greeting_is_greeted_and_thanks_are_welcome(question, lang, phrases, said_in):
    assert answer(question, lang=lang) == (phrases[said_in], ())


@pytest.mark.parametrize("question", [
    "Hi, do you ship to Canada?", "ok, Canada", "Test?", "bye bye baby", "and you", "ok and Canada", "送料", "?",
])  # fmt: skip
def test_politeness_with_a_question_is_a_question(question):
    assert answer(question)[0] == CANADA.content


def test_every_phrase_is_there_in_every_language():
    assert UNKNOWN.keys() == GREETING.keys() == THANKS.keys()


@pytest.mark.parametrize("content", [CANADA.content, "送料は無料です。 12 ドル", "  a\n\n b ", "👍🏽 ok", "سلام دنیا"])
def test_the_pieces_are_words_and_together_the_exact_text(content):
    passage = Passage(1, "faq", "T", "Q", content, None, 1.0)
    pieces = list(BuiltinProvider(pace_s=0).answer(Prompt("q?", passages=(passage,), confidence=1)))
    words = [piece.text for piece in pieces if isinstance(piece, Text)]
    assert "".join(words) == content.strip()
    assert all(len(word.split()) <= 1 for word in words)


def test_cancel_ends_it_soon_from_another_thread_and_may_be_repeated():
    # A pace of an hour: the test ends only when the wait itself is broken off.
    running = BuiltinProvider(pace_s=3600).answer(Prompt("q?", passages=(CANADA,), confidence=1))
    pieces = []
    began = threading.Event()

    def listen():
        for piece in running:
            pieces.append(piece)
            if isinstance(piece, Text):
                began.set()

    listener = threading.Thread(target=listen)
    listener.start()
    assert began.wait(10)
    running.cancel()
    running.cancel()
    listener.join(10)
    assert not listener.is_alive()
    assert [piece.text for piece in pieces if isinstance(piece, Text)] == ["Yes, "]


def test_one_provider_serves_many_answers_at_once():
    provider = BuiltinProvider(pace_s=0)
    first, second = (provider.answer(Prompt("q?", passages=(CANADA,), confidence=1)) for _ in range(2))
    first.cancel()
    assert len([piece for piece in second if isinstance(piece, Text)]) > 3


@pytest.mark.parametrize(("question", "lang", "phrases", "said_in"), [
    ("Bye!", "", BYE, "en"), ("ok thanks, bye!", "", BYE, "en"), ("Auf Wiedersehen", "", BYE, "de"),
    ("au revoir", "", BYE, "fr"), ("再见", "", BYE, "zh"), ("до побачення", "", BYE, "uk"),
    ("Hello! Thank you.", "", THANKS, "en"), ("okay thanks", "", THANKS, "en"), ("bye, thanks", "", BYE, "en"),
    ("bye, see you tomorrow", "", BYE, "en"), ("ありがとう、さようなら", "en", BYE, "ja"),
    ("Danke, bis morgen!", "de", BYE, "de"),
    ("ありがとうさようなら", "ja", BYE, "ja"), ("merci pour votre aide, à demain", "fr", BYE, "fr"),
    ("Vielen Dank und tschüss", "de", BYE, "de"), ("dziękuję i do widzenia", "en", BYE, "pl"),
    ("ciao", "it", GREETING, "it"), ("grazie, ciao", "it", BYE, "it"),
])  # fmt: skip
def test_a_goodbye_is_returned_and_the_last_politeness_decides(question, lang, phrases, said_in):
    assert answer(question, lang=lang) == (phrases[said_in], ())


def test_it_says_that_it_cannot_see_an_image_and_answers_what_was_asked_beside_it():
    assert answer("", image_path="/tmp/x.png", confidence=0) == (NO_IMAGE["en"], ())
    said, sources = answer(image_path="/tmp/x.png")
    assert said == f"{NO_IMAGE['en']}\n\n{CANADA.content}"
    assert len(sources) == 1


def test_the_next_best_two_are_offered_where_they_are_near():
    near = [Passage(20 + n, "faq", "", f"Do you ship to place {n}?", "Yes.", None, 1.9 - n / 10) for n in range(4)]
    far = Passage(9, "faq", "", "Do you knit?", "Yes.", None, 0.2)
    said, sources = answer(passages=(CANADA, *near, far))
    assert said == f"{CANADA.content}\n\n{ALSO['en']}\n- Do you ship to place 0?\n- Do you ship to place 1?"
    assert len(sources) == 1
    assert answer(passages=(CANADA, far))[0] == CANADA.content


def test_every_sentence_of_its_own_is_there_in_every_language():
    assert UNKNOWN.keys() == BYE.keys() == NO_IMAGE.keys() == ALSO.keys() == ALL_RIGHT.keys() == CALLED.keys()


@pytest.mark.parametrize(("question", "offered"), [
    ("Which countries do you ship to? Do you deliver abroad?", "Which countries do you ship to?"),
    ("How big are the bags, how many litres do they hold, what is their weight, are they heavy or rather light ones?",
     "How big are the bags?"),
    ("送料はいくらですか。返品できますか？", "送料はいくらですか。返品できますか？"),
])  # fmt: skip
def test_only_the_first_wording_of_a_question_is_offered(question, offered):
    other = Passage(8, "faq", "Other", question, "Yes.", "/x", 1.9)
    said, _ = answer(passages=(CANADA, other))
    assert said.endswith(f"\n- {offered}")
