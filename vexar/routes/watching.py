"""What is going on now, for operators: open conversations, visitors online, who of the colleagues is there, live.

The stream is for those who may view conversations, everything else here for those who may chat.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from flask import Blueprint, Response, request

from vexar.conversing.visitors import site_channel
from vexar.desk import desk
from vexar.errors import ApiError
from vexar.live.push_operators import RIGHT
from vexar.people import presence
from vexar.routes.api import endpoint
from vexar.routes.conversations import Conversation
from vexar.routes.fields import Cursor, Whole
from vexar.routes.lists import ListQuery, Pagination, list_answer
from vexar.routes.operator import CHAT, DENIED
from vexar.routes.signed import Member, signed_in
from vexar.routes.stream import event_stream

blueprint = Blueprint("watching", __name__)

VISITOR_COLUMNS = (
    "site_id", "session_id", "visitor_id", "visitor_name", "email", "phone", "page_url", "lang", "online_since",
    "conversation_id", "status",
)  # fmt: skip
CHAT_COLUMNS = (
    "id", "site_id", "status", "visitor_name", "email", "phone", "lang", "page_url", "messages_count", "unread_count",
    "last_message", "waiting_since", "created_at", "changed_at",
)  # fmt: skip


class SitesQuery(ListQuery, kw_only=True):
    """Of one site, or of all of the member's."""

    site_id: Whole(1) | None = None


class ActiveChats(msgspec.Struct, kw_only=True):
    """Open conversations, the waiting first."""

    data: list[Conversation]
    pagination: Pagination


class OnlineVisitor(msgspec.Struct, kw_only=True):
    """A session with an open page; `visitor_id` null: it has told nothing yet."""

    site_id: int
    session_id: str
    visitor_id: int | None
    visitor_name: str | None
    email: str
    phone: str
    page_url: str
    lang: str
    online_since: str
    conversation_id: int | None
    status: str | None


class OnlineVisitors(msgspec.Struct, kw_only=True):
    """Sessions with an open page, the newest first."""

    data: list[OnlineVisitor]
    pagination: Pagination


class HeartbeatBody(msgspec.Struct, kw_only=True):
    """For which sites the operator is there; send it every 30 seconds."""

    site_ids: list[Whole(1)]


class StatusBody(msgspec.Struct, kw_only=True):
    """Whether the operator wants to be online for a site."""

    site_id: Whole(1)
    online: bool


class Status(msgspec.Struct, kw_only=True):
    """For each site `{site_id, online, operators: [{id, name, avatar_url, online, seen_at}]}`."""

    sites: list[dict]


class StreamQuery(msgspec.Struct, kw_only=True):
    """Of one site, or of all of the member's; `last_event_id`: where to go on, for who cannot send the header."""

    site_id: Whole(1) | None = None
    last_event_id: Cursor | None = None


class DeskEvent(msgspec.Struct, kw_only=True):
    """One event for operators. `type`: ready, conversation, message, note, typing, presence, reset."""

    type: str
    conversation: dict | None = None
    conversation_id: int | None = None
    message: dict | None = None
    note: dict | None = None
    who: str | None = None
    operator: dict | None = None
    site_id: int | None = None
    on: bool | None = None
    online: bool | None = None


@endpoint(blueprint, "GET", "/operator/active-chats", query=SitesQuery, answer=ActiveChats, strict=True,
          caller=signed_in, errors=DENIED, tag="operator", summary="Open conversations")
def active_chats(member: Member, query: SitesQuery) -> dict | Response:
    return list_answer(query, reader(member, query, desk.active), "active-chats", CHAT_COLUMNS)


@endpoint(blueprint, "GET", "/operator/visitors", query=SitesQuery, answer=OnlineVisitors, strict=True,
          caller=signed_in, errors=DENIED, tag="operator", summary="Visitors with an open page")
def visitors(member: Member, query: SitesQuery) -> dict | Response:
    return list_answer(query, reader(member, query, desk.visitors), "visitors", VISITOR_COLUMNS)


@endpoint(blueprint, "POST", "/operator/heartbeat", body=HeartbeatBody, answer=Status, strict=True, caller=signed_in,
          errors=DENIED, tag="operator", summary="The operator is there")
def heartbeat(member: Member, body: HeartbeatBody) -> dict:
    allowed = set(member.site_ids())
    if not allowed.issuperset(body.site_ids):
        raise ApiError("not_found")
    if not set(member.site_ids(CHAT)).issuperset(body.site_ids):
        raise ApiError("forbidden")
    before = _status(member)
    member.parts.store.write(presence.beat, operator_id=member.operator.id, site_ids=body.site_ids)
    after = _status(member)
    if after != before:
        _ring(member, body.site_ids)
    return {"sites": after}


@endpoint(blueprint, "GET", "/operator/status", answer=Status, strict=True, caller=signed_in, errors=DENIED,
          tag="operator", summary="Who is there")
def status(member: Member) -> dict:
    if not member.site_ids(CHAT) and not member.is_owner:
        raise ApiError("forbidden")
    return {"sites": _status(member)}


@endpoint(blueprint, "POST", "/operator/set-status", body=StatusBody, answer=Status, strict=True, caller=signed_in,
          errors=DENIED, tag="operator", summary="Be online or away for a site")
def set_status(member: Member, body: StatusBody) -> dict:
    site = member.site(body.site_id, CHAT)
    member.parts.store.write(
        presence.choose, operator_id=member.operator.id, site_id=site.id, is_online=body.online
    )
    _ring(member, [site.id])
    return {"sites": _status(member)}


@endpoint(blueprint, "GET", "/operator/stream", query=StreamQuery, stream=DeskEvent, strict=True, caller=signed_in,
          errors=(*DENIED, "too_many_streams", "restarting"), tag="operator",
          summary="Live push: conversations, messages, typing, presence")
def stream(member: Member, query: StreamQuery) -> Response:
    site_ids = sites_of(member, query.site_id, RIGHT)
    slot = member.parts.limits.stream_slot(member.address().bucket, 0)
    header = request.headers.get("Last-Event-ID", "")
    since_ms = int(header) if header.isascii() and header.isdigit() and len(header) < 17 else query.last_event_id
    try:
        opened = member.parts.operator_streams.open(
            member.token, site_id=query.site_id, site_ids=site_ids, since_ms=since_ms, on_close=slot.release
        )
    except BaseException:
        slot.release()
        raise
    return event_stream(opened, with_ids=True)


def reader(member: Member, query: SitesQuery, job: Any) -> Callable[..., tuple[list[dict], int]]:
    """`job` over the sites that are asked for, as list_answer reads it. Raises ApiError not_found, forbidden."""
    return partial(member.parts.store.read_heavy, job, site_ids=sites_of(member, query.site_id, CHAT))


def sites_of(member: Member, site_id: int | None, permission: str) -> list[int]:
    """The one site, or all where the member has the permission. Raises ApiError not_found, forbidden."""
    if site_id is not None:
        return [member.site(site_id, permission).id]
    found = member.site_ids(permission)
    # An owner of no site yet sees an empty list; whoever has sites but not the right is told so.
    if not found and not member.is_owner:
        raise ApiError("forbidden")
    return found


def _status(member: Member) -> list[dict]:
    return member.parts.store.read(
        presence.status, operator_id=member.operator.id, site_ids=member.site_ids(CHAT)
    )


def _ring(member: Member, site_ids: list[int]) -> None:
    for site_id in site_ids:
        member.parts.broker.ring(site_channel(site_id), {"presence": True})
