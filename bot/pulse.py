"""Feels whether the event loop still runs: how late it wakes, and where it stands when it does not wake at all."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import sys
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

EVERY_S = 1.0
NOTABLE_S = 5.0
STALL_S = 30.0
"""A loop that stands still for so long has the stacks of all threads written to stderr, for it cannot speak itself."""


async def feel(lag: Callable[[float], None], *, every_s: float = EVERY_S, stall_s: float = STALL_S) -> None:
    """For ever; cancel it to stop. ``lag`` hears how many seconds late the loop woke each time."""
    loop = asyncio.get_running_loop()
    try:
        while True:
            _arm(stall_s)
            before = loop.time()
            await asyncio.sleep(every_s)
            late = max(0.0, loop.time() - before - every_s)
            lag(late)
            if late >= NOTABLE_S:
                log.warning("the event loop stood still", seconds=round(late, 1))
    finally:
        faulthandler.cancel_dump_traceback_later()


def _arm(stall_s: float) -> None:
    """Stacks hold file names and lines, never values, so no secret can be in them."""
    with contextlib.suppress(OSError, ValueError, AttributeError, RuntimeError):  # stderr is closed, or no real file
        faulthandler.dump_traceback_later(stall_s, file=sys.stderr)
