"""Styled text as a list of spans, cut to Telegram's limits before any markup exists, so that no cut breaks a tag."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bot.channels.safe import cut, units

Style = Literal["", "b", "i"]

MAX_TEXT_UNITS = 4096
"""Telegram's limit for a text after entity parsing, in UTF-16 code units (WIRE facts)."""
MAX_ENTITIES = 100


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text in one style. ``link`` makes it an anchor; the text is plain, never markup."""

    text: str
    style: Style = ""
    link: str = ""


def line(*spans: Span | str) -> tuple[Span, ...]:
    """One line of spans; "" where all of it is empty."""
    made = tuple(Span(span) if isinstance(span, str) else span for span in spans)
    return made if any(span.text for span in made) else ()


def joined(lines: Iterable[Sequence[Span]]) -> list[Span]:
    """Lines that hold something, one below the other."""
    spans: list[Span] = []
    for row in lines:
        if not row:
            continue
        if spans:
            spans.append(Span("\n"))
        spans.extend(row)
    return spans


def fit(spans: Sequence[Span], limit: int = MAX_TEXT_UNITS) -> list[Span]:
    """The spans within ``limit`` UTF-16 units: the longest unlinked text gives way first."""
    kept = list(spans)
    while (over := sum(units(span.text) for span in kept) - limit) > 0:
        index = max(range(len(kept)), key=lambda at: (not kept[at].link, units(kept[at].text)))
        size = units(kept[index].text)
        kept[index] = replace(kept[index], text=cut(kept[index].text, max(0, size - over), utf16=True))
        if not kept[index].text:
            del kept[index]
    return _few_entities(kept)


def _few_entities(spans: list[Span]) -> list[Span]:
    left = MAX_ENTITIES
    kept: list[Span] = []
    for span in spans:
        marks = bool(span.style) + bool(span.link)
        kept.append(span if marks <= left else Span(span.text))
        left -= marks if marks <= left else 0
    return kept


def as_html(spans: Iterable[Span]) -> str:
    """Telegram's HTML: four named entities, three tags."""
    return "".join(_html(span) for span in spans)


def _html(span: Span) -> str:
    text = escape(span.text)
    if span.link:
        text = f'<a href="{escape(span.link)}">{text}</a>'
    return f"<{span.style}>{text}</{span.style}>" if span.style else text


def escape(text: str) -> str:
    """Escape for Telegram's HTML, text and attribute alike."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def as_text(spans: Iterable[Span]) -> str:
    """The same without styles."""
    return "".join(span.text for span in spans)
