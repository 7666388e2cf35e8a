"""What operators read of conversations: lists by filter, period and search, one conversation, CSV; on both engines."""

from __future__ import annotations

import csv
import io
import time

import pytest

from tests.cast import Cast, add, open_app, site_row
from tests.conftest import ENGINES
from tests.stories import DAY_MS, Reader, tell
from vexar.models import Note

NOW_MS = int(time.time() * 1000)
MINUTE_MS = 60_000


@pytest.fixture(scope="module", params=ENGINES)
def app(request, tmp_path_factory):
    settings = {}
    if request.param == "mysql":
        settings["database_url"] = request.getfixturevalue("mariadb").create()
    with open_app(tmp_path_factory.mktemp("lists"), **settings) as opened:
        yield opened


@pytest.fixture
def store(app):
    return app.extensions["vexar"].store


@pytest.fixture
def site(store):
    return add(store, site_row())[0]


@pytest.fixture
def olga(app, site):
    return Reader(app, "Olga", site.id)


def say(store, site, text="Hello", ago_ms=0, **facts):
    """A conversation of one message; its id."""
    return tell(store, site.id, ("visitor", text), at_ms=int(time.time() * 1000) - ago_ms, **facts).id


def search(olga, site, words):
    """The ids that a search finds."""
    return sorted(olga.ids(f"sites/{site.id}/conversations", search=words))


def read_csv(answer):
    """The rows of a CSV answer."""
    assert answer.status_code == 200
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))


def test_those_who_wait_come_first_then_the_newest(store, site, olga):
    old = say(store, site, ago_ms=3 * MINUTE_MS)
    waiting = say(store, site, ago_ms=2 * MINUTE_MS, is_waiting=1, waiting_ms=NOW_MS - MINUTE_MS)
    new = say(store, site, ago_ms=MINUTE_MS)
    answer = olga.get(f"sites/{site.id}/conversations").json
    assert [row["id"] for row in answer["data"]] == [waiting, new, old]
    assert answer["pagination"] == {"total": 3, "page": 1, "per_page": 20, "pages": 1}


def test_a_filter_shows_each_conversation_under_exactly_one_status(store, site, olga):
    made = {
        "ai": say(store, site),
        "waiting": say(store, site, is_waiting=1, waiting_ms=NOW_MS),
        "operator": say(store, site, mode="operator", operator_id=olga.id),
        "closed": say(store, site, mode="operator", operator_id=olga.id, closed_ms=NOW_MS),
    }
    for name, number in made.items():
        answer = olga.get(f"sites/{site.id}/conversations", filter=name).json
        assert [(row["id"], row["status"]) for row in answer["data"]] == [(number, name)]
        assert answer["pagination"]["total"] == 1
    assert len(olga.ids(f"sites/{site.id}/conversations", filter="all")) == 4


def test_a_period_counts_days_of_utc_since_something_happened(store, site, olga):
    midnight_ms = NOW_MS - NOW_MS % DAY_MS
    ages = {"today": 0, "week": 6 * DAY_MS, "month": 29 * DAY_MS, "all": 30 * DAY_MS}
    made = [tell(store, site.id, ("visitor", "Hi"), at_ms=midnight_ms - age).id for age in ages.values()]
    for place, period in enumerate(ages, 1):
        assert olga.ids(f"sites/{site.id}/conversations", period=period) == made[:place]


def test_pages_hold_every_conversation_once(store, site, olga):
    made = [say(store, site, ago_ms=number * MINUTE_MS) for number in range(5)]
    pages = [olga.ids(f"sites/{site.id}/conversations", page=page, per_page=2) for page in (1, 2, 3, 4)]
    assert pages == [made[:2], made[2:4], made[4:], []]
    pagination = olga.get(f"sites/{site.id}/conversations", page=2, per_page=2).json["pagination"]
    assert pagination == {"total": 5, "page": 2, "per_page": 2, "pages": 3}


def test_a_row_says_who_the_visitor_is_and_who_has_the_conversation(store, site, olga):
    told = tell(
        store, site.id, ("visitor", "Hello"), ("operator", "Good day"), at_ms=NOW_MS, name="Ann", phone="+15550100",
        lang="de", page_url="https://shop.example/a", mode="operator", operator_id=olga.id, rating_score=4,
        rating_comment="fine", rated_ms=NOW_MS, unread_count=2,
    )  # fmt: skip
    (row,) = olga.get(f"sites/{site.id}/conversations").json["data"]
    expected = {
        "id": told.id, "site_id": site.id, "session_id": told.session_id, "visitor_id": told.visitor_id,
        "visitor_name": "Ann", "email": "", "phone": "+15550100", "lang": "de", "page_url": "https://shop.example/a",
        "mode": "operator", "status": "operator", "is_waiting": False, "waiting_since": None,
        "operator": {"id": olga.id, "name": "Olga", "avatar_url": None}, "messages_count": 2, "unread_count": 2,
        "last_message": "Good day", "rating_score": 4, "rating_comment": "fine", "closed_at": None,
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert row["created_at"] < row["changed_at"]


@pytest.mark.parametrize(("facts", "name"), [
    ({"name": "Ann", "email": "ann@shop.example"}, "Ann"),
    ({"email": "ann@shop.example"}, "ann@shop.example"),
    ({}, None),
])
def test_a_visitor_is_called_by_name_else_email_else_number(store, site, olga, facts, name):
    told = tell(store, site.id, ("visitor", "Hello"), at_ms=NOW_MS, **facts)
    (row,) = olga.get(f"sites/{site.id}/conversations").json["data"]
    assert row["visitor_name"] == (name or f"Visitor {told.visitor_id}")


@pytest.mark.parametrize(("text", "found", "missed"), [
    ("Wann kommt meine Größe XL?", ["größe", "Grösse", "grosse xl", "kom"], ["größer", "groxe"]),
    ("Чи можна повернути товар? Їжак", ["повернути", "ПОВЕРН", "їжак", "товар можна"], ["повернення", "кіт"]),
    ("我要退货，可以吗", ["退货", "我要退货", "可以", "退", "货"], ["退款", "吗可"]),
    ("Order AB-1234 of ann.lee@mail.example", ["ab-1234", "AB-12", "ann.lee@mail", "1234"], ["ab-99", "bob"]),
    ("“Fancy” café — №5", ["cafe", "fancy — CAFÉ !", "№5"], ["tea"]),
])  # fmt: skip
def test_texts_are_found_without_case_and_accents_by_whole_words_and_a_beginning(
    store, site, olga, text, found, missed
):
    number = say(store, site, text)
    say(store, site, "something else entirely 完全")
    assert {words: search(olga, site, words) for words in found} == dict.fromkeys(found, [number])
    assert {words: search(olga, site, words) for words in missed} == dict.fromkeys(missed, [])


def test_every_word_counts_and_only_the_last_may_be_a_beginning(store, site, olga):
    both, _ = say(store, site, "refund for shoes"), say(store, site, "refund for socks")
    assert search(olga, site, "refund sho") == [both]
    assert search(olga, site, "refu shoes") == []
    # Beginnings of two letters would find nearly everything.
    assert search(olga, site, "refund sh") == []


def test_contacts_are_found_by_any_part_and_mixed_with_texts(store, site, olga):
    ann = say(store, site, "refund", name="Ängelina Brück", email="Ann@Shop.example", phone="+491701234567")
    ben = say(store, site, "refund", name="Ben")
    for words in ("angelina", "brück", "ann@sh", "shop.example", "0170 123-45 67", "+49 170", "1234567"):
        assert search(olga, site, words) == [ann], words
    assert search(olga, site, "ben refund") == [ben]
    assert search(olga, site, "ben shoes") == []


def test_what_every_role_said_is_found_but_not_the_systems_lines(store, site, olga):
    told = tell(
        store, site.id, ("visitor", "apples"), ("assistant", "pears"), ("operator", "plums"), ("proactive", "grapes"),
        ("system", "nuts"), at_ms=NOW_MS,
    )  # fmt: skip
    for word in ("apples", "pears", "plums", "grapes"):
        assert search(olga, site, word) == [told.id]
    assert search(olga, site, "nuts") == []


def test_a_message_is_found_as_soon_as_it_was_sent(app, olga, site):
    cast = Cast(app)
    olga = Reader(app, "Olga", cast.site.id)
    cast.ann.ask("Where is my parcel?")
    assert search(olga, cast.site, "nonsense") == []
    cast.ann.ask("It had a kaleidoscope in it")
    cast.ben.post("chat/contact", email="ben@Shop.example", name="Бен")
    assert len(search(olga, cast.site, "kaleidoscope")) == 1
    cast.ben.ask("Hi")
    assert len(search(olga, cast.site, "бен")) == 1


def test_a_search_ends_at_the_site(app, store, site, olga):
    elsewhere = add(store, site_row())[0]
    say(store, elsewhere, "treasure", name="Treasure")
    assert search(olga, site, "treasure") == []


def test_all_sites_of_a_member_are_one_list_and_no_other_site_is_in_it(app, store, site):
    second, foreign, hidden = add(store, site_row(), site_row(), site_row())
    member = Reader(app, "Mia", site.id, second.id)
    store.write(_hide, operator_id=member.id, site_id=hidden.id)
    made = [say(store, one, "treasure", ago_ms=ago) for one, ago in ((site, 0), (second, MINUTE_MS))]
    for one in (foreign, hidden):
        say(store, one, "treasure")
    assert member.ids("conversations") == made
    assert member.ids("conversations", search="treas") == made
    assert member.ids("conversations", site_id=second.id) == made[1:]
    assert member.get("conversations", site_id=foreign.id).status_code == 404
    assert member.get("conversations", site_id=hidden.id).status_code == 403
    assert Reader(app, "Nobody").get("conversations").status_code == 403
    assert set(made) <= set(Reader(app, "Owner", is_owner=1).ids("conversations", per_page=100))


def _hide(tx, *, operator_id, site_id):
    from vexar.models import OperatorSite

    tx.run(OperatorSite.insert(operator_id=operator_id, site_id=site_id, can_view_conversations=0))


def test_a_conversation_is_shown_with_its_messages_notes_rating_and_what_came_earlier(store, site, olga):
    first = tell(store, site.id, ("visitor", "Earlier"), at_ms=NOW_MS - DAY_MS, closed_ms=NOW_MS, name="Ann")
    told = tell(
        store, site.id, ("visitor", "Hello"), ("assistant", "Hi"), ("operator", "Good day"), at_ms=NOW_MS,
        session_id=first.session_id, operator_id=olga.id, rating_score=5, rating_comment="great", rated_ms=NOW_MS,
    )  # fmt: skip
    store.write(lambda tx: tx.insert(Note.insert(
        conversation_id=told.id, operator_id=olga.id, content="A regular", created_ms=NOW_MS
    )))  # fmt: skip
    answer = olga.get(f"conversations/{told.id}/messages").json
    assert answer["conversation"]["visitor_name"] == "Ann"
    assert [row["id"] for row in answer["conversation"]["earlier"]] == [first.id]
    assert answer["conversation"]["block"] is None
    assert [(row["id"], row["role"], row["content"]) for row in answer["messages"]] == [
        (2, "visitor", "Hello"), (3, "assistant", "Hi"), (4, "operator", "Good day"),
    ]  # fmt: skip
    person = {"id": olga.id, "name": "Olga", "avatar_url": None}
    assert answer["messages"][2]["operator"] == person
    assert answer["has_more"] is False
    assert [(row["score"], row["comment"]) for row in answer["ratings"]] == [(5, "great")]
    assert [(row["content"], row["operator"]) for row in answer["notes"]] == [("A regular", person)]


def test_older_messages_come_by_pages_and_never_of_another_conversation(store, site, olga):
    first = tell(store, site.id, ("visitor", "Earlier"), at_ms=NOW_MS - DAY_MS)
    told = tell(
        store, site.id, *(("visitor", f"line {number}") for number in range(5)), at_ms=NOW_MS,
        session_id=first.session_id,
    )  # fmt: skip
    newest = olga.get(f"conversations/{told.id}/messages", limit=3).json
    older = olga.get(f"conversations/{told.id}/messages", limit=3, before=newest["messages"][0]["id"]).json
    assert [[row["content"] for row in page["messages"]] for page in (older, newest)] == [
        ["line 0", "line 1"], ["line 2", "line 3", "line 4"],
    ]  # fmt: skip
    assert (newest["has_more"], older["has_more"]) == (True, False)


def test_a_block_that_meets_the_visitor_is_told(app):
    cast = Cast(app)
    cast.ann.ask("Hello")
    cast.block(cast.ann, reason="rude")
    olga = Reader(app, "Olga", cast.site.id)
    (number,) = olga.ids(f"sites/{cast.site.id}/conversations")
    block = olga.get(f"conversations/{number}/messages").json["conversation"]["block"]
    assert (block["by"], block["reason"], block["until"]) == ("session", "rude", None)


@pytest.mark.parametrize("query", [{"filter": "mine"}, {"period": "year"}, {"page": 0}, {"per_page": 101},
                                   {"search": "x" * 201}, {"sort": "name"}])  # fmt: skip
def test_a_wrong_query_is_refused_by_name(site, olga, query):
    answer = olga.get(f"sites/{site.id}/conversations", **query)
    assert answer.status_code == 422
    assert list(answer.json["errors"]) == list(query)


def test_csv_holds_every_row_of_the_list_whatever_the_page(store, site, olga, monkeypatch):
    # Slices of two: the export crosses their borders.
    monkeypatch.setattr("vexar.routes.conversations.SLICE_ROWS", 2)
    monkeypatch.setattr("vexar.routes.lists.SLICE_ROWS", 2)
    made = [say(store, site, f"apples {number}", name=f"Ann {number}") for number in range(5)]
    say(store, site, "pears")
    rows = read_csv(olga.get(f"sites/{site.id}/conversations", search="apples", per_page=1, format="csv"))
    assert [int(row["id"]) for row in rows] == made[::-1]
    assert [row["visitor_name"] for row in rows] == [f"Ann {number}" for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1"])
def test_no_cell_of_a_csv_is_a_formula(store, site, olga, text):
    told = tell(store, site.id, ("visitor", text), at_ms=NOW_MS, name="Ann")
    for path in (f"sites/{site.id}/conversations", f"conversations/{told.id}/messages"):
        (row,) = read_csv(olga.get(path, format="csv"))
        assert row.get("content", row.get("last_message")) == f"'{text}"


def test_quotes_commas_and_line_breaks_survive_csv(store, site, olga):
    text = 'She said "one, two"\nand left\r\n🙂'
    told = tell(store, site.id, ("visitor", text), ("operator", "Yes"), at_ms=NOW_MS, operator_id=olga.id)
    rows = read_csv(olga.get(f"conversations/{told.id}/messages", format="csv"))
    assert [(row["content"], row["operator"]) for row in rows] == [(text, ""), ("Yes", "Olga")]
