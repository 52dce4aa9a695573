"""The outbox against a model of it: whatever happens in whatever order, both agree.

The model is a list in the order of queuing, read with the rules of :mod:`bot.store.leases` in mind. Time moves, holders
die, processes are killed (the store is opened again without a farewell), old holders come back.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bot.model import Delivery, GivenUp, Lane, Mode, Notice, Outcome, Receipt, RetryAt, Sent
from bot.ports import DeadLetter
from bot.store import SqliteStore, open_store
from tests.store.builders import NOON, owed

TARGETS = ("telegram:1", "telegram:2", "slack:desk")
STORIES = (None, "s1", "s2")
LIFE = timedelta(minutes=10)


@dataclass
class Owed:
    """What the model knows of one message."""

    delivery: Delivery
    state: str = "queued"
    due: datetime = NOON
    fence: int = 0
    open_attempt: bool = False
    maybe_sent: bool = False
    attempts: int = 0

    @property
    def live(self) -> bool:
        return self.state in ("queued", "leased")

    def same_line(self, other: Owed) -> bool:
        """True where the two must keep their order."""
        mine, others = self.delivery, other.delivery
        return mine.story_id is not None and (mine.target, mine.story_id) == (others.target, others.story_id)


@dataclass
class Model:
    """The outbox as it should be."""

    rows: list[Owed] = field(default_factory=list)

    def enqueue(self, delivery: Delivery) -> None:
        """Queue; a newer edit replaces a waiting one, an urgent message lifts what stands before it."""
        new = Owed(delivery, due=delivery.not_before)
        for row in self.rows:
            if not (row.live and row.same_line(new)):
                continue
            if row.state == "queued" and {row.delivery.mode, delivery.mode} == {Mode.EDIT}:
                row.state = "superseded"
            elif delivery.lane < row.delivery.lane and delivery.lane is not Lane.DIGEST:
                row.delivery = replace(row.delivery, lane=delivery.lane)
        self.rows.append(new)

    def heads(self, channel: str) -> list[Owed]:
        """Live messages of a channel that wait for no earlier one."""
        live = [row for row in self.rows if row.live]
        return [
            row
            for n, row in enumerate(live)
            if row.delivery.channel == channel and not any(row.same_line(earlier) for earlier in live[:n])
        ]

    def claim(self, channel: str, lane: Lane | None, now: datetime, limit: int, exclude: Sequence[str]) -> list[Owed]:
        """What a claim must lease, in order; what expired on the way dies."""
        ready = [row for row in self.heads(channel) if row.due <= now and lane in (None, row.delivery.lane)]
        ready.sort(key=lambda row: row.delivery.lane)
        chosen: list[Owed] = []
        for row in ready:
            if len(chosen) == limit:
                break
            if row.delivery.expires_at <= now:
                row.state = "dead"
            elif row.delivery.target not in exclude:
                chosen.append(row)
        return chosen


class OutboxMachine(RuleBasedStateMachine):
    """Rules are what daemons do to the outbox; each compares what the store says with what the model says."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory(dir=self.template.parent)
        self.path = Path(self.folder.name) / "tocsin.db"
        shutil.copyfile(self.template, self.path)
        self.model = Model()
        self.now = NOON
        self.holders: list[Delivery] = []
        self.past: list[SqliteStore] = []

    @initialize()
    def start(self) -> None:
        """A process starts."""
        self.store = self.runner.run(open_store(self.path))

    @rule(
        chat=st.sampled_from(TARGETS),
        about=st.sampled_from(STORIES),
        lane=st.sampled_from(Lane),
        mode=st.sampled_from(Mode),
        wait=st.integers(0, 2),
    )
    def enqueue(self, chat: str, about: str | None, lane: Lane, mode: Mode, wait: int) -> None:
        """A message is queued, and queued again, which does nothing."""
        name = f"d{len(self.model.rows)}"
        delivery = replace(
            owed(name, target=chat, about=about, lane=lane, mode=mode, content=Notice("x", NOON)),
            created_at=self.now,
            not_before=self.now + timedelta(minutes=wait),
            expires_at=self.now + LIFE,
        )
        assert self.runner.run(self.store.enqueue([delivery])) == 1
        assert self.runner.run(self.store.enqueue([delivery])) == 0
        self.model.enqueue(delivery)

    @rule(
        channel=st.sampled_from(("telegram", "slack")),
        lane=st.sampled_from((None, *Lane)),
        limit=st.integers(1, 4),
        exclude=st.lists(st.sampled_from(TARGETS), max_size=2),
    )
    def claim(self, channel: str, lane: Lane | None, limit: int, exclude: list[str]) -> None:
        """Exactly those that are due, urgent first, one of each story and address; fences rise by one."""
        claimed = self.runner.run(self.store.claim(channel, lane, self.now, limit, 60, exclude=exclude))
        expected = self.model.claim(channel, lane, self.now, limit, exclude)
        for row in expected:
            row.maybe_sent |= row.open_attempt
            row.state, row.open_attempt = "leased", False
            row.fence, row.due = row.fence + 1, self.now + timedelta(seconds=60)
        assert [(one.id, one.fence, one.maybe_sent, one.attempts) for one in claimed] == [
            (row.delivery.id, row.fence, row.maybe_sent, row.attempts) for row in expected
        ]
        self.holders += claimed

    def _held(self, data: st.DataObject) -> tuple[Delivery, Owed, bool]:
        holder = data.draw(st.sampled_from(self.holders))
        row = next(row for row in self.model.rows if row.delivery.id == holder.id)
        return holder, row, row.state == "leased" and row.fence == holder.fence

    @precondition(lambda self: self.holders)
    @rule(data=st.data())
    def attempt(self, data: st.DataObject) -> None:
        """Only the holder of a living lease may send."""
        holder, row, mine = self._held(data)
        allowed = mine and self.now < row.due
        assert self.runner.run(self.store.attempt(holder, self.now)) is allowed
        if allowed:
            row.open_attempt = True
            row.attempts += 1

    @precondition(lambda self: self.holders)
    @rule(data=st.data(), kind=st.sampled_from(("sent", "retry", "ambiguous", "given up")))
    def settle(self, data: st.DataObject, kind: str) -> None:
        """Only the newest holder's word counts, even late."""
        holder, row, mine = self._held(data)
        later = self.now + timedelta(minutes=1)
        outcomes: dict[str, Outcome] = {
            "sent": Sent(Receipt(self.now, "1")),
            "retry": RetryAt(later, "refused"),
            "ambiguous": RetryAt(later, "timeout", ambiguous=True),
            "given up": GivenUp("refused"),
        }
        assert self.runner.run(self.store.settle(holder, outcomes[kind], self.now)) is mine
        if mine:
            row.state = {"sent": "sent", "given up": "dead"}.get(kind, "queued")
            row.due = later
            row.maybe_sent |= kind == "ambiguous"
            row.open_attempt = False
            if row.live:
                row.delivery = replace(row.delivery, not_before=later)

    @precondition(lambda self: self.holders)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        """A stop gives leases back; what was in an attempt is perhaps sent."""
        holder, row, mine = self._held(data)
        self.runner.run(self.store.release([holder]))
        if mine:
            row.maybe_sent |= row.open_attempt
            row.state, row.open_attempt, row.due = "queued", False, row.delivery.not_before

    @rule(seconds=st.sampled_from((1, 30, 60, 300)))
    def pass_time(self, seconds: int) -> None:
        """Time passes."""
        self.now += timedelta(seconds=seconds)

    @rule()
    def die_and_come_back(self) -> None:
        """The process dies without a farewell and another starts; the old one's holders may still speak."""
        self.past.append(self.store)
        self.store = self.runner.run(open_store(self.path))

    @invariant()
    def agree(self) -> None:
        """Nothing is lost: what the model owes is what the store owes, and dead letters are the model's dead."""
        depth: dict[str, int] = {}
        for row in self.model.rows:
            if row.live:
                depth[row.delivery.channel] = depth.get(row.delivery.channel, 0) + 1
        if not hasattr(self, "store"):
            return
        owed_now, letters, soonest = self.runner.run(self._look())
        assert owed_now == depth
        assert {one.delivery.id for one in letters} == {
            row.delivery.id for row in self.model.rows if row.state == "dead"
        }
        assert soonest == min((row.due for row in self.model.heads("telegram")), default=None)

    async def _look(self) -> tuple[Mapping[str, int], Sequence[DeadLetter], datetime | None]:
        store = self.store
        return await asyncio.gather(store.outbox_depth(), store.dead_letters(1000), store.next_delivery("telegram"))

    def teardown(self) -> None:
        """Leave no thread behind."""
        for store in (*self.past, self.store):
            self.runner.run(store.close())
        self.runner.close()
        self.folder.cleanup()


def test_d09_the_outbox_agrees_with_its_model(blank: Path) -> None:
    """Claim, attempt, settle, release, expiry and death in any order: nothing lost, nothing in two hands, order kept."""
    template = blank / "machine.db"
    asyncio.run(_make(template))
    machine = type("Machine", (OutboxMachine,), {"template": template})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=15,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )


async def _make(path: Path) -> None:
    await (await open_store(path)).close()
