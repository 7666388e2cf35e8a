"""What a question finds, how sure the ranking is, and the JSON of knowledge/ask."""

from __future__ import annotations

import itertools

import pytest

from tests.knowledge import SHOP, faq, make_site
from vexar.errors import ApiError
from vexar.knowledge.ask import ask
from vexar.knowledge.index import Entry, add_entries
from vexar.knowledge.search import search
from vexar.store import open_store

keys = (f"sk_test{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """An open SQLite store; each test works on a site of its own."""
    opened = open_store(f"sqlite:///{tmp_path_factory.mktemp('search')}/vexar.db")
    # Its threads begin here, with the module, and so belong to no single test.
    search(opened, make_site(opened, next(keys)).id, "warm up")
    yield opened
    opened.close()


@pytest.fixture
def site(store):
    """A site that knows SHOP."""
    made = make_site(store, next(keys))
    add_entries(store, made.id, SHOP)
    return made


def urls(found):
    return [passage.url for passage in found.passages]


@pytest.mark.parametrize(
    ("question", "url"),
    [
        ("Do you ship to Canada?", "/canada"),
        ("shipping canada", "/canada"),
        ("SHIP TO CANADA???", "/canada"),
        ("returning items", "/returns"),
        ("do you accept paypal payments", "/payment"),
        ("waranty", "/warranty"),
        ("how do I retrun it", "/returns"),
        ("do you knit sweaters?", "/about"),
    ],
)
def test_a_question_finds_its_entry(store, site, question, url):
    found = search(store, site.id, question)
    assert urls(found)[0] == url
    assert found.confidence >= found.threshold


@pytest.mark.parametrize("question", ["Who painted the Mona Lisa?", "xyzzy", "???", "", "the of and to", "🙂"])
def test_what_the_site_does_not_know_stays_below_the_threshold(store, site, question):
    found = search(store, site.id, question)
    assert found.confidence < found.threshold


YES_NO = [
    faq("Do you sell children's bikes?", "Yes, from 12 to 24 inch.", "/children"),
    faq("Do you deliver?", "Yes, within three days.", "/delivery"),
    faq("Can I return an item?", "Yes, within 30 days.", "/returns"),
    Entry("page", "Rides", "", "We ride every Thursday. Wear a helmet.", "/rides"),
]


@pytest.mark.parametrize(("question", "is_sure"), [
    ("Do you sell children's bikes?", True),
    ("do you sell bikes for children", True),
    ("Do you deliver bikes?", True),
    ("Can I return a helmet?", True),
    ("Do you sell motorboats?", False),
    ("Do you sell cargo bikes?", False),
    ("Do you sell helmets?", False),
    ("Do you deliver to Greenland?", False),
])
def test_a_yes_to_something_else_than_was_asked_is_not_believed(store, question, is_sure):
    made = make_site(store, next(keys))
    add_entries(store, made.id, YES_NO)
    found = search(store, made.id, question)
    assert (found.confidence >= found.threshold) is is_sure


def test_more_of_the_question_met_means_more_confidence(store, site):
    full = search(store, site.id, "Do you ship to Canada?").confidence
    half = search(store, site.id, "Do you ship walruses to Canada in submarines?").confidence
    assert 1 >= full > half > 0


def test_scores_fall_and_the_limit_holds(store, site):
    add_entries(store, site.id, [faq(f"Do you ship boxes of size {n}?", "Yes.") for n in range(20)])
    found = search(store, site.id, "do you ship?", limit=7)
    scores = [passage.score for passage in found.passages]
    assert len(scores) == 7
    assert scores == sorted(scores, reverse=True)


def test_equal_entries_come_in_the_order_they_were_added(store, site):
    ids = add_entries(store, site.id, [Entry("custom", f"T{n}", "", "A walrus lives here.") for n in range(4)])
    assert [passage.entry_id for passage in search(store, site.id, "walrus").passages] == ids


def test_in_a_faq_the_question_leads_and_in_a_page_the_content(store):
    site = make_site(store, next(keys))
    add_entries(store, site.id, [
        faq("How long is the warranty?", "Two years. Ask about shipping if you like.", "/warranty"),
        faq("What does shipping cost?", "Five dollars. The warranty is another matter.", "/shipping"),
        Entry("page", "Otters in the harbour", "", "Otters in the harbour sleep by day.", "/otters"),
        Entry("page", "News", "", "Otters hunt at night; otters love fish, and otters play.", "/news"),
    ])
    assert urls(search(store, site.id, "shipping"))[0] == "/shipping"
    assert urls(search(store, site.id, "otters"))[0] == "/news"


def test_a_word_is_found_by_the_compounds_it_is_part_of(store):
    site = make_site(store, next(keys))
    add_entries(store, site.id, [
        faq("Was kostet der Versand?", "Fünf Euro.", "/versand"),
        faq("Kann ich die Lieferadresse ändern?", "Ja.", "/adresse"),
        faq("Gibt es eine Garantie?", "Zwei Jahre.", "/garantie"),
    ])
    assert urls(search(store, site.id, "Versandkosten"))[0] == "/versand"
    assert urls(search(store, site.id, "falsche Adresse"))[0] == "/adresse"
    assert urls(search(store, site.id, "Garantiezeit"))[0] == "/garantie"
    assert search(store, site.id, "Gartenzwerge").passages == ()


def test_chinese_is_answered_though_the_seams_of_its_words_are_unknown(store):
    site = make_site(store, next(keys))
    add_entries(store, site.id, [
        faq("退款什么时候到账？", "五个工作日。", "/refund"),
        faq("运费是多少？", "十元。", "/cost"),
        faq("支持哪些付款方式？", "银行卡。", "/payment"),
        faq("怎样清洗羊毛衫？", "手洗。", "/wool"),
    ])
    for question, url in (("请问退款多久", "/refund"), ("你们的运费贵吗", "/cost")):
        found = search(store, site.id, question)
        assert urls(found)[0] == url
        assert found.confidence >= found.threshold
    foreign = search(store, site.id, "法国的首都是哪里？")
    assert foreign.confidence < foreign.threshold


EVERYDAY = {
    "en": [faq("What are your opening hours?", "From 9 to 18, on Saturday to 16.", "/hours"),
           faq("What is the warranty on new frames?", "A lifetime warranty.", "/warranty"),
           faq("How can I pay?", "Visa, Mastercard and cash.", "/pay"),
           Entry("page", "Choosing the right frame size", "", "Frame size depends on your inside leg.", "/size"),
           Entry("page", "Bike rental", "", "You can rent a bike for 20 a day.", "/rental")],
    "de": [faq("Wann haben Sie geöffnet?", "Montags von 6 bis 18 Uhr.", "/zeiten"),
           faq("Wo finde ich die Bäckerei?", "Am Bahnhof.", "/ort")],
    "ja": [faq("返品はできますか", "未開封の商品に限り返品できます。", "/returns"),
           faq("海外に発送できますか", "はい、国際郵便で発送しています。", "/abroad"),
           Entry("page", "ポイント制度", "", "お買い物ごとにポイントが付きます。", "/points")],
}


@pytest.mark.parametrize(("lang", "question", "url", "is_sure"), [
    ("en", "can I hire a bike", "/rental", True),
    ("en", "are the frames guaranteed?", "/warranty", True),
    ("en", "what frame size do I need? I'm 1.80m", "/size", True),
    ("de", "Wann schließt ihr montags?", "/zeiten", True),
    ("ja", "お茶を返せますか", "/returns", False),
    ("ja", "アメリカに送ってもらえますか", "/abroad", False),
    ("ja", "テントを売って", "/points", False),
])
def test_everyday_words_find_the_entry_and_chance_makes_nobody_sure(store, lang, question, url, is_sure):
    made = make_site(store, next(keys))
    add_entries(store, made.id, EVERYDAY[lang], lang)
    found = search(store, made.id, question)
    assert urls(found)[0] == url
    assert (found.confidence >= found.threshold) is is_sure


def test_what_was_added_by_another_process_is_found_at_once(store, site):
    """The overview of a site is kept between searches; the site's version says when it is old."""
    assert search(store, site.id, "walrus").passages == ()
    other = open_store(f"sqlite:///{store.path}")
    (number,) = add_entries(other, site.id, [faq("Do you sell a walrus?", "No.")])
    other.close()
    assert search(store, site.id, "walrus").passages[0].entry_id == number


@pytest.mark.parametrize(
    ("lang", "entries", "question"),
    [
        ("de", ["Wie lange dauert die Lieferung?", "Kann ich Artikel zurückgeben?"], "Lieferungen dauern wie lange"),
        ("es", ["¿Cuánto tarda el envío?", "¿Puedo devolver un artículo?"], "tardan mucho los envios"),
        ("uk", ["Скільки коштує доставка?", "Як повернути товар?"], "вартість доставки"),
        ("ja", ["送料はいくらですか", "返品できますか"], "カナダへの送料"),
        ("zh", ["运费是多少？", "可以退货吗？"], "运费"),
        ("ar", ["كم تكلفة الشحن؟", "هل يمكنني إرجاع المنتج؟"], "تكلفة الشحن"),
    ],
)
def test_other_languages_are_found_with_and_without_being_told(store, lang, entries, question):
    site = make_site(store, next(keys))
    ids = add_entries(store, site.id, [faq(asked, "—" + asked) for asked in entries])
    for given in (lang, ""):
        assert search(store, site.id, question, lang=given).passages[0].entry_id == ids[0]


def test_a_site_in_two_languages_is_found_in_both(store):
    site = make_site(store, next(keys))
    add_entries(store, site.id, [faq("What are the opening hours of the shop?", "Ten to six.", "/en")], "en")
    add_entries(store, site.id, [faq("Welche Öffnungszeiten hat der Laden?", "Zehn bis sechs.", "/de")], "de")
    assert urls(search(store, site.id, "opening hour"))[0] == "/en"
    assert urls(search(store, site.id, "Öffnungszeit"))[0] == "/de"


@pytest.mark.servers
def test_both_engines_rank_and_score_alike(make_database):
    questions = ["ship to canada", "retrun an item", "how long", "the", "送料", "número 42", "X-100", "é", "shipments",
                 "Versandkosten", "Wie ändere ich die Adresse?", "knitted sweater in the harbour", "送料無料の金額"]
    entries = [*SHOP, faq("送料はいくらですか", "無料です"), faq("¿Qué es el número 42?", "Es el código X-100, é E."),
               Entry("page", "Versand", "", "Der Versand ist frei. Die Lieferadresse kann man vorher noch ändern.")]
    answers = []
    for engine in ("sqlite", "mysql"):
        store = open_store(make_database(engine))
        site = make_site(store)
        places = {number: place for place, number in enumerate(add_entries(store, site.id, entries))}
        found = [search(store, site.id, question, limit=10) for question in questions]
        answers.append([[(places[passage.entry_id], passage.score) for passage in each.passages] + [each.confidence]
                        for each in found])
        store.close()
    assert answers[0] == answers[1]


def test_ask_answers_with_what_the_contract_names(store, site):
    answer = ask(store, site, " Do you ship to Canada? ")
    sources = answer.pop("sources")
    assert answer == {
        "success": True, "question": "Do you ship to Canada?", "answered": True, "confidence": answer["confidence"],
        "threshold": 0.45, "answer": "Yes, we ship to Canada for 12 dollars.",
    }  # fmt: skip
    assert 0.45 <= answer["confidence"] <= 1
    assert sources[0] == {
        "knowledge_id": sources[0]["knowledge_id"], "type": "faq", "title": "Do you ship to Canada?",
        "question": "Do you ship to Canada?", "url": "/canada",
        "excerpt": "Yes, we ship to Canada for 12 dollars.", "score": sources[0]["score"],
    }  # fmt: skip
    assert len({source["knowledge_id"] for source in sources}) == len(sources)


def test_ask_shows_the_nearest_entries_and_abstains_politely_when_it_does_not_know(store, site):
    answer = ask(store, site, "Do you polish antique submarines with walrus wax?", limit=2)
    assert not answer["answered"]
    assert len(answer["sources"]) == 2
    assert "don't know" in answer["answer"]


def test_a_site_may_set_its_own_threshold(store):
    site = make_site(store, next(keys), answer_threshold=0.99)
    add_entries(store, site.id, SHOP)
    answer = ask(store, site, "Do you ship to Canada?")
    assert (answer["answered"], answer["threshold"]) == (False, 0.99)
    assert "don't know" in answer["answer"]


def test_an_excerpt_of_a_long_page_is_the_part_that_answers(store):
    site = make_site(store, next(keys))
    filler = "Nothing of interest happens here at all. " * 40
    add_entries(store, site.id, [Entry("page", "History", "", f"{filler}The walrus arrived in 1893. {filler}")])
    (source,) = ask(store, site, "When did the walrus arrive?")["sources"]
    assert source["excerpt"].startswith("The walrus arrived in 1893.")
    assert len(source["excerpt"]) <= 300


@pytest.mark.parametrize(
    ("question", "limit", "field"), [(" ", 10, "question"), ("x" * 4001, 10, "question"), ("x", 0, "limit"),
                                     ("x", 51, "limit")])  # fmt: skip
def test_ask_refuses_what_it_cannot_use(store, site, question, limit, field):
    with pytest.raises(ApiError) as refused:
        ask(store, site, question, limit=limit)
    assert list(refused.value.errors) == [field]
