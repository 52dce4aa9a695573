"""A small daemon that is killed at every boundary in turn, and the audit after each death.

Run as a program with a folder, and a stride, as its arguments. It forks for each boundary (every statement, every
commit, both sides of every send; with a stride of 3 for every third), lets the child die there by SIGKILL, opens what
is left and checks it, goes on from there to the end, and checks again. Prints how many deaths there were and how many
messages arrived twice.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path

from sqlalchemy import event

from bot.model import Alert, Batch, Delivery, Lane, PollResult, Receipt, Routing, Sent
from bot.store import SqliteStore, codec, open_store
from tests.store.builders import NOON, alert, at, item, one_feed, owed, poll, read, story, told, verdict

MESSAGES = tuple(owed(f"d{n}", about=f"s{n}", target=f"telegram:{n}", lane=Lane.URGENT) for n in range(3))
ITEMS = tuple(item(1, f"k{n}") for n in range(3))
ETAG = '"after the poll"'


class Fuse:
    """Counts boundaries and kills the process at one of them."""

    def __init__(self, at_boundary: int) -> None:
        self.left = at_boundary

    def __call__(self, *_: object) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def wire(self, store: SqliteStore) -> None:
        """Every statement of the writer is a boundary, its commits too."""
        event.listen(store._lines.writer.engine, "before_cursor_execute", self)
        event.listen(store._lines.writer.engine, "commit", self)


def whole_poll(result: PollResult) -> Batch:
    """What the pipeline records of a poll: validators, items, a story, verdicts and messages."""
    return Batch(
        at=NOON,
        polls=(replace(result, items=ITEMS, state=replace(result.state, etag=ETAG)),),
        assessments={one.uid: read() for one in ITEMS},
        verdicts=tuple(verdict(one, story()) for one in ITEMS),
        stories=(story(),),
        routing=Routing(deliveries=MESSAGES, told=tuple(told(one.target, str(one.story_id)) for one in MESSAGES)),
    )


async def work(store: SqliteStore, receiver: Path, minutes: float, boundary: Callable[[], None]) -> None:
    """Poll once where that was not recorded, then send all that is owed."""
    (feed,) = await store.feeds()
    if await store.unseen(ITEMS):
        await store.record(whole_poll(poll(feed)))
    while leased := await store.claim("telegram", None, at(minutes), 2, 60):
        for delivery in leased:
            if await store.attempt(delivery, at(minutes)):
                boundary()
                send(receiver, delivery)
                boundary()
                await store.settle(delivery, Sent(Receipt(at(minutes), f"m-{delivery.id}")), at(minutes))


def send(receiver: Path, delivery: Delivery) -> None:
    """The other side has it from here on."""
    with receiver.open("a") as file:
        file.write(json.dumps([delivery.id, delivery.maybe_sent]) + "\n")


def received(receiver: Path) -> list[tuple[str, bool]]:
    """Ids in the order of arrival, with whether each was marked as perhaps a copy."""
    return [tuple(json.loads(line)) for line in receiver.read_text().splitlines()] if receiver.exists() else []


async def until_killed(folder: Path, boundary: int) -> None:
    """The daemon's life up to a boundary."""
    store = await open_store(folder / "t.db")
    fuse = Fuse(boundary)
    fuse.wire(store)
    await work(store, folder / "received", 0, fuse)
    await store.close()


async def afterwards(folder: Path) -> None:
    """The next process: it looks at what is there, and goes on once the leases of the dead one are over."""
    store = await open_store(folder / "t.db")
    await audit(store, folder / "received")
    await work(store, folder / "received", 5, lambda: None)
    assert await store.outbox_depth() == {}
    assert await store.unseen(ITEMS) == []
    assert await store.check() is None
    await store.close()


async def audit(store: SqliteStore, receiver: Path) -> None:
    """What a death left behind: all of the poll or nothing of it, and each message owed or sent."""
    assert await store.check() is None
    (feed,) = await store.feeds()
    unseen, counts = len(await store.unseen(ITEMS)), await store.counts()
    traces = (
        feed.state.etag == ETAG,
        unseen == 0,
        counts["verdicts"] == 3,
        counts["stories"] == 1,
        counts["told"] == 3,
    )
    assert len(set(traces)) == 1, f"half a poll was recorded: {traces}"
    assert counts["outbox"] == (3 if traces[0] else 0)
    arrived = {name for name, _ in received(receiver)}
    owed_now = (await store.outbox_depth()).get("telegram", 0)
    assert not traces[0] or owed_now + len(arrived) >= len(MESSAGES), "a message is neither owed nor sent"


def extra_copies(folder: Path) -> int:
    """Each message arrived; at most the one in flight arrived twice, and its copy says so."""
    arrivals = received(folder / "received")
    times = Counter(name for name, _ in arrivals)
    assert set(times) == {one.id for one in MESSAGES}, f"lost: {times}"
    extra = sum(times.values()) - len(times)
    assert extra <= 1, f"more than the one in flight came twice: {times}"
    seen: set[str] = set()
    for name, marked in arrivals:
        assert marked or name not in seen, f"an unmarked copy of {name}"
        seen.add(name)
    return extra


def in_child(life: Coroutine[object, object, None]) -> int:
    """Run in a process of its own; its wait status. The parent never has threads when it forks."""
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(life)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
            raise
        os._exit(0)
    life.close()
    return os.waitpid(child, 0)[1]


async def prepare(path: Path) -> None:
    """A database with one feed."""
    store = await open_store(path)
    await one_feed(store)
    await store.close()


def main(root: Path, stride: int) -> None:
    """Die at one boundary after another, until a life goes through without dying."""
    codec.load(Alert, codec.dump(alert()))  # readers are built once here, not in each child
    assert in_child(prepare(root / "start.db")) == 0
    deaths, extra = 0, 0
    for boundary in itertools.count(1, stride):
        folder = root / f"life-{boundary}"
        folder.mkdir()
        shutil.copy(root / "start.db", folder / "t.db")
        status = in_child(until_killed(folder, boundary))
        assert os.WIFSIGNALED(status) or status == 0
        assert in_child(afterwards(folder)) == 0, f"after a death at boundary {boundary}"
        extra += extra_copies(folder)
        shutil.rmtree(folder)
        if status == 0:
            break
        deaths += 1
    sys.stdout.write(json.dumps({"deaths": deaths, "copies": extra}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
