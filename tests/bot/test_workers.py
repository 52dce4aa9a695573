"""Worker processes: real ones, with real deadlines. One task's end is nobody else's."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from bot.errors import ParseError, WorkerError
from bot.model import Feed, FeedState, Fetched
from bot.workers import WorkerPool
from classifiers.assessment import Text

NOW = datetime(2026, 3, 1, tzinfo=UTC)
RSS = b"<rss version='2.0'><channel><title>t</title><item><title>One</title><guid>1</guid></item></channel></rss>"


def body(data: bytes) -> Fetched:
    feed = Feed(1, "https://a.example/feed", NOW, FeedState(NOW))
    return Fetched(feed, feed.url, data, NOW)


def end_this_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def never_end() -> None:
    time.sleep(60)


def eat_memory() -> int:
    return len(bytearray(3 * 1024**3))


@pytest.fixture
async def pool() -> AsyncIterator[WorkerPool]:
    pool = WorkerPool(timeout_s=8.0, memory=2 * 1024**3)
    yield pool
    await pool.close()


async def test_parsing_and_assessing_work_in_processes(pool: WorkerPool) -> None:
    """A body is parsed and texts are assessed in order; an unreadable body is an error with its address."""
    await pool.warm()
    parsed = await pool.parse(body(RSS))
    assert [item.title for item in parsed.items] == ["One"]
    texts = [Text(f"Shelling kills {n} in border town" if n % 2 else "Orchard festival opens") for n in range(150)]
    found = await pool.assess(texts)
    assert [bool(a.labels) for a in found] == [bool(n % 2) for n in range(150)]
    with pytest.raises(ParseError, match=r"https://a\.example/feed: "):
        await pool.parse(body(b"hello"))


@pytest.mark.parametrize("deed", [end_this_process, never_end, eat_memory])
async def test_F03_a_task_that_kills_its_worker_fails_alone(deed: object) -> None:
    """A task that dies, hangs or eats memory fails by itself, in time, and the next one succeeds."""
    pool = WorkerPool(timeout_s=3.0, memory=2 * 1024**3)
    try:
        await pool.warm()
        started = time.monotonic()
        with pytest.raises(WorkerError):
            await pool._run("parse", deed)  # type: ignore[arg-type]
        assert time.monotonic() - started < 10
        parsed = await pool.parse(body(RSS))
        assert len(parsed.items) == 1
    finally:
        await pool.close()


async def test_a_hung_parser_delays_no_understanding() -> None:
    """While one body hangs the parser, texts are understood."""
    pool = WorkerPool(timeout_s=6.0, memory=2 * 1024**3)
    try:
        await pool.warm()
        hung = asyncio.create_task(pool._run("parse", never_end))
        started = time.monotonic()
        await pool.assess([Text("Shelling kills 12 in border town")])
        assert time.monotonic() - started < 3
        assert not hung.done()
        with pytest.raises(WorkerError):
            await hung
    finally:
        await pool.close()
