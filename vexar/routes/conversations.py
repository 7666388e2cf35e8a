"""What operators read of conversations: lists, searches, one conversation as a whole. Refuses nothing but to write."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
from flask import Blueprint, Response

from vexar.desk import digest, listing
from vexar.desk.finding import read_search
from vexar.desk.listing import FILTERS, Wanted
from vexar.errors import ApiError
from vexar.media.uploads import PREFIX
from vexar.routes.api import endpoint
from vexar.routes.fields import Cursor, OneOf, Text, Whole
from vexar.routes.lists import SLICE_ROWS, ListQuery, Pagination, by_slices, csv_answer, page_answer
from vexar.routes.signed import Member, signed_in

blueprint = Blueprint("conversations", __name__)

CSV_COLUMNS = (
    "id", "created_at", "changed_at", "closed_at", "status", "visitor_name", "email", "phone", "lang", "page_url",
    "operator", "messages_count", "last_message", "rating_score", "rating_comment",
)  # fmt: skip
MESSAGE_COLUMNS = ("id", "created_at", "role", "operator", "content", "image_url", "status")
READ = ("unauthorized", "forbidden", "not_found")


class ConversationsQuery(ListQuery, kw_only=True):
    """Which conversations: where they stand, since when something happened in them (week: 7 days, month: 30), and
    words of name, email, phone and texts."""

    filter: OneOf(*FILTERS) = "all"
    period: OneOf("all", *listing.PERIODS_DAYS) = "all"
    search: Text(200, min_chars=0) = ""


class EverywhereQuery(ConversationsQuery, kw_only=True):
    """The same in one of the member's sites, or in all of them."""

    site_id: Whole(1) | None = None


class Person(msgspec.Struct, kw_only=True):
    """An operator."""

    id: int
    name: str
    avatar_url: str | None


class Conversation(msgspec.Struct, kw_only=True):
    """A conversation in lists; `waiting_since` while a person is waited for."""

    id: int
    site_id: int
    session_id: str
    visitor_id: int
    visitor_name: str
    email: str
    phone: str
    lang: str
    page_url: str
    mode: OneOf("ai", "operator")
    status: OneOf("waiting", "operator", "ai", "closed")
    is_waiting: bool
    waiting_since: str | None
    operator: Person | None
    messages_count: int
    unread_count: int
    last_message: str
    rating_score: int | None
    rating_comment: str
    created_at: str
    changed_at: str
    closed_at: str | None


class Conversations(msgspec.Struct, kw_only=True):
    """A page; `is_complete` is false while older messages are still being made findable, after an upgrade."""

    data: list[Conversation]
    pagination: Pagination
    is_complete: bool


class WholeQuery(msgspec.Struct, kw_only=True):
    """Which messages: `limit` of them below the id `before`; or all, as CSV."""

    before: Cursor | None = None
    limit: Whole(1, 200) = 50
    format: OneOf("json", "csv") = "json"


class Note(msgspec.Struct, kw_only=True):
    """What an operator told the others."""

    id: int
    operator: Person | None
    content: str
    created_at: str


class WholeConversation(msgspec.Struct, kw_only=True):
    """A conversation, with `earlier` ones of its visitor and the `block` that meets it; messages oldest first, as
    visitors get them."""

    conversation: dict
    messages: list[dict]
    has_more: bool
    ratings: list[dict]
    notes: list[Note]


@endpoint(
    blueprint, "GET", "/sites/<int:site_id>/conversations", summary="List and search a site's conversations",
    caller=signed_in, strict=True, query=ConversationsQuery, answer=Conversations, errors=READ,
)
def of_site(member: Member, site_id: int, query: ConversationsQuery) -> dict | Response:
    """Those who wait for a person come first, then the newest. Every word has to be found in the visitor's name,
    email or phone, or in the texts; of the last word the beginning is enough."""
    member.site(site_id, "can_view_conversations")
    return _answer(member, (site_id,), query)


@endpoint(
    blueprint, "GET", "/conversations", summary="List and search the conversations of several sites",
    caller=signed_in, strict=True, query=EverywhereQuery, answer=Conversations, errors=READ,
)
def of_member(member: Member, query: EverywhereQuery) -> dict | Response:
    """As for one site, over every site whose conversations the member may read."""
    if query.site_id is not None:
        member.site(query.site_id, "can_view_conversations")
        return _answer(member, (query.site_id,), query)
    site_ids = tuple(member.site_ids("can_view_conversations"))
    if not site_ids:
        # An owner of no site yet sees an empty list; whoever has sites but not the right is told so.
        if not member.is_owner:
            raise ApiError("forbidden")
        return {**page_answer([], 0, query), "is_complete": True}
    return _answer(member, site_ids, query)


@endpoint(
    blueprint, "GET", "/conversations/<int:conversation_id>/messages", summary="Read a conversation",
    caller=signed_in, strict=True, query=WholeQuery, answer=WholeConversation, errors=READ,
)
def messages(member: Member, conversation_id: int, query: WholeQuery) -> dict | Response:
    """The newest messages, or those before an id; with the rating and the operators' notes."""
    row, _ = member.conversation(conversation_id, "can_view_conversations")
    live = member.parts
    image_base = f"{live.config.public_url}{PREFIX}"
    if query.format == "csv":
        return _messages_csv(live.store, row, image_base)
    found = live.store.read(
        listing.whole, conversation_id=conversation_id, before=query.before, limit=query.limit, image_base=image_base
    )
    if found is None:
        raise ApiError("not_found")
    return found


def _answer(member: Member, site_ids: tuple[int, ...], query: ConversationsQuery) -> dict | Response:
    store = member.parts.store
    search = read_search(query.search)
    is_complete = True
    if search.tokens:
        is_complete = digest.catch_up(store, site_id=site_ids[0] if len(site_ids) == 1 else None)
    wanted = Wanted(site_ids, query.filter, query.period, search)
    if query.format == "csv":
        return _csv(store, wanted)
    rows, total = store.read_heavy(listing.page, wanted=wanted, limit=query.per_page, offset=query.offset)
    return {**page_answer(rows, total, query), "is_complete": is_complete}


def _csv(store: Any, wanted: Wanted) -> Response:
    read = partial(store.read_heavy, listing.slice_before, wanted=wanted, limit=SLICE_ROWS)
    rows = by_slices(lambda before: read(before=before), 2**62, lambda row: row["id"])
    return csv_answer("conversations", CSV_COLUMNS, map(_with_names, rows))


def _messages_csv(store: Any, conversation: Any, image_base: str) -> Response:
    read = partial(
        store.read_heavy, listing.messages_after, conversation=conversation, limit=SLICE_ROWS, image_base=image_base
    )
    rows = by_slices(lambda after: read(after=after), 0, lambda row: row["id"])
    return csv_answer(f"conversation-{conversation.id}", MESSAGE_COLUMNS, map(_with_names, rows))


def _with_names(row: dict) -> dict:
    return {**row, "operator": row["operator"] and row["operator"]["name"]}
