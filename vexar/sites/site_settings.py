"""The chatbot settings as operators change them: the rules that a type cannot say, the change, what is shown of it.

A change names only what it changes; it is read, checked and written in one job under the lock of the site's row, so
that two changes at once both stay. Secrets go in and never come out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache
from typing import Any
from zoneinfo import available_timezones

import msgspec
from peewee import fn

from vexar.errors import invalid
from vexar.models import Operator, OperatorSite, Site
from vexar.sites import sites
from vexar.sites.settings import SiteSettings, WorkingHours, read_settings, write_settings
from vexar.store import P, Statement, Transaction

# In the settings, but the site's row keeps the first one.
SECRETS = ("identity_secret", "data_api_key", "webhook_secret")
# Ours alone: no operator reads or writes them.
_INTERNAL = ("nudge_figures_after_id",)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60
UPLOADS = "/uploads/"

_SAVE = Statement(
    Site.update(settings=P.settings, identity_secret=P.identity_secret, changed_ms=P.now_ms).where(Site.id == P.id)
)
_CAN_CHAT = Statement(
    Operator.select(fn.COUNT(Operator.id).alias("found"))
    .where(
        (Operator.id == P.operator_id) & (Operator.is_active == 1)
        & ((Operator.is_owner == 1) | Operator.id.in_(
            OperatorSite.select(OperatorSite.operator_id)
            .where((OperatorSite.site_id == P.site_id) & (OperatorSite.can_chat == 1))
        ))
    )
)


def shown(site: Any) -> dict:
    """`config`, which may be sent back as it is, and of each secret whether it is set."""
    settings = read_settings(site.settings)
    config = msgspec.to_builtins(settings)
    hidden = {**config, "identity_secret": site.identity_secret}
    for name in (*_INTERNAL, "data_api_key", "webhook_secret"):
        del config[name]
    return {"config": config, "secrets": {name: bool(hidden[name]) for name in SECRETS}}


def checked(changes: dict[str, Any]) -> dict[str, Any]:
    """The changes as they are stored. Raises ApiError invalid with every field that cannot be."""
    errors, good = {}, {}
    for name, value in changes.items():
        try:
            good[name] = _RULES.get(name, _as_given)(value)
        except ValueError as problem:
            errors[name] = str(problem)
    if errors:
        raise invalid(**errors)
    return good


def change(tx: Transaction, *, site_id: int, changes: dict[str, Any], providers: Collection[str]) -> Any:
    """Set these fields, as `checked` gave them: the site's row; None when it is gone. `providers`: which there are.

    Raises ApiError invalid for fields that do not fit the others.
    """
    site = sites.lock(tx, site_id)
    if site is None:
        return None
    before = read_settings(site.settings)
    secret = changes.get("identity_secret", site.identity_secret)
    after = msgspec.structs.replace(
        before, **{name: value for name, value in changes.items() if name != "identity_secret"}
    )
    # Else who may edit, but never saw the key, could have it sent to an address of his own.
    if "data_api_key" not in changes and not is_key_of(before, after.data_api_url):
        after.data_api_key = ""
    errors = _misfits(after, secret)
    # Only when it changes: what was there when it was chosen may be away at the moment.
    if after.ai_provider != before.ai_provider and after.ai_provider not in ("", *providers):
        errors["ai_provider"] = "is not set up on this server; see ai-providers"
    if after.operator_routing == "one" and not _can_chat(tx, site_id, after.operator_id):
        errors["operator_id"] = "must be somebody who may chat on this site"
    if errors:
        raise invalid(**errors)
    tx.run(_SAVE, id=site_id, settings=write_settings(after), identity_secret=secret, now_ms=tx.now_ms())
    return sites.lock(tx, site_id)


def is_key_of(settings: SiteSettings, url: str) -> bool:
    """Whether the stored key of the Data API may go to this address: to that of the settings, or its origin."""
    stored = settings.data_api_url
    return url == stored or not stored or (bool(url) and _origin(url) == _origin(stored))


def forget_figures(tx: Transaction, *, site_id: int, after_id: int) -> None:
    """Nudge events up to this number do not count in the figures any more."""
    site = sites.lock(tx, site_id)
    if site is not None:
        settings = msgspec.structs.replace(read_settings(site.settings), nudge_figures_after_id=after_id)
        tx.run(
            _SAVE, id=site_id, settings=write_settings(settings), identity_secret=site.identity_secret,
            now_ms=tx.now_ms(),
        )


def _misfits(settings: SiteSettings, identity_secret: str) -> dict[str, str]:
    errors = {}
    if settings.identity_required and not identity_secret:
        # Nobody could write any more.
        errors["identity_required"] = "needs an identity_secret"
    if settings.data_api_enabled and not settings.data_api_url:
        errors["data_api_enabled"] = "needs a data_api_url"
    return errors


def _can_chat(tx: Transaction, site_id: int, operator_id: int | None) -> bool:
    return bool(operator_id and tx.one(_CAN_CHAT, operator_id=operator_id, site_id=site_id).found)


def _as_given(value: Any) -> Any:
    return value


def _filled(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text


def _all_filled(texts: list[str]) -> list[str]:
    return [_filled(text) for text in texts]


def _colour(text: str) -> str:
    """#rgb as #rrggbb, in lower case: what every style sheet and colour field takes."""
    digits = text.removeprefix("#").lower()
    return f"#{''.join(digit * 2 for digit in digits) if len(digits) == 3 else digits}" if digits else ""


def _own_url(text: str | None) -> str:
    """An address that this server will call; empty: none."""
    if not text:
        return ""
    if sites.web_address(text).username is not None:
        raise ValueError("must not hold a name or password")
    return text


def _origin(url: str) -> str:
    return sites.origin_of(sites.web_address(url))


def _avatar(text: str | None) -> str | None:
    if text and text.startswith(UPLOADS):
        return text
    return _own_url(text) or None


def _secret(text: str | None) -> str:
    if text and not (text.isascii() and text.isprintable() and " " not in text):
        raise ValueError("must be ASCII characters without spaces")
    return text or ""


def _origins(origins: list[str]) -> list[str]:
    """As browsers send them, each once."""
    return list(dict.fromkeys(map(sites.normal_origin, origins)))


@cache
def _zones() -> frozenset[str]:
    # Two that a machine may have beside IANA's: its own zone, and the one that says that none is set.
    return frozenset(available_timezones() - {"localtime", "Factory"})


def _hours(hours: Any) -> WorkingHours | None:
    """A real time zone, and intervals that do not overlap, also not over midnight or from Sunday to Monday."""
    if hours is None:
        return None
    if hours.timezone not in _zones():
        raise ValueError("timezone must be an IANA name such as Europe/Berlin")
    taken: list[tuple[int, int]] = []
    for number, day in enumerate(DAYS):
        for begin, end in hours.days.get(day, ()):
            start_minute, end_minute = _minute(day, begin), _minute(day, end)
            if start_minute in (DAY_MINUTES, end_minute):
                raise ValueError(f"{day}: an interval must begin before 24:00 and not end when it begins")
            length = (end_minute - start_minute) % DAY_MINUTES or DAY_MINUTES
            taken.append((number * DAY_MINUTES + start_minute, length))
    taken.sort()
    for place, (start, length) in enumerate(taken):
        next_start = taken[place + 1][0] if place + 1 < len(taken) else taken[0][0] + 7 * DAY_MINUTES
        if start + length > next_start:
            raise ValueError(f"{DAYS[start // DAY_MINUTES]}: intervals must not overlap")
    return WorkingHours(timezone=hours.timezone, days={day: list(times) for day, times in hours.days.items()})


def _minute(day: str, text: str) -> int:
    hour, separator, minute = text.partition(":")
    is_time = separator and len(hour) == len(minute) == 2 and (hour + minute).isascii() and (hour + minute).isdigit()
    found = int(hour) * 60 + int(minute) if is_time and int(minute) < 60 else DAY_MINUTES + 1
    if found > DAY_MINUTES:
        raise ValueError(f"{day}: a time must be from 00:00 to 24:00")
    return found


_RULES: dict[str, Callable[[Any], Any]] = {
    "bot_name": _filled, "starters": _all_filled, "behavior_goals": _all_filled,
    "primary_color": _colour, "header_color": _colour, "bot_avatar_url": _avatar,
    "data_api_url": _own_url, "webhook_url": _own_url, "working_hours": _hours, "allowed_origins": _origins,
    **dict.fromkeys(SECRETS, _secret),
}
