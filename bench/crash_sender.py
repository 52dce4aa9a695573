"""The sender that ``crash.py`` kills: the real store, outbox and channels, in a forked process that reports its steps.

Everything is imported before the fork, so that many short lives fit into little time; what forks must have no threads.
"""

from __future__ import annotations

import asyncio
import os
import random
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import slack_sdk.models.blocks

import bot.channels.ptb
from bot.channels.slack import SlackChannel
from bot.channels.telegram import TelegramChannel
from bot.clock import SystemClock
from bot.model import Batch, Delivery, Feed, Item, Lane, PollResult, Routing, Sent
from bot.outbox import Outbox, Told
from bot.ports import Channel, Pace
from bot.store import SqliteStore, open_store
from tests.fakes.telegram import DEFAULT_TOKEN
from tests.store.builders import alert, item, story, told

LOADED_BEFORE_FORKING = (slack_sdk.models.blocks, bot.channels.ptb)
A_POLL = 10
"""Alerts that one poll brings."""
IN_FLIGHT = 4
"""Messages in flight at once in each of the two channels."""
PACE = Pace(per_second=5000, per_address_per_second=5000, group_per_minute=None, concurrency=IN_FLIGHT)
HOOKS, CHATS = 4, 100
BACKLOG = 300
"""Messages owed at most before further polls are recorded, so that deaths meet recording too."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one life of the sender is about."""

    database: Path
    origins: tuple[str, str]
    """Of Slack and of Telegram."""
    alerts: int
    from_poll: int
    lease_s: float


class Sender:
    """Records polls and delivers what they cause; tells each acknowledged step through a pipe, a line each."""

    def __init__(self, plan: Plan, report: int) -> None:
        self._plan = plan
        self._report = report
        self._clock = SystemClock()

    def _say(self, kind: str, what: object) -> None:
        os.write(self._report, f"{kind} {what}\n".encode())

    async def live(self) -> None:
        """Until every alert is recorded and settled."""
        store = await open_store(self._plan.database)
        channels = self._channels()
        outbox = Outbox(store, channels, self._clock, random.random, self._settled, self._plan.lease_s)
        sending = asyncio.create_task(outbox.run())
        self._say("ready", 0)
        (feed,) = await store.feeds()
        for number in range(self._plan.from_poll, -(-self._plan.alerts // A_POLL)):
            await self._poll(store, feed, number)
            outbox.wake()
            self._say("polled", number)
            await self._until_owed(store, BACKLOG)
        await self._until_owed(store, 0)
        outbox.stop()
        await sending
        for channel in channels.values():
            await channel.close()
        await store.close()

    async def _until_owed(self, store: SqliteStore, at_most: int) -> None:
        while sum((await store.outbox_depth()).values()) > at_most:  # noqa: ASYNC110 - the store has no bell
            await asyncio.sleep(0.02)

    def _channels(self) -> dict[str, Channel]:
        slack, telegram = self._plan.origins
        hooks = {f"desk{n}": f"{slack}/services/T0desk{n}/B0secret/xdesk{n}secret" for n in range(HOOKS)}
        now = self._clock.now
        return {
            "slack": SlackChannel(hooks, now, pace=PACE),
            "telegram": TelegramChannel(DEFAULT_TOKEN, now, base_url=telegram, pace=PACE),
        }

    def _settled(self, told: Told) -> None:
        self._say("sent" if isinstance(told.outcome, Sent) else "retry", told.delivery.id)

    async def _poll(self, store: SqliteStore, feed: Feed, number: int) -> None:
        """As the pipeline does: what is unseen is recorded together with what it causes."""
        numbers = range(number * A_POLL, min((number + 1) * A_POLL, self._plan.alerts))
        unseen = await store.unseen([item(feed, f"k{n}") for n in numbers])
        if not unseen:
            return
        owed = [self._owed(int(one.key[1:])) for one in unseen]
        await store.record(self._batch(feed, tuple(unseen), owed, number))

    def _batch(self, feed: Feed, items: tuple[Item, ...], owed: list[Delivery], number: int) -> Batch:
        return Batch(
            at=self._clock.now(),
            polls=(PollResult(feed, replace(feed.state, etag=f'"{number}"', first_done=True), items),),
            stories=tuple(story(str(one.story_id)) for one in owed),
            routing=Routing(tuple(owed), told=tuple(told(one.target, str(one.story_id)) for one in owed)),
        )

    def _owed(self, number: int) -> Delivery:
        now = self._clock.now()
        target = f"slack:desk{number % HOOKS}" if number % 2 else f"telegram:{1000 + number % CHATS}"
        return Delivery(
            id=f"a{number:06d}",
            target=target,
            content=alert(f"s{number}", title=f"Alert number {number:06d}"),
            lane=Lane.URGENT if number % 5 == 0 else Lane.NORMAL,
            created_at=now,
            not_before=now,
            expires_at=now + timedelta(hours=6),
            story_id=f"s{number}",
        )


def be_born(plan: Plan) -> tuple[int, int]:
    """Fork a sender: its process id, and the end of the pipe on which it reports."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            asyncio.run(Sender(plan, writing).live())
        except BaseException as error:
            os.write(writing, f"fault {error!r}\n".encode())
            os._exit(1)
            raise
        os._exit(0)
    os.close(writing)
    return child, reading
