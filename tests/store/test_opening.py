"""Opening: what is refused, what is upgraded, what is noticed, and who may open at the same time."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import textwrap
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from bot.errors import StoreBusy, StoreError, StoreVersion
from bot.store import DaemonLock, copies, migrate, open_store, volume
from bot.store.schema import metadata
from tests.store.builders import NOON, at, batch, item, one_feed, spec


def run_python(code: str, *args: str) -> subprocess.CompletedProcess[str]:
    """Another process, with this checkout on its path."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *args], capture_output=True, text=True, timeout=60, check=False
    )


async def make(path: Path) -> None:
    """A database with a feed and an item, closed."""
    store = await open_store(path)
    feed = await one_feed(store)
    await store.record(batch(feed, item(feed)))
    await store.close()


# --- a new one --------------------------------------------------------------------------------------------------


async def test_folders_are_made_and_the_file_is_private(folder: Path) -> None:
    """A first start needs nothing prepared; chats are nobody else's business."""
    path = folder / "data" / "deep" / "t.db"
    await make(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_closing_leaves_one_file(folder: Path) -> None:
    """The log is folded into the database, which can then be copied alone."""
    await make(folder / "t.db")
    assert os.listdir(folder) == ["t.db"]


def test_a_current_database_opens_without_alembic(folder: Path) -> None:
    """Only an upgrade pays for the machinery of upgrades."""
    asyncio.run(make(folder / "t.db"))
    code = """
        import asyncio, sys
        from pathlib import Path
        from bot.store import open_store
        async def main():
            store = await open_store(Path(sys.argv[1]))
            await store.feeds()
            await store.close()
        asyncio.run(main())
        print("alembic" in sys.modules)
    """
    done = run_python(code, str(folder / "t.db"))
    assert (done.stdout.strip(), done.stderr) == ("False", "")


# --- versions ---------------------------------------------------------------------------------------------------


async def test_d14_the_migrations_build_what_the_code_expects(folder: Path) -> None:
    """Table by table, column by column, index by index."""
    await make(folder / "t.db")
    engine = create_engine(f"sqlite:///{folder / 't.db'}")
    with engine.connect() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == migrate.LINEAGE.head
    engine.dispose()
    built = create_engine("sqlite://")
    metadata.create_all(built)
    with closing(sqlite3.connect(folder / "t.db")) as raw, built.connect() as conn:
        query = (
            "SELECT name, sql LIKE '%WHERE%' FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name"
        )
        assert raw.execute(query).fetchall() == [tuple(row) for row in conn.exec_driver_sql(query)]
    built.dispose()


def test_d14_the_lineage_names_every_step() -> None:
    """The versions in the code are the files of the migrations, in their order."""
    from alembic.script import ScriptDirectory

    steps = ScriptDirectory(str(migrate.MIGRATIONS)).walk_revisions()
    assert tuple(step.revision for step in steps)[::-1] == migrate.LINEAGE.revisions


@pytest.mark.parametrize("readonly", [False, True])
async def test_d14_a_newer_database_is_refused_untouched(folder: Path, readonly: bool) -> None:
    """The message names both versions and what to do; not a byte is changed."""
    path = folder / "t.db"
    await make(path)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9001'")
        raw.commit()
        raw.execute("PRAGMA journal_mode = DELETE")
    before = path.read_bytes()
    with pytest.raises(StoreVersion, match="schema version 9001 is newer than this program"):
        await open_store(path, readonly=readonly)
    assert path.read_bytes() == before
    assert os.listdir(folder) == ["t.db"]


@pytest.fixture
def next_version(folder: Path, monkeypatch: pytest.MonkeyPatch) -> migrate.Lineage:
    """A program one schema version ahead of ours."""
    steps = folder / "migrations"
    shutil.copytree(migrate.MIGRATIONS, steps)
    (steps / "versions" / "v0002_next.py").write_text(
        textwrap.dedent("""
            import sqlalchemy as sa
            from alembic import op
            revision, down_revision, branch_labels, depends_on = "0002", "0001", None, None
            def upgrade():
                op.add_column("items", sa.Column("marked", sa.Integer))
                op.execute("UPDATE items SET marked = 1")
        """)
    )
    lineage = migrate.Lineage((*migrate.LINEAGE.revisions, "0002"), steps)
    monkeypatch.setattr(migrate, "LINEAGE", lineage)
    return lineage


async def test_d14_an_older_database_is_upgraded_and_kept_as_it_was(
    folder: Path, request: pytest.FixtureRequest
) -> None:
    """After the upgrade all is there, and the old database lies beside it, whole."""
    await make(folder / "t.db")
    request.getfixturevalue("next_version")
    store = await open_store(folder / "t.db")
    assert await store.unseen([item(1)]) == []
    await store.close()
    with closing(sqlite3.connect(folder / "t.db")) as raw:
        assert raw.execute("SELECT marked FROM items").fetchall() == [(1,)]
    with closing(sqlite3.connect(folder / "t.db.before-upgrade-from-0001")) as old:
        assert old.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
        assert old.execute("SELECT count(*) FROM items").fetchone() == (1,)


async def test_d14_a_failed_upgrade_leaves_the_old_database(folder: Path, request: pytest.FixtureRequest) -> None:
    """An upgrade is one transaction."""
    await make(folder / "t.db")
    lineage: migrate.Lineage = request.getfixturevalue("next_version")
    step = lineage.location / "versions" / "v0002_next.py"
    step.write_text(step.read_text().replace("SET marked", "SET no_such_column"))
    with pytest.raises(StoreError, match="no_such_column"):
        await open_store(folder / "t.db")
    with closing(sqlite3.connect(folder / "t.db")) as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
        assert "marked" not in [row[1] for row in raw.execute("PRAGMA table_info(items)")]


async def test_reading_does_not_upgrade(folder: Path, request: pytest.FixtureRequest) -> None:
    """A command that only looks at an old database says how to bring it up to date."""
    await make(folder / "t.db")
    request.getfixturevalue("next_version")
    with pytest.raises(StoreError, match="schema version 0001 is old"):
        await open_store(folder / "t.db", readonly=True)


# --- what is not ours, or not whole -----------------------------------------------------------------------------


@pytest.mark.parametrize("readonly", [False, True])
async def test_a_file_that_is_no_database_is_refused_untouched(folder: Path, readonly: bool) -> None:
    """One line that says so and what to do."""
    (folder / "t.db").write_bytes(b"<html>not found</html>" * 100)
    with pytest.raises(StoreError, match=r"t\.db: damaged, or no SQLite database .* restore a backup"):
        await open_store(folder / "t.db", readonly=readonly)
    assert (folder / "t.db").read_bytes() == b"<html>not found</html>" * 100


async def test_another_programs_database_is_refused(folder: Path) -> None:
    """Tables that are not ours are left alone."""
    with closing(sqlite3.connect(folder / "t.db")) as raw:
        raw.execute("CREATE TABLE bookmarks (url TEXT)")
    with pytest.raises(StoreError, match="belongs to another program"):
        await open_store(folder / "t.db")


async def test_a_damaged_page_is_named_when_it_is_met(folder: Path) -> None:
    """The check finds it, and reading it says what to do; nothing is made up."""
    await make(folder / "t.db")
    with (folder / "t.db").open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(4096 * 2)
        file.write(b"\xa5" * (size - 4096 * 2))
    assert "damaged" in str(copies.check(folder / "t.db"))
    with pytest.raises(StoreError, match="damaged"):
        await open_store(folder / "t.db")


async def test_d03_a_place_that_cannot_be_written_is_refused(folder: Path) -> None:
    """A file where the folder should be, and a file system that takes no files."""
    (folder / "file").write_text("x")
    with pytest.raises(StoreError, match="cannot be written"):
        await open_store(folder / "file" / "t.db")
    with pytest.raises(StoreError, match="cannot be written"):
        await open_store(Path("/proc/tocsin.db"))


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind the superuser")
async def test_d03_a_read_only_database_is_refused(folder: Path) -> None:
    """A daemon does not start where it could not record what it sends."""
    await make(folder / "t.db")
    (folder / "t.db").chmod(0o400)
    with pytest.raises(StoreError, match="read-only"):
        await open_store(folder / "t.db")


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind the superuser")
async def test_a_read_only_volume_can_be_looked_at(folder: Path) -> None:
    """Where SQLite can make no files beside a database, it is read as it stands."""
    await make(folder / "t.db")
    os.chmod(folder, 0o500)
    store = await open_store(folder / "t.db", readonly=True)
    assert len(await store.feeds()) == 1
    await store.close()
    os.chmod(folder, 0o700)


async def test_reading_what_is_not_there_says_so(folder: Path) -> None:
    """And makes no file."""
    with pytest.raises(StoreError, match="there is no database yet"):
        await open_store(folder / "t.db", readonly=True)
    assert os.listdir(folder) == []


async def test_d07_a_log_without_its_database_is_refused(folder: Path) -> None:
    """SQLite would throw it away; half a copy must be noticed."""
    store = await open_store(folder / "t.db")
    await one_feed(store)
    shutil.copy(folder / "t.db-wal", folder / "half.db-wal")
    await store.close()
    with pytest.raises(StoreError, match=r"half\.db-wal: is here without its database"):
        await open_store(folder / "half.db")
    assert (folder / "half.db-wal").stat().st_size > 0


async def test_d07_a_database_without_its_log_is_noticed(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A copy of the main file alone, taken while the store was open, opens with a warning that minutes are missing."""
    store = await open_store(folder / "t.db")
    await one_feed(store)
    shutil.copy(folder / "t.db", folder / "half.db")
    await store.close()
    with caplog.at_level(logging.WARNING):
        await (await open_store(folder / "half.db")).close()
        assert "its last minutes are missing" in caplog.text
        caplog.clear()
        await (await open_store(folder / "t.db")).close()
        assert caplog.text == ""


async def test_d07_a_torn_copy_is_refused(folder: Path) -> None:
    """A copied main file that is not even consistent is named as one."""
    store = await open_store(folder / "t.db")
    await one_feed(store)
    shutil.copy(folder / "t.db", folder / "half.db")
    await store.close()
    with (folder / "half.db").open("r+b") as file:
        file.truncate((folder / "half.db").stat().st_size - 8192)
    with pytest.raises(StoreError, match="damaged"):
        await open_store(folder / "half.db")


def test_a_kill_is_no_half_copy(folder: Path) -> None:
    """After kill -9 the log is there, and the next start neither warns nor loses what was recorded."""
    code = """
        import asyncio, os, signal, sys
        from pathlib import Path
        from bot.store import open_store
        async def main():
            store = await open_store(Path(sys.argv[1]))
            await store.meta_put("a", "1")
            os.kill(os.getpid(), signal.SIGKILL)
        asyncio.run(main())
    """
    assert run_python(code, str(folder / "t.db")).returncode == -9
    look = """
        import asyncio, logging, sys
        from pathlib import Path
        from bot.store import open_store
        logging.basicConfig()
        async def main():
            store = await open_store(Path(sys.argv[1]))
            print(await store.meta_get("a"))
            await store.close()
        asyncio.run(main())
    """
    done = run_python(look, str(folder / "t.db"))
    assert (done.stdout.strip(), done.stderr) == ("1", "")


# --- side by side -----------------------------------------------------------------------------------------------


async def test_a_reader_sees_what_a_daemon_writes(folder: Path) -> None:
    """Commands look at a database while it is written to, and can change nothing."""
    writer = await open_store(folder / "t.db")
    reader = await open_store(folder / "t.db", readonly=True)
    feed = await one_feed(writer)
    assert await reader.feeds() == [feed]
    with pytest.raises(StoreError):
        await reader.add_feed(spec(2), NOON)
    assert await reader.check() is None
    await reader.close()
    await writer.close()


async def test_a_command_may_write_beside_the_daemon(folder: Path) -> None:
    """Feeds that a command adds are the daemon's at once."""
    daemon = await open_store(folder / "t.db")
    command = await open_store(folder / "t.db")
    await command.add_feed(spec(2), NOON)
    await command.close()
    assert [feed.url for feed in await daemon.due_feeds(at(1), 9)] == [spec(2).url]
    await daemon.close()


async def test_two_first_starts_at_once_make_one_database(folder: Path) -> None:
    """Whoever comes second finds the schema there."""
    stores = await asyncio.gather(*(open_store(folder / "t.db") for _ in range(3)))
    await one_feed(stores[0])
    assert [len(await store.feeds()) for store in stores] == [1, 1, 1]
    for store in stores:
        await store.close()


def test_d12_a_second_daemon_is_refused(folder: Path) -> None:
    """The message names the other process; when that is gone, however it went, the lock is free."""
    code = """
        import sys
        from pathlib import Path
        from bot.store import DaemonLock
        from bot.errors import StoreBusy
        try:
            with DaemonLock(Path(sys.argv[1])):
                print("mine")
        except StoreBusy as error:
            print(error)
    """
    path = folder / "data" / "t.db"
    with DaemonLock(path):
        refused = run_python(code, str(path)).stdout
        assert f"another Tocsin (process {os.getpid()}) works on this data" in refused
        with pytest.raises(StoreBusy):
            DaemonLock(path).acquire()
    assert run_python(code, str(path)).stdout == "mine\n"


def test_d12_a_lock_dies_with_its_process(folder: Path) -> None:
    """kill -9 leaves a file, but no lock."""
    code = """
        import os, signal, sys
        from pathlib import Path
        from bot.store import DaemonLock
        DaemonLock(Path(sys.argv[1])).acquire()
        os.kill(os.getpid(), signal.SIGKILL)
    """
    assert run_python(code, str(folder / "t.db")).returncode == -9
    assert (folder / "t.db.lock").exists()
    with DaemonLock(folder / "t.db"):
        pass


def test_d12_the_lock_is_on_the_file_that_is_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where somebody deletes the lock file while it is being taken, the new one is locked, not the ghost."""
    lock = DaemonLock(folder / "t.db")
    take = fcntl.flock

    def take_after_deletion(fd: int, how: int) -> None:
        monkeypatch.undo()
        lock.path.unlink()
        take(fd, how)

    monkeypatch.setattr(fcntl, "flock", take_after_deletion)
    lock.acquire()
    with pytest.raises(StoreBusy):
        DaemonLock(folder / "t.db").acquire()
    lock.release()


# --- file systems -----------------------------------------------------------------------------------------------

MOUNTS = """\
/dev/vdb /srv/disk xfs rw 0 0
/dev/vda / ext4 rw 0 0
server:/export /srv nfs4 rw,vers=4.2 0 0
//nas/share /srv/with\\040space cifs rw 0 0
tmpfs /over tmpfs rw 0 0
server:/b /over nfs rw 0 0
garbage
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/data/t.db", "ext4"),
        ("/srv/t.db", "nfs4"),
        ("/srv/with space/t.db", "cifs"),
        ("/srv/disk/t.db", "xfs"),
        ("/srvother/t.db", "ext4"),
        ("/over/t.db", "nfs"),
    ],
)
def test_d13_the_file_system_is_the_nearest_mounts(path: str, kind: str) -> None:
    """The longest mount point wins, the later of two at one place, and escapes are read."""
    assert volume.file_system(Path(path), MOUNTS) == kind


def test_d13_unknown_mounts_say_nothing() -> None:
    """Where the table is empty nothing is claimed."""
    assert volume.file_system(Path("/data/t.db"), "") is None
    assert volume.network_warning(Path("/data/t.db"), "") is None


async def test_d13_on_a_network_file_system_the_log_is_off_and_that_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No shared memory there: a rollback journal instead of WAL, and one line of warning."""
    mounts = f"server:/export {folder} nfs4 rw 0 0\n"
    real = volume.network_warning
    monkeypatch.setattr(volume, "network_warning", lambda path: real(path, mounts))
    store = await open_store(folder / "t.db")
    assert await store._lines.writer.bare(lambda raw: raw.execute("PRAGMA journal_mode").fetchone()) == ("delete",)
    assert "lies on a network file system (nfs4)" in caplog.text
    feed = await one_feed(store)
    await store.record(batch(feed, item(feed)))
    assert await store.unseen([item(feed)]) == []
    await store.close()
