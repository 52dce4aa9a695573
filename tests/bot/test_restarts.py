"""What a daemon that dies again and again may not do: ask every feed anew at each start."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.app import Parts, open_app
from bot.jobs import Daemon, Ticks
from bot.model import Feed, Fetched, NotModified
from classifiers.assessment import Assessment, Text
from config.model import Settings
from tests.bot.parts import ScriptedSource


@dataclass
class SilentSource(ScriptedSource):
    """Never answers."""

    async def fetch(self, feed: Feed) -> Fetched | NotModified:
        """Note who was asked, and wait."""
        self.asked.append(feed.id)
        await asyncio.sleep(3600)
        return NotModified(feed, self.now)


class IdleWorkers:
    """Nothing is ever parsed here."""

    async def parse(self, fetched: Fetched) -> None:
        raise AssertionError

    async def assess(self, texts: Sequence[Text]) -> Sequence[Assessment]:
        raise AssertionError

    async def warm(self) -> None:
        """Nothing."""

    async def close(self) -> None:
        """Nothing."""


async def life(folder: Path, source: SilentSource) -> None:
    """A daemon that ends while all its polls are under way."""
    given = Settings.model_validate(
        {
            "data_dir": folder,
            "catalogue": "",
            "feeds": [{"url": f"https://outlet{n}.example/feed"} for n in range(3)],
            "console": {"enabled": False},
            "web": {"listen": ""},
        }
    )
    app = await open_app(given, Parts(workers=IdleWorkers(), channels={}))  # type: ignore[arg-type]
    await app.source.close()
    app.source = app.pipeline._source = source
    daemon = Daemon(app, Ticks(poll_s=0.05))
    running = asyncio.create_task(daemon.run())
    await asyncio.sleep(0.4)
    daemon.stop()
    await running
    await app.close()


async def test_a_feed_under_way_at_a_death_is_not_asked_again_at_once(tmp_path: Path) -> None:
    """Three lives that end before any answer came ask each feed once: its due time moved on before it was asked."""
    source = SilentSource()
    for _ in range(3):
        await life(tmp_path, source)
    assert sorted(source.asked) == [1, 2, 3]
