"""The outbox: messages owed. How they are sent and settled is in :mod:`bot.store.leases`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, exists, func, or_, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from bot.errors import StoreError
from bot.model import Alert, Content, Delivery, Digest, Lane, Mode, Notice
from bot.ports import DeadLetter
from bot.store import codec
from bot.store.feeds import CHUNK
from bot.store.schema import LIVE, AnyRow, outbox

QUEUED, LEASED, SENT, DEAD, SUPERSEDED = "queued", "leased", "sent", "dead", "superseded"

CONTENT: Mapping[str, type[Alert] | type[Digest] | type[Notice]] = {"alert": Alert, "digest": Digest, "notice": Notice}

_INSERT = upsert(outbox).on_conflict_do_nothing(index_elements=["id"])

_earlier = outbox.alias("earlier")
HEAD = or_(
    outbox.c.story_id.is_(None),
    ~exists().where(
        _earlier.c.target == outbox.c.target,
        _earlier.c.story_id == outbox.c.story_id,
        _earlier.c.settled_at.is_(None),
        _earlier.c.seq < outbox.c.seq,
    ),
)
"""No earlier message about the same story is still owed to the same address."""

_later = outbox.alias("later")
_LATER = and_(
    _later.c.target == outbox.c.target,
    _later.c.story_id == outbox.c.story_id,
    _later.c.settled_at.is_(None),
    _later.c.seq > outbox.c.seq,
)


# --- queuing ----------------------------------------------------------------------------------------------------


def enqueue(conn: Connection, deliveries: Sequence[Delivery]) -> int:
    """Queue messages; known ids are left alone. Returns how many were new."""
    if not deliveries:
        return 0
    body = codec.Once()
    new = conn.execute(_INSERT, [_row(delivery, body) for delivery in deliveries]).rowcount
    _supersede(conn, deliveries)
    _lift(conn, deliveries)
    return new


def _row(delivery: Delivery, body: codec.Once) -> dict[str, object]:
    return {
        "id": delivery.id,
        "target": delivery.target,
        "channel": delivery.channel,
        "lane": int(delivery.lane),
        "mode": delivery.mode.value,
        "story_id": delivery.story_id,
        "subscription_id": delivery.subscription_id,
        "language": delivery.language,
        "zone": delivery.zone,
        "created_at": delivery.created_at,
        "not_before": delivery.not_before,
        "expires_at": delivery.expires_at,
        "due_at": delivery.not_before,
        "state": QUEUED,
        "fence": 0,
        "attempts": delivery.attempts,
        "maybe_sent": delivery.maybe_sent,
        "plain": delivery.plain,
        "content_kind": type(delivery.content).__name__.lower(),
        "content": body(delivery.content),
    }


def _supersede(conn: Connection, deliveries: Sequence[Delivery]) -> None:
    """An edit that nobody sent yet says nothing that a newer edit of the same message does not."""
    edits = [delivery for delivery in deliveries if delivery.mode is Mode.EDIT and delivery.story_id]
    edit = Mode.EDIT.value
    for stories in _chunks({str(one.story_id) for one in edits}):
        newer = exists().where(_LATER, _later.c.mode == edit, _later.c.state == QUEUED)
        older = (outbox.c.story_id.in_(stories), outbox.c.mode == edit, outbox.c.state == QUEUED)
        done = {"state": SUPERSEDED, "settled_at": max(one.created_at for one in edits)}
        conn.execute(update(outbox).where(LIVE, *older, newer).values(done))


def _lift(conn: Connection, deliveries: Sequence[Delivery]) -> None:
    """A more urgent message lifts the earlier ones of its story and address into its lane: they go before it."""
    urgent = {str(one.story_id) for one in deliveries if one.story_id and one.lane < Lane.DIGEST}
    for stories in _chunks(urgent):
        best = select(func.min(_later.c.lane)).where(_LATER).scalar_subquery()
        slower = exists().where(_LATER, _later.c.lane < outbox.c.lane)
        conn.execute(update(outbox).where(LIVE, outbox.c.story_id.in_(stories), slower).values(lane=best))


def _chunks(values: set[str]) -> Iterator[Sequence[str]]:
    ordered = sorted(values)
    return (ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK))


# --- looking ----------------------------------------------------------------------------------------------------


def delivery_of(row: AnyRow) -> Delivery:
    """A row of the outbox as the model's delivery. Raises :class:`StoreError` where its content cannot be read."""
    content: Content = codec.load(CONTENT[row.content_kind], row.content)
    return Delivery(
        id=row.id,
        target=row.target,
        content=content,
        lane=Lane(row.lane),
        created_at=row.created_at,
        not_before=row.not_before,
        expires_at=row.expires_at,
        mode=Mode(row.mode),
        story_id=row.story_id,
        subscription_id=row.subscription_id,
        language=row.language,
        zone=row.zone,
        attempts=row.attempts,
        fence=row.fence,
        maybe_sent=row.maybe_sent,
        plain=row.plain,
    )


def readable(row: AnyRow) -> Delivery:
    """A delivery for people to look at: content that cannot be read is replaced by words that say so."""
    try:
        return delivery_of(row)
    except StoreError as error:
        words = Notice(str(error), row.created_at, topic="unreadable")
        return delivery_of(row._replace(content_kind="notice", content=codec.dump(words)))


def shown_state(state: str) -> str:
    """A state as people are told it: queued, sent, dead; a lease is nobody's business."""
    return QUEUED if state == LEASED else state


def next_delivery(conn: Connection, channel: str) -> datetime | None:
    """When the next message of a channel may go; those that wait for an earlier one do not count."""
    query = select(outbox.c.due_at).where(LIVE, outbox.c.channel == channel, HEAD)
    return conn.execute(query.order_by(outbox.c.due_at).limit(1)).scalar()


def depth(conn: Connection) -> Mapping[str, int]:
    """Messages owed, by channel."""
    query = select(outbox.c.channel, func.count().label("n")).where(LIVE).group_by(outbox.c.channel)
    return {row.channel: row.n for row in conn.execute(query)}


def heard_since(conn: Connection, since: datetime) -> dict[str, int]:
    """Messages by address: sent since a time, or on their way. Silent edits are no messages."""
    heard: dict[str, int] = {}
    for part in (LIVE, and_(outbox.c.settled_at > since, outbox.c.state == SENT)):
        query = select(outbox.c.target, func.count().label("n")).where(part, outbox.c.mode != Mode.EDIT.value)
        for row in conn.execute(query.group_by(outbox.c.target)):
            heard[row.target] = heard.get(row.target, 0) + row.n
    return heard


def sent_urgent(conn: Connection, since: datetime) -> Sequence[Delivery]:
    """Delivered messages of the urgent lane that were owed at or after a time, oldest first."""
    query = select(outbox).where(
        outbox.c.settled_at >= since,
        outbox.c.state == SENT,
        outbox.c.lane == Lane.URGENT.value,
        outbox.c.created_at >= since,
    )
    return [readable(row) for row in conn.execute(query.order_by(outbox.c.seq))]


def dead_letters(conn: Connection, limit: int) -> Sequence[DeadLetter]:
    """Given up, newest first."""
    query = select(outbox).where(outbox.c.settled_at.is_not(None), outbox.c.state == DEAD)
    newest = query.order_by(outbox.c.settled_at.desc(), outbox.c.seq.desc()).limit(limit)
    return [DeadLetter(readable(row), row.reason or "", row.settled_at) for row in conn.execute(newest)]
