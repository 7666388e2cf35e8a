"""Proactive messages by rule: which ones a page calls for, which variant a visitor gets, how often.

Rules are evaluated without storing anything, for sessions nobody has seen too; only what a visitor did with a
nudge is written down.
"""

from __future__ import annotations

import hashlib
from typing import Any

from peewee import fn

from vexar.conversing import blocks, messages
from vexar.conversing.visitors import LockedVisitor, find
from vexar.models import NudgeEvent
from vexar.nudges import nudge_rules
from vexar.store import P, Statement, Transaction

DAY_MS = 86_400_000
# Each question for nudges reads what the visitor did before; no person sees so many.
MAX_EVENTS = 1_000

_EVENTS = Statement(
    NudgeEvent.select(NudgeEvent.rule_path, NudgeEvent.event, NudgeEvent.variant, NudgeEvent.created_ms)
    .where((NudgeEvent.visitor_id == P.visitor_id) & (NudgeEvent.rule_path != "")).order_by(NudgeEvent.id)
)
_HOW_MANY = Statement(
    NudgeEvent.select(fn.COUNT(NudgeEvent.id).alias("many")).where(NudgeEvent.visitor_id == P.visitor_id)
)
_ADD_EVENT = Statement(
    NudgeEvent.insert(
        site_id=P.site_id, visitor_id=P.visitor_id, event=P.event, rule_path=P.rule_path, variant=P.variant,
        message_seq=P.message_seq, created_ms=P.now_ms,
    )
)


def pending(tx: Transaction, *, site_id: int, session_id: str, path: str) -> list[dict]:
    """The rules' nudges for this page that the visitor's frequency still allows, as the wire shows them."""
    rules = [rule for rule in nudge_rules.of_site(tx, site_id=site_id) if _fits(rule.path, path)]
    if not rules:
        return []
    visitor = find(tx, site_id, session_id)
    events = tx.all(_EVENTS, visitor_id=visitor.id) if visitor else []
    now_ms = tx.now_ms()
    found = []
    for rule in rules:
        own = [event for event in events if event.rule_path == rule.path]
        if _is_due(rule, own, now_ms):
            found.append(_to_wire(rule, _variant(rule, session_id, own), now_ms))
    return found


def paths(tx: Transaction, *, site_id: int) -> list[str]:
    """The paths of a site's rules: on other pages nobody needs to ask."""
    return [rule.path for rule in nudge_rules.of_site(tx, site_id=site_id)]


def variant_of(session_id: str, rule_path: str, weights: list[int]) -> int:
    """The place of the variant a visitor is shown first, from 0: a hash of session and rule, so that it is the same
    each time it is asked, before anything is stored."""
    digest = hashlib.sha256(f"{session_id}\n{rule_path}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") % max(1, sum(weights))
    for number, weight in enumerate(weights):
        place -= weight
        if place < 0:
            return number
    return 0


def record(
    tx: Transaction, *, site_id: int, session_id: str, address: str | None, event: str, rule_path: str,
    message_seq: int | None,
) -> None:
    """Write down what a visitor did with a nudge: one by a rule, or a person's message. Nothing is written about a
    nudge that is none, or none any more, nor beyond MAX_EVENTS. Raises ApiError blocked."""
    visitor = LockedVisitor.find_or_create(tx, site_id, session_id)
    blocks.refuse(visitor, address=address)
    if tx.one(_HOW_MANY, visitor_id=visitor.id).many >= MAX_EVENTS:
        return
    rule = next((rule for rule in nudge_rules.of_site(tx, site_id=site_id) if rule.path == rule_path), None)
    message = messages.one(tx, visitor.id, message_seq) if message_seq is not None else None
    if rule is None and (message is None or message.role != "proactive"):
        return
    variant = None
    if rule:
        events = tx.all(_EVENTS, visitor_id=visitor.id)
        variant = _variant(rule, session_id, [event for event in events if event.rule_path == rule.path])["id"]
    tx.run(
        _ADD_EVENT, site_id=site_id, visitor_id=visitor.id, event=event, variant=variant,
        rule_path=rule_path if rule else "", message_seq=None if rule else message_seq, now_ms=visitor.now_ms,
    )


def _fits(pattern: str, path: str) -> bool:
    """`*` stands for any run of characters; a trailing slash makes no difference."""
    pattern, path = pattern.rstrip("/") or "/", path.rstrip("/") or "/"
    first, *between = pattern.split("*")
    if not between:
        return path == pattern
    last, place = between.pop(), len(first)
    # The first place for each part is the best one. A regular expression would try them all: three stars and a long
    # path that a visitor made up would hold up everybody for seconds.
    for part in between:
        place = path.find(part, place)
        if place < 0:
            return False
        place += len(part)
    return path.startswith(first) and path.endswith(last) and place + len(last) <= len(path)


def _is_due(rule: Any, events: list, now_ms: int) -> bool:
    """A dismissed nudge never comes back; a shown one as often as its frequency says."""
    if any(event.event == "dismissed" for event in events):
        return False
    shown_ms = max((event.created_ms for event in events), default=None)
    if shown_ms is None or rule.frequency == "always":
        return True
    return rule.frequency == "daily" and now_ms - shown_ms >= DAY_MS


def _variant(rule: Any, session_id: str, events: list) -> dict:
    """What this visitor is shown: the variant that it was shown first, while there is one, else one drawn."""
    variants = nudge_rules.variants_of(rule)
    by_number = {variant["id"]: variant for variant in variants}
    kept = next((by_number[event.variant] for event in events if event.variant in by_number), None)
    return kept or variants[variant_of(session_id, rule.path, [variant["weight"] for variant in variants])]


def _to_wire(rule: Any, variant: dict, now_ms: int) -> dict:
    return {
        "id": None,
        "content": variant["message"],
        "rule_path": rule.path,
        "variant": variant["id"],
        "delay_seconds": rule.delay_seconds,
        "created_at": messages.to_time(now_ms),
    }
