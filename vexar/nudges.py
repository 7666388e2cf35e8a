"""Proactive messages by rule: which ones a page calls for, which variant a visitor gets, how often.

Rules are evaluated without storing anything, for sessions nobody has seen too; only what a visitor did with a
nudge is written down.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from vexar import blocks, messages
from vexar.models import NudgeEvent, NudgeRule
from vexar.store import P, Statement, Transaction
from vexar.visitors import LockedVisitor, find

DAY_MS = 86_400_000

_RULES = Statement(NudgeRule.select(NudgeRule).where(NudgeRule.site_id == P.site_id).order_by(NudgeRule.id))
_CLEAR = Statement(NudgeRule.delete().where(NudgeRule.site_id == P.site_id))
_ADD_RULE = Statement(
    NudgeRule.insert(
        site_id=P.site_id, path=P.path, delay_seconds=P.delay_seconds, variants=P.variants, frequency=P.frequency,
        created_ms=P.now_ms,
    )
)
_EVENTS = Statement(
    NudgeEvent.select(NudgeEvent.rule_path, NudgeEvent.event, NudgeEvent.created_ms)
    .where((NudgeEvent.visitor_id == P.visitor_id) & (NudgeEvent.rule_path != ""))
)
_ADD_EVENT = Statement(
    NudgeEvent.insert(
        site_id=P.site_id, visitor_id=P.visitor_id, event=P.event, rule_path=P.rule_path, variant=P.variant,
        message_seq=P.message_seq, created_ms=P.now_ms,
    )
)


def pending(tx: Transaction, *, site_id: int, session_id: str, path: str) -> list[dict]:
    """The rules' nudges for this page that the visitor's frequency still allows, as the wire shows them."""
    rules = [rule for rule in tx.all(_RULES, site_id=site_id) if _fits(rule.path, path)]
    if not rules:
        return []
    visitor = find(tx, site_id, session_id)
    events = tx.all(_EVENTS, visitor_id=visitor.id) if visitor else []
    now_ms = tx.now_ms()
    return [
        _to_wire(rule, session_id, now_ms)
        for rule in rules
        if _is_due(rule, [event for event in events if event.rule_path == rule.path], now_ms)
    ]


def paths(tx: Transaction, *, site_id: int) -> list[str]:
    """The paths of a site's rules: on other pages nobody needs to ask."""
    return [rule.path for rule in tx.all(_RULES, site_id=site_id)]


def variant_of(session_id: str, rule_path: str, weights: list[int]) -> int:
    """The variant a visitor gets, from 0: a hash of session and rule, so it sticks without being stored."""
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
    nudge that is none, or none any more. Raises ApiError blocked."""
    visitor = LockedVisitor.find_or_create(tx, site_id, session_id)
    blocks.refuse(visitor, address=address)
    rule = next((rule for rule in tx.all(_RULES, site_id=site_id) if rule.path == rule_path), None)
    message = messages.one(tx, visitor.id, message_seq) if message_seq is not None else None
    if rule is None and (message is None or message.role != "proactive"):
        return
    variant = variant_of(session_id, rule_path, _weights(rule)) if rule else None
    tx.run(
        _ADD_EVENT, site_id=site_id, visitor_id=visitor.id, event=event, variant=variant,
        rule_path=rule_path if rule else "", message_seq=None if rule else message_seq, now_ms=visitor.now_ms,
    )


def replace_rules(tx: Transaction, *, site_id: int, rules: list[dict]) -> None:
    """Set a site's rules: [{path, delay_seconds, variants: [{message, weight}], frequency}]."""
    tx.run(_CLEAR, site_id=site_id)
    for rule in rules:
        tx.run(
            _ADD_RULE, site_id=site_id, path=rule["path"], delay_seconds=rule.get("delay_seconds", 0),
            variants=json.dumps(rule["variants"], ensure_ascii=False), frequency=rule.get("frequency", "once"),
            now_ms=tx.now_ms(),
        )


def _fits(pattern: str, path: str) -> bool:
    """`*` stands for any run of characters; a trailing slash makes no difference."""
    parts = (re.escape(part) for part in (pattern.rstrip("/") or "/").split("*"))
    return re.fullmatch(".*".join(parts), path.rstrip("/") or "/", re.DOTALL) is not None


def _is_due(rule: Any, events: list, now_ms: int) -> bool:
    """A dismissed nudge never comes back; a shown one as often as its frequency says."""
    if any(event.event == "dismissed" for event in events):
        return False
    shown_ms = max((event.created_ms for event in events), default=None)
    if shown_ms is None or rule.frequency == "always":
        return True
    return rule.frequency == "daily" and now_ms - shown_ms >= DAY_MS


def _weights(rule: Any) -> list[int]:
    return [variant.get("weight", 1) for variant in json.loads(rule.variants)]


def _to_wire(rule: Any, session_id: str, now_ms: int) -> dict:
    number = variant_of(session_id, rule.path, _weights(rule))
    return {
        "id": None,
        "content": json.loads(rule.variants)[number]["message"],
        "rule_path": rule.path,
        "variant": number,
        "delay_seconds": rule.delay_seconds,
        "created_at": messages.to_time(now_ms),
    }
