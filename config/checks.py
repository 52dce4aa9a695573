"""Checks of single values, each with a message that says what to write instead."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Collection
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, SecretStr

from classifiers.taxonomy import SIGNAL_IDS

# ISO 3166-1 alpha-2, with XK (Kosovo) which the codebook uses
COUNTRY_CODES = frozenset(
    """AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR
    GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO
    JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR
    MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO
    RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV
    TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW""".split()
)


def nearest(word: str, known: Collection[str]) -> str:
    """``, did you mean "x"?`` for the nearest known word, or nothing."""
    close = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f', did you mean "{close[0]}"?' if close else ""


def _signal(value: str) -> str:
    stem = value.rstrip("*")
    if value.endswith("*") and any(name.startswith(stem) for name in SIGNAL_IDS):
        return value
    if value not in SIGNAL_IDS:
        raise ValueError(f'"{value}" is not a signal{nearest(value, SIGNAL_IDS) or " (see `tocsin signals`)"}')
    return value


def _country(value: str) -> str:
    code = value.upper()
    if code not in COUNTRY_CODES:
        raise ValueError(f'"{value}" is not an ISO 3166-1 alpha-2 country code (Armenia is "AM")')
    return code


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (OSError, KeyError, ValueError) as error:
        raise ValueError(f'"{value}" is not a time zone (write "Asia/Yerevan")') from error
    return value


def _web_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is not an http or https address")
    return value


def _secret_url(value: SecretStr) -> SecretStr:
    _web_url(value.get_secret_value())
    return value


def _network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value, strict=False))
    except ValueError as error:
        raise ValueError(f'"{value}" is not a network (write "10.0.0.0/8" or "fd00::/8")') from error


def _token(value: SecretStr) -> SecretStr:
    # Never repeats the value: what was pasted here may be half a real token.
    if value.get_secret_value() and not re.fullmatch(r"\d{1,20}:[A-Za-z0-9_-]{1,100}", value.get_secret_value()):
        raise ValueError("is not a bot token (BotFather gives one like 123456:ABC…)")
    return value


def _listen(value: str) -> str:
    host, colon, port = value.rpartition(":")
    if value and (not colon or not host or not port.isdigit() or int(port) > 65535):
        raise ValueError(f'"{value}" is not host:port (write "127.0.0.1:8787", or "" to switch it off)')
    return value


def _channel(value: str) -> str:
    kind, _, address = value.partition(":")
    kinds = {"console", "telegram", "slack", "webhook", "apprise"}
    if kind not in kinds:
        raise ValueError(f'"{value}" names no channel{nearest(kind, kinds) or " (console, slack:NAME, telegram:ID …)"}')
    if kind == "telegram" and not re.fullmatch(r"(-?\d{1,20}|@\w{4,32})(/\d{1,12})?", address):
        raise ValueError(f'"{value}" is not telegram:CHAT-ID (write "telegram:-1001234567890")')
    if kind not in ("console", "telegram") and not address:
        raise ValueError(f'"{value}" lacks a name (write "{kind}:NAME")')
    return value


def _name(value: str) -> str:
    if not re.fullmatch(r"[\w.-]{1,64}", value):
        raise ValueError(f'"{value}" is not a name (letters, digits, "-", "_" and ".")')
    return value


def _clock(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError(f'"{value}" is not a time of day (write "23:00")')
    return value


SignalGlob = Annotated[str, AfterValidator(_signal)]
Country = Annotated[str, AfterValidator(_country)]
Zone = Annotated[str, AfterValidator(_zone)]
WebUrl = Annotated[str, AfterValidator(_web_url)]
SecretUrl = Annotated[SecretStr, AfterValidator(_secret_url)]
Network = Annotated[str, AfterValidator(_network)]
Token = Annotated[SecretStr, AfterValidator(_token)]
Listen = Annotated[str, AfterValidator(_listen)]
ChannelName = Annotated[str, AfterValidator(_channel)]
Name = Annotated[str, AfterValidator(_name)]
ClockTime = BeforeValidator(_clock)
