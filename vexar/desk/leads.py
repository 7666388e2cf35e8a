"""Who left an address: one lead per email; a phone number is a lead of its own only while no email is known with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from peewee import JOIN, SQL, Select, fn

from vexar.conversing.messages import to_time
from vexar.desk.finding import NO_SEARCH, Search
from vexar.models import Conversation, Visitor
from vexar.store import Transaction

_Known = Visitor.alias()


def page(tx: Transaction, *, site_id: int, search: Search, limit: int, offset: int) -> tuple[list[dict], int]:
    """Leads, the one seen last first, and how many there are in all."""
    visitors, key = _visitors(site_id, search)
    # Without the facts of a lead the index is enough.
    total = tx.one(visitors.select(fn.COUNT(fn.DISTINCT(key)).alias("many"))).many
    order = SQL("last_ms").desc(), SQL("lead_key")
    found = tx.all(_leads(site_id, search).order_by(*order).limit(limit).offset(offset))
    return _to_wire(tx, site_id, found), total


def slice_behind(tx: Transaction, *, site_id: int, search: Search, behind: str, limit: int) -> list[dict]:
    """The next leads in the order of their keys, for exports; `key` is the mark of a row."""
    found = _leads(site_id, search).having(SQL("lead_key") > behind).order_by(SQL("lead_key")).limit(limit)
    return _to_wire(tx, site_id, tx.all(found))


def count_since(tx: Transaction, *, site_id: int, since_ms: int) -> int:
    """How many leads were first seen since then."""
    found = _leads(site_id, NO_SEARCH).having(SQL("first_ms") >= since_ms)
    return tx.one(Select([found.alias("lead")], [fn.COUNT(SQL("*")).alias("many")])).many


def _leads(site_id: int, search: Search) -> Any:
    """lead_key, last_ms and first_ms of every lead."""
    query, key = _visitors(
        site_id, search, fn.MAX(Visitor.changed_ms).alias("last_ms"), fn.MIN(Visitor.created_ms).alias("first_ms")
    )
    return query.group_by(key)


def _visitors(site_id: int, search: Search, *columns: Any) -> tuple[Any, Any]:
    """A query of these columns over every visitor with an address, and the key of the visitor's lead; it is selected
    first, as `lead_key`."""
    known = (
        _Known.select(_Known.phone, fn.MAX(_Known.email).alias("email"))
        .where((_Known.site_id == site_id) & (_Known.email > "") & (_Known.phone > ""))
        .group_by(_Known.phone).alias("known")
    )
    key = fn.COALESCE(fn.NULLIF(Visitor.email, ""), known.c.email, Visitor.phone)
    query = (
        Visitor.select(key.alias("lead_key"), *columns)
        .join(known, JOIN.LEFT_OUTER, on=((Visitor.email == "") & (known.c.phone == Visitor.phone)))
        .where((Visitor.site_id == site_id) & ((Visitor.email > "") | ((Visitor.email == "") & (Visitor.phone > ""))))
    )
    for token in search.tokens:
        query = query.where(fn.INSTR(Visitor.contact_words, token.contact) > 0)
    return query, key


def _to_wire(tx: Transaction, site_id: int, leads: Sequence[Any]) -> list[dict]:
    if not leads:
        return []
    query, key = _visitors(
        site_id, NO_SEARCH, Visitor.id, Visitor.name, Visitor.email, Visitor.phone, Visitor.lang, Visitor.page_url
    )
    # The newest first: what was said last counts.
    found = tx.all(query.where(key.in_([lead.lead_key for lead in leads])).order_by(Visitor.changed_ms.desc()))
    visitors: dict[str, list] = {lead.lead_key: [] for lead in leads}
    for row in found:
        visitors[row.lead_key].append(row)
    counts = _conversations_of(tx, [row.id for row in found])
    return [_lead(lead, visitors[lead.lead_key], counts) for lead in leads]


def _conversations_of(tx: Transaction, visitor_ids: list[int]) -> dict[int, Any]:
    many, newest = fn.COUNT(Conversation.id).alias("many"), fn.MAX(Conversation.id).alias("newest")
    rows = tx.all(
        Conversation.select(Conversation.visitor_id, many, newest)
        .where(Conversation.visitor_id.in_(visitor_ids)).group_by(Conversation.visitor_id)
    )
    return {row.visitor_id: row for row in rows}


def _lead(lead: Any, visitors: list, counts: dict[int, Any]) -> dict:
    theirs = [counts[visitor.id] for visitor in visitors if visitor.id in counts]

    def newest(column: str) -> str:
        return next((value for visitor in visitors if (value := getattr(visitor, column))), "")

    return {
        "key": lead.lead_key,
        **{column: newest(column) for column in ("name", "email", "phone", "lang", "page_url")},
        "first_seen": to_time(lead.first_ms),
        "last_seen": to_time(lead.last_ms),
        "conversations_count": sum(row.many for row in theirs),
        "conversation_id": max((row.newest for row in theirs), default=None),
    }
