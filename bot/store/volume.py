"""What lies under the database: folders, file systems, stray files, and the lock of the one daemon."""

from __future__ import annotations

import errno
import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from bot.errors import StoreBusy, StoreError, StoreFull

NETWORK_FILE_SYSTEMS = frozenset(
    "9p afs ceph cifs davfs gpfs lustre ncpfs nfs nfs4 smb3 smbfs beegfs "
    "fuse.davfs2 fuse.glusterfs fuse.rclone fuse.s3fs fuse.sshfs fuse.cephfs glusterfs".split()
)
"""Without dependable locks, or without the shared memory that a write-ahead log needs (sqlite.org/wal.html)."""

_OCTAL = re.compile(r"\\([0-7]{3})")


def file_system(path: Path, mounts: str) -> str | None:
    """The type of the file system that holds an absolute path, out of the text of ``/proc/mounts``."""
    holders = [(point, kind) for point, kind in _mounts(mounts) if path == point or point in path.parents]
    # of two mounts at one place the later one hides the earlier
    return max(enumerate(holders), key=lambda held: (len(held[1][0].parts), held[0]))[1][1] if holders else None


def _mounts(text: str) -> Iterator[tuple[Path, str]]:
    for line in text.splitlines():
        parts = line.split(" ")
        if len(parts) >= 3:
            yield Path(_OCTAL.sub(lambda code: chr(int(code[1], 8)), parts[1])), parts[2]


def network_warning(path: Path, mounts: str | None = None) -> str | None:
    """One line where the database lies on a network file system, else None."""
    if mounts is None:
        try:
            mounts = Path("/proc/mounts").read_text(errors="replace")
        except OSError:
            return None  # not Linux: nothing can be said
    kind = file_system(path.resolve(), mounts)
    if kind not in NETWORK_FILE_SYSTEMS:
        return None
    return (
        f"{path}: lies on a network file system ({kind}), whose locks cannot be trusted: "
        "the write-ahead log is switched off; a local disk is faster and safer"
    )


def wal_of(path: Path) -> Path:
    """The write-ahead log beside a database."""
    return path.with_name(path.name + "-wal")


def size_of(path: Path) -> int:
    """Bytes in a file; 0 where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def prepare(path: Path) -> None:
    """Make the folder and an empty, private file where there is none. Raises :class:`StoreError`."""
    refuse_orphan_log(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise os_error(error, path) from error


def refuse_orphan_log(path: Path) -> None:
    """A log without its database is half of a copy: SQLite would throw it away."""
    if size_of(wal_of(path)) > 0 and size_of(path) == 0:
        raise StoreError(
            f"{wal_of(path)}: is here without its database {path.name}: they belong together; "
            "copy both back while Tocsin is stopped, or move the log away to start anew"
        )


def os_error(error: OSError, path: Path) -> StoreError:
    """A refusal of the operating system as one of ours."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreFull(f"{path}: no space left")
    return StoreError(f"{path}: cannot be written: {error.strerror or error}")


class DaemonLock:
    """Held while a daemon works on a database, so that a second one refuses to start. Other commands need no lock.

    The kernel lets go of it when the process dies, however it dies. Usable as a context manager.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.with_name(path.name + ".lock")
        self._fd: int | None = None

    def acquire(self) -> None:
        """Take it. Raises :class:`StoreBusy` where another process holds it."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            while self._fd is None:
                self._fd = self._take()
        except OSError as error:
            raise os_error(error, self.path) from error

    def release(self) -> None:
        """Give it back; the file stays, or a third process could lock a new one beside a waiting second."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _take(self) -> int | None:
        fd = os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(fd, 64).decode(errors="replace").strip() or "unknown"
            os.close(fd)
            raise StoreBusy(
                f"{self.path}: another Tocsin (process {holder}) works on this data; "
                "stop it first, or give this one a data_dir of its own"
            ) from error
        if not self._is(fd):  # somebody deleted the file meanwhile: what we locked is no longer it
            os.close(fd)
            return None
        os.truncate(fd, 0)
        os.write(fd, f"{os.getpid()}\n".encode())
        return fd

    def _is(self, fd: int) -> bool:
        try:
            there = self.path.stat()
        except OSError:
            return False
        mine = os.fstat(fd)
        return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)

    def __enter__(self) -> DaemonLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
