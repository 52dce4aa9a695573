"""What a filter would have brought: the stories of a store, matched as routing matches them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from bot.alerts.filters import Match, match, subject
from bot.model import Filter, Item, Story
from bot.ports import Store

FRESH_FOR = timedelta(minutes=5)


def asks_for(asked: Filter, story: Story) -> bool:
    """Whether a filter asks for a story as it now stands."""
    item = Item(0, story.id, story.title, story.summary, story.link, story.updated_at, story.outlet)
    return isinstance(match(asked, subject(story, item)), Match)


def preview_from(store: Store, now: Callable[[], datetime]) -> Callable[[Filter, datetime], Awaitable[Sequence[Story]]]:
    """A preview over a store. The stories are read once in five minutes, however many people set up meanwhile."""
    known: list[tuple[datetime, datetime, Sequence[Story]]] = []

    async def preview(asked: Filter, since: datetime) -> Sequence[Story]:
        at = now()
        if not known or at - known[0][0] > FRESH_FOR or since < known[0][1]:
            known[:] = [(at, since, await store.open_stories(since))]
        found = [story for story in known[0][2] if story.updated_at >= since and asks_for(asked, story)]
        return sorted(found, key=lambda story: story.updated_at, reverse=True)

    return preview
