"""A publisher on loopback: feeds whose items a test adds while a daemon watches."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from html import escape

from aiohttp import web

from tests.fakes.server import LoopbackServer


@dataclass(slots=True)
class Entry:
    """One item of a feed."""

    title: str
    summary: str
    at: datetime
    link: str


@dataclass(slots=True)
class Publisher:
    """One feed, newest item first."""

    title: str
    entries: list[Entry] = field(default_factory=list)

    def rss(self) -> bytes:
        """The feed as RSS 2.0."""
        items = "".join(
            f"<item><title>{escape(e.title)}</title><link>{escape(e.link)}</link><guid>{escape(e.link)}</guid>"
            f"<description>{escape(e.summary)}</description><pubDate>{format_datetime(e.at)}</pubDate></item>"
            for e in reversed(self.entries)
        )
        return f"<rss version='2.0'><channel><title>{escape(self.title)}</title>{items}</channel></rss>".encode()


class FakePublishers(LoopbackServer):
    """``async with FakePublishers(2) as press: press.url(0); press.publish(0, "title", "summary", at)``."""

    def __init__(self, feeds: int = 1, port: int = 0) -> None:
        super().__init__(port)
        self.feeds = [Publisher(f"Outlet {number}") for number in range(feeds)]
        self.requests: list[tuple[int, int, bool]] = []
        """(feed, status, whether it was conditional)."""

    def url(self, feed: int) -> str:
        """Its address."""
        return f"{self.origin}/feed/{feed}"

    def publish(self, feed: int, title: str, summary: str, at: datetime) -> str:
        """A new item; returns its link."""
        slug = hashlib.blake2b(f"{feed}{title}{at}".encode(), digest_size=5).hexdigest()
        link = f"https://outlet{feed}.example/{slug}"
        self.feeds[feed].entries.append(Entry(title, summary, at, link))
        return link

    def routes(self) -> list[web.RouteDef]:
        """One path a feed."""
        return [web.get("/feed/{feed}", self._serve)]

    async def _serve(self, request: web.Request) -> web.Response:
        number = int(request.match_info["feed"])
        body = self.feeds[number].rss()
        etag = f'"{hashlib.blake2b(body, digest_size=8).hexdigest()}"'
        given = request.headers.get("If-None-Match")
        status = 304 if given == etag else 200
        self.requests.append((number, status, given is not None))
        if status == 304:
            return web.Response(status=304, headers={"ETag": etag})
        return web.Response(body=body, content_type="application/rss+xml", headers={"ETag": etag})
