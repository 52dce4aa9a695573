"""Faults in what feeds tell: corrections, floods of copies, our own echo; and digests when the clocks change."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.alerts.digest import release
from bot.alerts.hours import next_daily
from bot.channels.own import is_own
from bot.channels.slack import SlackChannel
from bot.channels.telegram import TelegramChannel
from bot.channels.words import LANGUAGES
from bot.model import Batch, FeedSpec, Held, Reason, Routing, VerdictKind
from bot.store import open_store
from tests.bot.parts import CLASH, START, hours, item
from tests.bot.test_pipeline import Line
from tests.channels.samples import SAMPLES, alert
from tests.fakes.slack import texts
from tests.faults.parts import NOW, owed
from tests.store.builders import held


async def test_F29_a_correction_is_linked_to_what_it_corrects_and_nothing_told_is_forgotten(line: Line) -> None:
    """A correction goes to those who were told, about the same story; an item that its feed takes down stays on record."""
    line.clock.move(START + hours(1))
    first = item(1, CLASH, START + hours(0.5))
    line.source.outcomes = {1: [first]}
    told = (await line.poll()).batch.verdicts[0]
    line.clock.move(START + hours(2))
    title = "CORRECTION: Fighting on the border between Armenia and Azerbaijan killed 6 soldiers, not 16"
    line.source.outcomes = {1: [item(1, title, START + hours(1.9))]}
    decision = await line.poll()
    (verdict,) = decision.batch.verdicts
    assert verdict.kind is VerdictKind.CORRECTION
    assert verdict.update.story.id == told.update.story.id
    assert [delivery.story_id for delivery in decision.batch.routing.deliveries] == [told.update.story.id]
    trail = await line.store.trail(first.link)
    assert trail is not None
    assert trail.verdict is not None
    assert trail.verdict.kind is VerdictKind.ALERT


EVENTS = (
    "Earthquake relief convoy shelled near Idlib in Syria, 9 aid workers killed",
    "Suicide bombing at a market in Mogadishu, Somalia, kills 21",
    "Gunmen attack a village in Plateau State, Nigeria, 14 dead",
    "Rockets strike the port of Odesa in Ukraine, 7 killed",
    "Airstrike hits a hospital in Khartoum, Sudan, killing 11",
)
WAYS = ("{}", "{} - officials", "Breaking: {}", "{}, ministry says", "{} (video)")


async def test_F30_one_event_in_fifty_outlets_rings_once_and_five_events_ring_five_times(line: Line) -> None:
    """Fifty outlets with one event make one alert that counts its sources; other events of the same minutes keep their own."""
    for number in range(3, 56):
        await line.store.add_feed(FeedSpec(f"https://outlet{number}.example/feed"), START)
    at = START + hours(1)
    line.clock.move(at + timedelta(minutes=11))
    spread = {n: [item(n, WAYS[n % len(WAYS)].format(CLASH), at + timedelta(seconds=12 * n))] for n in range(1, 51)}
    others = {50 + n: [item(50 + n, title, at + timedelta(minutes=n))] for n, title in enumerate(EVENTS, 1)}
    line.source.outcomes = {**spread, **others}
    decision = await line.poll()
    alerts = [verdict for verdict in decision.batch.verdicts if verdict.kind is VerdictKind.ALERT]
    clash = decision.batch.verdicts[0].update.story.id
    assert len(alerts) == 1 + len(EVENTS)
    assert len({verdict.update.story.id for verdict in alerts}) == 1 + len(EVENTS)
    ours = {v.update.story.id for v in decision.batch.verdicts if v.update.item.feed_id <= 50}
    assert ours == {clash}
    heard = Counter(delivery.story_id for delivery in decision.batch.routing.deliveries)
    assert len(heard) == 1 + len(EVENTS)
    assert all(count == 1 for story, count in heard.items() if story != clash)
    assert heard[clash] <= 2  # the alert, and once that a second source confirms it
    (kept,) = [story for story in decision.batch.stories if story.id == clash]
    assert len({source.outlet for source in kept.sources}) >= 10


@pytest.mark.parametrize("language", LANGUAGES)
def test_F38_our_own_words_are_known_in_every_language_and_channel(language: str) -> None:
    """Alerts and digests as Telegram and Slack show them are known for ours, whole or by their first line."""
    channels = (TelegramChannel("1:x", lambda: NOW), SlackChannel({}, lambda: NOW))
    for name in ("alert", "update", "ceasefire", "digest"):
        for channel in channels:
            due = replace(owed("a", f"{channel.name}:1", SAMPLES[name]), language=language, plain=True)
            text = channel.render(due).text
            assert is_own("", text)
            if name != "digest":
                assert is_own(text.splitlines()[0], "")
    assert not is_own(CLASH, "🔴 EXTREME heat and SEVERE storms · a forecast")


async def test_F38_our_own_alerts_that_come_back_ring_nobody_and_confirm_nothing(line: Line) -> None:
    """An alert that returns through a feed is stored and left unread: no alert, no second source, no louder certainty."""
    line.clock.move(START + hours(1))
    line.source.outcomes = {1: [item(1, CLASH, START + hours(0.5))]}
    first = await line.poll()
    (sent,) = first.batch.routing.deliveries
    echo = "\n".join(texts(SlackChannel({}, lambda: NOW).render(sent).payload))
    line.source.outcomes = {2: [item(2, echo.splitlines()[0], START + hours(0.9), summary=echo)]}
    second = await line.poll()
    assert [verdict.reason for verdict in second.batch.verdicts] == [Reason.NO_SIGNAL]
    assert second.batch.routing.deliveries == ()
    assert second.batch.stories == ()
    assert await line.store.outbox_depth() == {"slack": 1}


@pytest.mark.parametrize(
    "night", [datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)], ids=["gap", "overlap"]
)
async def test_D16_a_daily_digest_comes_once_a_day_when_the_clocks_change(tmp_path: Path, night: datetime) -> None:
    """Due at an hour that does not exist or exists twice, a digest comes once each local day and tells each story once."""
    zone, at = "Europe/Berlin", time(2, 30)
    store = await open_store(tmp_path / "t.sqlite3")
    days: Counter[object] = Counter()
    told: Counter[str] = Counter()
    for step in range(72):
        now = night + timedelta(hours=step)
        if step < 40:
            waits: Held = replace(
                held(f"s{step}"), release_at=next_daily(at, now, zone), alert=alert(story_id=f"s{step}", at=now)
            )
            await store.record(Batch(now, routing=Routing(held=(waits,))))
        for minutes in (1, 31):
            due = await store.due_held(now + timedelta(minutes=minutes))
            digests = release(due, now + timedelta(minutes=minutes))
            await store.release_held(due, digests)
            for digest in digests:
                days[(now + timedelta(minutes=minutes)).astimezone(ZoneInfo(zone)).date()] += 1
                told.update(one.story_id for one in digest.content.alerts)  # type: ignore[union-attr]
    await store.close()
    assert set(days.values()) == {1}
    assert len(days) == 3
    assert set(told.values()) == {1}
    assert len(told) == 40
