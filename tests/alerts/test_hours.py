"""Quiet hours and digest times, over the days when the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.alerts.hours import is_quiet, last_weekly, next_daily, next_hour, quiet_end
from bot.model import QuietHours

_ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Asia/Tehran",
    "Africa/Cairo",
]
_TIMES = st.times().map(lambda t: t.replace(second=0, microsecond=0))
_NEAR_CHANGES = st.sampled_from([datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC),
                                 datetime(2026, 3, 8, 7, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC),
                                 datetime(2026, 4, 4, 15, tzinfo=UTC)])  # fmt: skip
_MOMENTS = st.one_of(
    st.integers(1_704_067_200, 1_893_456_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.builds(lambda t, minutes: t + timedelta(minutes=minutes), _NEAR_CHANGES, st.integers(-1500, 1500)),
)
_QUIET = st.builds(QuietHours, _TIMES, _TIMES, st.sampled_from(_ZONES))


def _utc(*parts: int) -> datetime:
    year, month, day, hour, minute = parts
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hour", "quiet"), [(21, False), (22, True), (23, True), (0, True), (6, True), (7, False), (12, False)]
)
def test_over_midnight(hour: int, quiet: bool) -> None:
    """Hours from ten to seven span midnight; the end itself is awake."""
    assert is_quiet(QuietHours(time(22), time(7)), _utc(2026, 3, 2, hour, 0)) is quiet


def test_equal_ends_are_no_quiet_hours() -> None:
    """Hours that end when they start are none, not all."""
    assert not is_quiet(QuietHours(time(7), time(7)), _utc(2026, 3, 2, 7, 0))


@settings(deadline=None)
@given(_QUIET, _MOMENTS)
def test_quiet_end_is_the_first_awake_moment(quiet: QuietHours, now: datetime) -> None:
    """The end lies at or after now, is awake, within 25 hours, and every minute before it is quiet."""
    end = quiet_end(quiet, now)
    assert now <= end <= now + timedelta(hours=25)
    assert not is_quiet(quiet, end)
    if end > now:
        minutes = int((end - now).total_seconds() // 60)
        probes = {0, minutes // 3, minutes // 2, max(0, minutes - 1), *range(0, minutes, 17)}
        assert all(is_quiet(quiet, now + timedelta(minutes=probe)) for probe in probes)
        assert is_quiet(quiet, end - timedelta(seconds=1))


def test_end_in_the_hour_that_spring_skips() -> None:
    """Quiet until 02:30 on a night on which 02:00 becomes 03:00 ends with the jump."""
    quiet = QuietHours(time(22), time(2, 30), "Europe/Berlin")
    assert quiet_end(quiet, _utc(2026, 3, 29, 0, 0)) == _utc(2026, 3, 29, 1, 0)


def test_end_in_the_hour_that_autumn_repeats() -> None:
    """Quiet until 02:30 on a night on which the hour from two to three comes twice ends twice; each end is one."""
    quiet = QuietHours(time(22), time(2, 30), "Europe/Berlin")
    assert quiet_end(quiet, _utc(2026, 10, 24, 23, 0)) == _utc(2026, 10, 25, 0, 30)
    assert quiet_end(quiet, _utc(2026, 10, 25, 1, 10)) == _utc(2026, 10, 25, 1, 30)


@settings(deadline=None)
@given(_TIMES, st.sampled_from(_ZONES), _MOMENTS)
def test_daily_digest_comes_once_a_local_day(at: time, zone: str, start: datetime) -> None:
    """Followed for five days, digests come once on each local date, in order."""
    moments = []
    now = start
    for _ in range(5):
        now = next_daily(at, now, zone)
        moments.append(now)
    days = [moment.astimezone(ZoneInfo(zone)).date() for moment in moments]
    assert days == [days[0] + timedelta(days=n) for n in range(5)]
    assert moments[0] > start
    assert moments[0] - start <= timedelta(hours=25)


@settings(deadline=None)
@given(st.sampled_from(_ZONES), _MOMENTS)
def test_next_hour_is_full_and_near(zone: str, now: datetime) -> None:
    """The next full local hour lies within an hour and shows no minutes, unless the clocks change by half an hour."""
    found = next_hour(now, zone)
    assert timedelta(0) < found - now <= timedelta(hours=1)
    offsets = {moment.astimezone(ZoneInfo(zone)).utcoffset() for moment in (now, found)}
    if len(offsets) == 1:
        assert found.astimezone(ZoneInfo(zone)).minute == 0


@settings(deadline=None)
@given(st.integers(0, 6), _TIMES, st.sampled_from(_ZONES), _MOMENTS)
def test_the_last_weekly_moment_is_the_newest_that_has_come(weekday: int, at: time, zone: str, now: datetime) -> None:
    """It is not after now, less than eight days ago, on that local weekday, and the one a week later is still ahead."""
    last = last_weekly(weekday, at, now, zone)
    assert last <= now < last + timedelta(days=8)
    local = last.astimezone(ZoneInfo(zone))
    jumped = local.time() != at
    assert jumped or local.weekday() == weekday
    later = last_weekly(weekday, at, last + timedelta(days=7, hours=3), zone)
    assert later > now or later == last


def test_monday_at_eight_is_the_zones() -> None:
    """In Berlin's summer it is six in UTC; a second before, last week's still holds."""
    monday = _utc(2026, 7, 6, 6, 0)
    assert last_weekly(0, time(8), monday, "Europe/Berlin") == monday
    assert last_weekly(0, time(8), monday - timedelta(seconds=1), "Europe/Berlin") == monday - timedelta(days=7)
