"""Leases on the outbox: claim, attempt, settle, release.

The rules that keep delivery exact:

- a claim leases a message until a time and raises its fence; only the holder of the newest fence may settle;
- an attempt row is written before each send, so that a lease that died with one open says "perhaps sent";
- within one address and story, messages go out in the order in which they were queued, one at a time.

Source: 1,000 SIGKILLs during 10,000 alerts lost none this way, and 27 to 5,258 in other orders. Statements are built
once: SQLAlchemy takes four times as long to build one as SQLite to run it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Connection,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.dialects.sqlite import insert as upsert

from bot.errors import StoreError
from bot.model import Delivery, GivenUp, Lane, Mode, Outcome, RetryAt, Sent
from bot.store import addresses, codec
from bot.store.outbox import DEAD, HEAD, LEASED, QUEUED, SENT, delivery_of
from bot.store.schema import LIVE, AnyRow, Instant, attempts, outbox, subscriptions, told

EXPIRED = "expired before it could be sent"

# the sum keeps the planner off the index by due time: walking the lanes in order stops after the first few rows
_DUE = (type_coerce(outbox.c.due_at, BigInteger) + 0) <= bindparam("now", type_=Instant)

_CANDIDATES = (
    select(outbox.c.seq, outbox.c.target, outbox.c.expires_at)
    .where(LIVE, outbox.c.channel == bindparam("channel"), _DUE, HEAD)
    .order_by(outbox.c.lane, outbox.c.seq)
)
_CANDIDATES_IN_LANE = _CANDIDATES.where(outbox.c.lane == bindparam("lane"))

_OPEN = attempts.c.ended_at.is_(None)
_ATTEMPTED = exists().where(attempts.c.seq == outbox.c.seq, _OPEN)
_CHOSEN: BindParameter[int] = bindparam("chosen", expanding=True)

_LEASE = (
    update(outbox)
    .where(outbox.c.seq.in_(_CHOSEN))
    .values(
        state=LEASED,
        due_at=bindparam("until"),
        fence=outbox.c.fence + 1,
        maybe_sent=or_(outbox.c.maybe_sent, _ATTEMPTED),
    )
)
_END_STALE = (
    update(attempts)
    .where(attempts.c.seq.in_(_CHOSEN), _OPEN)
    .values(ended_at=bindparam("now"), outcome="the answer was lost")
)
_LEASED = (
    select(outbox, told.c.message_id)
    .outerjoin(told, and_(told.c.target == outbox.c.target, told.c.story_id == outbox.c.story_id))
    .where(outbox.c.seq.in_(_CHOSEN))
    .order_by(outbox.c.lane, outbox.c.seq)
)

_MINE = and_(
    LIVE,
    outbox.c.id == bindparam("b_id"),
    outbox.c.state == literal(LEASED),
    outbox.c.fence == bindparam("b_fence"),
)
_FIND = select(outbox.c.seq, outbox.c.target).where(_MINE)
_ATTEMPT = (
    update(outbox)
    .where(_MINE, outbox.c.due_at > bindparam("b_now"))
    .values(attempts=outbox.c.attempts + 1)
    .returning(outbox.c.seq)
)
_BEGIN_ATTEMPT = upsert(attempts)
_BEGIN_ATTEMPT = _BEGIN_ATTEMPT.on_conflict_do_update(
    set_={name: _BEGIN_ATTEMPT.excluded[name] for name in ("ended_at", "outcome")}
)
_END_ATTEMPTS = (
    update(attempts)
    .where(attempts.c.seq == bindparam("b_seq"), _OPEN)
    .values(ended_at=bindparam("b_now"), outcome=bindparam("b_outcome"))
)
_RELEASE = (
    update(outbox)
    .where(_MINE)
    .values(state=QUEUED, due_at=outbox.c.not_before, maybe_sent=or_(outbox.c.maybe_sent, _ATTEMPTED))
    .returning(outbox.c.seq)
)
_END_RELEASED = (
    update(attempts)
    .where(attempts.c.seq == bindparam("b_seq"), _OPEN)
    .values(ended_at=attempts.c.started_at, outcome="released")
)
_SETTLE_SENT = (
    update(outbox)
    .where(outbox.c.seq == bindparam("b_seq"))
    .values(state=SENT, settled_at=bindparam("b_at"), reason=None)
)
_THREAD = and_(told.c.target == bindparam("b_target"), told.c.story_id == bindparam("b_story"))
_SET_THREAD = update(told).where(_THREAD).values(message_id=bindparam("b_message"))
_SET_FIRST_THREAD = (
    update(told).where(_THREAD).values(message_id=func.coalesce(told.c.message_id, bindparam("b_message")))
)
_BURY = (
    update(outbox)
    .where(outbox.c.seq.in_(_CHOSEN))
    .values(state=DEAD, settled_at=bindparam("now"), reason=bindparam("why"))
)


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
        conn.execute(_BURY, {"chosen": expired, "now": now, "why": EXPIRED})
    if not chosen:
        return []
    conn.execute(_LEASE, {"chosen": chosen, "until": now + timedelta(seconds=lease_s)})
    conn.execute(_END_STALE, {"chosen": chosen, "now": now})
    rows = conn.execute(_LEASED, {"chosen": chosen}).all()
    claimed = [_claimed(conn, row, now) for row in rows]
    return [delivery for delivery in claimed if delivery is not None]


def _choose(
    conn: Connection, channel: str, lane: Lane | None, now: datetime, limit: int, exclude: frozenset[str]
) -> tuple[list[int], list[int]]:
    query = _CANDIDATES if lane is None else _CANDIDATES_IN_LANE
    asked = {"channel": channel, "now": now} | ({} if lane is None else {"lane": int(lane)})
    chosen: list[int] = []
    expired: list[int] = []
    with closing(conn.execute(query, asked)) as rows:
        for seq, target, expires_at in rows:
            if len(chosen) >= limit:
                break
            if expires_at <= now:
                expired.append(seq)
            elif target not in exclude:
                chosen.append(seq)
    return chosen, expired


def _claimed(conn: Connection, row: AnyRow, now: datetime) -> Delivery | None:
    """The delivery of a leased row; one that cannot be read is a dead letter, or it would be claimed for ever."""
    try:
        delivery = delivery_of(row)
    except StoreError as error:
        conn.execute(_BURY, {"chosen": [row.seq], "now": now, "why": codec.clean(str(error))})
        return None
    if delivery.mode is Mode.NEW:
        return delivery
    return replace(delivery, thread=row.message_id, mode=delivery.mode if row.message_id else Mode.NEW)


# --- sending and settling ---------------------------------------------------------------------------------------


def attempt(conn: Connection, delivery: Delivery, now: datetime) -> bool:
    """Write the attempt; False where the lease is over or somebody else's."""
    seq = conn.execute(_ATTEMPT, _holder(delivery) | {"b_now": now}).scalar()
    if seq is None:
        return False
    row = {"seq": seq, "fence": delivery.fence, "started_at": now, "ended_at": None, "outcome": None}
    conn.execute(_BEGIN_ATTEMPT, row)
    return True


def settle(conn: Connection, delivery: Delivery, outcome: Outcome, now: datetime) -> bool:
    """Record how it went; False where the message is in other hands by now."""
    row = conn.execute(_FIND, _holder(delivery)).one_or_none()
    if row is None:
        return False
    conn.execute(_END_ATTEMPTS, {"b_seq": row.seq, "b_now": now, "b_outcome": type(outcome).__name__})
    match outcome:
        case Sent():
            _sent(conn, row.seq, delivery, outcome)
        case RetryAt():
            _retry(conn, row.seq, row.target, outcome)
        case GivenUp():
            _give_up(conn, row.seq, row.target, outcome, now)
    return True


def release(conn: Connection, deliveries: Sequence[Delivery]) -> None:
    """Give leases back. Where an attempt had begun, the message counts as perhaps sent."""
    for delivery in deliveries:
        seq = conn.execute(_RELEASE, _holder(delivery)).scalar()
        if seq is not None:
            conn.execute(_END_RELEASED, {"b_seq": seq})


def _holder(delivery: Delivery) -> dict[str, object]:
    return {"b_id": delivery.id, "b_fence": delivery.fence}


def _thread(delivery: Delivery, message_id: str) -> dict[str, object]:
    return {"b_target": delivery.target, "b_story": delivery.story_id, "b_message": message_id}


def _sent(conn: Connection, seq: int, delivery: Delivery, outcome: Sent) -> None:
    conn.execute(_SETTLE_SENT, {"b_seq": seq, "b_at": outcome.receipt.at})
    if outcome.receipt.message_id is not None and delivery.story_id is not None:
        # an answer does not replace the live message that it answers
        query = _SET_FIRST_THREAD if delivery.mode is Mode.REPLY else _SET_THREAD
        conn.execute(query, _thread(delivery, outcome.receipt.message_id))


def _retry(conn: Connection, seq: int, target: str, outcome: RetryAt) -> None:
    again = {
        "state": QUEUED,
        "not_before": outcome.at,
        "due_at": outcome.at,
        "reason": codec.clean(outcome.reason),
        "plain": or_(outbox.c.plain, literal(outcome.plain)),
        "maybe_sent": or_(outbox.c.maybe_sent, literal(outcome.ambiguous)),
    }
    conn.execute(update(outbox).where(outbox.c.seq == seq).values(again))
    if outcome.target is not None and outcome.target != target:
        addresses.migrate(conn, target, outcome.target)


def _give_up(conn: Connection, seq: int, target: str, outcome: GivenUp, now: datetime) -> None:
    reason = codec.clean(outcome.reason)
    conn.execute(_BURY, {"chosen": [seq], "now": now, "why": reason})
    if outcome.suspend:
        conn.execute(update(subscriptions).where(subscriptions.c.target == target).values(suspended=reason))
        waiting = update(outbox).where(LIVE, outbox.c.target == target, outbox.c.state == QUEUED)
        conn.execute(waiting.values(state=DEAD, settled_at=now, reason=reason))
