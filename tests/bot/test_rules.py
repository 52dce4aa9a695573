"""`tocsin rules` as a person meets it: what is in force, and what a rule would have told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.model import Batch, Severity, Story
from bot.store import open_store
from tests.bot.test_cli import archive, tocsin
from tests.store.builders import story

SETTINGS = """
[console]
enabled = true

[alerts]
zone = "Asia/Baku"

[[slack]]
name = "desk"
webhook_url = "https://hooks.example/x"

[[rules]]
name = "severe"
min_severity = "severe"
quiet = {start = "22:00", end = "07:00"}
channels = ["slack:desk"]

[[rules]]
name = "pacific"
countries = ["NZ"]
signals = ["ceasefire_*"]
exclude = {words = ["rugby"]}
digest = "daily"

[[rules]]
name = "all"
"""


def settled(folder: Path) -> Path:
    file = folder / "tocsin.toml"
    file.write_text(SETTINGS)
    file.chmod(0o600)
    return folder


def lately(name: str, hours_ago: float, **changes: object) -> Story:
    at = datetime.now(UTC) - timedelta(hours=hours_ago)
    made = replace(story(name), opened_at=at, updated_at=at, countries=(name[:2].upper(),), told=None)
    return replace(made, **changes)  # type: ignore[arg-type]


async def stored(folder: Path, *stories: Story) -> None:
    (folder / "data").mkdir()
    store = await open_store(folder / "data" / "tocsin.sqlite3")
    await store.record(Batch(datetime.now(UTC), stories=stories))
    await store.close()


def test_rules_are_listed_with_what_they_ask_for_and_where_they_ring(tmp_path: Path) -> None:
    """Each rule is one line with its demands, channels and manner; without rules the default one says so."""
    lines = tocsin(settled(tmp_path), "rules", "list").stdout.splitlines()
    assert lines == [
        "severe: severe or worse; rings slack:desk, quiet 22:00–07:00 Asia/Baku",
        "pacific: ceasefire_*; in NZ; not saying rugby; rings console, slack:desk, daily at 07:00 Asia/Baku",
        "all: everything; rings console, slack:desk",
    ]
    rows = [json.loads(line) for line in tocsin(tmp_path, "rules", "list", "--json").stdout.splitlines()]
    assert (rows[0]["rule"], rows[0]["channels"]) == ("severe", ["slack:desk"])
    (tmp_path / "tocsin.toml").unlink()
    first, second = tocsin(tmp_path, "rules", "list").stdout.splitlines()
    assert first == "default: severe or worse; rings console"
    assert "no [[rules]] table" in second


def test_an_unknown_rule_is_named_with_the_nearest(tmp_path: Path) -> None:
    """Exit 2 and one line, with the name that was perhaps meant, or all that there are."""
    settled(tmp_path)
    for name, words in (
        ("sever", 'no rule "sever", did you mean "severe"?'),
        ("x", "(there is: severe, pacific, all)"),
    ):
        done = tocsin(tmp_path, "rules", "preview", name)
        assert (done.returncode, done.stdout) == (2, "")
        assert words in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_without_a_database_preview_says_what_to_do(tmp_path: Path) -> None:
    """One line, exit 2, and nothing is made."""
    done = tocsin(tmp_path, "rules", "preview")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no database yet" in done.stderr
    assert not (tmp_path / "data").exists()


async def test_a_preview_tells_how_many_how_many_at_night_and_which(tmp_path: Path) -> None:
    """Counts, the newest ten with severity, place, time and link, and what came nearest to a rule that is silent."""
    many = [lately(f"{chr(97 + n)}x", n + 1, title=f"Report {n}") for n in range(12)]
    mild = lately("zz", 5, severity=Severity.MINOR, title="Talks \x1b[31mabout\u202e talks")
    await stored(settled(tmp_path), *many, mild, lately("yy", 40 * 24))
    done = tocsin(tmp_path, "rules", "preview", "--days", "30")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    night = json.loads(tocsin(tmp_path, "rules", "preview", "severe", "--json").stdout)["at_night"]
    assert lines[0].startswith("severe: last 30 days (stories are stored since ")
    assert lines[0].endswith(f": 12 alerts, {night} at night (22–7 Asia/Baku), the newest 10")
    shown = lines[1:21]
    assert [line.rpartition(": ")[2] for line in shown[::2]] == [f"Report {n}" for n in range(10)]
    assert shown[0].startswith("  severe    ")
    assert "Qaryat, Yemen" in shown[0]
    assert shown[1].strip() == "https://herald.example/1/k1"
    assert lines[21].startswith("pacific: last 30 days")
    assert "it would have told nothing; what came nearest: outside the places asked for" in lines[21]
    assert lines[24].startswith("all: ")
    assert "13 alerts" in lines[24]
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout


async def test_a_preview_for_machines(tmp_path: Path) -> None:
    """One JSON object a rule, with the same counts; --days bounds the time."""
    await stored(settled(tmp_path), lately("aa", 1), lately("bb", 60))
    rows = [
        json.loads(line) for line in tocsin(tmp_path, "rules", "preview", "--json", "--days", "1").stdout.splitlines()
    ]
    assert [(row["rule"], row["alerts"], len(row["newest"])) for row in rows] == [
        ("severe", 1, 1),
        ("pacific", 0, 0),
        ("all", 1, 1),
    ]
    assert rows[0]["nearest"] is None
    assert rows[0]["newest"][0]["countries"] == ["AA"]
    assert rows[1]["nearest"]["missed"] == "outside the places asked for"


def test_an_archive_is_replayed_for_each_rule(tmp_path: Path) -> None:
    """An archive gives the alerts of its replay by rule, needs no database, and names what came nearest."""
    source = archive(tmp_path / "archive.jsonl.gz")
    done = tocsin(settled(tmp_path), "rules", "preview", "--archive", str(source))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == f"severe: {source}, 2026-03-01 to 2026-03-01: 1 alert, 1 at night (22–7 Asia/Baku), here it is"
    assert "Shelling kills 12 in Stepanakert" in lines[1]
    assert any(
        line.startswith("pacific: ") and "nothing; what came nearest: outside the places" in line for line in lines
    )
    assert not (tmp_path / "data").exists()
    refused = tocsin(tmp_path, "rules", "preview", "--archive", "none.jsonl")
    assert (refused.returncode, refused.stderr) == (2, "tocsin: none.jsonl: no such file or directory\n")
