"""What the widget and other public clients call, beside the streams: history, forms, polling, uploads, config."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Blueprint, Response, request

from vexar import nudges, views, visitors
from vexar.errors import ApiError, invalid
from vexar.messages import to_time
from vexar.phones import normalise
from vexar.push import wait_for_news
from vexar.routes.api import endpoint, json_answer
from vexar.routes.fields import (
    Cursor, Done, Email, Lang, OneOf, PagePath, PersonName, Phone, Saved, Scope, Score, SiteKey, Text, Whole,
)
from vexar.routes.scope import Caller, enter
from vexar.store import Transaction
from vexar.wording import strings

blueprint = Blueprint("widget", __name__)

READ = ("site_not_found", "origin_not_allowed", "rate_limited")
WRITE = (*READ, "blocked")
MAX_WAIT_S = 25


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


class EmailBody(Scope, kw_only=True):
    """An address to reach the visitor at."""

    email: Email


class ContactBody(Scope, kw_only=True):
    """How to reach the visitor; at least one of email and phone."""

    email: Email | None = None
    phone: Phone | None = None
    name: PersonName | None = None

    def __post_init__(self) -> None:
        if not self.email and not self.phone:
            raise invalid(email="give an email address or a phone number", phone="give a phone number or an email address")


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


class UploadForm(Scope, kw_only=True):
    """Whose image it is."""


class Uploaded(msgspec.Struct, kw_only=True):
    """Where the image is; width and height in pixels."""

    url: str
    width: int
    height: int


class RateBody(Scope, kw_only=True):
    """A rating from 1 to 5."""

    score: Score


class CommentBody(Scope, kw_only=True):
    """A few words on the rating."""

    comment: Text(2_000)


class Closed(msgspec.Struct, kw_only=True):
    """Which conversation ended."""

    conversation_id: int


class Waiting(msgspec.Struct, kw_only=True):
    """Whether the conversation waits for a person, and whether one is there."""

    waiting: bool
    available: bool


class TypingBody(Scope, kw_only=True):
    """Whether the visitor is typing."""

    on: bool = True


class ReadBody(Scope, kw_only=True):
    """How far the visitor has read."""

    cursor: Cursor


class ConfigQuery(msgspec.Struct, kw_only=True):
    """Which site, in which language."""

    site_key: SiteKey
    lang: Lang | None = None


class WidgetConfig(msgspec.Struct, kw_only=True):
    """What the widget needs to draw itself. `forms`: which contact data it asks for, and when."""

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
    strings: dict[str, str]


class NudgeEventBody(Scope, kw_only=True):
    """What the visitor did with a nudge: one by rule (`rule_path`) or one by a person (`id`)."""

    event: OneOf("shown", "clicked", "dismissed")
    rule_path: Text(500) | None = None
    id: Cursor | None = None


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
    if visitor and not query.before and page and page[-1]["id"] > visitor.handed_seq:
        _after(answer, lambda: store.write(views.hand_out, visitor_id=visitor.id, cursor=page[-1]["id"]))
    return answer


@endpoint(blueprint, "POST", "/chat/email", body=EmailBody, answer=Saved, errors=WRITE, tag="chat",
          summary="Save the visitor's email")
def email(body: EmailBody) -> dict:
    caller = enter(body)
    caller.form()
    _save_contact(caller, email=body.email)
    return {"message": "Email saved"}


@endpoint(blueprint, "POST", "/chat/contact", body=ContactBody, answer=Saved, errors=WRITE, tag="chat",
          summary="Save a contact")
def contact(body: ContactBody) -> dict:
    caller = enter(body)
    caller.form()
    phone = normalise(body.phone) if body.phone else None
    _save_contact(caller, email=body.email, phone=phone, name=body.name)
    return {"message": "Contact saved"}


@endpoint(blueprint, "GET", "/chat/operator-messages", query=PeopleQuery, answer=People, errors=READ, tag="chat",
          summary="What people of the site said, and the mode")
def operator_messages(query: PeopleQuery) -> Response:
    caller = enter(query)
    caller.poll()
    live = caller.parts

    def read() -> tuple[dict, bool]:
        return live.store.read(_people, caller=caller, since=query.since)

    values, visitor_id, is_news = wait_for_news(
        live.broker, visitors.channel(caller.site.id, caller.session_id), read, wait_s=query.wait,
        is_closed=lambda: live.streams.is_closed,
    )
    values["typing"] = live.streams.is_typing(caller.site.id, caller.session_id)
    answer = json_answer({"success": True, **values}, headers={"Cache-Control": "no-store"})
    if query.since is None and values["messages"]:
        _after(answer, lambda: live.store.write(
            views.hand_out, visitor_id=visitor_id, cursor=values["messages"][-1]["id"]
        ))
    return answer


@endpoint(blueprint, "GET", "/chat/block-status", query=Scope, answer=BlockStatus, errors=READ, tag="chat",
          summary="Whether the visitor is blocked")
def block_status(query: Scope) -> dict:
    caller = enter(query)
    caller.poll()
    block = _state(caller).block
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
    state = _state(caller)
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
        _after(answer, lambda: store.write(
            views.hand_out_proactive, visitor_id=state.visitor_id, cursor=rows[-1].seq
        ))
    return answer


@endpoint(blueprint, "POST", "/chat/upload-image", form=UploadForm, files={"image": "image/*"}, answer=Uploaded,
          errors=(*WRITE, "forbidden", "quota", "unsupported_image", "corrupt_image"), tag="chat",
          max_bytes=lambda config: config.max_image_bytes + config.max_body_bytes, too_large="image_too_large",
          summary="Upload an image")
def upload_image(form: UploadForm) -> dict:
    caller = enter(form)
    caller.parts.limits.check_upload(caller.bucket, caller.site.id)
    if not caller.settings.photo_upload_enabled:
        raise ApiError("forbidden", "This site takes no images.")
    visitor_id = caller.parts.conversations.meet(
        caller.site.id, caller.session_id, address=caller.address.text
    )
    data = request.files["image"].stream.read(caller.parts.config.max_image_bytes + 1)
    return caller.parts.uploads.receive(
        caller.site.id, visitor_id, data, quota_bytes=caller.settings.upload_quota_bytes
    )


@endpoint(blueprint, "POST", "/chat/rate", body=RateBody, answer=Done, errors=(*WRITE, "conversation_not_found"),
          tag="chat", summary="Rate the conversation")
def rate(body: RateBody) -> dict:
    caller = enter(body)
    caller.form()
    caller.parts.conversations.rate(
        caller.site.id, caller.session_id, address=caller.address.text, score=body.score
    )
    return {}


@endpoint(blueprint, "POST", "/chat/rate/comment", body=CommentBody, answer=Done,
          errors=(*WRITE, "conversation_not_found", "not_rated"), tag="chat", summary="Comment on the rating")
def rate_comment(body: CommentBody) -> dict:
    caller = enter(body)
    caller.form()
    caller.parts.conversations.comment(
        caller.site.id, caller.session_id, address=caller.address.text, text=body.comment
    )
    return {}


@endpoint(blueprint, "POST", "/chat/close", body=Scope, answer=Closed, errors=(*READ, "conversation_not_found"),
          tag="chat", summary="End the open conversation")
def close(body: Scope) -> dict:
    caller = enter(body)
    caller.poll()
    caller.parts.runs.stop_all(caller.site.id, caller.session_id)
    return {"conversation_id": caller.parts.conversations.close(caller.site.id, caller.session_id)}


@endpoint(blueprint, "POST", "/chat/request-operator", body=Scope, answer=Waiting,
          errors=(*WRITE, "conversation_not_found"), tag="chat", summary="Ask for a person")
def request_operator(body: Scope) -> dict:
    caller = enter(body)
    caller.form()
    if not caller.settings.operator_enabled:
        return {"waiting": False, "available": False}
    caller.parts.conversations.request_operator(
        caller.site.id, caller.session_id, address=caller.address.text
    )
    state = _state(caller)
    return {"waiting": state.is_waiting, "available": state.mode == "operator"}


@endpoint(blueprint, "POST", "/chat/typing", body=TypingBody, answer=Done, errors=WRITE, tag="chat",
          summary="The visitor is typing")
def typing(body: TypingBody) -> dict:
    caller = enter(body)
    caller.poll()
    block = _state(caller).block
    if block is not None:
        raise ApiError("blocked", block.reason or "")
    caller.parts.conversations.visitor_types(caller.site.id, caller.session_id, body.on)
    return {}


@endpoint(blueprint, "POST", "/chat/read", body=ReadBody, answer=Done, errors=(*READ, "conversation_not_found"),
          tag="chat", summary="Everything up to the cursor was seen")
def read(body: ReadBody) -> dict:
    caller = enter(body)
    caller.poll()
    caller.parts.conversations.mark_read(caller.site.id, caller.session_id, body.cursor)
    return {}


@endpoint(blueprint, "GET", "/chat/config", query=ConfigQuery, answer=WidgetConfig, cache="public, max-age=60",
          errors=("site_not_found", "origin_not_allowed"), tag="chat", summary="What the widget needs to draw itself")
def widget_config(query: ConfigQuery) -> dict:
    settings = enter(query).settings
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
            "collect_data": settings.collect_data, "collect_email": settings.collect_email,
            "lead_when": settings.lead_when,
        },
        "upload": settings.photo_upload_enabled,
        "operator": settings.operator_enabled,
        "strings": strings(query.lang or ""),
    }


@endpoint(blueprint, "POST", "/proactive/event", body=NudgeEventBody, answer=Done, errors=WRITE, tag="chat",
          summary="What the visitor did with a nudge")
def proactive_event(body: NudgeEventBody) -> dict:
    caller = enter(body)
    caller.poll()
    if body.rule_path is None and body.id is None:
        raise invalid(rule_path="give rule_path or id", id="give id or rule_path")
    caller.parts.conversations.record_nudge(
        caller.site.id, caller.session_id, address=caller.address.text, event=body.event,
        rule_path=body.rule_path or "", message_seq=body.id,
    )
    return {}


def _after(answer: Response, work: Any) -> None:
    """Do it once the answer was written: a mark that moved before would lose messages when the answer is lost."""
    answer.call_on_close(work)


def _save_contact(caller: Caller, **contact: Any) -> None:
    caller.parts.conversations.save_contact(
        caller.site.id, caller.session_id, address=caller.address.text, **contact
    )


def _state(caller: Caller) -> views.State:
    return caller.parts.store.read(
        views.state, site_id=caller.site.id, session_id=caller.session_id, address=caller.address.text
    )


def _people(tx: Transaction, *, caller: Caller, since: int | None) -> tuple[dict, int | None, bool]:
    """The values of the answer, whose they are, and whether they are worth ending a long poll for."""
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
        "typing": False,
        "unread": views.unread(tx, visitor_id=state.visitor_id, since=state.read_seq) if state.visitor_id else 0,
    }
    return values, state.visitor_id, bool(found)


def _proactive(row: Any) -> dict:
    return {
        "id": row.seq, "content": row.content, "rule_path": None, "variant": None, "delay_seconds": 0,
        "created_at": to_time(row.created_ms),
    }
