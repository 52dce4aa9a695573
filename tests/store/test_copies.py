"""Backups and coming back from them: whole, private, and without ringing for old news."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from bot.errors import StoreBusy, StoreError, StoreVersion, UsageError
from bot.model import Batch, FeedSpec, Routing
from bot.store import RESTORED_AT, DaemonLock, copies, migrate, open_store, restore
from tests.store.builders import CHAT, NOON, at, batch, held, item, one_feed, owed
from tests.store.chats import command, subscription


async def backed_up(folder: Path) -> Path:
    """A backup with a bit of everything, of a database that is gone."""
    store = await open_store(folder / "old.db")
    feed = await one_feed(store)
    await store.record(batch(feed, item(feed), deliveries=(owed("queued"), owed("leased", about="s2"))))
    await store.record(Batch(NOON, routing=Routing(held=(held("soon", 10), held("late", 90)))))
    await store.claim("telegram", None, NOON, 1, 60)
    await store.save_commands([command(1)])
    await store.put_subscription(subscription())
    await store.backup(str(folder / "backup.db"))
    await store.close()
    return folder / "backup.db"


async def test_d07_a_backup_is_private_and_one_file(folder: Path) -> None:
    """Nobody else may read it, and no log belongs to it."""
    made = await backed_up(folder)
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    with closing(sqlite3.connect(made)) as raw:
        assert raw.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert raw.execute("SELECT value FROM meta WHERE key = 'open'").fetchone() is None


async def test_a_backup_of_a_reader_is_as_good(folder: Path) -> None:
    """The command that makes backups opens the database for reading only, beside the daemon."""
    daemon = await open_store(folder / "t.db")
    feed = await one_feed(daemon)
    reader = await open_store(folder / "t.db", readonly=True)
    await reader.backup(str(folder / "copy.db"))
    await reader.close()
    await daemon.close()
    copy = await open_store(folder / "copy.db")
    assert [one.id for one in await copy.feeds()] == [feed.id]
    await copy.close()


async def test_an_earlier_backup_is_replaced_and_nothing_else_is(folder: Path) -> None:
    """A file that is no database, and the database itself, are not written over."""
    store = await open_store(folder / "t.db")
    await store.backup(str(folder / "copy.db"))
    await one_feed(store)
    await store.backup(str(folder / "copy.db"))
    (folder / "letter.txt").write_text("Dear Sir")
    for name in ("letter.txt", "t.db"):
        with pytest.raises(UsageError, match="is there, and is no backup"):
            await store.backup(str(folder / name))
    await store.close()
    assert (folder / "letter.txt").read_text() == "Dear Sir"
    copy = await open_store(folder / "copy.db")
    assert len(await copy.feeds()) == 1
    await copy.close()


async def test_a_backup_that_cannot_be_written_says_so(folder: Path) -> None:
    """And leaves no half file under its name."""
    store = await open_store(folder / "t.db")
    with pytest.raises(StoreError, match="cannot be written"):
        await store.backup(str(folder / "nowhere" / "copy.db"))
    await store.close()


async def test_a_restored_database_holds_what_the_backup_held(folder: Path) -> None:
    """Feeds, known items, stories and subscriptions."""
    restore(await backed_up(folder), folder / "new.db", now=at(60))
    store = await open_store(folder / "new.db")
    assert await store.check() is None
    assert len(await store.feeds()) == 1
    assert await store.unseen([item(1)]) == []
    assert [one.target for one in await store.subscriptions()] == [CHAT]
    assert [one.id for one in await store.open_stories(NOON)] == ["s1"]
    await store.close()


async def test_a_restore_rings_for_no_old_news(folder: Path) -> None:
    """The time is noted, the old queue is dead letters, handled commands stay handled, overdue held alerts are gone."""
    restore(await backed_up(folder), folder / "new.db", now=at(60))
    store = await open_store(folder / "new.db")
    noted = await store.meta_get(RESTORED_AT)
    assert noted is not None
    assert datetime.fromisoformat(noted) == at(60)
    assert await store.outbox_depth() == {}
    dead = await store.dead_letters(9)
    assert {one.delivery.id for one in dead} == {"queued", "leased"}
    assert {one.reason for one in dead} == {copies.RESTORED}
    assert await store.pending_commands(9) == []
    assert await store.save_commands([command(1)]) == 0
    assert [one.alert.story_id for one in await store.due_held(at(999))] == ["late"]
    await store.close()


async def test_n18_a_restore_drops_validators(folder: Path) -> None:
    """Each feed is fetched whole once: the items behind a 304 may not be in the backup."""
    restore(await backed_up(folder), folder / "new.db", now=at(60))
    store = await open_store(folder / "new.db")
    (feed,) = await store.feeds()
    assert (feed.state.etag, feed.state.last_modified, feed.state.body_hash) == (None, None, None)
    assert feed.state.first_done
    await store.close()


async def test_a_restore_replaces_nothing_unasked(folder: Path) -> None:
    """Asked, it keeps the old database beside the new, with its log."""
    made = await backed_up(folder)
    store = await open_store(folder / "t.db")
    await store.add_feed(FeedSpec("https://mine.example/"), NOON)
    await store.close()
    with pytest.raises(UsageError, match="there is a database already"):
        restore(made, folder / "t.db", now=at(60))
    restore(made, folder / "t.db", now=at(60), overwrite=True)
    for name, url in (("t.db", "https://f1.example/rss.xml"), ("t.db.before-restore", "https://mine.example/")):
        found = await open_store(folder / name)
        assert [feed.url for feed in await found.feeds()] == [url]
        await found.close()


async def test_a_restore_refuses_while_a_daemon_runs(folder: Path) -> None:
    """Its database would be pulled from under it."""
    made = await backed_up(folder)
    with DaemonLock(folder / "t.db"), pytest.raises(StoreBusy):
        restore(made, folder / "t.db", now=at(60))


async def test_only_a_sound_backup_is_restored(folder: Path) -> None:
    """A missing, damaged, foreign or newer file is refused, and the database that is there stays."""
    made = await backed_up(folder)
    (folder / "empty.db").touch()
    (folder / "page.db").write_text("<html>" * 999)
    (folder / "torn.db").write_bytes(made.read_bytes()[:-8192])
    with closing(sqlite3.connect(folder / "foreign.db")) as raw:
        raw.execute("CREATE TABLE bookmarks (url TEXT)")
    for name in ("missing.db", "empty.db", "page.db", "torn.db", "foreign.db"):
        with pytest.raises(StoreError, match=name):
            restore(folder / name, folder / "t.db", now=at(60), overwrite=True)
    with closing(sqlite3.connect(made)) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9001'")
        raw.commit()
    with pytest.raises(StoreVersion):
        restore(made, folder / "t.db", now=at(60), overwrite=True)
    assert not (folder / "t.db").exists()


async def test_an_older_backup_is_brought_up_to_date(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup from before an upgrade is as good as one from after it."""
    made = await backed_up(folder)
    upgraded: list[str] = []
    ahead = migrate.Lineage((*migrate.LINEAGE.revisions, "0002"))
    monkeypatch.setattr(migrate, "LINEAGE", ahead)
    monkeypatch.setattr(migrate, "upgrade", lambda _: upgraded.append("to head"))
    restore(made, folder / "t.db", now=at(60))
    assert upgraded == ["to head"]


async def test_vacuum_gives_space_back(folder: Path) -> None:
    """After retention the file shrinks, and all that stays is there."""
    store = await open_store(folder / "t.db")
    feed = await one_feed(store)
    for n in range(4):
        await store.record(batch(feed, *(replace(item(feed, f"{n}-{m}"), summary="w" * 9_000) for m in range(50))))
    await store.purge(at(30))
    before = (await store.counts())["items"]
    await store.vacuum()
    assert (await store.counts())["items"] == before
    assert await store.check() is None
    await store.close()
    assert (folder / "t.db").stat().st_size < 500_000
