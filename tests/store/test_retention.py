"""Retention: in steps so small that nobody waits, and without forgetting what feeds still list."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event

from bot.model import Batch, PollResult
from bot.store import open_store, retention
from tests.store.builders import NOON, at, batch, item, one_feed, owed, silence


async def test_d21_a_large_purge_keeps_nobody_waiting(folder: Path) -> None:
    """While 8,000 items, verdicts and silences go, each write of others is done in under a second."""
    store = await open_store(folder / "t.db")
    feed = await one_feed(store)
    many = [item(feed, f"k{n}") for n in range(8_000)]
    silences = tuple(silence(one) for one in many)
    whole = batch(feed, *many)
    await store.record(replace(whole, routing=replace(whole.routing, silent=silences)))
    purging = asyncio.create_task(store.purge(at(30), batch=1000))
    waits: list[float] = []
    while not purging.done():
        began = time.perf_counter()
        await store.meta_put("n", "x")
        waits.append(time.perf_counter() - began)
        await asyncio.sleep(0)
    assert await purging >= 24_000
    assert len(waits) > 5
    assert max(waits) < 1.0
    assert (await store.counts())["items"] == retention.KEPT_IDENTITIES
    assert (await store.counts())["silent"] == 0
    await store.close()


async def test_no_transaction_of_a_purge_is_large(folder: Path) -> None:
    """Rows that one transaction touches are bounded by the batch, whatever there is to do."""
    store = await open_store(folder / "t.db")
    feed = await one_feed(store)
    await store.record(batch(feed, *(item(feed, f"k{n}") for n in range(900))))
    commits: list[int] = []
    event.listen(store._lines.writer.engine, "commit", lambda _: commits.append(1))
    done = await store.purge(at(30), batch=100)
    assert len(commits) >= done / 100
    await store.close()


@pytest.mark.parametrize("extra", [0, 7])
async def test_of_each_feed_the_newest_identities_stay(
    folder: Path, extra: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However old, they are emptied and known; what is beyond them is deleted."""
    monkeypatch.setattr(retention, "KEPT_IDENTITIES", 5)
    store = await open_store(folder / "t.db")
    busy, slow = await one_feed(store, 1), await one_feed(store, 2)
    of_busy = [item(busy, f"k{n}") for n in range(5 + extra)]
    of_slow = [item(slow, f"k{n}") for n in range(2)]
    polls = (PollResult(busy, busy.state, tuple(of_busy)), PollResult(slow, slow.state, tuple(of_slow)))
    await store.record(Batch(NOON, polls=polls))
    await store.purge(at(30), batch=4)
    assert await store.unseen([*of_busy, *of_slow]) == of_busy[:extra]
    assert (await store.counts())["items"] == 7
    await store.close()


async def test_emptied_items_go_once_newer_ones_take_their_place(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of empty rows a feed keeps is bounded for good."""
    monkeypatch.setattr(retention, "KEPT_IDENTITIES", 5)
    store = await open_store(folder / "t.db")
    feed = await one_feed(store)
    for day in range(4):
        items = tuple(item(feed, f"{day}-{n}") for n in range(4))
        await store.record(Batch(at(day * 1440), polls=(PollResult(feed, feed.state, items),)))
        await store.purge(at(day * 1440 + 30), batch=3)
    assert (await store.counts())["items"] == 5
    await store.close()


async def test_what_is_still_owed_is_never_purged(folder: Path) -> None:
    """A queued message and its attempts stay, however old."""
    store = await open_store(folder / "t.db")
    await store.enqueue([replace(owed("d1"), expires_at=at(10**6))])
    (leased,) = await store.claim("telegram", None, NOON, 1, 60)
    await store.attempt(leased, NOON)
    await store.purge(at(10**6))
    (again,) = await store.claim("telegram", None, at(2), 1, 60)
    assert (again.id, again.maybe_sent) == ("d1", True)
    await store.close()
