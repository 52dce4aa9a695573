"""The outbox: messages owed, leased to whoever sends them, and settled.

The rules that keep it exact:

- a claim leases a message until a time and raises its fence; only the holder of the newest fence may settle;
- an attempt row is written before each send, so that a lease that died with one open says "perhaps sent";
- within one address and story, messages go out in the order in which they were queued, one at a time;
- a more urgent message lifts the earlier ones of its story and address into its lane, or they would hold it up.

Source of the first two: 1,000 SIGKILLs during 10,000 alerts lost none this way, and 27 to 5,258 in other orders.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert as upsert

from bot.errors import DeliveryProblem, StoreError
from bot.model import (
    Alert,
    Content,
    Delivery,
    Digest,
    GivenUp,
    Lane,
    Mode,
    Notice,
    Outcome,
    RetryAt,
    Sent,
)
from bot.ports import DeadLetter
from bot.store import addresses, codec
from bot.store.feeds import CHUNK
from bot.store.schema import LIVE, AnyRow, attempts, outbox, subscriptions, told

QUEUED, LEASED, SENT, DEAD, SUPERSEDED = "queued", "leased", "sent", "dead", "superseded"

CONTENT: Mapping[str, type[Alert] | type[Digest] | type[Notice]] = {"alert": Alert, "digest": Digest, "notice": Notice}

EXPIRED = "expired before it could be sent"

_INSERT = upsert(outbox).on_conflict_do_nothing(index_elements=["id"])

_earlier = outbox.alias("earlier")
_HEAD = or_(
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

_READY = or_(outbox.c.state == QUEUED, outbox.c.lease_until <= bindparam("now"))

_CANDIDATES = (
    select(outbox.c.seq, outbox.c.target, outbox.c.expires_at)
    .where(LIVE, outbox.c.channel == bindparam("channel"), outbox.c.not_before <= bindparam("now"), _READY, _HEAD)
    .order_by(outbox.c.lane, outbox.c.seq)
)

_WITH_THREAD = select(outbox, told.c.message_id).outerjoin(
    told, and_(told.c.target == outbox.c.target, told.c.story_id == outbox.c.story_id)
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
    for stories in _chunks(sorted({str(edit.story_id) for edit in edits})):
        newer = exists().where(_LATER, _later.c.mode == Mode.EDIT.value, _later.c.state == QUEUED)
        conn.execute(
            update(outbox)
            .where(
                LIVE, outbox.c.story_id.in_(stories), outbox.c.mode == Mode.EDIT.value, outbox.c.state == QUEUED, newer
            )
            .values(state=SUPERSEDED, settled_at=max(edit.created_at for edit in edits))
        )


def _lift(conn: Connection, deliveries: Sequence[Delivery]) -> None:
    urgent = {str(delivery.story_id) for delivery in deliveries if delivery.story_id and delivery.lane < Lane.DIGEST}
    for stories in _chunks(sorted(urgent)):
        best = select(func.min(_later.c.lane)).where(_LATER).scalar_subquery()
        slower = exists().where(_LATER, _later.c.lane < outbox.c.lane)
        conn.execute(update(outbox).where(LIVE, outbox.c.story_id.in_(stories), slower).values(lane=best))


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))


# --- claiming ---------------------------------------------------------------------------------------------------


def claim(
    conn: Connection,
    channel: str,
    lane: Lane | None,
    now: datetime,
    limit: int,
    lease_s: float,
    exclude: Sequence[str],
) -> Sequence[Delivery]:
    """Lease what is due, most urgent and oldest first; what expired on the way becomes a dead letter."""
    chosen, expired = _choose(conn, channel, lane, now, limit, frozenset(exclude))
    if expired:
        conn.execute(update(outbox).where(outbox.c.seq.in_(expired)).values(_dead(EXPIRED, now)))
    if not chosen:
        return []
    _lease(conn, chosen, now, now + timedelta(seconds=lease_s))
    rows = conn.execute(_WITH_THREAD.where(outbox.c.seq.in_(chosen)).order_by(outbox.c.lane, outbox.c.seq)).all()
    claimed = [_claimed(conn, row, now) for row in rows]
    return [delivery for delivery in claimed if delivery is not None]


def _choose(
    conn: Connection, channel: str, lane: Lane | None, now: datetime, limit: int, exclude: frozenset[str]
) -> tuple[list[int], list[int]]:
    query = _CANDIDATES if lane is None else _CANDIDATES.where(outbox.c.lane == int(lane))
    chosen: list[int] = []
    expired: list[int] = []
    with closing(conn.execute(query, {"channel": channel, "now": now})) as rows:
        for seq, target, expires_at in rows:
            if len(chosen) >= limit:
                break
            if expires_at <= now:
                expired.append(seq)
            elif target not in exclude:
                chosen.append(seq)
    return chosen, expired


def _lease(conn: Connection, chosen: Sequence[int], now: datetime, until: datetime) -> None:
    left_open = exists().where(attempts.c.seq == outbox.c.seq, attempts.c.ended_at.is_(None))
    conn.execute(
        update(outbox)
        .where(outbox.c.seq.in_(chosen))
        .values(
            state=LEASED,
            lease_until=until,
            fence=outbox.c.fence + 1,
            maybe_sent=or_(outbox.c.maybe_sent, left_open),
        )
    )
    stale = update(attempts).where(attempts.c.seq.in_(chosen), attempts.c.ended_at.is_(None))
    conn.execute(stale.values(ended_at=now, outcome="the answer was lost"))


def _claimed(conn: Connection, row: AnyRow, now: datetime) -> Delivery | None:
    """The delivery of a leased row; one that cannot be read is a dead letter, or it would be claimed for ever."""
    try:
        delivery = delivery_of(row)
    except StoreError as error:
        conn.execute(update(outbox).where(outbox.c.seq == row.seq).values(_dead(str(error), now)))
        return None
    if delivery.mode is Mode.NEW:
        return delivery
    return replace(delivery, thread=row.message_id, mode=delivery.mode if row.message_id else Mode.NEW)


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


# --- sending and settling ---------------------------------------------------------------------------------------


def attempt(conn: Connection, delivery: Delivery, now: datetime) -> bool:
    """Write the attempt; False where the lease is over or somebody else's."""
    mine = conn.execute(
        update(outbox)
        .where(_held_by(delivery), outbox.c.lease_until > now)
        .values(attempts=outbox.c.attempts + 1)
        .returning(outbox.c.seq)
    ).scalar()
    if mine is None:
        return False
    row = {"seq": mine, "fence": delivery.fence, "started_at": now, "ended_at": None, "outcome": None}
    query = upsert(attempts)
    conn.execute(query.on_conflict_do_update(set_={"ended_at": None, "outcome": None}), row)
    return True


def settle(conn: Connection, delivery: Delivery, outcome: Outcome, now: datetime) -> bool:
    """Record how it went; False where the message is in other hands by now."""
    row = conn.execute(select(outbox.c.seq, outbox.c.target).where(_held_by(delivery))).one_or_none()
    if row is None:
        return False
    _end_attempts(conn, row.seq, now, type(outcome).__name__)
    match outcome:
        case Sent():
            _sent(conn, row.seq, delivery, outcome)
        case RetryAt():
            _retry(conn, row.seq, row.target, outcome)
        case GivenUp():
            _give_up(conn, row.seq, row.target, outcome, now)
    if isinstance(outcome, RetryAt | GivenUp) and outcome.reason.startswith(DeliveryProblem.GONE_MESSAGE.value):
        _forget_thread(conn, delivery)
    return True


def release(conn: Connection, deliveries: Sequence[Delivery]) -> None:
    """Give leases back. Where an attempt had begun, the message counts as perhaps sent."""
    for delivery in deliveries:
        open_attempt = exists().where(attempts.c.seq == outbox.c.seq, attempts.c.ended_at.is_(None))
        values = {"state": QUEUED, "lease_until": None, "maybe_sent": or_(outbox.c.maybe_sent, open_attempt)}
        seq = conn.execute(update(outbox).where(_held_by(delivery)).values(values).returning(outbox.c.seq)).scalar()
        if seq is not None:
            _end_attempts(conn, seq, None, "released")


def _held_by(delivery: Delivery) -> ColumnElement[bool]:
    return and_(LIVE, outbox.c.id == delivery.id, outbox.c.state == LEASED, outbox.c.fence == delivery.fence)


def _dead(reason: str, now: datetime) -> dict[str, object]:
    return {"state": DEAD, "lease_until": None, "settled_at": now, "reason": codec.clean(reason)}


def _end_attempts(conn: Connection, seq: int, now: datetime | None, outcome: str) -> None:
    open_ones = update(attempts).where(attempts.c.seq == seq, attempts.c.ended_at.is_(None))
    conn.execute(open_ones.values(ended_at=now or attempts.c.started_at, outcome=outcome))


def _sent(conn: Connection, seq: int, delivery: Delivery, outcome: Sent) -> None:
    done = {"state": SENT, "lease_until": None, "settled_at": outcome.receipt.at, "reason": None}
    conn.execute(update(outbox).where(outbox.c.seq == seq).values(done))
    if outcome.receipt.message_id is None or delivery.story_id is None:
        return
    # an answer does not replace the live message that it answers
    known = told.c.message_id if delivery.mode is Mode.REPLY else literal(None)
    mine = (told.c.target == delivery.target, told.c.story_id == delivery.story_id)
    conn.execute(update(told).where(*mine).values(message_id=func.coalesce(known, outcome.receipt.message_id)))


def _retry(conn: Connection, seq: int, target: str, outcome: RetryAt) -> None:
    again = {
        "state": QUEUED,
        "lease_until": None,
        "not_before": outcome.at,
        "reason": codec.clean(outcome.reason),
        "plain": or_(outbox.c.plain, literal(outcome.plain)),
        "maybe_sent": or_(outbox.c.maybe_sent, literal(outcome.ambiguous)),
    }
    conn.execute(update(outbox).where(outbox.c.seq == seq).values(again))
    if outcome.target is not None and outcome.target != target:
        addresses.migrate(conn, target, outcome.target)


def _give_up(conn: Connection, seq: int, target: str, outcome: GivenUp, now: datetime) -> None:
    reason = codec.clean(outcome.reason)
    conn.execute(update(outbox).where(outbox.c.seq == seq).values(_dead(reason, now)))
    if outcome.suspend:
        conn.execute(update(subscriptions).where(subscriptions.c.target == target).values(suspended=reason))
        waiting = update(outbox).where(LIVE, outbox.c.target == target, outbox.c.state == QUEUED)
        conn.execute(waiting.values(_dead(reason, now)))


def _forget_thread(conn: Connection, delivery: Delivery) -> None:
    """The live message is no more: what follows is new again."""
    mine = (told.c.target == delivery.target, told.c.story_id == delivery.story_id)
    conn.execute(update(told).where(*mine).values(message_id=None))


# --- looking ----------------------------------------------------------------------------------------------------


def next_delivery(conn: Connection, channel: str) -> datetime | None:
    """When the next message of a channel may go; those that wait for an earlier one do not count."""
    free = case((outbox.c.state == LEASED, outbox.c.lease_until), else_=outbox.c.not_before)
    return conn.execute(select(func.min(free)).where(LIVE, outbox.c.channel == channel, _HEAD)).scalar()


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


def dead_letters(conn: Connection, limit: int) -> Sequence[DeadLetter]:
    """Given up, newest first."""
    query = select(outbox).where(outbox.c.settled_at.is_not(None), outbox.c.state == DEAD)
    newest = query.order_by(outbox.c.settled_at.desc(), outbox.c.seq.desc()).limit(limit)
    return [DeadLetter(readable(row), row.reason or "", row.settled_at) for row in conn.execute(newest)]


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
