"""A fetched body to items. Pure and CPU-bound: it runs in a worker process.

Three tiers: a strict parse of what is well-formed; the same reader over a repaired and forgivingly parsed tree;
feedparser. An empty or failed parse, or one that finds fewer entries than the document seems to hold, moves one tier
down. JSON Feeds have a reader of their own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from bot.errors import ParseError
from bot.feeds import challenge, dates, identity, jsonfeed, lastresort, links, markup, text, xmlreader
from bot.feeds.encoding import to_utf8
from bot.feeds.guard import shown
from bot.feeds.raw import RawEntry, RawFeed
from bot.model import Feed, Fetched, Item, PaceHints, ParsedFeed

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_ITEMS = 2000
_MANY_TAGS = 200_000
_DAY_S = 86_400.0
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}")


def parse_feed(fetched: Fetched, *, max_items: int = MAX_ITEMS) -> ParsedFeed:
    """Read a body. Raises :class:`ParseError` where there is no feed in it.

    A well-formed feed without entries is legal and empty. Entries that hold nothing, and those beyond the
    ``max_items`` newest, are counted in ``dropped``.
    """
    raw = _raw(fetched, max_items)
    kept = [entry for entry in raw.entries if entry.other or not entry.empty]
    moments = [_moment(entry, fetched.at) for entry in kept]
    chosen = _newest(moments, max_items)
    keys = identity.keys(kept, (fetched.feed.url, fetched.url, raw.link))
    title = text.clean(raw.title, text.MAX_TITLE)
    language = _language(raw.language) or fetched.feed.language
    items = tuple(_item(kept[i], keys[i], moments[i], fetched, title or fetched.feed.title, language) for i in chosen)
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


# --- tiers ----------------------------------------------------------------------------------------------------------


def _raw(fetched: Fetched, max_items: int) -> RawFeed:
    body, readable = to_utf8(fetched.body, fetched.content_type)
    start = body[:64].lstrip()[:1]
    if not start:
        raise ParseError(shown(fetched.url), "the body is empty")
    if start in (b"{", b"["):
        return _json(fetched, body)
    body, declared = markup.without_doctype(markup.trimmed(body))
    left_out = 0
    if body.count(b"<") > _MANY_TAGS:
        body, left_out = markup.bounded(body, 2 * max_items)
    raw = _strict(body) or _forgiving(body, fetched)
    if raw is None:
        raise _no_feed(fetched)
    raw.bozo = raw.bozo or declared or not readable or left_out > 0
    raw.left_out = left_out
    return raw


def _json(fetched: Fetched, body: bytes) -> RawFeed:
    try:
        raw = jsonfeed.read(body)
    except ValueError as error:
        raise ParseError(shown(fetched.url), f"broken JSON: {error}") from None
    if raw is None:
        raise ParseError(shown(fetched.url), "JSON, but not a JSON Feed")
    return raw


def _strict(body: bytes) -> RawFeed | None:
    root = _tree(body, recover=False)
    return None if root is None else xmlreader.read(root)


def _forgiving(body: bytes, fetched: Fetched) -> RawFeed | None:
    """The second tier, and the third where the second seems to have missed something."""
    fixed = markup.repaired(body)
    root = _tree(fixed, recover=False)
    whole = root is not None
    if root is None:
        root = _tree(fixed, recover=True)
    raw = None if root is None else xmlreader.read(root)
    if raw is not None:
        raw.tier, raw.bozo = "lxml", True
    found = len(raw.entries) if raw else 0
    if (found and found >= markup.entry_marks(fixed)) or (raw is not None and whole):
        return raw
    if challenge.is_html(fetched.body) or markup.bottomless(body):
        return raw if found else None
    last = lastresort.read(body, fetched.url, "application/xml; charset=utf-8")
    if last is not None and len(last.entries) > found:
        return last
    return raw if found else None


def _tree(body: bytes, *, recover: bool) -> _Element | None:
    from lxml import etree

    parser = etree.XMLParser(
        encoding="utf-8",
        recover=recover,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    try:
        return etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _no_feed(fetched: Fetched) -> ParseError:
    url = shown(fetched.url)
    if challenge.is_challenge(fetched.body):
        return ParseError(url, "a challenge page instead of a feed", blocked=True)
    if challenge.is_html(fetched.body):
        return ParseError(url, "a web page, not a feed")
    return ParseError(url, "no feed in it")


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
