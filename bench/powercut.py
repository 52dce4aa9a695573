"""A power cut, done to the files that a killed writer left behind: what was not yet synced is lost, torn or reordered.

SIGKILL alone loses nothing that was written, because the system still holds it. A power cut loses what no fsync has
reached. After a kill, SQLite's wal-index (the ``-shm`` file) still says how far the log was committed (``mxFrame``);
with ``synchronous = FULL`` SQLite syncs the log before it moves that mark (sqlite.org/wal.html, "walIndexWriteHdr"
after the sync in ``sqlite3WalFrames``). So after the cut

- log frames up to the mark stand (with a weaker setting only those up to ``nBackfill``, which a checkpoint has synced);
- of all behind it every sector is kept, zeroed or filled with noise, or the file ends early;
- where a checkpoint was under way, sectors of the pages it was copying are noise in the main file; it runs for a moment
  in every thousand pages, so that a quarter of the cuts are made as if one had just begun;
- the wal-index is gone.

What it does not show: a disk that says "synced" and lies, and syncs of the folder when files are made. That the calls
of fsync really happen is taken from SQLite's word, not watched.
"""

from __future__ import annotations

import os
import random
import struct
from dataclasses import dataclass, replace
from pathlib import Path

SECTOR = 512
_WAL_HEADER, _FRAME_HEADER = 32, 24
_FULL = 2
_MX_FRAME, _SALTS, _BACKFILL, _BACKFILL_ATTEMPTED = 16, slice(32, 40), 96, 128


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a write-ahead log is committed, and how far it is copied into the main file, in frames."""

    committed: int
    copied: int
    copying: int
    page: int

    @property
    def frame(self) -> int:
        """Bytes a frame."""
        return _FRAME_HEADER + self.page


@dataclass(frozen=True, slots=True)
class Cut:
    """What a power cut did."""

    kept_frames: int
    lost_bytes: int
    in_checkpoint: bool


def read_mark(database: Path) -> Mark:
    """The mark of a database whose writer was killed. Raises OSError where it has no wal-index."""
    index, log = _beside(database, "-shm").read_bytes(), _beside(database, "-wal")
    head = log.read_bytes()[:_WAL_HEADER] if log.exists() else b""
    page = struct.unpack_from("=H", index, 14)[0] or 4096
    page = 65536 if page == 1 else page
    committed, copied, copying = (
        struct.unpack_from("=I", index, place)[0] for place in (_MX_FRAME, _BACKFILL, _BACKFILL_ATTEMPTED)
    )
    if len(head) < _WAL_HEADER or head[16:24] != index[_SALTS]:
        committed = 0  # the log was being begun anew: everything in it is in the main file, synced
    return Mark(committed, min(copied, committed), min(copying, committed), page)


def cut_power(database: Path, rng: random.Random, *, synchronous: int = _FULL) -> Cut:
    """Do it to a database and the files beside it; ``synchronous`` is the PRAGMA's value under which it was written."""
    mark = read_mark(database)
    kept = mark.committed if synchronous >= _FULL else mark.copied
    begun = kept if rng.random() < 0.25 else mark.copying
    checkpoint = begun > mark.copied
    if checkpoint:
        _tear_pages(database, replace(mark, copying=begun), rng)
    lost = _tear_log(_beside(database, "-wal"), kept, mark, rng)
    _beside(database, "-shm").unlink()
    return Cut(kept, lost, checkpoint)


def _beside(database: Path, ending: str) -> Path:
    return database.with_name(database.name + ending)


def _tear_log(log: Path, kept: int, mark: Mark, rng: random.Random) -> int:
    """Sectors behind the kept frames are kept, zeroed or noise; how many bytes lay there."""
    if not log.exists():
        return 0
    safe, size = (_WAL_HEADER + kept * mark.frame if kept else 0), log.stat().st_size
    if rng.random() < 0.5 and size > safe:
        os.truncate(log, rng.randint(safe, size))
    with log.open("r+b") as file:
        for start in range(safe, log.stat().st_size, SECTOR):
            length = min(SECTOR, log.stat().st_size - start)
            _spoil(file.fileno(), start, length, rng)
    return size - safe


def _spoil(file: int, start: int, length: int, rng: random.Random) -> None:
    fate = rng.randrange(3)
    if fate:
        os.pwrite(file, bytes(length) if fate == 1 else rng.randbytes(length), start)


def _tear_pages(database: Path, mark: Mark, rng: random.Random) -> None:
    """Pages that a checkpoint was copying: any of their sectors may be noise, but not the first one of the file.

    That one holds what never changes while Tocsin runs, so old and new are the same there.
    """
    log = _beside(database, "-wal").read_bytes()
    size = database.stat().st_size
    with database.open("r+b") as file:
        for frame in range(mark.copied, mark.copying):
            page = struct.unpack_from(">I", log, _WAL_HEADER + frame * mark.frame)[0]
            begin = (page - 1) * mark.page
            for start in range(max(begin, SECTOR), min(begin + mark.page, size), SECTOR):
                _spoil(file.fileno(), start, SECTOR, rng)
