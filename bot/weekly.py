"""The weekly note: operators are told once a week how readers judge what they were told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from bot.alerts.feedback import feedback_of, weekly_note, weekly_span
from bot.model import Delivery
from bot.ports import Store
from bot.telegram.votes import voted
from bot.watch import notices

WEEKLY_KEY = "weekly_note"
"""Where the store remembers up to when the votes were told."""


async def tell_weekly(store: Store, targets: Sequence[str], rules: Iterable[str], zone: str, now: datetime) -> bool:
    """Queue the weekly note where one is owed; True where there was something to tell.

    The time up to which votes were told is written after the note is queued, and the note's id is that time's: dying
    in between queues the same note again, which is once.
    """
    told = await store.meta_get(WEEKLY_KEY)
    span = weekly_span(now, zone, datetime.fromisoformat(told) if told else None)
    if span is None:
        return False
    since, until = span
    found, _gone = await voted(store, since, until)
    text = weekly_note(feedback_of(found, frozenset(rules)), since, zone)
    if text is not None:
        await store.enqueue([_of_week(note, until) for note in notices(text, targets, now)])
    await store.meta_put(WEEKLY_KEY, until.isoformat())
    return text is not None


def _of_week(note: Delivery, until: datetime) -> Delivery:
    return replace(note, id=f"notice:weekly:{until:%Y-%m-%d}:{note.target}")
