"""Adding a feed by an address that a person gives: exactly one request serves discovery, validation and the title."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.errors import FetchError, ParseError, TocsinError
from bot.feeds.check import probe
from bot.feeds.discover import discover
from bot.model import FeedSpec, NotModified
from bot.ports import Source, Workers


async def found(source: Source, workers: Workers, spec: FeedSpec, now: datetime) -> tuple[FeedSpec, int]:
    """The feed behind an address and how many items it holds now; a page that names a feed stands for that feed.

    Raises :class:`bot.errors.TocsinError` saying in one line why there is none.
    """
    try:
        fetched = await source.fetch(probe(spec, now))
    except FetchError as error:
        raise TocsinError(str(error)) from None
    if isinstance(fetched, NotModified):
        return spec, 0
    try:
        parsed = await workers.parse(fetched)
    except ParseError as error:
        named = discover(fetched)
        if not named:
            raise TocsinError(str(error)) from None
        return replace(spec, url=named[0]), 0
    return replace(spec, title=spec.title or parsed.title, language=spec.language or parsed.language), len(parsed.items)
