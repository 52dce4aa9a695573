"""Looking back: why, why not, and how much of everything there is."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, func, select

from bot.errors import StoreError
from bot.model import (
    Certainty,
    Change,
    Delivery,
    Item,
    NonDelivery,
    Reason,
    Story,
    StoryUpdate,
    Urgency,
    Verdict,
    VerdictKind,
)
from bot.ports import ItemTrail
from bot.store import codec, feeds, outbox, record, schema
from bot.store.schema import AnyRow, items, silent, stories, verdicts
from classifiers.assessment import Assessment

_log = logging.getLogger(__name__)

TRAIL_LIMIT = 200
"""Deliveries and silences shown of one item."""

UNREAD = Assessment(signals={}, labels=(), severity=None, score=0.0)
"""Stands for the assessment of an item that was never read, such as history."""

_UID = re.compile(r"(\d{1,18}):(.{1,64})", re.DOTALL)

_JUDGED = (
    select(
        verdicts,
        stories.c.body,
        *(items.c[name] for name in ("title", "summary", "link", "published", "outlet", "dated", "updated")),
        items.c.language,
        items.c.assessment,
    )
    .outerjoin(items, and_(items.c.feed_id == verdicts.c.feed_id, items.c.key == verdicts.c.key))
    .outerjoin(stories, stories.c.id == verdicts.c.story_id)
    .order_by(verdicts.c.at.desc(), verdicts.c.id.desc())
)


# --- stories ----------------------------------------------------------------------------------------------------


def open_stories(conn: Connection, since: datetime) -> Sequence[Story]:
    """Stories updated at or after a time, oldest first; one that cannot be read is logged and left out."""
    query = select(stories.c.id, stories.c.body).where(stories.c.updated_at >= since)
    rows = conn.execute(query.order_by(stories.c.updated_at, stories.c.id))
    return [story for row in rows if (story := _readable_story(row)) is not None]


def _readable_story(row: AnyRow) -> Story | None:
    try:
        return codec.load(Story, row.body)
    except StoreError as error:
        _log.error("story %r is left out: %s", row.id, error)
        return None


def story(conn: Connection, story_id: str) -> Story | None:
    """One story."""
    body = conn.execute(select(stories.c.body).where(stories.c.id == story_id)).scalar()
    return None if body is None else codec.load(Story, body)


def search(conn: Connection, words: str, since: datetime, limit: int) -> Sequence[Story]:
    """Stories whose title or summary holds all words, newest first."""
    query = select(stories.c.id, stories.c.body).where(stories.c.updated_at >= since)
    for word in record.fold(words).split():
        query = query.where(stories.c.words.contains(word, autoescape=True))
    rows = conn.execute(query.order_by(stories.c.updated_at.desc(), stories.c.id).limit(limit))
    return [found for row in rows if (found := _readable_story(row)) is not None]


# --- verdicts ---------------------------------------------------------------------------------------------------


def judged(conn: Connection, since: datetime, limit: int, spoken: bool) -> Sequence[Verdict]:
    """Verdicts, newest first; with ``spoken`` without the drops."""
    query = _JUDGED.where(verdicts.c.at >= since)
    if spoken:
        query = query.where(verdicts.c.kind != VerdictKind.DROPPED.value)
    return [_verdict(row) for row in conn.execute(query.limit(limit))]


def _verdict(row: AnyRow) -> Verdict:
    """A verdict with its story as it stands now; where it did not open it, ``before`` is that same story."""
    item = _item(row)
    now_story = codec.load(Story, row.body) if row.body is not None else _stub(row.story_id, item)
    return Verdict(
        kind=VerdictKind(row.kind),
        reason=Reason(row.reason),
        at=row.at,
        update=StoryUpdate(
            story=now_story,
            before=None if row.opened else now_story,
            item=item,
            assessment=_assessment(row) or UNREAD,
            duplicate=row.duplicate,
            history=row.history,
        ),
        changes=tuple(Change(word) for word in codec.load_strings(row.changes)),
        rules=codec.load_strings(row.rules),
        nearest=row.nearest,
        detail=row.detail,
    )


def _item(row: AnyRow) -> Item:
    """The item of a row; retention may have emptied it."""
    return Item(
        feed_id=row.feed_id,
        key=row.key,
        title=row.title or "",
        summary=row.summary or "",
        link=row.link or "",
        published=row.published or schema.EPOCH,
        outlet=row.outlet or "",
        dated=bool(row.dated),
        updated=row.updated,
        language=row.language,
    )


def _assessment(row: AnyRow) -> Assessment | None:
    return None if row.assessment is None else codec.load_assessment(row.assessment)


def _stub(story_id: str, item: Item) -> Story:
    """Stands for a story that was not kept, as of an item without any signal."""
    return Story(
        id=story_id,
        opened_at=item.published,
        updated_at=item.published,
        title=item.title,
        summary=item.summary,
        link=item.link,
        outlet=item.outlet,
        language=item.language or "und",
        severity=None,
        certainty=Certainty.POSSIBLE,
        urgency=Urgency.PAST,
        score=0.0,
        signals={},
    )


# --- one item's trail -------------------------------------------------------------------------------------------


def trail(conn: Connection, wanted: str) -> ItemTrail | None:
    """Everything known of an item, by uid or link."""
    row = _find(conn, wanted)
    if row is None:
        return None
    item = _item(row)
    verdict = _latest_verdict(conn, item)
    return ItemTrail(
        item=item,
        feed=feeds.feed_of(conn.execute(select(schema.feeds).where(schema.feeds.c.id == item.feed_id)).one()),
        seen_at=row.seen_at,
        assessment=_assessment(row),
        verdict=verdict,
        story=story(conn, verdict.update.story.id) if verdict else None,
        deliveries=_deliveries(conn, verdict.update.story.id) if verdict else (),
        silent=_silences(conn, item.uid),
    )


def _find(conn: Connection, wanted: str) -> AnyRow | None:
    if uid := _UID.fullmatch(wanted):
        mine = and_(items.c.feed_id == int(uid[1]), items.c.key == uid[2])
        row = conn.execute(select(items).where(mine)).one_or_none()
        if row is not None:
            return row
    by_link = select(items).where(items.c.link == wanted, items.c.title.is_not(None))
    return conn.execute(by_link.order_by(items.c.seen_at.desc(), items.c.id.desc()).limit(1)).one_or_none()


def _latest_verdict(conn: Connection, item: Item) -> Verdict | None:
    mine = (verdicts.c.feed_id == item.feed_id, verdicts.c.key == item.key)
    row = conn.execute(_JUDGED.where(*mine).limit(1)).one_or_none()
    return None if row is None else _verdict(row)


def _deliveries(conn: Connection, story_id: str) -> tuple[tuple[Delivery, str], ...]:
    query = select(schema.outbox).where(schema.outbox.c.story_id == story_id)
    rows = conn.execute(query.order_by(schema.outbox.c.seq.desc()).limit(TRAIL_LIMIT)).all()
    return tuple((outbox.readable(row), outbox.shown_state(row.state)) for row in reversed(rows))


def _silences(conn: Connection, uid: str) -> tuple[NonDelivery, ...]:
    rows = conn.execute(select(silent).where(silent.c.item_uid == uid).order_by(silent.c.id).limit(TRAIL_LIMIT))
    return tuple(
        NonDelivery(
            subscription_id=row.subscription_id,
            target=row.target,
            story_id=row.story_id,
            item_uid=row.item_uid,
            kind=VerdictKind(row.kind),
            reason=Reason(row.reason),
            at=row.at,
            detail=row.detail,
        )
        for row in rows
    )


# --- counting ---------------------------------------------------------------------------------------------------


def counts(conn: Connection) -> Mapping[str, int]:
    """Rows by table."""
    tables = schema.metadata.sorted_tables
    sizes = select(*(select(func.count()).select_from(table).scalar_subquery().label(table.name) for table in tables))
    return dict(conn.execute(sizes).mappings().one())
