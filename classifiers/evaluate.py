"""Measures an assessor against annotated items: a report as a table, as JSON, as curves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from classifiers.assessment import SEVERITIES, Assessment, Toll
from classifiers.assessor import Assessor
from classifiers.curves import precision_recall_svg, reliability_svg
from classifiers.errors import ExampleError
from classifiers.examples import Example, read_examples
from classifiers.taxonomy import SIGNAL_IDS

BINS = 15
"""Bins of the reliability curve and of the calibration error."""
_BATCH = 200

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Progress = Callable[[str, float], None]
"""Called with what is being done and the part of the whole that is done, 0.0 … 1.0."""


@dataclass(frozen=True, slots=True)
class SignalFigures:
    """One signal: how many items carry it, and how well its labels and probabilities are."""

    support: int
    precision: float
    recall: float
    f1: float
    average_precision: float | None
    """``None`` where no item carries the signal."""


@dataclass(frozen=True, slots=True)
class TollFigures:
    """``exact``: share of stated numbers read exactly; ``invented``: share of silent items given one."""

    stated: int
    exact: float | None
    invented: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """All figures for one set of items."""

    items: int
    signals: Mapping[str, SignalFigures]
    micro_f1: float
    macro_f1: float
    mean_average_precision: float
    relevant_f1: float
    """F1 of "carries any signal"."""
    false_alarm_rate: float
    """Share of the items without a signal that raise a label."""
    calibration_error: float
    severity_exact: float | None
    severity_within_one: float | None
    killed: TollFigures
    injured: TollFigures
    countries_f1: float
    """Over the items that carry a signal."""

    def to_json(self) -> dict[str, object]:
        """The report as plain JSON values."""
        return asdict(self)

    def table(self) -> str:
        """The report as text for a terminal: a line a signal, then the summary."""
        head = f"{'signal':22s} {'n':>5s} {'P':>6s} {'R':>6s} {'F1':>6s} {'AP':>6s}"
        lines = [f"{self.items} items", head]
        for signal, f in self.signals.items():
            ap = f"{f.average_precision:6.3f}" if f.average_precision is not None else "     -"
            lines.append(f"{signal:22s} {f.support:5d} {f.precision:6.3f} {f.recall:6.3f} {f.f1:6.3f} {ap}")
        lines += [f"{name:24s} {_shown(value)}" for name, value in self.summary().items()]
        return "\n".join(lines)

    def summary(self) -> dict[str, float | None]:
        """The figures of the whole, without those of single signals."""
        return {
            "micro F1": self.micro_f1,
            "macro F1": self.macro_f1,
            "mean average precision": self.mean_average_precision,
            "relevant F1": self.relevant_f1,
            "false alarms": self.false_alarm_rate,
            "calibration error": self.calibration_error,
            "severity exact": self.severity_exact,
            "severity within one": self.severity_within_one,
            "killed exact": self.killed.exact,
            "killed invented": self.killed.invented,
            "injured exact": self.injured.exact,
            "injured invented": self.injured.invented,
            "countries F1": self.countries_f1,
        }


def evaluate_file(
    gold: Path, assessor: Assessor, *, plots: Path | None = None, progress: Progress | None = None
) -> Report:
    """Measures ``assessor`` on an annotated file; with ``plots``, writes the curves as SVG into that folder.

    Raises :class:`~classifiers.errors.ExampleError` where the file cannot be read or is empty.
    """
    examples = read_examples([gold])
    if not examples:
        raise ExampleError(f"{gold}: holds no items")
    assessments: list[Assessment] = []
    for start in range(0, len(examples), _BATCH):
        batch = [example.text for example in examples[start : start + _BATCH]]
        assessments += assessor.assess(batch, explain=False)
        if progress:
            progress("assessing", len(assessments) / len(examples))
    if plots:
        write_plots(plots, examples, assessments)
    return evaluate(examples, assessments)


def evaluate(examples: Sequence[Example], assessments: Sequence[Assessment]) -> Report:
    """Compares assessments with the annotations of the same items, in the same order."""
    gold, raised, probabilities = _arrays(examples, assessments)
    signals = {s: _signal(gold[:, i], raised[:, i], probabilities[:, i]) for i, s in enumerate(SIGNAL_IDS)}
    carried = [f for f in signals.values() if f.support]
    relevant, alarmed = np.any(gold, axis=1), np.any(raised, axis=1)
    exact, near = _severity(examples, assessments)
    return Report(
        items=len(examples),
        signals=signals,
        micro_f1=f1(gold, raised),
        macro_f1=_mean([f.f1 for f in carried]),
        mean_average_precision=_mean([f.average_precision or 0.0 for f in carried]),
        relevant_f1=f1(relevant, alarmed),
        false_alarm_rate=float(alarmed[~relevant].mean()) if (~relevant).any() else 0.0,
        calibration_error=_calibration_error(gold.ravel(), probabilities.ravel()),
        severity_exact=exact,
        severity_within_one=near,
        killed=_toll([(e.killed, e.killed_vague, a.killed) for e, a in zip(examples, assessments, strict=True)]),
        injured=_toll([(e.injured, e.injured_vague, a.injured) for e, a in zip(examples, assessments, strict=True)]),
        countries_f1=_countries(examples, assessments),
    )


def f1(gold: Bools, raised: Bools) -> float:
    """2 tp / (2 tp + fp + fn) over all entries; 0.0 where there is nothing to find and nothing found."""
    hit = int((gold & raised).sum())
    wrong = int((gold ^ raised).sum())
    return 2 * hit / (2 * hit + wrong) if hit + wrong else 0.0


def average_precision(gold: Bools, probabilities: Floats) -> float | None:
    """Mean precision at each positive, going down the ranking; ``None`` without positives."""
    if not gold.any():
        return None
    ranked = gold[np.argsort(-probabilities, kind="stable")]
    precision = np.cumsum(ranked) / np.arange(1, len(ranked) + 1)
    return float(precision[ranked].mean())


def write_plots(folder: Path, examples: Sequence[Example], assessments: Sequence[Assessment]) -> tuple[Path, ...]:
    """Writes ``reliability.svg`` and ``precision-recall.svg`` into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    gold, _, probabilities = _arrays(examples, assessments)
    drawn = {
        "reliability.svg": reliability_svg(gold.ravel(), probabilities.ravel(), BINS),
        "precision-recall.svg": precision_recall_svg(
            {s: (gold[:, i], probabilities[:, i]) for i, s in enumerate(SIGNAL_IDS) if gold[:, i].any()}
        ),
    }
    for name, svg in drawn.items():
        (folder / name).write_text(svg, encoding="utf-8")
    return tuple(folder / name for name in drawn)


def _arrays(examples: Sequence[Example], assessments: Sequence[Assessment]) -> tuple[Bools, Bools, Floats]:
    shape = (len(examples), len(SIGNAL_IDS))
    gold = np.array([[s in e.signals for s in SIGNAL_IDS] for e in examples], dtype=np.bool_).reshape(shape)
    raised = np.array([[s in a.labels for s in SIGNAL_IDS] for a in assessments], dtype=np.bool_).reshape(shape)
    probabilities = np.array([[a.signals[s] for s in SIGNAL_IDS] for a in assessments]).reshape(shape)
    return gold, raised, probabilities


def _signal(gold: Bools, raised: Bools, probabilities: Floats) -> SignalFigures:
    hit = int((gold & raised).sum())
    return SignalFigures(
        support=int(gold.sum()),
        precision=hit / int(raised.sum()) if raised.any() else 0.0,
        recall=hit / int(gold.sum()) if gold.any() else 0.0,
        f1=f1(gold, raised),
        average_precision=average_precision(gold, probabilities),
    )


def _calibration_error(gold: Bools, probabilities: Floats) -> float:
    """Expected calibration error: what is promised less what comes true, averaged over the bins."""
    bins = np.minimum((probabilities * BINS).astype(np.int64), BINS - 1)
    promised = np.bincount(bins, weights=probabilities, minlength=BINS)
    kept = np.bincount(bins, weights=gold.astype(np.float64), minlength=BINS)
    return float(np.abs(promised - kept).sum() / max(1, len(gold)))


def _severity(examples: Sequence[Example], assessments: Sequence[Assessment]) -> tuple[float | None, float | None]:
    pairs = [
        (e.severity, SEVERITIES.index(a.severity) + 1 if a.severity else 0)
        for e, a in zip(examples, assessments, strict=True)
        if e.severity is not None
    ]
    if not pairs:
        return None, None
    return _mean([float(g == p) for g, p in pairs]), _mean([float(abs(g - p) <= 1) for g, p in pairs])


def _toll(rows: Sequence[tuple[int | None, bool, Toll | None]]) -> TollFigures:
    stated = [(gold, read) for gold, _, read in rows if gold is not None]
    silent = [read for gold, vague, read in rows if gold is None and not vague]
    right = sum(read is not None and read.best == gold for gold, read in stated)
    invented = sum(read is not None and read.best is not None for read in silent)
    return TollFigures(
        stated=len(stated),
        exact=right / len(stated) if stated else None,
        invented=invented / len(silent) if silent else None,
    )


def _countries(examples: Sequence[Example], assessments: Sequence[Assessment]) -> float:
    hit = wrong = 0
    for example, assessment in zip(examples, assessments, strict=True):
        if example.signals:
            hit += len(example.countries & set(assessment.countries))
            wrong += len(example.countries ^ set(assessment.countries))
    return 2 * hit / (2 * hit + wrong) if hit + wrong else 0.0


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
