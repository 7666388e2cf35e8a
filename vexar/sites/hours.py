"""Working hours: whether people answer now, and when they begin again. Wall-clock times of the site's own zone.

An interval that ends before it begins lasts until the next day. On the nights the clocks change the wall clock
counts: an hour that comes twice is open twice.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vexar.sites.settings import WorkingHours

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def zone(hours: WorkingHours) -> ZoneInfo:
    """The time zone; UTC for a name this machine does not know."""
    try:
        return ZoneInfo(hours.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def is_open(hours: WorkingHours | None, now_ms: int) -> bool:
    """Whether this moment lies within the hours; no hours mean always."""
    if hours is None:
        return True
    now = _local(hours, now_ms)
    minute = now.hour * 60 + now.minute
    if any(start <= minute and (minute < end or end <= start) for start, end in _intervals(hours, now.weekday())):
        return True
    yesterday = _intervals(hours, (now.weekday() - 1) % 7)
    return any(end <= start and minute < end for start, end in yesterday)


def next_opening(hours: WorkingHours | None, now_ms: int) -> datetime | None:
    """When the hours begin next, in the site's zone; None when they never do, or always are."""
    if hours is None:
        return None
    now = _local(hours, now_ms)
    found = [
        datetime.combine(day, time(start // 60, start % 60), tzinfo=now.tzinfo)
        for day in (now.date() + timedelta(days=ahead) for ahead in range(8))
        for start, _ in _intervals(hours, day.weekday())
    ]
    # Compared as moments: two times of one zone would be compared by what the wall clock shows.
    later = [moment for moment in found if moment.timestamp() * 1_000 > now_ms]
    return min(later, key=datetime.timestamp, default=None)


def _local(hours: WorkingHours, now_ms: int) -> datetime:
    return datetime.fromtimestamp(now_ms / 1_000, UTC).astimezone(zone(hours))


def _intervals(hours: WorkingHours, weekday: int) -> list[tuple[int, int]]:
    """The intervals that begin on a weekday (0: Monday), in minutes since midnight; 24:00 is midnight at the end."""
    return [(_minutes(start), _minutes(end)) for start, end in hours.days.get(DAYS[weekday], ())]


def _minutes(text: str) -> int:
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute or 0)
