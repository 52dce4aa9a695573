"""A fetched body to items. Pure and CPU-bound: it runs in a worker process."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from bot.feeds import dates, identity, links, text
from bot.feeds.names import registrable
from bot.feeds.raw import RawEntry, RawFeed
from bot.feeds.tiers import read_document
from bot.model import Feed, Fetched, Item, PaceHints, ParsedFeed

MAX_ITEMS = 2000
_DAY_S = 86_400.0
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}")


def parse_feed(fetched: Fetched, *, max_items: int = MAX_ITEMS) -> ParsedFeed:
    """Read a body. Raises :class:`ParseError` where there is no feed in it.

    A well-formed feed without entries is legal and empty. Entries that hold nothing, and those beyond the
    ``max_items`` newest, are counted in ``dropped``.
    """
    raw = read_document(fetched, max_items)
    kept = [entry for entry in raw.entries if entry.other or not entry.empty]
    moments = [_moment(entry, fetched.at) for entry in kept]
    chosen = _newest(moments, max_items)
    keys = identity.keys(kept, (fetched.feed.url, fetched.url, raw.link))
    title = text.clean(raw.title, text.MAX_TITLE)
    outlet = title or fetched.feed.title or registrable(links.host_of(fetched.url))
    language = _language(raw.language) or fetched.feed.language
    items = tuple(_item(kept[i], keys[i], moments[i], fetched, outlet, language) for i in chosen)
    return ParsedFeed(
        items,
        title=title,
        language=language,
        hints=_hints(raw),
        hub=links.clean_link(fetched.url, raw.hub) or None,
        tier=raw.tier,
        dropped=len(raw.entries) - len(items) + raw.left_out,
        bozo=raw.bozo,
    )


# --- items ----------------------------------------------------------------------------------------------------------


def _moment(entry: RawEntry, seen: datetime) -> datetime | None:
    for written in (entry.published, entry.updated):
        when = dates.parsed(written)
        if when is not None and dates.believable(when, seen):
            return when
    return None


def _newest(moments: Sequence[datetime | None], most: int) -> Sequence[int]:
    """Which to keep, in their order: all, or the newest where there are too many (undated ones by position)."""
    if len(moments) <= most:
        return range(len(moments))
    ranked = sorted(range(len(moments)), key=lambda i: (moments[i] or dates.EARLIEST, -i), reverse=True)
    return sorted(ranked[:most])


def _item(
    entry: RawEntry, key: str, moment: datetime | None, fetched: Fetched, feed_title: str, language: str | None
) -> Item:
    link = links.clean_link(entry.base or fetched.url, entry.link)
    summary = text.richest(entry.texts)
    source = text.clean(entry.source, text.MAX_TITLE)
    updated = dates.parsed(entry.updated)
    return Item(
        feed_id=fetched.feed.id,
        key=key,
        title=text.clean(entry.title, text.MAX_TITLE) or text.shortened(summary, 140),
        summary=summary,
        link=link,
        published=moment or fetched.at,
        outlet=links.outlet(link, source, entry.source_url, feed_title),
        dated=moment is not None,
        updated=updated if updated is not None and dates.believable(updated, fetched.at) else None,
        language=_language(entry.language) or language,
    )


def _language(written: str) -> str | None:
    tag = written.strip()
    return tag.replace("_", "-") if _LANGUAGE.fullmatch(tag) else None


def _hints(raw: RawFeed) -> PaceHints:
    ttl = min(raw.ttl_s, _DAY_S) if raw.ttl_s else None
    return PaceHints(ttl_s=ttl, skip_hours=raw.skip_hours, skip_days=raw.skip_days)


def feed_of(url: str, at: datetime) -> Feed:
    """A feed that no store knows, for checks and tests."""
    from bot.model import FeedState

    return Feed(0, url, at, FeedState(at))
