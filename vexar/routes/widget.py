"""What the widget reads, beside the streams: history, what people said, nudges, its block, its config."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from flask import Blueprint, Response

from vexar.conversing import views
from vexar.conversing.messages import to_time
from vexar.errors import WrongFields
from vexar.nudges import nudges
from vexar.routes.api import endpoint, json_answer
from vexar.routes.fields import Cursor, Lang, PagePath, Scope, SiteKey, Whole
from vexar.routes.scope import READ, Caller, answer_wrong_fields, enter
from vexar.store import Store, StoreError, Transaction
from vexar.wording import strings

log = logging.getLogger("vexar.widget")

blueprint = Blueprint("widget", __name__)
blueprint.register_error_handler(WrongFields, answer_wrong_fields)

MAX_WAIT_S = 25
# Somebody who types began between two polls perhaps, and then nobody was told yet.
TYPING_WAIT_S = 2


class HistoryQuery(Scope, kw_only=True):
    """Which page of the history."""

    limit: Whole(1, 200) = 50
    before: Cursor | None = None


class MessageOut(msgspec.Struct, kw_only=True):
    """A message. `role`: visitor, assistant, operator, system, proactive; `status`: complete, stopped, interrupted."""

    id: int
    message_id: str | None
    role: str
    content: str
    image_url: str | None
    created_at: str
    status: str
    sources: list[dict]
    operator: dict | None
    reply_to: int | None


class History(msgspec.Struct, kw_only=True):
    """A page of messages, oldest first."""

    messages: list[MessageOut]
    has_more: bool
    conversation_id: int | None
    mode: str
    cursor: int


class PeopleQuery(Scope, kw_only=True):
    """From where, and how long to wait for something new."""

    since: Cursor | None = None
    wait: Whole(0, MAX_WAIT_S) = 0


class People(msgspec.Struct, kw_only=True):
    """What people of the site said."""

    messages: list[MessageOut]
    mode: str
    cursor: int
    typing: bool
    unread: int


class BlockStatus(msgspec.Struct, kw_only=True):
    """Whether the visitor may write."""

    blocked: bool
    reason: str | None
    until: str | None


class NudgeQuery(Scope, kw_only=True):
    """The page, and from where."""

    path: PagePath | None = None
    since: Cursor | None = None


class Nudges(msgspec.Struct, kw_only=True):
    """Proactive messages: [{id, content, rule_path, variant, delay_seconds, created_at}]."""

    messages: list[dict]
    cursor: int


class ConfigQuery(msgspec.Struct, kw_only=True):
    """Which site, in which language."""

    site_key: SiteKey
    lang: Lang | None = None


class WidgetConfig(msgspec.Struct, kw_only=True):
    """What the widget needs to draw itself. `forms`: which contact data it asks for, and when;
    `nudges`: the paths (`*` for anything) whose pages may have one."""

    name: str
    avatar_url: str | None
    welcome_message: str
    primary_color: str
    header_color: str
    position: str
    button_style: str
    starters: list[str]
    forms: dict
    upload: bool
    operator: bool
    nudges: list[str]
    strings: dict[str, str]


@endpoint(blueprint, "GET", "/chat/history", query=HistoryQuery, answer=History, errors=READ, tag="chat",
          summary="The visitor's messages")
def history(query: HistoryQuery) -> Response:
    caller = enter(query)
    caller.poll()
    store = caller.parts.store
    page, has_more, visitor, conversation = store.read(
        views.history, site_id=caller.site.id, session_id=caller.session_id, limit=query.limit,
        before=query.before, image_base=caller.parts.streams.image_base,
    )
    answer = json_answer({
        "success": True,
        "messages": page,
        "has_more": has_more,
        "conversation_id": conversation.id if conversation else None,
        "mode": conversation.mode if conversation else "ai",
        "cursor": visitor.last_seq if visitor else 0,
    }, headers={"Cache-Control": "no-store"})
    if query.before is None and page and page[-1]["id"] > min(visitor.handed_seq, visitor.nudged_seq):
        _mark(answer, lambda: _mark_shown(store, visitor.id, page[-1]["id"]))
    return answer


@endpoint(blueprint, "GET", "/chat/operator-messages", query=PeopleQuery, answer=People, errors=READ, tag="chat",
          summary="What people of the site said, and the mode")
def operator_messages(query: PeopleQuery) -> Response:
    caller = enter(query)
    caller.poll()
    live = caller.parts
    # Before anything is listened to: what changes from here on is news.
    was_typing = live.streams.is_typing(caller.site.id, caller.session_id)
    old_mode = caller.state().mode if query.wait else None

    def read() -> tuple[dict, int | None, bool]:
        values, visitor_id = live.store.read(_people, caller=caller, since=query.since)
        values["typing"] = live.streams.is_typing(caller.site.id, caller.session_id)
        is_news = bool(values["messages"]) or values["typing"] != was_typing or values["mode"] != old_mode
        return values, visitor_id, is_news

    values, visitor_id, _ = live.streams.wait_for_news(
        caller.site.id, caller.session_id, read, wait_s=min(query.wait, TYPING_WAIT_S) if was_typing else query.wait
    )
    answer = json_answer({"success": True, **values}, headers={"Cache-Control": "no-store"})
    if query.since is None and values["messages"]:
        _mark(answer, lambda: live.store.write(
            views.hand_out, visitor_id=visitor_id, cursor=values["messages"][-1]["id"]
        ))
    return answer


@endpoint(blueprint, "GET", "/chat/block-status", query=Scope, answer=BlockStatus, errors=READ, tag="chat",
          summary="Whether the visitor is blocked")
def block_status(query: Scope) -> dict:
    caller = enter(query)
    caller.poll()
    block = caller.state().block
    return {
        "blocked": block is not None,
        "reason": block.reason if block else None,
        "until": to_time(block.until_ms) if block else None,
    }


@endpoint(blueprint, "GET", "/chat/pending-proactive", query=NudgeQuery, answer=Nudges, errors=READ, tag="chat",
          summary="Pending proactive messages")
def pending_proactive(query: NudgeQuery) -> Response:
    caller = enter(query)
    caller.poll()
    store = caller.parts.store
    state = caller.state()
    since = state.nudged_seq if query.since is None else query.since
    rows = store.read(views.proactive, visitor_id=state.visitor_id, since=since) if state.visitor_id else []
    found = [_proactive(row) for row in rows]
    if query.path:
        found += store.read(
            nudges.pending, site_id=caller.site.id, session_id=caller.session_id, path=query.path
        )
    cursor = rows[-1].seq if len(rows) == views.MAX_MESSAGES else state.cursor
    answer = json_answer(
        {"success": True, "messages": found, "cursor": cursor}, headers={"Cache-Control": "no-store"}
    )
    if query.since is None and rows:
        _mark(answer, lambda: store.write(
            views.hand_out_proactive, visitor_id=state.visitor_id, cursor=rows[-1].seq
        ))
    return answer


@endpoint(blueprint, "GET", "/chat/config", query=ConfigQuery, answer=WidgetConfig, cache="public, max-age=60",
          errors=("site_not_found", "origin_not_allowed"), tag="chat", summary="What the widget needs to draw itself")
def widget_config(query: ConfigQuery) -> dict:
    caller = enter(query)
    settings = caller.settings
    return {
        "name": settings.bot_name,
        "avatar_url": settings.bot_avatar_url,
        "welcome_message": settings.welcome_message,
        "primary_color": settings.primary_color,
        "header_color": settings.header_color or settings.primary_color,
        "position": settings.position,
        "button_style": settings.button_style,
        "starters": settings.starters,
        "forms": {
            # The older switch asks for an address as well.
            "collect_data": "email" if settings.collect_email and settings.collect_data == "none"
            else settings.collect_data,
            "collect_email": settings.collect_email,
            "lead_when": settings.lead_when,
        },
        "upload": settings.photo_upload_enabled,
        "operator": settings.operator_enabled,
        "nudges": caller.parts.store.read(nudges.paths, site_id=caller.site.id),
        "strings": strings(query.lang or ""),
    }


def _mark(answer: Response, move: Callable[[], Any]) -> None:
    """Move a mark once the answer was written, all but its last byte.

    A mark that moved before would lose messages when the answer is lost; one that moved after the last byte would
    hand them out twice to whoever asks again at once.
    """
    text = answer.get_data()
    answer.response = _marking(text, move)
    answer.content_length = len(text)


def _mark_shown(store: Store, visitor_id: int, cursor: int) -> None:
    try:
        store.write(views.hand_out_all, visitor_id=visitor_id, cursor=cursor)
    except StoreError:
        # A full disk must not take the history away, too; at worst a client without a cursor hears something twice.
        log.warning("what the history has shown could not be marked")


def _marking(text: bytes, move: Callable[[], Any]) -> Iterator[bytes]:
    yield text[:-1]
    move()
    yield text[-1:]


def _people(tx: Transaction, *, caller: Caller, since: int | None) -> tuple[dict, int | None]:
    """The values of the answer, and the id of the visitor they are for."""
    state = views.state(tx, site_id=caller.site.id, session_id=caller.session_id, address=caller.address.text)
    found: list[dict] = []
    if state.visitor_id:
        found = views.from_people(
            tx, visitor_id=state.visitor_id, since=state.handed_seq if since is None else since,
            image_base=caller.parts.streams.image_base, with_system=since is not None,
        )
    values = {
        "messages": found,
        "mode": state.mode,
        "cursor": found[-1]["id"] if len(found) == views.MAX_MESSAGES else state.cursor,
        "unread": views.unread(tx, visitor_id=state.visitor_id, since=state.read_seq) if state.visitor_id else 0,
    }
    return values, state.visitor_id


def _proactive(row: Any) -> dict:
    return {
        "id": row.seq, "content": row.content, "rule_path": None, "variant": None, "delay_seconds": 0,
        "created_at": to_time(row.created_ms),
    }
