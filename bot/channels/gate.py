"""A turn to answer somebody: the pace keeper with a clock that sleeps. Answers go before what is queued."""

from __future__ import annotations

from bot.channels.pace import PaceKeeper
from bot.errors import DeliveryError
from bot.ports import Clock


class Gate:
    """Lets one message after the other through, as the keeper allows."""

    def __init__(self, keeper: PaceKeeper, clock: Clock) -> None:
        self.keeper = keeper
        self._clock = clock

    async def turn(self, target: str) -> None:
        """Wait until this address may be spoken to; the turn is then taken."""
        now = self._clock.now()
        wait = (self.keeper.take(target, now, first=True) - now).total_seconds()
        if wait > 0:
            await self._clock.sleep(wait)

    def penalise(self, error: DeliveryError, target: str) -> None:
        """Learn from a failure."""
        self.keeper.penalise(error, target, self._clock.now())
