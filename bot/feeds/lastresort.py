"""feedparser, the judge of last resort: slow, and able to read almost anything. Pure."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import cast

from bot.feeds.raw import RawEntry, RawFeed

_STUMBLES = (LookupError, AttributeError, TypeError, ValueError, AssertionError, RecursionError)
"""What feedparser lets escape over some broken documents; it then counts as having found nothing."""


def read(body: bytes, url: str, content_type: str | None) -> RawFeed | None:
    """What feedparser finds, or ``None`` where it finds no entry.

    The body is always wrapped: given text or a path, feedparser would open files and addresses.
    """
    import feedparser

    headers = {"content-location": url}
    if content_type:
        headers["content-type"] = content_type
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            document = feedparser.parse(
                BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
            )
            entries = [_entry(entry) for entry in document.get("entries", ())]
            about: Mapping[str, object] = document.get("feed", {})
        except _STUMBLES:
            return None
    if not entries:
        return None
    return RawFeed(
        entries=entries,
        title=_text(about.get("title")),
        link=_text(about.get("link")),
        language=_text(about.get("language")),
        bozo=bool(document.get("bozo")),
        tier="feedparser",
    )


def _entry(entry: Mapping[str, object]) -> RawEntry:
    source = entry.get("source")
    origin = cast("Mapping[str, object]", source) if isinstance(source, Mapping) else {}
    return RawEntry(
        guid=_text(entry.get("id")),
        title=_text(entry.get("title")),
        link=_text(entry.get("feedburner_origlink")) or _text(entry.get("link")),
        published=_text(entry.get("published")) or _text(entry.get("created")),
        updated=_text(entry.get("updated")),
        texts=_texts(entry),
        source=_text(origin.get("title")),
        source_url=_text(origin.get("href")),
        other=bool(entry),
    )


def _texts(entry: Mapping[str, object]) -> list[str]:
    contents = entry.get("content")
    parts = contents if isinstance(contents, Sequence) and not isinstance(contents, str) else ()
    values = [_text(part.get("value")) for part in parts if isinstance(part, Mapping)]
    return [text for text in (_text(entry.get("summary")), *values) if text]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
