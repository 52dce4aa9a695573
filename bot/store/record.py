"""What one batch leaves behind: items, stories, verdicts, who was told, what is held."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from bot.model import (
    REVISION,
    Alert,
    Batch,
    Delivery,
    Held,
    Item,
    NonDelivery,
    Reason,
    RouteState,
    Snapshot,
    Story,
    Told,
    Verdict,
)
from bot.store import codec, feeds, outbox
from bot.store.schema import held, items, silent, stories, told, verdicts
from classifiers.assessment import Assessment

CHUNK = feeds.CHUNK
MOST_REVISIONS = 10
_NEVER = object()
_WORD = re.compile(r"\w+")

_KNOWN_TITLES = select(items.c.key, items.c.title).where(
    items.c.feed_id == bindparam("feed_id"), items.c.key.in_(bindparam("keys", expanding=True))
)
_COUNT_REVISIONS = (
    select(func.count())
    .select_from(items)
    .where(items.c.feed_id == bindparam("feed_id"), items.c.key > bindparam("low"), items.c.key < bindparam("high"))
)
_INSERT_ITEMS = upsert(items).on_conflict_do_nothing()
_UPSERT_STORIES = upsert(stories)
_UPSERT_STORIES = _UPSERT_STORIES.on_conflict_do_update(
    set_={name: _UPSERT_STORIES.excluded[name] for name in ("updated_at", "words", "body")}
)
_UPSERT_TOLD = upsert(told)
_UPSERT_TOLD = _UPSERT_TOLD.on_conflict_do_update(
    set_={
        "at": _UPSERT_TOLD.excluded.at,
        "snapshot": _UPSERT_TOLD.excluded.snapshot,
        "message_id": func.coalesce(_UPSERT_TOLD.excluded.message_id, told.c.message_id),
    }
)
_UPSERT_HELD = upsert(held)
_UPSERT_HELD = _UPSERT_HELD.on_conflict_do_update(
    set_={name: _UPSERT_HELD.excluded[name] for name in ("release_at", "reason", "alert")}
)


def record(conn: Connection, batch: Batch) -> None:
    """Write all of a batch in the transaction that is open."""
    feeds.after_polls(conn, batch.polls, batch.at)
    _put_items(conn, batch)
    _put_stories(conn, batch.stories)
    _put_verdicts(conn, batch.verdicts)
    _put_silent(conn, batch.routing.silent)
    _put_told(conn, batch.routing.told)
    put_held(conn, batch.routing.held)
    outbox.enqueue(conn, batch.routing.deliveries)


# --- items ------------------------------------------------------------------------------------------------------


def unseen(conn: Connection, wanted: Sequence[Item]) -> Sequence[Item]:
    """Those whose identity is unknown, in order, each once.

    A known item under another headline counts as unknown once more, as a revision: outlets raise a toll in place.
    Headlines that change with every poll (counters, clocks) end after ten.
    """
    known = _known_titles(conn, wanted)
    asked: list[Item] = []
    for item in wanted:
        before = known.setdefault((item.feed_id, item.key), _NEVER)
        if before is _NEVER:
            known[item.feed_id, item.key] = item.title
            asked.append(item)
        elif before is not None and _words(str(before)) != _words(item.title):
            asked.append(item.as_revision())
    return _without_known_revisions(conn, asked)


def _without_known_revisions(conn: Connection, asked: Sequence[Item]) -> Sequence[Item]:
    revisions = [item for item in asked if item.revised]
    if not revisions:
        return asked
    known = {key for _, key in _known_titles(conn, revisions)}
    counts = {_stem(item): _revisions_of(conn, item) for item in revisions}
    fresh = [i for i in asked if not i.revised or (i.key not in known and counts[_stem(i)] < MOST_REVISIONS)]
    return list({item.uid: item for item in fresh}.values())


def _stem(item: Item) -> str:
    return item.key.partition(REVISION)[0] + REVISION


def _revisions_of(conn: Connection, item: Item) -> int:
    stem = _stem(item)
    return conn.execute(_COUNT_REVISIONS, {"feed_id": item.feed_id, "low": stem, "high": stem + "~"}).scalar_one()


def _words(title: str) -> list[str]:
    """What makes a headline another one: its words and numbers, not its case or punctuation."""
    return _WORD.findall(title.casefold())


def _known_titles(conn: Connection, wanted: Sequence[Item]) -> dict[tuple[int, str], object]:
    """The stored headline of every known item among these; None where retention has emptied it."""
    keys: dict[int, list[str]] = {}
    for item in wanted:
        keys.setdefault(item.feed_id, []).append(item.key)
    known: dict[tuple[int, str], object] = {}
    for feed_id, asked in keys.items():
        for start in range(0, len(asked), CHUNK):
            rows = conn.execute(_KNOWN_TITLES, {"feed_id": feed_id, "keys": asked[start : start + CHUNK]})
            known.update({(feed_id, key): title for key, title in rows})
    return known


def _put_items(conn: Connection, batch: Batch) -> None:
    read = _assessments(batch)
    rows = [_item_row(item, batch.at, read) for poll in batch.polls for item in poll.items]
    if rows:
        conn.execute(_INSERT_ITEMS, rows)
    new = {item.uid for poll in batch.polls for item in poll.items}
    _reassess(conn, {uid: body for uid, body in read.items() if uid not in new})


def _assessments(batch: Batch) -> dict[str, str]:
    read: dict[str, Assessment] = {verdict.update.item.uid: verdict.update.assessment for verdict in batch.verdicts}
    read.update(batch.assessments)
    return {uid: codec.dump_assessment(assessment) for uid, assessment in read.items()}


def _item_row(item: Item, seen_at: datetime, read: Mapping[str, str]) -> dict[str, object]:
    return {
        "feed_id": item.feed_id,
        "key": item.key,
        "seen_at": seen_at,
        "title": codec.clean(item.title),
        "summary": codec.clean(item.summary),
        "link": codec.clean(item.link),
        "published": item.published,
        "outlet": codec.clean(item.outlet),
        "dated": item.dated,
        "updated": item.updated,
        "language": item.language,
        "assessment": read.get(item.uid),
    }


def _reassess(conn: Connection, read: Mapping[str, str]) -> None:
    rows = []
    for uid, body in read.items():
        feed_id, _, key = uid.partition(":")
        rows.append({"b_feed_id": int(feed_id), "b_key": key, "b_body": body})
    if rows:
        mine = (items.c.feed_id == bindparam("b_feed_id"), items.c.key == bindparam("b_key"))
        conn.execute(update(items).where(*mine).values(assessment=bindparam("b_body")), rows)


# --- stories and what was said of them --------------------------------------------------------------------------


def fold(text: str) -> str:
    """Text as search compares it: compatibility forms united, case folded."""
    return unicodedata.normalize("NFKC", codec.clean(text)).casefold()


def _put_stories(conn: Connection, changed: Sequence[Story]) -> None:
    rows = [
        {
            "id": story.id,
            "updated_at": story.updated_at,
            "words": fold(f"{story.title}\n{story.summary}"),
            "body": codec.dump(story),
        }
        for story in changed
    ]
    if rows:
        conn.execute(_UPSERT_STORIES, rows)


def _put_verdicts(conn: Connection, spoken: Sequence[Verdict]) -> None:
    if spoken:
        conn.execute(insert(verdicts), [_verdict_row(verdict) for verdict in spoken])


def _verdict_row(verdict: Verdict) -> dict[str, object]:
    change = verdict.update
    return {
        "feed_id": change.item.feed_id,
        "key": change.item.key,
        "story_id": change.story.id,
        "at": verdict.at,
        "kind": verdict.kind.value,
        "reason": verdict.reason.value,
        "opened": change.before is None,
        "duplicate": change.duplicate,
        "history": change.history,
        "changes": codec.dump(verdict.changes),
        "rules": codec.dump(verdict.rules),
        "nearest": verdict.nearest,
        "detail": codec.clean(verdict.detail),
    }


def _put_silent(conn: Connection, unsaid: Sequence[NonDelivery]) -> None:
    rows = [
        {
            "subscription_id": one.subscription_id,
            "target": one.target,
            "story_id": one.story_id,
            "item_uid": one.item_uid,
            "kind": one.kind.value,
            "reason": one.reason.value,
            "at": one.at,
            "detail": codec.clean(one.detail),
        }
        for one in unsaid
    ]
    if rows:
        conn.execute(insert(silent), rows)


def _put_told(conn: Connection, heard: Sequence[Told]) -> None:
    body = codec.Once()
    rows = [
        {
            "target": one.target,
            "story_id": one.story_id,
            "at": one.snapshot.at,
            "message_id": one.message_id,
            "snapshot": body(one.snapshot),
        }
        for one in heard
    ]
    if rows:
        conn.execute(_UPSERT_TOLD, rows)


# --- held alerts ------------------------------------------------------------------------------------------------


def put_held(conn: Connection, waiting: Sequence[Held]) -> None:
    """Keep alerts that wait."""
    body = codec.Once()
    rows = [
        _held_key(one) | {"release_at": one.release_at, "reason": one.reason.value, "alert": body(one.alert)}
        for one in waiting
    ]
    if rows:
        conn.execute(_UPSERT_HELD, rows)


def _held_key(one: Held) -> dict[str, object]:
    return {
        "target": one.target,
        "subscription_id": one.subscription_id,
        "story_id": one.alert.story_id,
        "at": one.alert.at,
    }


def drop_held(conn: Connection, released: Sequence[Held]) -> None:
    """They no longer wait."""
    mine = [held.c[name] == bindparam(f"b_{name}") for name in ("target", "subscription_id", "story_id", "at")]
    rows = [{f"b_{name}": value for name, value in _held_key(one).items()} for one in released]
    if rows:
        conn.execute(delete(held).where(*mine), rows)


# --- what routing must know -------------------------------------------------------------------------------------


def route_state(conn: Connection, targets: Sequence[str], story_ids: Sequence[str], now: datetime) -> RouteState:
    """What these addresses were told of these stories, and how much each heard in the last hour."""
    asked = set(targets)
    known: dict[tuple[str, str], Told] = {}
    for start in range(0, len(story_ids), CHUNK):
        for row in conn.execute(select(told).where(told.c.story_id.in_(story_ids[start : start + CHUNK]))):
            if row.target in asked:
                snapshot = codec.load(Snapshot, row.snapshot)
                known[row.target, row.story_id] = Told(row.target, row.story_id, snapshot, row.message_id)
    heard = outbox.heard_since(conn, now - timedelta(hours=1))
    return RouteState(told=known, sent_last_hour={target: n for target, n in heard.items() if target in asked})


def due_held(conn: Connection, now: datetime) -> Sequence[Held]:
    """Held alerts whose release time has come, the oldest first."""
    query = select(held).where(held.c.release_at <= now).order_by(held.c.release_at, held.c.at)
    return [
        Held(
            target=row.target,
            subscription_id=row.subscription_id,
            alert=codec.load(Alert, row.alert),
            reason=Reason(row.reason),
            release_at=row.release_at,
        )
        for row in conn.execute(query)
    ]


def release_held(conn: Connection, released: Sequence[Held], deliveries: Sequence[Delivery]) -> None:
    """These no longer wait, and these messages are queued instead."""
    drop_held(conn, released)
    outbox.enqueue(conn, deliveries)
