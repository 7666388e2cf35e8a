"""Leads, ratings and analytics: exact figures of small hand-made histories, on both engines."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.cast import add, open_app, site_row
from tests.conftest import ENGINES
from tests.stories import DAY_MS, Reader, tell
from tests.test_lists import read_csv

NOW_MS = int(time.time() * 1000)
# Noon: a message a second later is of the same day.
NOON_MS = NOW_MS - NOW_MS % DAY_MS + DAY_MS // 2
SAID = ("visitor", "Hello")


@pytest.fixture(scope="module", params=ENGINES)
def app(request, tmp_path_factory):
    settings = {}
    if request.param == "mysql":
        settings["database_url"] = request.getfixturevalue("mariadb").create()
    with open_app(tmp_path_factory.mktemp("figures"), **settings) as opened:
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


def day(ago: int) -> str:
    """The day so many days ago, in UTC."""
    return str(datetime.fromtimestamp(NOW_MS / 1000, UTC).date() - timedelta(days=ago))


def leads_of(olga, site, **query):
    """The leads as (name, email, phone, conversations)."""
    rows = olga.get(f"sites/{site.id}/leads", **query).json["data"]
    return [(row["name"], row["email"], row["phone"], row["conversations_count"]) for row in rows]


def test_a_person_who_came_twice_is_one_lead_with_the_newest_facts(store, site, olga):
    first = tell(store, site.id, SAID, at_ms=NOON_MS - 5 * DAY_MS, email="ann@shop.example", name="A.", phone="+1555")
    again = tell(store, site.id, SAID, at_ms=NOON_MS - DAY_MS, email="ann@shop.example", name="Ann")
    newest = tell(store, site.id, SAID, at_ms=NOON_MS - DAY_MS + 5_000, session_id=again.session_id)
    (row,) = olga.get(f"sites/{site.id}/leads").json["data"]
    assert (row["name"], row["email"], row["phone"]) == ("Ann", "ann@shop.example", "+1555")
    assert (row["first_seen"][:10], row["last_seen"][:10]) == (day(5), day(1))
    assert (row["conversations_count"], row["conversation_id"]) == (3, newest.id)
    assert first.id != newest.id


def test_a_phone_number_is_a_lead_only_while_no_email_is_known_with_it(store, site, olga):
    tell(store, site.id, SAID, at_ms=NOON_MS - 3 * DAY_MS, phone="+4917")
    tell(store, site.id, SAID, at_ms=NOON_MS - 2 * DAY_MS, phone="+3806", name="Олена")
    tell(store, site.id, SAID, at_ms=NOON_MS - DAY_MS, email="ben@shop.example", phone="+4917", name="Ben")
    tell(store, site.id, SAID, at_ms=NOON_MS, name="No address")
    assert leads_of(olga, site) == [("Ben", "ben@shop.example", "+4917", 2), ("Олена", "", "+3806", 1)]


def test_leads_are_searched_paged_and_exported(store, site, olga, monkeypatch):
    monkeypatch.setattr("vexar.routes.figures.SLICE_ROWS", 2)
    monkeypatch.setattr("vexar.routes.lists.SLICE_ROWS", 2)
    for number in range(5):
        facts = {"email": f"v{number}@shop.example", "name": f"Änn {number}"}
        tell(store, site.id, SAID, at_ms=NOON_MS - number * DAY_MS, **facts)
    tell(store, site.id, SAID, at_ms=NOON_MS - 9 * DAY_MS, phone="+15550100")
    assert [row[0] for row in leads_of(olga, site, page=2, per_page=2)] == ["Änn 2", "Änn 3"]
    assert leads_of(olga, site, search="ann 3") == [("Änn 3", "v3@shop.example", "", 1)]
    assert olga.get(f"sites/{site.id}/leads").json["pagination"]["total"] == 6
    rows = read_csv(olga.get(f"sites/{site.id}/leads", format="csv"))
    assert [row["email"] or row["phone"] for row in rows] == ["'+15550100"] + [f"v{n}@shop.example" for n in range(5)]


def test_ratings_come_newest_first_with_their_sums(store, site, olga):
    scores = (5, 4, 5, 1)
    made = [
        tell(store, site.id, SAID, at_ms=NOON_MS - n * DAY_MS, rating_score=score, rated_ms=NOON_MS - n * DAY_MS,
             rating_comment=f"c{n}", name="Ann").id
        for n, score in enumerate(scores)
    ]  # fmt: skip
    tell(store, site.id, SAID, at_ms=NOON_MS)
    answer = olga.get(f"sites/{site.id}/ratings").json
    assert [(row["conversation_id"], row["score"], row["comment"]) for row in answer["data"]] == [
        (number, score, f"c{n}") for n, (number, score) in enumerate(zip(made, scores, strict=True))
    ]  # fmt: skip
    assert answer["pagination"]["total"] == 4
    assert {row["visitor_name"] for row in answer["data"]} == {"Ann"}
    stats = olga.get(f"sites/{site.id}/ratings/stats").json
    assert (stats["average"], stats["count"]) == (3.75, 4)
    assert stats["distribution"] == {"1": 1, "2": 0, "3": 0, "4": 1, "5": 2}
    rows = read_csv(olga.get(f"sites/{site.id}/ratings", format="csv"))
    assert [int(row["conversation_id"]) for row in rows] == made[::-1]


def test_a_site_without_anything_has_zeros_for_every_day(site, olga):
    found = olga.get(f"sites/{site.id}/analytics", period=3).json
    assert found["conversations_by_day"] == [{"day": day(ago), "count": 0} for ago in (2, 1, 0)]
    assert [row["visitor"] for row in found["messages_by_day"]] == [0, 0, 0]
    assert found["answered"] == {"ai": 0, "operator": 0, "nobody": 0}
    assert found["first_response"] == {"count": 0, "median_ms": None, "p90_ms": None}
    assert found["ratings"]["average"] is None
    assert (found["leads"], found["by_lang"]) == (0, [])
    assert {row["count"] for row in found["funnel"]} == {0}
    assert (found["time_zone"], found["period"], found["is_complete"]) == ("UTC", 3, True)


def test_analytics_of_a_small_history_are_exact(store, site, olga):
    def told(ago, *roles, **facts):
        return tell(store, site.id, *((role, role) for role in roles), at_ms=NOON_MS - ago * DAY_MS, **facts)

    told(0, "visitor", "assistant", lang="de-DE", email="ann@shop.example")
    told(0, "visitor", "assistant", "visitor", "operator", lang="de", first_reply_ms=4_000, operator_id=olga.id,
         rating_score=4, rated_ms=NOON_MS)  # fmt: skip
    told(2, "visitor", lang="uk")
    told(2, "proactive", lang="")
    told(1, "visitor", "operator", first_reply_ms=1_000, lang="uk", phone="+1555")
    # Before the period: only the last of its conversations counts, and its visitor is not new.
    old = told(8, "visitor", "assistant", lang="fr", email="old@shop.example")
    told(1, "visitor", "operator", session_id=old.session_id, lang="fr", first_reply_ms=2_000)
    found = olga.get(f"sites/{site.id}/analytics", period=3).json
    assert found["conversations_by_day"] == [
        {"day": day(2), "count": 2}, {"day": day(1), "count": 2}, {"day": day(0), "count": 2},
    ]  # fmt: skip
    assert found["messages_by_day"] == [
        {"day": day(2), "visitor": 1, "assistant": 0, "operator": 0},
        {"day": day(1), "visitor": 2, "assistant": 0, "operator": 2},
        {"day": day(0), "visitor": 3, "assistant": 2, "operator": 1},
    ]  # fmt: skip
    assert found["answered"] == {"ai": 1, "operator": 3, "nobody": 2}
    assert found["first_response"] == {"count": 3, "median_ms": 2_000, "p90_ms": 4_000}
    assert (found["ratings"]["count"], found["ratings"]["average"]) == (1, 4.0)
    assert found["leads"] == 2
    assert sorted((row["lang"], row["count"]) for row in found["by_lang"]) == [
        ("", 1), ("de", 2), ("fr", 1), ("uk", 2),
    ]  # fmt: skip
    assert [(row["name"], row["count"]) for row in found["funnel"]] == [
        ("opened", 5), ("wrote", 4), ("left_contact", 2), ("rated", 1), ("person", 2),
    ]  # fmt: skip
    rows = read_csv(olga.get(f"sites/{site.id}/analytics", period=3, format="csv"))
    assert [tuple(row.values()) for row in rows] == [
        (day(2), "2", "1", "0", "0"), (day(1), "2", "2", "0", "2"), (day(0), "2", "3", "2", "1"),
    ]  # fmt: skip


PATHS = ("conversations", "leads", "ratings", "ratings/stats", "analytics")


@pytest.mark.parametrize("path", PATHS)
def test_each_list_is_for_those_who_may_read_the_site(app, store, site, path):
    url = f"sites/{site.id}/{path}"
    assert app.test_client().get(f"/api/v1/{url}").status_code == 401
    assert Reader(app, "Oscar", add(store, site_row())[0].id).get(url).status_code == 404
    assert Reader(app, "Mia", site.id, can_view_conversations=0).get(url).status_code == 403
    assert Reader(app, "Olga", site.id).get(url).status_code == 200
    assert Reader(app, "Olga", site.id).get(url, unknown=1).status_code == 422
