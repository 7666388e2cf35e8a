"""Long texts: where they are cut, what is found and cited, and how an old index is made anew."""

from __future__ import annotations

import pytest

from tests.knowledge import SHOP, faq, make_site
from vexar.knowledge import rebuild
from vexar.knowledge.ask import ask
from vexar.knowledge.chunks import PART_CHARS, WHOLE_CHARS, chunks
from vexar.knowledge.entries import Entry
from vexar.knowledge.index import add_entries
from vexar.knowledge.questions import questions
from vexar.knowledge.search import search
from vexar.knowledge.sentences import sentences
from vexar.models import KnowledgeChunk, KnowledgeEntry, KnowledgeTerm

FILLER = "Nothing of interest is said in this sentence at all. " * 20
PAGE = (f"{FILLER}\n\n## Customs\n\n{FILLER}Parcels to Norway pay duty at the door. {FILLER}\n\n"
        f"Returns\n-------\n{FILLER}A walrus may be returned within nine days. {FILLER}")


@pytest.mark.parametrize(("text", "said"), [
    ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
    ("It costs 3.50 euro. Ask Dr. Who, e.g. today.", ["It costs 3.50 euro.", "Ask Dr. Who, e.g. today."]),
    ("送料は無料です。返品できます！", ["送料は無料です。", "返品できます！"]),
    ("送料は?返品は!", ["送料は?", "返品は!"]),
    ("a line\nanother line", ["a line", "another line"]),
    ("متى تفتحون؟ غدًا.", ["متى تفتحون؟", "غدًا."]),
    ("  ", []),
])  # fmt: skip
def test_sentences_end_where_a_reader_says_so(text, said):
    assert sentences(text) == said


def test_a_short_text_is_one_part_and_a_long_one_is_cut_at_its_headings():
    assert [(part.begins, part.ends) for part in chunks("x" * WHOLE_CHARS)] == [(0, WHOLE_CHARS)]
    parts = chunks(PAGE)
    assert list(dict.fromkeys(part.heading for part in parts)) == ["", "Customs", "Returns"]
    assert all(0 < part.ends - part.begins <= PART_CHARS for part in parts)


def test_neighbouring_parts_share_a_sentence_and_together_hold_all():
    parts = [part for part in chunks(PAGE) if part.heading == "Customs"]
    assert len(parts) > 1
    assert all(later.begins < earlier.ends for earlier, later in zip(parts, parts[1:], strict=False))
    assert "Norway" in PAGE[parts[0].begins:parts[-1].ends]


@pytest.mark.parametrize("text", ["x" * 5_000, "字" * 5_000, "word " * 3_000, "\n" * 5_000, "# \n" * 2_000])
def test_whatever_the_text_it_is_cut_into_parts_of_bounded_size(text):
    parts = chunks(text)
    assert parts
    assert all(part.ends - part.begins <= max(PART_CHARS, len(text) if not text.strip() else 0) for part in parts)


def test_a_citation_names_the_page_and_the_heading_and_each_entry_comes_once(store):
    site = make_site(store)
    ids = add_entries(store, site.id, [Entry("page", "Shipping", "", PAGE, "/shipping"), *SHOP])
    answer = ask(store, site, "Do parcels to Norway pay duty?")
    assert answer["answered"]
    assert "Parcels to Norway pay duty at the door." in answer["answer"]
    assert "walrus" not in answer["answer"]
    assert (answer["sources"][0]["knowledge_id"], answer["sources"][0]["title"]) == (ids[0], "Shipping - Customs")
    found = [source["knowledge_id"] for source in ask(store, site, "nothing of interest", limit=50)["sources"]]
    assert found.count(ids[0]) == 1


def test_an_index_of_older_rules_is_made_anew_by_itself(store):
    site = make_site(store)
    ids = add_entries(store, site.id, SHOP)
    other = make_site(store, "sk_other")
    theirs = add_entries(store, other.id, SHOP[:1])

    def as_after_an_upgrade(tx):
        tx.run(KnowledgeEntry.update(length=0, index_version=0, changed_ms=0))
        tx.run(KnowledgeTerm.delete())
        tx.run(KnowledgeChunk.delete())

    store.write(as_after_an_upgrade)
    while rebuild.catch_up(store):
        pass
    for asked, number in ((site, ids[0]), (other, theirs[0])):
        assert search(store, asked.id, "Do you ship to Canada?").passages[0].entry_id == number
    assert rebuild.rebuild(store, site.id) == len(SHOP)
    assert search(store, site.id, "how long is the warranty").passages[0].entry_id == ids[3]


@pytest.mark.parametrize(("message", "parts"), [
    ("Do you ship to Canada? How long is the warranty?", ["Do you ship to Canada?", "How long is the warranty?"]),
    ("What does it cost to ship and how long is the warranty?",
     ["What does it cost to ship", "how long is the warranty?"]),
    ("Wie lange dauert der Versand und was kostet das Paket?",
     ["Wie lange dauert der Versand", "was kostet das Paket?"]),
    ("Wann haben Sie geöffnet und liefern Sie nach Hause?", ["Wann haben Sie geöffnet", "liefern Sie nach Hause?"]),
    ("Was kostet der Versand und darf man Pakete zurückgeben?",
     ["Was kostet der Versand", "darf man Pakete zurückgeben?"]),
    ("Quels sont vos horaires et livrez-vous à domicile ?", ["Quels sont vos horaires", "livrez-vous à domicile ?"]),
    ("送料はいくらですか?海外に発送できますか?", ["送料はいくらですか?", "海外に発送できますか?"]),
    ("送料はいくらですか？海外に発送できますか？", ["送料はいくらですか？", "海外に発送できますか？"]),
    ("运费多少钱?可以送货到加拿大吗?", ["运费多少钱?", "可以送货到加拿大吗?"]),
    ("배송비는 얼마인가요?해외 배송도 되나요?", ["배송비는 얼마인가요?", "해외 배송도 되나요?"]),
    ("Hallo! Wann haben Sie geöffnet? Liefern Sie nach Hause?",
     ["Wann haben Sie geöffnet?", "Liefern Sie nach Hause?"]),
    ("Was passiert, wenn ich bestelle und wenn ich nicht bezahle?",
     ["Was passiert, wenn ich bestelle und wenn ich nicht bezahle?"]),
    ("Haben Sie Kleider und Schuhe für Damen?", ["Haben Sie Kleider und Schuhe für Damen?"]),
    ("Liefern Sie nach Wien und Graz?", ["Liefern Sie nach Wien und Graz?"]),
    ("Do you ship to Canada and Mexico?", ["Do you ship to Canada and Mexico?"]),
    ("I bought a kettle. Does it have a warranty? Can I return it?",
     ["I bought a kettle. Does it have a warranty? Can I return it?"]),
])  # fmt: skip
def test_a_message_is_taken_apart_only_where_it_asks_several_things(message, parts):
    assert questions(message) == parts


def test_two_questions_get_two_answers_and_the_unknown_one_is_admitted(store):
    site = make_site(store)
    add_entries(store, site.id, SHOP)
    both = ask(store, site, "Do you ship to Canada? How long is the warranty?")
    assert both["answered"]
    assert "12 dollars" in both["answer"]
    assert "Two years" in both["answer"]
    half = ask(store, site, "Do you ship to Canada? Do you polish antique submarines?")["answer"]
    assert "12 dollars" in half
    assert "Do you polish antique submarines?\nI'm sorry, I don't know" in half


@pytest.mark.parametrize(("lang", "entries", "message"), [
    ("de", [("Wann haben Sie geöffnet?", "Wir haben von 9 bis 18 Uhr geöffnet."),
            ("Liefern Sie nach Hause?", "Ja, die Lieferung nach Hause kostet 5 Euro.")],
     "Wann haben Sie geöffnet und liefern Sie nach Hause?"),
    ("ja", [("送料はいくらですか?", "送料は500円です。"), ("海外に発送できますか?", "はい、海外にも発送できます。")],
     "送料はいくらですか?海外に発送できますか?"),
    ("zh", [("运费多少钱？", "运费是十元。"), ("可以送货到加拿大吗？", "可以，我们送货到加拿大。")],
     "运费多少钱?可以送货到加拿大吗?"),
])  # fmt: skip
def test_two_questions_get_two_answers_in_every_writing(store, lang, entries, message):
    site = make_site(store)
    add_entries(store, site.id, [faq(*entry) for entry in entries])
    said = ask(store, site, message, lang=lang)["answer"]
    assert all(content in said for _, content in entries)


def test_the_price_of_one_thing_is_never_the_price_of_another(store):
    site = make_site(store)
    add_entries(store, site.id, [
        faq("How much is a croissant?", "A croissant costs 3 euro."), faq("How much is a coffee?", "Coffee is 2 euro."),
        faq("When do you open?", "At seven."), *SHOP])
    for question in ("How much is a pretzel?", "What does a pretzel cost?", "price of a pretzel please"):
        answer = ask(store, site, question)
        assert not answer["answered"]
        assert "3 euro" not in answer["answer"]
    assert "3 euro" in ask(store, site, "What does a croissant cost?")["answer"]
