"""Making other people's text harmless before it is put into a message. Pure.

Titles and summaries come from strangers. What may confuse a reader (bidirectional controls, invisible characters,
stacks of combining marks) is removed; what a chat would act upon (mentions, commands) is spelled with look-alikes;
markup is never built here, it is each channel's own business.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import islice
from urllib.parse import urlsplit, urlunsplit

ELLIPSIS = "…"
MAX_MARKS = 3
"""Combining marks kept on one letter; Hebrew with cantillation needs three, zalgo text has dozens."""

_JOINERS = "\u200c\u200d"
_LINE_BREAKS = "\n\r\x0b\x0c\x85\u2028\u2029"
_EXTENDERS = re.compile("[\u200c\u200d\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")
_MENTION = re.compile(r"@(?=[\w\u200c\u200d])")
_COMMAND = re.compile(r"(?<![\w/])/(?=[A-Za-z])")
_SPACES = re.compile(r"\s+")
_MAX_LINK = 2000


def clean(text: str, limit: int | None = None) -> str:
    """One line of harmless text: no controls, no invisible characters, no zalgo; whitespace collapsed.

    ``limit`` counts characters and cuts at a word where it can, with an ellipsis.
    """
    if limit is not None:
        text = text[: limit * 8 + 1000]
    composed = unicodedata.normalize("NFC", text)
    spaced = "".join(" " if char in _LINE_BREAKS or char == "\t" else char for char in composed)
    tidy = _SPACES.sub(" ", _few_marks(_visible(spaced))).strip()
    return tidy if limit is None else cut(tidy, limit)


def clean_lines(text: str, limit: int | None = None) -> str:
    """As :func:`clean`, but the line breaks stay (for words that the operator wrote)."""
    lines = [clean(line) for line in re.split(r"\r\n|[\n\r\u2028\u2029]", text)]
    joined = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    return joined if limit is None else cut(joined, limit)


def _visible(text: str) -> str:
    """Without control, format, private, surrogate and noncharacters; joiners stay where a script needs them."""
    return "".join(char for index, char in enumerate(text) if _keeps(text, index, char))


def _keeps(text: str, index: int, char: str) -> bool:
    if char < "\x7f":
        return char >= " "
    if char in _JOINERS:
        return 0 < index < len(text) - 1 and _joins(text[index - 1]) and _joins(text[index + 1])
    if ord(char) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(char) <= 0xFDEF:
        return False
    return unicodedata.category(char) not in ("Cc", "Cf", "Co", "Cs") and char not in "\u2800\u3164\uffa0\u115f\u1160"


def _joins(char: str) -> bool:
    """True next to whom a zero-width joiner has a meaning: letters of joining scripts, their marks, emoji."""
    return char > "\u05ff" and unicodedata.category(char)[0] in "LMS"


def _few_marks(text: str) -> str:
    kept: list[str] = []
    run = 0
    for char in text:
        run = run + 1 if unicodedata.category(char) in ("Mn", "Me") and not "\ufe00" <= char <= "\ufe0f" else 0
        if run <= MAX_MARKS:
            kept.append(char)
    return "".join(kept)


def no_mentions(text: str) -> str:
    """Nobody is rung and nothing is run: ``@name`` and ``/command`` are spelled with look-alike signs."""
    return _COMMAND.sub("\u2215", _MENTION.sub("\uff20", text))


def quote(text: str, limit: int) -> str:
    """A stranger's words as they may stand in a chat: clean, short, no mentions, no address that becomes a link."""
    return no_mentions(cut(clean(text, limit * 2).replace("://", "\u2236//"), limit))


def units(text: str) -> int:
    """Length in UTF-16 code units, as Telegram counts."""
    return len(text) + sum(1 for char in text if char > "\uffff")


def cut(text: str, limit: int, *, utf16: bool = False) -> str:
    """At most ``limit`` characters (or UTF-16 units), ended by an ellipsis, never inside one visible character."""
    size = units if utf16 else len
    if size(text) <= limit:
        return text
    if limit < 1:
        return ""
    end = _fitting(text, limit - 1, utf16=utf16)
    while 0 < end < len(text) and _inside(text, end):
        end -= 1
    space = text.rfind(" ", max(0, end - 30), end)
    if space > 0 and not text[end].isspace():
        end = space
    return text[:end].rstrip() + ELLIPSIS


def _fitting(text: str, limit: int, *, utf16: bool) -> int:
    if not utf16:
        return limit
    room = limit
    for index, char in enumerate(islice(text, limit + 1)):
        room -= 2 if char > "\uffff" else 1
        if room < 0:
            return index
    return min(limit, len(text))


def _inside(text: str, at: int) -> bool:
    """True where a cut at ``at`` would split what a reader sees as one character."""
    before, after = text[at - 1], text[at]
    if unicodedata.category(after) in ("Mn", "Me", "Mc") or _EXTENDERS.match(after) or before == "\u200d":
        return True
    if not (_is_flag(before) and _is_flag(after)):
        return False
    run = 0
    while run < at and _is_flag(text[at - 1 - run]):
        run += 1
    return run % 2 == 1


def _is_flag(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def safe_link(link: str) -> str:
    """The link as it may be shown: http or https, no credentials, ASCII host; "" where there is none such."""
    if not link or len(link) > _MAX_LINK or any(char <= " " or unicodedata.category(char) == "Cf" for char in link):
        return ""
    try:
        parts = urlsplit(link)
        port = parts.port
    except ValueError:
        return ""
    host = _ascii_host(parts.hostname or "")
    if parts.scheme.lower() not in ("http", "https") or not host:
        return ""
    netloc = host if port is None else f"{host}:{port}"
    shown = urlunsplit((parts.scheme.lower(), netloc, *(_quote(part) for part in parts[2:])))
    return shown if len(shown) <= _MAX_LINK else ""


def link_host(link: str) -> str:
    """The host of a safe link in ASCII, without ``www.``: punycode shows what a look-alike letter hides."""
    host = urlsplit(safe_link(link)).hostname or ""
    return host.removeprefix("www.")


def _ascii_host(host: str) -> str:
    if ":" in host:
        return f"[{host}]"
    try:
        ascii_host = host.encode("idna").decode("ascii") if not host.isascii() else host
    except UnicodeError:
        return ""
    return ascii_host if re.fullmatch(r"[A-Za-z0-9._-]{1,253}", ascii_host) else ""


def _quote(part: str) -> str:
    """Percent-encode what could end an attribute or a ``<url|text>`` link; leave the rest as the outlet wrote it."""
    return re.sub(r"[<>\"'`|\\{}^\x7f-\uffff\U00010000-\U0010ffff]", _percent, part)


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "replace"))
