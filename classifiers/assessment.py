"""What the classifier says of one text: the vocabulary that everything above it shares.

All offsets are character offsets (Python ``str`` indices) into the *title* or *summary* exactly as they were given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Field = Literal["title", "summary"]
"""Which part of a text a span lies in."""

Severity = Literal["minor", "moderate", "severe", "extreme"]
"""CAP 1.2's severity words, in rising order; ``None`` stands for "not about conflict"."""

SEVERITIES: tuple[Severity, ...] = ("minor", "moderate", "severe", "extreme")


@dataclass(frozen=True, slots=True)
class Text:
    """One news item as the classifier sees it. ``summary`` may be a whole article: it is read whole."""

    title: str
    summary: str = ""
    language: str | None = None
    """BCP 47 tag when the source states one ("en", "pt-BR"); it is a hint, the text decides."""


@dataclass(frozen=True, slots=True)
class Toll:
    """How many were killed (or injured) in the main violent event the item reports.

    ``best`` is the stated number ("at least 12" is 12; 40 to 50 is 45 with ``low=40, high=50``); ``total`` is a
    cumulative figure stated beside it ("54 more, 158 in all": best 54, total 158); ``words`` is what the item says
    where it gives no number ("dozens"), and then ``best`` is ``None``. Source: UCDP's low/best/high.
    """

    low: int | None = None
    best: int | None = None
    high: int | None = None
    total: int | None = None
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One stated number of people, with who they are and who says so; the parts that a :class:`Toll` is made of."""

    kind: Literal["killed", "injured", "captured", "abducted", "displaced", "fighters"]
    low: int | None
    best: int | None
    high: int | None
    field: Field
    start: int
    end: int
    cumulative: bool = False
    who: str | None = None
    """"soldiers", "civilians", "police", "children", "militants", "attackers", … or ``None``."""
    party: str | None = None
    """ISO country code or plain name of the side they belong to, where stated."""
    claimant: str | None = None
    """By whose account ("Azerbaijan's defence ministry"), where the text says so."""
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A named place in the text. ``country`` is ISO 3166-1 alpha-2 (XK for Kosovo)."""

    name: str
    country: str
    lat: float | None
    lon: float | None
    field: Field
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Claim:
    """Something asserted of the world in a mode other than plain report: who says it and in which mode."""

    mode: Literal["claimed", "denied", "threatened", "demanded", "planned", "hypothetical", "historical", "accused"]
    signal: str | None
    by: str | None
    field: Field
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """A span that made the classifier think so; ``weight`` is its signed share of the signal's log-odds."""

    signal: str
    field: Field
    start: int
    end: int
    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything read in one text. ``signals`` holds all 23 ids; ``labels`` those at or over their thresholds."""

    signals: Mapping[str, float]
    labels: tuple[str, ...]
    severity: Severity | None
    score: float
    """PLOVER-style, -10 (conflict) … +10 (cooperation); 0.0 where no label is raised."""
    killed: Toll | None = None
    injured: Toll | None = None
    figures: tuple[Figure, ...] = ()
    countries: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    claims: tuple[Claim, ...] = ()
    language: str = "und"
    supported: bool = True
    """False where no lexicon or training covers ``language``: probabilities are then a guess and say so."""
    evidence: tuple[Evidence, ...] = ()
    notes: tuple[str, ...] = field(default=())
    """Remarks for a person, e.g. "language ka is not supported"."""
