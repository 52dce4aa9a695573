"""Faults of Slack and of Apprise's plug-ins, from the outbox to the wire and back."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.channels.apprise import AppriseChannel
from bot.channels.slack import SlackChannel
from bot.clock import SteppedClock
from bot.model import Digest, GivenUp, Notice, Reason, RetryAt, Sent
from bot.ports import Pace
from bot.store import open_store
from tests.channels.samples import HOSTILE, alert
from tests.fakes.server import Fault
from tests.fakes.slack import FakeSlack, check_payload, mentions
from tests.faults.parts import NOW, Desk, owed, subscription

UNHURRIED = Pace(per_second=10_000, per_address_per_second=10_000)


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as server:
        yield server


@pytest.fixture
async def desk(slack: FakeSlack, tmp_path: Path) -> AsyncIterator[Desk]:
    clock = SteppedClock(NOW)
    store = await open_store(tmp_path / "t.sqlite3")
    channel = SlackChannel(
        {name: slack.url(name) for name in ("desk", "night")}, clock.now, deadline_s=0.4, pace=UNHURRIED
    )
    yield Desk(store, channel, clock)
    await channel.close()
    await store.close()


async def test_S02_refused_blocks_go_once_as_plain_text_and_then_no_more(desk: Desk, slack: FakeSlack) -> None:
    """Refused blocks are sent once more as plain text; refused again, the message is a dead letter with Slack's word."""
    slack.fail(400, "invalid_blocks")
    await desk.deliver([owed("a", "slack:desk", alert())])
    assert desk.outcomes() == ["RetryAt", "Sent"]
    assert "blocks" not in slack.messages[0].payload
    assert "Karvin" in slack.messages[0].words
    slack.fail(400, "invalid_payload", times=2)
    await desk.deliver([owed("b", "slack:desk", alert())])
    assert desk.outcomes()[2:] == ["RetryAt", "GivenUp"]
    (dead,) = await desk.store.dead_letters(5)
    assert "invalid_payload" in dead.reason


@pytest.mark.parametrize(
    ("status", "word"), [(404, "no_service"), (403, "action_prohibited"), (410, "channel_is_archived")]
)
async def test_S03_a_dead_hook_is_tried_once_and_its_subscriptions_rest(
    desk: Desk, slack: FakeSlack, status: int, word: str
) -> None:
    """A dead hook gets one request, its queue and subscriptions rest, and other hooks go on."""
    await desk.store.put_subscription(subscription("slack:desk"))
    slack.fail(status, word)
    await desk.deliver([owed("a", "slack:desk")])
    await desk.deliver([owed("b", "slack:night")])
    assert desk.outcomes() == ["GivenUp", "Sent"]
    (rests,) = await desk.store.subscriptions()
    assert word in (rests.suspended or "")


async def test_S04_a_sick_slack_is_asked_ever_more_slowly_and_gets_the_message(desk: Desk, slack: FakeSlack) -> None:
    """Slack's own faults are waited out, each wait longer and none over a day, and the message arrives once."""
    slack.fail(500, "rollup_error", times=4)
    slack.fail(503, "", times=4)
    told = await desk.deliver([owed("a", "slack:desk")])
    assert desk.outcomes() == ["RetryAt"] * 8 + ["Sent"]
    assert len(slack.messages) == 1
    tries = [one.outcome.at for one in told if isinstance(one.outcome, RetryAt)]
    waits = [after - before for before, after in zip([NOW, *tries], tries, strict=False)]
    assert waits == sorted(waits)
    assert timedelta(seconds=1) < waits[0] < waits[-1] < timedelta(days=1)


async def test_S06_an_answer_lost_after_slack_took_the_message_costs_one_copy_at_most(
    desk: Desk, slack: FakeSlack
) -> None:
    """A message whose answer is lost counts as perhaps sent, waits, and goes once more: one copy, never a loss."""
    slack.faults.add(Fault("reset", accept=True))
    told = await desk.deliver([owed("a", "slack:desk")])
    assert desk.outcomes() == ["RetryAt", "Sent"]
    first = told[0].outcome
    assert isinstance(first, RetryAt)
    assert first.ambiguous
    assert first.at - NOW >= timedelta(seconds=10)
    assert len(slack.messages) == 2


def test_S07_no_message_is_larger_than_slack_takes() -> None:
    """Thousands of letters, a digest of sixty stories, a long notice and endless claims are cut to Slack's limits before they leave."""
    channel = SlackChannel({}, lambda: NOW)
    huge = alert(title="x" * 9000, summary="y" * 9000, claims=("z" * 9000,) * 30, rule="r" * 9000, signals=("s",) * 40)
    digest = Digest(Reason.DIGEST_DUE, NOW, (huge,) * 60)
    notice = Notice("n" * 9000, NOW)
    for content in (huge, digest, notice):
        for plain in (False, True):
            payload = channel.render(replace(owed("a", "slack:desk", content), plain=plain)).payload
            assert check_payload(payload) == ""


def test_S08_titles_ring_nobody_in_slack() -> None:
    """Mentions and links hidden in strangers' words stay words, with blocks and without."""
    channel = SlackChannel({}, lambda: NOW)
    for text in (*HOSTILE, "<!channel>", "<@U0123ABC>", "<!subteam^S1>", "<https://x.example|ok>"):
        from dataclasses import replace

        content = alert(title=text, summary=text, outlet=text, link=text, rule=text, claims=(text,))
        for plain in (False, True):
            payload = channel.render(replace(owed("a", "slack:desk", content), plain=plain)).payload
            assert mentions(payload) == []
            assert "<https://x.example" not in str(payload)


class Plugin:
    """Stands where an Apprise plug-in stands, and does in turn what it is told."""

    def __init__(self, *deeds: str) -> None:
        self.deeds = list(deeds)
        self.got: list[str] = []

    def notify(self, title: str, body: str) -> bool:
        deed = self.deeds.pop(0) if self.deeds else "take"
        if deed == "raise":
            raise ZeroDivisionError("https://token:secret@chat.example")
        if deed == "hang":
            time.sleep(1.0)
        if deed == "take":
            self.got.append(f"{title} {body}")
        return deed == "take"


async def test_S10_a_plugin_that_fails_hangs_or_raises_is_tried_again_and_holds_up_nobody(tmp_path: Path) -> None:
    """False, an exception and a hang are each one failed attempt, within the deadline and beside the loop; then it arrives."""
    clock = SteppedClock(NOW)
    store = await open_store(tmp_path / "t.sqlite3")
    plugin = Plugin("refuse", "raise", "hang")
    channel = AppriseChannel(
        {"room": "json://chat.example/k3yk3y"}, clock.now, deadline_s=0.2, pace=UNHURRIED, load=lambda _url: plugin
    )
    pulse: list[float] = []

    async def feel() -> None:
        while True:
            pulse.append(time.monotonic())
            await asyncio.sleep(0.01)

    feeling = asyncio.create_task(feel())
    desk = Desk(store, channel, clock)
    told = await desk.deliver([owed("a", "apprise:room")])
    feeling.cancel()
    assert desk.outcomes() == ["RetryAt", "RetryAt", "RetryAt", "Sent"]
    assert len(plugin.got) == 1
    assert isinstance(told[-1].outcome, Sent)
    assert not [one for one in told if isinstance(one.outcome, GivenUp) or "secret" in str(one.outcome)]
    assert max(after - before for before, after in itertools.pairwise(pulse)) < 0.19
    await channel.close()
    await store.close()
