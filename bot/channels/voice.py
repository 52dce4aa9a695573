"""How the Telegram desk words and shows things: its :class:`bot.telegram.needs.Voice`, made of this room's parts."""

from __future__ import annotations

from datetime import datetime
from functools import cache

from bot.channels.countries import codes, country_name, flag
from bot.channels.render import local_time
from bot.channels.safe import quote
from bot.channels.words import LANGUAGES, Phrasebook, phrasebook
from bot.model import Delivery, Message
from bot.ports import Channel


class ChannelVoice:
    """Speaks through one channel."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def words(self, language: str) -> Phrasebook:
        """The phrasebook for a language tag, English where there is none."""
        return phrasebook(language)

    def country(self, code: str, language: str) -> str:
        """A country's name."""
        return country_name(code, language)

    def find_country(self, text: str) -> str | None:
        """A code typed in capitals, or a name in any of our languages."""
        wanted = text.strip()
        if wanted in _known_codes():
            return wanted
        return _by_name().get(wanted.casefold())

    def flag(self, code: str) -> str:
        """A flag, or ""."""
        return flag(code)

    def quote(self, text: str, limit: int) -> str:
        """A stranger's words made harmless (not yet escaped)."""
        return quote(text, limit)

    def time(self, at: datetime, zone: str) -> str:
        """A time on somebody's clock."""
        return local_time(at, zone)

    def render(self, delivery: Delivery) -> Message:
        """A delivery as the channel renders it."""
        return self._channel.render(delivery)


@cache
def _known_codes() -> frozenset[str]:
    return frozenset(codes())


@cache
def _by_name() -> dict[str, str]:
    names = {country_name(code, language).casefold(): code for language in reversed(LANGUAGES) for code in codes()}
    return {**names, "palestine": "PS", "uk": "GB", "britain": "GB", "usa": "US", "nagorno-karabakh": "AZ"}
