"""Code that may block for ever runs in a daemon thread, with a deadline: neither the loop nor the exit waits for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def call_with_deadline(work: Callable[[], T], deadline_s: float) -> T:
    """Run ``work`` and return its result. Raises what it raises, or :class:`TimeoutError` while it still runs."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        try:
            result, error = work(), None
        except BaseException as raised:  # noqa: BLE001 - handed to the waiting task, whatever it is
            result, error = None, raised
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, daemon=True, name="tocsin-blocking-call").start()
    async with asyncio.timeout(deadline_s):
        return await future
