"""Canned replies of a site: everybody who chats reads them, who may edit writes them."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response

from vexar.errors import ApiError
from vexar.routes.api import endpoint
from vexar.routes.fields import Done, Filled, Text
from vexar.routes.lists import ListQuery, Pagination, whole_answer
from vexar.routes.signed import Member, signed_in
from vexar.routes.sites import EDITED, found
from vexar.sites import canned

blueprint = Blueprint("canned", __name__)

CSV_COLUMNS = ("id", "shortcut", "content", "created_at")
Shortcut = Text(
    40, pattern=r"^[^\s/]+$(?!\n)", sentence="must be one word of at most 40 characters, without a slash",
    description="Typed after a slash.", examples=["hello"],
)
Content = Filled(4_000, description="{name} stands for the visitor's name.", examples=["Hello {name}!"])


class NewReply(msgspec.Struct, kw_only=True):
    """A reply to have ready."""

    shortcut: Shortcut
    content: Content


class ReplyChanges(msgspec.Struct, kw_only=True):
    """What changes of a reply."""

    shortcut: Shortcut | msgspec.UnsetType = msgspec.UNSET
    content: Content | msgspec.UnsetType = msgspec.UNSET


class Replies(msgspec.Struct, kw_only=True):
    """A page of the site's replies, by shortcut: [{id, shortcut, content, created_at}]."""

    data: list[dict]
    pagination: Pagination


class ReplyOut(msgspec.Struct, kw_only=True):
    """One reply: {id, shortcut, content, created_at}."""

    reply: dict


@endpoint(blueprint, "GET", "/sites/<int:site_id>/canned-replies", caller=signed_in, strict=True, query=ListQuery,
          answer=Replies, errors=EDITED, summary="The canned replies of a site")
def list_replies(member: Member, site_id: int, query: ListQuery) -> dict | Response:
    access = member.access(site_id)
    if not (access.can_chat or access.can_edit):
        raise ApiError("forbidden")
    return whole_answer(query, member.parts.store.read(canned.of_site, site_id=site_id), "replies", CSV_COLUMNS)


@endpoint(blueprint, "POST", "/sites/<int:site_id>/canned-replies", caller=signed_in, strict=True, body=NewReply,
          answer=ReplyOut, status=201, errors=EDITED, summary="Add a canned reply")
def add_reply(member: Member, site_id: int, body: NewReply) -> tuple[dict, int]:
    member.site(site_id, "can_edit")
    row = member.parts.store.write(canned.add, site_id=site_id, shortcut=body.shortcut, content=body.content)
    return {"reply": canned.to_wire(row)}, 201


@endpoint(blueprint, "PUT", "/sites/<int:site_id>/canned-replies/<int:reply_id>", caller=signed_in, strict=True,
          body=ReplyChanges, answer=ReplyOut, errors=EDITED, summary="Change a canned reply")
def change_reply(member: Member, site_id: int, reply_id: int, body: ReplyChanges) -> dict:
    member.site(site_id, "can_edit")
    row = member.parts.store.write(
        canned.change, site_id=site_id, reply_id=reply_id, shortcut=body.shortcut or None, content=body.content or None
    )
    return {"reply": canned.to_wire(found(row))}


@endpoint(blueprint, "DELETE", "/sites/<int:site_id>/canned-replies/<int:reply_id>", caller=signed_in, strict=True,
          answer=Done, errors=EDITED, summary="Remove a canned reply")
def remove_reply(member: Member, site_id: int, reply_id: int) -> dict:
    member.site(site_id, "can_edit")
    found(member.parts.store.write(canned.remove, site_id=site_id, reply_id=reply_id) or None)
    return {}
