"""Which feeds answer, and how well: one request each, nothing stored."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.errors import FetchError, ParseError, WorkerError
from bot.feeds.pacing import problem_of
from bot.model import Feed, FeedSpec, FeedState, Fetched, NotModified, ParsedFeed
from bot.ports import Source


@dataclass(frozen=True, slots=True)
class Checked:
    """One feed's result. ``problem`` is a short name from a closed set, ``detail`` a sentence for people."""

    url: str
    ok: bool
    items: int = 0
    newest: datetime | None = None
    problem: str | None = None
    detail: str = ""
    elapsed_s: float = 0.0
    title: str = ""
    moved_to: str | None = None

    def line(self) -> str:
        """For people: one line."""
        if not self.ok:
            return f"fails  {self.elapsed_s:5.1f} s  {self.url}  {self.problem}: {self.detail}"
        newest = f", newest {self.newest:%Y-%m-%d %H:%M}" if self.newest else ""
        moved = f", moved to {self.moved_to}" if self.moved_to else ""
        return f"ok     {self.elapsed_s:5.1f} s  {self.url}  {self.items} items{newest}{moved}"

    def to_json(self) -> dict[str, object]:
        """JSON-ready values."""
        return {
            "url": self.url,
            "ok": self.ok,
            "items": self.items,
            "newest": self.newest.isoformat() if self.newest else None,
            "problem": self.problem,
            "detail": self.detail,
            "elapsed_s": round(self.elapsed_s, 3),
            "title": self.title,
            "moved_to": self.moved_to,
        }


def probe(spec: FeedSpec, now: datetime) -> Feed:
    """A feed that no store knows: asked without conditions."""
    return Feed(0, spec.url, now, FeedState(now), spec.title, spec.language, spec.kind, spec.tags)


async def check_feeds(
    source: Source,
    parse: Callable[[Fetched], Awaitable[ParsedFeed]],
    feeds: Iterable[Feed],
    on_result: Callable[[Checked], None],
    *,
    at_once: int = 256,
) -> list[Checked]:
    """Ask every feed once, without conditions; ``on_result`` hears of each as it finishes. In the order given."""
    room = asyncio.Semaphore(at_once)

    async def one(feed: Feed) -> Checked:
        async with room:
            row = await check_feed(source, parse, feed)
        on_result(row)
        return row

    return list(await asyncio.gather(*(one(feed) for feed in feeds)))


async def check_feed(source: Source, parse: Callable[[Fetched], Awaitable[ParsedFeed]], feed: Feed) -> Checked:
    """Ask one feed. Its faults become the result, never an exception."""
    fresh = Feed(feed.id, feed.url, feed.added_at, FeedState(feed.added_at), feed.title, feed.language)
    began = time.monotonic()
    try:
        answer = await source.fetch(fresh)
        if isinstance(answer, NotModified):
            return Checked(feed.url, ok=True, elapsed_s=answer.elapsed_s, title=feed.title)
        parsed = await parse(answer)
    except (FetchError, ParseError) as error:
        elapsed = time.monotonic() - began
        return Checked(
            feed.url, ok=False, problem=problem_of(error), detail=error.detail, elapsed_s=elapsed, title=feed.title
        )
    except WorkerError as error:
        elapsed = time.monotonic() - began
        return Checked(
            feed.url, ok=False, problem=problem_of(error), detail=str(error), elapsed_s=elapsed, title=feed.title
        )
    return _good(feed, answer, parsed)


def _good(feed: Feed, fetched: Fetched, parsed: ParsedFeed) -> Checked:
    dated = [item.published for item in parsed.items if item.dated]
    return Checked(
        feed.url,
        ok=True,
        items=len(parsed.items),
        newest=max(dated, default=None),
        elapsed_s=fetched.elapsed_s,
        title=parsed.title or feed.title,
        moved_to=fetched.moved_to,
    )
