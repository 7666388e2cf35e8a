"""Figures of a site: ratings, and what happened in the last days. Days are those of UTC.

Counts by day come from the digest and outlive the conversations they count; the others are of what is stored now.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from peewee import Case, fn

from vexar.conversing.messages import operators_of, to_time
from vexar.desk import leads
from vexar.desk.inbox import visitor_name
from vexar.desk.listing import period_start_ms
from vexar.knowledge.text import language
from vexar.models import Conversation, SiteDay, Visitor
from vexar.store import P, Statement, Transaction

SCORES = (1, 2, 3, 4, 5)
_FROM_ON = (Conversation.site_id == P.site_id) & (Conversation.created_ms >= P.since_ms)
_DAYS = Statement(
    SiteDay.select(SiteDay).where((SiteDay.site_id == P.site_id) & (SiteDay.day >= P.first) & (SiteDay.day <= P.last))
)
_RATED = (Conversation.site_id == P.site_id) & (Conversation.rated_ms >= P.since_ms)
_SCORES = Statement(
    Conversation.select(Conversation.rating_score, fn.COUNT(Conversation.id).alias("many"))
    .where(_RATED).group_by(Conversation.rating_score)
)
_RATINGS = (
    Conversation.select(
        Conversation.id, Conversation.operator_id, Conversation.rating_score, Conversation.rating_comment,
        Conversation.rated_ms, Visitor.id.alias("visitor_id"), Visitor.name, Visitor.email,
    ).join(Visitor, on=(Visitor.id == Conversation.visitor_id))
)
_RATINGS_PAGE = Statement(
    _RATINGS.where(_RATED).order_by(Conversation.rated_ms.desc(), Conversation.id.desc())
    .limit(P.limit).offset(P.offset)
)
_FIRST_REPLIES = Statement(
    Conversation.select(Conversation.first_reply_ms).where(_FROM_ON & Conversation.first_reply_ms.is_null(False))
)
_PERSON = Conversation.operator_said_ms.is_null(False)
_IS_NEW = Visitor.created_ms >= P.since_ms


def _many(condition: Any) -> Any:
    return fn.SUM(Case(None, [(condition, 1)], 0))


def _visitors_with(condition: Any) -> Any:
    """How many of the visitors first seen in the period have such a conversation."""
    return fn.COUNT(fn.DISTINCT(Case(None, [(condition & _IS_NEW, Conversation.visitor_id)], None)))


# One look at each conversation and its visitor gives most of the figures.
_BY_LANG = Statement(
    Conversation.select(
        Visitor.lang, fn.COUNT(Conversation.id).alias("many"), _many(_PERSON).alias("person"),
        _many(Conversation.operator_said_ms.is_null() & (Conversation.is_answered == 1)).alias("ai"),
        _visitors_with(Conversation.visitor_said_ms.is_null(False)).alias("wrote"),
        _visitors_with(Conversation.rating_score.is_null(False)).alias("rated"),
        _visitors_with(_PERSON).alias("met_person"),
    ).join(Visitor, on=(Visitor.id == Conversation.visitor_id)).where(_FROM_ON).group_by(Visitor.lang)
)
_NEWCOMERS = Statement(
    Visitor.select(
        fn.COUNT(Visitor.id).alias("many"), _many((Visitor.email > "") | (Visitor.phone > "")).alias("known")
    ).where((Visitor.site_id == P.site_id) & (Visitor.created_ms >= P.since_ms))
)


def ratings(tx: Transaction, *, site_id: int, limit: int, offset: int) -> tuple[list[dict], int]:
    """Ratings, the newest first, and how many there are in all."""
    rows = tx.all(_RATINGS_PAGE, site_id=site_id, since_ms=0, limit=limit, offset=offset)
    return _ratings_to_wire(tx, rows), sum(row.many for row in tx.all(_SCORES, site_id=site_id, since_ms=0))


def ratings_before(tx: Transaction, *, site_id: int, before: int, limit: int) -> list[dict]:
    """The next ratings of conversations below an id, for exports."""
    condition = (Conversation.site_id == site_id) & (Conversation.rated_ms >= 0) & (Conversation.id < before)
    return _ratings_to_wire(tx, tx.all(_RATINGS.where(condition).order_by(Conversation.id.desc()).limit(limit)))


def rating_stats(tx: Transaction, *, site_id: int, since_ms: int = 0) -> dict[str, Any]:
    """average (None without ratings), count, and distribution by score."""
    many = {row.rating_score: row.many for row in tx.all(_SCORES, site_id=site_id, since_ms=since_ms)}
    count = sum(many.values())
    total = sum(score * found for score, found in many.items())
    return {
        "average": round(total / count, 2) if count else None,
        "count": count,
        "distribution": {str(score): many.get(score, 0) for score in SCORES},
    }


def figures(tx: Transaction, *, site_id: int, days: int) -> dict[str, Any]:
    """What happened in so many days up to today."""
    now_ms = tx.now_ms()
    since_ms = period_start_ms(now_ms, days)
    by_lang = tx.all(_BY_LANG, site_id=site_id, since_ms=since_ms)
    person, ai, many = (sum(int(getattr(row, name)) for row in by_lang) for name in ("person", "ai", "many"))
    return {
        "period": days,
        "time_zone": "UTC",
        **_by_day(tx, site_id, since_ms, days),
        "answered": {"ai": ai, "operator": person, "nobody": many - ai - person},
        "first_response": _first_response(tx, site_id, since_ms),
        "ratings": rating_stats(tx, site_id=site_id, since_ms=since_ms),
        "leads": leads.count_since(tx, site_id=site_id, since_ms=since_ms),
        "by_lang": _languages(by_lang),
        "funnel": _funnel(tx.one(_NEWCOMERS, site_id=site_id, since_ms=since_ms), by_lang),
    }


def _by_day(tx: Transaction, site_id: int, since_ms: int, days: int) -> dict[str, list[dict]]:
    first = datetime.fromtimestamp(since_ms // 1000, UTC).date()
    every = [str(first + timedelta(days=number)) for number in range(days)]
    found = {row.day: row for row in tx.all(_DAYS, site_id=site_id, first=every[0], last=every[-1])}

    def count(day: str, name: str) -> int:
        return getattr(found[day], name) if day in found else 0

    return {
        "conversations_by_day": [{"day": day, "count": count(day, "conversations")} for day in every],
        "messages_by_day": [
            {"day": day, **{role: count(day, f"{role}_messages") for role in ("visitor", "assistant", "operator")}}
            for day in every
        ],
    }


def _first_response(tx: Transaction, site_id: int, since_ms: int) -> dict[str, int | None]:
    """Of people: from the wish for one to the first reply."""
    times = sorted(row.first_reply_ms for row in tx.all(_FIRST_REPLIES, site_id=site_id, since_ms=since_ms))
    return {
        "count": len(times),
        "median_ms": round(statistics.median(times)) if times else None,
        "p90_ms": times[math.ceil(len(times) * 0.9) - 1] if times else None,
    }


def _languages(rows: list) -> list[dict]:
    many: Counter = Counter()
    for row in rows:
        many[language(row.lang)] += row.many
    return [{"lang": lang, "count": count} for lang, count in many.most_common()]


def _funnel(newcomers: Any, rows: list) -> list[dict]:
    """Of the visitors first seen in the period."""
    steps = {
        "opened": newcomers.many,
        "wrote": sum(row.wrote for row in rows),
        "left_contact": int(newcomers.known or 0),
        "rated": sum(row.rated for row in rows),
        "person": sum(row.met_person for row in rows),
    }
    return [{"name": name, "count": count} for name, count in steps.items()]


def _ratings_to_wire(tx: Transaction, rows: list) -> list[dict]:
    people = operators_of(tx, rows)
    return [
        {
            "conversation_id": row.id, "visitor_name": visitor_name(row._replace(id=row.visitor_id)),
            "score": row.rating_score, "comment": row.rating_comment, "rated_at": to_time(row.rated_ms),
            "operator": people.get(row.operator_id),
        }
        for row in rows
    ]  # fmt: skip
