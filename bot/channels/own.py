"""Knows Tocsin's own alerts when they come back, as through a feed made from a channel that it speaks to. Pure."""

from __future__ import annotations

from functools import cache

from bot.channels.render import head_marks
from bot.channels.safe import clean
from bot.channels.words import LANGUAGES, phrasebook


@cache
def _marks() -> tuple[str, ...]:
    return tuple(mark for language in LANGUAGES for mark in head_marks(phrasebook(language)))


def is_own(title: str, summary: str) -> bool:
    """Whether a text holds the head of an alert, which no outlet writes: sign and word of the severity, and a dot."""
    text = f"{clean(title, 500)} {clean(summary, 2000)}"
    return any(mark in text for mark in _marks())
