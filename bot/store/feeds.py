"""Feeds: who asks for them, what they are called, and what their last poll left behind.

A feed is known by every address it ever had (``feed_names``), so that a permanent redirect neither loses its history
nor makes the catalogue add it a second time. It is asked for by one or more origins (``feed_specs``) and watched while
at least one asks. Rows of feeds are never deleted: items and their identity stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, case, delete, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from bot.model import Feed, FeedSpec, FeedState, FeedStatus, PollResult
from bot.store import codec
from bot.store.schema import AnyRow, feed_names, feed_specs, feeds

RANK = ("settings", "person", "catalogue")
"""Whose words about a feed count first."""

CHUNK = 500
"""Parameters in one IN list: far under every database's limit."""

STATE_FIELDS = tuple(part.name for part in fields(FeedState))

_ALL = select(feeds).order_by(feeds.c.id)
_WATCHED = feeds.c.watched.is_(True)
_ACTIVE = and_(_WATCHED, feeds.c.status == FeedStatus.ACTIVE.value)

_AFTER_POLL = (
    update(feeds)
    .where(feeds.c.id == bindparam("b_id"))
    .values(
        {name: bindparam(f"b_{name}") for name in STATE_FIELDS if name != "status"}
        # a person may have paused it while the poll was under way: the poll must not undo that
        | {"status": case((feeds.c.status == bindparam("b_was"), bindparam("b_status")), else_=feeds.c.status)}
        | {"own_title": func.coalesce(bindparam("b_own_title"), feeds.c.own_title)}
    )
)


def feed_of(row: AnyRow) -> Feed:
    """A row of ``feeds`` as the model's feed."""
    return Feed(
        id=row.id,
        url=row.url,
        added_at=row.added_at,
        state=FeedState(
            next_due=row.next_due,
            interval_s=row.interval_s,
            etag=row.etag,
            last_modified=row.last_modified,
            body_hash=row.body_hash,
            errors=row.errors,
            problem=row.problem,
            last_error=row.last_error,
            failing_since=row.failing_since,
            last_checked=row.last_checked,
            last_ok=row.last_ok,
            last_new=row.last_new,
            first_done=row.first_done,
            status=FeedStatus(row.status),
        ),
        title=row.title or row.own_title or "",
        language=row.language,
        kind=row.kind,
        tags=codec.load_strings(row.tags),
    )


def state_values(state: FeedState) -> dict[str, object]:
    """The columns of a state."""
    values: dict[str, object] = {name: getattr(state, name) for name in STATE_FIELDS}
    values["status"] = state.status.value
    if state.last_error is not None:
        values["last_error"] = codec.clean(state.last_error)
    return values


def all_feeds(conn: Connection) -> Sequence[Feed]:
    """Every watched feed, by id."""
    return [feed_of(row) for row in conn.execute(_ALL.where(_WATCHED))]


def due(conn: Connection, now: datetime, limit: int) -> Sequence[Feed]:
    """Active feeds whose time has come, the most overdue first."""
    query = select(feeds).where(_ACTIVE, feeds.c.next_due <= now).order_by(feeds.c.next_due, feeds.c.id).limit(limit)
    return [feed_of(row) for row in conn.execute(query)]


def next_due(conn: Connection) -> datetime | None:
    """When the next active feed is due."""
    return conn.execute(select(func.min(feeds.c.next_due)).where(_ACTIVE)).scalar()


def set_state(conn: Connection, feed_id: int, state: FeedState) -> None:
    """Overwrite a feed's state; where a poll was recorded since it was read, only its due time and status.

    Else the older state would bring back old validators, and a first fetch that is over.
    """
    mine = update(feeds).where(feeds.c.id == feed_id)
    unpolled = feeds.c.last_checked.is_not_distinct_from(state.last_checked)
    if not conn.execute(mine.where(unpolled).values(state_values(state))).rowcount:
        conn.execute(mine.values(next_due=state.next_due, status=state.status.value))


# --- who asks for which feeds -----------------------------------------------------------------------------------


def sync(conn: Connection, specs: Sequence[FeedSpec], now: datetime, origin: str) -> None:
    """Make the feeds of an origin exactly these. What a person removed, the catalogue does not bring back."""
    wanted: dict[str, FeedSpec] = {}
    for spec in specs:
        wanted.setdefault(spec.url, spec)
    have = {
        row.url: (row.feed_id, row.body)
        for row in conn.execute(select(feed_specs).where(feed_specs.c.origin == origin))
    }
    gone = [url for url in have if url not in wanted]
    changed = [spec for url, spec in wanted.items() if url not in have or have[url][1] != codec.dump(spec)]
    touched = {have[url][0] for url in gone}
    if gone:
        dropped = delete(feed_specs).where(feed_specs.c.origin == origin, feed_specs.c.url == bindparam("b_url"))
        conn.execute(dropped, [{"b_url": url} for url in gone])
    touched |= _ask_for(conn, changed, now, origin)
    _refresh(conn, touched, now)


def add(conn: Connection, spec: FeedSpec, now: datetime, origin: str) -> Feed:
    """Ask for one feed; the one that is there keeps its state and history."""
    touched = _ask_for(conn, [spec], now, origin)
    _refresh(conn, touched, now)
    (feed_id,) = touched
    return feed_of(conn.execute(select(feeds).where(feeds.c.id == feed_id)).one())


def remove(conn: Connection, url: str) -> bool:
    """Stop watching, by any address it was ever known by; a later :func:`sync` of the catalogue leaves it removed."""
    feed_id = conn.execute(select(feed_names.c.feed_id).where(feed_names.c.url == url)).scalar()
    if feed_id is None:
        return False
    conn.execute(delete(feed_specs).where(feed_specs.c.feed_id == feed_id))
    query = update(feeds).where(feeds.c.id == feed_id, _WATCHED).values(watched=False, removed=True)
    return conn.execute(query).rowcount > 0


def _ask_for(conn: Connection, specs: Sequence[FeedSpec], now: datetime, origin: str) -> set[int]:
    """Note who asks for these, making feeds of those that nobody knows; returns the ids of all concerned."""
    if not specs:
        return set()
    known = _known(conn)
    _insert_new(conn, [spec for spec in specs if spec.url not in known], now, known)
    shunned = _removed(conn) if origin == "catalogue" else set()
    rows = [
        {"origin": origin, "url": spec.url, "feed_id": known[spec.url], "body": codec.dump(spec)}
        for spec in specs
        if known[spec.url] not in shunned
    ]
    if rows:
        query = upsert(feed_specs)
        conn.execute(
            query.on_conflict_do_update(set_={"feed_id": query.excluded.feed_id, "body": query.excluded.body}), rows
        )
    return {known[spec.url] for spec in specs if known[spec.url] not in shunned}


def _known(conn: Connection) -> dict[str, int]:
    return {row.url: row.feed_id for row in conn.execute(select(feed_names.c.url, feed_names.c.feed_id))}


def _removed(conn: Connection) -> set[int]:
    return set(conn.execute(select(feeds.c.id).where(feeds.c.removed.is_(True))).scalars())


def _insert_new(conn: Connection, specs: Sequence[FeedSpec], now: datetime, known: dict[str, int]) -> None:
    if not specs:
        return
    start = (conn.execute(select(func.max(feeds.c.id))).scalar() or 0) + 1
    new = dict(enumerate(specs, start))
    fresh = state_values(FeedState(next_due=now))
    common = {"watched": False, "removed": False, "added_at": now, "title": "", "kind": "news", "tags": "[]"} | fresh
    conn.execute(insert(feeds), [common | {"id": feed_id, "url": spec.url} for feed_id, spec in new.items()])
    conn.execute(insert(feed_names), [{"url": spec.url, "feed_id": feed_id} for feed_id, spec in new.items()])
    known.update({spec.url: feed_id for feed_id, spec in new.items()})


def _refresh(conn: Connection, feed_ids: Iterable[int], now: datetime) -> None:
    """Recompute what these feeds are called and whether they are watched, from all who ask for them."""
    ids = sorted(feed_ids)
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        asked: dict[int, list[tuple[str, FeedSpec]]] = {}
        for row in conn.execute(select(feed_specs).where(feed_specs.c.feed_id.in_(chunk))):
            asked.setdefault(row.feed_id, []).append((row.origin, codec.load(FeedSpec, row.body)))
        idle = set(conn.execute(select(feeds.c.id).where(feeds.c.id.in_(chunk), feeds.c.watched.is_(False))).scalars())
        _stop_watching(conn, [feed_id for feed_id in chunk if feed_id not in asked])
        _describe(conn, asked)
        _start_watching(conn, [feed_id for feed_id in asked if feed_id in idle], now)


def _stop_watching(conn: Connection, feed_ids: Sequence[int]) -> None:
    if feed_ids:
        conn.execute(update(feeds).where(feeds.c.id.in_(feed_ids)).values(watched=False))


def _describe(conn: Connection, asked: Mapping[int, Sequence[tuple[str, FeedSpec]]]) -> None:
    query = (
        update(feeds)
        .where(feeds.c.id == bindparam("b_id"))
        .values({name: bindparam(f"b_{name}") for name in ("title", "language", "kind", "tags")})
    )
    rows = [{"b_id": feed_id} | _description(specs) for feed_id, specs in asked.items()]
    if rows:
        conn.execute(query, rows)


def _description(specs: Sequence[tuple[str, FeedSpec]]) -> dict[str, object]:
    """The first thing that anybody says, in the order of :data:`RANK`; "news" says nothing."""
    ranked = [spec for _, spec in sorted(specs, key=_rank)]
    return {
        "b_title": codec.clean(next((spec.title for spec in ranked if spec.title), "")),
        "b_language": next((spec.language for spec in ranked if spec.language), None),
        "b_kind": next((spec.kind for spec in ranked if spec.kind != "news"), "news"),
        "b_tags": codec.dump(next((spec.tags for spec in ranked if spec.tags), ())),
    }


def _rank(asked: tuple[str, FeedSpec]) -> int:
    return RANK.index(asked[0]) if asked[0] in RANK else len(RANK)


def _start_watching(conn: Connection, feed_ids: Sequence[int], now: datetime) -> None:
    """(Re)start: what appeared before now is history, and the next poll is a first one."""
    if feed_ids:
        fresh = {"watched": True, "removed": False, "added_at": now} | state_values(FeedState(next_due=now))
        conn.execute(update(feeds).where(feeds.c.id.in_(feed_ids)).values(fresh))


# --- what a poll leaves behind ----------------------------------------------------------------------------------


def after_polls(conn: Connection, polls: Sequence[PollResult], now: datetime) -> None:
    """Write the states of polled feeds, their own titles and new addresses."""
    rows = [
        {f"b_{name}": value for name, value in state_values(poll.state).items()}
        | {
            "b_id": poll.feed.id,
            "b_was": poll.feed.state.status.value,
            "b_own_title": codec.clean(poll.title) if poll.title else None,
        }
        for poll in polls
    ]
    if rows:
        conn.execute(_AFTER_POLL, rows)
    for poll in polls:
        if poll.new_url and poll.new_url != poll.feed.url:
            _move(conn, poll.feed.id, poll.new_url, now)


def _move(conn: Connection, feed_id: int, url: str, now: datetime) -> None:
    """A permanent redirect: the feed gets the address, or, where another has it already, becomes part of that one."""
    owner = conn.execute(select(feed_names.c.feed_id).where(feed_names.c.url == url)).scalar()
    if owner is None or owner == feed_id:
        conn.execute(upsert(feed_names).on_conflict_do_nothing(), {"url": url, "feed_id": feed_id})
        conn.execute(update(feeds).where(feeds.c.id == feed_id).values(url=url))
        return
    conn.execute(update(feed_names).where(feed_names.c.feed_id == feed_id).values(feed_id=owner))
    conn.execute(update(feed_specs).where(feed_specs.c.feed_id == feed_id).values(feed_id=owner))
    _refresh(conn, (feed_id, owner), now)
