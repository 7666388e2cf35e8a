"""What a site may use in a month or a day: messages (exact) and tokens (reserved before, settled after)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from vexar.answers import ledger
from vexar.errors import ApiError
from vexar.models import Budget, Site
from vexar.sites.settings import SiteSettings
from vexar.store import Duplicate, P, Statement, Transaction

CHARS_PER_TOKEN = 4
# What a prompt and an answer take beside the visitor's own words, until the upstream has counted.
RESERVED_TOKENS = 2_000

_SITE = Statement(Site.select(Site.id).where(Site.id == P.id))
_FIND = Statement(
    Budget.select(Budget).where((Budget.site_id == P.site_id) & (Budget.period == P.period)), lock=True
)
_ADD = Statement(Budget.insert(site_id=P.site_id, period=P.period, messages=0, tokens=0))
_USE = Statement(
    Budget.update(messages=Budget.messages + P.messages, tokens=Budget.tokens + P.tokens)
    .where((Budget.site_id == P.site_id) & (Budget.period == P.period))
)


def take(
    tx: Transaction, site_id: int, settings: SiteSettings, *, chars: int, now_ms: int, is_new: bool = True,
    asks_model: bool = True,
) -> int:
    """Count a message that is new, and reserve tokens for an answer of the model: how many.

    Refused is what comes when the budget is used up, so the last answer may overrun it; a refusal of what may not
    fit would leave small budgets unused. Raises ApiError budget_exhausted.
    """
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    # A repeat was counted when it came first.
    if settings.messages_per_month and is_new:
        if _used(tx, site_id, _month(now)).messages >= settings.messages_per_month:
            raise ApiError("budget_exhausted", retry_after=_seconds_to_next_month(now))
        tx.run(_USE, site_id=site_id, period=_month(now), messages=1, tokens=0)
    if not settings.tokens_per_day or not asks_model:
        return 0
    # The budget's row first: it is locked, so what others reserve meanwhile is seen.
    used = _used(tx, site_id, _day(now)).tokens
    if used + ledger.site_load(tx, site_id, now_ms)[1] >= settings.tokens_per_day:
        raise ApiError("budget_exhausted", retry_after=_seconds_to_next_day(now))
    return RESERVED_TOKENS + chars // CHARS_PER_TOKEN


def settle(tx: Transaction, *, site_id: int, tokens: int) -> None:
    """Count the tokens an answer really took; nowhere for a site that was removed meanwhile."""
    if tx.one(_SITE, id=site_id) is None:
        return
    period = _day(datetime.fromtimestamp(tx.now_ms() / 1000, UTC))
    _used(tx, site_id, period)
    tx.run(_USE, site_id=site_id, period=period, messages=0, tokens=tokens)


def _used(tx: Transaction, site_id: int, period: str) -> object:
    found = tx.one(_FIND, site_id=site_id, period=period)
    if found is None:
        try:
            tx.run(_ADD, site_id=site_id, period=period)
        except Duplicate:
            # Another worker made it a moment ago (MySQL only).
            pass
        found = tx.one(_FIND, site_id=site_id, period=period)
    return found


def _month(now: datetime) -> str:
    return f"{now:%Y-%m}"


def _day(now: datetime) -> str:
    return f"{now:%Y-%m-%d}"


def _seconds_to_next_day(now: datetime) -> int:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return int((midnight - now).total_seconds()) + 1


def _seconds_to_next_month(now: datetime) -> int:
    first = (now.replace(day=1) + timedelta(days=32)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return int((first - now).total_seconds()) + 1
