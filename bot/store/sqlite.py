"""The store on SQLite: :class:`bot.ports.Store`, each method one transaction on a thread of its own.

One writer, one reader beside it (WAL): the event loop never waits for the disk, and reading never waits for writing.
What each method does is said in :mod:`bot.ports`; how, in the modules that it calls.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, delete

from bot.errors import StoreError
from bot.model import (
    Batch,
    Delivery,
    Feed,
    FeedSpec,
    FeedState,
    Held,
    Item,
    Lane,
    Outcome,
    RouteState,
    Story,
    Subscription,
    Verdict,
)
from bot.ports import ChatCommand, DeadLetter, ItemTrail
from bot.store import addresses, chats, copies, engine, feeds, leases, look, opening, outbox, record, retention
from bot.store.engine import PATIENCE_S
from bot.store.schema import meta


async def open_store(path: Path, *, readonly: bool = False, patience_s: float = PATIENCE_S) -> SqliteStore:
    """Open a database, making it or bringing its schema up to date where need be.

    ``readonly`` is for commands that look at a database, beside a running daemon or without one. ``patience_s`` is how
    long a transaction waits for other processes' locks.

    Raises :class:`bot.errors.StoreError` and its kin, each with one line that names the file and says what to do.
    """
    if readonly:
        return SqliteStore(path, await opening.open_for_reading(path))
    return SqliteStore(path, await opening.open_for_writing(path, patience_s))


class SqliteStore:
    """An open database; made by :func:`open_store`."""

    def __init__(self, path: Path, lines: opening.Lines) -> None:
        self.path = path
        self._lines = lines
        self._write = lines.writer.run
        self._read = lines.reader.run

    # feeds
    async def sync_feeds(self, specs: Sequence[FeedSpec], now: datetime, *, origin: str) -> None:
        await self._write(feeds.sync, specs, now, origin)

    async def add_feed(self, spec: FeedSpec, now: datetime, *, origin: str = "person") -> Feed:
        return await self._write(feeds.add, spec, now, origin)

    async def remove_feed(self, url: str) -> bool:
        return await self._write(feeds.remove, url)

    async def feeds(self) -> Sequence[Feed]:
        return await self._read(feeds.all_feeds)

    async def due_feeds(self, now: datetime, limit: int) -> Sequence[Feed]:
        return await self._read(feeds.due, now, limit)

    async def next_due(self) -> datetime | None:
        return await self._read(feeds.next_due)

    async def set_feed_state(self, feed_id: int, state: FeedState) -> None:
        await self._write(feeds.set_state, feed_id, state)

    # the straight line
    async def unseen(self, items: Sequence[Item]) -> Sequence[Item]:
        return await self._read(record.unseen, items) if items else []

    async def open_stories(self, since: datetime) -> Sequence[Story]:
        return await self._read(look.open_stories, since)

    async def route_state(self, targets: Sequence[str], story_ids: Sequence[str], now: datetime) -> RouteState:
        return await self._read(record.route_state, targets, story_ids, now)

    async def record(self, batch: Batch) -> None:
        await self._write(record.record, batch)

    # subscriptions and chats
    async def subscriptions(self) -> Sequence[Subscription]:
        return await self._read(chats.all_subscriptions)

    async def put_subscription(self, subscription: Subscription) -> None:
        await self._write(chats.put_subscription, subscription)

    async def delete_subscriptions(self, target: str, subscription_id: str | None = None) -> int:
        return await self._write(chats.delete_subscriptions, target, subscription_id)

    async def chat_get(self, target: str) -> Mapping[str, object]:
        return await self._read(chats.get, target)

    async def chat_put(self, target: str, data: Mapping[str, object]) -> None:
        await self._write(chats.put, target, data)

    async def chats_under(self, prefix: str) -> Mapping[str, Mapping[str, object]]:
        return await self._read(chats.under, prefix)

    async def forget_chat(self, target: str) -> None:
        await self._write(addresses.forget, target)

    async def save_commands(self, commands: Sequence[ChatCommand]) -> int:
        return await self._write(chats.save_commands, commands) if commands else 0

    async def pending_commands(self, limit: int) -> Sequence[ChatCommand]:
        return await self._read(chats.pending_commands, limit)

    async def done_command(self, update_id: int, now: datetime) -> None:
        await self._write(chats.done_command, update_id, now)

    # the outbox
    async def enqueue(self, deliveries: Sequence[Delivery]) -> int:
        return await self._write(outbox.enqueue, deliveries) if deliveries else 0

    async def claim(
        self,
        channel: str,
        lane: Lane | None,
        now: datetime,
        limit: int,
        lease_s: float,
        *,
        exclude: Sequence[str] = (),
    ) -> Sequence[Delivery]:
        return await self._write(leases.claim, channel, lane, now, limit, lease_s, exclude)

    async def attempt(self, delivery: Delivery, now: datetime) -> bool:
        return await self._write(leases.attempt, delivery, now)

    async def settle(self, delivery: Delivery, outcome: Outcome, now: datetime) -> bool:
        return await self._write(leases.settle, delivery, outcome, now)

    async def release(self, deliveries: Sequence[Delivery]) -> None:
        if deliveries:
            await self._write(leases.release, deliveries)

    async def next_delivery(self, channel: str) -> datetime | None:
        return await self._read(outbox.next_delivery, channel)

    async def outbox_depth(self) -> Mapping[str, int]:
        return await self._read(outbox.depth)

    async def sent_urgent(self, since: datetime) -> Sequence[Delivery]:
        return await self._read(outbox.sent_urgent, since)

    async def dead_letters(self, limit: int) -> Sequence[DeadLetter]:
        return await self._read(outbox.dead_letters, limit)

    async def due_held(self, now: datetime) -> Sequence[Held]:
        return await self._read(record.due_held, now)

    async def release_held(self, held: Sequence[Held], deliveries: Sequence[Delivery]) -> None:
        await self._write(record.release_held, held, deliveries)

    # looking back
    async def trail(self, item: str) -> ItemTrail | None:
        return await self._read(look.trail, item)

    async def verdicts(self, since: datetime, limit: int, *, spoken: bool = False) -> Sequence[Verdict]:
        return await self._read(look.judged, since, limit, spoken)

    async def story(self, story_id: str) -> Story | None:
        return await self._read(look.story, story_id)

    async def search(self, words: str, since: datetime, limit: int) -> Sequence[Story]:
        return await self._read(look.search, words, since, limit)

    async def counts(self) -> Mapping[str, int]:
        return await self._read(look.counts)

    async def meta_get(self, key: str) -> str | None:
        return await self._read(chats.meta_get, key)

    async def meta_put(self, key: str, value: str) -> None:
        await self._write(chats.meta_put, key, value)

    # care
    async def purge(self, before: datetime, batch: int = 1000) -> int:
        floors = await asyncio.to_thread(engine.aside, self.path, retention.survey, before)
        rows = 0
        for step in retention.purge_steps(before, batch, floors):
            done = batch
            while done >= batch:
                done = await self._write(step)
                rows += done
        return rows

    async def check(self) -> str | None:
        return await asyncio.to_thread(copies.check, self.path, self._lines.reader.mode)

    async def backup(self, path: str) -> None:
        await asyncio.to_thread(copies.backup, self.path, Path(path), self._lines.reader.mode)

    async def vacuum(self) -> None:
        """Give freed pages back to the disk. Writers wait meanwhile; needs as much free space as the database takes."""
        await self._lines.writer.bare(_vacuum)

    async def close(self) -> None:
        if self._lines.writer.mode == "write":
            with contextlib.suppress(StoreError):  # closed before, or the disk is full: the note then stays
                await self._write(_note_closed)
        await self._lines.close()


def _note_closed(conn: Connection) -> None:
    conn.execute(delete(meta).where(meta.c.key == copies.OPEN))


def _vacuum(raw: sqlite3.Connection) -> None:
    raw.execute("VACUUM")
