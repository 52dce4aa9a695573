"""The thread and its connection: locks, full disks, failing disks, and the event loop that must not wait."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, event

from bot.errors import StoreBusy, StoreError, StoreFull
from bot.store import SqliteStore, chats, engine, open_store
from bot.store.engine import Line, connect, translate
from tests.store.builders import NOON, at, batch, item, one_feed, owed


@contextmanager
def locked(path: Path, how: str = "IMMEDIATE") -> Iterator[sqlite3.Connection]:
    """Another process's long transaction."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute(f"BEGIN {how}")
        yield other
        if other.in_transaction:
            other.execute("ROLLBACK")


# --- a full disk ------------------------------------------------------------------------------------------------


async def test_d01_a_full_disk_records_nothing_and_recovers(folder: Path) -> None:
    """No item is seen, no validator kept, no message owed; once there is space the same batch is recorded."""
    store = await open_store(folder / "t.db")
    feed = await one_feed(store)
    items = [replace(item(feed, f"k{n}"), summary="word " * 800) for n in range(40)]
    whole = batch(feed, *items, deliveries=(owed("d1"),))
    await store._lines.writer.bare(lambda raw: _limit(raw, 2))
    with pytest.raises(StoreFull, match=r"t\.db: no space left"):
        await store.record(whole)
    assert await store.unseen(items) == items
    assert await store.feeds() == [feed]
    assert (await store.outbox_depth(), await store.counts())[0] == {}
    await store._lines.writer.bare(lambda raw: _limit(raw, 100_000))
    await store.record(whole)
    assert await store.unseen(items) == []
    assert await store.outbox_depth() == {"telegram": 1}
    assert await store.check() is None
    await store.close()


def _limit(raw: sqlite3.Connection, spare: int) -> None:
    pages = raw.execute("PRAGMA page_count").fetchone()[0]
    raw.execute(f"PRAGMA max_page_count = {pages + spare}")


async def test_d01_a_full_disk_hurts_only_what_does_not_fit(folder: Path) -> None:
    """Small writes that wait together with one that does not fit are recorded."""
    store = await open_store(folder / "t.db")
    feed = await one_feed(store)
    await store.meta_put("a", "0")
    large = batch(feed, *(replace(item(feed, f"k{n}"), summary="word " * 800) for n in range(40)))
    await store._lines.writer.bare(lambda raw: _limit(raw, 2))
    results = await asyncio.gather(
        store.meta_put("a", "1"), store.record(large), store.meta_put("a", "2"), return_exceptions=True
    )
    assert [type(result) for result in results] == [type(None), StoreFull, type(None)]
    assert await store.meta_get("a") == "2"
    await store.close()


# --- locks ------------------------------------------------------------------------------------------------------


async def test_d04_a_long_lock_is_waited_for_and_the_loop_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another process holds the database, writes wait, reads are answered, and the event loop runs.

    The lock lasts several times as long as SQLite itself waits.
    """
    monkeypatch.setattr(engine, "BUSY_S", 0.02)
    store = await open_store(folder / "t.db")
    with locked(folder / "t.db") as other:
        writing = asyncio.create_task(store.meta_put("a", "1"))
        longest = 0.0
        for _ in range(20):
            began = time.perf_counter()
            await asyncio.sleep(0.01)
            longest = max(longest, time.perf_counter() - began)
        assert await store.meta_get("a") is None
        assert not writing.done()
        other.execute("ROLLBACK")
    await asyncio.wait_for(writing, 10)
    assert await store.meta_get("a") == "1"
    assert longest < 0.25
    await store.close()


async def test_d04_a_lock_without_end_is_named(folder: Path) -> None:
    """When patience ends, the error says that another process holds the database; later writes succeed."""
    store = await open_store(folder / "t.db", patience_s=0.2)
    with locked(folder / "t.db"):
        results = await asyncio.gather(store.meta_put("a", "1"), store.meta_put("b", "1"), return_exceptions=True)
        assert [type(result) for result in results] == [StoreBusy, StoreBusy]
        assert "another process keeps the database locked" in str(results[0])
    await store.meta_put("a", "2")
    assert await store.meta_get("b") is None
    await store.close()


async def test_d05_reading_before_writing_is_never_refused(folder: Path) -> None:
    """Two processes that read first and write later at the same time both succeed, without losing an update."""
    stores = [await open_store(folder / "t.db") for _ in range(2)]
    await stores[0].meta_put("n", "0")

    async def count_up(store: SqliteStore) -> None:
        for _ in range(50):
            await store._lines.writer.run(_increment)

    await asyncio.gather(*(count_up(store) for store in stores))
    assert await stores[0].meta_get("n") == "100"
    for store in stores:
        await store.close()


def _increment(conn: Connection) -> None:
    chats.meta_put(conn, "n", str(int(chats.meta_get(conn, "n") or 0) + 1))


async def test_d05_every_write_begins_immediate(folder: Path) -> None:
    """The writer's BEGIN takes the write lock at once; the reader's takes none."""
    store = await open_store(folder / "t.db")
    begun: list[str] = []
    for line in (store._lines.writer, store._lines.reader):

        @event.listens_for(line.engine, "before_cursor_execute")
        def note(*args: object) -> None:
            if str(args[2]).startswith("BEGIN"):
                begun.append(str(args[2]))

    await store.meta_put("a", "1")
    await store.meta_get("a")
    assert begun == ["BEGIN IMMEDIATE", "BEGIN"]
    await store.close()


# --- durability and promises of the connection ------------------------------------------------------------------


async def test_d11_the_connection_is_as_safe_as_promised(folder: Path) -> None:
    """WAL, every commit synced, foreign keys on; readers cannot write."""
    store = await open_store(folder / "t.db")
    asked = ("journal_mode", "synchronous", "foreign_keys", "query_only")

    def pragmas(raw: sqlite3.Connection) -> list[object]:
        return [raw.execute(f"PRAGMA {name}").fetchone()[0] for name in asked]

    assert await store._lines.writer.bare(pragmas) == ["wal", 2, 1, 0]
    assert await store._lines.reader.bare(pragmas) == ["wal", 2, 1, 1]
    await store.close()


async def test_the_log_stays_bounded(folder: Path) -> None:
    """Thousands of commits leave a write-ahead log of a few megabytes, not of all that was written."""
    store = await open_store(folder / "t.db")
    for n in range(300):
        await store.chat_put("telegram:1", {"filler": "x" * 20_000, "n": n})
    assert (folder / "t.db-wal").stat().st_size < 8 << 20
    await store.close()


async def test_waiting_writes_share_a_commit(folder: Path) -> None:
    """A hundred writes that gathered behind a slow one need a few syncs, not a hundred."""
    store = await open_store(folder / "t.db")
    commits: list[int] = []
    event.listen(store._lines.writer.engine, "commit", lambda _: commits.append(1))
    with locked(folder / "t.db"):
        writes = [asyncio.create_task(store.meta_put(f"k{n}", "v")) for n in range(100)]
        await asyncio.sleep(0.05)
    await asyncio.gather(*writes)
    await store._lines.writer.bare(lambda _: None)  # the thread has nothing left to do
    assert len(commits) <= 3
    assert (await store.counts())["meta"] >= 100
    await store.close()


async def test_a_cancelled_caller_leaves_the_store_usable(folder: Path) -> None:
    """What waited and was cancelled is not done; what follows is."""
    store = await open_store(folder / "t.db")
    with locked(folder / "t.db"):
        first = asyncio.create_task(store.meta_put("first", "1"))
        await asyncio.sleep(0.05)
        second = asyncio.create_task(store.meta_put("second", "1"))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.sleep(0.05)
    await first
    assert (await store.meta_get("first"), await store.meta_get("second")) == ("1", None)
    await store.close()


async def test_work_runs_on_threads_of_its_own(folder: Path) -> None:
    """Neither writing nor reading touches the event loop's thread."""
    store = await open_store(folder / "t.db")
    names = [
        await line.run(lambda _: threading.current_thread().name) for line in (store._lines.writer, store._lines.reader)
    ]
    assert [name.rpartition("_")[0] for name in names] == ["tocsin-store-write", "tocsin-store-read"]
    await store.close()


async def test_a_mistake_of_ours_is_not_hidden(folder: Path) -> None:
    """An exception that is no database's comes through as it is, and its transaction leaves nothing."""
    line = Line(folder / "t.db", "write")
    store = await open_store(folder / "t.db")

    def mistaken(conn: Connection) -> None:
        chats.meta_put(conn, "a", "1")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await line.run(mistaken)
    assert await store.meta_get("a") is None
    await line.close()
    await store.close()


# --- errors -----------------------------------------------------------------------------------------------------


def _error(name: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("as SQLite says it")
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("SQLITE_FULL", StoreFull, "no space left"),
        ("SQLITE_BUSY", StoreBusy, "another process"),
        ("SQLITE_BUSY_SNAPSHOT", StoreBusy, "another process"),
        ("SQLITE_LOCKED", StoreBusy, "another process"),
        ("SQLITE_CORRUPT", StoreError, "restore a backup"),
        ("SQLITE_NOTADB", StoreError, "restore a backup"),
        ("SQLITE_READONLY", StoreError, "read-only"),
        ("SQLITE_CANTOPEN", StoreError, "read-only"),
        ("SQLITE_IOERR_WRITE", StoreError, "the disk failed"),
        ("SQLITE_ERROR", StoreError, "as SQLite says it"),
    ],
)
def test_d03_every_refusal_is_one_line_that_says_what_to_do(
    name: str, kind: type[StoreError], words: str, folder: Path
) -> None:
    """It names the file; its class is what the daemon acts on."""
    error = translate(_error(name), folder / "t.db")
    assert type(error) is kind
    assert str(error).startswith(str(folder / "t.db"))
    assert words in str(error)
    assert "\n" not in str(error)


def test_d01_a_failing_write_on_a_full_disk_is_a_full_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite calls some writes that found no space I/O errors."""
    monkeypatch.setattr("bot.store.engine.LITTLE_SPACE", 1 << 62)
    assert type(translate(_error("SQLITE_IOERR_SHMSIZE"), folder / "t.db")) is StoreFull


async def test_errors_never_quote_what_was_written(folder: Path) -> None:
    """A failed write names the file and the constraint, not the values: they may be private."""
    store = await open_store(folder / "t.db")
    secret = replace(batch(await one_feed(store)), polls=())
    stranger = item(999, key="PRIVATE", title="PRIVATE")
    with pytest.raises(StoreError) as caught:
        await store.record(replace(secret, polls=(replace(batch(await one_feed(store)).polls[0], items=(stranger,)),)))
    assert "FOREIGN KEY" in str(caught.value)
    assert "PRIVATE" not in f"{caught.value} {caught.value.__cause__}"
    await store.close()


async def test_d03_a_disk_that_fails_later_stops_sends(folder: Path) -> None:
    """Where the attempt cannot be recorded, the caller hears of it before it sends."""
    store = await open_store(folder / "t.db")
    await store.enqueue([owed("d1")])
    (leased,) = await store.claim("telegram", None, NOON, 1, 60)
    await store._lines.writer.bare(lambda raw: raw.execute("PRAGMA query_only = ON"))
    with pytest.raises(StoreError, match="read-only"):
        await store.attempt(leased, NOON)
    await store._lines.writer.bare(lambda raw: raw.execute("PRAGMA query_only = OFF"))
    assert await store.attempt(leased, NOON)
    await store.close()


async def test_handled_commands_are_emptied(folder: Path) -> None:
    """Only the number stays of what a person said to the bot."""
    from tests.store.chats import command

    store = await open_store(folder / "t.db")
    await store.save_commands([command(1, text="PRIVATE")])
    await store.done_command(1, at(1))
    with closing(connect(folder / "t.db", "read")) as raw:
        assert raw.execute("SELECT body FROM commands").fetchall() == [("{}",)]
    await store.close()
