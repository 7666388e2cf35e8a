"""What became of a site's nudges: impressions, clicks and conversions per rule and variant.

A conversion is a visitor who wrote after having been shown the variant. Resetting begins to count anew; what
visitors dismissed and how often they were asked stays known.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from peewee import fn

from vexar.models import Message, NudgeEvent
from vexar.nudges import nudge_rules
from vexar.store import P, Statement, Transaction

EVENTS = {"shown": "impressions", "clicked": "clicks", "dismissed": "dismissals"}
_COUNTED = (NudgeEvent.site_id == P.site_id) & (NudgeEvent.rule_path != "") & (NudgeEvent.id > P.after_id)

_COUNTS = Statement(
    NudgeEvent.select(
        NudgeEvent.rule_path, NudgeEvent.variant, NudgeEvent.event, fn.COUNT(NudgeEvent.id).alias("number")
    ).where(_COUNTED).group_by(NudgeEvent.rule_path, NudgeEvent.variant, NudgeEvent.event)
)
_WROTE_AFTER = Message.select(Message.seq).where(
    (Message.visitor_id == NudgeEvent.visitor_id) & (Message.role == "visitor")
    & (Message.created_ms >= NudgeEvent.created_ms)
)
_CONVERSIONS = Statement(
    NudgeEvent.select(
        NudgeEvent.rule_path, NudgeEvent.variant, fn.COUNT(NudgeEvent.visitor_id.distinct()).alias("number")
    ).where(_COUNTED & (NudgeEvent.event == "shown") & fn.EXISTS(_WROTE_AFTER))
    .group_by(NudgeEvent.rule_path, NudgeEvent.variant)
)
_NEWEST = Statement(NudgeEvent.select(fn.MAX(NudgeEvent.id).alias("id")).where(NudgeEvent.site_id == P.site_id))


def newest(tx: Transaction, *, site_id: int) -> int:
    """The number of a site's newest nudge event; 0 for none."""
    return tx.one(_NEWEST, site_id=site_id).id or 0


def of_site(tx: Transaction, *, site_id: int, after_id: int) -> list[dict]:
    """[{path, is_current, impressions, clicks, dismissals, conversions, variants: [{id, message, is_current, ...}]}]
    from the events behind `after_id`: the rules in their order, then those there are no more. A heavy read."""
    counts: dict[tuple[str, int], dict[str, int]] = {}
    for row in tx.all(_COUNTS, site_id=site_id, after_id=after_id):
        _figures(counts, row)[EVENTS[row.event]] = row.number
    for row in tx.all(_CONVERSIONS, site_id=site_id, after_id=after_id):
        _figures(counts, row)["conversions"] = row.number
    rules = {rule.path: nudge_rules.variants_of(rule) for rule in nudge_rules.of_site(tx, site_id=site_id)}
    gone = sorted({path for path, _ in counts} - rules.keys())
    return [_rule(path, rules.get(path), counts) for path in [*rules, *gone]]


def _figures(counts: dict, row: Any) -> dict[str, int]:
    return counts.setdefault((row.rule_path, row.variant), _nothing())


def _nothing() -> dict[str, int]:
    return dict.fromkeys((*EVENTS.values(), "conversions"), 0)


def _rule(path: str, variants: list[dict] | None, counts: dict[tuple[str, int], dict[str, int]]) -> dict:
    shown = list(_variants(path, variants or [], counts))
    sums = {name: sum(variant[name] for variant in shown) for name in _nothing()}
    return {"path": path, "is_current": variants is not None, **sums, "variants": shown}


def _variants(path: str, variants: list[dict], counts: dict[tuple[str, int], dict[str, int]]) -> Iterator[dict]:
    words = {variant["id"]: variant["message"] for variant in variants}
    past = sorted(number for name, number in counts if name == path and number not in words)
    for number in [*words, *past]:
        yield {
            "id": number, "message": words.get(number), "is_current": number in words,
            **counts.get((path, number), _nothing()),
        }
