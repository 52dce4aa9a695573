"""What headers say, and turns at hosts."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.feeds.gate import HostGate
from bot.feeds.headers import DAY_S, freshness, hints, http_date, retry_after, validator
from tests.feeds.conftest import NOW


@given(st.text(max_size=40) | st.integers().map(str) | st.floats().map(str))
def test_N21_any_retry_after_is_bounded_or_ignored(value: str) -> None:
    """Whatever stands there, the wait is between nothing and a day, or there is none."""
    wait = retry_after(value, NOW)
    assert wait is None or 0 <= wait <= DAY_S


@given(st.integers(1, 10**7))
def test_N21_seconds_and_dates_mean_the_same(seconds: int) -> None:
    """A number of seconds and the date so far ahead are one wait."""
    date = format_datetime(NOW + timedelta(seconds=seconds))
    assert retry_after(str(seconds), NOW) == retry_after(date, NOW) == min(seconds, DAY_S)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"cache-control": "max-age=600"}, 600),
        ({"cache-control": "public, MAX-AGE = 600"}, 600),
        ({"cache-control": 's-maxage="60"'}, 60),
        ({"cache-control": "max-age=600", "age": "500"}, 100),
        ({"cache-control": "max-age=600", "age": "700"}, None),
        ({"cache-control": "max-age=99999999999"}, DAY_S),
        ({"cache-control": "no-cache, max-age=600"}, None),
        ({"cache-control": "no-store", "expires": "Sat, 14 Mar 2026 10:26:53 GMT"}, None),
        ({"expires": "Sat, 14 Mar 2026 10:26:53 GMT"}, 3600),
        ({"expires": "Sat, 14 Mar 2026 10:26:53 GMT", "date": "Sat, 14 Mar 2026 10:16:53 GMT"}, 600),
        ({"expires": "0"}, None),
        ({"expires": "Sat, 14 Mar 2020 10:26:53 GMT"}, None),
        ({"cache-control": "max-age=-1"}, None),
        ({"cache-control": "max-age=soon"}, None),
        ({}, None),
    ],
)
def test_freshness_follows_rfc_9111_within_bounds(headers: dict[str, str], seconds: float | None) -> None:
    """max-age less Age, else Expires less Date; junk and prohibitions give none."""
    assert freshness(headers, NOW) == seconds
    assert hints(headers, NOW).max_age_s == seconds


def test_dates_and_validators_that_cannot_be_used_are_none() -> None:
    """An unreadable date, and a validator that could not be sent back, are not kept."""
    assert http_date("yesterday") is None
    assert validator("") is None
    assert validator("a" * 2000) is None
    assert validator('"a\r\nX: y"') is None
    assert validator(' W/"odd" ') == ' W/"odd" '


async def test_N27_a_waiting_crowd_holds_no_connection() -> None:
    """With one connection in all, a host's queue does not keep another host from its turn."""
    gate = HostGate(per_host=1, spacing_s=0.2, connections=1)
    done: list[str] = []

    async def work(host: str) -> None:
        async with gate.slot(host):
            done.append(host)

    await asyncio.gather(work("a.example"), work("a.example"), work("b.example"))
    assert done == ["a.example", "b.example", "a.example"]


async def test_connections_are_bounded_over_all_hosts() -> None:
    """However many hosts there are, no more than ``connections`` are busy."""
    gate = HostGate(per_host=2, spacing_s=0.0, connections=3)
    busy = most = 0

    async def work(number: int) -> None:
        nonlocal busy, most
        async with gate.slot(f"h{number}.example"):
            busy += 1
            most = max(most, busy)
            await asyncio.sleep(0.002)
            busy -= 1

    await asyncio.gather(*(work(n) for n in range(30)))
    assert most == 3


async def test_a_cancelled_wait_gives_its_place_back() -> None:
    """A fetch that is cancelled in the queue leaves no slot taken."""
    gate = HostGate(per_host=1, spacing_s=0.0, connections=1)
    async with gate.slot("a.example"):
        waiting = asyncio.create_task(gate.slot("a.example").__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(1), gate.slot("a.example"):
        pass


async def test_rest_ends_by_itself_and_idle_hosts_are_forgotten() -> None:
    """A host's rest is over when its time is; thousands of hosts leave no lasting trace."""
    gate = HostGate(spacing_s=0.0)
    gate.rest("a.example", 0.05)
    assert 0 < gate.rests_for("a.example") <= 0.05
    assert gate.rests_for("b.example") == 0
    await asyncio.sleep(0.06)
    assert gate.rests_for("a.example") == 0
    for number in range(6000):
        async with gate.slot(f"h{number}.example"):
            pass
    assert len(gate._lanes) <= 2100
