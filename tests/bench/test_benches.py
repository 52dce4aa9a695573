"""The benches run at tiny sizes, so that they cannot rot; their figures are made at full size (bench/README.md)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def bench(name: str, *arguments: str) -> tuple[int, str]:
    """A bench's exit code, and what it says."""
    done = subprocess.run(
        [sys.executable, f"bench/{name}.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_crash_kills_and_cuts_and_finds_nothing_lost() -> None:
    """A few kills and power cuts lose nothing and explain every copy."""
    code, said = bench("crash", "--kills", "3", "--alerts", "30", "--cuts", "3", "--cut-alerts", "30", "--lease", "1")
    assert code == 0, said
    assert re.search(r"[1-3] kills over 30 alerts in \d+ s: lost 0\n", said)
    assert re.search(r"[1-3] power cuts over 30 alerts in \d+ s: lost 0\n", said)


def test_crash_notices_rows_that_were_never_synced() -> None:
    """Where the log is not synced at commits, a power cut loses acknowledged rows, and the bench says so."""
    arguments = ("--kills", "0", "--cuts", "4", "--cut-alerts", "40", "--lease", "1", "--as-if-normal")
    code, said = bench("crash", *arguments)
    assert code == 1, said
    assert "missing: " in said


def test_fuzz_reads_all_three_kinds() -> None:
    """Each kind of case is read; the counts add up."""
    code, said = bench("fuzz", "--cases", "60")
    assert code == 0, said
    assert re.search(r"^feed: 36 cases .*\nupdate: 12 cases .*\nsettings: 12 cases ", said)
    assert "60 cases" in said
    assert "0 crashes, 0 hangs" in said


def test_soak_passes_simulated_hours(tmp_path: Path) -> None:
    """Two simulated hours of the whole daemon are measured, each with its polls."""
    code, said = bench("soak", "--feeds", "3", "--hours", "2", "--step", "30", "--settle", "0.2", "--interval", "30m")
    assert re.search(r"^hour 1: RSS \d+\.\d MiB.*\nhour 2: ", said), said
    assert "not every feed was asked" not in said
    assert code == 0 or "RSS grows" in said  # two hours are all warm-up


def test_restart_stops_in_mid_fan_out_and_storms() -> None:
    """A daemon that is told to stop while it sends ends with 0; one that is restarted asks no feed too often."""
    code, said = bench("restart", "--times", "1", "--chats", "12", "--storm", "2", "--seconds", "6")
    assert code == 0, said
    assert "1 stops in mid fan-out: exit 0 within 10 s 1 times" in said
    assert "of 12 messages lost 0, copies 0" in said
    assert "worker processes left behind 0" in said
