"""Finding feeds in pages, and checking which feeds answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from bot.errors import WorkerError
from bot.feeds.check import Checked, check_feeds, probe
from bot.feeds.discover import discover
from bot.feeds.fetch import HttpSource
from bot.feeds.parse import parse_feed
from bot.model import Feed, FeedSpec, Fetched, ParsedFeed
from tests.feeds.conftest import NOW, RSS, Server, ok

PAGE = """<!doctype html><html><head><base href="https://valley.example/en/">
<link rel="stylesheet" href="x.css"><link rel="alternate" hreflang="fr" href="/fr/">
<link rel="alternate" type="application/rss+xml" title="Comments" href="/comments/feed">
<link rel="alternate" type="application/atom+xml" href="feed.atom">
<link rel="ALTERNATE" type="Application/RSS+xml; charset=utf-8" title="News" href="feed.rss">
<link rel="alternate" type="application/rss+xml" href="javascript:alert(1)">
<link rel="alternate" type="application/rss+xml" title="News again" href="feed.rss">
</head><body><a href="/other.rss">RSS</a></body></html>"""


def page(html: str | bytes, url: str = "https://www.valley.example/start") -> Fetched:
    return Fetched(probe(FeedSpec(url), NOW), url, html.encode() if isinstance(html, str) else html, NOW, "text/html")


def test_a_pages_feeds_are_found_best_first() -> None:
    """Declared feeds in order of format, comments last, each once, resolved against the page's base."""
    assert discover(page(PAGE)) == [
        "https://valley.example/en/feed.rss",
        "https://valley.example/en/feed.atom",
        "https://valley.example/comments/feed",
    ]


def test_links_in_the_text_are_taken_where_the_head_names_none() -> None:
    """A page without declared feeds may still link to one."""
    body = '<body><a href="/about">us</a><a href="/feed/">Feed</a><a href="news.rss?x=1">RSS</a></body>'
    assert discover(page(body)) == ["https://www.valley.example/feed/", "https://www.valley.example/news.rss?x=1"]


@given(st.text(max_size=300) | st.binary(max_size=300))
def test_any_page_is_survived(body: str | bytes) -> None:
    """Discovery never raises, and finds only http addresses."""
    data = body if isinstance(body, bytes) else body.encode("utf-8", "replace")
    assert all(link.startswith(("http://", "https://")) for link in discover(page(data)))


async def test_N29_one_get_serves_discovery_validation_and_first_poll(
    server: Server, source: HttpSource, feed_at: Callable[..., Feed]
) -> None:
    """From one fetched body come the parse, or else the feeds that the page names: no second request."""
    server.answers["/"] = ok(PAGE.encode(), "Content-Type: text/html")
    fetched = await source.fetch(feed_at(server.url("/")))
    assert isinstance(fetched, Fetched)
    assert discover(fetched)[0] == "https://valley.example/en/feed.rss"
    assert len(server.heads) == 1


async def test_feeds_are_checked_and_told_apart(
    server: Server, source: HttpSource, feed_at: Callable[..., Feed]
) -> None:
    """Each feed has its row, in the order given: what answers with its newest item, what fails with its reason."""
    server.answers |= {
        "/moved": ok(b"", "Location: /feed", status="301 Moved"),
        "/page": ok(b"<html><body>hello</body></html>"),
        "/gone": ok(b"", status="410 Gone"),
        "/bad": ok(RSS),
    }
    heard: list[Checked] = []

    async def parse(fetched: Fetched) -> ParsedFeed:
        if fetched.url.endswith("/bad"):
            raise WorkerError("took longer than 5 s and was stopped")
        return parse_feed(fetched)

    feeds = [
        feed_at(server.url(path), etag='"1"', body_hash="x") for path in ("/feed", "/moved", "/page", "/gone", "/bad")
    ]
    rows = await check_feeds(source, parse, feeds, heard.append)
    assert [(row.ok, row.problem, row.items) for row in rows] == [
        (True, None, 2), (True, None, 2), (False, "unreadable", 0), (False, "gone", 0), (False, "worker", 0),
    ]  # fmt: skip
    assert sorted(row.url for row in heard) == sorted(feed.url for feed in feeds)
    assert rows[0].newest is not None
    assert rows[0].newest.isoformat() == "2026-03-14T08:00:00+00:00"
    assert rows[1].moved_to == server.url("/feed")
    assert all(server.header("If-None-Match", n) is None for n in range(len(server.heads)))
    for row in rows:
        assert row.url in row.line()
        assert row.to_json()["url"] == row.url
    assert "410" in rows[3].line()


async def test_checking_many_feeds_keeps_to_its_bound(
    source: HttpSource, server: Server, feed_at: Callable[..., Feed]
) -> None:
    """No more than ``at_once`` feeds are under way together."""
    under_way = most = 0

    async def parse(fetched: Fetched) -> ParsedFeed:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.005)
        under_way -= 1
        return parse_feed(fetched)

    rows = await check_feeds(source, parse, [feed_at(server.url())] * 20, lambda _row: None, at_once=3)
    assert all(row.ok for row in rows)
    assert most <= 3
