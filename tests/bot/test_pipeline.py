"""The straight line: what is recorded together, what a fault undoes, what is history."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.alerts.judge import JudgePolicy
from bot.clock import SteppedClock
from bot.decide import Decider
from bot.errors import FetchError, FetchProblem, StoreFull
from bot.feeds.pacing import PaceLimits
from bot.model import Batch, Feed, FeedSpec, Filter, Phase, Reason, Rule, Subscription, VerdictKind
from bot.pipeline import Decision, Pipeline
from bot.store import SqliteStore, open_store
from bot.stories.grouping import Grouper
from classifiers import Assessor
from tests.bot.parts import CLASH, START, ScriptedSource, ScriptedWorkers, hours, item

RULE = Rule("all", Filter())


@dataclass
class Line:
    """A pipeline with its parts."""

    store: SqliteStore
    clock: SteppedClock
    source: ScriptedSource
    workers: ScriptedWorkers
    pipeline: Pipeline
    feeds: list[Feed]

    async def poll(self) -> Decision:
        """One cycle over all feeds, as the store knows them now."""
        self.feeds = list(await self.store.feeds())
        return await self.pipeline.decide([await self.pipeline.collect(feed) for feed in self.feeds])


@pytest.fixture(scope="module")
def assessor() -> Assessor:
    return Assessor.load()


@pytest.fixture
async def line(tmp_path: Path, assessor: Assessor) -> AsyncIterator[Line]:
    store = await open_store(tmp_path / "t.sqlite3")
    clock = SteppedClock(START)
    for number in (1, 2):
        await store.add_feed(FeedSpec(f"https://outlet{number}.example/feed"), START)
    source = ScriptedSource()
    workers = ScriptedWorkers(source, assessor)
    pipeline = Pipeline(
        store=store,
        source=source,
        workers=workers,
        decider=Decider(Grouper(), JudgePolicy()),
        clock=clock,
        subscriptions=lambda: [Subscription("s", "slack:desk", RULE)],
        limits=PaceLimits(),
        jitter=lambda: 0.5,
    )
    yield Line(store, clock, source, workers, pipeline, [])
    await store.close()


async def test_news_is_recorded_and_queued_together(line: Line) -> None:
    """One decision stores the item, its story, its verdict and the message it causes."""
    line.clock.move(START + hours(1))
    line.source.outcomes = {1: [item(1, CLASH, START + hours(0.5))]}
    decision = await line.poll()
    (verdict,) = decision.batch.verdicts
    assert verdict.kind is VerdictKind.ALERT
    assert await line.store.outbox_depth() == {"slack": 1}
    trail = await line.store.trail(verdict.update.item.link)
    assert trail is not None
    assert trail.story is not None
    assert (trail.deliveries[0][0].target, trail.deliveries[0][1]) == ("slack:desk", "queued")


async def test_the_same_item_is_news_once(line: Line) -> None:
    """Polled again, an item is not new; from a second outlet with the same words it is a copy."""
    line.clock.move(START + hours(1))
    line.source.outcomes = {1: [item(1, CLASH, START + hours(0.5))]}
    await line.poll()
    line.source.outcomes[2] = [item(2, CLASH, START + hours(0.6))]
    decision = await line.poll()
    assert [verdict.reason for verdict in decision.batch.verdicts] == [Reason.DUPLICATE]
    assert await line.store.outbox_depth() == {"slack": 1}


async def test_F27_a_first_fetch_alerts_of_nothing_older_than_its_start(line: Line) -> None:
    """Five hundred old items at a first fetch are history; undated ones too, but later undated ones are news."""
    old = [item(1, f"{CLASH} {n}", START - hours(n + 1)) for n in range(500)]
    line.source.outcomes = {1: old, 2: [item(2, CLASH, START, dated=False)]}
    decision = await line.poll()
    assert {verdict.reason for verdict in decision.batch.verdicts} == {Reason.HISTORY}
    assert await line.store.outbox_depth() == {}
    line.clock.move(START + hours(1))
    late = item(2, "Rockets strike the port of Odesa, 30 killed", START + hours(1), dated=False)
    line.source.outcomes[2] = [late]
    decision = await line.poll()
    assert [verdict.kind for verdict in decision.batch.verdicts] == [VerdictKind.ALERT]


async def test_D01_what_cannot_be_recorded_has_not_happened(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk undoes the whole decision: the next poll finds the item new, and alerts once."""
    line.clock.move(START + hours(1))
    line.source.outcomes = {1: [item(1, CLASH, START + hours(0.5))]}
    record = line.store.record

    async def full(batch: Batch) -> None:
        raise StoreFull

    monkeypatch.setattr(line.store, "record", full)
    with pytest.raises(StoreFull):
        await line.poll()
    monkeypatch.setattr(line.store, "record", record)
    decision = await line.poll()
    assert [verdict.kind for verdict in decision.batch.verdicts] == [VerdictKind.ALERT]
    assert await line.store.outbox_depth() == {"slack": 1}


async def test_F36_a_text_that_kills_the_classifier_stays_alone(line: Line) -> None:
    """Where one text ends the worker, the others of its batch are read all the same, and it is kept unread."""
    line.clock.move(START + hours(1))
    line.workers.deadly = "deadly"
    line.source.outcomes = {
        1: [item(1, "a deadly text", START + hours(0.5)), item(1, CLASH, START + hours(0.5))],
        2: [item(2, "Orchard festival opens", START + hours(0.5))],
    }
    decision = await line.poll()
    reasons = {verdict.update.item.title: verdict.reason for verdict in decision.batch.verdicts}
    assert reasons == {
        "a deadly text": Reason.NO_SIGNAL,
        CLASH: Reason.NEW_STORY,
        "Orchard festival opens": Reason.NO_SIGNAL,
    }


async def test_a_failing_feed_keeps_its_place_and_its_fault(line: Line) -> None:
    """A fetch error and an unreadable body are remembered with the feed, each under its name; the other feed goes on."""
    line.clock.move(START + hours(1))
    line.source.outcomes = {1: FetchError(FetchProblem.TIMEOUT, "https://outlet1.example/feed", "too slow"), 2: []}
    line.workers.unreadable = {2}
    await line.poll()
    first, second = await line.store.feeds()
    assert (first.state.problem, first.state.errors) == ("timeout", 1)
    assert (second.state.problem, second.state.errors) == ("unreadable", 1)
    assert first.state.next_due > line.clock.now()


async def test_after_a_restore_old_news_is_history(line: Line) -> None:
    """Items from before a restore alert nobody, although their feeds were watched long before."""
    line.clock.move(START + hours(3))
    line.pipeline.watching_since = START + hours(2)
    line.source.outcomes = {1: [item(1, CLASH, START + hours(1))]}
    decision = await line.poll()
    assert [verdict.reason for verdict in decision.batch.verdicts] == [Reason.HISTORY]


async def test_a_restart_finds_the_running_stories(line: Line) -> None:
    """A new pipeline over the same database joins a further report to the story it belongs to."""
    line.clock.move(START + hours(1))
    line.source.outcomes = {1: [item(1, CLASH, START + hours(0.5))]}
    first = await line.poll()
    grouper = Grouper()
    grouper.load(await line.store.open_stories(START - hours(48)))
    line.pipeline._decider = Decider(grouper, JudgePolicy())
    line.source.outcomes = {2: [item(2, CLASH, START + hours(0.9))]}
    second = await line.poll()
    assert second.batch.verdicts[0].update.story.id == first.batch.verdicts[0].update.story.id


async def test_a_toll_raised_in_place_updates_its_story(line: Line) -> None:
    """Where an outlet rewrites its headline from 16 to 40 killed, the story is updated; a change of case is nothing."""
    line.clock.move(START + hours(1))
    first = item(1, CLASH, START + hours(0.5))
    line.source.outcomes = {1: [first]}
    alert = (await line.poll()).batch.verdicts[0]
    line.clock.move(START + hours(2))
    line.source.outcomes = {1: [replace(first, title=CLASH.upper())]}
    assert (await line.poll()).batch.verdicts == ()
    line.source.outcomes = {1: [replace(first, title=CLASH.replace("16", "40"))]}
    (update,) = (await line.poll()).batch.verdicts
    assert update.kind is VerdictKind.UPDATE
    assert update.update.story.id == alert.update.story.id
    assert "16 → 40" in update.detail
    assert (await line.poll()).batch.verdicts == ()


async def test_a_headline_that_never_rests_ends_after_ten(line: Line) -> None:
    """A headline with a counter in it is taken ten times and then left alone."""
    line.clock.move(START + hours(1))
    first = item(1, "Live from the border: minute 0", START + hours(0.5))
    seen = 0
    for minute in range(30):
        line.source.outcomes = {1: [replace(first, title=f"Live from the border: minute {minute}")]}
        seen += len((await line.poll()).batch.verdicts)
    assert seen == 11


async def test_a_ceasefire_that_holds_for_a_day_is_told_once(line: Line) -> None:
    """A day after a ceasefire took effect without a breach, those who were told hear that it holds, and only once."""
    line.clock.move(START + hours(1))
    title = "Ceasefire between Armenia and Azerbaijan takes effect, guns fall silent on the border"
    line.source.outcomes = {1: [item(1, title, START + hours(0.5))]}
    story = (await line.poll()).batch.verdicts[0].update.story
    assert story.phase is Phase.IN_FORCE
    assert not await line.pipeline.look_after()
    line.clock.move(START + hours(26))
    assert await line.pipeline.look_after()
    assert await line.store.outbox_depth() == {"slack": 2}
    assert not await line.pipeline.look_after()
