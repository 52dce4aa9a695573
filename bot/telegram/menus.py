"""How the bot introduces itself: its own name, and the menus of commands that Telegram shows."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from bot.errors import DeliveryError
from bot.ports import Clock
from bot.telegram.desk import TelegramDesk
from bot.telegram.needs import Api, Voice, Words
from bot.telegram.routes import COMMANDS, For
from bot.telegram.updates import open_bot

log = structlog.get_logger(__name__)

MAX_DESCRIPTION = 256


async def introduce(desk: TelegramDesk, api: Api, voice: Voice, clock: Clock, languages: Sequence[str]) -> None:
    """Learn the bot's own name, and hang up the menu of commands in every language; without a menu it works too.

    The first language's menu is shown to everybody whose own language has none.
    """
    desk.username = await open_bot(api, clock)
    log.info("the bot is at work", name=desk.username)
    for language in languages:
        params: dict[str, object] = {"commands": menu(voice.words(language))}
        if language != languages[0]:
            params["language_code"] = language
        try:
            await api.call("setMyCommands", params)
        except DeliveryError as error:
            log.warning("the menu of commands could not be set", language=language, error=str(error))


def menu(words: Words) -> list[dict[str, str]]:
    """The commands that everybody may use, with a word on each."""
    shown = [name for name, route in COMMANDS.items() if route.whom is not For.OPERATORS]
    return [{"command": name, "description": words.say(f"command.{name}")[:MAX_DESCRIPTION]} for name in shown]
