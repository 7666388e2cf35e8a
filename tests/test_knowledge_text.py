"""How text becomes terms: what meets what, in which language."""

from __future__ import annotations

import pytest

from vexar.knowledge import text
from vexar.knowledge.kin import akin, is_end_of
from vexar.knowledge.typos import is_typo_of


@pytest.mark.parametrize(
    ("lang", "asked", "written"),
    [
        ("en", "returning", "returns"),
        ("en", "RETURNS", "ｒｅｔｕｒｎ"),
        ("en", "don’t", "dont"),
        ("en", "Anna's", "anna"),
        ("de", "Größen", "GRÖSSE"),
        ("de", "Rücksendungen", "rücksendung"),
        ("fr", "l'envoi", "envoi"),
        ("fr", "Livraisons", "livraison"),
        ("es", "devoluciones", "devolucion"),
        ("pl", "zwroty", "zwrotów"),
        ("uk", "доставки", "доставка"),
        ("ru", "возвраты", "возврата"),
        ("tr", "İADE", "iade"),
        ("ar", "شُحِنَ", "شحن"),
        ("he", "מִשְׁלוֹחַ", "משלוח"),
    ],
)
def test_forms_of_one_word_meet(lang, asked, written):
    assert text.terms(asked, lang)[-1] == text.terms(written, lang)[-1]


def test_different_words_stay_apart():
    assert text.terms("ship", "en") != text.terms("shop", "en")


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("1,000", ["1000"]),
        ("1.000.000", ["1000000"]),
        ("3,5", ["3.5"]),
        ("AB-1234", ["ab1234", "ab", "1234"]),
        ("30-day", ["30day", "30", "day"]),
        ("wash it.Then dry", ["wash", "it", "then", "dry"]),
        ("", []),
        ("?!… 👍", []),
    ],
)
def test_numbers_and_codes_are_kept_whole(written, words):
    assert text.words(written) == words


def test_a_code_is_not_stemmed():
    assert text.terms("X100s runs2ing", "en") == ["x100s", "runs2ing"]


def test_writing_without_spaces_gives_pairs_of_characters():
    assert text.words("送料はABC無料") == ["送料", "料は", "abc", "無料"]
    assert text.words("布") == ["布"]


def test_a_term_fits_its_column():
    (term,) = text.terms("\U00010450" * 500, "en")
    assert len(term.encode()) <= 128


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("en", "Where is the parcel that I ordered?"),
        ("de", "Wo ist mein Paket und wann kommt es?"),
        ("fr", "Où est mon colis et quand arrive-t-il ?"),
        ("es", "¿Dónde está mi paquete y cuándo llega?"),
        ("pt", "Onde está a minha encomenda e quando chega?"),
        ("it", "Dove è il mio pacco e quando arriva?"),
        ("nl", "Waar is mijn pakket en wanneer komt het?"),
        ("pl", "Gdzie jest moja paczka i kiedy będzie?"),
        ("uk", "Де моя посилка і коли вона приїде?"),
        ("ru", "Где моя посылка и когда она приедет?"),
        ("sv", "Var är mitt paket och när kommer det?"),
        ("da", "Hvor er min pakke, og hvornår kommer den?"),
        ("tr", "Paketim nerede ve ne zaman gelecek?"),
        ("ar", "أين طردي ومتى يصل؟"),
        ("he", "איפה החבילה שלי?"),
        ("zh", "我的包裹在哪里？"),
        ("ja", "荷物はどこですか。"),
        ("", "12345 ???"),
    ],
)
def test_the_language_is_told_by_its_little_words(lang, said):
    assert text.detect(said) == lang


def test_a_language_tag_is_read_in_its_short_form():
    assert [text.language(tag) for tag in ("pt-BR", "EN_us", "nb", "")] == ["pt", "en", "no", ""]


@pytest.mark.parametrize(
    ("written", "meant", "is_slip"),
    [
        ("retrun", "return", True),
        ("warrenti", "warranti", True),
        ("delvry", "deliveri", False),
        ("delivri", "deliveri", True),
        ("guarante", "garanti", False),
        ("waranttee", "warrantee", True),
        ("fire", "fine", False),
        ("x100s", "x100", False),
        ("return", "refund", False),
    ],
)
def test_a_slip_is_told_from_another_word(written, meant, is_slip):
    assert is_typo_of(written, meant) is is_slip


@pytest.mark.parametrize(
    ("written", "known", "compounding", "found"),
    [
        ("versandkost", ["versand", "vers", "verkauf"], True, {"versand"}),
        ("rucksend", ["rucksendeetikett", "ruckgab"], True, {"rucksendeetikett"}),
        ("shipments", ["shipment", "ship"], False, {"shipment"}),
        ("restaurant", ["rest", "rests"], False, set()),
        ("modell2000", ["modell"], True, set()),
    ],
)
def test_an_unknown_word_is_read_as_its_nearest_kin(written, known, compounding, found):
    assert akin(written, known, compounding=compounding) == found


def test_a_compound_ends_with_a_word_of_some_length():
    assert is_end_of("adress", "lieferadress")
    assert not is_end_of("rat", "heirat")
    assert not is_end_of("adress", "adress")


@pytest.mark.parametrize(
    ("lang", "word", "is_little"),
    [("es", "cuánto", True), ("es", "cuanto", True), ("es", "había", True), ("es", "envío", False),
     ("fr", "etait", True), ("ja", "くだ", True), ("ja", "送り", True), ("ja", "送料", False),
     ("zh", "怎么", True), ("zh", "运费", False),
     ("de", "habt", True), ("de", "ihnen", True), ("de", "brot", False), ("fr", "voulons", True),
     ("de", "heisst", True), ("es", "tenéis", True), ("da", "hvornår", True),
     ("ar", "أين", True), ("ar", "شحن", False)],
)  # fmt: skip
def test_little_words_are_known_with_and_without_accents(lang, word, is_little):
    assert text.is_little(word, lang) is is_little
