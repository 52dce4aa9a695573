"""Copies of the database: made while it runs, checked, and come back from."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, delete, update

from bot.errors import StoreError, UsageError
from bot.store import chats, migrate, volume
from bot.store.engine import Mode, connect, engine_for, translate
from bot.store.schema import LIVE, commands, feeds, held, meta, outbox

OPEN = "open"
"""Key in ``meta`` that is there while a process that writes has the database open."""

RESTORED_AT = "restored_at"
"""Key in ``meta``: when the database came back from a backup (ISO 8601); what was published before is history."""

RESTORED = "restored from a backup: perhaps sent already"
"""Why the messages that a backup still owed are dead letters."""


def backup(source: Path, target: Path, mode: Mode = "read") -> None:
    """Copy a database, consistently, while others write to it. The copy is one file and appears complete or not at all.

    Raises :class:`UsageError` where the target is something else than an earlier copy.
    """
    if target.exists() and (target.samefile(source) or not _is_database(target)):
        raise UsageError(f"{target}: is there, and is no backup: choose another name")
    part = target.with_name(target.name + ".part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_RDWR, 0o600))
        _copy(source, part, mode)
        _put_in_place(part, target)
    except OSError as error:
        raise volume.os_error(error, target) from error


def _copy(source: Path, part: Path, mode: Mode) -> None:
    try:
        with closing(connect(source, mode)) as reading, closing(sqlite3.connect(part)) as writing:
            reading.backup(writing)  # in one step: a reader of a WAL database makes nobody wait
            writing.execute("PRAGMA journal_mode = DELETE")
            writing.execute("DELETE FROM meta WHERE key = ?", (OPEN,))
            writing.commit()
    except sqlite3.Error as error:
        raise translate(error, part) from error


def _put_in_place(part: Path, target: Path) -> None:
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _is_database(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\x00"


def check(path: Path, mode: Mode = "read") -> str | None:
    """One line on what is wrong with a database, or None."""
    try:
        with closing(connect(path, mode)) as raw:
            found = raw.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found == "ok":
                broken = raw.execute("PRAGMA foreign_key_check").fetchone()
                found = f"a row of {broken[0]} refers to one that is not there" if broken else "ok"
    except sqlite3.Error as error:
        return str(translate(error, path))
    return None if found == "ok" else f"{path}: damaged ({' '.join(found.split())}): restore a backup"


def inspect(path: Path) -> str:
    """The schema version of a sound database. Raises :class:`StoreError` for a damaged, newer or foreign one."""
    if volume.size_of(path) == 0:
        raise StoreError(f"{path}: there is no database")
    if problem := check(path, "readonly"):
        raise StoreError(problem)
    with closing(connect(path, "readonly")) as raw:
        found = migrate.version(raw, path)
    migrate.verify(found, path)
    if found is None:
        raise StoreError(f"{path}: there is no database")
    return found


def restore(backup_file: Path, path: Path, *, now: datetime, overwrite: bool = False) -> None:
    """Put a backup in the place of a database that nobody uses; the old one is kept beside it.

    Old news must not ring again: the time is noted under :data:`RESTORED_AT`, validators are dropped so that each feed
    is fetched whole once, and what the backup still owed becomes dead letters, for it was sent long ago.

    Raises :class:`UsageError` where there is a database and ``overwrite`` is False, :class:`StoreBusy` where a daemon
    runs, :class:`StoreError` where the backup is no sound one.
    """
    found = inspect(backup_file)
    with volume.DaemonLock(path):
        if volume.size_of(path) > 0 and not overwrite:
            raise UsageError(f"{path}: there is a database already: say so if it may be replaced")
        part = path.with_name(path.name + ".restoring")
        try:
            _remove(part)
            backup(backup_file, part, "readonly")
            _as_restored(part, found, now)
            _set_aside(path)
            _put_in_place(part, path)
        except OSError as error:
            raise volume.os_error(error, path) from error


def _as_restored(part: Path, found: str, now: datetime) -> None:
    engine = engine_for(partial(connect, part, "write", wal=False), write=True)
    try:
        with engine.begin() as conn:
            if found != migrate.LINEAGE.head:
                migrate.upgrade(conn)
            _calm(conn, now)
    finally:
        engine.dispose()


def _calm(conn: Connection, now: datetime) -> None:
    chats.meta_put(conn, RESTORED_AT, now.isoformat())
    conn.execute(delete(meta).where(meta.c.key == OPEN))
    conn.execute(update(feeds).values(etag=None, last_modified=None, body_hash=None))
    owed = update(outbox).where(LIVE)
    conn.execute(owed.values(state="dead", settled_at=now, reason=RESTORED))
    conn.execute(update(commands).where(commands.c.done_at.is_(None)).values(done_at=now, body="{}"))
    conn.execute(delete(held).where(held.c.release_at <= now))


def _set_aside(path: Path) -> None:
    aside = path.with_name(path.name + ".before-restore")
    _remove(aside)
    for suffix in ("", "-wal", "-shm"):
        file = path.with_name(path.name + suffix)
        if file.exists():
            file.replace(aside.with_name(aside.name + suffix))


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
