"""Names to numeric addresses, bounded in time.

The system's resolver can hang for half a minute and cannot be interrupted, so each lookup runs in a daemon thread of
its own: a hung one holds neither a shared pool nor the exit of the program.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""``await lookup(host, port)`` gives numeric addresses or raises ``OSError``."""

_MAX_ADDRESSES = 16


def system_lookup(timeout_s: float = 10.0, at_once: int = 128) -> Lookup:
    """A lookup through ``getaddrinfo`` that answers or fails within ``timeout_s`` seconds."""
    threads = asyncio.Semaphore(at_once)

    async def lookup(host: str, port: int) -> Sequence[str]:
        try:
            async with asyncio.timeout(timeout_s):
                async with threads:
                    return await _in_thread(host, port)
        except TimeoutError:
            raise socket.gaierror(socket.EAI_AGAIN, f"no answer from the resolver in {timeout_s:.0f} s") from None

    return lookup


async def _in_thread(host: str, port: int) -> Sequence[str]:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Sequence[str]] = loop.create_future()

    def settle(addresses: Sequence[str], error: OSError | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(addresses)
        else:
            done.set_exception(error)

    def work() -> None:
        addresses: Sequence[str] = ()
        failure: OSError | None = None
        try:
            addresses = _addresses(host, port)
        except (OSError, UnicodeError) as error:
            failure = error if isinstance(error, OSError) else socket.gaierror(socket.EAI_NONAME, "not a host name")
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, addresses, failure)

    threading.Thread(target=work, name="resolve", daemon=True).start()
    return await done


def _addresses(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return list(dict.fromkeys(str(info[4][0]) for info in found))[:_MAX_ADDRESSES]
