"""Seeing trouble: operators are told once, through a channel that works, and once more when it is over."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bot.health import STALE_AFTER, Heartbeat, Status, read_status
from bot.watch import Sight, Trouble, notices, told, troubles

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)


def sight(minutes_blind: float, **changes: object) -> Sight:
    values: dict[str, object] = {"stopped": (), "feeds": 10, **changes}
    return Sight(NOW, NOW - timedelta(days=1), NOW - timedelta(minutes=minutes_blind), **values)  # type: ignore[arg-type]


def test_blindness_is_told_after_its_time() -> None:
    """Without any answer for the set time the operators hear of it; a moment before they do not; zero switches it off."""
    assert troubles(sight(29.9), HALF_HOUR) == ()
    (trouble,) = troubles(sight(31), HALF_HOUR)
    assert "none of 10 feeds has answered for 31 minutes" in trouble.text
    assert troubles(sight(600), timedelta(0)) == ()
    assert troubles(sight(600, feeds=0), HALF_HOUR) == ()


def test_a_dead_channel_is_told_through_another() -> None:
    """Word of a dead channel does not go through that channel."""
    (trouble,) = troubles(sight(0, stopped=(("telegram", "Unauthorized"),)), HALF_HOUR)
    sent = notices(trouble.text, ["telegram:1", "slack:desk"], NOW, avoid=trouble.avoid)
    assert [delivery.target for delivery in sent] == ["slack:desk"]


@given(st.lists(st.sets(st.sampled_from(["blind", "channel:a", "channel:b"])), max_size=12))
def test_each_trouble_is_told_once_and_ended_once(story: list[set[str]]) -> None:
    """However troubles come and go, words alternate between begun and over for each."""
    known: set[str] = set()
    spoken: dict[str, list[str]] = {}
    for keys in story:
        current = tuple(Trouble(key, key) for key in sorted(keys))
        new, ended = told(known, current)
        for trouble in new:
            spoken.setdefault(trouble.key, []).append("begun")
        for key in ended:
            spoken.setdefault(key, []).append("over")
        known = set(keys)
    for words in spoken.values():
        assert words == ["begun", "over"] * (len(words) // 2) + ["begun"] * (len(words) % 2)


def status(at: datetime, *problems: str) -> Status:
    return Status(
        at=at, pid=1, started=NOW, ready=True, feeds=3, answered=2, failed=1, queued={"slack": 4}, problems=problems
    )


def test_health_reads_what_the_heart_beat(tmp_path: Path) -> None:
    """A fresh beat is healthy, one with problems or an old one is not, none means that nothing runs."""
    heart = Heartbeat(tmp_path)
    assert read_status(tmp_path, NOW)[0] is False
    heart.beat(status(NOW))
    assert read_status(tmp_path, NOW) == (True, "ok: 3 feeds, 2 answers, 1 failures, 4 queued")
    heart.beat(status(NOW, "disk full"))
    assert read_status(tmp_path, NOW) == (False, "disk full")
    heart.beat(status(NOW))
    assert "hangs or died" in read_status(tmp_path, NOW + STALE_AFTER + timedelta(seconds=1))[1]
    heart.clear()
    assert "no daemon runs" in read_status(tmp_path, NOW)[1]


def test_a_broken_heartbeat_is_named(tmp_path: Path) -> None:
    """A file that is no heartbeat is a fault with its name, not a traceback."""
    (tmp_path / "heartbeat.json").write_text(json.dumps(["what"]))
    ok, line = read_status(tmp_path, NOW)
    assert not ok
    assert "heartbeat.json: cannot be read" in line
