"""Death at any instant: kill -9 at statements, commits and sends, one after another."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_d08_d09_a_kill_at_any_boundary_loses_nothing(folder: Path) -> None:
    """A poll is recorded whole or not at all; each message arrives; only one in flight may arrive twice, and says so."""
    command = [sys.executable, "-m", "tests.store.crash_driver", str(folder), "4"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.stderr == ""
    report = json.loads(done.stdout)
    assert report["deaths"] >= 15
    # a message may come twice only where the death fell between its sending and the end of its settling
    assert 1 <= report["copies"] <= report["deaths"] / 2
