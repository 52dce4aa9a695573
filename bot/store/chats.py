"""What is kept of chats: subscriptions, settings and dialogue, and the updates they sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from bot.model import Subscription
from bot.ports import ChatCommand
from bot.store import codec
from bot.store.schema import AnyRow, chats, commands, meta, subscriptions

_LAST = "\U0010ffff"
"""Sorts behind every character that an address holds."""


def all_subscriptions(conn: Connection) -> Sequence[Subscription]:
    """All of them, by id."""
    return [_subscription(row) for row in conn.execute(select(subscriptions).order_by(subscriptions.c.id))]


def _subscription(row: AnyRow) -> Subscription:
    # the columns are what migrations and suspensions write
    return replace(codec.load(Subscription, row.body), target=row.target, suspended=row.suspended)


def put_subscription(conn: Connection, subscription: Subscription) -> None:
    """Insert or replace by id."""
    query = upsert(subscriptions)
    row = {
        "id": subscription.id,
        "target": subscription.target,
        "suspended": subscription.suspended,
        "body": codec.dump(subscription),
    }
    conn.execute(query.on_conflict_do_update(set_={name: query.excluded[name] for name in row}), row)


def delete_subscriptions(conn: Connection, target: str, subscription_id: str | None) -> int:
    """Delete one, or all of an address."""
    query = delete(subscriptions).where(subscriptions.c.target == target)
    if subscription_id is not None:
        query = query.where(subscriptions.c.id == subscription_id)
    return conn.execute(query).rowcount


def get(conn: Connection, target: str) -> Mapping[str, object]:
    """Settings and dialogue of a chat; empty where nothing is known."""
    body = conn.execute(select(chats.c.body).where(chats.c.target == target)).scalar()
    return {} if body is None else codec.load_mapping(body)


def put(conn: Connection, target: str, data: Mapping[str, object]) -> None:
    """Replace them."""
    _put(conn, target, codec.dump(data))


def _put(conn: Connection, target: str, body: str) -> None:
    query = upsert(chats)
    conn.execute(query.on_conflict_do_update(set_={"body": query.excluded.body}), {"target": target, "body": body})


def under(conn: Connection, prefix: str) -> Mapping[str, Mapping[str, object]]:
    """What is kept of every address that begins so, in order of addresses."""
    # not LIKE, which takes capitals for small letters: a range of the primary key
    query = select(chats).where(chats.c.target >= prefix, chats.c.target < prefix + _LAST)
    return {row.target: codec.load_mapping(row.body) for row in conn.execute(query.order_by(chats.c.target))}


def save_commands(conn: Connection, received: Sequence[ChatCommand]) -> int:
    """Keep updates, each id once; returns how many were new."""
    rows = [
        {"update_id": one.update_id, "received_at": one.received_at, "body": codec.dump(one.body)} for one in received
    ]
    return conn.execute(upsert(commands).on_conflict_do_nothing(), rows).rowcount if rows else 0


def pending_commands(conn: Connection, limit: int) -> Sequence[ChatCommand]:
    """Not yet handled, in the order in which they came."""
    query = select(commands).where(commands.c.done_at.is_(None))
    rows = conn.execute(query.order_by(commands.c.received_at, commands.c.update_id).limit(limit))
    return [ChatCommand(row.update_id, row.received_at, codec.load_mapping(row.body)) for row in rows]


def done_command(conn: Connection, update_id: int, now: datetime) -> None:
    """Handled: what was said is deleted, the number stays, so that a redelivery is known for one."""
    conn.execute(update(commands).where(commands.c.update_id == update_id).values(done_at=now, body="{}"))


def meta_get(conn: Connection, key: str) -> str | None:
    """A small durable value."""
    return conn.execute(select(meta.c.value).where(meta.c.key == key)).scalar()


def meta_put(conn: Connection, key: str, value: str) -> None:
    """Write it."""
    query = upsert(meta)
    conn.execute(query.on_conflict_do_update(set_={"value": query.excluded.value}), {"key": key, "value": value})
