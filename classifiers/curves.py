"""Reliability and precision-recall curves as SVG, written by hand so that nothing needs to be installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import numpy.typing as npt

_SIZE, _MARGIN, _LEGEND = 420, 46, 190
_STEPS = 5

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Points = Sequence[tuple[float, float]]


def reliability_svg(gold: Bools, probabilities: Floats, bins: int) -> str:
    """What was promised against what came true; a calibrated model lies on the diagonal."""
    at = np.minimum((probabilities * bins).astype(np.int64), bins - 1)
    points = [
        (float(probabilities[at == b].mean()), float(gold[at == b].mean())) for b in range(bins) if (at == b).any()
    ]
    body = _line([(0.0, 0.0), (1.0, 1.0)], "#999", dashed=True) + _line(points, "#c33")
    body += "".join(f'<circle cx="{_x(x):.1f}" cy="{_y(y):.1f}" r="3.5" fill="#c33"/>' for x, y in points)
    return _frame("Reliability", "probability given", "share that came true", body, 0)


def precision_recall_svg(curves: Mapping[str, tuple[Bools, Floats]]) -> str:
    """One curve a signal: precision against recall over all thresholds."""
    body = ""
    for number, (signal, (gold, probabilities)) in enumerate(curves.items()):
        colour = f"hsl({number * 360 // max(1, len(curves))},65%,42%)"
        body += _line(_precision_recall(gold, probabilities), colour)
        y = _MARGIN + 12 + number * 16
        body += f'<text x="{_SIZE + 4}" y="{y}" fill="{colour}" font-size="12">{escape(signal)}</text>'
    return _frame("Precision and recall", "recall", "precision", body, _LEGEND)


def _precision_recall(gold: Bools, probabilities: Floats) -> Points:
    ranked = gold[np.argsort(-probabilities, kind="stable")]
    hits = np.cumsum(ranked)
    at = np.flatnonzero(ranked)
    precision = hits[at] / (at + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return [(0.0, float(envelope[0])), *zip((hits[at] / hits[-1]).tolist(), envelope.tolist(), strict=True)]


def _frame(title: str, across: str, up: str, body: str, extra: int) -> str:
    ticks = "".join(
        f'<text x="{_x(v):.0f}" y="{_SIZE - _MARGIN + 16}" text-anchor="middle" font-size="11">{v:.1f}</text>'
        f'<text x="{_MARGIN - 6}" y="{_y(v) + 4:.0f}" text-anchor="end" font-size="11">{v:.1f}</text>'
        for v in (step / _STEPS for step in range(_STEPS + 1))
    )
    span = _SIZE - 2 * _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_SIZE + extra}" height="{_SIZE}" '
        f'font-family="sans-serif" fill="#222"><rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="{_SIZE // 2}" y="24" text-anchor="middle" font-size="15">{title}</text>'
        f'<rect x="{_MARGIN}" y="{_MARGIN}" width="{span}" height="{span}" fill="none" stroke="#888"/>{ticks}'
        f'<text x="{_SIZE // 2}" y="{_SIZE - 8}" text-anchor="middle" font-size="12">{across}</text>'
        f'<text x="14" y="{_SIZE // 2}" text-anchor="middle" font-size="12" '
        f'transform="rotate(-90 14 {_SIZE // 2})">{up}</text>{body}</svg>\n'
    )


def _line(points: Points, colour: str, *, dashed: bool = False) -> str:
    path = " ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in points)
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"{dash}/>'


def _x(value: float) -> float:
    return _MARGIN + value * (_SIZE - 2 * _MARGIN)


def _y(value: float) -> float:
    return _SIZE - _MARGIN - value * (_SIZE - 2 * _MARGIN)
