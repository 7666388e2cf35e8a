"""Knowledge found by its meaning: each chunk is embedded once, a question's words are met by others that mean the same,
and whatever goes wrong leaves the search that words alone make."""

from __future__ import annotations

import contextlib
import json
import shutil
from types import SimpleNamespace

import pytest
import requests

from tests.conftest import ENGINES, add_site, config_for
from tests.embedding_upstream import DIMS, EmbeddingUpstream, embed
from tests.knowledge import faq, make_site
from tests.services import wait_until
from vexar.cli import knowledge as cli_knowledge
from vexar.cli import serving
from vexar.cli.house import House
from vexar.erasing import erasure
from vexar.knowledge import rebuild
from vexar.knowledge.ask import ask
from vexar.knowledge.entries import Entry
from vexar.knowledge.index import add_entries, remove_entries
from vexar.knowledge.meaning import embedder as embedder_module
from vexar.knowledge.meaning import nearness, rows
from vexar.knowledge.meaning.embedder import Embedder
from vexar.knowledge.meaning.nearness import Meaning, meaning_of, surer
from vexar.knowledge.search import search
from vexar.knowledge.stored import change
from vexar.models import KnowledgeVector, Site
from vexar.providers.embeddings import EmbeddingClient, direction
from vexar.store import open_store
from vexar.store.db import sqlite_path

# None of them shares a word with what it means, and no list of synonyms knows it.
PARAPHRASES = {
    "Got any plimsolls?": "/shoes",
    "My passphrase was misplaced": "/login",
    "I get seasick, what now?": "/tea",
}
SHOP = [
    faq("Which trainers do you have?", "Canvas trainers from 39 dollars.", "/shoes"),
    faq("I forgot my login", "We send you a link to make a new one.", "/login"),
    faq("What helps when I feel nauseous?", "Ginger tea helps most people.", "/tea"),
    faq("Do you ship to Canada?", "Yes, we ship to Canada for 12 dollars.", "/canada"),
    faq("How do I return an item?", "Send it back within 45 days.", "/returns"),
    faq("Which payment methods do you accept?", "Cards and PayPal.", "/payment"),
    faq("How long is the warranty?", "Two years on everything.", "/warranty"),
    faq("When are you open?", "From nine to five, Monday to Friday.", "/hours"),
    faq("Do you print gift vouchers?", "Yes, for every amount above ten dollars.", "/vouchers"),
    Entry("page", "About our workshop", "", "We knit sweaters in a harbour town. The kettle is always on.", "/about"),
]


@pytest.fixture(scope="module")
def upstream():
    with EmbeddingUpstream() as server:
        yield server


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A SQLite file with one site that knows SHOP, to be copied."""
    path = tmp_path_factory.mktemp("shop") / "vexar.db"
    with contextlib.closing(open_store(f"sqlite:///{path}")) as store:
        add_entries(store, make_site(store).id, SHOP)
    return path


@pytest.fixture
def database_url(request, shop, make_database):
    """A database of its own with one site that knows SHOP; on SQLite unless the test says `both_engines`."""
    engine = getattr(request, "param", "sqlite")
    url = make_database(engine)
    if engine == "sqlite":
        shutil.copy(shop, sqlite_path(url))
        return url
    with contextlib.closing(open_store(url)) as store:
        add_entries(store, make_site(store).id, SHOP)
    return url


both_engines = pytest.mark.parametrize("database_url", ENGINES, indirect=True)


@pytest.fixture
def mind(store, upstream, tmp_path):
    """`mind(model)` gives store, site, client, meaning and embedder as one process has them."""
    upstream.forget()
    opened = contextlib.ExitStack()
    site = store.read(lambda tx: tx.one(Site.select()))

    def open_mind(model="m", url=upstream.url, store=store):
        client = EmbeddingClient(config_for(tmp_path, ai_base_url=url, ai_embedding_model=model))
        meaning = opened.enter_context(contextlib.closing(Meaning(store, client)))
        return SimpleNamespace(store=store, site=site, client=client, meaning=meaning,
                               embedder=Embedder(store, client))

    with opened:
        yield open_mind


def embeddings(store):
    """{chunk: (model, numbers)}"""
    found = store.read(lambda tx: tx.all(KnowledgeVector.select()))
    return {row.chunk_id: (row.model, row.numbers) for row in found}


def found_first(mind, question):
    found = search(mind.store, mind.site.id, question)
    return found.passages[0].url if found.passages else "", found.confidence >= found.threshold


@both_engines
def test_every_chunk_is_stored_as_the_endpoint_sees_it(mind, upstream):
    mind = mind()
    assert mind.embedder.work() == len(SHOP)
    stored = [numbers for _, (_, numbers) in sorted(embeddings(mind.store).items())]
    assert stored == [direction(embed(text)) for text in upstream.texts]
    assert upstream.texts[0] == "Which trainers do you have?\nCanvas trainers from 39 dollars."
    assert upstream.texts[-1].startswith("About our workshop\nWe knit sweaters")
    assert mind.store.read(rows.progress, model="m") == (len(SHOP), len(SHOP))


@both_engines
def test_other_words_of_the_same_meaning_are_answered(mind):
    mind = mind()
    before = [found_first(mind, question)[1] for question in PARAPHRASES]
    mind.embedder.work()
    after = [found_first(mind, question) for question in PARAPHRASES]
    assert before == [False] * len(PARAPHRASES)
    assert after == [(url, True) for url in PARAPHRASES.values()]


def test_what_nobody_wrote_about_is_still_refused(mind):
    mind = mind()
    mind.embedder.work()
    for question in ("Who painted the Mona Lisa?", "xyzzy", "Is it going to rain tomorrow?", "???", "🙂"):
        assert not found_first(mind, question)[1], question


def test_what_words_find_is_found_as_surely(mind):
    mind = mind()
    asked = [entry.question for entry in SHOP if entry.question]
    plain = [search(mind.store, mind.site.id, question) for question in asked]
    mind.embedder.work()
    for before, question in zip(plain, asked, strict=True):
        after = search(mind.store, mind.site.id, question)
        assert after.passages[0].question == question
        assert after.confidence >= before.confidence


def test_the_answer_of_knowledge_ask_rests_on_meaning_too(mind):
    mind = mind()
    mind.embedder.work()
    answer = ask(mind.store, mind.site, "Got any plimsolls?")
    assert answer["answered"]
    assert answer["answer"].startswith("Canvas trainers from 39 dollars.")
    assert answer["sources"][0]["url"] == "/shoes"
    assert [source["score"] for source in answer["sources"]] == sorted(
        (source["score"] for source in answer["sources"]), reverse=True)


def test_several_questions_of_a_message_are_embedded_in_one_request(mind, upstream):
    mind = mind()
    mind.embedder.work()
    upstream.forget()
    found = search(mind.store, mind.site.id, "Got any plimsolls? What helps me, I get seasick?")
    assert {"/shoes", "/tea"} <= {part.passages[0].url for part in found.parts}
    assert len(upstream.bodies) == 1


def test_the_same_question_is_embedded_once(mind, upstream):
    mind = mind()
    mind.embedder.work()
    upstream.forget()
    first, second = (search(mind.store, mind.site.id, "Got any plimsolls?") for _ in range(2))
    assert upstream.texts == ["Got any plimsolls?"]
    assert first == second


def test_of_many_questions_the_latest_are_remembered(mind, upstream, monkeypatch):
    monkeypatch.setattr(nearness, "MAX_QUESTIONS", 2)
    mind = mind()
    mind.embedder.work()
    upstream.forget()
    for question in ("one", "two", "three", "three", "one"):
        search(mind.store, mind.site.id, question)
    assert upstream.texts == ["one", "two", "three", "one"]


def test_a_site_without_embeddings_sends_no_question(mind, upstream):
    mind = mind()
    search(mind.store, mind.site.id, "Got any plimsolls?")
    assert upstream.bodies == []


@pytest.mark.parametrize(
    "script", ["status_500", "status_401", "late", "other_dims", "not_numbers", "short", "not_json", "cut"])
def test_without_its_embedding_a_question_is_answered_by_words_alone(mind, upstream, script, monkeypatch):
    monkeypatch.setattr(nearness, "QUESTION_TIMEOUT_S", 0.3 if script == "late" else 5.0)
    mind = mind()
    questions = ["Do you ship to Canada, and what of plimsolls?", "shipping canada"]
    plain = [search(mind.store, mind.site.id, question) for question in questions]
    mind.embedder.work()
    upstream.always = script
    assert [search(mind.store, mind.site.id, question) for question in questions] == plain


def test_after_a_failure_visitors_do_not_wait_for_the_endpoint(mind, upstream, monkeypatch, caplog):
    mind = mind()
    mind.embedder.work()
    upstream.forget()
    upstream.always = "status_500"
    for question in ("one", "two", "three"):
        search(mind.store, mind.site.id, question)
    assert upstream.texts == ["one"]
    assert [record.message for record in caplog.records if "no embedding" in record.message]
    assert "one" not in caplog.records[-1].message.split()
    monkeypatch.setattr(mind.meaning, "_rests_until", 0.0)
    upstream.forget()
    assert found_first(mind, "Got any plimsolls?") == ("/shoes", True)


@both_engines
def test_new_and_changed_entries_are_embedded_once(mind, upstream):
    mind = mind()
    mind.embedder.work()
    ids = add_entries(mind.store, mind.site.id, [*SHOP[:2], faq("Where are you?", "At the harbour.", "/where")])
    upstream.forget()
    assert (mind.embedder.work(), mind.embedder.work()) == (1, 0)
    assert upstream.texts == ["Where are you?\nAt the harbour."]
    upstream.forget()
    change(mind.store, mind.site.id, ids[2], faq("Where are you?", "On the hill.", "/where"))
    assert (mind.embedder.work(), mind.embedder.work()) == (1, 0)
    assert upstream.texts == ["Where are you?\nOn the hill."]
    assert len(embeddings(mind.store)) == len(SHOP) + 1


def test_an_entry_is_findable_by_words_before_it_has_an_embedding(mind):
    mind = mind()
    mind.embedder.work()
    add_entries(mind.store, mind.site.id, [faq("Do you repair umbrellas?", "Yes, on Tuesdays.", "/umbrellas")])
    assert found_first(mind, "Do you repair umbrellas?") == ("/umbrellas", True)


def test_every_part_of_a_long_page_has_its_own(mind, upstream):
    mind = mind()
    parts = "\n\n".join(f"# Part {number}\n\n" + f"Sentence about thing{number}. " * 60 for number in range(4))
    add_entries(mind.store, mind.site.id, [Entry("page", "Long", "", parts, "/long")])
    mind.embedder.work()
    of_page = [text for text in upstream.texts if text.startswith("Long\nPart")]
    assert len(of_page) >= 4
    assert len(embeddings(mind.store)) == len(SHOP) + len(of_page)


@both_engines
def test_removed_entries_leave_no_embedding(mind):
    mind = mind()
    ids = add_entries(mind.store, mind.site.id, SHOP[:3])
    mind.embedder.work()
    remove_entries(mind.store, mind.site.id, ids)
    assert len(embeddings(mind.store)) == len(SHOP) - 3
    assert found_first(mind, "Got any plimsolls?")[1] is False
    remove_entries(mind.store, mind.site.id)
    assert embeddings(mind.store) == {}


@both_engines
def test_an_erased_site_leaves_no_embedding(mind):
    mind = mind()
    mind.embedder.work()
    while not mind.store.write(erasure.wipe_site, site_id=mind.site.id):
        pass
    assert embeddings(mind.store) == {}


@both_engines
def test_an_entry_removed_while_it_is_embedded_leaves_nothing(mind, upstream):
    mind = mind()

    def removed_meanwhile(handler, body):
        remove_entries(mind.store, mind.site.id)
        handler.items([embed(text) for text in body["input"]])

    upstream.script(removed_meanwhile)
    assert mind.embedder.work() == 0
    assert embeddings(mind.store) == {}


def test_a_rebuilt_index_is_embedded_anew(mind, upstream):
    mind = mind()
    mind.embedder.work()
    upstream.forget()
    rebuild.rebuild(mind.store, mind.site.id)
    assert mind.embedder.work() == len(SHOP) == len(upstream.texts)
    assert found_first(mind, "Got any plimsolls?") == ("/shoes", True)


@both_engines
def test_another_model_makes_all_anew_and_takes_no_other_place(mind, upstream):
    old = mind("old")
    old.embedder.work()
    old.meaning.close()
    upstream.forget()
    new = mind("new")
    assert found_first(new, "Got any plimsolls?")[1] is False
    assert upstream.bodies == []
    assert new.embedder.work() == len(SHOP)
    assert {model for model, _ in embeddings(new.store).values()} == {"new"}
    assert found_first(new, "Got any plimsolls?") == ("/shoes", True)


@both_engines
def test_what_was_embedded_before_a_failure_is_not_asked_for_again(mind, upstream, monkeypatch):
    monkeypatch.setattr(embedder_module, "TEXTS_PER_REQUEST", 4)
    first = mind()
    upstream.script("regular", "status_500")
    assert first.embedder.work() == 4
    asked = upstream.texts[:4]
    upstream.forget()
    # As after a restart: another process knows only what is stored.
    assert Embedder(first.store, first.client).work() == len(SHOP) - 4
    assert not set(asked) & set(upstream.texts)
    assert len(upstream.texts) == len(set(upstream.texts)) == len(SHOP) - 4


def test_while_the_endpoint_fails_it_is_asked_seldom(mind, upstream, monkeypatch):
    mind = mind()
    upstream.always = "status_500"
    assert [mind.embedder.work() for _ in range(5)] == [0] * 5
    assert len(upstream.bodies) == 1
    assert mind.embedder._rest_s == embedder_module.FIRST_REST_S
    for _ in range(20):
        mind.embedder._rests_until = 0.0
        mind.embedder.work()
    assert mind.embedder._rest_s == embedder_module.MAX_REST_S
    upstream.forget()
    mind.embedder._rests_until = 0.0
    assert mind.embedder.work() == len(SHOP)
    assert mind.embedder._rest_s == 0.0


def test_a_text_that_the_endpoint_refuses_holds_up_no_other(mind, upstream, caplog):
    mind = mind()

    def picky(handler, body):
        is_refused = any("PayPal" in text for text in body["input"])
        if is_refused:
            handler.json({"error": {"message": "too long"}}, 400)
        else:
            handler.items([embed(text) for text in body["input"]])

    upstream.always = picky
    assert mind.embedder.work() == len(SHOP) - 1
    assert "refuses the text" in caplog.text
    assert "PayPal" not in caplog.text
    upstream.bodies.clear()
    add_entries(mind.store, mind.site.id, [faq("Where are you?", "At the harbour.", "/where")])
    assert mind.embedder.work() == 1
    assert upstream.texts == ["Where are you?\nAt the harbour."]
    assert found_first(mind, "payment methods") == ("/payment", True)


def test_a_refused_key_is_no_fault_of_the_texts(mind, upstream):
    mind = mind()
    upstream.always = "status_401"
    assert mind.embedder.work() == 0
    upstream.forget()
    mind.embedder._rests_until = 0.0
    assert mind.embedder.work() == len(SHOP)


@both_engines
def test_another_process_sees_what_was_embedded_and_removed(mind, database_url):
    here = mind()
    with contextlib.closing(open_store(database_url)) as other_store:
        there = mind(store=other_store)
        here.embedder.work()
        assert found_first(there, "Got any plimsolls?") == ("/shoes", True)
        ids = add_entries(here.store, here.site.id, [faq("Are your hats thrifty?", "From 5 dollars.", "/hats")])
        here.embedder.work()
        assert found_first(there, "bargain") == ("/hats", True)
        remove_entries(here.store, here.site.id, ids)
        assert found_first(there, "bargain")[1] is False
        there.meaning.close()


def test_signs_of_few_sites_are_kept_and_those_of_removed_chunks_dropped(mind, monkeypatch):
    mind = mind()
    ids = add_entries(mind.store, mind.site.id, SHOP)
    other = make_site(mind.store, "sk_other")
    add_entries(mind.store, other.id, SHOP)
    mind.embedder.work()
    for site_id in (mind.site.id, other.id):
        search(mind.store, site_id, "plimsolls")
    kept = mind.meaning._signs
    assert {key[0]: len(signs.codes) for key, signs in kept.items()} == {mind.site.id: len(SHOP), other.id: len(SHOP)}
    remove_entries(mind.store, mind.site.id, ids[:5])
    search(mind.store, mind.site.id, "plimsolls")
    assert len(kept[mind.site.id, DIMS].codes) == len(SHOP) - 5
    monkeypatch.setattr(nearness, "MAX_SIGNS", len(SHOP))
    search(mind.store, other.id, "plimsolls")
    assert [key[0] for key in kept] == [other.id]


def test_meaning_never_makes_less_sure_nor_certain():
    assert surer(0.3, 0.0) == 0.3
    for near in (0.0, 0.1, 0.3, 0.38, 0.6, 1.0):
        for confidence in (0.0, 0.2, 0.449, 0.45, 0.7, 0.98):
            assert confidence <= surer(confidence, near) <= 0.98
    assert surer(0.0, nearness.NEAR) == pytest.approx(nearness.THRESHOLD)
    assert surer(0.4, 0.37) > surer(0.4, 0.0)


@pytest.mark.servers
def test_both_engines_rank_alike_to_the_score(make_database, upstream, tmp_path):
    found = []
    upstream.forget()
    for engine in ("sqlite", "mysql"):
        with contextlib.closing(open_store(make_database(engine))) as store:
            site = make_site(store)
            add_entries(store, site.id, SHOP)
            client = EmbeddingClient(config_for(tmp_path, ai_base_url=upstream.url, ai_embedding_model="m"))
            with contextlib.closing(Meaning(store, client)):
                Embedder(store, client).work()
                asked = [*PARAPHRASES, *(entry.question for entry in SHOP), "xyzzy", "canada trainers"]
                answers = [search(store, site.id, question, limit=10) for question in asked]
            found.append([(one.confidence, [(each.url, each.score) for each in one.passages]) for one in answers])
    assert found[0] == found[1]


def test_off_by_default_nothing_is_sent_and_nothing_made(make_app, upstream):
    upstream.forget()
    parts = make_app(ai_base_url=upstream.url).extensions["vexar"]
    assert (parts.embedder, parts.meaning, meaning_of(parts.store)) == (None, None, None)
    site = parts.store.read(lambda tx: tx.one(Site.select()))
    add_entries(parts.store, site.id, SHOP)
    assert ask(parts.store, site, "Got any plimsolls?")["answered"] is False
    assert upstream.bodies == []


def test_a_visitors_question_is_answered_by_its_meaning(make_app, upstream):
    upstream.forget()
    app = make_app(ai_base_url=upstream.url, ai_embedding_model="m")
    parts = app.extensions["vexar"]
    add_entries(parts.store, add_site(parts.store), SHOP)
    # The endpoint has no model to talk, so the builtin answerer answers from what was found.
    assert parts.embedder.work() == len(SHOP)
    body = {"site_key": "sk_demo", "session_id": "s1", "message": "Got any plimsolls?", "message_id": "m1"}
    said = app.test_client().post("/api/v1/chat/stream", json=body).get_data(as_text=True)
    events = [json.loads(line[6:]) for line in said.splitlines() if line.startswith("data: ")]
    text = "".join(event["content"] for event in events if event["type"] == "chunk")
    assert text.startswith("Canvas trainers from 39 dollars.")
    assert events[-1]["meta"]["sources"][0]["url"] == "/shoes"


@pytest.mark.servers
def test_of_two_workers_one_embeds_and_both_find(boot, tmp_path, upstream, monkeypatch):
    upstream.forget()
    url = f"sqlite:///{tmp_path}/shared.db"
    with contextlib.closing(open_store(url)) as store:
        many = [faq(f"Question about thing{number}?", f"Thing{number} is blue.") for number in range(150)]
        add_entries(store, add_site(store), [*SHOP, *many])
        server = boot(workers=2, database_url=url,
                      env={"VEXAR_AI_BASE_URL": upstream.url, "VEXAR_AI_EMBEDDING_MODEL": "m"})
        wait_until(lambda: len(embeddings(store)) == len(SHOP) + len(many), "every chunk to be embedded")
    assert len(upstream.texts) == len(set(upstream.texts)) == len(SHOP) + len(many)
    # New connections reach both workers, sooner or later.
    for number in range(6):
        body = {"site_key": "sk_demo", "session_id": f"s{number}", "message": "Got any plimsolls?"}
        with requests.post(f"{server.url}/api/v1/chat/stream", json=body, timeout=20) as answer:
            assert "Canvas" in answer.text


def test_check_says_whether_embeddings_answer(tmp_path, upstream, capsys):
    upstream.forget()
    told = []
    for script, settings in (("regular", {}), ("regular", {"ai_embedding_model": "m"}),
                             ("status_401", {"ai_embedding_model": "m"})):
        upstream.always = script
        with contextlib.closing(House(config_for(tmp_path, ai_base_url=upstream.url, **settings))) as house:
            serving.run_check(SimpleNamespace(json=True), house)
        checks = json.loads(capsys.readouterr().out)["checks"]
        told += [(check["ok"], check["detail"]) for check in checks if check["name"] == "embeddings"]
    assert [is_ok for is_ok, _ in told] == [True, True, False]
    assert "off" in told[0][1]
    assert f"{DIMS} dimensions; 0 of 0 parts" in told[1][1]
    assert "status 401" in told[2][1]


def test_the_command_ask_finds_by_meaning_too(mind, upstream, tmp_path, capsys):
    mind = mind()
    mind.embedder.work()
    mind.meaning.close()
    settings = config_for(tmp_path, ai_base_url=upstream.url, ai_embedding_model="m")
    arguments = SimpleNamespace(site="sk_test", question="Got any plimsolls?", limit=3, lang="", json=True)
    cli_knowledge.run_ask(arguments, SimpleNamespace(config=settings, store=mind.store))
    assert json.loads(capsys.readouterr().out)["answered"] is True
    assert meaning_of(mind.store) is None
