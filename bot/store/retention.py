"""Retention: what is older than a time goes, in transactions so small that nobody waits for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Column, Connection, Table, bindparam, delete, select, update

from bot.store.schema import commands, items, outbox, silent, stories, told, verdicts

KEPT_IDENTITIES = 500
"""Of each feed, so many newest items are emptied by retention and not deleted.

A slow feed may list an item for years; were its identity forgotten, it would come back as news.
"""

_DATED: tuple[tuple[Table, Column[datetime]], ...] = (
    (verdicts, verdicts.c.at),
    (silent, silent.c.at),
    (outbox, outbox.c.settled_at),
    (stories, stories.c.updated_at),
    (told, told.c.at),
    (commands, commands.c.done_at),
)

Step = Callable[[Connection], int]
"""One small transaction of retention; returns how many rows it did."""


def purge_steps(before: datetime, batch: int) -> Sequence[Step]:
    """Each is to be repeated until it did fewer rows than a batch."""
    steps: list[Step] = [_purge_items(before, batch)]
    steps += [_purge_table(table, at, before, batch) for table, at in _DATED]
    return steps


def _purge_table(table: Table, at: Column[datetime], before: datetime, batch: int) -> Step:
    keys = list(table.primary_key)
    names = [f"b_{key.name}" for key in keys]
    gone = delete(table).where(*(key == bindparam(name) for key, name in zip(keys, names, strict=True)))

    def step(conn: Connection) -> int:
        old = conn.execute(select(*keys).where(at < before).order_by(at).limit(batch)).all()
        if old:
            conn.execute(gone, [dict(zip(names, row, strict=True)) for row in old])
        return len(old)

    return step


def _purge_items(before: datetime, batch: int) -> Step:
    floors: dict[int, int] = {}

    def step(conn: Connection) -> int:
        query = select(items.c.id, items.c.feed_id).where(items.c.title.is_not(None), items.c.seen_at < before)
        old = conn.execute(query.order_by(items.c.seen_at).limit(batch)).all()
        for row in old:
            if row.feed_id not in floors:
                floors[row.feed_id] = _floor(conn, row.feed_id)
        _empty(conn, [row.id for row in old])
        for feed_id in {row.feed_id for row in old}:
            emptied = (items.c.feed_id == feed_id, items.c.id < floors[feed_id], items.c.title.is_(None))
            conn.execute(delete(items).where(*emptied))
        return len(old)

    return step


def _floor(conn: Connection, feed_id: int) -> int:
    """The oldest id of a feed whose identity is kept whatever its age."""
    newest = select(items.c.id).where(items.c.feed_id == feed_id).order_by(items.c.id.desc())
    return conn.execute(newest.offset(KEPT_IDENTITIES - 1).limit(1)).scalar() or 0


def _empty(conn: Connection, ids: Sequence[int]) -> None:
    blank = {"title": None, "summary": "", "link": "", "assessment": None}
    conn.execute(update(items).where(items.c.id.in_(ids)).values(blank))
