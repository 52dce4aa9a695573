"""Local times of day: quiet hours and digest times, right on the days when the clocks change.

On such a day a local time may not exist (spring) or exist twice (autumn). A time that does not exist stands for the
instant at which the clocks jump over it; of one that exists twice the first counts, so that a digest comes once.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.model import QuietHours

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


def is_quiet(quiet: QuietHours, now: datetime) -> bool:
    """Whether a moment lies in quiet hours; hours that end when they start are none."""
    local = now.astimezone(ZoneInfo(quiet.zone)).time()
    if quiet.start <= quiet.end:
        return quiet.start <= local < quiet.end
    return local >= quiet.start or local < quiet.end


def quiet_end(quiet: QuietHours, now: datetime) -> datetime:
    """The first moment at or after ``now`` that is not quiet, in UTC."""
    if not is_quiet(quiet, now):
        return now
    zone = ZoneInfo(quiet.zone)
    today = now.astimezone(zone).date()
    ends = sorted(
        instant
        for day in (today - _DAY, today, today + _DAY, today + 2 * _DAY)
        for instant in _instants(day, quiet.end, zone)
        if instant > now
    )
    return next(instant for instant in ends if not is_quiet(quiet, instant))


def next_hour(now: datetime, zone: str) -> datetime:
    """The next full local hour after ``now``, in UTC."""
    local = now.astimezone(ZoneInfo(zone))
    past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return now.astimezone(UTC) - past + timedelta(hours=1)


def next_daily(at: time, now: datetime, zone: str) -> datetime:
    """The next moment after ``now`` at which a local day reaches a time, once a day, in UTC."""
    local = ZoneInfo(zone)
    today = now.astimezone(local).date()
    days = (today - _DAY, today, today + _DAY, today + 2 * _DAY)
    return min(first for day in days if (first := _instants(day, at, local)[0]) > now)


def last_weekly(weekday: int, at: time, now: datetime, zone: str) -> datetime:
    """The newest moment not after ``now`` at which a local week reached a day (0 is Monday) and a time, in UTC."""
    local = ZoneInfo(zone)
    today = now.astimezone(local).date()
    day = today - timedelta(days=(today.weekday() - weekday) % 7)
    reached = _instants(day, at, local)[0]
    return reached if reached <= now else _instants(day - timedelta(days=7), at, local)[0]


def _instants(day: date, at: time, zone: ZoneInfo) -> tuple[datetime, ...]:
    """The moments, in UTC, at which a local clock shows a time on a day: one, two, or the jump over it."""
    wall = datetime.combine(day, at.replace(tzinfo=None))
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return (first,)
    if first < second:
        return (first, second)
    return (_jump(second, first, zone),)


def _jump(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The moment between two at which the zone's offset changes, to the second."""
    before = low.astimezone(zone).utcoffset()
    while high - low > _SECOND:
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high
