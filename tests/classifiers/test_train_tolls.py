"""Learning to tell tolls: formats of examples, determinism, and that learning learns."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest

from classifiers.assessment import Text
from classifiers.lexicon import load_lexicon
from classifiers.passage import read_passages
from classifiers.toll_features import TollFeatures
from classifiers.toll_scene import mentions_of
from classifiers.tolls import dump_toll_model
from classifiers.train_tolls import Example, choices_of, main, own_examples, read_jsonl, read_tsv, train

LINES = (files("seeds") / "tolls" / "en.tsv").read_text(encoding="utf-8").splitlines()[:120]


@pytest.mark.parametrize(
    ("cell", "value"),
    [("12", 12), ("-", None), ("40-50", 45), ("54+158", 54), ("=158", None), ("~dozens", None)],
)
def test_cells_of_own_examples(cell: str, value: int | None) -> None:
    """Numbers, ranges, totals and words of the table read as what they stand for."""
    (example,) = read_tsv([f"{cell}\t-\tTitle || Summary"], "en")
    assert example == Example(Text("Title", "Summary"), "en", {"killed": value, "injured": None})


def test_only_casualties_are_learned_from() -> None:
    """Annotated items without the signal say nothing of how tolls are told."""
    rows = [
        {"title": "9 killed", "signals": ["casualties"], "killed": 9},
        {"title": "9 goals", "signals": []},
    ]
    assert [e.gold["killed"] for e in read_jsonl(map(json.dumps, rows))] == [9]


def test_every_own_example_has_a_lexicon() -> None:
    """The examples that come with the project are all in languages that are read."""
    examples = own_examples()
    assert len(examples) > 700
    assert all(load_lexicon(example.language) for example in examples)


def test_learning_is_deterministic() -> None:
    """The same examples give the same file, byte for byte."""
    examples = list(read_tsv(LINES[:40], "en"))
    assert dump_toll_model(train(examples)) == dump_toll_model(train(examples))


def test_learning_learns() -> None:
    """A model trained on examples tells tolls among them far better than one of no weights."""
    examples = list(read_tsv(LINES, "en"))

    def right(trained: bool) -> int:
        model = train(examples if trained else examples[:1], penalty=2.0, bias=0.0)
        count = 0
        for example in examples:
            lexicon = load_lexicon("en")
            assert lexicon is not None
            passages = read_passages(example.text, lexicon)
            choice = model.choose(TollFeatures(passages, "killed", mentions_of(passages)))
            count += (choice.value if choice.chance > 0.5 else None) == example.gold["killed"]
        return count

    assert right(trained=True) > right(trained=False) + 20


def test_unreachable_numbers_teach_nothing() -> None:
    """An item whose number stands nowhere in the text is left out instead of spoiling the weights."""
    assert not choices_of([Example(Text("Nine killed in Dara"), "en", {"killed": 77, "injured": 77})])


def test_the_command_writes_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command trains on own and given items and says what it did."""
    data = tmp_path / "items.jsonl"
    data.write_text(json.dumps({"title": "9 killed", "signals": ["casualties"], "killed": 9}) + "\n", encoding="utf-8")
    monkeypatch.setattr("classifiers.train_tolls.own_examples", lambda: list(read_tsv(LINES[:30], "en")))
    assert main(["--data", str(data), "--out", str(tmp_path / "tolls.json")]) == 0
    assert json.loads((tmp_path / "tolls.json").read_text(encoding="utf-8"))["format"] == 1
    assert capsys.readouterr().out == "tolls.json: learned from 61 items\n"
