"""Silent feeds and regions are told to operators once and ended once; what was learnt survives a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.app import App, Parts, open_app
from bot.clock import SteppedClock
from bot.feeds.habits import Habits
from bot.jobs import Daemon
from bot.model import Batch, Feed, FeedState, FeedStatus, Notice, PollResult
from bot.stories.rates import Sighting
from bot.watch import habit_keys, is_silence, over, silences
from config.model import Settings
from tests.bot.parts import START, ScriptedChannel

LATER = START + timedelta(hours=8)


def feeds(count: int = 4, *, asked: datetime = LATER, failing: int = 0) -> list[Feed]:
    """Feeds of one region; the first ``failing`` do not answer."""
    return [
        Feed(
            n, f"https://f{n}.example/rss", START, tags=("Sahel",),
            state=FeedState(START, last_checked=asked, errors=n <= failing, problem="timeout" if n <= failing else None),
        )
        for n in range(1, count + 1)
    ]  # fmt: skip


def learnt(watched: list[Feed], *, stopped: set[int]) -> Habits:
    """Habits of feeds that brought something every twenty minutes for a fortnight; those not stopped go on."""
    habits = Habits()
    for n in range(14 * 72 + 24):
        at = START - timedelta(days=14) + n * timedelta(minutes=20)
        habits.answered(at)
        for feed in watched:
            if n < 14 * 72 or feed.id not in stopped:
                habits.arrived(habit_keys(feed), at)
    return habits


def test_one_silent_feed_is_named() -> None:
    """A feed that stopped is named with its habit; a failing one says so; a paused one is left alone."""
    watched = feeds()
    habits = learnt(watched, stopped={1})
    (trouble,) = silences(watched, habits, LATER, START, ()) or ()
    assert trouble.text == "Nothing new from https://f1.example/rss for 8 hours, usually every 20 minutes; it answers."
    (trouble,) = silences(feeds(failing=1), habits, LATER, START, ()) or ()
    assert trouble.text.endswith("it fails: timeout.")
    paused = replace(watched[0], state=replace(watched[0].state, status=FeedStatus.PAUSED))
    assert silences([paused, *watched[1:]], habits, LATER, START, ()) == ()


def test_a_silent_region_is_told_as_one() -> None:
    """Where all feeds of a region stop although most answer, the region is named once, and none of its feeds."""
    watched = feeds()
    habits = learnt(watched, stopped={1, 2, 3, 4})
    elsewhere = [replace(feed, id=feed.id + 10, tags=("Andes",), url=f"https://e{feed.id}.example") for feed in watched]
    (trouble,) = silences([*feeds(failing=1), *elsewhere], habits, LATER, START, ()) or ()
    assert trouble.text == (
        "Nothing new from all of Sahel for 8 hours, usually every 20 minutes, although 3 of 4 feeds answer."
    )
    assert silences(feeds(failing=3), habits, LATER, START, ()) is None
    few = silences(watched[:2], habits, LATER, START, ()) or ()
    assert [trouble.key for trouble in few] == ["silent:https://f1.example/rss", "silent:https://f2.example/rss"]


def test_what_was_not_asked_yet_stays_as_it_was_known() -> None:
    """After a start nothing is said of feeds that were not asked since, unless it was said before."""
    watched = feeds(asked=START - timedelta(hours=1))
    habits = learnt(watched, stopped={1})
    key = "silent:https://f1.example/rss"
    assert silences(watched, habits, LATER, START, ()) == ()
    assert [trouble.key for trouble in silences(watched, habits, LATER, START, (key,)) or ()] == [key]


def test_the_end_of_a_silence_has_its_words() -> None:
    """A region and a feed are told apart from channels, and from one another."""
    assert over("silent region:Sahel") == "Feeds of Sahel bring news again."
    assert over("silent:https://f1.example/rss") == "https://f1.example/rss is silent no longer."
    assert is_silence("silent:x")
    assert not is_silence("blind")


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    app = await opened(tmp_path, START)
    yield app
    await app.close()


async def opened(path: Path, at: datetime) -> App:
    settings = Settings.model_validate(
        {"data_dir": path, "catalogue": "", "feeds": [{"url": "https://f1.example/rss"}]}
    )
    return await open_app(settings, Parts(clock=SteppedClock(at), channels={"console": ScriptedChannel("console")}))


async def notices(app: App) -> list[str]:
    """What operators are told since the last look."""
    claimed = await app.store.claim("console", None, app.clock.now(), 10, 86_400)
    return [delivery.content.text for delivery in claimed if isinstance(delivery.content, Notice)]


async def test_operators_hear_once_of_a_silence_and_once_of_its_end(app: App) -> None:
    """A silence is told once, over a restart too, and its end once."""
    assert isinstance(app.clock, SteppedClock)
    (feed,) = await app.store.feeds()
    app.learning.habits = learnt([feed], stopped={feed.id})
    daemon = Daemon(app)
    daemon.progress.last_answer = LATER
    app.clock.move(LATER)
    state = replace(feed.state, last_checked=LATER, first_done=True)
    await app.store.record(Batch(LATER, polls=(PollResult(feed, state),)))
    await daemon._watch()
    assert len(await notices(app)) == 1
    await app.learning.recall()
    again = Daemon(app)
    again.progress.last_answer = LATER
    for minutes in (1, 20):
        app.clock.move(LATER + timedelta(minutes=minutes))
        await again._watch()
    assert await notices(app) == []
    app.learning.habits.arrived(habit_keys(feed), app.clock.now())
    app.clock.move(LATER + timedelta(minutes=40))
    again.progress.last_answer = app.clock.now()
    await again._watch()
    assert await notices(app) == ["https://f1.example/rss is silent no longer."]


async def test_what_was_learnt_survives_a_restart(tmp_path: Path) -> None:
    """Rates and habits come back after a restart; what cannot be read is learnt anew."""
    app = await opened(tmp_path, START)
    app.decider.rates.add([Sighting(START, "daily.example", ("YE",))])
    app.learning.habits.arrived(["1"], START)
    kept = app.decider.rates.dump(), app.learning.habits.dump()
    await app.learning.keep()
    await app.close()
    app = await opened(tmp_path, START)
    assert (app.decider.rates.dump(), app.learning.habits.dump()) == kept
    await app.store.meta_put("rates", "nonsense")
    await app.close()
    app = await opened(tmp_path, START)
    assert app.decider.rates.surge("YE", START) is None
    await app.close()
