"""The last gate before the wire: what is under way and what was just answered, together, stay under the limit.

The pace keeper plans ahead; a stalled event loop, network or server then lets planned messages arrive in a bunch.
The other side counts when it handles them, which lies between our sending and its answer. So a message goes out only
while those under way plus those answered within the last second are fewer than the limit: then no second of the other
side's can hold more, whatever stalls.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import AsyncIterator

WINDOW_S = 1.02
SHARE = 0.97
"""Of 30 a second 29 are used."""


class Turnstile:
    """Bounds messages a second over all, and to one chat."""

    def __init__(self, per_second: float, per_chat_per_second: float) -> None:
        self._limit = max(1, int(per_second * SHARE))
        self._chat_s = 1.0 / per_chat_per_second
        self._answered: deque[float] = deque()
        self._under_way = 0
        self._chats: OrderedDict[str, float] = OrderedDict()
        """By chat: when its last message was answered; infinite while one is under way."""
        self._changed = asyncio.Event()

    @contextlib.asynccontextmanager
    async def turn(self, chat: str) -> AsyncIterator[None]:
        """One message to one chat, from sending to answer."""
        loop = asyncio.get_running_loop()
        while (wait := self._wait(chat, loop.time())) > 0:
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._changed.wait()
        self._under_way += 1
        self._chats[chat] = float("inf")
        try:
            yield
        finally:
            self._leave(chat, loop.time())

    def _wait(self, chat: str, now: float) -> float:
        while self._answered and self._answered[0] <= now - WINDOW_S:
            self._answered.popleft()
        if self._under_way + len(self._answered) >= self._limit:
            return self._answered[0] + WINDOW_S - now if self._answered else WINDOW_S
        last = self._chats.get(chat)
        return 0.0 if last is None else max(0.0, min(last + self._chat_s - now, WINDOW_S))

    def _leave(self, chat: str, now: float) -> None:
        self._under_way -= 1
        self._answered.append(now)
        self._chats[chat] = now
        self._chats.move_to_end(chat)
        while self._chats and next(iter(self._chats.values())) <= now - self._chat_s:
            self._chats.popitem(last=False)
        self._changed.set()
