"""The heartbeat: a small file that the event loop itself rewrites, so that a blocked loop cannot look alive.

``tocsin health`` reads it, which works in a container without any port; the web pages show the same status.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

FILE = "heartbeat.json"
STALE_AFTER = timedelta(seconds=30)
"""Three beats missed."""


@dataclass(frozen=True, slots=True)
class Status:
    """How the daemon is. ``problems`` are lines for people; an empty list is good health."""

    at: datetime
    """Real time, not the demo's."""
    pid: int
    started: datetime
    ready: bool
    """True once a feed has answered or the first round is over."""
    feeds: int
    answered: int
    failed: int
    queued: dict[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """True where nothing is wrong."""
        return not self.problems


class Heartbeat:
    """Writes the status into the data folder, and takes it away at a clean stop."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE

    def beat(self, status: Status) -> None:
        """Replace the file in one step. A full or read-only disk must not stop the daemon: the old beat grows stale."""
        part = self._path.with_suffix(".part")
        with contextlib.suppress(OSError):
            part.write_text(json.dumps(asdict(status), default=str), encoding="utf-8")
            os.replace(part, self._path)

    def clear(self) -> None:
        """The daemon has stopped."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


def read_status(data_dir: Path, now: datetime | None = None) -> tuple[bool, str]:
    """(healthy, one line) from the last heartbeat."""
    now = now or datetime.now(UTC)
    path = data_dir / FILE
    try:
        beat = json.loads(path.read_text(encoding="utf-8"))
        at = datetime.fromisoformat(beat["at"])
    except FileNotFoundError:
        return False, f"no daemon runs on {data_dir} (no {FILE} there)"
    except (OSError, ValueError, KeyError, TypeError):
        return False, f"{path}: cannot be read"
    age = now - at
    if age > STALE_AFTER:
        return (
            False,
            f"last heartbeat {age.total_seconds():.0f} s ago: the daemon (pid {beat.get('pid')}) hangs or died",
        )
    if beat.get("problems"):
        return False, "; ".join(beat["problems"])
    waiting = sum(beat.get("queued", {}).values())
    return True, f"ok: {beat['feeds']} feeds, {beat['answered']} answers, {beat['failed']} failures, {waiting} queued"
