"""What the desk needs of others, as Protocols: the connection, the words, the turn to speak, the backstage.

``bot.channels`` gives the first three and the composition root wires them, so that the two rooms do not know each
other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.errors import DeliveryError
from bot.model import Delivery, Feed, Filter, Message, Story, Where


class Api(Protocol):
    """The Bot API."""

    async def call(self, method: str, params: Mapping[str, object], *, deadline_s: float | None = None) -> object:
        """The ``result`` of one method. Raises :class:`DeliveryError`."""


class Words(Protocol):
    """A phrasebook."""

    @property
    def language(self) -> str:
        """Its language."""

    def say(self, key: str, /, **values: object) -> str:
        """A phrase with its fields filled in."""

    def count(self, key: str, n: int, /, **values: object) -> str:
        """A phrase in the plural form for ``n``."""

    def has(self, key: str) -> bool:
        """True where there is such a phrase."""


class Voice(Protocol):
    """How things are worded and shown; one for all languages."""

    def words(self, language: str) -> Words:
        """The phrasebook for a language tag, English where there is none."""

    def country(self, code: str, language: str) -> str:
        """A country's name."""

    def find_country(self, text: str) -> str | None:
        """The code of the country that somebody typed, by code or by name in any of our languages."""

    def flag(self, code: str) -> str:
        """A flag, or ""."""

    def quote(self, text: str, limit: int) -> str:
        """A stranger's words made harmless (not yet escaped)."""

    def time(self, at: datetime, zone: str) -> str:
        """A time on somebody's clock."""

    def render(self, delivery: Delivery) -> Message:
        """A delivery as the Telegram channel renders it."""


class Gate(Protocol):
    """The pace that the desk shares with the outbox."""

    async def turn(self, target: str) -> None:
        """Wait until this chat may be spoken to."""

    def penalise(self, error: DeliveryError, target: str) -> None:
        """Learn from a failure."""


Preview = Callable[[Filter, datetime], Awaitable[Sequence[Story]]]
"""Stories since a time that a filter asks for, newest first."""

Places = Callable[[str], Sequence[Where]]
"""Places that somebody may mean by what he typed, the likeliest first; with coordinates."""

AddFeed = Callable[[str], Awaitable[Feed]]
"""Watch a feed by its address or its page's (one GET). Raises :class:`bot.errors.TocsinError` saying why not."""

Health = Callable[[], Awaitable[Sequence[str]]]
"""What is late or failing, one line each; empty where all is well."""


async def no_troubles() -> Sequence[str]:
    """Stands where nobody watches the daemon's health."""
    return ()


def no_places(_text: str) -> Sequence[Where]:
    """Stands where no gazetteer is given: only countries can be typed."""
    return ()


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """The operator's choices for the desk; plain values."""

    admins: frozenset[int] = frozenset()
    """Numeric ids of the people who may command the daemon itself."""
    targets: tuple[str, ...] = ()
    """Addresses that the settings' rules speak to, for the fire drill."""
    zone: str = "UTC"
    flood_limit: int = 20
    max_subscriptions: int = 20
    """A chat's quota."""
    max_added_feeds: int = 20
    """Feeds that one operator may add in a day."""
    max_total_feeds: int = 20_000
    bucket: int = 20
    """Commands and taps that one person may send at once …"""
    refill_s: float = 2.0
    """… and the seconds after which he gets one back."""
