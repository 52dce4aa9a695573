"""Telegram's HTML as its server reads it: text, entities with UTF-16 offsets, or the error it would give."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

_TAGS = {
    "b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "a", "code", "pre", "blockquote", "tg-spoiler",
}  # fmt: skip
_NAMES = {"strong": "b", "em": "i", "ins": "u", "strike": "s", "del": "s"}
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)((?:\s+[a-zA-Z-]+(?:\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'))?)*)\s*>")
_HREF = re.compile(r"href\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_ENTITY = re.compile(r"&(?:(lt|gt|amp|quot);|#x([0-9A-Fa-f]{1,6});|#([0-9]{1,7});)")


class MarkupError(Exception):
    """What the Bot API says after "can't parse entities: "."""


@dataclass(frozen=True, slots=True)
class Entity:
    """One styled range, in UTF-16 code units."""

    kind: str
    offset: int
    length: int
    url: str = ""


def units(text: str) -> int:
    """UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def parse_html(source: str) -> tuple[str, list[Entity]]:
    """Text and entities. Raises :class:`MarkupError` for what Telegram refuses."""
    text: list[str] = []
    entities: list[Entity] = []
    stack: list[tuple[str, int, str]] = []
    size = at = 0
    while at < len(source):
        if source[at] == "<":
            match = _TAG.match(source, at)
            offset = len(source[:at].encode())
            if match is None or match[2].lower() not in _TAGS:
                raise MarkupError(f'Unsupported start tag "{source[at + 1 : at + 9]}" at byte offset {offset}')
            _tag(match, stack, entities, size, offset)
            at = match.end()
            continue
        piece, at = _char(source, at)
        text.append(piece)
        size += units(piece)
    if stack:
        raise MarkupError(f'Can\'t find end tag corresponding to start tag "{stack[-1][0]}"')
    return "".join(text), entities


def _char(source: str, at: int) -> tuple[str, int]:
    if source[at] == "&" and (match := _ENTITY.match(source, at)):
        return unescape(match[0]), match.end()
    return source[at], at + 1


def _tag(
    match: re.Match[str], stack: list[tuple[str, int, str]], entities: list[Entity], size: int, offset: int
) -> None:
    name = match[2].lower()
    if not match[1]:
        href = _HREF.search(match[3])
        stack.append((name, size, unescape((href[1] or href[2] or "") if href else "")))
        return
    if not stack:
        raise MarkupError(f"Unexpected end tag at byte offset {offset}")
    opened, start, url = stack.pop()
    if opened != name:
        raise MarkupError(f'Unmatched end tag at byte offset {offset}, expected "</{opened}>", found "</{name}>"')
    if size > start:
        entities.append(Entity(_NAMES.get(name, name), start, size - start, url))
