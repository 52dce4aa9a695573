"""An assessment as plain JSON values: the contract of ``tocsin score --jsonl``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TypedDict

from classifiers.assessment import Assessment, Toll

TollJson = dict[str, int | None]


class EvidenceJson(TypedDict):
    """One span that made the classifier think so."""

    signal: str
    field: str
    start: int
    end: int
    text: str
    weight: float


class AssessmentJson(TypedDict):
    """One line of ``tocsin score --jsonl``; what stands behind ``evidence`` is more than the contract asks."""

    id: str
    signals: dict[str, float]
    labels: list[str]
    severity: str | None
    score: float
    killed: TollJson | None
    injured: TollJson | None
    countries: list[str]
    language: str
    evidence: list[EvidenceJson]
    figures: list[dict[str, object]]
    places: list[dict[str, object]]
    claims: list[dict[str, object]]
    supported: bool
    notes: list[str]


def to_json(assessment: Assessment, id: str) -> AssessmentJson:  # noqa: A002 - the contract's own word
    """The assessment of the item ``id`` as JSON values."""
    return {
        "id": id,
        "signals": {signal: round(p, 6) for signal, p in assessment.signals.items()},
        "labels": list(assessment.labels),
        "severity": assessment.severity,
        "score": assessment.score,
        "killed": _toll(assessment.killed),
        "injured": _toll(assessment.injured),
        "countries": list(assessment.countries),
        "language": assessment.language,
        "evidence": [
            {"signal": e.signal, "field": e.field, "start": e.start, "end": e.end, "text": e.text, "weight": e.weight}
            for e in assessment.evidence
        ],
        "figures": [asdict(figure) for figure in assessment.figures],
        "places": [asdict(place) for place in assessment.places],
        "claims": [asdict(claim) for claim in assessment.claims],
        "supported": assessment.supported,
        "notes": list(assessment.notes),
    }


def _toll(toll: Toll | None) -> TollJson | None:
    """A toll told in words only ("dozens") has no number: ``best`` is then null."""
    if toll is None:
        return None
    return {"low": toll.low, "best": toll.best, "high": toll.high, "total": toll.total}
