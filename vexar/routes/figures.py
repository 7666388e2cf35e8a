"""What operators read of a site as a whole: leads, ratings, figures of the last days."""

from __future__ import annotations

from functools import partial

import msgspec
from flask import Blueprint, Response

from vexar.desk import analytics, digest, leads
from vexar.desk.finding import read_search
from vexar.routes.api import endpoint
from vexar.routes.conversations import READ
from vexar.routes.fields import OneOf, Text, Whole
from vexar.routes.lists import SLICE_ROWS, ListQuery, Pagination, by_slices, csv_answer, page_answer
from vexar.routes.signed import Member, signed_in

blueprint = Blueprint("figures", __name__)

LEAD_COLUMNS = (
    "name", "email", "phone", "lang", "page_url", "first_seen", "last_seen", "conversations_count",
)  # fmt: skip
RATING_COLUMNS = ("conversation_id", "visitor_name", "score", "comment", "rated_at", "operator")
DAY_COLUMNS = ("day", "conversations", "visitor_messages", "assistant_messages", "operator_messages")


class LeadsQuery(ListQuery, kw_only=True):
    """Which leads: words of name, email or phone."""

    search: Text(200, min_chars=0) = ""


class Lead(msgspec.Struct, kw_only=True):
    """Somebody who left an address; `conversation_id`: the newest one."""

    name: str
    email: str
    phone: str
    lang: str
    page_url: str
    first_seen: str
    last_seen: str
    conversations_count: int
    conversation_id: int | None


class Leads(msgspec.Struct, kw_only=True):
    """A page of leads."""

    data: list[Lead]
    pagination: Pagination


class Rating(msgspec.Struct, kw_only=True):
    """What a visitor thought of a conversation."""

    conversation_id: int
    visitor_name: str
    score: int
    comment: str
    rated_at: str
    operator: dict | None


class Ratings(msgspec.Struct, kw_only=True):
    """A page of ratings."""

    data: list[Rating]
    pagination: Pagination


class RatingStats(msgspec.Struct, kw_only=True):
    """`average` is null without ratings; `distribution` counts the scores 1 to 5."""

    average: float | None
    count: int
    distribution: dict[str, int]


class NoQuery(msgspec.Struct, kw_only=True):
    """Nothing to choose."""


class AnalyticsQuery(msgspec.Struct, kw_only=True):
    """How many days up to today, in UTC."""

    period: Whole(1, 366) = 30
    format: OneOf("json", "csv") = "json"


class Count(msgspec.Struct, kw_only=True):
    """How many there are of a name."""

    name: str
    count: int


class DayCount(msgspec.Struct, kw_only=True):
    """How many on a day."""

    day: str
    count: int


class DayMessages(msgspec.Struct, kw_only=True):
    """How many messages on a day, by who wrote them."""

    day: str
    visitor: int
    assistant: int
    operator: int


class LangCount(msgspec.Struct, kw_only=True):
    """How many conversations in a language; empty: unknown."""

    lang: str
    count: int


class Answered(msgspec.Struct, kw_only=True):
    """Conversations begun in the period, by who answered: a person (also), only the AI, nobody."""

    operator: int
    ai: int
    nobody: int


class FirstResponse(msgspec.Struct, kw_only=True):
    """From the wish for a person to the first reply of one, milliseconds."""

    count: int
    median_ms: int | None
    p90_ms: int | None


class Analytics(msgspec.Struct, kw_only=True):
    """Days are those of `time_zone`; counts by day outlive what they count, the others are of what is stored now.
    `funnel`: visitors first seen in the period who did anything (opened), wrote, left_contact, rated, met a person."""

    period: int
    time_zone: str
    conversations_by_day: list[DayCount]
    messages_by_day: list[DayMessages]
    answered: Answered
    first_response: FirstResponse
    ratings: RatingStats
    leads: int
    by_lang: list[LangCount]
    funnel: list[Count]
    is_complete: bool


@endpoint(
    blueprint, "GET", "/sites/<int:site_id>/leads", summary="List who left an address",
    caller=signed_in, strict=True, query=LeadsQuery, answer=Leads, errors=READ,
)
def lead_list(member: Member, site_id: int, query: LeadsQuery) -> dict | Response:
    """One row per email, and per phone number that no email is known with; who was seen last comes first. The newest
    facts count."""
    member.site(site_id, "can_view_conversations")
    store = member.parts.store
    # After an upgrade contacts are made findable like messages.
    search = read_search(query.search)
    if search.tokens:
        digest.catch_up(store, site_id=site_id)
    if query.format == "csv":
        read = partial(store.read_heavy, leads.slice_behind, site_id=site_id, search=search, limit=SLICE_ROWS)
        rows = by_slices(lambda behind: read(behind=behind), "", lambda row: row["key"])
        return csv_answer("leads", LEAD_COLUMNS, rows)
    rows, total = store.read_heavy(
        leads.page, site_id=site_id, search=search, limit=query.per_page, offset=query.offset
    )
    for row in rows:
        del row["key"]
    return page_answer(rows, total, query)


@endpoint(
    blueprint, "GET", "/sites/<int:site_id>/ratings", summary="List ratings",
    caller=signed_in, strict=True, query=ListQuery, answer=Ratings, errors=READ,
)
def rating_list(member: Member, site_id: int, query: ListQuery) -> dict | Response:
    """The newest rating comes first."""
    member.site(site_id, "can_view_conversations")
    store = member.parts.store
    if query.format == "csv":
        read = partial(store.read_heavy, analytics.ratings_before, site_id=site_id, limit=SLICE_ROWS)
        rows = by_slices(lambda before: read(before=before), 2**62, lambda row: row["conversation_id"])
        return csv_answer("ratings", RATING_COLUMNS, map(_with_name, rows))
    rows, total = store.read_heavy(analytics.ratings, site_id=site_id, limit=query.per_page, offset=query.offset)
    return page_answer(rows, total, query)


@endpoint(
    blueprint, "GET", "/sites/<int:site_id>/ratings/stats", summary="Sum up the ratings",
    caller=signed_in, strict=True, query=NoQuery, answer=RatingStats, errors=READ,
)
def rating_stats(member: Member, site_id: int, query: NoQuery) -> dict:
    """Of all ratings of the site."""
    member.site(site_id, "can_view_conversations")
    return member.parts.store.read_heavy(analytics.rating_stats, site_id=site_id)


@endpoint(
    blueprint, "GET", "/sites/<int:site_id>/analytics", summary="See what happened in the last days",
    caller=signed_in, strict=True, query=AnalyticsQuery, answer=Analytics, errors=READ,
)
def analytics_of_site(member: Member, site_id: int, query: AnalyticsQuery) -> dict | Response:
    """Every day of the period has its row, also one on which nothing happened. As CSV: the counts by day."""
    member.site(site_id, "can_view_conversations")
    store = member.parts.store
    is_complete = digest.catch_up(store, site_id=site_id)
    found = store.read_heavy(analytics.figures, site_id=site_id, days=query.period)
    if query.format == "csv":
        return csv_answer("analytics", DAY_COLUMNS, _day_rows(found))
    return {**found, "is_complete": is_complete}


def _day_rows(found: dict) -> list[dict]:
    return [
        {"day": row["day"], "conversations": row["count"], **{f"{role}_messages": messages[role] for role in
                                                              ("visitor", "assistant", "operator")}}
        for row, messages in zip(found["conversations_by_day"], found["messages_by_day"], strict=True)
    ]  # fmt: skip


def _with_name(row: dict) -> dict:
    return {**row, "operator": row["operator"] and row["operator"]["name"]}
