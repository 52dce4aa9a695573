"""Durations and sizes as people write them: ``5m``, ``1h30m``, ``15MiB``."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_BYTES = {"b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 1024, "mib": 1024**2, "gib": 1024**3}
_PART = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d|w)")
_SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,6})?) ?([kmg]i?b|b)?", re.IGNORECASE)


def parse_duration(value: object) -> object:
    """``"1h30m"`` → 90 minutes; a bare number is seconds. Anything else is left to pydantic, or refused by name."""
    if isinstance(value, bool):
        raise ValueError('is not a duration (write "30s", "5m", "2h" or "1d")')  # noqa: TRY004 - pydantic reports ValueError
    if isinstance(value, (int, float)):
        return timedelta(seconds=value)
    if not isinstance(value, str):
        return value
    text = value.strip().lower().replace(" ", "")
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f'"{value}" is not a duration (write "30s", "5m", "2h" or "1d")')
    return timedelta(seconds=sum(float(number) * _SECONDS[unit] for number, unit in parts))


def parse_size(value: object) -> object:
    """``"15MiB"`` → 15728640; a bare number is bytes."""
    if not isinstance(value, str):
        return value
    match = _SIZE.fullmatch(value.strip())
    if match is None:
        raise ValueError(f'"{value}" is not a size (write "500kB" or "15MiB")')
    return int(float(match[1]) * _BYTES[(match[2] or "b").lower()])


def show_duration(value: timedelta) -> str:
    """The shortest exact form: 90 s → ``1m30s``."""
    rest = round(value.total_seconds())
    out = ""
    for unit in ("d", "h", "m", "s"):
        count, rest = divmod(rest, int(_SECONDS[unit]))
        out += f"{count}{unit}" if count else ""
    return out or "0s"


Duration = Annotated[timedelta, BeforeValidator(parse_duration), Field(ge=timedelta(0))]
PositiveDuration = Annotated[timedelta, BeforeValidator(parse_duration), Field(gt=timedelta(0))]
Size = Annotated[int, BeforeValidator(parse_size), Field(ge=1)]
