"""The schema's version: checked at every opening, brought up to date by Alembic where it is behind.

Where it is current, Alembic is not even imported (0.15 s). An upgrade runs in one transaction after a copy of the
old database was set aside, so that a kill in the middle, or a change of mind, loses nothing.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from bot.errors import StoreError, StoreVersion

MIGRATIONS = Path(__file__).with_name("migrations")


@dataclass(frozen=True, slots=True)
class Lineage:
    """The versions this program knows, oldest first, and where their steps lie."""

    revisions: tuple[str, ...] = ("0001",)
    location: Path = MIGRATIONS

    @property
    def head(self) -> str:
        """The version that this program writes."""
        return self.revisions[-1]


LINEAGE = Lineage()


def version(raw: sqlite3.Connection, path: Path) -> str | None:
    """The version of a database, or None where it is empty. Raises :class:`StoreError` for somebody else's."""
    tables = {name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "alembic_version" in tables:
        row = raw.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(row[0]) if row else None
    if tables - {"sqlite_sequence"}:
        raise StoreError(f"{path}: this SQLite database belongs to another program")
    return None


def verify(found: str | None, path: Path) -> None:
    """Raise :class:`StoreVersion` where a newer program wrote the database."""
    if found is not None and found not in LINEAGE.revisions:
        raise StoreVersion(
            f"{path}: schema version {found} is newer than this program ({LINEAGE.head}): "
            "install the newer Tocsin again, or restore a backup made before the upgrade"
        )


def set_aside(path: Path, found: str) -> Path:
    """Copy the database before an upgrade, next to it; returns the copy's path."""
    copy = path.with_name(f"{path.name}.before-upgrade-from-{found}")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")
    copy.chmod(0o600)
    return copy


def upgrade(connection: Connection) -> None:
    """Bring the schema to the head inside the transaction that is open."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(LINEAGE.location).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, LINEAGE.head)
