"""A small world on loopback for the real command: publishers, Telegram, Slack, and the daemon as a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.fakes.feeds import FakePublishers
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram

ADMIN = 111
CLASH = (
    "Heavy fighting erupts on the border between Armenia and Azerbaijan, 16 soldiers killed",
    "Artillery and tanks are in action along the line of contact, the defence ministry in Yerevan said.",
)


@dataclass
class World:
    """The servers, and a folder for settings and data."""

    folder: Path
    press: FakePublishers
    telegram: FakeTelegram
    slack: FakeSlack
    daemons: list[asyncio.subprocess.Process] = field(default_factory=list)

    def write_settings(self, extra: str = "") -> Path:
        """Settings that watch the publishers and ring in both chats."""
        feeds = "".join(f'[[feeds]]\nurl = "{self.press.url(n)}"\n' for n in range(len(self.press.feeds)))
        path = self.folder / "tocsin.toml"
        path.write_text(
            f'data_dir = "{self.folder / "data"}"\n'
            f'[fetch]\ninterval = "1s"\nallow_networks = ["127.0.0.0/8"]\n{feeds}'
            f'[console]\nenabled = false\n[web]\nlisten = ""\n'
            f'[telegram]\ntoken = "{self.telegram.token}"\nbase_url = "{self.telegram.base_url}"\nadmins = [{ADMIN}]\n'
            f'[[slack]]\nname = "desk"\nwebhook_url = "{self.slack.url("desk")}"\n'
            f'[[rules]]\nname = "all"\nmin_severity = "minor"\nchannels = ["slack:desk", "telegram:{ADMIN}"]\n{extra}'
        )
        path.chmod(0o600)
        return path

    async def tocsin(self, *arguments: str) -> tuple[int, str, str]:
        """Run a command to its end: exit code, stdout, stderr."""
        process = await self._spawn(*arguments)
        out, err = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode or 0, out.decode(), err.decode()

    async def start(self) -> asyncio.subprocess.Process:
        """The daemon, once it has asked every feed."""
        asked = len(self.press.requests)
        process = await self._spawn("run", "--config", str(self.folder / "tocsin.toml"))
        self.daemons.append(process)
        await until(lambda: len({n for n, _, _ in self.press.requests[asked:]}) == len(self.press.feeds))
        return process

    async def _spawn(self, *arguments: str) -> asyncio.subprocess.Process:
        environ = {k: v for k, v in os.environ.items() if not k.startswith("TOCSIN_")}
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self.folder,
            env={**environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )

    def publish(self, title: str = CLASH[0], summary: str = CLASH[1], feed: int = 0) -> str:
        """News, now."""
        return self.press.publish(feed, title, summary, datetime.now(UTC))


async def until(true: Callable[[], bool | Awaitable[bool]], within_s: float = 30.0) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(within_s):
        while True:
            found = true()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.05)


@asynccontextmanager
async def world(folder: Path, feeds: int = 2) -> AsyncIterator[World]:
    """Everything up; daemons that a test left running are ended."""
    async with FakePublishers(feeds) as press, FakeTelegram() as telegram, FakeSlack() as slack:
        here = World(folder, press, telegram, slack)
        try:
            yield here
        finally:
            for daemon in here.daemons:
                if daemon.returncode is None:
                    daemon.send_signal(signal.SIGKILL)
                await daemon.communicate()
