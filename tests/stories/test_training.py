"""Making the files that grouping is shipped with."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from bot.stories import training
from bot.stories.background import unpack
from bot.stories.scoring import FEATURES
from bot.stories.text import hashed, stem

_EVENTS = [
    ("Jets bomb cattle market in Qaryat", "Market of Qaryat bombed by jets", "Qaryat market bombing kills traders"),
    (
        "Ferry sinks off Harbour Island",
        "Ferry disaster off Harbour Island",
        "Dozens rescued as Harbour Island ferry sinks",
    ),
    ("Parliament elects Mira Tolan speaker", "Mira Tolan becomes speaker", "Speaker Tolan elected by parliament"),
    ("Bakers of Qaryat strike over flour", "Qaryat without bread as bakers strike", "Flour strike by bakers in Qaryat"),
    ("Harbour Island gets a lighthouse", "New lighthouse for Harbour Island", "Lighthouse lit on Harbour Island"),
    ("Glacier lake bursts above Upper Vale", "Upper Vale flooded by glacier lake", "Glacier flood hits Upper Vale"),
]


def _gold(path: Path) -> Path:
    rows = [
        {"window": day, "published": f"{day}T0{n}:0{k}:00+00:00", "outlet": f"{n}.example", "title": title,
         "summary": "", "link": f"https://{n}.example/{day}/{k}", "story": f"{day}/{k}"}
        for day in ("2026-01-01", "2026-01-02")
        for k, titles in enumerate(_EVENTS)
        for n, title in enumerate(titles)
    ]  # fmt: skip
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def test_scorer_is_trained_and_groups(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Trained on a few clear events, the scorer groups them; the file it writes fits this program."""
    out = tmp_path / "scorer.json"
    assert training.main(["scorer", str(out), str(_gold(tmp_path / "gold.jsonl"))]) == 0
    assert "B-cubed F1 on days left out" in capsys.readouterr().out
    written = json.loads(out.read_text(encoding="utf-8"))
    assert list(written["weights"]) == list(FEATURES)
    assert written["b3_f1_on_days_left_out"] > 0.5


def test_background_is_counted(tmp_path: Path) -> None:
    """Words of at least three distinct texts are counted; a text that comes twice counts once."""
    rows = [{"title": f"Harbour news {n}", "summary": "rain"} for n in (1, 2, 3, 3)] + [{"text": "snow"}]
    archive = tmp_path / "texts.jsonl.gz"
    with gzip.open(archive, "wt", encoding="utf-8") as lines:
        lines.write("\n".join(json.dumps(row) for row in rows))
    out = tmp_path / "background.bin"
    assert training.main(["background", str(out), str(archive)]) == 0
    table = unpack(out.read_bytes())
    assert table.documents == 4
    assert table.frequencies([hashed(stem("harbour")), hashed("snow")]) == [pytest.approx(3, rel=0.03), 0.0]


def test_usage_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Without arguments the tool says how it is used, and fails."""
    assert training.main([]) == 2
    assert "background OUT" in capsys.readouterr().err
