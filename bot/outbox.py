"""Drains the outbox: claim, write the attempt, send, settle. Acting only; what to do after a failure is decided purely.

One task a channel. A crash at any point leaves either a queued row or an open attempt behind, never a lost message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import structlog

from bot.channels.outbox_policy import PaceKeeper, after_failure
from bot.errors import DeliveryError, DeliveryProblem, StoreError
from bot.model import Delivery, GivenUp, Outcome, RetryAt, Sent
from bot.ports import Channel, Clock, Store

log = structlog.get_logger(__name__)

LONGEST_NAP_S = 30.0
SETTLE_TRIES = 5


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one delivery, for those who watch: metrics, the demo, ``send-test``."""

    delivery: Delivery
    outcome: Outcome


class Outbox:
    """Delivers what the store owes, over the given channels.

    ``jitter`` gives numbers in [0, 1); ``on_settled`` hears of every outcome after it was recorded. ``lease_s`` is
    longer than a restart and than any send, so that a lease runs out only behind a crash.
    """

    def __init__(
        self,
        store: Store,
        channels: Mapping[str, Channel],
        clock: Clock,
        jitter: Callable[[], float],
        on_settled: Callable[[Told], None] = lambda _told: None,
        lease_s: float = 60.0,
    ) -> None:
        self._store = store
        self._channels = dict(channels)
        self._clock = clock
        self._jitter = jitter
        self._on_settled = on_settled
        self._lease_s = lease_s
        self._keepers = {name: PaceKeeper(channel.pace) for name, channel in self._channels.items()}
        self._wake = {name: asyncio.Event() for name in self._channels}
        self._stopping = asyncio.Event()
        self.stopped_channels: dict[str, str] = {}
        """Channels whose credentials are dead, with the reason; their queue waits."""

    def pace(self, name: str) -> PaceKeeper:
        """The pace of one channel, for whoever else speaks through it."""
        return self._keepers[name]

    def wake(self) -> None:
        """Something was queued."""
        for event in self._wake.values():
            event.set()

    async def run(self) -> None:
        """Until :meth:`stop`: then nothing new is claimed and what is in flight ends."""
        async with asyncio.TaskGroup() as tasks:
            for name in self._channels:
                tasks.create_task(self._serve(name), name=f"outbox {name}")
            await self._stopping.wait()  # without any channel too: whoever runs this takes its end for a fault

    def stop(self) -> None:
        """Claim nothing more."""
        self._stopping.set()
        self.wake()

    async def drain(self) -> None:
        """Send everything that is due now, and return; for one-shot commands."""
        for name in self._channels:
            while name not in self.stopped_channels and await self._round(name):
                pass

    async def _serve(self, name: str) -> None:
        while not self._stopping.is_set():
            self._wake[name].clear()
            try:
                busy = name not in self.stopped_channels and await self._round(name)
                nap = 0.0 if busy else await self._nap(name)
            except StoreError as error:
                log.error("outbox waits for the database", channel=name, error=str(error))
                nap = 5.0
            if nap:
                await self._rest(name, nap)

    async def _nap(self, name: str) -> float:
        due = await self._store.next_delivery(name)
        if due is None or name in self.stopped_channels:
            return LONGEST_NAP_S
        return min(LONGEST_NAP_S, max(0.05, (due - self._clock.now()).total_seconds()))

    async def _rest(self, name: str, seconds: float) -> None:
        sleeper = asyncio.ensure_future(self._clock.sleep(seconds))
        waker = asyncio.ensure_future(self._wake[name].wait())
        try:
            await asyncio.wait({sleeper, waker}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeper.cancel()
            waker.cancel()

    async def _round(self, name: str) -> int:
        """Claim up to as many as may be in flight and send them; how many were claimed."""
        keeper = self._keepers[name]
        now = self._clock.now()
        claimed = await self._store.claim(
            name, None, now, self._channels[name].pace.concurrency, self._lease_s, exclude=keeper.resting(now)
        )
        if not claimed:
            return 0
        async with asyncio.TaskGroup() as tasks:
            for delivery in claimed:
                tasks.create_task(self._deliver(self._channels[name], delivery, keeper))
        return len(claimed)

    async def _deliver(self, channel: Channel, delivery: Delivery, keeper: PaceKeeper) -> None:
        # The turn is taken before any waiting, so that two messages to one chat never share it.
        wait = (keeper.take(delivery.target, self._clock.now()) - self._clock.now()).total_seconds()
        if wait > self._lease_s / 3 or self._stopping.is_set():
            await self._store.release([delivery])
            return
        if wait > 0:
            await self._clock.sleep(wait)
        if not await self._store.attempt(delivery, self._clock.now()):
            return
        outcome = await self._send(channel, delivery, keeper)
        await self._settle(delivery, outcome)

    async def _send(self, channel: Channel, delivery: Delivery, keeper: PaceKeeper) -> Outcome:
        try:
            receipt = await channel.send(channel.render(delivery))
        except DeliveryError as error:
            now = self._clock.now()
            keeper.penalise(error, delivery.target, now)
            if error.problem is DeliveryProblem.CREDENTIALS:
                self.stopped_channels[channel.name] = str(error)
                log.error("channel stopped: its credentials are refused", channel=channel.name, error=str(error))
            # What was claimed counts the attempts before this one; deciding counts this one too.
            return after_failure(replace(delivery, attempts=delivery.attempts + 1), error, now, self._jitter())
        return Sent(receipt)

    async def _settle(self, delivery: Delivery, outcome: Outcome) -> None:
        """Record the outcome; a passing fault of the database must not turn one message into two."""
        for attempt in range(1, SETTLE_TRIES + 1):
            try:
                await self._store.settle(delivery, outcome, self._clock.now())
                break
            except StoreError as error:
                log.error("outcome not recorded yet", delivery=delivery.id, error=str(error), attempt=attempt)
                if attempt == SETTLE_TRIES:
                    return
                await self._clock.sleep(0.2 * 2**attempt)
        _report(delivery, outcome)
        self._on_settled(Told(delivery, outcome))


def _report(delivery: Delivery, outcome: Outcome) -> None:
    if isinstance(outcome, GivenUp):
        log.warning("given up", delivery=delivery.id, target=delivery.target, reason=outcome.reason)
    elif isinstance(outcome, RetryAt):
        log.info(
            "retry", delivery=delivery.id, target=delivery.target, at=outcome.at.isoformat(), reason=outcome.reason
        )
    else:
        log.debug("sent", delivery=delivery.id, target=delivery.target)
