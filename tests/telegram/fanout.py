"""Measures a fan-out: one extreme alert to many chats, through the real outbox, store and bot, against a strict fake.

``python -m tests.telegram.fanout --chats 10000`` prints when the last chat had it, how often the fake had to refuse,
and how long people who typed meanwhile waited for their answers. The fake runs as a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import statistics
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import structlog

from bot.channels.gate import Gate
from bot.channels.telegram import TelegramChannel
from bot.channels.voice import ChannelVoice
from bot.clock import SystemClock
from bot.model import Delivery, Lane
from bot.outbox import Outbox
from bot.ports import Pace
from bot.store.sqlite import open_store
from bot.telegram.desk import TelegramDesk
from bot.telegram.needs import DeskSettings
from bot.telegram.updates import Poller
from tests.channels.samples import alert
from tests.fakes.telegram import DEFAULT_TOKEN

TYPIST = 5
PACE = Pace(per_second=30.0, per_address_per_second=1.0, group_per_minute=20.0, concurrency=32)


def _quiet_logs() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))


async def measure(chats: int, folder: Path) -> None:
    """One fan-out."""
    fake = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fakes.telegram", "--strict", stdout=asyncio.subprocess.PIPE
    )
    assert fake.stdout is not None
    origin = (await fake.stdout.readline()).decode().split()[-1]
    try:
        await _fan_out(chats, folder, origin)
    finally:
        fake.terminate()
        await fake.wait()


async def _fan_out(chats: int, folder: Path, origin: str) -> None:
    clock, store = SystemClock(), await open_store(folder / "fanout.db")
    channel = TelegramChannel(DEFAULT_TOKEN, clock.now, base_url=origin, pace=PACE)
    outbox = Outbox(store, {"telegram": channel}, clock, random.random, lambda _told: None, 90.0)
    gate = Gate(outbox.pace("telegram"), clock)
    desk = TelegramDesk(store, channel.api, ChannelVoice(channel), gate, clock, DeskSettings(bucket=1000))
    poller = Poller(channel.api, store, clock, desk.wake)
    now = clock.now()
    owed = [_owed(number, now) for number in range(1, chats + 1)]
    await store.enqueue(owed)
    begun, cpu = time.monotonic(), time.process_time()
    tasks = [asyncio.create_task(one) for one in (outbox.run(), desk.run(), poller.run())]
    async with httpx.AsyncClient(base_url=origin, trust_env=False) as watcher:
        waits = await _type_until_done(watcher, chats)
        took = time.monotonic() - begun
        report = (await watcher.get("/control/report")).json()
    outbox.stop()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await channel.close()
    await store.close()
    ordered = sorted(waits)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] if ordered else 0.0
    sys.stdout.write(
        f"{chats} chats: served within {report['span']:.1f} s ({took:.1f} s in all), CPU {time.process_time() - cpu:.1f} s, "
        f"refused {report['violations']}, delivered {report['delivered']}; "
        f"{len(waits)} commands answered, median {statistics.median(waits or [0]):.2f} s, p99 {p99:.2f} s\n"
    )


def _owed(number: int, now: datetime) -> Delivery:
    return Delivery(
        id=f"fan-{number}",
        target=f"telegram:{1000 + number}",
        content=alert(),
        lane=Lane.URGENT,
        created_at=now,
        not_before=now,
        expires_at=now + timedelta(hours=6),
        story_id="sk3w2yq7",
    )


async def _type_until_done(watcher: httpx.AsyncClient, chats: int) -> list[float]:
    """Somebody new types /help every two seconds; how long each waited."""
    waits: list[float] = []
    typist = TYPIST
    while True:
        typist += 1
        asked = time.monotonic()
        await watcher.post("/control/say", json={"who": typist, "text": "/help"})
        while not (await watcher.get("/control/count", params={"chat": typist})).json():
            if time.monotonic() - asked > 30:
                break
            await asyncio.sleep(0.02)
        waits.append(time.monotonic() - asked)
        if (await watcher.get("/control/report")).json()["delivered"] - len(waits) >= chats:
            return waits
        await asyncio.sleep(max(0.0, 2.0 - waits[-1]))


if __name__ == "__main__":
    _quiet_logs()
    parser = argparse.ArgumentParser()
    parser.add_argument("--chats", type=int, default=100)
    with tempfile.TemporaryDirectory() as place:
        asyncio.run(measure(parser.parse_args().chats, Path(place)))
