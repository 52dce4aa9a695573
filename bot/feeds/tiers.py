"""A body to what it holds, by the first reader that loses nothing. Pure.

Three tiers, and JSON Feeds beside them:

- *fast*: one strict parse by libxml2. Nearly every feed is well-formed.
- *lxml*: the same reader over a repaired document, parsed forgivingly. Since it is the same reader, an entry keeps its
  identity while its feed is broken for a day.
- *feedparser*, a hundred times slower: where the second tier finds fewer entries than seem to begin.

A parse that fails or finds nothing moves one tier down. Only a well-formed feed may be empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import ParseError
from bot.feeds import challenge, jsonfeed, lastresort, markup, xmlreader
from bot.feeds.encoding import to_utf8
from bot.feeds.guard import shown
from bot.feeds.raw import RawFeed
from bot.model import Fetched

if TYPE_CHECKING:
    from lxml.etree import _Element

_MANY_TAGS = 100_000
_SLOWLY_AT_MOST = 3 * 2**20
"""Bytes that the last tier is given: it reads 1 to 3 MB a second."""


def read_document(fetched: Fetched, max_items: int) -> RawFeed:
    """The entries of a body and what it says of itself. Raises :class:`ParseError` where there is no feed in it.

    Of a document with very many elements no more than twice ``max_items`` entries are read.
    """
    body, readable = to_utf8(fetched.body, fetched.content_type)
    start = body[:64].lstrip()[:1]
    if not start:
        raise ParseError(shown(fetched.url), "the body is empty")
    if start in (b"{", b"["):
        return _json(fetched, body)
    document, declared = markup.without_doctype(markup.trimmed(body))
    left_out = 0
    if document.count(b"<") > _MANY_TAGS:
        document, left_out = markup.bounded(document, 2 * max_items)
    raw = _strict(document) or (None if challenge.is_html(body) else _forgiving(document, fetched.url))
    if raw is None:
        raise _no_feed(shown(fetched.url), body)
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
    return _read(_tree(body, recover=False), body)


def _forgiving(body: bytes, url: str) -> RawFeed | None:
    """The second tier, and the third where the second seems to have missed something."""
    fixed = markup.repaired(body)
    whole = _strict(fixed)
    if whole is not None:
        return _malformed(whole)
    marks = markup.entry_marks(fixed)
    best = _recovered(fixed, marks)
    found = len(best.entries) if best else 0
    if marks > found and not markup.bottomless(body):
        last = lastresort.read(body[:_SLOWLY_AT_MOST], url, "application/xml; charset=utf-8")
        if last is not None and len(last.entries) > found:
            return _malformed(last)
    return _malformed(best) if best is not None and found else None


def _recovered(body: bytes, marks: int) -> RawFeed | None:
    """What libxml2 makes of it, if need be under a root of our own: what follows a root's early end is lost to it."""
    raw = _read(_tree(body, recover=True), body)
    if raw is not None and len(raw.entries) >= marks:
        return raw
    wrapped = b"<rss>" + body + b"</rss>"
    other = _read(_tree(wrapped, recover=True), wrapped)
    return max((feed for feed in (raw, other) if feed is not None), key=lambda feed: len(feed.entries), default=None)


def _malformed(raw: RawFeed) -> RawFeed:
    raw.bozo = True
    if raw.tier == "fast":
        raw.tier = "lxml"
    return raw


def _read(root: _Element | None, body: bytes) -> RawFeed | None:
    return None if root is None else xmlreader.read(root, based=b"xml:base" in body)


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


def _no_feed(url: str, body: bytes) -> ParseError:
    if challenge.is_challenge(body):
        return ParseError(url, "a challenge page instead of a feed", blocked=True)
    return ParseError(url, "a web page, not a feed" if challenge.is_html(body) else "no feed in it")
