"""Times as people type them: durations, hours of quiet, zones. Pure."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
from datetime import time, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo, available_timezones

LONGEST_PAUSE = timedelta(days=90)
_UNITS = {"m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"(\d{1,4})\s*(min|[mhdw])[a-z]*", re.ASCII)
_CLOCK = re.compile(r"([01]?\d|2[0-4])(?:[:.h]([0-5]\d))?")
_SPAN = re.compile(rf"\s*{_CLOCK.pattern}\s*(?:-|–|—|to)\s*{_CLOCK.pattern}\s*")
_OFFSET = re.compile(r"(?:UTC|GMT)\s*([+-])\s*(\d{1,2})", re.IGNORECASE)


def duration(text: str) -> timedelta | None:
    """ "2h", "30 min", "1d", "2 weeks", "1d 12h" as a time span, at most 90 days; None for anything else."""
    rest = _DURATION.sub("", text.lower())
    if rest.strip(" ,") or not (parts := _DURATION.findall(text.lower())):
        return None
    total = timedelta(seconds=sum(int(number) * _UNITS[unit] for number, unit in parts))
    return min(total, LONGEST_PAUSE) if total else None


def clock(text: str) -> time | None:
    """ "7", "7:30", "07.30" as a time of day; 24 is midnight."""
    match = _CLOCK.fullmatch(text.strip())
    return None if match is None else time(int(match[1]) % 24, int(match[2] or 0))


def span(text: str) -> tuple[time, time, str] | None:
    """ "22-7", "22:30–07:00 Asia/Baku" as start, end and what is left over (a zone)."""
    match = _SPAN.match(text)
    if match is None:
        return None
    start = time(int(match[1]) % 24, int(match[2] or 0))
    end = time(int(match[3]) % 24, int(match[4] or 0))
    return None if start == end else (start, end, text[match.end() :].strip())


def zone(text: str) -> str | None:
    """The IANA zone that somebody typed: "Asia/Baku", "baku", "new york", "UTC+4"; None where there is none such."""
    wanted = text.strip()
    offset = _OFFSET.fullmatch(wanted)
    if offset is not None:
        hours = int(offset[2])
        sign = "-" if offset[1] == "+" else "+"  # Etc/GMT-4 is what everybody calls UTC+4
        return None if hours > 14 else "UTC" if not hours else f"Etc/GMT{sign}{hours}"
    return _zones_by_name().get(_folded(wanted))


@cache
def _zones_by_name() -> dict[str, str]:
    """Whole names and last parts; of several zones with one last part the first by name."""
    names: dict[str, str] = {}
    for name in sorted(available_timezones()):
        names.setdefault(_folded(name.rpartition("/")[2]), name)
    names.update({_folded(name): name for name in available_timezones()})
    return names


def _folded(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()


def zone_at(lat: float, lon: float) -> str:
    """The zone of the nearest principal city in the tz database: right but near borders, so people are asked."""
    return min(_cities(), key=lambda city: _apart(city[0], city[1], lat, lon))[2]


def _apart(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    a, b = math.radians(lat1), math.radians(lat2)
    across = math.radians(lon1 - lon2)
    return math.acos(max(-1.0, min(1.0, math.sin(a) * math.sin(b) + math.cos(a) * math.cos(b) * math.cos(across))))


@cache
def _cities() -> Sequence[tuple[float, float, str]]:
    """Latitude, longitude and name of each zone's city, from the tz database's own table."""
    table = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    rows = csv.reader((line for line in table.splitlines() if not line.startswith("#")), delimiter="\t")
    known = available_timezones()
    return [(*_iso6709(row[1]), row[2]) for row in rows if row[2] in known]


def _iso6709(text: str) -> tuple[float, float]:
    """ "+4023+04951" (degrees, minutes and perhaps seconds) in degrees."""
    match = re.fullmatch(r"([+-])(\d{2})(\d{2})(\d{2})?([+-])(\d{3})(\d{2})(\d{2})?", text)
    if match is None:
        raise ValueError(text)
    lat = int(match[2]) + int(match[3]) / 60 + int(match[4] or 0) / 3600
    lon = int(match[6]) + int(match[7]) / 60 + int(match[8] or 0) / 3600
    return (-lat if match[1] == "-" else lat), (-lon if match[5] == "-" else lon)


def known_zone(name: str) -> bool:
    """True for a zone that this machine knows."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
