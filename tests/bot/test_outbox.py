"""The outbox loop over a real store: order, retries, pauses, stops. Whatever fails, nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.errors import DeliveryError, DeliveryProblem
from bot.model import Delivery, GivenUp, Lane, Notice, RetryAt, Sent
from bot.outbox import Outbox, Told
from bot.store import SqliteStore, open_store
from tests.bot.parts import ScriptedChannel


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = await open_store(tmp_path / "t.sqlite3")
    yield store
    await store.close()


def deliveries(count: int, lane: Lane = Lane.NORMAL, target: str = "slack:desk") -> list[Delivery]:
    now = SystemClock().now()
    end = now + timedelta(hours=1)
    return [
        Delivery(f"{lane.name}{n}", target, Notice(f"{lane.name} {n}", now), lane, now, now, end) for n in range(count)
    ]


def outbox(store: SqliteStore, channel: ScriptedChannel, heard: list[Told] | None = None) -> Outbox:
    return Outbox(store, {"slack": channel}, SystemClock(), lambda: 0.0, (heard if heard is not None else []).append)


async def test_everything_due_is_sent_once_urgent_first(store: SqliteStore) -> None:
    """A drain sends all that is queued, each once, a flooded digest lane behind the urgent one."""
    channel = ScriptedChannel()
    await store.enqueue([*deliveries(20, Lane.DIGEST), *deliveries(3, Lane.URGENT)])
    await outbox(store, channel).drain()
    texts = [message.delivery_id for message in channel.sent]
    assert len(set(texts)) == len(texts) == 23
    assert {text[:6] for text in texts[:3]} == {"URGENT"}
    assert await store.outbox_depth() == {}


async def test_a_passing_fault_is_tried_again_and_a_refusal_given_up(store: SqliteStore) -> None:
    """A retryable fault leaves the message queued for later; a refused message becomes a dead letter with its reason."""
    channel, heard = ScriptedChannel(), list[Told]()
    channel.failures = [
        DeliveryError(DeliveryProblem.SERVER, "HTTP 500", retryable=True),
        DeliveryError(DeliveryProblem.REJECTED, "invalid_payload", retryable=False),
    ]
    await store.enqueue(deliveries(1) + deliveries(1, Lane.URGENT))
    await outbox(store, channel, heard).drain()
    assert {type(told.outcome) for told in heard} == {RetryAt, GivenUp}
    assert await store.outbox_depth() == {"slack": 1}
    (dead,) = await store.dead_letters(10)
    assert "invalid_payload" in dead.reason
    assert channel.sent == []


async def test_T14_dead_credentials_stop_the_channel_and_keep_the_queue(store: SqliteStore) -> None:
    """After a refused token nothing more is tried, nothing is lost, and the reason can be seen."""
    channel = ScriptedChannel()
    channel.failures = [
        DeliveryError(DeliveryProblem.CREDENTIALS, "Unauthorized", retryable=True, channel_wide=True)
    ] * 50
    await store.enqueue(deliveries(30))
    box = outbox(store, channel)
    await asyncio.wait_for(box.drain(), 5)
    assert box.stopped_channels == {"slack": "Unauthorized"}
    assert len(channel.failures) >= 50 - channel.pace.concurrency
    assert await store.outbox_depth() == {"slack": 30}


async def test_P02_a_stop_lets_flights_land_and_claims_nothing_more(store: SqliteStore) -> None:
    """Told to stop in the middle of a fan-out, the loop ends soon; what was in flight is recorded, the rest stays queued."""
    channel = ScriptedChannel(delay_s=0.2)
    await store.enqueue(deliveries(100))
    box = outbox(store, channel)
    running = asyncio.create_task(box.run())
    await asyncio.sleep(0.3)
    box.stop()
    await asyncio.wait_for(running, 5)
    left = (await store.outbox_depth()).get("slack", 0)
    assert 0 < len(channel.sent) < 100
    assert left == 100 - len(channel.sent)
    await outbox(store, ScriptedChannel(name="slack")).drain()
    assert await store.outbox_depth() == {}


async def test_a_running_loop_wakes_for_news(store: SqliteStore) -> None:
    """A message queued while the loop sleeps goes out as soon as it is woken."""
    channel, heard = ScriptedChannel(), list[Told]()
    box = outbox(store, channel, heard)
    running = asyncio.create_task(box.run())
    await asyncio.sleep(0.1)
    await store.enqueue(deliveries(1))
    box.wake()
    async with asyncio.timeout(5):
        while not heard:  # noqa: ASYNC110 - what is heard has no event of its own
            await asyncio.sleep(0.01)
    assert isinstance(heard[0].outcome, Sent)
    box.stop()
    await running


async def test_C_a_lost_lease_is_not_sent(store: SqliteStore) -> None:
    """Where somebody else took a message over meanwhile, it is not sent a second time."""
    await store.enqueue(deliveries(1))
    now = SystemClock().now()
    (stale,) = await store.claim("slack", None, now, 1, 0.0)
    (fresh,) = await store.claim("slack", None, now + timedelta(seconds=1), 1, 60.0)
    assert fresh.fence > stale.fence
    assert not await store.attempt(stale, now)
    assert await store.attempt(fresh, now)
