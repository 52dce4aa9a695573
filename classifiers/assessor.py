"""Reads texts: the composition of language, signals, toll, claims, places, severity, score and evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from classifiers.assessment import Assessment, Claim, Evidence, Severity, Text
from classifiers.blas import one_thread
from classifiers.claims import read_claims
from classifiers.cleaning import beginning, clean
from classifiers.errors import ModelError
from classifiers.evidence import spans
from classifiers.keywords import keyword_model
from classifiers.language import detect
from classifiers.lexicon import load_lexicon
from classifiers.model import Reading, SignalModel
from classifiers.places import PlaceReading, read_places
from classifiers.severity import ruled, severity_features, word_of
from classifiers.taxonomy import SIGNAL_IDS, signed_score
from classifiers.tolls import TollReading, read_toll

WORTH_READING = 0.10
"""From this probability of any signal on, tolls, places and claims are read; below it nothing comes of them."""

_T = TypeVar("_T")
_NO_TOLL = TollReading(None, None, ())
_NO_PLACES = PlaceReading((), ())


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the readers of numbers, places and claims found."""

    toll: TollReading = _NO_TOLL
    places: PlaceReading = _NO_PLACES
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessor:
    """Reads news items. Pure and deterministic; loaded once a process, cheap to pickle by its folder.

    Example
    -------
    >>> from classifiers import Assessor
    >>> (assessment,) = Assessor.load().assess(["Shelling kills 12 in the border town, officials say"])
    >>> "remote_strike" in assessment.labels
    True
    """

    model: SignalModel
    notes: tuple[str, ...] = field(default=())
    """Remarks that every assessment carries, e.g. that no model was there."""

    @classmethod
    def load(cls, path: Path | None = None, *, fallback: bool = False) -> Assessor:
        """Loads the model in the folder ``path`` (the shipped one by default).

        Parameters
        ----------
        fallback
            read with hand-written phrases alone where the model cannot be used, and say so in the notes.

        Raises
        ------
        ModelError
            where the model cannot be used and no fallback was asked for.
        """
        try:
            return cls(SignalModel.load(path))
        except ModelError as error:
            if not fallback:
                raise
            return cls(keyword_model(), (f"no model, phrases only: {error}",))

    def assess(self, texts: Sequence[Text | str], *, explain: bool = True) -> list[Assessment]:
        """One assessment a text, in order. Takes any text whatever and never raises on it.

        ``explain=False`` leaves out the evidence, which costs about as much as the scoring.
        """
        with one_thread():
            return [self._assess(Text(text) if isinstance(text, str) else text, explain) for text in texts]

    def _assess(self, text: Text, explain: bool) -> Assessment:
        notes = list(self.notes)
        cleaned = clean(text)
        language, supported = _trying("language", lambda: detect(cleaned), ("und", False), notes)
        if not supported:
            notes.append(f"language {language} is not supported: the probabilities are a guess")
        reading = self.model.read(cleaned, language, load_lexicon(language))
        labels = reading.labels
        facts = self._facts(beginning(cleaned), language, labels, reading, notes)
        return Assessment(
            signals=dict(zip(SIGNAL_IDS, map(float, reading.probabilities), strict=True)),
            labels=labels,
            severity=self._severity(reading, labels, facts),
            score=signed_score(labels),
            killed=facts.toll.killed,
            injured=facts.toll.injured,
            figures=facts.toll.figures,
            countries=facts.places.countries,
            places=facts.places.places,
            claims=facts.claims,
            language=language,
            supported=supported,
            evidence=self._evidence(reading, labels, text) if explain else (),
            notes=tuple(notes),
        )

    def _facts(self, text: Text, language: str, labels: tuple[str, ...], reading: Reading, notes: list[str]) -> _Facts:
        if reading.probabilities.max() < WORTH_READING:
            return _Facts()
        chances = dict(zip(SIGNAL_IDS, map(float, reading.probabilities), strict=True))
        return _Facts(
            toll=_trying("toll", lambda: read_toll(text, language, labels, chances), _NO_TOLL, notes),
            places=_trying("place", lambda: read_places(text, language), _NO_PLACES, notes),
            claims=_trying("claim", lambda: read_claims(text, language), (), notes),
        )

    def _severity(self, reading: Reading, labels: tuple[str, ...], facts: _Facts) -> Severity | None:
        features = severity_features(reading.probabilities, reading.tone, facts.toll.killed)
        level = ruled(self.model.severity(features, reading), labels, facts.toll.killed)
        return word_of(level)

    def _evidence(self, reading: Reading, labels: tuple[str, ...], text: Text) -> tuple[Evidence, ...]:
        found: list[Evidence] = []
        for label in labels:
            window, shares = self.model.shares(reading, SIGNAL_IDS.index(label))
            found.extend(spans(label, window, np.asarray(shares), text))
        return tuple(found)


def _trying(what: str, read: Callable[[], _T], otherwise: _T, notes: list[str]) -> _T:
    """A reader's result; a defect in one reader costs its part of the assessment and is written into the notes."""
    try:
        return read()
    except Exception as error:  # noqa: BLE001 - recorded in the assessment; the item must still be judged
        notes.append(f"the {what} reader failed: {type(error).__name__}: {error}"[:200])
        return otherwise
