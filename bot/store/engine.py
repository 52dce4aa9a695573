"""One SQLite connection on one thread of its own: database work never runs on the event loop.

Writers say BEGIN IMMEDIATE: a transaction that reads first and writes later would else be refused at once
(SQLITE_BUSY without waiting) whenever another process wrote in between.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Concatenate, Literal, ParamSpec, TypeVar
from urllib.parse import quote

from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError

from bot.errors import StoreBusy, StoreError, StoreFull
from bot.store.volume import size_of, wal_of

P = ParamSpec("P")
T = TypeVar("T")

Mode = Literal["write", "read", "readonly"]
"""Writing, reading beside a writer, and reading a database that this process may not write at all."""

BUSY_S = 5.0
"""How long SQLite itself waits for a lock before it says BUSY."""

PATIENCE_S = 90.0
"""How long a transaction is tried again after BUSY: longer than a backup by other tools holds the database."""

GROUP = 64
"""At most so many waiting pieces of work share one commit."""

LITTLE_SPACE = 1 << 20
"""Bytes free under which an I/O error is taken for a full disk."""


def connect(path: Path, mode: Mode, *, busy_s: float = BUSY_S, wal: bool = True) -> sqlite3.Connection:
    """A raw connection with our pragmas. Transactions are left to the caller (autocommit)."""
    if mode == "readonly":
        return _look(path, busy_s)
    raw = _open(path, "mode=rw", busy_s)
    try:
        if mode == "write":
            raw.execute(f"PRAGMA journal_mode = {'WAL' if wal else 'DELETE'}")
            raw.execute("PRAGMA journal_size_limit = 67108864")
        else:
            raw.execute("PRAGMA query_only = ON")
        raw.execute("PRAGMA synchronous = FULL")
        raw.execute("PRAGMA foreign_keys = ON")
        raw.execute("PRAGMA cache_size = -8000")
    except sqlite3.Error:
        raw.close()
        raise
    return raw


def _open(path: Path, options: str, busy_s: float) -> sqlite3.Connection:
    uri = f"file:{quote(str(path))}?{options}"
    return sqlite3.connect(uri, uri=True, timeout=busy_s, isolation_level=None, check_same_thread=False)


def _look(path: Path, busy_s: float) -> sqlite3.Connection:
    """A connection that cannot write. On a read-only volume SQLite must be told that nobody else writes either."""
    raw = _open(path, "mode=ro", busy_s)
    try:
        raw.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    except sqlite3.OperationalError as error:
        raw.close()
        refused = error.sqlite_errorname.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY"))
        if not refused or size_of(wal_of(path)) > 0:
            raise
        raw = _open(path, "mode=ro&immutable=1", busy_s)
    except sqlite3.Error:
        raw.close()
        raise
    raw.execute("PRAGMA query_only = ON")
    return raw


def engine_for(creator: Callable[[], sqlite3.Connection], *, write: bool) -> Engine:
    """An SQLAlchemy engine over such connections, with the right BEGIN; errors never quote parameters."""
    engine = create_engine("sqlite+pysqlite://", creator=creator, poolclass=NullPool, hide_parameters=True)
    begin = "BEGIN IMMEDIATE" if write else "BEGIN"

    def say_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "begin", say_begin)
    return engine


def aside(path: Path, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Read for a long time on a connection of its own, so that nobody waits behind it. Blocks the calling thread."""
    engine = engine_for(partial(connect, path, "read"), write=False)
    try:
        with engine.begin() as connection:
            return work(connection, *args, **kwargs)
    except DBAPIError as error:
        raise translate(error, path) from error
    finally:
        engine.dispose()


def translate(error: BaseException, path: Path) -> StoreError:
    """An SQLite error as one of ours: one line that names the file and says what to do."""
    orig = error.orig if isinstance(error, DBAPIError) else error
    name = getattr(orig, "sqlite_errorname", "") or ""
    if name == "SQLITE_FULL" or (name.startswith("SQLITE_IOERR") and _little_space(path)):
        return StoreFull(f"{path}: no space left; nothing was recorded, and nothing is sent until there is space")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreBusy(f"{path}: another process keeps the database locked")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return StoreError(f"{path}: damaged, or no SQLite database ({orig}): move it away and restore a backup of it")
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return StoreError(
            f"{path}: cannot be opened or written ({orig}): is the volume read-only, or the file another user's?"
        )
    if name.startswith("SQLITE_IOERR"):
        return StoreError(f"{path}: the disk failed ({name}): check the volume")
    return StoreError(f"{path}: {orig}")


def _little_space(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < LITTLE_SPACE
    except OSError:
        return False


def _busy(error: DBAPIError) -> bool:
    return str(getattr(error.orig, "sqlite_errorname", "")).startswith("SQLITE_BUSY")


@dataclass(frozen=True, slots=True)
class _Job:
    """One piece of work that waits for the thread."""

    work: Callable[[Connection], object]
    done: Future[object]


class Line:
    """A thread with a connection. Each piece of work is one transaction; pieces run in the order they came.

    Pieces that wait together share one commit, for the disk's sync is what takes the time (measured: 4 ms, against
    0.3 ms for the work); where anything in such a group fails, each is done again on its own.
    """

    def __init__(self, path: Path, mode: Mode, *, wal: bool = True, patience_s: float = PATIENCE_S) -> None:
        self.path = path
        self.mode = mode
        self._patience_s = patience_s
        creator = partial(connect, path, mode, busy_s=min(BUSY_S, patience_s), wal=wal)
        self.engine = engine_for(creator, write=mode == "write")
        self._connection: Connection | None = None
        self._jobs: deque[_Job] = deque()
        self._closed = False
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"tocsin-store-{mode}")

    async def run(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do ``work(connection, …)`` in one transaction on the thread. Raises :class:`StoreError` and its kin.

        It may be called twice, so it must change nothing but the database.
        """
        self._refuse_if_closed()
        job = _Job(lambda connection: work(connection, *args, **kwargs), Future())
        self._jobs.append(job)
        self._pool.submit(self._drain)
        value: T = await asyncio.wrap_future(job.done)  # type: ignore[arg-type]  # a queue of jobs has no one type
        return value

    async def bare(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do ``work(raw connection)`` outside a transaction, for PRAGMA and VACUUM."""
        self._refuse_if_closed()
        return await asyncio.wrap_future(self._pool.submit(self._outside, work))

    async def close(self) -> None:
        """Finish what is queued, close the connection, end the thread; the second time nothing."""
        if not self._closed:
            self._closed = True
            await asyncio.wrap_future(self._pool.submit(self._disconnect))
            self._pool.shutdown(wait=True)

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise StoreError(f"{self.path}: the store is closed")

    # what follows runs on the thread

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self.engine.connect()
        return self._connection

    def _drain(self) -> None:
        group: list[_Job] = []
        while self._jobs and len(group) < GROUP:
            job = self._jobs.popleft()
            if job.done.set_running_or_notify_cancel():
                group.append(job)
        if len(group) < 2 or not self._together(group):
            for job in group:
                self._alone(job)

    def _together(self, group: Sequence[_Job]) -> bool:
        """Do a group in one transaction; False where each must be done again on its own."""
        try:
            values = self._transact(lambda connection: [job.work(connection) for job in group])
        except StoreBusy as error:
            for job in group:
                job.done.set_exception(error)
            return True
        except Exception:  # noqa: BLE001 - done again one by one, whoever caused it hears of it then
            return False
        for job, value in zip(group, values, strict=True):
            job.done.set_result(value)
        return True

    def _alone(self, job: _Job) -> None:
        try:
            value = self._transact(job.work)
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            job.done.set_exception(error)
        else:
            job.done.set_result(value)

    def _transact(self, work: Callable[[Connection], T]) -> T:
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                connection = self._connected()
                with connection.begin():
                    return work(connection)
            except (DBAPIError, sqlite3.Error) as error:
                if not (isinstance(error, DBAPIError) and _busy(error)) or time.monotonic() >= deadline:
                    raise translate(error, self.path) from error
            time.sleep(0.02 + os.urandom(1)[0] / 2560)

    def _outside(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return work(raw_of(self._connected()))
        except (DBAPIError, sqlite3.Error) as error:
            raise translate(error, self.path) from error

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self.engine.dispose()


def raw_of(connection: Connection) -> sqlite3.Connection:
    """The driver's own connection under SQLAlchemy's."""
    raw = connection.connection.driver_connection
    if not isinstance(raw, sqlite3.Connection):
        raise TypeError("this is no SQLite connection")
    return raw
