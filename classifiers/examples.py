"""Annotated items: one JSON object a line, in training files and in gold files alike.

Keys: ``id``, ``title``, ``summary`` (or ``text`` alone), ``signals`` (list of ids), ``severity`` (0 … 4),
``countries``, and where stated ``language``, ``date``, ``source``, ``killed``, ``killed_low``, ``killed_high``,
``killed_total``, ``killed_words``, ``injured``. See the codebook for what they mean.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TextIO

from classifiers.assessment import Text
from classifiers.errors import ExampleError
from classifiers.taxonomy import BY_ID


@dataclass(frozen=True, slots=True)
class Example:
    """One annotated item. ``severity`` 0 … 4 (``None``: not annotated); ``None`` tolls: not stated."""

    id: str
    text: Text
    signals: frozenset[str]
    severity: int | None = None
    source: str = ""
    date: str = ""
    killed: int | None = None
    injured: int | None = None
    killed_vague: bool = False
    """True where the item gives a toll in words or as a total only: then no number is expected, nor forbidden."""
    injured_vague: bool = False
    countries: frozenset[str] = frozenset()
    weight: float = 1.0
    """How much the item counts in training."""


def read_examples(paths: Iterable[Path]) -> tuple[Example, ...]:
    """Reads annotated files (.jsonl or .jsonl.gz) in the order given.

    Raises :class:`~classifiers.errors.ExampleError` naming file and line where one cannot be read.
    """
    return tuple(example for path in paths for example in _read(path))


def own_examples() -> tuple[Path, ...]:
    """The project's own training files, one a language; empty where the seeds are not installed."""
    folder = Path(str(files("seeds"))) / "training"
    return tuple(sorted(folder.glob("*.jsonl")))


def examples_hash(examples: Sequence[Example]) -> str:
    """Names a set of examples: same items in the same order, same hash."""
    digest = hashlib.sha256()
    for example in examples:
        text = example.text
        line = f"{example.id}\0{text.title}\0{text.summary}\0{sorted(example.signals)}\0{example.severity}\n"
        digest.update(line.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _read(path: Path) -> Iterator[Example]:
    try:
        with _open(path) as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _parse(line, f"{path}:{number}")
    except (OSError, UnicodeDecodeError) as error:
        raise ExampleError(f"{path}: cannot be read: {error}") from error


def _open(path: Path) -> TextIO:
    return gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")


def _parse(line: str, where: str) -> Example:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise ExampleError(f"{where}: not valid JSON: {error}") from error
    if not isinstance(row, dict):
        raise ExampleError(f"{where}: must be a JSON object")
    return example_of(row, where)


def example_of(row: Mapping[str, object], where: str) -> Example:
    """Checks one annotated object; ``where`` names it in errors."""
    title, summary = _string(row, "title", where), _string(row, "summary", where)
    if not title and not summary:
        title = _string(row, "text", where)
    return Example(
        id=_string(row, "id", where) or where,
        text=Text(title, summary, _string(row, "language", where) or None),
        signals=_signals(row, where),
        severity=_number(row, "severity", where, most=4),
        source=_string(row, "source", where),
        date=_string(row, "date", where),
        killed=_number(row, "killed", where),
        injured=_number(row, "injured", where),
        killed_vague=bool(row.get("killed_words") or row.get("killed_total")),
        injured_vague=bool(row.get("injured_words") or row.get("injured_total")),
        countries=frozenset(_strings(row, "countries", where)),
    )


def _string(row: Mapping[str, object], key: str, where: str) -> str:
    value = row.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ExampleError(f"{where}: {key} must be a string")
    return value


def _strings(row: Mapping[str, object], key: str, where: str) -> list[str]:
    value = row.get(key) or []
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise ExampleError(f"{where}: {key} must be a list of strings")
    return value


def _number(row: Mapping[str, object], key: str, where: str, most: int | None = None) -> int | None:
    value = row.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0 or (most is not None and value > most):
        raise ExampleError(f"{where}: {key} must be a whole number, 0 to {most if most is not None else 'any'}")
    return value


def _signals(row: Mapping[str, object], where: str) -> frozenset[str]:
    if "signals" not in row:
        raise ExampleError(f"{where}: lacks signals (an empty list says that there are none)")
    signals = _strings(row, "signals", where)
    unknown = sorted(set(signals) - BY_ID.keys())
    if unknown:
        raise ExampleError(f"{where}: unknown signal {unknown[0]!r}")
    return frozenset(signals)
