"""Lists, edits, pauses, quiet hours, digests, zones, goodbye."""

from __future__ import annotations

import json
from datetime import time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model import DigestMode, Severity, Subscription
from bot.telegram import times
from tests.telegram.town import ANN, BOB, NOW, Town


async def subscribed(town: Town, who: int = ANN, payload: str = "al-all-3") -> Subscription:
    page = await town.says(who, f"/start {payload}")
    await town.taps(who, page, "⚡ at once")
    return (await town.subscriptions(who))[-1]


async def test_the_list_edits_and_deletes(town: Town) -> None:
    """/subscriptions shows each, an edit changes severity and manner, the bin deletes; all in one message."""
    await subscribed(town)
    page = await town.says(ANN, "/subscriptions")
    assert "1. Everything · Everywhere · severe or worse · at once" in page.text
    page = await town.taps(ANN, page, "✏️ 1")
    page = await town.taps(ANN, page, "🔴")
    page = await town.taps(ANN, page, "daily")
    (one,) = await town.subscriptions(ANN)
    assert (one.rule.filter.min_severity, one.digest) == (Severity.EXTREME, DigestMode.DAILY)
    assert one.rule.name == "Everything · Everywhere · extreme or worse"
    page = await town.taps(ANN, page, "Delete")
    assert "no subscription here yet" in page.text
    assert not await town.subscriptions(ANN)


async def test_unsubscribe_all_asks_first(town: Town) -> None:
    """/unsubscribe all deletes after a tap, and only this chat's."""
    await subscribed(town)
    await subscribed(town, BOB)
    page = await town.says(ANN, "/unsubscribe all")
    assert await town.subscriptions(ANN)
    await town.taps(ANN, page, "Delete all")
    assert not await town.subscriptions(ANN)
    assert await town.subscriptions(BOB)


async def test_X11_anothers_subscription_cannot_be_touched(town: Town) -> None:
    """Forged callback data that names another chat's subscription changes nothing."""
    theirs = await subscribed(town, BOB)
    page = await town.says(ANN, "/subscriptions")
    for data in (f"x:{theirs.id}", f"ev:{theirs.id}:1", f"ed:{theirs.id}:d", f"e:{theirs.id}"):
        town.tg.press_data(ANN, page, data)
    await town.settle()
    assert await town.subscriptions(BOB) == [theirs]


@pytest.mark.parametrize(("typed", "hours"), [("2h", 2), ("1d", 24), ("90 min", 1.5), ("1w", 168), ("999w", 2160)])
async def test_a_pause_ends_by_itself_or_by_resume(town: Town, typed: str, hours: float) -> None:
    """/pause silences for the time given, at most 90 days; /resume ends it."""
    await subscribed(town)
    said = await town.says(ANN, f"/pause {typed}")
    (one,) = await town.subscriptions(ANN)
    assert one.paused_until is not None
    assert abs((one.paused_until - NOW) - timedelta(hours=hours)) < timedelta(minutes=1)
    assert "Paused until" in said.text
    await town.says(ANN, "/resume")
    assert (await town.subscriptions(ANN))[0].paused_until is None


async def test_a_pause_can_be_tapped(town: Town) -> None:
    """/pause alone offers spans."""
    await subscribed(town)
    await town.taps(ANN, await town.says(ANN, "/pause"), "8h")
    assert (await town.subscriptions(ANN))[0].paused_until is not None
    assert "do not understand" in (await town.says(ANN, "/pause soon")).text


async def test_quiet_hours_with_their_zone(town: Town) -> None:
    """/quiet sets hours and zone on every subscription; off ends them; nonsense is answered with an example."""
    await subscribed(town)
    await town.says(ANN, "/quiet 22:30-7 Asia/Baku")
    (one,) = await town.subscriptions(ANN)
    assert one.quiet is not None
    assert (one.quiet.start, one.quiet.end, one.quiet.zone, one.zone) == (
        time(22, 30),
        time(7),
        "Asia/Baku",
        "Asia/Baku",
    )
    assert "Example" in (await town.says(ANN, "/quiet when it's dark")).text
    assert "Example" in (await town.says(ANN, "/quiet 22-7 Atlantis")).text
    await town.says(ANN, "/quiet off")
    assert (await town.subscriptions(ANN))[0].quiet is None


async def test_a_zone_is_typed_or_shared(town: Town) -> None:
    """After the button a typed city, or a shared location at any time, sets the zone."""
    await subscribed(town)
    page = await town.says(ANN, "/quiet")
    assert "UTC" in page.text
    assert "Asia/Baku" in (await town.says(ANN, "baku")).text
    assert "no such time zone" not in town.tg.last(ANN).text
    await town.says(ANN, "", extra={"location": {"latitude": 50.45, "longitude": 30.52}})
    (one,) = await town.subscriptions(ANN)
    assert one.zone == "Europe/Kyiv"


@pytest.mark.parametrize(
    ("typed", "mode", "at"),
    [
        ("hourly", DigestMode.HOURLY, time(7)),
        ("daily 18:30", DigestMode.DAILY, time(18, 30)),
        ("daily", DigestMode.DAILY, time(7)),
        ("off", DigestMode.AT_ONCE, time(7)),
    ],
)
async def test_digests(town: Town, typed: str, mode: DigestMode, at: time) -> None:
    """/digest sets how this chat is told."""
    await subscribed(town)
    await town.says(ANN, f"/digest {typed}")
    (one,) = await town.subscriptions(ANN)
    assert (one.digest, one.digest_at) == (mode, at)


async def test_stop_deletes_everything(town: Town) -> None:
    """/stop deletes subscriptions, notes and what was seen, after one more tap."""
    await subscribed(town)
    await town.says(ANN, "/quiet 22-7 Asia/Baku")
    page = await town.says(ANN, "/stop")
    assert await town.subscriptions(ANN)
    await town.taps(ANN, page, "Delete everything")
    assert not await town.subscriptions(ANN)
    assert await town.store.chat_get(f"telegram:{ANN}") == {}
    assert "Everything is deleted" in town.tg.last(ANN).text


async def test_export_gives_everything_kept(town: Town) -> None:
    """/export shows subscriptions and notes as JSON."""
    one = await subscribed(town)
    await town.says(ANN, "/quiet 22-7 Asia/Baku")
    before = len(town.tg.to(ANN))
    await town.says(ANN, "/export")
    kept = json.loads("".join(sent.text for sent in town.tg.to(ANN)[before:]))
    assert kept["subscriptions"][0]["id"] == one.id
    assert kept["notes"]["zone"] == "Asia/Baku"


@given(st.text(max_size=40))
def test_no_typed_time_breaks_the_reader(text: str) -> None:
    """Whatever is typed as a duration, a span, a clock or a zone is read or refused."""
    length = times.duration(text)
    assert length is None or timedelta(0) < length <= times.LONGEST_PAUSE
    hours = times.span(text)
    assert hours is None or hours[0] != hours[1]
    times.clock(text)
    zone = times.zone(text)
    assert zone is None or times.known_zone(zone)


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_every_position_has_a_zone(lat: float, lon: float) -> None:
    """Any point of the earth is given a zone that exists."""
    assert times.known_zone(times.zone_at(lat, lon))
