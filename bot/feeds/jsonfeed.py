"""JSON Feed 1.0 and 1.1, tolerant of wrong types: each value is coerced or left out, entry by entry. Pure."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping

from bot.feeds.raw import RawEntry, RawFeed


def read(body: bytes) -> RawFeed | None:
    """The feed in a UTF-8 JSON document, or ``None`` where it is JSON of another kind. ``ValueError`` for no JSON."""
    document = _loaded(body)
    if not isinstance(document, dict):
        return None
    items = document.get("items")
    if not isinstance(items, list):
        if "jsonfeed.org" not in _text(document.get("version")):
            return None
        items = []
    return RawFeed(
        entries=[_entry(item) for item in items if isinstance(item, dict)],
        title=_escaped(document.get("title")),
        link=_text(document.get("home_page_url")),
        language=_text(document.get("language")),
        hub=_hub(document.get("hubs")),
        tier="json",
    )


def _loaded(body: bytes) -> object:
    """The quick parser first; the tolerant one takes lone surrogates and raw control characters as well."""
    import orjson

    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(body, strict=False)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _entry(item: Mapping[str, object]) -> RawEntry:
    texts = [_text(item.get("content_html")), _escaped(item.get("content_text")), _escaped(item.get("summary"))]
    return RawEntry(
        guid=_text(item.get("id")),
        title=_escaped(item.get("title")),
        link=_text(item.get("url")) or _text(item.get("external_url")),
        published=_text(item.get("date_published")),
        updated=_text(item.get("date_modified")),
        texts=[text for text in texts if text],
        language=_text(item.get("language")),
        other=any(item.values()),
    )


def _text(value: object) -> str:
    """A string as it is, a number as its digits, nothing else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _escaped(value: object) -> str:
    """Plain text as markup, so that it reads the same once cleaned."""
    return html.escape(_text(value), quote=False)


def _hub(hubs: object) -> str:
    if not isinstance(hubs, list):
        return ""
    return next((_text(hub.get("url")) for hub in hubs if isinstance(hub, dict) and _text(hub.get("url"))), "")
