"""A site's rules for proactive messages: what a rule may say, how a new list replaces the old one, its wire form.

A variant has a number that it keeps while rules are edited, so that a visitor keeps what it was shown first. Which
rule is which is told by its path.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from peewee import fn

from vexar.errors import invalid
from vexar.models import NudgeEvent, NudgeRule
from vexar.sites import sites
from vexar.store import P, Statement, Transaction

MAX_RULES = 100
MAX_NUMBER = 1_000_000

_RULES = Statement(NudgeRule.select(NudgeRule).where(NudgeRule.site_id == P.site_id).order_by(NudgeRule.id))
_CLEAR = Statement(NudgeRule.delete().where(NudgeRule.site_id == P.site_id))
_ADD = Statement(
    NudgeRule.insert(
        site_id=P.site_id, path=P.path, delay_seconds=P.delay_seconds, variants=P.variants, frequency=P.frequency,
        created_ms=P.created_ms,
    )
)
_HIGHEST = Statement(
    NudgeEvent.select(NudgeEvent.rule_path, fn.MAX(NudgeEvent.variant).alias("number"))
    .where((NudgeEvent.site_id == P.site_id) & (NudgeEvent.rule_path != "")).group_by(NudgeEvent.rule_path)
)


class Variant(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One wording of a nudge. `weight`: how often it is drawn, beside the others. `id`: the number of the variant
    that it was until now; left out, the same words are the same variant, and other words a new one."""

    message: Annotated[str, Meta(min_length=1, max_length=4_000, pattern=r"\S")]
    weight: Annotated[int, Meta(ge=1, le=1_000)] = 1
    id: Annotated[int, Meta(ge=0, le=MAX_NUMBER)] | None = None


class Rule(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """When a nudge shows: on which pages (`*` stands for anything), after how long, how often."""

    path: Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[/*]")]
    variants: Annotated[list[Variant], Meta(min_length=1, max_length=20)]
    delay_seconds: Annotated[int, Meta(ge=0, le=3_600)] = 0
    frequency: Literal["once", "daily", "always"] = "once"


Rules = Annotated[list[Rule], Meta(max_length=MAX_RULES)]


def checked(rules: Sequence[Rule]) -> list[dict]:
    """The rules as plain values. Raises ApiError invalid (rules) where two cannot be told apart."""
    paths = [rule.path.rstrip("/") or "/" for rule in rules]
    twice = next((path for place, path in enumerate(paths) if path in paths[:place]), None)
    if twice is not None:
        raise invalid(rules=f"has {twice} twice; give one rule several variants instead")
    for rule in rules:
        given = [variant.id for variant in rule.variants if variant.id is not None]
        if len(given) != len(set(given)):
            raise invalid(rules=f"has the same variant id twice at {rule.path}")
    return msgspec.to_builtins(list(rules))


def of_site(tx: Transaction, *, site_id: int) -> list:
    """The rows of a site's rules, in their order."""
    return tx.all(_RULES, site_id=site_id)


def highest(tx: Transaction, *, site_id: int) -> dict[str, int]:
    """The highest variant number that was ever shown, by path. A heavy read on busy sites."""
    return {row.rule_path: row.number for row in tx.all(_HIGHEST, site_id=site_id) if row.number is not None}


def replace(
    tx: Transaction, *, site_id: int, rules: Sequence[dict], used: Mapping[str, int] | None = None
) -> None:
    """Set a site's rules: [{path, delay_seconds, variants: [{message, weight, id}], frequency}]. `used`: see
    `highest`; numbers up to there belong to variants of the past."""
    # Under the site's lock: two lists at once must not both stay.
    sites.lock(tx, site_id)
    before = {rule.path: rule for rule in of_site(tx, site_id=site_id)}
    tx.run(_CLEAR, site_id=site_id)
    now_ms = tx.now_ms()
    for rule in rules:
        old = before.get(rule["path"])
        numbered = _numbered(rule["variants"], variants_of(old) if old else [], (used or {}).get(rule["path"], -1))
        tx.run(
            _ADD, site_id=site_id, path=rule["path"], delay_seconds=rule.get("delay_seconds", 0),
            variants=json.dumps(numbered, ensure_ascii=False), frequency=rule.get("frequency", "once"),
            created_ms=old.created_ms if old else now_ms,
        )


def variants_of(rule: Any) -> list[dict]:
    """The variants of a rule's row: [{message, weight, id}]; rules of the first release had no numbers."""
    return [
        {"message": variant["message"], "weight": variant.get("weight", 1), "id": variant.get("id", place)}
        for place, variant in enumerate(json.loads(rule.variants))
    ]


def to_wire(rule: Any) -> dict:
    """A rule as operators see it, and may send it back."""
    return {
        "path": rule.path, "delay_seconds": rule.delay_seconds, "frequency": rule.frequency,
        "variants": variants_of(rule),
    }


def _numbered(given: Sequence[dict], before: Sequence[dict], used: int) -> list[dict]:
    """Each variant with its number: its own, that of the same words, or one that nobody ever had."""
    known = {variant["id"] for variant in before}
    by_words = {variant["message"]: variant["id"] for variant in before}
    # Told numbers first: the words of one variant may have become those of another.
    taken = {variant.get("id") for variant in given} & known
    following = max([used, *known], default=-1) + 1
    numbered = []
    for variant in given:
        number = variant.get("id")
        if number not in known:
            number = by_words.get(variant["message"])
            if number is None or number in taken:
                number, following = following, following + 1
            taken.add(number)
        numbered.append({"message": variant["message"], "weight": variant.get("weight", 1), "id": number})
    return numbered
