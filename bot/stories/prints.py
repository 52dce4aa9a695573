"""What grouping keeps of an item: hashed words with their weights, and a few facts. Small, and stable over restarts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.model import Item
from classifiers.assessment import Assessment

from .sources import publisher
from .text import hashed, lead, words

_MOST_TERMS = 64
_SHORTEST = 2
_TITLE_WEIGHT = 1.5


@dataclass(frozen=True, slots=True)
class Print:
    """One item as grouping sees it."""

    uid: str
    at: datetime
    publisher: int
    """Hash of the publisher's name."""
    terms: tuple[int, ...]
    """Hashes of the distinct words, those of the title first, at most 64."""
    titled: int
    """How many of them stand in the title."""
    numbers: frozenset[int]
    """Those of them that are numbers."""
    labels: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()


def print_of(item: Item, assessment: Assessment | None, now: datetime) -> Print:
    """The print of an item; a publication time in the future counts as now."""
    title = _distinct(words(item.title))
    rest = [word for word in _distinct(words(lead(item.summary))) if word not in set(title)]
    kept = (title + rest)[:_MOST_TERMS]
    return Print(
        uid=item.uid,
        at=min(item.published, now),
        publisher=hashed(publisher(item.outlet)),
        terms=tuple(hashed(word) for word in kept),
        titled=min(len(title), _MOST_TERMS),
        numbers=frozenset(hashed(word) for word in kept if word[0].isdigit()),
        labels=frozenset(assessment.labels) if assessment else frozenset(),
        countries=frozenset(assessment.countries) if assessment else frozenset(),
    )


def weights(shape: Print, rarity: Sequence[float]) -> list[float]:
    """Unit-length weights of the print's terms, given how rare each term is; words of the title count more."""
    raw = [rare * (_TITLE_WEIGHT if n < shape.titled else 1.0) for n, rare in enumerate(rarity)]
    norm = math.sqrt(sum(weight * weight for weight in raw)) or 1.0
    return [weight / norm for weight in raw]


Packed = Mapping[str, "tuple[str, ...] | tuple[int, ...] | tuple[float, ...]"]


def packed(shapes: Sequence[Print]) -> dict[str, tuple[str, ...] | tuple[int, ...] | tuple[float, ...]]:
    """Prints as the plain tuples that a story carries through the store."""
    out: dict[str, tuple[str, ...] | tuple[int, ...] | tuple[float, ...]] = {
        "uids": tuple(shape.uid for shape in shapes),
        "at": tuple(shape.at.timestamp() for shape in shapes),
        "publishers": tuple(shape.publisher for shape in shapes),
        "titled": tuple(shape.titled for shape in shapes),
        "labels": tuple(",".join(sorted(shape.labels)) for shape in shapes),
        "countries": tuple(",".join(sorted(shape.countries)) for shape in shapes),
    }
    for n, shape in enumerate(shapes):
        out[f"terms{n}"] = shape.terms
        out[f"numbers{n}"] = tuple(sorted(shape.numbers))
    return out


def unpacked(fields: Packed) -> list[Print]:
    """The prints of a story as it comes from the store; fields that are missing or odd make no print."""
    return [
        Print(
            uid=str(uid),
            at=datetime.fromtimestamp(float(_at(fields, "at", n, 0.0)), UTC),
            publisher=int(_at(fields, "publishers", n, 0)),
            terms=tuple(int(term) for term in fields.get(f"terms{n}", ())),
            titled=int(_at(fields, "titled", n, 0)),
            numbers=frozenset(int(term) for term in fields.get(f"numbers{n}", ())),
            labels=_set(_at(fields, "labels", n, "")),
            countries=_set(_at(fields, "countries", n, "")),
        )
        for n, uid in enumerate(fields.get("uids", ()))
    ]


def _at(fields: Packed, name: str, n: int, default: float | str) -> float | str:
    values = fields.get(name, ())
    return values[n] if n < len(values) else default


def _set(joined: float | str) -> frozenset[str]:
    return frozenset(part for part in str(joined).split(",") if part)


def _distinct(found: Sequence[str]) -> list[str]:
    return [word for word in dict.fromkeys(found) if len(word) >= _SHORTEST or not word.isascii() or word.isdigit()]
