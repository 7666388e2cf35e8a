"""Unanswered questions: which messages are listed, how they are grouped, what becomes of them, on both engines."""

from __future__ import annotations

import pytest

from tests.cast import Visitor, add_site
from tests.knowledge import SHOP
from tests.people import Person, open_house
from vexar.knowledge.index import add_entries
from vexar.knowledge.unanswered import finding
from vexar.people.auth import PERMISSIONS


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with open_house(tmp_path_factory.mktemp("unanswered")) as app:
        # It works at moments of its own choice; here the tests say when.
        app.extensions["vexar"].scheduler.close()
        yield app


class Desk:
    """A new site that knows SHOP, and olga who may edit it."""

    def __init__(self, app):
        self.app = app
        self.store = app.extensions["vexar"].store
        self.site = add_site(self.store)
        add_entries(self.store, self.site.id, SHOP, "en")
        self.olga = Person(app, site_ids=(self.site.id,), **dict.fromkeys(PERMISSIONS, 1))
        self.path = f"sites/{self.site.id}/knowledge/unanswered"

    def visitor(self):
        """Somebody new."""
        return Visitor(self.app.test_client(), self.site.site_key)

    def ask(self, *questions, visitor=None):
        """A visitor who asks all of these."""
        visitor = visitor or self.visitor()
        for question in questions:
            visitor.ask(question)
        return visitor

    def review(self):
        """What the scheduler does every few seconds."""
        assert finding.catch_up(self.store, timeout_s=60)

    def rows(self, path="", **query):
        """The list, reviewed."""
        self.review()
        answer = self.olga.client.get(f"/api/v1/{self.path}{path}", query_string=query,
                                      headers={"Authorization": f"Bearer {self.olga.token}"})  # fmt: skip
        assert answer.status_code == 200, answer.text
        return answer.json["data"]


@pytest.fixture
def desk(app):
    return Desk(app)


def test_only_what_the_knowledge_did_not_answer_is_listed(desk):
    desk.ask("Do you ship to Canada?", "Do you sell gift cards?")
    (row,) = desk.rows()
    assert (row["question"], row["wordings"], row["count"], row["visitors"], row["lang"]) == (
        "Do you sell gift cards?", [], 1, 1, "en"
    )
    assert row["first_asked_at"] == row["last_asked_at"]
    assert isinstance(row["conversation_id"], int)
    assert row["suggestion"] is None


def test_similar_questions_are_one_group_with_counts_and_wordings(desk):
    ann = desk.ask("Do you sell gift cards?", "gift cards")
    desk.ask("do you sell gift cards", "Where is your showroom?")
    rows = desk.rows()
    assert [(row["question"].casefold().rstrip("?"), row["count"], row["visitors"]) for row in rows] == [
        ("do you sell gift cards", 3, 2), ("where is your showroom", 1, 1)
    ]
    assert rows[0]["wordings"] == ["gift cards"]
    assert ann


def test_an_answered_group_becomes_a_faq_that_every_wording_finds_and_leaves_the_list(desk):
    desk.ask("Do you sell gift cards?")
    desk.ask("giftcards for christmas, do you sell any gift cards?")
    (row,) = desk.rows()
    answer = desk.olga.post(f"{desk.path}/{row['id']}/answer", question="Do you sell gift cards?",
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
    first = desk.ask("Do you sell gift cards?")
    (row,) = desk.rows()
    assert desk.olga.delete(f"{desk.path}/{row['id']}").status_code == 200
    assert desk.rows() == []
    desk.ask("Do you sell gift cards?", visitor=first)
    for _ in range(2):
        desk.ask("Do you sell gift cards?")
    assert desk.rows() == []
    desk.ask("gift cards")
    (back,) = desk.rows()
    assert (back["id"], back["visitors"]) == (row["id"], 4)
