"""What response headers say, bounded: waits, freshness, kinds of content. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from bot.model import PaceHints

DAY_S = 86_400.0
_VALIDATOR_MAX = 1024
_MAX_AGE = re.compile(r'(?:^|[\s,])(?:s-)?max-?age\s*=\s*"?(\d{1,12})', re.IGNORECASE)
_NO_STORE = re.compile(r"(?:^|[\s,])no-(?:store|cache)\b", re.IGNORECASE)


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds that a ``Retry-After`` asks for (RFC 9110 section 10.2.3), at most 24 h; ``None`` for junk."""
    if value is None:
        return None
    text = value.strip()
    if re.fullmatch(r"\d{1,20}(\.\d{1,20})?", text):
        return min(float(text), DAY_S)
    when = http_date(text)
    if when is None:
        return None
    wait = (when - now).total_seconds()
    return min(wait, DAY_S) if wait > 0 else None


def http_date(value: str | None) -> datetime | None:
    """An HTTP date as aware UTC, or ``None``."""
    if not value:
        return None
    try:
        when = parsedate_to_datetime(value)
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def freshness(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds for which the answer says it stays fresh: ``max-age`` less ``Age``, else ``Expires``; at most 24 h."""
    control = headers.get("cache-control", "")
    if _NO_STORE.search(control):
        return None
    found = _MAX_AGE.search(control)
    if found:
        left = float(found.group(1)) - _age(headers.get("age"))
    else:
        expires = http_date(headers.get("expires"))
        if expires is None:
            return None
        left = (expires - (http_date(headers.get("date")) or now)).total_seconds()
    return min(left, DAY_S) if left > 0 else None


def hints(headers: Mapping[str, str], now: datetime) -> PaceHints:
    """The hints about pace in the headers of a successful answer."""
    return PaceHints(max_age_s=freshness(headers, now), retry_after_s=retry_after(headers.get("retry-after"), now))


def validator(value: str | None) -> str | None:
    """An ``ETag`` or ``Last-Modified`` exactly as it came, or ``None`` where it could not be sent back safely."""
    if not value or len(value) > _VALIDATOR_MAX or any(c in value for c in "\r\n\0"):
        return None
    return value


def _age(value: str | None) -> float:
    return float(value) if value and value.isascii() and value.isdigit() and len(value) < 10 else 0.0
