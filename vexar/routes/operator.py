"""What an operator does in a conversation: take it, write, pass it on, give it back, end it, note, show an image.

The rules are in vexar/conversing/handover.py; a member without `can_chat` on the site is refused here.
"""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Blueprint, request

from vexar.desk import desk
from vexar.errors import ApiError, invalid
from vexar.routes.api import endpoint
from vexar.routes.fields import Done, ImageUrl, MessageId, SessionId, Text, Whole
from vexar.routes.scope import own_origins, settings_of
from vexar.routes.signed import Member, signed_in
from vexar.routes.sites import found

blueprint = Blueprint("operator", __name__)

CHAT = "can_chat"
DENIED = ("unauthorized", "forbidden", "not_found")
GONE = (*DENIED, "conversation_not_found")
# As much as a visitor may be set to write; what a message may really have is a setting.
MAX_TEXT = 1_000_000


class Taken(msgspec.Struct, kw_only=True):
    """The conversation as it is now."""

    conversation_id: int


class SayBody(msgspec.Struct, kw_only=True):
    """A message of a person; with an image the text may be empty."""

    conversation_id: Whole(1)
    content: Text(MAX_TEXT, min_chars=0) = ""
    image_url: ImageUrl | None = None
    message_id: MessageId | None = None

    def __post_init__(self) -> None:
        if not self.content.strip() and not self.image_url:
            raise invalid(content="is required")


class Said(msgspec.Struct, kw_only=True):
    """The stored message, as in conversations/{id}/messages."""

    conversation_id: int
    message: dict


class TransferBody(msgspec.Struct, kw_only=True):
    """Who gets the conversation."""

    operator_id: Whole(1)


class TypingBody(msgspec.Struct, kw_only=True):
    """Whether the operator is typing."""

    conversation_id: Whole(1)
    on: bool = True


class NoteBody(msgspec.Struct, kw_only=True):
    """A note for colleagues."""

    conversation_id: Whole(1)
    content: Text(10_000, pattern=r"\S")


class Noted(msgspec.Struct, kw_only=True):
    """The stored note: {id, operator, content, created_at}."""

    note: dict


class UploadForm(msgspec.Struct, kw_only=True):
    """For which conversation, or which site."""

    conversation_id: Whole(1) | None = None
    site_id: Whole(1) | None = None


class Uploaded(msgspec.Struct, kw_only=True):
    """Where the image is; width and height in pixels."""

    url: str
    width: int
    height: int


class ProposeBody(msgspec.Struct, kw_only=True):
    """A message to a visitor who may not have written yet."""

    site_id: Whole(1)
    session_id: SessionId
    content: Text(MAX_TEXT, pattern=r"\S")
    message_id: MessageId | None = None


class Seen(msgspec.Struct, kw_only=True):
    """Whether anything was unread."""

    was_unread: bool


@endpoint(blueprint, "POST", "/operator/accept/<int:conversation_id>", body=Done, answer=Taken, strict=True,
          caller=signed_in, errors=(*GONE, "conflict"), summary="Take a conversation")
def accept(member: Member, conversation_id: int, body: Done) -> dict:
    site_id, session_id = _open(member, conversation_id)
    _verbs(member).accept(site_id, session_id, member.operator, conversation_id=conversation_id)
    return {"conversation_id": conversation_id}


@endpoint(blueprint, "POST", "/operator/message", body=SayBody, answer=Said, strict=True, caller=signed_in,
          errors=(*GONE, "conflict", "message_id_conflict"), summary="Write to the visitor")
def message(member: Member, body: SayBody) -> dict:
    conversation, visitor = member.conversation(body.conversation_id, CHAT)
    _check_length(member, body.content)
    image_path = _image_path(member, body.image_url) if body.image_url else None
    # Not refused here when it is closed: a message that is sent again must not hear that it failed.
    seq = _verbs(member).say(
        conversation.site_id, visitor.session_id, member.operator, content=body.content, image_path=image_path,
        message_id=body.message_id, conversation_id=conversation.id,
    )
    return {"conversation_id": conversation.id, "message": _stored(member, visitor.id, seq)}


@endpoint(blueprint, "POST", "/operator/close/<int:conversation_id>", body=Done, answer=Taken, strict=True,
          caller=signed_in, errors=GONE, summary="End a conversation")
def close(member: Member, conversation_id: int, body: Done) -> dict:
    site_id, session_id = _open(member, conversation_id)
    member.parts.runs.stop_all(site_id, session_id)
    _verbs(member).close_by_operator(
        site_id, session_id, operator=member.operator, conversation_id=conversation_id
    )
    return {"conversation_id": conversation_id}


@endpoint(blueprint, "POST", "/operator/transfer/<int:conversation_id>", body=TransferBody, answer=Taken, strict=True,
          caller=signed_in, errors=(*GONE, "conflict"), summary="Pass a conversation on to a colleague")
def transfer(member: Member, conversation_id: int, body: TransferBody) -> dict:
    site_id, session_id = _open(member, conversation_id)
    _verbs(member).transfer(
        site_id, session_id, operator=member.operator, to=body.operator_id, conversation_id=conversation_id
    )
    return {"conversation_id": conversation_id}


@endpoint(blueprint, "POST", "/operator/return-to-ai/<int:conversation_id>", body=Done, answer=Taken,
          strict=True, caller=signed_in, errors=GONE, summary="Give a conversation back to the AI")
def return_to_ai(member: Member, conversation_id: int, body: Done) -> dict:
    site_id, session_id = _open(member, conversation_id)
    _verbs(member).return_to_ai(
        site_id, session_id, operator=member.operator, conversation_id=conversation_id
    )
    return {"conversation_id": conversation_id}


@endpoint(blueprint, "POST", "/operator/typing", body=TypingBody, answer=Done, strict=True, caller=signed_in,
          errors=DENIED, summary="The operator is typing")
def typing(member: Member, body: TypingBody) -> dict:
    conversation, visitor = member.conversation(body.conversation_id, CHAT)
    # Somebody who looks into an old conversation types to nobody.
    if visitor.conversation_id == conversation.id:
        _verbs(member).operator_types(conversation.site_id, visitor.session_id, body.on, operator=member.operator)
    return {}


@endpoint(blueprint, "POST", "/operator/note", body=NoteBody, answer=Noted, strict=True, caller=signed_in,
          errors=DENIED, summary="Note something for colleagues")
def note(member: Member, body: NoteBody) -> dict:
    conversation, visitor = member.conversation(body.conversation_id, CHAT)
    return {"note": _verbs(member).add_note(
        conversation.site_id, visitor_id=visitor.id, conversation_id=conversation.id,
        operator_id=member.operator.id, content=body.content,
    )}


@endpoint(blueprint, "POST", "/operator/upload-image", form=UploadForm, files={"image": "image/*"}, answer=Uploaded,
          strict=True, caller=signed_in, errors=(*DENIED, "quota", "unsupported_image", "corrupt_image"),
          max_bytes=lambda config: config.max_image_bytes + config.max_body_bytes, too_large="image_too_large",
          summary="Upload an image to send")
def upload_image(member: Member, form: UploadForm) -> dict:
    if (form.conversation_id is None) == (form.site_id is None):
        raise invalid(conversation_id="give conversation_id or site_id", site_id="give site_id or conversation_id")
    site_id = form.site_id or member.conversation(form.conversation_id, CHAT)[0].site_id
    site = member.site(site_id, CHAT)
    data = request.files["image"].stream.read(member.parts.config.max_image_bytes + 1)
    return member.parts.uploads.receive(site.id, None, data, quota_bytes=settings_of(site).upload_quota_bytes)


@endpoint(blueprint, "POST", "/operator/read/<int:conversation_id>", body=Done, answer=Seen, strict=True,
          caller=signed_in, errors=DENIED, summary="Everything in a conversation was seen")
def read(member: Member, conversation_id: int, body: Done) -> dict:
    conversation, visitor = member.conversation(conversation_id, CHAT)
    return {"was_unread": _verbs(member).mark_seen(
        conversation.site_id, visitor_id=visitor.id, conversation_id=conversation.id
    )}


@endpoint(blueprint, "POST", "/operator/proactive-message", body=ProposeBody, answer=Said, strict=True,
          caller=signed_in, errors=(*DENIED, "conflict", "message_id_conflict"), summary="Write to a visitor first")
def proactive_message(member: Member, body: ProposeBody) -> dict:
    site = member.site(body.site_id, CHAT)
    _check_length(member, body.content)
    seq = _verbs(member).propose(
        site.id, body.session_id, member.operator, content=body.content, message_id=body.message_id
    )
    visitor = found(member.parts.store.read(desk.visitor, site_id=site.id, session_id=body.session_id))
    return {"conversation_id": visitor.conversation_id, "message": _stored(member, visitor.id, seq)}


def _verbs(member: Member) -> Any:
    return member.parts.conversations


def _open(member: Member, conversation_id: int) -> tuple[int, str]:
    """Site and session of an open conversation. Raises ApiError not_found, forbidden, conversation_not_found."""
    conversation, visitor = member.conversation(conversation_id, CHAT)
    # Asked again under the lock; here it keeps `close` from stopping what runs in another conversation.
    if visitor.conversation_id != conversation.id:
        raise ApiError("conversation_not_found", "This conversation was closed.")
    return conversation.site_id, visitor.session_id


def _check_length(member: Member, content: str) -> None:
    max_chars = member.parts.config.max_message_chars
    if len(content) > max_chars:
        raise invalid(content=f"must be at most {max_chars} characters")


def _image_path(member: Member, url: str) -> str:
    origins = own_origins(member.parts, member.address())
    path = next(filter(None, (member.parts.uploads.path_of(url, own) for own in origins)), None)
    if path is None:
        raise invalid(image_url="is not an image of this site")
    return path


def _stored(member: Member, visitor_id: int, seq: int) -> dict:
    return found(member.parts.store.read(
        desk.message, visitor_id=visitor_id, seq=seq, image_base=member.parts.streams.image_base
    ))
