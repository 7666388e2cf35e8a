"""What visitors tell beside their messages: contact, ratings, closing, asking for a person, typing."""

from __future__ import annotations

import pytest

from tests.cast import Cast, open_app
from vexar import phones
from vexar.models import Conversation


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with open_app(tmp_path_factory.mktemp("forms")) as app:
        yield app


@pytest.fixture
def cast(app):
    return Cast(app)


def conversations(cast, visitor):
    """The rows of a visitor's conversations, oldest first."""
    query = Conversation.select(Conversation).where(Conversation.visitor_id == cast.row(visitor).id)
    return cast.store.read(lambda tx: tx.all(query.order_by(Conversation.id)))


# Contact.


@pytest.mark.parametrize("email", [
    "jane@shop.example", "jane.o'neil+tag@sub.shop.example", "a@b.co", "jürgen@münchen.example", "用户@例子.广告",
])  # fmt: skip
def test_an_email_is_saved_in_lower_case(cast, email):
    assert cast.ann.post("chat/email", email=email.title()).json == {"success": True, "message": "Email saved"}
    assert cast.row(cast.ann).email == email.title().lower()


@pytest.mark.parametrize(("message", "email"), [
    ("Jane@shop.example", "jane@shop.example"),
    ("Write to jane.o+tag@sub.shop.example, please.", "jane.o+tag@sub.shop.example"),
    ("@jane or jane@ or jane@shop", ""),
    ("@" * 3_000 + "a@" * 400, ""),
])  # fmt: skip
def test_an_email_in_a_message_is_kept(cast, message, email):
    cast.ann.ask(message)
    assert cast.row(cast.ann).email == email


def test_an_email_in_a_message_does_not_replace_a_known_one(cast):
    cast.ann.post("chat/email", email="ann@shop.example")
    cast.ann.ask("my friend is bob@shop.example")
    assert cast.row(cast.ann).email == "ann@shop.example"


def test_a_contact_is_saved_with_what_is_given_and_the_rest_stays(cast):
    cast.ann.post("chat/email", email="ann@shop.example")
    assert cast.ann.post("chat/contact", phone="+44 20 7946 0018", name="Ann").json["message"] == "Contact saved"
    row = cast.row(cast.ann)
    assert (row.email, row.phone, row.name) == ("ann@shop.example", "+442079460018", "Ann")
    cast.ann.post("chat/contact", email="new@shop.example", name="")
    row = cast.row(cast.ann)
    assert (row.email, row.phone, row.name) == ("new@shop.example", "+442079460018", "Ann")


@pytest.mark.parametrize("fields", [{}, {"name": "Ann"}, {"email": "", "phone": ""}, {"email": None, "phone": " "}])
def test_a_contact_needs_at_least_one_of_email_and_phone(cast, fields):
    answer = cast.ann.post("chat/contact", **fields)
    assert answer.status_code == 422
    assert set(answer.json["errors"]) == {"email", "phone"}
    assert cast.row(cast.ann) is None


@pytest.mark.parametrize(("given", "kept"), [
    ("+44 20 7946 0018", "+442079460018"), ("+44 (0) 20 7946 0018", "+442079460018"), ("+49-30-901820", "+4930901820"),
    ("030 901820", "030 901820"), ("call 5550100", "call 5550100"), (" +1… ", "+1…"),
])  # fmt: skip
def test_a_phone_is_kept_as_e164_where_it_parses_and_as_given_where_not(given, kept):
    assert phones.normalise(given) == kept


@pytest.mark.parametrize(("given", "kept"), [
    ("+44 20 7946 0018", "+442079460018"), ("0044 20 7946-0018", "+442079460018"), ("030 901820", "030 901820"),
    ("+44 (0) 20 7946 0018", "+442079460018"),
])  # fmt: skip
def test_without_the_library_of_phone_numbers_spacing_goes_all_the_same(given, kept, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "phonenumbers", None)
    assert phones.normalise(given) == kept


def test_forms_are_limited_by_address_and_site(tmp_path):
    with open_app(tmp_path, limit_forms_per_minute=2) as app:
        cast = Cast(app)
        statuses = [cast.visitor().post("chat/email", email="a@shop.example").status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
        assert cast.ann.post("chat/rate", score=1).status_code == 429
        assert cast.stranger.post("chat/email", email="a@shop.example").status_code == 200


# Ratings.


def test_rating_again_replaces(cast):
    cast.ann.ask()
    for score in (1, 5):
        assert cast.ann.post("chat/rate", score=score).json == {"success": True}
    assert [row.rating_score for row in conversations(cast, cast.ann)] == [5]


def test_the_newest_conversation_is_rated_also_after_it_was_closed(cast):
    for _ in range(2):
        cast.ann.ask()
        cast.ann.post("chat/close")
    cast.ann.post("chat/rate", score=3)
    assert [row.rating_score for row in conversations(cast, cast.ann)] == [None, 3]


def test_a_comment_before_a_rating_is_409_and_changes_nothing(cast):
    cast.ann.ask()
    before = cast.rows()
    answer = cast.ann.post("chat/rate/comment", comment="Great!")
    assert (answer.status_code, answer.json["code"]) == (409, "not_rated")
    assert cast.rows() == before


def test_a_comment_of_2000_characters_is_kept_with_its_rating(cast):
    cast.ann.ask()
    cast.ann.post("chat/rate", score=4)
    assert cast.ann.post("chat/rate/comment", comment="é" * 2000).json == {"success": True}
    assert [(row.rating_score, row.rating_comment) for row in conversations(cast, cast.ann)] == [(4, "é" * 2000)]


def test_a_visitor_without_a_conversation_has_nothing_to_rate(cast):
    cast.ann.post("chat/email", email="ann@shop.example")
    for path, fields in (("chat/rate", {"score": 4}), ("chat/rate/comment", {"comment": "x"})):
        answer = cast.ann.post(path, **fields)
        assert (answer.status_code, answer.json["code"]) == (404, "conversation_not_found")


# Closing.


def test_close_ends_the_open_conversation_and_the_next_message_begins_another(cast):
    cast.ann.ask()
    number = cast.ann.get("chat/history").json["conversation_id"]
    assert cast.ann.post("chat/close").json == {"success": True, "conversation_id": number}
    cast.ann.ask()
    assert cast.ann.get("chat/history").json["conversation_id"] != number
    assert len(cast.ann.history()) == 4


def test_close_is_404_when_none_is_open(cast):
    cast.ann.ask()
    cast.ann.post("chat/close")
    before = cast.rows()
    answer = cast.ann.post("chat/close")
    assert (answer.status_code, answer.json["code"]) == (404, "conversation_not_found")
    assert cast.rows() == before


def test_a_visitor_has_at_most_one_open_conversation(cast):
    for _ in range(2):
        cast.ann.ask()
        cast.ann.ask()
        cast.ann.post("chat/close")
    cast.ann.ask()
    assert [row.closed_ms is None for row in conversations(cast, cast.ann)] == [False, False, True]


# A person.


def test_asking_for_a_person_puts_the_conversation_into_waiting_with_a_system_line(cast):
    cast.ann.ask(lang="de")
    assert cast.ann.post("chat/request-operator").json == {"success": True, "waiting": True, "available": True}
    assert [row.is_waiting for row in conversations(cast, cast.ann)] == [1]
    line = cast.ann.history()[-1]
    assert (line["role"], line["content"]) == ("system", "Wir rufen jemanden für Sie.")


def test_asking_twice_writes_one_line(cast):
    cast.ann.ask()
    for _ in range(2):
        assert cast.ann.post("chat/request-operator").json["waiting"] is True
    assert [message["role"] for message in cast.ann.history()].count("system") == 1


def test_asking_tells_the_operators(cast):
    from vexar.conversing.visitors import site_channel

    cast.ann.ask()
    bell = cast.parts.broker.listen(site_channel(cast.site.id))
    cast.ann.post("chat/request-operator")
    assert bell.wait(5)
    bell.close()


def test_whoever_has_a_person_already_does_not_wait(cast):
    cast.ann.ask()
    cast.olga_says(cast.ann, "Hello")
    assert cast.ann.post("chat/request-operator").json == {"success": True, "waiting": False, "available": True}


def test_a_site_without_operators_has_nobody_to_wait_for(app):
    cast = Cast(app, operator_enabled=False)
    cast.ann.ask()
    before = cast.rows()
    assert cast.ann.post("chat/request-operator").json == {"success": True, "waiting": False, "available": False}
    assert cast.rows() == before


# Typing.


@pytest.mark.parametrize("on", [True, False])
def test_typing_reaches_the_operators_and_is_never_stored(cast, on):
    from vexar.conversing.visitors import site_channel

    cast.ann.ask()
    before = cast.rows()
    bell = cast.parts.broker.listen(site_channel(cast.site.id))
    assert cast.ann.post("chat/typing", on=on).json == {"success": True}
    assert bell.wait(5)
    assert bell.notes() == [{"typing": on, "session_id": cast.ann.session_id}]
    bell.close()
    assert cast.rows() == before
