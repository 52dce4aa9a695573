"""The model's dataclasses to JSON and back.

orjson writes (it knows dataclasses, enums and datetimes), pydantic reads: measured on a story of 4.4 kB 19 µs and
44 µs. The readers are built at first use, so that opening a store does not pay for them.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

import orjson

from bot.errors import StoreError
from classifiers.assessment import Assessment

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")

SIGNAL_DIGITS = 4
"""Decimals kept of a signal's probability; a third of the size of an item's row otherwise."""

LARGEST = 2**63 - 1
"""No larger number is kept: neither JSON readers nor databases agree on what it would mean."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def clean(text: str) -> str:
    """Text that every database takes: NUL and lone surrogates become U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text) if _UNSTORABLE.search(text) else text


def dump(value: object) -> str:
    """JSON of a model value, a mapping or a sequence."""
    try:
        return orjson.dumps(value, default=_plain).decode()
    except TypeError:  # a lone surrogate, an absurd number: rare, so only then look at every part
        return orjson.dumps(_cleaned(value), default=_plain).decode()


class Once:
    """:func:`dump` for one batch, in which ten thousand addresses may hear the very same thing: written once."""

    def __init__(self) -> None:
        self._done: dict[int, tuple[object, str]] = {}

    def __call__(self, value: object) -> str:
        """The JSON of a value; the same object is encoded once."""
        if id(value) not in self._done:
            self._done[id(value)] = (value, dump(value))  # holding the value keeps its id from being used again
        return self._done[id(value)][1]


def load(kind: type[T], text: str) -> T:
    """The value that :func:`dump` wrote. Raises :class:`StoreError` where the text is no such value."""
    try:
        value: T = _reader(cast("Hashable", kind)).validate_json(text)
    except ValueError as error:
        raise StoreError(f"a stored {kind.__name__} cannot be read: {_first_line(error)}") from error
    return value


def dump_assessment(assessment: Assessment) -> str:
    """Compact JSON: probabilities are rounded to :data:`SIGNAL_DIGITS`."""
    body: dict[str, object] = {
        name: value
        for name in _assessment_fields()
        if (value := getattr(assessment, name)) not in (None, (), "und") or name == "labels"
    }
    body["severity"] = assessment.severity
    # a score that is no number reads as "no signal": JSON has no word for it
    body["signals"] = {name: round(p, SIGNAL_DIGITS) if p == p else 0.0 for name, p in assessment.signals.items()}
    return dump(body)


def load_assessment(text: str) -> Assessment:
    """What :func:`dump_assessment` wrote."""
    return load(Assessment, text)


def load_mapping(text: str) -> dict[str, object]:
    """A JSON object as it stands."""
    value = orjson.loads(text)
    if not isinstance(value, dict):
        raise StoreError("a stored object is no object")
    return value


def load_strings(text: str) -> tuple[str, ...]:
    """A JSON list of strings."""
    return tuple(orjson.loads(text))


@cache
def _assessment_fields() -> tuple[str, ...]:
    return tuple(part.name for part in fields(Assessment) if part.name not in ("signals", "severity"))


@cache
def _reader(kind: Hashable) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(cast("type[object]", kind))


def _plain(value: object) -> object:
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be stored")


def _cleaned(value: object) -> object:
    if isinstance(value, str) and type(value) is str:
        return clean(value)
    if is_dataclass(value):
        return {part.name: _cleaned(getattr(value, part.name)) for part in fields(value)}
    if isinstance(value, Mapping):
        return {clean(str(key)): _cleaned(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_cleaned(part) for part in value]
    if type(value) is int:
        return max(-LARGEST, min(LARGEST, value))
    return value


def _first_line(error: ValueError) -> str:
    return " ".join(str(error).split("\n")[:3])[:200]
