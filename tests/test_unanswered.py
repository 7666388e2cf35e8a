"""Unanswered questions: which messages are listed, how they are grouped, what becomes of them, on both engines."""

from __future__ import annotations

import csv
import io
import json
import threading
import time
from argparse import ArgumentParser
from types import SimpleNamespace

import pytest

from tests.cast import Visitor, add_site
from tests.conftest import ENGINES
from tests.knowledge import SHOP, faq
from tests.people import Person, open_house
from tests.shop_data import ShopData, calls, says
from tests.stories import tell
from tests.upstream import Upstream
from vexar import models
from vexar.cli import unanswered
from vexar.knowledge import stored
from vexar.knowledge.index import add_entries, remove_entries
from vexar.knowledge.unanswered import asks, finding, listing, rechecking
from vexar.models import Message, Run, UnansweredAsk, UnansweredGroup
from vexar.models import Visitor as VisitorRow
from vexar.people.auth import PERMISSIONS

GIFTS = "Do you sell gift cards?"


@pytest.fixture(scope="module", params=ENGINES)
def app(request, tmp_path_factory):
    """With a model for the sites that want one; the others have the builtin answerer."""
    url = request.getfixturevalue("mariadb").create() if request.param == "mysql" else None
    options = {"database_url": url} if url else {}
    with Upstream() as upstream, open_house(
        tmp_path_factory.mktemp("unanswered"), ai_base_url=upstream.url, fetch_allow="127.0.0.1/32", **options
    ) as app:
        app.upstream = upstream
        # Its native threads begin with the first look-up.
        app.extensions["vexar"].data_api.outside.session.resolver.find("127.0.0.1", 80, 5)
        # Nobody reads along.
        app.extensions["vexar"].runs.providers.get("builtin")._pace_s = 0
        # It works at moments of its own choice; here the tests say when.
        app.extensions["vexar"].scheduler.close()
        yield app
    if url:
        request.getfixturevalue("mariadb").drop(url)


class Desk:
    """A new site that knows SHOP, and olga who may do everything there."""

    def __init__(self, app, **settings):
        self.app = app
        self.live = app.extensions["vexar"]
        self.store = self.live.store
        self.site = add_site(self.store, **{"ai_provider": "builtin", **settings})
        self.learn(*SHOP)
        self.olga = Person(app, site_ids=(self.site.id,), **dict.fromkeys(PERMISSIONS, 1))
        self.path = f"sites/{self.site.id}/knowledge/unanswered"

    def learn(self, *entries):
        """More knowledge."""
        return add_entries(self.store, self.site.id, entries, "en")

    def ask(self, *questions, visitor=None, **fields):
        """A visitor (a new one) who asks all of these."""
        visitor = visitor or Visitor(self.app.test_client(), self.site.site_key)
        for question in questions:
            visitor.ask(question, **fields)
        return visitor

    def review(self):
        """What the scheduler does every few seconds."""
        assert finding.catch_up(self.store, timeout_s=60)

    def recheck(self):
        """What it does when the knowledge has stood still for a tick."""
        rechecking.catch_up(self.store, timeout_s=60)
        assert rechecking.catch_up(self.store, timeout_s=60)

    def get(self, person=None, **query):
        """The answer of the list."""
        person = person or self.olga
        return person.client.get(
            f"/api/v1/{self.path}", query_string=query, headers={"Authorization": f"Bearer {person.token}"}
        )  # fmt: skip

    def rows(self, **query):
        """The list, after a review."""
        self.review()
        answer = self.get(**query)
        assert answer.status_code == 200, answer.text
        return answer.json["data"]

    def questions(self, **query):
        """The questions of the list."""
        return [row["question"] for row in self.rows(**query)]

    def stored(self, table):
        """The rows of the site in a table."""
        return self.store.read(lambda tx: tx.all(table.select(table).where(table.site_id == self.site.id)))

    def row_of(self, visitor):
        """A visitor's row."""
        return next(row for row in self.stored(VisitorRow) if row.session_id == visitor.session_id)


@pytest.fixture
def desk(app):
    return Desk(app)


@pytest.fixture
def modelled(app):
    """A site whose answers a model makes."""
    return Desk(app, ai_provider="openai")


def test_only_what_the_knowledge_did_not_answer_is_listed(desk):
    desk.ask("Do you ship to Canada?", GIFTS)
    (row,) = desk.rows()
    assert (row["question"], row["wordings"], row["count"], row["visitors"], row["lang"]) == (
        GIFTS, [], 1, 1, "en"
    )
    assert row["first_asked_at"] == row["last_asked_at"]
    assert isinstance(row["conversation_id"], int)
    assert row["suggestion"] is None


def test_similar_questions_are_one_group_with_counts_and_wordings(desk):
    ann = desk.ask(GIFTS, "gift cards")
    desk.ask("do you sell gift cards", "Where is your showroom?")
    rows = desk.rows()
    assert [(row["question"].casefold().rstrip("?"), row["count"], row["visitors"]) for row in rows] == [
        ("do you sell gift cards", 3, 2), ("where is your showroom", 1, 1)
    ]
    assert rows[0]["wordings"] == ["gift cards"]
    assert ann


def test_an_answered_group_becomes_a_faq_that_every_wording_finds_and_leaves_the_list(desk):
    desk.ask(GIFTS)
    desk.ask("giftcards for christmas, do you sell any gift cards?")
    (row,) = desk.rows()
    answer = desk.olga.post(f"{desk.path}/{row['id']}/answer", question=GIFTS,
                            content="Yes, from 20 dollars.")
    assert answer.status_code == 201, answer.text
    entry = desk.olga.get(f"knowledge/{answer.json['id']}").json["entry"]
    assert (entry["type"], entry["content"]) == ("faq", "Yes, from 20 dollars.")
    assert "christmas" in entry["question"]
    assert desk.rows() == []
    told = desk.olga.post(f"sites/{desk.site.id}/knowledge/ask", question="giftcards for christmas").json
    assert (told["answered"], told["sources"][0]["knowledge_id"]) == (True, answer.json["id"])
    assert desk.olga.post(f"{desk.path}/{row['id']}/answer", question="x", content="y").status_code == 404


def test_a_dismissed_group_comes_back_when_three_others_have_asked_it(desk):
    first = desk.ask(GIFTS)
    (row,) = desk.rows()
    assert desk.olga.delete(f"{desk.path}/{row['id']}").status_code == 200
    assert desk.rows() == []
    desk.ask(GIFTS, visitor=first)
    for _ in range(2):
        desk.ask(GIFTS)
    assert desk.rows() == []
    desk.ask("gift cards")
    (back,) = desk.rows()
    assert (back["id"], back["visitors"]) == (row["id"], 4)


def test_the_list_is_paged_searched_in_any_case_and_exported(desk):
    desk.ask("=Haben Sie Öffnungszeiten am Sonntag?", "Gibt es einen Abholservice?", GIFTS)
    page = desk.get(per_page=2, page=2) if desk.rows() else None
    assert (len(page.json["data"]), page.json["pagination"]) == (
        1, {"total": 3, "page": 2, "per_page": 2, "pages": 2}
    )
    for words, count in (("öffnungszeiten", 1), ("OFFNUNGSZEITEN", 1), ("gift cards", 1), ("gift abholservice", 0)):
        assert len(desk.rows(search=words)) == count, words
    table = list(csv.DictReader(io.StringIO(desk.get(format="csv").data.decode("utf-8-sig"))))
    assert "'=Haben Sie Öffnungszeiten am Sonntag?" in [row["question"] for row in table]
    assert table[0]["count"] == "1"


def test_what_was_asked_last_comes_first_and_more_visitors_weigh_as_days(desk):
    day_ms = 86_400_000
    now_ms = desk.store.read(lambda tx: tx.now_ms())
    for days, text, visitors in ((0, "Where is the showroom?", 1), (2, "Do you repair zips?", 2), (9, GIFTS, 2)):
        for _ in range(visitors):
            answered(desk, text, at_ms=now_ms - days * day_ms)
    assert desk.questions() == ["Do you repair zips?", "Where is the showroom?", GIFTS]


def answered(desk, question, *, at_ms, reply="I do not know", **facts):
    """A visitor of long ago who was told `reply`."""
    told = tell(desk.store, desk.site.id, ("visitor", question), ("assistant", reply), at_ms=at_ms, **facts)
    desk.store.write(lambda tx: tx.run(
        Message.update(reply_to=Message.seq - 1)
        .where((Message.visitor_id == told.visitor_id) & (Message.role == "assistant"))
    ))
    # As after a start: what changed long ago is looked at by the first look only.
    finding._marks.clear()
    return told


def test_messages_of_an_older_release_are_asked_again_unless_they_are_too_old(desk):
    now_ms = desk.store.read(lambda tx: tx.now_ms())
    answered(desk, GIFTS, at_ms=now_ms - 1000)
    answered(desk, "Do you ship to Canada?", at_ms=now_ms - 1000)
    answered(desk, "Do you repair zips?", at_ms=now_ms - finding.LOOK_BACK_MS - 1000)
    assert desk.questions() == [GIFTS]


@pytest.mark.parametrize("message", [
    "Hello!", "ok, thanks. Bye!", "Vielen Dank", "дякую", "ann@shop.example", "my mail is ann@shop.example",
    "+49 170 1234567", "Can I talk to a person?", "Einen Menschen bitte", "asdfgh", "???", "ok", "aaaaaaaaaa what",
    "http://win.example http://win2.example buy gift cards?",
])  # fmt: skip
def test_what_asks_nothing_is_not_listed(desk, message):
    desk.ask(message)
    assert desk.questions() == []


def test_of_two_questions_in_a_message_only_the_unanswered_one_is_listed(desk):
    desk.ask("Do you ship to Canada? Do you sell gift cards?")
    assert desk.questions() == [GIFTS]


def test_a_message_to_a_person_is_not_listed(desk):
    ann = desk.ask("Do you ship to Canada?")
    conversation_id = desk.row_of(ann).conversation_id
    assert desk.olga.post(f"operator/accept/{conversation_id}").status_code == 200
    desk.ask("Where is my parcel, Olga?", visitor=ann)
    assert desk.questions() == []


def test_what_an_operator_answered_next_is_suggested_with_the_name(desk):
    ann = desk.ask(GIFTS)
    conversation_id = desk.row_of(ann).conversation_id
    desk.ask("Can I talk to a person?", visitor=ann)
    desk.olga.post(f"operator/accept/{conversation_id}")
    for content in ("Hello!", "Yes, we sell gift cards from 20 dollars.", "They arrive by email at once."):
        desk.olga.post("operator/message", conversation_id=conversation_id, content=content)
    desk.ask("And do you repair zips?", visitor=ann)
    desk.olga.post("operator/message", conversation_id=conversation_id, content="Zips are repaired free of charge.")
    (row,) = desk.rows()
    assert row["suggestion"] == {
        "content": "Yes, we sell gift cards from 20 dollars.\nThey arrive by email at once.", "operator": "Olga"
    }


def test_who_may_not_read_conversations_sees_no_conversation_and_no_operators_words(desk):
    ann = desk.ask(GIFTS)
    conversation_id = desk.row_of(ann).conversation_id
    desk.olga.post(f"operator/accept/{conversation_id}")
    desk.olga.post("operator/message", conversation_id=conversation_id, content="Yes, from 20 dollars, Ann.")
    desk.review()
    editor = Person(desk.app, site_ids=(desk.site.id,), can_chat=0, can_view_conversations=0, can_edit=1)
    (mine,), (hers,) = desk.get(editor).json["data"], desk.get().json["data"]
    assert (mine["question"], mine["conversation_id"], mine["suggestion"]) == (GIFTS, None, None)
    assert (hers["conversation_id"], bool(hers["suggestion"])) == (conversation_id, True)


def test_who_may_not_read_conversations_does_not_see_who_asked(desk):
    desk.ask("Do you sell gift cards for ann@mail.example, https://ann.example/x or order 4711234?")
    desk.review()
    editor = Person(desk.app, site_ids=(desk.site.id,), can_chat=0, can_view_conversations=0, can_edit=1)
    (row,) = desk.get(editor).json["data"]
    assert row["question"] == "Do you sell gift cards for …, … or order …?"
    assert "ann@mail.example" in desk.rows()[0]["question"]


def test_an_entry_does_not_take_over_wordings_that_tell_who_asked_unless_told_to(desk):
    desk.ask(GIFTS, "Do you sell gift cards for order 4711234?", "gift cards please?")
    (row,) = desk.rows()
    assert "Do you sell gift cards for order 4711234?" in row["wordings"]
    made = desk.olga.post(f"{desk.path}/{row['id']}/answer", question=GIFTS, content="Yes.").json["id"]
    assert desk.olga.get(f"knowledge/{made}").json["entry"]["question"] == f"{GIFTS} gift cards please?"


def test_the_wordings_of_an_entry_can_be_chosen(desk):
    desk.ask(GIFTS, "gift cards please?")
    (row,) = desk.rows()
    made = desk.olga.post(f"{desk.path}/{row['id']}/answer", question=GIFTS, content="Yes.", title="Gifts",
                          wordings=["do you sell gift cards", "Vouchers"]).json["id"]  # fmt: skip
    entry = desk.olga.get(f"knowledge/{made}").json["entry"]
    assert (entry["title"], entry["question"]) == ("Gifts", f"{GIFTS} Vouchers?")


@pytest.mark.parametrize(("body", "field"), [
    ({"question": GIFTS}, "content"), ({"question": " ", "content": "x"}, "question"),
    ({"question": GIFTS, "content": "x", "more": 1}, "more"), ({"question": GIFTS, "content": "\x00"}, "content"),
])  # fmt: skip
def test_a_wrong_answer_names_its_field_and_leaves_the_list_as_it_is(desk, body, field):
    desk.ask(GIFTS)
    (row,) = desk.rows()
    answer = desk.olga.post(f"{desk.path}/{row['id']}/answer", **body)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])
    assert desk.questions() == [GIFTS]


def test_two_who_answer_at_once_make_one_entry(desk):
    desk.ask(GIFTS)
    (row,) = desk.rows()
    statuses = []

    def answer(content):
        person = Person(desk.app, site_ids=(desk.site.id,), can_edit=1)
        statuses.append(person.post(f"{desk.path}/{row['id']}/answer", question=GIFTS, content=content).status_code)

    threads = [threading.Thread(target=answer, args=(f"Yes, {n}.",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(201) == 1
    assert set(statuses) <= {201, 404, 409}
    assert len(desk.stored(models.KnowledgeEntry)) == len(SHOP) + 1


def test_who_dies_while_answering_leaves_the_question_to_the_next(desk, monkeypatch):
    desk.ask(GIFTS)
    (row,) = desk.rows()
    assert desk.store.write(listing._claim, site_id=desk.site.id, group_id=row["id"]) is True
    path = f"{desk.path}/{row['id']}/answer"
    assert desk.olga.post(path, question=GIFTS, content="Yes.").status_code == 409
    desk.store.write(lambda tx: tx.run(UnansweredGroup.update(claimed_until_ms=tx.now_ms() - 1)))
    assert desk.olga.post(path, question=GIFTS, content="Yes.").status_code == 201


def test_a_new_entry_that_answers_takes_its_questions_off_the_list(desk):
    desk.ask(GIFTS, "Do you repair zips?")
    assert len(desk.rows()) == 2
    (number,) = desk.learn(faq(GIFTS, "Yes, from 20 dollars."))
    desk.recheck()
    assert desk.questions() == ["Do you repair zips?"]
    assert len(desk.stored(UnansweredGroup)) == 1
    # It is not listed again because the entry went; only who asks again brings it back.
    remove_entries(desk.store, desk.site.id, [number])
    desk.recheck()
    assert desk.questions() == ["Do you repair zips?"]
    desk.ask(GIFTS)
    assert GIFTS in desk.questions()


def test_a_changed_entry_answers_too(desk):
    desk.ask(GIFTS)
    assert desk.questions() == [GIFTS]
    (number,) = desk.learn(faq("Where do you knit?", "In a harbour town."))
    stored.change(desk.store, desk.site.id, number, faq(GIFTS, "Yes."))
    desk.recheck()
    assert desk.questions() == []


def test_while_the_knowledge_changes_nothing_is_asked_again(desk):
    desk.ask(GIFTS)
    desk.review()
    desk.recheck()
    for number in range(3):
        desk.learn(faq(GIFTS, f"Yes, {number}."))
        assert rechecking.catch_up(desk.store, timeout_s=60) is False
        assert desk.questions() == [GIFTS]


def test_without_time_the_recheck_goes_on_where_it_was(desk):
    desk.ask(GIFTS)
    desk.review()
    desk.learn(faq(GIFTS, "Yes."))
    rechecking.catch_up(desk.store, timeout_s=60)
    assert rechecking.catch_up(desk.store, timeout_s=-1) is False
    assert desk.questions() == [GIFTS]
    assert rechecking.catch_up(desk.store, timeout_s=60) is True
    assert desk.questions() == []


def knowledge(desk):
    """What the runs of a site noted."""
    return [row.knowledge for row in desk.stored(Run)]


@pytest.mark.parametrize(("question", "reply", "noted", "listed"), [
    (GIFTS, ["I don't know that."], "missing", True),
    ("Do you ship to Canada?", ["Yes, for 12 dollars [1]."], "known", False),
    ("Do you ship to Canada?", ["Yes, for 12 dollars."], "known", False),
    ("Do you ship to Canada on Sundays?", ["[0] I am sorry, nobody told me."], "rejected", True),
])  # fmt: skip
def test_with_a_model_what_it_cites_or_refuses_decides(modelled, question, reply, noted, listed):
    modelled.app.upstream.script(reply)
    modelled.ask(question)
    assert knowledge(modelled) == [noted]
    assert modelled.questions() == ([question] if listed else [])


@pytest.mark.parametrize(("answer", "noted"), [
    (says({"success": True, "data": [{"name": "Walrus"}]}), "known"), (says("no", status=500), "missing"),
])  # fmt: skip
def test_what_the_sites_own_data_answered_is_not_listed(app, answer, noted):
    with ShopData() as shop:
        shop.script(answer)
        desk = Desk(app, ai_provider="openai", data_api_enabled=True, data_api_url=shop.url, data_api_key="k")
        app.upstream.script(calls(("search_products", {"query": "walrus"})), ["There is one."])
        desk.ask("Do you have a walrus?")
    assert knowledge(desk) == [noted]
    assert desk.questions() == ([] if noted == "known" else ["Do you have a walrus?"])


def test_what_a_model_refused_stays_until_a_newer_entry_answers_it(modelled):
    question = "Do you ship to Canada on Sundays?"
    modelled.app.upstream.script(["[0] I am sorry, nobody told me."])
    modelled.ask(question)
    modelled.review()
    modelled.learn(faq("How tall is the tower?", "Forty metres."))
    modelled.recheck()
    assert modelled.questions() == [question]
    modelled.learn(faq(question, "Only in December."))
    modelled.recheck()
    assert modelled.questions() == []


def test_a_failed_answer_is_not_an_unanswered_question(app):
    desk = Desk(app, ai_provider="openai")
    app.upstream.script("cut_mid_stream")
    desk.ask(GIFTS)
    assert knowledge(desk) == [""]
    desk.review()
    assert [row.knowledge for row in desk.stored(Run)] == [""]


def test_each_message_is_listed_once_by_any_number_of_reviews_at_a_time(desk):
    for number in range(6):
        desk.ask(GIFTS, f"Where is store number {number}?")
    threads = [threading.Thread(target=finding.catch_up, args=(desk.store,), kwargs={"timeout_s": 60})
               for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    desk.review()
    said = [(row.visitor_id, row.seq, row.place) for row in desk.stored(UnansweredAsk)]
    assert len(said) == len(set(said)) == 12


def test_a_review_that_was_killed_before_its_commit_is_made_again_once(desk, monkeypatch):
    desk.ask(GIFTS)
    add = asks.add

    def killed(tx, some):
        add(tx, some)
        raise ValueError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(asks, "add", killed)
        with pytest.raises(ValueError, match="killed"):
            finding.catch_up(desk.store)
    assert desk.stored(UnansweredAsk) == []
    assert [(row["question"], row["count"]) for row in desk.rows()] == [(GIFTS, 1)]
    assert [(row["question"], row["count"]) for row in desk.rows()] == [(GIFTS, 1)]


def test_a_review_that_is_late_changes_nothing(desk):
    ann = desk.ask(GIFTS)
    visitor_id = desk.row_of(ann).id
    late = finding._next_part(desk.store, visitor_id, 0, time.monotonic() + 60)
    desk.review()
    desk.store.write(finding._write, parts=[late])
    assert len(desk.stored(UnansweredAsk)) == 1


def test_what_was_erased_while_it_was_read_is_not_listed(desk):
    ann = desk.ask(GIFTS)
    part = finding._next_part(desk.store, desk.row_of(ann).id, 0, time.monotonic() + 60)
    assert part.asks
    desk.store.write(lambda tx: tx.run(Message.delete().where(Message.visitor_id == part.visitor_id)))
    desk.store.write(finding._write, parts=[part])
    assert desk.stored(UnansweredAsk) == []


def test_erasing_a_visitor_takes_its_wording_out_of_the_group_and_a_group_nobody_else_asked_away(desk):
    ann, ben = desk.ask(GIFTS, "Do you repair zips?"), desk.ask("gift cards please?")
    assert len(desk.rows()) == 2
    desk.live.eraser.visitor(desk.row_of(ann).id)
    (row,) = desk.rows()
    assert (row["question"], row["wordings"], row["count"], row["visitors"]) == ("gift cards please?", [], 1, 1)
    kept = repr(desk.stored(UnansweredAsk)) + repr(desk.stored(UnansweredGroup))
    assert "sell" not in kept
    assert "zip" not in kept
    asks.tidy(desk.store, desk.site.id)
    assert len(desk.stored(UnansweredGroup)) == 1
    desk.live.eraser.conversation(desk.row_of(ben).conversation_id)
    assert desk.rows() == []
    asks.tidy(desk.store, desk.site.id)
    assert desk.stored(UnansweredGroup) == desk.stored(UnansweredAsk) == []


def test_one_visitor_cannot_fill_the_list(desk, monkeypatch):
    monkeypatch.setattr(asks, "MAX_OF_VISITOR", 3)
    desk.ask(*(f"Where is the {word} museum?" for word in ("toy", "car", "art", "wax", "sea")))
    assert len(desk.rows()) == 3


def test_over_its_limit_a_site_forgets_first_what_a_single_visitor_asked_long_ago(desk, monkeypatch):
    for _ in range(2):
        desk.ask(GIFTS)
    desk.ask("Where is the toy museum?", "Where is the car park?")
    assert len(desk.rows()) == 3
    monkeypatch.setattr(asks, "MAX_OF_SITE", 3)
    asks.tidy(desk.store, desk.site.id)
    assert set(desk.questions()) == {GIFTS, "Where is the car park?"}


def test_questions_in_another_language_are_another_group(desk):
    desk.ask("What does an iPhone 15 Pro Max cost?", lang="en")
    desk.ask("Was kostet ein iPhone 15 Pro Max?", lang="de")
    assert [row["lang"] for row in desk.rows()] == ["de", "en"]


def test_another_site_sees_nothing_and_changes_nothing(desk, app):
    desk.ask(GIFTS)
    (row,) = desk.rows()
    other = Desk(app)
    assert other.rows() == []
    assert other.olga.delete(f"{other.path}/{row['id']}").status_code == 404
    assert other.olga.post(f"{other.path}/{row['id']}/answer", question="x", content="y").status_code == 404
    assert desk.questions() == [GIFTS]


def test_the_command_prints_the_list(desk, capsys):
    desk.ask(GIFTS, "gift cards please?", "Do you repair zips?")
    parser = ArgumentParser()
    unanswered.add_commands(parser.add_subparsers(required=True))

    def run(*words):
        args = parser.parse_args(["unanswered", "--site", desk.site.site_key, *words])
        assert args.run(args, SimpleNamespace(store=desk.store, site=lambda key: desk.site)) == 0
        return capsys.readouterr().out

    assert [line.split()[:2] for line in run().splitlines()[:2]] == [["1", "1"], ["2", "1"]]
    assert run("--search", "walrus") == "nothing is unanswered\n"
    (row,) = json.loads(run("--json", "--search", "gift"))
    assert (row["count"], {row["question"], *row["wordings"]}) == (2, {GIFTS, "gift cards please?"})
