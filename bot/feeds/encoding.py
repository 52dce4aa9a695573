"""Bytes of a feed document, as declared, mis-declared or undeclared, to UTF-8. Pure.

Order of belief: byte-order mark; UTF-8 where non-ASCII bytes happen to be valid UTF-8 (chance almost never makes them
so); the XML declaration; the HTTP charset; Windows-1252; at last UTF-8 with U+FFFD for what cannot be read.
"""

from __future__ import annotations

import codecs
import re

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# The first character of XML or JSON in encodings that are not supersets of ASCII.
_SHAPES = (
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00<\x00", "utf-16-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x00{\x00", "utf-16-be"),
    (b"{\x00", "utf-16-le"),
)
_EBCDIC = b"\x4c\x6f\xa7\x94"
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']\s*([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
# Web practice: these names are used for their Windows supersets.
_WIDER = {"iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254", "gb2312": "gb18030", "gbk": "gb18030",
          "shift_jis": "cp932", "euc_kr": "cp949", "iso8859-11": "cp874", "big5": "cp950"}  # fmt: skip


def to_utf8(body: bytes, content_type: str | None) -> tuple[bytes, bool]:
    """The document in UTF-8 without a byte-order mark, and whether every byte could be read."""
    for mark, name in _BOMS:
        if body.startswith(mark):
            return _marked(body, mark, name)
    for shape, name in _SHAPES:
        if body.startswith(shape):
            return _decoded(body, name)
    if (body.isascii() and b"\x1b" not in body) or _is_utf8(body):
        return body, True
    for name in _candidates(body, content_type):
        try:
            return body.decode(name).encode("utf-8", "replace"), True
        except (UnicodeDecodeError, ValueError):
            continue
    return body.decode("utf-8", "replace").encode(), False


def _candidates(body: bytes, content_type: str | None) -> list[str]:
    declared = _DECLARED.search(body[:1024])
    charset = _CHARSET.search(content_type or "")
    names = [
        _codec(declared.group(1).decode("ascii")) if declared else None,
        _codec(charset.group(1)) if charset else None,
        "cp037" if body.startswith(_EBCDIC) else None,
    ]
    known = [name for name in names if name is not None and name != "utf-8"]
    # A document that says UTF-8 and mostly is gets its few bad bytes replaced rather than all its letters changed.
    return known if _mostly_utf8(body) else [*known, "cp1252"]


def _codec(name: str) -> str | None:
    """Python's name of a text encoding that a document on the wire may be in, or ``None``."""
    try:
        found = codecs.lookup(name.strip()).name
        "".encode(found)
    except (LookupError, UnicodeError, ValueError):
        return None
    if found.startswith(("utf-16", "utf-32", "utf-7", "idna", "punycode", "raw_unicode", "unicode_escape")):
        return None
    return _WIDER.get(found, found)


def _marked(body: bytes, mark: bytes, name: str) -> tuple[bytes, bool]:
    if name == "utf-8":
        rest = body[len(mark) :]
        return (rest, True) if _is_utf8(rest) else (rest.decode("utf-8", "replace").encode(), False)
    return _decoded(body, name)


def _decoded(body: bytes, name: str) -> tuple[bytes, bool]:
    try:
        return body.decode(name).encode("utf-8", "replace"), True
    except UnicodeDecodeError:
        return body.decode(name, "replace").encode("utf-8", "replace"), False


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _mostly_utf8(body: bytes) -> bool:
    """True where valid sequences outnumber bad bytes: other encodings hardly ever form valid ones."""
    wide = [character for character in body[:200_000].decode("utf-8", "replace") if character > "\x7f"]
    return len(wide) > 2 * wide.count("\ufffd")
