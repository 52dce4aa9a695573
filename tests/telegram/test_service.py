"""The bot as the daemon runs it: poll, desk and outbox side by side."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.channels.voice import ChannelVoice
from bot.channels.words import LANGUAGES
from bot.clock import SystemClock
from bot.telegram.menus import introduce
from tests.telegram.town import ANN, make_town


async def test_the_service_answers_and_stops(tmp_path: Path) -> None:
    """Started side by side they set the menus, answer what is typed within seconds, and end when cancelled."""
    async with make_town(tmp_path, clock=SystemClock(), poll_s=5) as town:
        voice = ChannelVoice(town.channel)
        work = (
            introduce(town.desk, town.channel.api, voice, town.clock, LANGUAGES),
            town.desk.run(),
            town.poller.run(),
        )
        tasks = [asyncio.create_task(one) for one in work]
        town.tg.updates.say(ANN, "/help")
        async with asyncio.timeout(10):
            while not town.tg.to(ANN) or len(town.tg.commands) < len(LANGUAGES):  # noqa: ASYNC110 - no event to wait for
                await asyncio.sleep(0.02)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert town.desk.username == "tocsin_test_bot"
        assert {menu.get("language_code") for menu in town.tg.commands} == {None, *LANGUAGES[1:]}
        assert "start" in {command["command"] for command in town.tg.commands[0]["commands"]}
        assert await town.store.pending_commands(10) == []
