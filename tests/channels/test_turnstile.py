"""The last gate before the wire, with a server that stalls."""

from __future__ import annotations

import asyncio
import random
from itertools import pairwise

from bot.channels.turnstile import Turnstile


async def served(turnstile: Turnstile, chats: list[str], stall: random.Random) -> list[tuple[float, str]]:
    """When a server that stalls at random handled each message: somewhere between sending and answer."""
    loop = asyncio.get_running_loop()
    handled: list[tuple[float, str]] = []

    async def send(chat: str) -> None:
        async with turnstile.turn(chat):
            await asyncio.sleep(stall.choice((0.0, 0.0, 0.01, 0.2)))
            handled.append((loop.time(), chat))
            await asyncio.sleep(stall.choice((0.0, 0.05)))

    await asyncio.gather(*(send(chat) for chat in chats))
    return handled


async def test_no_second_of_the_servers_holds_more_than_the_limit() -> None:
    """Whatever stalls between sending and answer, the server handles at most 20 in any second."""
    handled = await served(Turnstile(20, 100), [str(n) for n in range(50)], random.Random(7))
    times = sorted(at for at, _ in handled)
    assert len(times) == 50
    assert max(sum(1 for at in times if begun <= at < begun + 1.0) for begun in times) <= 20


async def test_one_chat_is_spoken_to_one_at_a_time() -> None:
    """To one chat nothing goes out while a message is under way, nor before its interval is over."""
    handled = await served(Turnstile(1000, 5), ["a"] * 4 + ["b"], random.Random(7))
    times = sorted(at for at, chat in handled if chat == "a")
    assert all(after - before >= 0.2 for before, after in pairwise(times))


async def test_a_failed_turn_is_given_back() -> None:
    """An error while sending leaves no turn behind."""
    turnstile = Turnstile(1000, 1000)
    for _ in range(5):
        try:
            async with turnstile.turn("a"):
                raise RuntimeError
        except RuntimeError:
            pass
    async with asyncio.timeout(1), turnstile.turn("a"):
        pass
