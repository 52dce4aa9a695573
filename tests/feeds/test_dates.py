"""Dates as publishers write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.feeds.dates import believable, parsed
from tests.feeds.conftest import NOW

EIGHT = datetime(2026, 3, 14, 8, 5, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "Sat, 14 Mar 2026 08:05:09 GMT", "Sat, 14 Mar 2026 08:05:09 +0000", "Sat, 14 Mar 2026 10:05:09 +0200",
        "14 Mar 26 08:05:09 UT", "Saturday, 14 March 2026 08:05:09 Z", "Sat,14 Mar 2026 08:05:09 GMT", "14-Mar-2026 08:05:09",
        "Sat, 14 Mar 2026 03:05:09 EST", "Sat, 14 Mar 2026 04:05:09 EDT", "Sat, 14 Mar 2026 11:05:09 MSK",
        "Sat, 14 Mar 2026 08:05:09 GMT+0000", "sat, 14 mar 2026 08:05:09 gmt", "Sat 14 Mar 2026 08:05:09 GMT",
        "Sat, 14 Mar 2026, 08:05:09 GMT", "Sat, 14 Mar 2026 8:05:09 AM GMT", "Sáb, 14 mar 2026 08:05:09 GMT",
        "Сб, 14 мар 2026 11:05:09 +0300", "sam., 14 mars 2026 09:05:09 +0100", "Sa, 14 März 2026 09:05:09 +0100",
        "14 marca 2026 08:05:09", "14 de marzo de 2026 08:05:09",
        "2026-03-14T08:05:09Z", "2026-03-14T10:05:09+02:00", "2026-03-14T10:05:09+0200", "2026-03-14T10:05:09.123456+02:00",
        "2026-03-14 08:05:09", "2026-03-14T08:05:09", "20260314T080509Z", "2026-03-14 08:05:09 UTC", "2026-03-14 08:05:09 +0000",
        "2026/03/14 08:05:09", "14.03.2026 08:05:09", "March 14, 2026 08:05:09", "Sat Mar 14 08:05:09 2026",
        "Sat Mar 14 08:05:09 UTC 2026", "Mar 14, 2026 8:05:09 AM", "1773475509", "1773475509000",
    ],
)  # fmt: skip
def test_one_moment_in_many_hands(text: str) -> None:
    """RFC 822 and 3339, their misspellings, other languages' months and epochs name the same moment."""
    assert parsed(text) == EIGHT
    assert parsed(f"  {text}\n") == EIGHT


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-14", 14),
        ("14 Mar 2026", 14),
        ("Sat, 14 Mar 2026", 14),
        ("2026-03-13T24:00:00Z", 14),
        ("March 14, 2026", 14),
    ],
)
def test_a_date_without_a_time_is_its_midnight(text: str, day: int) -> None:
    """Days alone start at midnight UTC; 24:00 is the next day's."""
    assert parsed(text) == datetime(2026, 3, day, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "soon", "32 Mar 2026", "14 Foo 2026 08:00", "2026-02-30", "25:00", "-1", "5", "NaN", "Infinity", "٢٠٢٦"],
)
def test_what_is_no_date_is_none(text: str) -> None:
    """Nonsense is not guessed at."""
    assert parsed(text) is None


@given(st.text(max_size=200))
def test_no_text_raises(text: str) -> None:
    """Any text is a moment in UTC or None."""
    when = parsed(text)
    assert when is None or when.tzinfo is UTC


@given(
    st.datetimes(min_value=datetime(1990, 1, 2), max_value=datetime(2068, 1, 1)),  # noqa: DTZ001  # made aware below
    st.integers(-12 * 60, 14 * 60),
)
def test_standard_forms_round_trip(naive: datetime, offset: int) -> None:
    """What the standard library writes by RFC 5322 and 3339 is read as the same second."""
    when = naive.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=offset)))
    assert parsed(format_datetime(when)) == when
    assert parsed(when.isoformat()) == when


def test_believable_dates_lie_between_1990_and_two_days_ahead() -> None:
    """The bounds of belief are exact."""
    assert believable(NOW + timedelta(hours=48), NOW)
    assert not believable(NOW + timedelta(hours=48, seconds=1), NOW)
    assert believable(datetime(1990, 1, 1, tzinfo=UTC), NOW)
    assert not believable(datetime(1989, 12, 31, 23, 59, 59, tzinfo=UTC), NOW)
    assert not believable(None, NOW)
