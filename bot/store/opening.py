"""Opening a database: refuse what must not be touched, bring the schema up to date, notice half copies."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from bot.errors import StoreError
from bot.store import chats, copies, migrate, volume
from bot.store.engine import PATIENCE_S, Line, connect, raw_of, translate

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lines:
    """The threads of an open store; in a read-only one both are the same."""

    writer: Line
    reader: Line

    async def close(self) -> None:
        """Readers first: the last connection folds the log into the database."""
        await self.reader.close()
        if self.writer is not self.reader:
            await self.writer.close()


async def open_for_reading(path: Path) -> Lines:
    """For commands that only look, beside a daemon or without one."""
    if volume.size_of(path) == 0:
        raise StoreError(f"{path}: there is no database yet: start the daemon once")
    line = Line(path, "readonly")
    try:
        found = await line.bare(lambda raw: migrate.version(raw, path))
        migrate.verify(found, path)
        if found != migrate.LINEAGE.head:
            raise StoreError(f"{path}: schema version {found or 'none'} is old: start the daemon once to update it")
    except StoreError:
        await line.close()
        raise
    return Lines(line, line)


async def open_for_writing(path: Path, patience_s: float = PATIENCE_S) -> Lines:
    """For the daemon and for commands that change something."""
    logged = volume.size_of(volume.wal_of(path)) > 0
    volume.prepare(path)
    _bring_aside(path)
    warning = volume.network_warning(path)
    if warning:
        _log.warning("%s", warning)
    lines = Lines(
        Line(path, "write", wal=warning is None, patience_s=patience_s), Line(path, "read", patience_s=patience_s)
    )
    try:
        if await lines.writer.run(_settle_in):
            await lines.writer.bare(_into_main_file)
        elif not logged:
            _suspect_half_copy(path)
    except StoreError:
        await lines.close()
        raise
    return lines


def _bring_aside(path: Path) -> None:
    """Refuse a newer or foreign database before anything is written to it; copy one that will be upgraded."""
    try:
        with closing(connect(path, "read")) as raw:
            found = migrate.version(raw, path)
    except sqlite3.Error as error:
        raise translate(error, path) from error
    migrate.verify(found, path)
    if found is not None and found != migrate.LINEAGE.head:
        copy = migrate.set_aside(path, found)
        _log.warning("%s: the schema is brought up to date; the database as it was is kept in %s", path, copy)


def _settle_in(conn: Connection) -> bool:
    """Bring the schema up to date and note that the database is open; False where that was noted already."""
    if migrate.version(raw_of(conn), Path()) != migrate.LINEAGE.head:
        migrate.upgrade(conn)
    if chats.meta_get(conn, copies.OPEN) is not None:
        return False
    chats.meta_put(conn, copies.OPEN, "yes")
    return True


def _into_main_file(raw: sqlite3.Connection) -> None:
    """The note must be in the file that a careless copy would take."""
    raw.execute("PRAGMA wal_checkpoint(PASSIVE)")


def _suspect_half_copy(path: Path) -> None:
    """It was not closed, and its log is gone: a copy of a running database, or a crash that another tool cleaned up."""
    if problem := copies.check(path):
        raise StoreError(f"{problem} (its {volume.wal_of(path).name} is missing: was it copied without it?)")
    _log.warning(
        "%s: was not closed, and its %s is gone: if this is a copy of a running database, its last minutes "
        "are missing; make copies with the backup command",
        path,
        volume.wal_of(path).name,
    )
