"""The readers of language, tolls, places and claims, as the assessor calls them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from importlib import import_module
from typing import NamedTuple, cast

from classifiers.assessment import Claim, Figure, Place, Text, Toll


class TollReading(NamedTuple):
    """Killed and injured of the main event, and every figure read."""

    killed: Toll | None
    injured: Toll | None
    figures: tuple[Figure, ...]


class PlaceReading(NamedTuple):
    """Countries of the event, and every place named."""

    countries: tuple[str, ...]
    places: tuple[Place, ...]


def _reader(module: str, name: str) -> Callable[..., object] | None:
    try:
        return cast("Callable[..., object]", getattr(import_module(f"classifiers.{module}"), name))
    except (ImportError, AttributeError):
        return None


def detect(text: Text) -> tuple[str, bool]:
    """Language code and whether it is supported."""
    read = _reader("language", "detect")
    return cast("tuple[str, bool]", read(text)) if read else ((text.language or "en")[:2], True)


def read_toll(text: Text, language: str, labels: Collection[str]) -> TollReading:
    """The toll of the main event."""
    read = _reader("tolls", "read_toll")
    return cast(TollReading, read(text, language, labels)) if read else TollReading(None, None, ())


def read_places(text: Text, language: str) -> PlaceReading:
    """Where it happened."""
    read = _reader("places", "read_places")
    return cast(PlaceReading, read(text, language)) if read else PlaceReading((), ())


def read_claims(text: Text, language: str) -> tuple[Claim, ...]:
    """What is claimed, denied, threatened."""
    read = _reader("claims", "read_claims")
    return cast("tuple[Claim, ...]", read(text, language)) if read else ()
