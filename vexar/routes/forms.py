"""What visitors tell, beside their messages: contact, images, ratings, how far they read, what they want.

A blocked visitor is refused here before anything is stored; only `read` is open to it, a mark of reading.
"""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Blueprint, request

from vexar.errors import ApiError, WrongFields, invalid
from vexar.phones import normalise
from vexar.routes.api import endpoint
from vexar.routes.fields import Cursor, Done, Email, OneOf, PersonName, Phone, Saved, Scope, Score, Text
from vexar.routes.scope import READ, WRITE, Caller, answer_wrong_fields, enter

blueprint = Blueprint("forms", __name__)
blueprint.register_error_handler(WrongFields, answer_wrong_fields)


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
            raise invalid(email="give an email address or a phone number", phone="give a phone number or an email")


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


class NudgeEventBody(Scope, kw_only=True):
    """What the visitor did with a nudge: one by rule (`rule_path`) or one by a person (`id`)."""

    event: OneOf("shown", "clicked", "dismissed")
    rule_path: Text(500) | None = None
    id: Cursor | None = None


@endpoint(blueprint, "POST", "/chat/email", body=EmailBody, answer=Saved, errors=WRITE, tag="chat",
          summary="Save the visitor's email")
def email(body: EmailBody) -> dict:
    caller = enter(body)
    caller.form()
    caller.newcomer()
    _save_contact(caller, email=body.email)
    return {"message": "Email saved"}


@endpoint(blueprint, "POST", "/chat/contact", body=ContactBody, answer=Saved, errors=WRITE, tag="chat",
          summary="Save a contact")
def contact(body: ContactBody) -> dict:
    caller = enter(body)
    caller.form()
    caller.newcomer()
    phone = normalise(body.phone) if body.phone else None
    _save_contact(caller, email=body.email, phone=phone, name=body.name)
    return {"message": "Contact saved"}


@endpoint(blueprint, "POST", "/chat/upload-image", form=UploadForm, files={"image": "image/*"}, answer=Uploaded,
          errors=(*WRITE, "forbidden", "quota", "unsupported_image", "corrupt_image"), tag="chat",
          max_bytes=lambda config: config.max_image_bytes + config.max_body_bytes, too_large="image_too_large",
          summary="Upload an image")
def upload_image(form: UploadForm) -> dict:
    caller = enter(form)
    caller.parts.limits.check_upload(caller.bucket, caller.site.id)
    if not caller.settings.photo_upload_enabled:
        raise ApiError("forbidden", "This site takes no images.")
    caller.newcomer()
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


@endpoint(blueprint, "POST", "/chat/close", body=Scope, answer=Closed, errors=(*WRITE, "conversation_not_found"),
          tag="chat", summary="End the open conversation")
def close(body: Scope) -> dict:
    caller = enter(body)
    caller.poll()
    caller.refuse_blocked()
    caller.parts.runs.stop_all(caller.site.id, caller.session_id)
    return {"conversation_id": caller.parts.conversations.close(caller.site.id, caller.session_id)}


@endpoint(blueprint, "POST", "/chat/request-operator", body=Scope, answer=Waiting,
          errors=(*WRITE, "conversation_not_found"), tag="chat", summary="Ask for a person")
def request_operator(body: Scope) -> dict:
    caller = enter(body)
    caller.form()
    caller.refuse_blocked()
    called = caller.parts.conversations.request_operator(
        caller.site.id, caller.session_id, address=caller.address.text
    )
    return {"waiting": called.waiting, "available": called.available}


@endpoint(blueprint, "POST", "/chat/typing", body=TypingBody, answer=Done, errors=WRITE, tag="chat",
          summary="The visitor is typing")
def typing(body: TypingBody) -> dict:
    caller = enter(body)
    caller.poll()
    caller.refuse_blocked()
    caller.parts.conversations.visitor_types(caller.site.id, caller.session_id, body.on)
    return {}


@endpoint(blueprint, "POST", "/chat/read", body=ReadBody, answer=Done, errors=(*READ, "conversation_not_found"),
          tag="chat", summary="Everything up to the cursor was seen")
def read(body: ReadBody) -> dict:
    caller = enter(body)
    caller.poll()
    caller.parts.conversations.mark_read(caller.site.id, caller.session_id, body.cursor)
    return {}


@endpoint(blueprint, "POST", "/proactive/event", body=NudgeEventBody, answer=Done, errors=WRITE, tag="chat",
          summary="What the visitor did with a nudge")
def proactive_event(body: NudgeEventBody) -> dict:
    caller = enter(body)
    caller.poll()
    if body.rule_path is None and body.id is None:
        raise invalid(rule_path="give rule_path or id", id="give id or rule_path")
    caller.newcomer()
    caller.parts.conversations.record_nudge(
        caller.site.id, caller.session_id, address=caller.address.text, event=body.event,
        rule_path=body.rule_path or "", message_seq=body.id,
    )
    return {}


def _save_contact(caller: Caller, **contact: Any) -> None:
    caller.parts.conversations.save_contact(
        caller.site.id, caller.session_id, address=caller.address.text, **contact
    )
