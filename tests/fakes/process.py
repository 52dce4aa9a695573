"""Running a fake as a process, for end-to-end tests: prints its address, ends on SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable

from tests.fakes.server import LoopbackServer


def serve(make: Callable[[int, bool], LoopbackServer], name: str) -> None:
    """Serve until told to stop, at most an hour."""
    parser = argparse.ArgumentParser(prog=f"python -m tests.fakes.{name}")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--strict", action="store_true", help="refuse what comes faster than the service allows")
    asked = parser.parse_args(sys.argv[1:])
    asyncio.run(_serve(make(asked.port, asked.strict)))


async def _serve(server: LoopbackServer) -> None:
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, done.set)
    async with server:
        sys.stdout.write(f"listening on {server.origin}\n")
        sys.stdout.flush()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(3600):
                await done.wait()
