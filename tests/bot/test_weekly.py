"""Votes on their way back: the weekly note to operators, and `tocsin feedback` over the real store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.alerts.feedback import MONDAY as MONDAY_IS
from bot.alerts.feedback import NOTE_AT
from bot.alerts.hours import last_weekly
from bot.app import Parts, open_app
from bot.jobs import Daemon, Ticks
from bot.model import Batch, Notice
from bot.ports import Store
from bot.store import open_store
from bot.telegram.votes import VOTES_KEY, voted, votes_in, with_vote
from bot.weekly import WEEKLY_KEY, tell_weekly
from classifiers import Assessor
from classifiers.examples import read_examples
from config.model import Settings
from tests.bot.parts import ScriptedChannel, ScriptedSource, ScriptedWorkers
from tests.bot.test_cli import tocsin
from tests.store.builders import batch, item, one_feed, story, verdict

MONDAY = datetime(2026, 3, 9, 8, tzinfo=UTC)
OPERATORS = ("telegram:7", "slack:desk")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(tmp_path / "tocsin.sqlite3")
    yield opened
    await opened.close()


async def alerted(store: Store, name: str, at: datetime, *rules: str) -> None:
    """A story that was told at a time, with its item."""
    feed = await one_feed(store)
    about = replace(item(feed, name), link=f"https://herald.example/{name}", title=f"Shelling hits {name}")
    told = replace(story(name, title=about.title), link=about.link, opened_at=at, updated_at=at)
    spoken = replace(verdict(about, told), at=at, rules=rules)
    await store.record(replace(batch(feed, about), stories=(told,), verdicts=(spoken,)))


async def votes(store: Store, name: str, *words: str, at: datetime) -> None:
    for number, word in enumerate(words):
        kept = await store.chat_get(VOTES_KEY + name)
        await store.chat_put(VOTES_KEY + name, with_vote(kept, name, f"{at.timestamp()}-{number}", word, at))


async def notes(store: Store, now: datetime) -> list[tuple[str, str]]:
    """(target, text) of every note that is due."""
    owed = [d for channel in ("telegram", "slack") for d in await store.claim(channel, None, now, 99, 9e6)]
    return [(d.target, d.content.text) for d in owed if isinstance(d.content, Notice)]


async def tell(store: Store, now: datetime) -> bool:
    return await tell_weekly(store, OPERATORS, ["caucasus"], "UTC", now)


async def test_the_note_goes_to_every_operator_once(store: Store) -> None:
    """On Monday at eight, with rules and shares; a second look, or a restart before it was remembered, adds nothing."""
    await alerted(store, "s1", MONDAY - timedelta(days=3), "caucasus", "of Ann")
    await votes(store, "s1", "good", "good", "wrong place", at=MONDAY - timedelta(days=2))
    assert await tell(store, MONDAY)
    assert not await tell(store, MONDAY + timedelta(hours=5))
    remembered = await store.meta_get(WEEKLY_KEY)
    await store.meta_put(WEEKLY_KEY, (MONDAY - timedelta(days=7)).isoformat())
    assert await tell(store, MONDAY + timedelta(minutes=5))
    assert await store.meta_get(WEEKLY_KEY) == remembered == MONDAY.isoformat()
    found = await notes(store, MONDAY + timedelta(minutes=5))
    assert sorted(target for target, _ in found) == sorted(OPERATORS)
    assert "2 of 3 votes good (67%)" in found[0][1]
    assert "caucasus 2 of 3" in found[0][1]
    assert "Ann" not in found[0][1]


async def test_nobody_voted_nobody_is_told(store: Store) -> None:
    """No vote, no note; and the week counts as told."""
    await alerted(store, "s1", MONDAY - timedelta(days=3), "caucasus")
    assert not await tell(store, MONDAY)
    assert await notes(store, MONDAY) == []
    assert await store.meta_get(WEEKLY_KEY) == MONDAY.isoformat()


async def test_each_vote_is_told_in_one_week(store: Store) -> None:
    """Votes after the note belong to the next one, and a daemon that slept over Monday tells on waking."""
    await alerted(store, "s1", MONDAY - timedelta(days=3), "caucasus")
    await votes(store, "s1", "good", at=MONDAY - timedelta(days=2))
    assert await tell(store, MONDAY + timedelta(minutes=2))
    first = await notes(store, MONDAY + timedelta(minutes=2))
    await votes(store, "s1", "bad", "bad", at=MONDAY + timedelta(minutes=1))
    assert not await tell(store, MONDAY + timedelta(days=6))
    assert await tell(store, MONDAY + timedelta(days=8))
    second = await notes(store, MONDAY + timedelta(days=8))
    assert ["1 of 1 votes good" in text for _, text in first] == [True, True]
    assert ["0 of 2 votes good" in text for _, text in second] == [True, True]


async def test_the_daemon_tells_it(tmp_path: Path) -> None:
    """A running daemon sends the note that is owed to its operators' channels on one of its ticks."""
    base = {"data_dir": tmp_path, "catalogue": "", "rules": ({"name": "caucasus"},)}
    channel = ScriptedChannel("console")
    source = ScriptedSource()
    parts = Parts(channels={"console": channel}, workers=ScriptedWorkers(source, Assessor.load()))
    app = await open_app(Settings.model_validate(base), parts)
    due = last_weekly(MONDAY_IS, NOTE_AT, datetime.now(UTC), "UTC")
    await alerted(app.store, "s1", due - timedelta(days=1), "caucasus")
    await votes(app.store, "s1", "good", at=due - timedelta(hours=1))
    settled = asyncio.Event()
    app.on_settled = lambda _told: settled.set()
    daemon = Daemon(app, Ticks(weekly_s=0.05))
    running = asyncio.create_task(daemon.run())
    async with asyncio.timeout(20):
        await settled.wait()
    daemon.stop()
    await running
    await app.close()
    assert ["1 of 1 votes good" in message.text for message in channel.sent] == [True]


async def test_votes_on_what_is_gone_are_counted_apart(store: Store) -> None:
    """Retention may have taken the story; stories come oldest first, with the rules that asked for them."""
    await alerted(store, "s2", MONDAY, "sahel")
    await alerted(store, "s1", MONDAY - timedelta(days=3), "caucasus")
    for name in ("s1", "s2", "lost"):
        await votes(store, name, "good", at=MONDAY)
    found, gone = await voted(store)
    assert [(one.story.id, one.rules) for one in found] == [("s1", ("caucasus",)), ("s2", ("sahel",))]
    assert gone == 1
    assert await voted(store, MONDAY) == ([], 0)


def test_what_is_kept_of_votes_is_read_whatever_it_is() -> None:
    """The last vote of each reader counts; votes of before there were times have the newest's; junk has no vote."""
    kept = with_vote(with_vote({}, "s1", "a", "good", MONDAY), "s1", "a", "bad", MONDAY + timedelta(days=1))
    assert [(vote.word, vote.at) for vote in votes_in(kept)] == [("bad", MONDAY + timedelta(days=1))]
    old = {"votes": {"a": "good"}, "at": MONDAY.isoformat()}
    assert [vote.at for vote in votes_in(old)] == [MONDAY]
    assert votes_in({"votes": {"a": "good"}, "at": "yesterday"}) == votes_in({"votes": 7}) == votes_in({}) == ()
    full = {"votes": {str(n): "good" for n in range(5000)}, "at": MONDAY.isoformat()}
    assert with_vote(full, "s1", "one more", "bad", MONDAY) == full


async def with_feedback(folder: Path) -> datetime:
    """A folder with settings, two stories with votes and one without."""
    (folder / "tocsin.toml").write_text('[[rules]]\nname = "caucasus"\n')
    (folder / "data").mkdir()
    now = datetime.now(UTC)
    store = await open_store(folder / "data" / "tocsin.sqlite3")
    for name, days in (("s1", 2), ("s2", 20), ("s3", 1)):
        await alerted(store, name, now - timedelta(days=days), "caucasus")
    await votes(store, "s1", "good", "good", "wrong number", at=now - timedelta(days=1))
    await votes(store, "s2", "bad", at=now - timedelta(days=19))
    await votes(store, "lost", "bad", at=now - timedelta(days=1))
    await store.close()
    return now


async def test_feedback_report(tmp_path: Path) -> None:
    """Shares by rule and signal with counts, of the days asked for; the same for machines."""
    await with_feedback(tmp_path)
    done = tocsin(tmp_path, "feedback", "report")
    assert done.returncode == 0, done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines == [
        "last 7 days: 2 of 3 votes good (67%), on 1 story",
        "rule caucasus 2 good, 1 bad (67%)",
        "signal remote_strike 2 good, 1 bad (67%)",
        "wrong number 1",
    ]
    assert done.stderr == "tocsin: 1 more stories with votes are past retention ([store] keep)\n"
    row = json.loads(tocsin(tmp_path, "feedback", "report", "--days", "30", "--json").stdout)
    assert row["rules"] == {"caucasus": {"good": 2, "bad": 2, "precision": 0.5}}
    assert (row["stories"], row["stories_gone"], row["wrong"]) == (2, 1, {"number": 1})


async def test_feedback_export_gives_lines_that_train_reads(tmp_path: Path) -> None:
    """One line a story with votes, to a file or standard output, as the trainer's reader takes it."""
    await with_feedback(tmp_path)
    done = tocsin(tmp_path, "feedback", "export", "votes.jsonl")
    assert (done.returncode, done.stdout) == (0, "votes.jsonl: 2 lines\n")
    rows = [json.loads(line) for line in (tmp_path / "votes.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == ["en-s2", "en-s1"]
    assert rows[1]["votes"] == {"good": 2, "bad": 1, "wrong number": 1}
    assert (rows[1]["title"], rows[1]["signals"], rows[1]["killed"]) == (
        "Shelling hits s1",
        ["remote_strike", "casualties"],
        12,
    )
    assert [example.killed for example in read_examples([tmp_path / "votes.jsonl"])] == [12, 12]
    assert tocsin(tmp_path, "feedback", "export").stdout == (tmp_path / "votes.jsonl").read_text(encoding="utf-8")


async def test_feedback_without_votes_or_a_place_to_write(tmp_path: Path) -> None:
    """Nobody voted is said; a missing database and a file that cannot be written are one line and exit 2."""
    for command in ("report", "export"):
        missing = tocsin(tmp_path, "feedback", command)
        assert (missing.returncode, missing.stdout) == (2, "")
        assert "there is no database yet" in missing.stderr
    (tmp_path / "data").mkdir()
    store = await open_store(tmp_path / "data" / "tocsin.sqlite3")
    await store.record(Batch(MONDAY))
    await store.close()
    assert tocsin(tmp_path, "feedback", "report").stdout == "last 7 days: nobody voted\n"
    assert tocsin(tmp_path, "feedback", "export").stdout == ""
    refused = tocsin(tmp_path, "feedback", "export", "nowhere/votes.jsonl")
    assert (refused.returncode, refused.stderr) == (2, "tocsin: nowhere/votes.jsonl: no such file or directory\n")
