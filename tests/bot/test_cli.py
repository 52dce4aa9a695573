"""The command line as a person or a script meets it: contracts, exit codes, one-line complaints."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from classifiers.taxonomy import SIGNAL_IDS

ROOT = Path(__file__).parents[2]


def tocsin(folder: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("TOCSIN_")}
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=60,
        check=False,
        env={**environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nonsense"], 2, "No such command"),
        (["poll", "--bogus"], 2, "No such option"),
        (["run", "--config", "none.toml"], 2, "none.toml: no such file"),
        (["score", "x", "--model", "nowhere"], 1, "nowhere"),
        (["evaluate", "none.jsonl"], 1, "none.jsonl"),
        (["replay", "none.jsonl"], 2, "none.jsonl: no such file"),
        (["feeds", "add", "ftp://example.org/x"], 2, "ftp://example.org/x: is not an http"),
        (["feeds", "remove", "https://example.org/x"], 2, "is not watched"),
        (["feeds", "import", "none.opml"], 2, "none.opml: no such file"),
        (["explain", "https://example.org/x"], 2, "there is no database yet"),
        (["send-test", "slack:desk"], 2, '"slack:desk" is not set up'),
        (["backup", "copy.sqlite3"], 2, "there is no database"),
        (["health"], 1, "no daemon runs"),
    ],
)
def test_a_fault_is_one_line_and_an_exit_code(tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
    """Every fault of the person's is one line on stderr that names what is at fault, with the right exit code."""
    done = tocsin(tmp_path, *arguments)
    assert done.returncode == code
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_settings_faults_exit_2_with_file_and_line(tmp_path: Path) -> None:
    """A misspelt key is named with file, line and the nearest right one, by every command."""
    (tmp_path / "tocsin.toml").write_text('[fetch]\nintervall = "5m"\n')
    for command in (["run"], ["poll"], ["check-config"], ["feeds", "list"]):
        done = tocsin(tmp_path, *command)
        assert done.returncode == 2
        assert done.stderr.strip().endswith('tocsin.toml:2: fetch.intervall: unknown key, did you mean "interval"?')


def test_version_is_quick_and_plain(tmp_path: Path) -> None:
    """`--version` prints one line, and loads nothing that takes time: the best of three runs is under a second."""
    best = 9.0
    for _ in range(3):
        started = time.monotonic()
        done = tocsin(tmp_path, "--version")
        best = min(best, time.monotonic() - started)
        assert done.stdout.startswith("tocsin 0.")
    assert best < 1.0


def test_score_jsonl_keeps_the_contract(tmp_path: Path) -> None:
    """One line out for each line in, in order, with all 23 signals and the agreed keys; bad lines are named."""
    lines = [
        json.dumps({"id": "a", "title": "Shelling kills 12 in border town", "summary": "The army said so."}),
        "not json",
        json.dumps({"id": "b", "title": "Local team wins cup", "summary": "", "language": "en"}),
        json.dumps({"id": "c", "title": "", "summary": ""}),
        json.dumps(["no object"]),
    ]
    done = tocsin(tmp_path, "score", "--jsonl", stdin="\n".join(lines) + "\n")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["id"] for row in rows] == ["a", "b", "c"]
    assert done.returncode == 1
    assert [line.split(": ")[1] for line in done.stderr.strip().splitlines()] == ["stdin:2", "stdin:5"]
    for row in rows:
        assert set(row["signals"]) == set(SIGNAL_IDS)
        assert all(0.0 <= p <= 1.0 for p in row["signals"].values())
        assert row["severity"] in (None, "minor", "moderate", "severe", "extreme")
        assert -10 <= row["score"] <= 10
        assert {"labels", "killed", "injured", "countries", "language", "evidence"} <= set(row)
    first = rows[0]
    assert "casualties" in first["labels"]
    assert first["killed"]["best"] == 12
    assert set(first["killed"]) == {"low", "best", "high", "total"}
    for evidence in first["evidence"]:
        given = json.loads(lines[0])[evidence["field"]]
        assert given[evidence["start"] : evidence["end"]] == evidence["text"]
    assert rows[1]["labels"] == []


def test_score_explains_one_text_to_a_person(tmp_path: Path) -> None:
    """`score TEXT` shows severity, raised signals and numbers."""
    done = tocsin(tmp_path, "score", "Shelling kills 12 in border town")
    assert done.returncode == 0
    assert "casualties" in done.stdout
    assert "killed: 12" in done.stdout
    assert "severe" in done.stdout


def archive(path: Path) -> Path:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    rows = [
        ("Shelling kills 12 in Stepanakert, officials say", "a.example"),
        ("Shelling kills 12 in Stepanakert, officials say", "b.example"),
        ("Orchard festival opens in the valley", "a.example"),
        ("Death toll of shelling in Stepanakert rises to 30", "c.example"),
    ]
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for number, (title, outlet) in enumerate(rows):
            at = start + timedelta(minutes=20 * number)
            row = {
                "published": str(at),
                "outlet": outlet,
                "title": title,
                "summary": "",
                "link": f"https://{outlet}/{number}",
            }
            file.write(json.dumps(row) + "\n")
    return path


def test_replay_keeps_the_contract_and_repeats_itself(tmp_path: Path) -> None:
    """Every item gets one verdict line and one story; the same archive twice gives the same bytes."""
    source = archive(tmp_path / "archive.jsonl.gz")
    outputs = []
    for number in (1, 2):
        out, stories = tmp_path / f"out{number}", tmp_path / f"stories{number}"
        done = tocsin(tmp_path, "replay", str(source), "--out", str(out), "--assignments", str(stories), "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["items"] == 4
        outputs.append((out.read_bytes(), stories.read_bytes()))
    assert outputs[0] == outputs[1]
    verdicts = [json.loads(line) for line in outputs[0][0].splitlines()]
    keys = {"at", "kind", "reason", "story", "severity", "signals", "killed", "countries", "title", "link", "sources"}
    assert len(verdicts) == 4
    assert all(keys <= set(verdict) for verdict in verdicts)
    assert [v["kind"] for v in verdicts].count("alert") == 1
    assigned = {row["link"]: row["story"] for row in map(json.loads, outputs[0][1].splitlines())}
    assert len(assigned) == 4
    assert assigned["https://a.example/0"] == assigned["https://b.example/1"] != assigned["https://a.example/2"]


def test_replay_names_the_bad_line(tmp_path: Path) -> None:
    """An archive with a broken line is refused with its number."""
    (tmp_path / "bad.jsonl").write_text('{"published": "2026-01-01", "title": "x", "link": "l"}\n{"title": "y"}\n')
    done = tocsin(tmp_path, "replay", "bad.jsonl")
    assert (done.returncode, done.stderr.strip()) == (2, "tocsin: bad.jsonl:2: lacks published")


def test_feeds_are_added_listed_exported_and_imported(tmp_path: Path) -> None:
    """What is added without asking is listed, exported as OPML, removed, and comes back by import."""
    (tmp_path / "tocsin.toml").write_text('catalogue = ""\n')
    url = "https://example.org/feed.xml"
    assert tocsin(tmp_path, "feeds", "add", url, "--no-check", "--title", "Example", "--tag", "x").returncode == 0
    listed = json.loads(tocsin(tmp_path, "feeds", "list", "--json").stdout)
    assert (listed["url"], listed["title"], listed["tags"]) == (url, "Example", ["x"])
    assert tocsin(tmp_path, "feeds", "export", "list.opml").returncode == 0
    assert tocsin(tmp_path, "feeds", "remove", url).returncode == 0
    assert "0 of 0 feeds" in tocsin(tmp_path, "feeds", "list").stdout
    assert "1 of them new" in tocsin(tmp_path, "feeds", "import", "list.opml").stdout
    assert json.loads(tocsin(tmp_path, "feeds", "list", "--json").stdout)["title"] == "Example"


def test_backup_and_restore(tmp_path: Path) -> None:
    """A backup restores the feeds; restoring over a database needs --force."""
    (tmp_path / "tocsin.toml").write_text('catalogue = ""\n')
    tocsin(tmp_path, "feeds", "add", "https://example.org/a", "--no-check")
    assert tocsin(tmp_path, "backup", "copy.sqlite3").returncode == 0
    tocsin(tmp_path, "feeds", "remove", "https://example.org/a")
    refused = tocsin(tmp_path, "restore", "copy.sqlite3")
    assert refused.returncode == 2
    assert tocsin(tmp_path, "restore", "copy.sqlite3", "--force").returncode == 0
    assert json.loads(tocsin(tmp_path, "feeds", "list", "--json").stdout)["url"] == "https://example.org/a"


def test_check_config_summarises_and_explains(tmp_path: Path) -> None:
    """`check-config` says what is asked for; `--explain` shows each value with its origin and no secret."""
    secret = "123456789:AAcanaryCanaryCanaryCanaryCanary12"
    file = tmp_path / "tocsin.toml"
    file.write_text(f'[telegram]\ntoken = "{secret}"\nadmins = [7]\n')
    file.chmod(0o600)
    done = tocsin(tmp_path, "check-config", "--explain")
    assert done.returncode == 0
    assert "telegram:7" in done.stdout
    assert "tocsin.toml:2" in done.stdout
    assert "Canary" not in done.stdout + done.stderr


def test_doctor_reports_every_part(tmp_path: Path) -> None:
    """`doctor` says how settings, disk, database, daemon, model and channels are."""
    done = tocsin(tmp_path, "doctor")
    assert done.returncode == 0, done.stdout
    for part in ("settings", "disk", "database", "daemon", "model"):
        assert f" {part} " in done.stdout


def test_a_feed_is_paused_and_enabled(tmp_path: Path) -> None:
    """One command pauses a feed and one brings it back; an unknown address is named."""
    (tmp_path / "tocsin.toml").write_text('[[feeds]]\nurl = "https://example.org/a"\n')
    for command, status in (("pause", "paused"), ("enable", "active")):
        assert tocsin(tmp_path, "feeds", command, "https://example.org/a").returncode == 0
        assert json.loads(tocsin(tmp_path, "feeds", "list", "--json").stdout)["status"] == status
    assert tocsin(tmp_path, "feeds", "enable", "https://example.org/none").returncode == 2
