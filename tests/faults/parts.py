"""What these tests share: a real outbox over a real store, in stepped time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.clock import SteppedClock
from bot.model import Content, Delivery, Filter, Lane, Notice, Rule, Subscription
from bot.outbox import Outbox, Told
from bot.ports import Channel, Store

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def owed(name: str, target: str, content: Content | None = None, lane: Lane = Lane.NORMAL) -> Delivery:
    """A message that is due now and expires in six hours."""
    return Delivery(
        id=name,
        target=target,
        content=content or Notice(f"word {name}", NOW),
        lane=lane,
        created_at=NOW,
        not_before=NOW,
        expires_at=NOW + timedelta(hours=6),
    )


class Desk:
    """An outbox for one channel. ``told`` is every outcome in order."""

    def __init__(self, store: Store, channel: Channel, clock: SteppedClock) -> None:
        self.store = store
        self.channel = channel
        self.clock = clock
        self.told: list[Told] = []
        self.outbox = Outbox(store, {channel.name: channel}, clock, lambda: 0.0, self.told.append)

    async def deliver(self, deliveries: Sequence[Delivery]) -> list[Told]:
        """Queue these, and live until nothing is owed any more; all outcomes so far."""
        await self.store.enqueue(deliveries)
        for _ in range(100):
            due = await self.store.next_delivery(self.channel.name)
            if due is None:
                return self.told
            self.clock.move(max(due, self.clock.now() + timedelta(milliseconds=1)))
            await self.outbox.drain()
        raise AssertionError(f"still owed after a hundred rounds: {self.outcomes()}")

    def outcomes(self) -> list[str]:
        """The kinds of outcome in order."""
        return [type(told.outcome).__name__ for told in self.told]


def subscription(target: str, **changes: object) -> Subscription:
    """Asks for everything."""
    return Subscription(f"rule:all@{target}", target, Rule("all", Filter()), **changes)  # type: ignore[arg-type]
