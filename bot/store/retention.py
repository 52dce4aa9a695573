"""Retention: what is older than a time goes, in transactions so small that nobody waits for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

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


@dataclass(frozen=True, slots=True)
class Floor:
    """What retention may do with a feed's items."""

    lowest: int
    """The oldest id whose identity is kept whatever its age."""
    beyond: tuple[int, ...]
    """Ids below that which an earlier run has emptied."""


def survey(conn: Connection, before: datetime) -> Mapping[int, Floor]:
    """What is to be kept of each feed that has items from before a time. Reads for seconds where there are many."""
    aged = select(items.c.feed_id).where(items.c.title.is_not(None), items.c.seen_at < before).distinct()
    return {feed_id: _floor(conn, feed_id) for feed_id in conn.execute(aged).scalars().all()}


def _floor(conn: Connection, feed_id: int) -> Floor:
    newest = select(items.c.id).where(items.c.feed_id == feed_id).order_by(items.c.id.desc())
    lowest = conn.execute(newest.offset(KEPT_IDENTITIES - 1).limit(1)).scalar() or 0
    emptied = (items.c.feed_id == feed_id, items.c.id < lowest, items.c.title.is_(None))
    return Floor(lowest, tuple(conn.execute(select(items.c.id).where(*emptied)).scalars()))


def purge_steps(before: datetime, batch: int, floors: Mapping[int, Floor]) -> Sequence[Step]:
    """Each is to be repeated until it did fewer rows than a batch. ``floors`` come from :func:`survey`."""
    beyond = [item_id for one in floors.values() for item_id in one.beyond]
    steps: list[Step] = [
        partial(_delete_items, ids=beyond[start : start + batch]) for start in range(0, len(beyond), batch)
    ]
    lowest = {feed_id: one.lowest for feed_id, one in floors.items()}
    steps.append(partial(_purge_items, before=before, batch=batch, lowest=lowest))
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


def _purge_items(conn: Connection, before: datetime, batch: int, lowest: Mapping[int, int]) -> int:
    query = select(items.c.id, items.c.feed_id).where(items.c.title.is_not(None), items.c.seen_at < before)
    old = conn.execute(query.order_by(items.c.seen_at).limit(batch)).all()
    kept = [row.id for row in old if row.id >= lowest.get(row.feed_id, 0)]
    _delete_items(conn, sorted({row.id for row in old} - set(kept)))
    blank = {"title": None, "summary": "", "link": "", "assessment": None}
    conn.execute(update(items).where(items.c.id.in_(kept)).values(blank))
    return len(old)


def _delete_items(conn: Connection, ids: Sequence[int]) -> int:
    return conn.execute(delete(items).where(items.c.id.in_(ids))).rowcount
