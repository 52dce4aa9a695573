"""Dates as publishers write them. Pure; everything comes out as aware UTC or not at all."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
MOST_AHEAD = timedelta(hours=48)

_ISO = re.compile(
    r"(\d{4})-?(\d{1,2})-?(\d{1,2})"
    r"(?:[T\s,]+(\d{1,2}):?(\d{2})(?::?(\d{2})(?:[.,]\d+)?)?\s*(Z|[+-]\d{1,2}:?\d{0,2}|[A-Za-z]{2,5})?)?",
    re.IGNORECASE,
)
_MAIL = re.compile(
    r"(?:[^\W\d_]+\.?(?:,\s*|\s+))?(\d{1,2})\.?(?:\s+(?:de\s+)?|-)([^\W\d_]{3,12})\.?,?(?:\s+(?:de\s+)?|-)(\d{4}|\d{2})\b"
    r"(?:\s*,?\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*([ap]\.?m\.?)?\s*([A-Za-z]{1,5})?\s*([+-]\d{1,2}:?\d{2})?)?",
    re.IGNORECASE,
)
_AMERICAN = re.compile(
    r"(?:[A-Za-z]+\.?,?\s+)?([A-Za-z]{3,9})\.?\s+(\d{1,2}),?\s+(?:(\d{1,2}):(\d{2})(?::(\d{2}))?\s+)?"
    r"(?:([A-Za-z]{2,5})\s+)?(\d{4})(?:[\s,]+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([ap]m)?\s*([A-Za-z]{2,5})?)?",
    re.IGNORECASE,
)
_DOTTED = re.compile(
    r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[\s,]+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([+-]\d{2}:?\d{2}|[A-Za-z]{2,5})?)?"
)
_SLASHED = re.compile(
    r"(\d{4})/(\d{1,2})/(\d{1,2})(?:[T\s,]+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([+-]\d{2}:?\d{2}|[A-Za-z]{2,5})?)?"
)
_EPOCH = re.compile(r"\d{10}(?:\d{3})?\Z", re.ASCII)

# Month names by their beginnings, longest first where two begin alike; English, then what else is met in feeds.
_MONTHS = tuple(
    sorted(
        (
            (start, number)
            for number, starts in enumerate(
                (
                    "jan ene gen янв sty oca січ",
                    "feb fev fév feb фев lut şub лют",
                    "mar mär mrt мар maa bře бер",
                    "apr abr avr апр kwi nis кві",
                    "may mai mag мая май maj mei maí тра",
                    "jun juin giu июн cze haz чер",
                    "jul juil lug июл lip tem лип",
                    "aug ago aoû aou авг sie ağu сер",
                    "sep set сен wrz eyl вер",
                    "oct okt out ott окт paź paz eki жов",
                    "nov ноя lis kas лис",
                    "dec dez dic dis déc дек gru ara гру",
                ),
                start=1,
            )
            for start in starts.split()
        ),
        key=lambda pair: -len(pair[0]),
    )
)
_ENGLISH = dict(zip("jan feb mar apr may jun jul aug sep oct nov dec".split(), range(1, 13), strict=True))
_ZONES = {
    "z": 0, "ut": 0, "utc": 0, "gmt": 0, "wet": 0, "west": 60, "bst": 60, "ist": 330, "cet": 60, "mez": 60, "cest": 120,
    "mesz": 120, "sast": 120, "eet": 120, "eest": 180, "msk": 180, "msd": 240, "trt": 180, "gst": 240, "pkt": 300,
    "wib": 420, "ict": 420, "hkt": 480, "sgt": 480, "awst": 480, "jst": 540, "kst": 540, "aest": 600, "aedt": 660,
    "nzst": 720, "nzdt": 780, "ast": -240, "adt": -180, "est": -300, "et": -300, "edt": -240, "cst": -360, "ct": -360,
    "cdt": -300, "mst": -420, "mdt": -360, "pst": -480, "pt": -480, "pdt": -420, "akst": -540, "hst": -600,
}  # fmt: skip


def parsed(text: str) -> datetime | None:
    """The moment that a text names, or ``None``. Understands RFC 822 and 3339 and their everyday misspellings.

    A missing zone counts as UTC; two-digit years are of 1970 to 2069.
    """
    plain = " ".join(text[:120].split())
    if not plain:
        return None
    for pattern, build in _READERS:
        found = pattern.match(plain)
        if found:
            try:
                return build(found)
            except (ValueError, OverflowError):
                return None
    return None


def believable(when: datetime | None, seen: datetime) -> bool:
    """False for no date and for absurd ones: before 1990, or more than 48 hours after the first sight."""
    return when is not None and EARLIEST <= when <= seen + MOST_AHEAD


def _moment(
    date: tuple[int, int, int], clock: tuple[str | None, ...] = (), zone: str | None = None, half: str | None = None
) -> datetime:
    hour, minute, second = (int(part or 0) for part in (*clock, None, None, None)[:3])
    if half:
        hour = hour % 12 + (12 if half.lower().startswith("p") else 0)
    if hour == 24 and minute == second == 0:
        return datetime(*date, tzinfo=UTC) + timedelta(days=1)
    local = datetime(*date, hour, minute, min(second, 59), tzinfo=UTC)
    return local - timedelta(minutes=_offset(zone))


def _offset(zone: str | None) -> int:
    """Minutes east of Greenwich."""
    if not zone:
        return 0
    if zone[0] in "+-":
        digits = zone[1:].replace(":", "")
        hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
        total = hours * 60 + minutes
        return 0 if total > 14 * 60 else -total if zone[0] == "-" else total
    return _ZONES.get(zone.lower(), 0)


def _month(name: str) -> int:
    lowered = name.lower()
    known = _ENGLISH.get(lowered[:3])
    if known is not None:
        return known
    for start, number in _MONTHS:
        if lowered.startswith(start):
            return number
    raise ValueError(f"no month is called {name[:20]!r}")


def _year(text: str) -> int:
    number = int(text)
    if len(text) > 2:
        return number
    return number + (2000 if number < 70 else 1900)


def _iso(m: re.Match[str]) -> datetime:
    return _moment((int(m[1]), int(m[2]), int(m[3])), (m[4], m[5], m[6]), m[7])


def _mail(m: re.Match[str]) -> datetime:
    return _moment((_year(m[3]), _month(m[2]), int(m[1])), (m[4], m[5], m[6]), m[9] or m[8], m[7])


def _american(m: re.Match[str]) -> datetime:
    clock = (m[3], m[4], m[5]) if m[3] else (m[8], m[9], m[10])
    return _moment((int(m[7]), _month(m[1]), int(m[2])), clock, m[6] or m[12], m[11])


def _dotted(m: re.Match[str]) -> datetime:
    return _moment((int(m[3]), int(m[2]), int(m[1])), (m[4], m[5], m[6]), m[7])


def _epoch(m: re.Match[str]) -> datetime:
    return datetime.fromtimestamp(int(m[0][:10]), UTC)


_READERS = (
    (_EPOCH, _epoch),
    (_MAIL, _mail),
    (_ISO, _iso),
    (_SLASHED, _iso),
    (_DOTTED, _dotted),
    (_AMERICAN, _american),
)
