"""Asking a site's knowledge: what a visitor's question would find and be answered, and why."""

from __future__ import annotations

import msgspec
from flask import Blueprint

from vexar.knowledge.ask import MAX_QUESTION_CHARS, MAX_SOURCES, ask
from vexar.knowledge.why import explain
from vexar.routes.api import endpoint
from vexar.routes.fields import Lang, Text, Whole
from vexar.routes.signed import Member, signed_in
from vexar.routes.sites import SEEN

blueprint = Blueprint("knowledge_ask", __name__)


class AskBody(msgspec.Struct, kw_only=True):
    """A question as a visitor would ask it."""

    question: Text(MAX_QUESTION_CHARS)
    limit: Whole(1, MAX_SOURCES) = 10
    lang: Lang | None = None
    explain: bool = False


class Asked(msgspec.Struct, kw_only=True):
    """`sources`, best first: {knowledge_id, type, title, question, url, excerpt, score}.

    With `explain` each has `matched`, which words of the question it holds: [{word, met, field, how}] (`field`:
    question, title or content; `how`: same, meaning or slip); and `missing` are those that no source holds.
    """

    question: str
    answered: bool
    confidence: float
    threshold: float
    answer: str
    sources: list[dict]
    missing: list[str] | msgspec.UnsetType = msgspec.UNSET


@endpoint(blueprint, "POST", "/sites/<int:site_id>/knowledge/ask", body=AskBody, answer=Asked, strict=True,
          caller=signed_in, errors=SEEN, summary="What a question would find and be answered")
def ask_knowledge(member: Member, site_id: int, body: AskBody) -> dict:
    site = member.site(site_id)
    told = ask(member.parts.store, site, body.question, limit=body.limit, lang=body.lang or "")
    return explain(member.parts.store, site_id, told, body.lang or "") if body.explain else told
