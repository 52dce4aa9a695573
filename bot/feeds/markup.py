"""XML documents made fit to be parsed: no DTD, no junk around the root, no characters that XML forbids. Pure.

Nothing here parses; everything is a bounded pass over bytes. A document without a DTD has no entities to expand and no
external file to name, which disposes of every entity bomb and XXE at once.
"""

from __future__ import annotations

import html.entities
import re
from collections.abc import Iterator

_START = re.compile(rb"<\?xml|<(?:[\w.-]+:)?(?:rss|feed|rdf|channel)[\s>]", re.IGNORECASE)
_PAGE = re.compile(rb"<!doctype|<html|<head|<body", re.IGNORECASE)
_PROLOG = re.compile(rb"\s+|(<!--|<\?)")
_DECLARATION = re.compile(rb"\s*<\?xml[^>]*\?>", re.IGNORECASE)
_ENTRY = re.compile(rb"<(?:[\w.-]+:)?(?:item|entry)[\s/>]", re.IGNORECASE)
_CONTROL = bytes(byte for byte in range(32) if byte not in (9, 10, 13))
_NONCHARS = re.compile(rb"\xef\xbf[\xbe\xbf]")
# Named entities, references to forbidden characters, and lone ampersands.
_AMPERSAND = re.compile(rb"&(?:(\w{2,31});|#(?:0*(\d{1,7})|[xX]0*([0-9a-fA-F]{1,6}));|#?)")
_STEP = re.compile(rb"[\[\]>\"']|<!--")
_XML_NAMES = frozenset((b"amp", b"lt", b"gt", b"quot", b"apos"))
_LOOK = 65_536
_UNCLOSED = 5_000


def without_doctype(body: bytes) -> tuple[bytes, bool]:
    """The document with its DTD cut out, and whether the DTD declared entities."""
    start = _prolog_end(body)
    if body[start : start + 9].lower() != b"<!doctype":
        return body, False
    end = _doctype_end(body, start + 9)
    return body[:start] + body[end:], b"<!ENTITY" in body[start:end]


def trimmed(body: bytes) -> bytes:
    """Without whatever a server printed before the document starts; a web page is left as it is."""
    at = _prolog_end(body)
    found = _START.match(body, at) or _START.search(body, at, at + _LOOK)
    if found is None or found.start() == at or _PAGE.search(body[at : found.start()]):
        return body.lstrip()
    return body[found.start() :]


def repaired(body: bytes) -> bytes:
    """As near to well-formed as can be had without guessing: forbidden characters out, entities and ``&`` resolved."""
    body = _DECLARATION.sub(b"", body, count=1) if body.lstrip().startswith(b"<?xml") else body
    body = body.translate(None, _CONTROL)
    if b"\xef\xbf" in body:
        body = _NONCHARS.sub(b"", body)
    return b"".join(_outside_cdata(body)) if b"&" in body else body


def entry_marks(body: bytes) -> int:
    """How many entries seem to begin in it."""
    return len(_ENTRY.findall(body))


def bounded(body: bytes, most: int) -> tuple[bytes, int]:
    """The document up to its ``most``-th entry, and how many were cut off behind it."""
    total = 0
    cut = None
    for found in _ENTRY.finditer(body):
        total += 1
        if total == most + 1:
            cut = found.start()
    return (body, 0) if cut is None else (body[:cut], total - most)


def bottomless(body: bytes) -> bool:
    """True where most elements, thousands of them, are never closed: nesting that only serves to hurt a parser."""
    opened = body.count(b"<") - body.count(b"<!")
    unclosed = opened - 2 * body.count(b"</") - body.count(b"/>")
    return unclosed > _UNCLOSED and 2 * unclosed > opened


def _outside_cdata(body: bytes) -> Iterator[bytes]:
    """The document in pieces: CDATA sections as they are, the rest with its references resolved."""
    at = 0
    while True:
        start = body.find(b"<![CDATA[", at)
        end = body.find(b"]]>", start) if start >= 0 else -1
        if end < 0:
            yield _AMPERSAND.sub(_resolved, body[at:])
            return
        yield _AMPERSAND.sub(_resolved, body[at:start])
        yield body[start : end + 3]
        at = end + 3


def _resolved(found: re.Match[bytes]) -> bytes:
    name, decimal, hexadecimal = found.groups()
    if name is not None:
        return _named(name, found[0])
    if decimal is not None or hexadecimal is not None:
        code = int(decimal) if decimal is not None else int(hexadecimal, 16)
        return found[0] if _allowed(code) else b""
    return found[0] if len(found[0]) > 2 else b"&amp;" + found[0][1:]


def _named(name: bytes, whole: bytes) -> bytes:
    if name in _XML_NAMES:
        return whole
    letter = html.entities.html5.get(name.decode("ascii", "replace") + ";")
    return letter.encode() if letter else b"&amp;" + whole[1:]


def _allowed(code: int) -> bool:
    return code in (9, 10, 13) or 32 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF


def _prolog_end(body: bytes) -> int:
    """Behind the XML declaration, instructions and comments that may precede a DTD."""
    at = 0
    while True:
        found = _PROLOG.match(body, at)
        if found is None:
            return at
        at = found.end()
        if found[1]:
            close = body.find(b"-->" if found[1] == b"<!--" else b"?>", at)
            if close < 0:
                return len(body)
            at = close + (3 if found[1] == b"<!--" else 2)


def _doctype_end(body: bytes, start: int) -> int:
    """Just behind the DTD's ``>``; quotes and an internal subset in brackets are stepped over."""
    depth, at, end = 0, start, len(body)
    while at < end:
        found = _STEP.search(body, at)
        if found is None:
            return end
        mark, at = found[0], found.end()
        if mark in (b'"', b"'", b"<!--"):
            close = body.find(b"-->" if mark == b"<!--" else mark, at)
            at = end if close < 0 else close + (3 if mark == b"<!--" else 1)
        elif mark == b"[":
            depth += 1
        elif mark == b"]":
            depth = max(0, depth - 1)
        elif depth == 0:
            return at
    return end
