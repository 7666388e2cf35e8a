"""Working hours: zones, nights the clocks change, intervals over midnight, the next opening."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from vexar.conversing.lines import moment
from vexar.sites.hours import is_open, next_opening
from vexar.sites.settings import WorkingHours

BERLIN = WorkingHours(timezone="Europe/Berlin", days={
    "mon": [("09:00", "12:00"), ("13:00", "17:30")], "fri": [("22:00", "02:30")], "sun": [("00:00", "24:00")],
})  # fmt: skip


def at(text: str, zone: str = "UTC", fold: int = 0) -> int:
    """Milliseconds of a wall-clock time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp() * 1_000)


@pytest.mark.parametrize(("when", "is_within"), [
    ("2026-11-23T09:00", True), ("2026-11-23T08:59", False), ("2026-11-23T12:00", False), ("2026-11-23T13:00", True),
    ("2026-11-23T17:29", True), ("2026-11-23T17:30", False), ("2026-11-24T10:00", False),
    # Friday night belongs to Friday, also on Saturday; the night before does not.
    ("2026-11-27T21:59", False), ("2026-11-27T22:00", True), ("2026-11-28T02:29", True), ("2026-11-28T02:30", False),
    ("2026-11-27T02:00", False), ("2026-11-29T00:00", True), ("2026-11-29T23:59", True),
])
def test_the_wall_clock_of_the_sites_zone_decides(when, is_within):
    assert is_open(BERLIN, at(when, "Europe/Berlin")) is is_within


@pytest.mark.parametrize(("utc", "is_within"), [
    # Summer and winter: nine in Berlin is seven and eight in UTC.
    ("2026-07-06T07:00", True), ("2026-07-06T06:59", False), ("2026-11-23T08:00", True), ("2026-11-23T07:59", False),
])
def test_summer_time_moves_the_hours_with_the_wall_clock(utc, is_within):
    assert is_open(BERLIN, at(utc)) is is_within


def test_an_hour_that_comes_twice_is_open_twice_and_one_that_never_comes_harms_nothing():
    night = WorkingHours(timezone="Europe/Berlin", days={"sun": [("02:15", "02:45")]})
    assert [is_open(night, at("2026-10-25T02:30", "Europe/Berlin", fold)) for fold in (0, 1)] == [True, True]
    before = at("2026-03-29T00:30")
    assert not is_open(night, before)
    assert next_opening(night, before) is not None


def test_no_hours_mean_always_and_no_days_never():
    never = WorkingHours(timezone="Europe/Berlin")
    assert (is_open(None, 0), next_opening(None, 0)) == (True, None)
    assert (is_open(never, 0), next_opening(never, 0)) == (False, None)


@pytest.mark.parametrize(("when", "opening"), [
    ("2026-11-23T08:00", "Monday, 09:00 (Europe/Berlin)"), ("2026-11-23T12:30", "Monday, 13:00 (Europe/Berlin)"),
    ("2026-11-23T18:00", "Friday, 22:00 (Europe/Berlin)"), ("2026-11-28T12:00", "Sunday, 00:00 (Europe/Berlin)"),
])
def test_the_next_opening_is_named_as_people_say_it(when, opening):
    assert moment(next_opening(BERLIN, at(when, "Europe/Berlin")), "en") == opening


def test_a_week_with_one_opening_names_the_same_day_again():
    monday = WorkingHours(timezone="UTC", days={"mon": [("09:00", "10:00")]})
    assert next_opening(monday, at("2026-11-23T10:30")) == datetime(2026, 11, 30, 9, tzinfo=ZoneInfo("UTC"))


def test_a_zone_nobody_knows_counts_as_utc():
    assert is_open(WorkingHours(timezone="Mars/Base", days={"mon": [("09:00", "10:00")]}), at("2026-11-23T09:30"))
