"""A process for P03: an outbox that sends into silence, with the daemon's own signal handlers. Prints "sending"."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import cast

from bot.cli.daemon import _on_signals
from bot.clock import SystemClock
from bot.jobs import Daemon
from bot.model import Delivery, Message, Receipt
from bot.outbox import Outbox
from bot.store import open_store
from tests.bot.parts import ScriptedChannel


class SilentChannel(ScriptedChannel):
    """Takes a message and never answers."""

    async def send(self, message: Message) -> Receipt:
        """Say that it left, and wait."""
        sys.stdout.write("sending\n")
        sys.stdout.flush()
        await asyncio.sleep(60)
        return await super().send(message)

    def render(self, delivery: Delivery) -> Message:
        """As ever."""
        return super().render(delivery)


async def main(path: Path) -> None:
    """Send what is queued there, until told to stop."""
    store = await open_store(path)
    outbox = Outbox(store, {"slack": SilentChannel()}, SystemClock(), lambda: 0.0)
    _on_signals(cast("Daemon", outbox), None)
    await outbox.run()
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
