"""Training: deterministic, served as trained, refused where it does not fit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from classifiers import Assessor, ModelError
from classifiers.errors import ExampleError
from classifiers.evaluate import evaluate, evaluate_file
from classifiers.model import SignalModel
from classifiers.taxonomy import SIGNAL_IDS
from classifiers.train import TrainingSettings, fit_one, main_train, matrix_of, prepare, train
from tests.classifiers.make_examples import small_examples


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model trained on the small examples."""
    folder = tmp_path_factory.mktemp("model")
    train(small_examples(), folder)
    return folder


def test_same_data_same_file(trained: Path, tmp_path: Path) -> None:
    """Training twice on the same examples writes the same bytes."""
    train(small_examples(), tmp_path)
    for name in ("linear.npz", "linear.json"):
        assert (tmp_path / name).read_bytes() == (trained / name).read_bytes()


def test_served_scores_equal_trained_ones(trained: Path) -> None:
    """What the served model says is what scikit-learn's regression says, but for float16."""
    examples = small_examples()
    prepared = prepare(examples)
    served = SignalModel.load(trained)
    settings = TrainingSettings()
    matrix = matrix_of(served.linear.vocabulary, prepared.occurrences)
    for output, signal in enumerate(SIGNAL_IDS):
        if not prepared.labels[:, output].any():
            continue
        weights, bias = fit_one(matrix, prepared.labels[:, output], prepared.weights, settings.inverse_regularisation)
        expected = matrix @ weights + bias
        scores = [served.linear.score(o).logits[output] for o in prepared.occurrences]
        assert np.allclose(scores, expected, atol=0.02), signal


def test_it_learns(trained: Path) -> None:
    """A model trained on the small examples reads them right."""
    examples = small_examples()
    report = evaluate(examples, Assessor.load(trained).assess([e.text for e in examples]))
    assert report.micro_f1 > 0.95
    assert report.false_alarm_rate == 0.0


def test_evaluating_a_file_draws_its_curves(trained: Path, tmp_path: Path) -> None:
    """`evaluate_file` reads a gold file, reports on all of it and writes two SVG pictures."""
    gold = tmp_path / "gold.jsonl"
    rows = [
        {"id": e.id, "title": e.text.title, "summary": e.text.summary, "signals": sorted(e.signals),
         "severity": e.severity}
        for e in small_examples()
    ]  # fmt: skip
    gold.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    done: list[float] = []
    report = evaluate_file(
        gold, Assessor.load(trained), plots=tmp_path / "plots", progress=lambda _, part: done.append(part)
    )
    assert report.items == len(rows)
    assert done[-1] == 1.0
    assert "micro F1" in report.table()
    json.dumps(report.to_json())
    for name in ("reliability.svg", "precision-recall.svg"):
        assert (tmp_path / "plots" / name).read_text(encoding="utf-8").startswith("<svg")


def test_too_few_examples_are_refused(tmp_path: Path) -> None:
    """Training on next to nothing is an error with a number in it, not a bad model."""
    with pytest.raises(ExampleError, match="3 examples are too few"):
        train(small_examples()[:3], tmp_path)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "not valid JSON"),
        ("[]", "must be a JSON object"),
        ('{"id": "a", "title": "b"}', "lacks signals"),
        ('{"id": "a", "title": "b", "signals": ["earthquake"]}', "unknown signal 'earthquake'"),
        ('{"id": "a", "title": "b", "signals": [], "severity": 9}', "severity must be a whole number"),
        ('{"id": "a", "title": 7, "signals": []}', "title must be a string"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, complaint: str) -> None:
    """A line that cannot be used is named by file and number."""
    path = tmp_path / "more.jsonl"
    path.write_text(f"\n{line}\n", encoding="utf-8")
    with pytest.raises(ExampleError, match=complaint) as error:
        main_train([path], tmp_path)
    assert str(error.value).startswith(f"{path}:2")


def _edit(folder: Path, key: str, value: object) -> None:
    path = folder / "linear.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest[key] = value
    path.write_text(json.dumps(manifest), encoding="utf-8")


@pytest.mark.parametrize(("key", "value"), [("taxonomy", "0" * 16), ("format", 0), ("features", 0), ("sha256", "x")])
def test_a_model_that_does_not_fit_is_refused(trained: Path, tmp_path: Path, key: str, value: object) -> None:
    """Another taxonomy, version or hash is refused in one line naming the file; a loaded model stays in use."""
    for name in ("linear.npz", "linear.json"):
        (tmp_path / name).write_bytes((trained / name).read_bytes())
    in_use = Assessor.load(tmp_path)
    _edit(tmp_path, key, value)
    with pytest.raises(ModelError) as error:
        Assessor.load(tmp_path)
    assert str(tmp_path) in str(error.value)
    assert "\n" not in str(error.value)
    assert in_use.assess(["Shells hit Arvend overnight"])[0].labels


def test_a_damaged_file_is_refused(trained: Path, tmp_path: Path) -> None:
    """A flipped byte in the arrays is noticed."""
    (tmp_path / "linear.json").write_bytes((trained / "linear.json").read_bytes())
    packed = bytearray((trained / "linear.npz").read_bytes())
    packed[len(packed) // 2] ^= 1
    (tmp_path / "linear.npz").write_bytes(packed)
    with pytest.raises(ModelError, match="damaged or was exchanged"):
        Assessor.load(tmp_path)


def test_without_a_model_phrases_are_read_only_when_asked(tmp_path: Path) -> None:
    """A missing model is an error, or, with fallback, hand-written phrases that every assessment owns up to."""
    with pytest.raises(ModelError, match="cannot be read"):
        Assessor.load(tmp_path)
    assessment = Assessor.load(tmp_path, fallback=True).assess(["Rebels offer a ceasefire"])[0]
    assert "ceasefire_proposal" in assessment.labels
    assert "no model" in assessment.notes[0]
