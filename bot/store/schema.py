"""The tables, as SQLAlchemy Core sees them. ``migrations/`` builds them; a test holds the two equal.

Times are whole microseconds since 1970 UTC (:class:`Instant`): exact, sortable, the same in every database. Columns
named ``body``, ``content``, ``snapshot`` and the like hold JSON; only what is searched or sorted has its own column.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

if TYPE_CHECKING:
    from sqlalchemy import Row

AnyRow: TypeAlias = "Row[*tuple[Any, ...]]"
"""A row of any shape."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as microseconds since 1970 UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """To the database; a naive datetime is a TypeError."""
        return None if value is None else (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """From the database."""
        return None if value is None else EPOCH + timedelta(microseconds=value)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

feeds = Table(
    "feeds",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("url", Text, nullable=False, unique=True),
    Column("watched", Boolean, nullable=False),
    Column("removed", Boolean, nullable=False),  # by a person: the catalogue must not bring it back
    Column("added_at", Instant, nullable=False),
    Column("title", Text, nullable=False),
    Column("own_title", Text),  # what the feed calls itself
    Column("language", Text),
    Column("kind", Text, nullable=False),
    Column("tags", Text, nullable=False),
    Column("next_due", Instant, nullable=False, index=True),
    Column("interval_s", Float, nullable=False),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("body_hash", Text),
    Column("errors", Integer, nullable=False),
    Column("problem", Text),
    Column("last_error", Text),
    Column("failing_since", Instant),
    Column("last_checked", Instant),
    Column("last_ok", Instant),
    Column("last_new", Instant),
    Column("first_done", Boolean, nullable=False),
    Column("status", String(16), nullable=False),
)

feed_names = Table(  # every address a feed was ever known by
    "feed_names",
    metadata,
    Column("url", Text, primary_key=True),
    Column("feed_id", Integer, ForeignKey("feeds.id"), nullable=False, index=True),
)

feed_specs = Table(  # who asks for a feed, and under which address
    "feed_specs",
    metadata,
    Column("origin", String(16), primary_key=True),
    Column("url", Text, primary_key=True),
    Column("feed_id", Integer, ForeignKey("feeds.id"), nullable=False, index=True),
    Column("body", Text, nullable=False),
)

items = Table(
    "items",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("feed_id", Integer, ForeignKey("feeds.id"), nullable=False),
    Column("key", String(64), nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("title", Text),  # NULL once retention has emptied the row and kept its identity
    Column("summary", Text, nullable=False),
    Column("link", Text, nullable=False),
    Column("published", Instant, nullable=False),
    Column("outlet", Text, nullable=False),
    Column("dated", Boolean, nullable=False),
    Column("updated", Instant),
    Column("language", Text),
    Column("assessment", Text),
    UniqueConstraint("feed_id", "key"),
)
Index("ix_items_seen_at", items.c.seen_at, sqlite_where=items.c.title.is_not(None))
Index("ix_items_link", items.c.link, sqlite_where=items.c.title.is_not(None))

stories = Table(
    "stories",
    metadata,
    Column("id", Text, primary_key=True),
    Column("updated_at", Instant, nullable=False, index=True),
    Column("words", Text, nullable=False),  # title and summary, case-folded, for search
    Column("body", Text, nullable=False),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("feed_id", Integer, nullable=False),
    Column("key", String(64), nullable=False),
    Column("story_id", Text, nullable=False, index=True),
    Column("at", Instant, nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("opened", Boolean, nullable=False),
    Column("duplicate", Boolean, nullable=False),
    Column("history", Boolean, nullable=False),
    Column("changes", Text, nullable=False),
    Column("rules", Text, nullable=False),
    Column("nearest", Text),
    Column("detail", Text, nullable=False),
    Index("ix_verdicts_feed_id_key", "feed_id", "key"),
)

silent = Table(
    "silent",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subscription_id", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("story_id", Text, nullable=False),
    Column("item_uid", Text, nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Instant, nullable=False, index=True),
    Column("detail", Text, nullable=False),
)

told = Table(
    "told",
    metadata,
    Column("story_id", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("at", Instant, nullable=False, index=True),
    Column("message_id", Text),
    Column("snapshot", Text, nullable=False),
)

held = Table(
    "held",
    metadata,
    Column("target", Text, primary_key=True),
    Column("subscription_id", Text, primary_key=True),
    Column("story_id", Text, primary_key=True),
    Column("at", Instant, primary_key=True),  # of the alert
    Column("release_at", Instant, nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("alert", Text, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("target", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("lane", Integer, nullable=False),
    Column("mode", String(8), nullable=False),
    Column("story_id", Text),
    Column("subscription_id", Text),
    Column("language", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("not_before", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("state", String(16), nullable=False),
    Column("due_at", Instant, nullable=False),  # not_before while queued, the end of the lease while leased
    Column("fence", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("maybe_sent", Boolean, nullable=False),
    Column("plain", Boolean, nullable=False),
    Column("settled_at", Instant),  # NULL while it is still owed
    Column("reason", Text),
    Column("content_kind", String(8), nullable=False),
    Column("content", Text, nullable=False),
    sqlite_autoincrement=True,  # the order of queuing must survive the deletion of old rows
)
LIVE = outbox.c.settled_at.is_(None)
"""Still owed: queued or leased. Written without a parameter, so that SQLite sees its partial indexes fit."""
Index("ix_outbox_live", outbox.c.channel, outbox.c.lane, outbox.c.seq, sqlite_where=LIVE)
Index("ix_outbox_live_due", outbox.c.channel, outbox.c.due_at, sqlite_where=LIVE)
Index("ix_outbox_live_story", outbox.c.target, outbox.c.story_id, outbox.c.seq, sqlite_where=LIVE)
Index("ix_outbox_settled_at", outbox.c.settled_at, sqlite_where=outbox.c.settled_at.is_not(None))
Index("ix_outbox_story_id", outbox.c.story_id)

attempts = Table(  # written before each send; an open one under a dead lease means: perhaps sent
    "attempts",
    metadata,
    Column("seq", Integer, ForeignKey("outbox.seq", ondelete="CASCADE"), primary_key=True),
    Column("fence", Integer, primary_key=True),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("outcome", Text),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("target", Text, nullable=False, index=True),
    Column("suspended", Text),
    Column("body", Text, nullable=False),
)

chats = Table(
    "chats",
    metadata,
    Column("target", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

commands = Table(
    "commands",
    metadata,
    Column("update_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("received_at", Instant, nullable=False),
    Column("done_at", Instant),
    Column("body", Text, nullable=False),  # emptied when handled: the number alone keeps it from being handled twice
)
Index("ix_commands_done_at", commands.c.done_at)

meta = Table(
    "meta",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
