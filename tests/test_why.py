"""knowledge/ask with `explain`: which words of a question the sources hold, where, and which nobody has."""

from __future__ import annotations

import pytest

from tests.cast import add_site
from tests.knowledge import faq
from tests.people import Person, open_house
from vexar.knowledge.entries import Entry
from vexar.knowledge.index import add_entries
from vexar.people.auth import PERMISSIONS


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with open_house(tmp_path_factory.mktemp("why")) as app:
        yield app


def ask(app, entries, question, **fields):
    store = app.extensions["vexar"].store
    site = add_site(store)
    add_entries(store, site.id, entries, fields.get("lang", ""))
    olga = Person(app, site_ids=(site.id,), **dict.fromkeys(PERMISSIONS, 1))
    return olga.post(f"sites/{site.id}/knowledge/ask", question=question, **fields).json


RETURNS = faq("How do I return a sweater?", "Send the parcel back within 45 days; refunds take a week.")
PAGE = Entry("page", "Wool care", "", "Wash woollen sweaters by hand.")


@pytest.mark.parametrize(
    ("lang", "entry", "question", "matched", "missing"),
    [
        ("en", RETURNS, "Can I return my sweaters?",
         [("return", "return", "question", "same"), ("sweaters", "sweater", "question", "same")], []),
        ("en", RETURNS, "package back to Mars",
         [("package", "parcel", "content", "meaning"), ("back", "back", "content", "same")], ["mars"]),
        ("en", RETURNS, "refnuds for a sweater", [("refnuds", "refunds", "content", "slip"),
                                                 ("sweater", "sweater", "question", "same")], []),
        ("en", PAGE, "wool in the machine", [("wool", "wool", "title", "same")], ["machine"]),
        ("de", faq("Was kostet der Versand?", "Die Lieferung ist gratis."), "Versandkosten der Lieferungen?",
         [("lieferungen", "lieferung", "content", "same")], ["versandkosten"]),
        ("uk", faq("Скільки коштує доставка?", "Безкоштовно."), "доставку до Києва",
         [("доставку", "доставка", "question", "same")], ["києва"]),
        ("fr", faq("Quels sont les délais ?", "Deux jours."), "delais pour Noël",
         [("delais", "délais", "question", "same")], ["noël"]),
        ("zh", faq("营业时间是什么?", "九点到五点。"), "营业时间", [
            ("营业", "营业", "question", "same"), ("业时", "业时", "question", "same"),
            ("时间", "时间", "question", "same")], []),
    ],
)  # fmt: skip
def test_each_word_is_told_with_what_it_met_where_and_how(app, lang, entry, question, matched, missing):
    told = ask(app, [entry], question, lang=lang, explain=True)
    (source,) = told["sources"]
    assert [tuple(each[name] for name in ("word", "met", "field", "how")) for each in source["matched"]] == matched
    assert told["missing"] == missing


def test_each_source_has_its_own_words_and_what_is_missing_is_missing_everywhere(app):
    told = ask(app, [RETURNS, PAGE], "wash or return a sweater on Mars", explain=True)
    words = {source["type"]: [each["word"] for each in source["matched"]] for source in told["sources"]}
    assert words == {"faq": ["return", "sweater"], "page": ["wash", "sweater"]}
    assert told["missing"] == ["mars"]


def test_a_question_that_finds_nothing_misses_all_its_words(app):
    told = ask(app, [], "quokkas and walruses", explain=True)
    assert (told["sources"], told["missing"]) == ([], ["quokkas", "walruses"])


def test_without_explain_the_answer_is_that_of_the_contract(app):
    told = ask(app, [RETURNS], "Can I return my sweaters?")
    assert set(told) == {"success", "question", "answered", "confidence", "threshold", "answer", "sources"}
    assert set(told["sources"][0]) == {"knowledge_id", "type", "title", "question", "url", "excerpt", "score"}
    explained = ask(app, [RETURNS], "Can I return my sweaters?", explain=True)
    assert [explained[name] for name in ("answered", "confidence", "answer")] == [
        told[name] for name in ("answered", "confidence", "answer")
    ]
