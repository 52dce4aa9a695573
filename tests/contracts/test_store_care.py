"""Every store: what lasts, what goes, and what a copy holds."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import StoreError
from bot.model import Batch, Receipt, Routing, Sent
from bot.ports import Store
from tests.contracts.stores import Opener
from tests.store.builders import CHAT, NOON, at, batch, item, one_feed, owed, story, told
from tests.store.chats import command


async def test_everything_survives_a_restart(opener: Opener, folder: Path) -> None:
    """Feeds, items, stories, queue and commands are there after closing and opening."""
    first = await opener(folder / "tocsin.db")
    feed = await one_feed(first)
    await first.record(batch(feed, item(feed), deliveries=(owed("d1"),)))
    await first.save_commands([command(1)])
    before = (await first.feeds(), await first.open_stories(NOON), await first.counts())
    await first.close()
    second = await opener(folder / "tocsin.db")
    counts = await second.counts()
    assert (await second.feeds(), await second.open_stories(NOON), counts) == before
    assert await second.unseen([item(feed)]) == []
    assert [one.id for one in await second.claim("telegram", None, NOON, 9, 60)] == ["d1"]
    assert await second.pending_commands(9) == [command(1)]
    await second.close()


async def test_a_closed_store_says_so(opener: Opener, folder: Path) -> None:
    """No hang and no stack of somebody else's errors; closing twice is no error."""
    store = await opener(folder / "tocsin.db")
    await store.close()
    await store.close()
    with pytest.raises(StoreError, match="closed"):
        await store.counts()
    with pytest.raises(StoreError, match="closed"):
        await store.meta_put("a", "b")


async def test_retention_deletes_what_is_old(store: Store) -> None:
    """Items, verdicts, silences, stories and settled messages from before a time go; the rest stays."""
    feed = await one_feed(store)
    await store.record(batch(feed, item(feed, "old"), deliveries=(owed("sent"), owed("owed", about="s2"))))
    (sent, _) = await store.claim("telegram", None, NOON, 9, 60)
    assert await store.settle(sent, Sent(Receipt(NOON)), NOON)
    new = replace(batch(feed, item(feed, "new"), minutes=60), stories=(story("s2", 60),), routing=Routing())
    await store.record(new)
    assert await store.purge(at(30)) > 0
    assert [one.id for one in await store.open_stories(at(-60))] == ["s2"]
    assert [one.update.item.key for one in await store.verdicts(at(-60), 9)] == ["new"]
    assert await store.trail(item(feed, "old").link) is None
    assert await store.trail(item(feed, "new").link) is not None
    assert await store.outbox_depth() == {"telegram": 1}
    counts = await store.counts()
    assert (counts["outbox"], counts["silent"], counts["told"]) == (1, 0, 0)


async def test_what_retention_emptied_does_not_come_back_as_news(store: Store) -> None:
    """A slow feed lists an item for years: its identity outlives its text."""
    feed = await one_feed(store)
    await store.record(batch(feed, item(feed)))
    await store.purge(at(9_999))
    assert await store.unseen([item(feed)]) == []
    trail = await store.trail(item(feed).uid)
    assert trail is not None
    assert (trail.item.title, trail.assessment) == ("", None)


async def test_retention_has_nothing_to_do_twice(store: Store) -> None:
    """The second run finds nothing."""
    feed = await one_feed(store)
    await store.record(batch(feed, *(item(feed, f"k{n}") for n in range(25))))
    assert await store.purge(at(30), batch=10) > 25
    assert await store.purge(at(30), batch=10) == 0


async def test_handled_commands_go(store: Store) -> None:
    """Pending ones stay whatever their age."""
    await store.save_commands([command(1), command(2)])
    await store.done_command(1, NOON)
    await store.purge(at(30))
    assert (await store.counts())["commands"] == 1
    assert await store.pending_commands(9) == [command(2)]


async def test_a_sound_store_has_nothing_to_say(store: Store) -> None:
    """The integrity check returns None."""
    feed = await one_feed(store)
    await store.record(batch(feed, item(feed)))
    assert await store.check() is None


async def test_d07_a_backup_is_a_whole_store(store: Store, opener: Opener, folder: Path) -> None:
    """Made while the store is open and written to, it opens and holds what was recorded before it began."""
    feed = await one_feed(store)
    await store.record(batch(feed, item(feed), deliveries=(owed("d1"),)))
    writes = asyncio.gather(*(store.record(batch(feed, item(feed, f"k{n}"))) for n in range(2, 12)))
    await store.backup(str(folder / "copy.db"))
    await writes
    assert sorted(name for name in os.listdir(folder) if name.startswith("copy")) == ["copy.db"]
    copy = await opener(folder / "copy.db")
    assert await copy.check() is None
    assert await copy.unseen([item(feed)]) == []
    assert await copy.outbox_depth() == {"telegram": 1}
    await copy.close()


async def test_work_at_once_is_done_once_each(store: Store) -> None:
    """Many callers at the same time: each write is kept, and no message is in two hands."""
    await store.enqueue([owed(f"d{n}", about=f"s{n}") for n in range(40)])
    leases, _ = await asyncio.gather(
        asyncio.gather(*(store.claim("telegram", None, NOON, 3, 60) for _ in range(20))),
        asyncio.gather(*(store.chat_put(f"telegram:{n}", {"n": n}) for n in range(20))),
    )
    claimed = [delivery.id for lease in leases for delivery in lease]
    assert sorted(claimed) == sorted(f"d{n}" for n in range(40))
    assert [await store.chat_get(f"telegram:{n}") for n in range(20)] == [{"n": n} for n in range(20)]


async def test_one_failure_among_many_at_once_is_its_own(store: Store) -> None:
    """What waits together shares a commit, not a fate."""
    feed = await one_feed(store)
    stranger = replace(batch(feed, item(999)), polls=(replace(batch(feed).polls[0], items=(item(999),)),))
    results = await asyncio.gather(
        store.meta_put("a", "1"),
        store.record(stranger),
        store.record(Batch(NOON, routing=Routing(told=(told(),)))),
        store.meta_put("b", "2"),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [type(None), StoreError, type(None), type(None)]
    assert (await store.meta_get("a"), await store.meta_get("b")) == ("1", "2")
    assert (await store.route_state([CHAT], ["s1"], NOON)).told
