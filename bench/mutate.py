"""Ways to spoil bytes, JSON values and settings. Pure: every choice is the given generator's."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

LONGEST = 1_000_000
"""Bytes that a mutated body may have."""

_MARKS = (
    b"<",
    b">",
    b"&",
    b"]]>",
    b"<![CDATA[",
    b"<!--",
    b"-->",
    b"<?xml version='1.0' encoding='utf-16'?>",
    b"<!DOCTYPE a [",
    b"<!ENTITY x SYSTEM 'file:///etc/hostname'>",
    b"&x;",
    b"&#0;",
    b"&#xD800;",
    b"&#x110000;",
    b"&amp;amp;",
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\x1b[2J",
    b"\xe2\x80\xae",
    b"<item>",
    b"</item>",
    b"<entry>",
    b"</channel>",
    b"<rdf:RDF>",
    b"xmlns:a='b'",
    b"xml:base='//x'",
    b"href='javascript:alert(1)'",
    b"Thu, 31 Feb 99999 25:61:61 +9999",
    b"0000-00-00T00:00:00Z",
    b"2026-11-31T24:00:00+99:99",
    b"1e309",
    b"-1",
    b"99999999999999999999",
    b"{",
    b"}",
    b"[",
    b'"items":',
    b"null",
    b"NaN",
    b"http://[::1",
    b"http://a:b@c:99999/",
)

_JUNK: tuple[object, ...] = (
    None,
    True,
    False,
    0,
    -1,
    2**31,
    2**63,
    -(2**63) - 1,
    10**400,
    0.5,
    1e308,
    float("nan"),
    float("inf"),
    "",
    " ",
    "\x00",
    "\ud800",
    "\u202egnirts",
    "/start",
    "/" * 200,
    "👩‍👩‍👧‍👦" * 50,
    "a" * 5000,
    [],
    {},
    [[[[[]]]]],
    {"id": {}},
    ["message"],
)

_SETTINGS = (
    "",
    '"',
    "'''",
    "[",
    "]",
    "[[",
    "{",
    "}",
    "=",
    "# ",
    "\n",
    "-1",
    "0",
    "1e400",
    "nan",
    "inf",
    "9" * 400,
    "true",
    '""',
    "[]",
    "{}",
    "[[[[]]]]",
    '"\\ud800"',
    '"∞"',
    '"5 parsecs"',
    '"-5m"',
    '"999999999999d"',
    "2026-02-30",
    "25:61",
    '"../.."',
    '"\\u0000"',
    '"http://"',
    '"slack:"',
    '"telegram:x"',
    '"*"',
    "a.b.c.d = 1\n",
    "[fetch]\n",
    "[[rules]]\n",
    "[telegram.token]\n",
    "\ufeff",
)


def spoiled_bytes(body: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    """A body with one to eight things wrong."""
    for _ in range(rng.choice((1, 1, 1, 2, 3, 5, 8))):
        body = rng.choice(_BYTE_WAYS)(body, others, rng)[:LONGEST]
    return body


def _span(body: bytes, rng: random.Random, most: int = 4096) -> tuple[int, int]:
    start = rng.randint(0, len(body))
    return start, min(len(body), start + rng.randint(0, most))


def _flip(body: bytes, _others: Sequence[bytes], rng: random.Random) -> bytes:
    changed = bytearray(body)
    for _ in range(rng.randint(1, 20) if body else 0):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _drop(body: bytes, _others: Sequence[bytes], rng: random.Random) -> bytes:
    start, end = _span(body, rng)
    return body[:start] + body[end:]


def _end_early(body: bytes, _others: Sequence[bytes], rng: random.Random) -> bytes:
    return body[: rng.randint(0, len(body))]


def _insert(body: bytes, _others: Sequence[bytes], rng: random.Random) -> bytes:
    place = rng.randint(0, len(body))
    return body[:place] + rng.choice(_MARKS) * rng.choice((1, 1, 1, 2, 50)) + body[place:]


def _repeat(body: bytes, _others: Sequence[bytes], rng: random.Random) -> bytes:
    start, end = _span(body, rng, 512)
    return body[:start] + body[start:end] * rng.choice((2, 3, 30, 1000)) + body[end:]


def _splice(body: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    other = rng.choice(others)
    start, end = _span(other, rng, 20_000)
    place, after = _span(body, rng)
    return body[:place] + other[start:end] + body[after:]


def _nest(body: bytes, _others: Sequence[bytes], rng: random.Random) -> bytes:
    depth, place = rng.choice((10, 300, 5000)), rng.randint(0, len(body))
    opening, closing = rng.choice(((b"<a>", b"</a>"), (b"<item><title>", b""), (b"[", b"]"), (b'{"a":', b"}")))
    return body[:place] + opening * depth + closing * depth + body[place:]


def _recode(body: bytes, _others: Sequence[bytes], rng: random.Random) -> bytes:
    return body.decode("utf-8", "replace").encode(rng.choice(("utf-16", "utf-32-le", "utf-7", "cp1252")), "replace")


_BYTE_WAYS: tuple[Callable[[bytes, Sequence[bytes], random.Random], bytes], ...] = (
    _flip,
    _flip,
    _drop,
    _end_early,
    _insert,
    _insert,
    _insert,
    _repeat,
    _splice,
    _nest,
    _recode,
)


def spoiled_value(value: object, rng: random.Random, words: Sequence[str]) -> object:
    """A JSON value in which some parts are exchanged, lost or renamed; ``words`` are texts that lead deeper."""
    if rng.random() < 0.06:
        return rng.choice(_JUNK)
    if isinstance(value, dict):
        kept = {key: spoiled_value(inner, rng, words) for key, inner in value.items() if rng.random() > 0.03}
        if kept and rng.random() < 0.03:
            kept[rng.choice(("chat", "from", "message", "text", "id"))] = kept.pop(rng.choice(list(kept)))
        return kept
    if isinstance(value, list):
        return [spoiled_value(inner, rng, words) for inner in value] * rng.choice((1, 1, 1, 1, 0, 3))
    if isinstance(value, str) and rng.random() < 0.2:
        return spoiled_text(rng.choice((value, rng.choice(words))), rng)
    return value


def spoiled_text(text: str, rng: random.Random) -> str:
    """Words with something strange in them."""
    place = rng.randint(0, len(text))
    strange = rng.choice([junk for junk in _JUNK if isinstance(junk, str)])
    return rng.choice((text, text[:place], text[:place] + strange + text[place:], text + " " + str(rng.choice(_JUNK))))


def spoiled_settings(text: str, rng: random.Random) -> str:
    """A settings file with one to five lines or values wrong."""
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        text = _spoiled_line(text, rng)
    return text


def _spoiled_line(text: str, rng: random.Random) -> str:
    lines = text.split("\n")
    place = rng.randrange(len(lines))
    key, equals, _ = lines[place].partition("=")
    way = rng.randrange(6)
    if way < 3 and equals:
        lines[place] = f"{key}= {rng.choice(_SETTINGS)}"
    elif way == 3:
        lines.insert(place, rng.choice(lines))
    elif way == 4:
        del lines[place]
    else:
        cut = rng.randint(0, len(lines[place]))
        lines[place] = lines[place][:cut] + rng.choice(_SETTINGS) + lines[place][cut:]
    return "\n".join(lines)
