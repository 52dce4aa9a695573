"""How a story stands on CAP's axes, computed from its parts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.model import Severity, Urgency
from classifiers.assessment import Assessment
from classifiers.taxonomy import VIOLENCE

_NOW = timedelta(hours=12)
_PAST = timedelta(hours=48)
_UNDER_WAY = VIOLENCE | {"casualties", "displacement", "power_seizure", "ceasefire_breakdown", "unrest"}


def severity_of(assessment: Assessment) -> Severity | None:
    """The assessed word as CAP's ordered value."""
    return None if assessment.severity is None else Severity[assessment.severity.upper()]


def severity(parts: Iterable[Severity | None]) -> Severity | None:
    """The highest of the items' severities: each already weighs the number of dead that its item gives."""
    return max((part for part in parts if part is not None), default=None)


def urgency(signals: Iterable[str], newest: datetime, now: datetime) -> Urgency:
    """CAP: immediate (it is going on), expected (it is announced or being talked about), past."""
    age = now - newest
    if age > _PAST:
        return Urgency.PAST
    return Urgency.IMMEDIATE if age <= _NOW and _UNDER_WAY & set(signals) else Urgency.EXPECTED
