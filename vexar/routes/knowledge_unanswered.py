"""What visitors asked in vain: the list for who may edit the site's knowledge, and making an entry of a question."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response

from vexar.conversing.messages import to_time
from vexar.errors import ApiError, invalid
from vexar.knowledge.entries import MAX_CONTENT_CHARS, MAX_TITLE_CHARS
from vexar.knowledge.entries import MAX_QUESTION_CHARS as MAX_FAQ_CHARS
from vexar.knowledge.unanswered import listing
from vexar.knowledge.unanswered.worth import masked
from vexar.routes.api import endpoint
from vexar.routes.fields import Done, Filled, Text
from vexar.routes.lists import ListQuery, Pagination, list_answer
from vexar.routes.signed import Member, signed_in
from vexar.routes.sites import EDITED

blueprint = Blueprint("knowledge_unanswered", __name__)

COLUMNS = ("id", "question", "wordings", "count", "visitors", "lang", "first_asked_at", "last_asked_at",
           "conversation_id", "suggestion")
PATH = "/sites/<int:site_id>/knowledge/unanswered"


class UnansweredQuery(ListQuery, kw_only=True):
    """Which questions: with all of these words."""

    search: Text(200, min_chars=0) = ""


class Suggestion(msgspec.Struct, kw_only=True):
    """What an operator answered right after the question."""

    content: str
    operator: str


class Unanswered(msgspec.Struct, kw_only=True):
    """A question that `visitors` asked `count` times; `wordings`: other ways it was put, at most 5. Without the right
    to view conversations, `conversation_id` (of the newest) and `suggestion` are null, and what may tell who asked
    (addresses, long numbers, links) is "…"."""

    id: int
    question: str
    wordings: list[str]
    count: int
    visitors: int
    lang: str
    first_asked_at: str
    last_asked_at: str
    conversation_id: int | None
    suggestion: Suggestion | None


class UnansweredPage(msgspec.Struct, kw_only=True):
    """A page of questions, asked last and by most first."""

    data: list[Unanswered]
    pagination: Pagination


class NewAnswer(msgspec.Struct, kw_only=True):
    """The faq to make. `wordings`: by which other ways to put the question it is found; left out, by those of the list
    that hold no address and no number."""

    title: Text(MAX_TITLE_CHARS, min_chars=0) = ""
    question: Filled(MAX_FAQ_CHARS, examples=["Do you ship to Norway?"])
    content: Filled(MAX_CONTENT_CHARS, examples=["Yes, in 5 days."])
    wordings: list[Text(MAX_FAQ_CHARS)] | None = None


class Made(msgspec.Struct, kw_only=True):
    """The number of the entry."""

    id: int


@endpoint(blueprint, "GET", PATH, caller=signed_in, strict=True, query=UnansweredQuery, answer=UnansweredPage,
          errors=EDITED, summary="Questions that the knowledge did not answer")
def list_unanswered(member: Member, site_id: int, query: UnansweredQuery) -> dict | Response:
    access = member.access(site_id, "can_edit")

    def read(offset: int, limit: int) -> tuple[list[dict], int]:
        rows, total = member.parts.store.read_heavy(
            listing.page, site_id=site_id, search=query.search, limit=limit, offset=offset
        )
        return [_to_wire(row, may_view=bool(access.can_view_conversations)) for row in rows], total

    return list_answer(query, read, "unanswered", COLUMNS, _to_cells)


@endpoint(blueprint, "POST", f"{PATH}/<int:group_id>/answer", caller=signed_in, strict=True, body=NewAnswer,
          answer=Made, status=201, errors=(*EDITED, "conflict"), summary="Make an entry of a question")
def answer_unanswered(member: Member, site_id: int, group_id: int, body: NewAnswer) -> tuple[dict, int]:
    member.site(site_id, "can_edit")
    try:
        number = listing.answer(
            member.parts.store, site_id, group_id, title=body.title.strip(), question=body.question.strip(),
            content=body.content, wordings=body.wordings,
        )
    except ValueError as problem:
        raise invalid(content=str(problem)) from None
    return {"id": number}, 201


@endpoint(blueprint, "DELETE", f"{PATH}/<int:group_id>", caller=signed_in, strict=True, answer=Done, errors=EDITED,
          summary="Take a question off the list")
def dismiss_unanswered(member: Member, site_id: int, group_id: int) -> dict:
    member.site(site_id, "can_edit")
    if not member.parts.store.write(listing.dismiss, site_id=site_id, group_id=group_id):
        raise ApiError("not_found")
    return {}


def _to_wire(row: dict, *, may_view: bool) -> dict:
    shown = {name: row[name] for name in ("id", "question", "wordings", "count", "visitors", "lang")}
    if not may_view:
        shown |= {"question": masked(row["question"]), "wordings": [masked(each) for each in row["wordings"]]}
    return {
        **shown, "first_asked_at": to_time(row["first_ms"]), "last_asked_at": to_time(row["last_ms"]),
        "conversation_id": row["conversation_id"] if may_view else None,
        "suggestion": row["suggestion"] if may_view else None,
    }  # fmt: skip


def _to_cells(row: dict) -> dict:
    suggestion = row["suggestion"]
    return {**row, "wordings": "\n".join(row["wordings"]), "suggestion": suggestion["content"] if suggestion else ""}
