"""The fake's stream of updates: people who type, tap and share, and the long poll that hands it out."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Mapping
from typing import Any


class Updates:
    """Updates in order, kept until an offset acknowledges them. One poll at a time: a second ends the first."""

    def __init__(self) -> None:
        self._queue: list[Mapping[str, Any]] = []
        self._ids = itertools.count(1000)
        self._message_ids = itertools.count(100_000)
        self._arrived = asyncio.Event()
        self._poll = 0

    def __len__(self) -> int:
        return len(self._queue)

    def push(self, update: Mapping[str, Any]) -> int:
        """Add one update; its id."""
        update_id = int(update.get("update_id", next(self._ids)))
        self._queue.append({"update_id": update_id, **update})
        self._arrived.set()
        return update_id

    def say(
        self,
        who: int,
        text: str,
        *,
        chat: int | None = None,
        kind: str = "supergroup",
        thread: int | None = None,
        language: str | None = "en",
        extra: Mapping[str, Any] | None = None,
    ) -> int:
        """Somebody writes, in private unless a group is named."""
        message: dict[str, Any] = {
            "message_id": next(self._message_ids),
            "date": int(time.time()),
            "chat": chat_object(chat if chat is not None else who, kind),
            "from": user(who, language),
            **(extra or {}),
        }
        if text:
            message["text"] = text
        if text.startswith("/"):
            message["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]
        if thread is not None:
            message |= {"message_thread_id": thread, "is_topic_message": True}
        return self.push({"message": message})

    def press(
        self, who: int, chat: str, message_id: int, data: str, *, language: str = "en", thread: int | None = None
    ) -> str:
        """Somebody taps a button; the query's id."""
        query = f"q{next(self._ids)}"
        message: dict[str, Any] = {
            "message_id": message_id,
            "date": int(time.time()),
            "chat": chat_object(int(chat), "supergroup"),
            "text": "…",
        }
        if thread is not None:
            message |= {"message_thread_id": thread, "is_topic_message": True}
        self.push(
            {
                "callback_query": {
                    "id": query,
                    "from": user(who, language),
                    "message": message,
                    "chat_instance": "1",
                    "data": data,
                }
            }
        )
        return query

    async def poll(self, offset: int, limit: int, timeout_s: float) -> list[Mapping[str, Any]] | None:
        """Updates from ``offset`` on; None where a newer poll ended this one."""
        self._poll += 1
        mine = self._poll
        self._arrived.set()
        self._queue = [update for update in self._queue if update["update_id"] >= offset]
        end = time.monotonic() + timeout_s
        while not self._queue and (left := end - time.monotonic()) > 0:
            self._arrived.clear()
            try:
                async with asyncio.timeout(left):
                    await self._arrived.wait()
            except TimeoutError:
                break
            if mine != self._poll:
                return None
        return self._queue[:limit]


def user(who: int, language: str | None = "en") -> dict[str, Any]:
    """A person."""
    person: dict[str, Any] = {"id": who, "is_bot": False, "first_name": f"User {who}"}
    return {**person, "language_code": language} if language else person


def chat_object(chat: int, kind: str) -> dict[str, Any]:
    """A chat: private for positive ids."""
    if chat > 0:
        return {"id": chat, "type": "private", "first_name": f"User {chat}"}
    return {"id": chat, "type": kind, "title": f"Group {-chat}"}
