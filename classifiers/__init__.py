"""Understands news about armed conflict. Usable alone: knows nothing of feeds, stores or chats.

>>> from classifiers import Assessor
>>> assessor = Assessor.load()
>>> (assessment,) = assessor.assess(["Rebels reject the ceasefire offer and shell the town, 14 killed"])
>>> "ceasefire_breakdown" in assessment.labels
True

Serving needs NumPy only; scikit-learn is imported by ``classifiers.train`` alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from classifiers.assessment import (
        SEVERITIES,
        Assessment,
        Claim,
        Evidence,
        Figure,
        Place,
        Severity,
        Text,
        Toll,
    )
    from classifiers.assessor import Assessor
    from classifiers.errors import ClassifierError, ExampleError, ModelError
    from classifiers.render import to_json
    from classifiers.taxonomy import SIGNAL_IDS, SIGNALS, Signal

__all__ = [
    "SEVERITIES",
    "SIGNALS",
    "SIGNAL_IDS",
    "Assessment",
    "Assessor",
    "Claim",
    "ClassifierError",
    "Evidence",
    "ExampleError",
    "Figure",
    "ModelError",
    "Place",
    "Severity",
    "Signal",
    "Text",
    "Toll",
    "to_json",
]

_HOMES = {
    "Assessor": "assessor",
    "ClassifierError": "errors",
    "ExampleError": "errors",
    "ModelError": "errors",
    "SIGNALS": "taxonomy",
    "SIGNAL_IDS": "taxonomy",
    "Signal": "taxonomy",
    "to_json": "render",
}


def __getattr__(name: str) -> object:
    """Imports on first use: whoever needs the vocabulary alone does not pay for NumPy."""
    if name not in __all__:
        raise AttributeError(f"module 'classifiers' has no attribute {name!r}")
    return getattr(import_module(f"classifiers.{_HOMES.get(name, 'assessment')}"), name)
