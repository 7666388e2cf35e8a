"""Privacy requests: handing out what is stored about somebody, and erasing it."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Blueprint, Response

from vexar.desk import exporting
from vexar.errors import ApiError
from vexar.routes.api import endpoint, json_answer
from vexar.routes.fields import Done
from vexar.routes.lists import CsvQuery, csv_answer
from vexar.routes.signed import Member, signed_in
from vexar.routes.sites import EDITED

blueprint = Blueprint("privacy", __name__)


class ConversationExport(msgspec.Struct, kw_only=True):
    """One conversation, whole."""

    conversation: dict
    visitor: dict
    messages: list[dict]
    notes: list[dict]


class VisitorExport(msgspec.Struct, kw_only=True):
    """Everything of a visitor; `conversations`: [{conversation, messages, notes}]."""

    visitor: dict
    conversations: list[dict]
    nudge_events: list[dict]
    unanswered: list[dict]
    uploads: list[dict]
    blocks: list[dict]


@endpoint(blueprint, "DELETE", "/conversations/<int:conversation_id>", caller=signed_in, strict=True, answer=Done,
          errors=EDITED, summary="Erase a conversation")
def erase_conversation(member: Member, conversation_id: int) -> dict:
    member.conversation(conversation_id, "can_view_conversations")
    member.require_owner()
    member.parts.eraser.conversation(conversation_id)
    return {}


@endpoint(blueprint, "GET", "/conversations/<int:conversation_id>/export", caller=signed_in, strict=True,
          query=CsvQuery, answer=ConversationExport, errors=EDITED, summary="A conversation with everything in it")
def export_conversation(member: Member, conversation_id: int, query: CsvQuery) -> Response:
    member.conversation(conversation_id, "can_view_conversations")
    return _exported(
        member, f"conversation-{conversation_id}", query, exporting.conversation, conversation_id=conversation_id
    )


@endpoint(blueprint, "DELETE", "/visitors/<int:visitor_id>", caller=signed_in, strict=True, answer=Done,
          errors=EDITED, summary="Erase a visitor with every trace")
def erase_visitor(member: Member, visitor_id: int) -> dict:
    _enter(member, visitor_id)
    member.require_owner()
    member.parts.eraser.visitor(visitor_id)
    return {}


@endpoint(blueprint, "GET", "/visitors/<int:visitor_id>/export", caller=signed_in, strict=True, query=CsvQuery,
          answer=VisitorExport, errors=EDITED, summary="Everything that is stored about a visitor")
def export_visitor(member: Member, visitor_id: int, query: CsvQuery) -> Response:
    _enter(member, visitor_id)
    return _exported(member, f"visitor-{visitor_id}", query, exporting.visitor, visitor_id=visitor_id)


def _enter(member: Member, visitor_id: int) -> None:
    """Raises ApiError not_found, forbidden."""
    row = member.parts.store.read(exporting.find_visitor, visitor_id=visitor_id)
    if row is None:
        raise ApiError("not_found")
    member.access(row.site_id, "can_view_conversations")


def _exported(member: Member, name: str, query: CsvQuery, job: Any, **which: int) -> Response:
    base = exporting.image_base(member.parts.config.public_url)
    found = member.parts.store.read_heavy(job, image_base=base, **which)
    if found is None:
        raise ApiError("not_found")
    if query.format == "csv":
        return csv_answer(name, exporting.MESSAGE_COLUMNS, exporting.message_rows(found))
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}.json"'}
    return json_answer({"success": True, **found}, headers=headers)
