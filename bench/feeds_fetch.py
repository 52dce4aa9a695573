"""CPU of asking unchanged feeds: N conditional GETs answered by 304, over new connections and kept ones.

Usage: ``python bench/feeds_fetch.py [N]``. The server runs in a process of its own; what is counted is this one.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import time
from dataclasses import replace
from multiprocessing.connection import Connection

from bot.clock import SystemClock
from bot.feeds.check import probe
from bot.feeds.fetch import HttpSource
from bot.model import Feed, FeedSpec, NotModified


async def _serve(ready: Connection, *, keep: bool) -> None:
    answer = b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n' + (b"" if keep else b"Connection: close\r\n") + b"\r\n"

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(answer)
                if not keep:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=512)
    ready.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def _run_server(ready: Connection, keep: bool) -> None:
    asyncio.run(_serve(ready, keep=keep))


async def _ask(port: int, count: int) -> float:
    clock = SystemClock()
    source = HttpSource("Tocsin-bench/1", clock=clock, per_host=64, allow_networks=["127.0.0.0/8"])

    def feed(number: int) -> Feed:
        base = probe(FeedSpec(f"http://127.0.0.1:{port}/{number}"), clock.now())
        return replace(base, state=replace(base.state, etag='"1"'))

    await asyncio.gather(*(source.fetch(feed(n)) for n in range(64)))
    began = time.process_time()
    answers = await asyncio.gather(*(source.fetch(feed(n)) for n in range(count)))
    used = time.process_time() - began
    await source.close()
    assert all(isinstance(answer, NotModified) for answer in answers)
    return used


def measure(count: int, *, keep: bool) -> float:
    """CPU milliseconds a feed."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=_run_server, args=(theirs, keep), daemon=True)
    server.start()
    try:
        return asyncio.run(_ask(ours.recv(), count)) / count * 1000
    finally:
        server.terminate()
        server.join()


def main() -> None:
    """Print both figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    print(
        f"{count} unchanged feeds: {measure(count, keep=False):.2f} ms CPU each on new connections, "
        f"{measure(count, keep=True):.2f} ms on kept ones"
    )


if __name__ == "__main__":
    main()
