"""What can be chosen by tapping: presets, regions, severities, ways to be told; and what a choice asks for. Pure.

A choice travels in the buttons' data (``f:cf:AZ:3:n``), so a dialogue needs no memory and survives a restart. Nothing
in it is a right: whatever somebody forges there, he gets a subscription of his own chat and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time

from bot.model import Circle, DigestMode, Filter, QuietHours, Rule, Severity, Subscription
from bot.telegram.needs import Voice, Words

PRESETS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "cf": ("🕊", ("ceasefire_*", "talks", "peace_agreement", "withdrawal", "release", "humanitarian_access")),
    "mc": ("🩸", ("casualties",)),
    "fi": (
        "⚔️",
        ("armed_clash", "remote_strike", "bombing", "civilian_attack", "territory_change", "abduction", "casualties"),
    ),
    "bu": ("🪖", ("mobilisation", "threat", "foreign_involvement", "sanctions", "wmd")),
    "un": ("✊", ("unrest", "power_seizure")),
    "al": ("🌐", ()),
}
"""Code, emoji and signals; no signals is everything."""

REGIONS: Mapping[str, tuple[str, ...]] = {
    "eu": tuple(
        "UA RU BY MD XK RS BA ME MK AL GR CY TR PL LT LV EE FI SE NO DK DE FR GB IE NL BE LU CH AT CZ SK HU RO BG SI "
        "HR IT ES PT MT IS".split()
    ),
    "ca": tuple("AM AZ GE KZ KG TJ TM UZ AF".split()),
    "me": tuple("IL PS LB SY IQ IR YE JO SA AE QA BH KW OM TR EG CY".split()),
    "na": tuple("LY SD EG TN DZ MA EH ML NE BF TD MR".split()),
    "af": tuple(
        "SS ET ER SO DJ CD RW BI UG KE CF CM NG MZ SN GM GN SL LR CI GH TG BJ GA CG AO ZM ZW TZ MW MG ZA NA BW LS SZ "
        "GQ GW KM".split()
    ),
    "sa": tuple("AF PK IN BD LK NP BT MV MM".split()),
    "ea": tuple("CN TW HK KP KR JP MN MM TH KH LA VN PH ID MY SG BN TL PG".split()),
    "am": tuple("HT CO VE EC PE BO MX GT HN SV NI CR PA CU DO JM GY SR BR PY UY AR CL US CA".split()),
}
"""Countries of each region, those with conflict first."""

SEVERITIES: Sequence[tuple[Severity, str]] = (
    (Severity.EXTREME, "🔴"),
    (Severity.SEVERE, "🟠"),
    (Severity.MODERATE, "🟡"),
    (Severity.MINOR, "🔵"),
)
WAYS = ("n", "q", "h", "d")
"""At once; at once but quiet at night; hourly; daily."""

NIGHT = (time(22, 0), time(7, 0))
PLACE_RADIUS_KM = 150.0
_CODE = re.compile(r"[A-Z]{2}")
_DEEP_LINK = re.compile(r"([a-z]{2})(?:-(all|r[a-z]{2}|[A-Z]{2})(?:-([1-4])(?:-([nqhd]))?)?)?")


@dataclass(frozen=True, slots=True)
class Choice:
    """As far as somebody has chosen; empty fields are still open. ``where`` is ``*``, ``r-eu``, ``AZ`` or ``@0``."""

    what: str = ""
    where: str = ""
    severity: Severity | None = None
    way: str = ""

    def data(self, action: str = "f") -> str:
        """As callback data."""
        parts = [action, self.what, self.where, str(int(self.severity)) if self.severity else "", self.way]
        return ":".join(parts).rstrip(":")


def read_choice(parts: Sequence[str]) -> Choice:
    """A choice out of callback data; whatever is no valid choice is left open."""
    what, where, severity, way = (*parts, "", "", "", "")[:4]
    return Choice(
        what=what if what in PRESETS else "",
        where=where if _is_where(where) else "",
        severity=Severity(int(severity)) if severity in ("1", "2", "3", "4") else None,
        way=way if way in WAYS else "",
    )


def _is_where(where: str) -> bool:
    if where == "*" or _CODE.fullmatch(where):
        return True
    return where.removeprefix("r-") in REGIONS if where.startswith("r-") else bool(re.fullmatch(r"@\d", where))


def read_deep_link(payload: str) -> Choice | None:
    """The preset in a ``/start`` payload: ``cf``, ``cf-AZ``, ``al-reu-3``, ``mc-all-4-d``. Anybody may forge one."""
    match = _DEEP_LINK.fullmatch(payload)
    if match is None or match[1] not in PRESETS:
        return None
    where = match[2] or ""
    where = {"": "", "all": "*"}.get(where, f"r-{where[1:]}" if where.startswith("r") else where)
    return read_choice((match[1], where, match[3] or "", match[4] or ""))


def read_words(text: str, voice: Voice) -> Choice:
    """A choice out of typed words: ``ceasefires AZ severe`` in any order, as far as they are understood."""
    choice = Choice()
    for word in text.replace(",", " ").split():
        choice = _with_word(choice, word, voice)
    return choice


def _with_word(choice: Choice, word: str, voice: Voice) -> Choice:
    lower = word.casefold()
    if lower in _SEVERITY_WORDS:
        return replace(choice, severity=_SEVERITY_WORDS[lower])
    if lower in _PRESET_WORDS:
        return replace(choice, what=_PRESET_WORDS[lower])
    code = voice.find_country(word)
    return replace(choice, where=code) if code else choice


_SEVERITY_WORDS = {severity.word: severity for severity, _ in SEVERITIES}
_PRESET_WORDS = {
    "ceasefire": "cf", "ceasefires": "cf", "talks": "cf", "casualties": "mc", "fighting": "fi", "clashes": "fi",
    "buildup": "bu", "build-up": "bu", "unrest": "un", "coups": "un", "everything": "al", "all": "al",
}  # fmt: skip


# --- what a choice means ------------------------------------------------------------------------------------------


def filter_of(choice: Choice, places: Sequence[Circle]) -> Filter:
    """What the choice asks for."""
    countries: tuple[str, ...] = ()
    circles: tuple[Circle, ...] = ()
    if choice.where.startswith("r-"):
        countries = REGIONS[choice.where.removeprefix("r-")]
    elif choice.where.startswith("@"):
        circles = tuple(places[int(choice.where[1:]) : int(choice.where[1:]) + 1])
    elif choice.where not in ("", "*"):
        countries = (choice.where,)
    signals = PRESETS[choice.what][1] if choice.what else ()
    return Filter(signals=signals, min_severity=choice.severity or Severity.MINOR, countries=countries, places=circles)


def describe(choice: Choice, places: Sequence[Circle], voice: Voice, words: Words) -> str:
    """The choice in a few words, also the name of the rule: "Ceasefires and talks · Azerbaijan · severe or worse"."""
    parts = [words.say(f"preset.{choice.what or 'al'}"), where_words(choice.where, places, voice, words)]
    if choice.severity not in (None, Severity.MINOR):
        parts.append(words.say("desk.or_worse", severity=words.say(f"severity.{choice.severity.word}")))
    return " · ".join(parts)


def where_words(where: str, places: Sequence[Circle], voice: Voice, words: Words) -> str:
    """Where, for a reader."""
    if where.startswith("r-"):
        return words.say(f"region.{where.removeprefix('r-')}")
    if where.startswith("@"):
        near = [place.name for place in places][int(where[1:]) : int(where[1:]) + 1]
        return words.say("desk.around", place=voice.quote(near[0], 60) if near else "?")
    return words.say("region.everywhere") if where in ("", "*") else voice.country(where, words.language)


def subscription_of(
    choice: Choice,
    target: str,
    *,
    name: str,
    places: Sequence[Circle],
    zone: str,
    language: str,
    flood_limit: int,
    owner: str,
    now: datetime,
) -> Subscription:
    """The subscription that a finished choice makes. The same choice in the same chat is the same subscription."""
    asked = filter_of(choice, places)
    modes = {"h": DigestMode.HOURLY, "d": DigestMode.DAILY}
    return Subscription(
        id=subscription_id(target, asked),
        target=target,
        rule=Rule(name, asked),
        quiet=QuietHours(*NIGHT, zone) if choice.way == "q" else None,
        digest=modes.get(choice.way, DigestMode.AT_ONCE),
        zone=zone,
        language=language,
        flood_limit=flood_limit,
        created_at=now,
        owner=owner,
    )


def subscription_id(target: str, asked: Filter) -> str:
    """Stable and short: it stands in callback data."""
    digest = hashlib.blake2b(f"{target}|{asked!r}".encode(), digest_size=10).digest()
    return f"tg-{base64.b32encode(digest).decode().lower()}"
