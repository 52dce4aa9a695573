"""The bot as the daemon runs it: poll, desk and outbox side by side."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.channels.words import LANGUAGES
from bot.clock import SystemClock
from bot.telegram.service import serve
from tests.telegram.town import ANN, make_town


async def test_the_service_answers_and_stops(tmp_path: Path) -> None:
    """Started as one task it sets the menus, answers what is typed within seconds, and ends when cancelled."""
    async with make_town(tmp_path, clock=SystemClock(), poll_s=5) as town:
        voice = town.desk._voice
        service = asyncio.create_task(serve(town.desk, town.channel.api, voice, town.clock, LANGUAGES, town.poller))
        town.tg.updates.say(ANN, "/help")
        async with asyncio.timeout(10):
            while not town.tg.to(ANN) or len(town.tg.commands) < len(LANGUAGES):  # noqa: ASYNC110 - no event to wait for
                await asyncio.sleep(0.02)
        service.cancel()
        await asyncio.gather(service, return_exceptions=True)
        assert service.cancelled()
        assert {menu.get("language_code") for menu in town.tg.commands} == {None, *LANGUAGES[1:]}
        assert "start" in {command["command"] for command in town.tg.commands[0]["commands"]}
        assert await town.store.pending_commands(10) == []
