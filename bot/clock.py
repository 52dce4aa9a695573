"""Time. Only what acts holds a clock; what decides is told the time."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        """The current time, aware UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class FastClock:
    """Time that starts at ``start`` and runs ``speed`` times as fast as the machine's: for the demo."""

    def __init__(self, start: datetime, speed: float) -> None:
        self._start = start
        self._speed = speed
        self._origin = time.monotonic()

    def now(self) -> datetime:
        """The accelerated time, aware UTC."""
        return self._start + timedelta(seconds=(time.monotonic() - self._origin) * self._speed)

    async def sleep(self, seconds: float) -> None:
        """Wait that many accelerated seconds."""
        await asyncio.sleep(seconds / self._speed)


class SteppedClock:
    """Time that moves only when told to: for replays and tests. Sleeping moves it, and takes no time."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        """The time it was last moved to."""
        return self._now

    def move(self, to: datetime) -> None:
        """Move forward; an earlier time is ignored, since time does not run back."""
        self._now = max(self._now, to)

    async def sleep(self, seconds: float) -> None:
        """Move forward by that much, and let others run."""
        self._now += timedelta(seconds=seconds)
        await asyncio.sleep(0)
