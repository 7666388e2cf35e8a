"""The routes that stream: sending a message, following its run, stopping it, live push."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
from flask import Blueprint, Response, request

from vexar import metrics
from vexar.answers import ledger
from vexar.answers.following import Follower, is_finished_for
from vexar.conversing import visitors
from vexar.conversing.receiving import Incoming
from vexar.errors import ApiError, WrongFields, invalid
from vexar.events import LastEventId, parse_last_event_id
from vexar.routes.api import endpoint
from vexar.routes.fields import Cursor, ImageUrl, Lang, MessageId, PageUrl, Scope, Text, UserHash, UserId
from vexar.routes.scope import Caller, answer_wrong_fields, enter, own_origins, verify_user
from vexar.sse import HEADERS, Relay, Source
from vexar.store import Transaction

blueprint = Blueprint("stream", __name__)
blueprint.register_error_handler(WrongFields, answer_wrong_fields)


class StreamBody(Scope, kw_only=True):
    """A visitor's message."""

    # How long it may be is a setting; this is the most that one can say.
    message: Text(1_000_000, min_chars=0) = ""
    lang: Lang | None = None
    message_id: MessageId | None = None
    image_url: ImageUrl | None = None
    page_url: PageUrl | None = None
    user_id: UserId | None = None
    user_hash: UserHash | None = None

    def __post_init__(self) -> None:
        if not self.message.strip() and not self.image_url:
            raise invalid(message="is required")


class MessageScope(Scope, kw_only=True):
    """One message of a visitor."""

    message_id: MessageId


class FollowQuery(MessageScope, kw_only=True):
    """Which run to follow, and from where."""

    last_event_id: Text(64) | None = None


class EventsQuery(Scope, kw_only=True):
    """Where live push begins; without a cursor: now. Operators see where the visitor is, and in which language."""

    since: Cursor | None = None
    page_url: PageUrl | None = None
    lang: Lang | None = None


class StreamEvent(msgspec.Struct, kw_only=True):
    """One event of an answer. `type`: chunk, status, mode, error, reset; the last is always done."""

    type: str
    content: str | None = None
    text: str | None = None
    mode: str | None = None
    code: str | None = None
    error: str | None = None
    meta: dict | None = None


class PushEvent(msgspec.Struct, kw_only=True):
    """One event of live push. `type`: message, mode, typing, blocked, closed, reset."""

    type: str
    message: dict | None = None
    mode: str | None = None
    operator: dict | None = None
    who: str | None = None
    on: bool | None = None
    blocked: bool | None = None
    reason: str | None = None
    until: str | None = None
    conversation_id: int | None = None


class Stopped(msgspec.Struct, kw_only=True):
    """Whether there was anything left to stop."""

    stopped: bool


SEND_ERRORS = (
    "site_not_found", "origin_not_allowed", "blocked", "bad_user_hash", "message_id_conflict", "rate_limited",
    "too_many_runs", "budget_exhausted", "restarting",
)


@endpoint(
    blueprint, "POST", "/chat/stream", body=StreamBody, stream=StreamEvent, may_be_empty=True, errors=SEND_ERRORS,
    summary="Send a message and stream its answer", tag="chat",
)
def send(body: StreamBody) -> Response:
    caller = enter(body)
    last = _last_event_id(None)
    message_id = body.message_id or f"m_{secrets.token_hex(16)}"
    incoming = _incoming(caller, body, message_id)
    # Only a read: whether it is new is decided again, under the lock, by receive.
    known = caller.parts.conversations.look_up(incoming, last)
    _count(caller, known)
    receipt = caller.parts.conversations.receive(known.incoming, caller.settings)
    if receipt.is_new:
        metrics.message_stored()
    # At once, and before anything that may fail: from here on nobody else makes this answer until its lease runs out.
    live = caller.parts.runs.start(receipt.run, user_id=incoming.user_id) if receipt.is_mine else None
    if live is None and not receipt.is_new and is_finished_for(receipt.run, last):
        return Response(status=204)
    headers = {} if body.message_id else {"Vexar-Message-Id": message_id}
    follower = Follower(caller.parts.runs, receipt.run, last, live=live)
    return event_stream(follower, headers)


@endpoint(
    blueprint, "GET", "/chat/stream", query=FollowQuery, stream=StreamEvent, may_be_empty=True,
    errors=("site_not_found", "origin_not_allowed", "message_not_found", "rate_limited", "restarting"),
    summary="Follow or replay the answer to a message", tag="chat",
)
def follow(query: FollowQuery) -> Response:
    caller = enter(query)
    caller.poll()
    last = _last_event_id(query.last_event_id)
    run = _run_of(caller, query.message_id)
    if is_finished_for(run, last):
        return Response(status=204)
    return event_stream(Follower(caller.parts.runs, run, last))


@endpoint(
    blueprint, "POST", "/chat/stop", body=MessageScope, answer=Stopped,
    errors=("site_not_found", "origin_not_allowed", "message_not_found", "rate_limited"),
    summary="Stop an answer and keep what was said", tag="chat",
)
def stop(body: MessageScope) -> dict:
    caller = enter(body)
    caller.poll()
    run = _run_of(caller, body.message_id)
    if run.state == "ended":
        return {"stopped": False}
    return {"stopped": caller.parts.runs.stop(run.visitor_id, run.seq)}


@endpoint(
    blueprint, "GET", "/chat/events", query=EventsQuery, stream=PushEvent,
    errors=("site_not_found", "origin_not_allowed", "too_many_streams", "rate_limited", "restarting"),
    summary="Live push: messages, mode, typing, blocks", tag="chat",
)
def events(query: EventsQuery) -> Response:
    caller = enter(query)
    caller.poll()
    slot = caller.parts.limits.stream_slot(caller.bucket, caller.site.id)
    header = request.headers.get("Last-Event-ID", "")
    since = int(header) if header.isascii() and header.isdigit() and len(header) < 17 else query.since
    stream = caller.parts.streams.open(
        caller.site.id, caller.session_id, address=caller.address.text, since=since, on_close=slot.release,
        page_url=query.page_url or "", lang=query.lang or "",
    )
    return event_stream(stream, with_ids=True)


def event_stream(source: Source, headers: dict | None = None, *, with_ids: bool | None = None) -> Response:
    """A text/event-stream answer. Ids and an early comment only for clients that say they read such streams."""
    if with_ids is None:
        with_ids = "text/event-stream" in request.headers.get("Accept", "")
    return Response(
        Relay(source, with_ids=with_ids), headers={**HEADERS, **(headers or {})}, direct_passthrough=True
    )


def _incoming(caller: Caller, body: StreamBody, message_id: str) -> Incoming:
    max_chars = caller.parts.config.max_message_chars
    if len(body.message) > max_chars:
        raise invalid(message=f"must be at most {max_chars} characters")
    image_path = None
    if body.image_url:
        image_path = _image_path(caller, body.image_url)
    return Incoming(
        site_id=caller.site.id,
        session_id=caller.session_id,
        message_id=message_id,
        content=body.message,
        image_path=image_path,
        lang=body.lang,
        page_url=body.page_url,
        user_id=verify_user(caller, body.user_id, body.user_hash),
        address=caller.address.text,
    )


def _image_path(caller: Caller, url: str) -> str:
    origins = own_origins(caller.parts, caller.address)
    path = next(filter(None, (caller.parts.uploads.path_of(url, own) for own in origins)), None)
    if path is None:
        raise invalid(image_url="is not an image this visitor uploaded")
    return path


def _count(caller: Caller, known: Any) -> None:
    """Attaching and replaying count as polls; what asks the model counts as a message."""
    if not known.needs_model:
        caller.poll()
        return
    caller.parts.limits.check_message(caller.bucket, caller.site.id, caller.session_id)
    if not known.is_visitor_known:
        caller.parts.limits.check_conversation(caller.bucket, caller.site.id)


def _last_event_id(parameter: str | None) -> LastEventId | None:
    """The header wins over the query parameter."""
    text = request.headers.get("Last-Event-ID") or parameter or request.args.get("last_event_id")
    return parse_last_event_id(text)


def _run_of(caller: Caller, message_id: str) -> Any:
    run = caller.parts.store.read(
        _find_run, site_id=caller.site.id, session_id=caller.session_id, message_id=message_id
    )
    if run is None:
        raise ApiError("message_not_found")
    return run


def _find_run(tx: Transaction, *, site_id: int, session_id: str, message_id: str) -> Any:
    visitor = visitors.find(tx, site_id, session_id)
    return ledger.find_by_message(tx, visitor.id, message_id) if visitor else None
