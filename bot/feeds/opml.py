"""OPML lists of feeds, in and out. Pure. What comes in is a stranger's file: no DTD, no entities, bounded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from xml.sax.saxutils import quoteattr

from bot.errors import UsageError
from bot.feeds.encoding import to_utf8
from bot.feeds.markup import repaired, trimmed, without_doctype
from bot.feeds.text import clean
from bot.model import Feed, FeedSpec

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_OUTLINES = 50_000
MAX_BYTES = 20 * 2**20
MAX_DEPTH = 32
KINDS = frozenset(("wire", "broadcaster", "newspaper", "news", "official", "monitor", "ngo", "think-tank", "social"))
_MAX_URL = 2048
_MAX_NAME = 200


def read_opml(data: bytes) -> list[FeedSpec]:
    """The feeds of an OPML document, each address once, in its order.

    Folders become tags, outermost first; a ``category`` attribute adds to them. ``kind`` and ``language`` are read
    where they stand. Raises :class:`UsageError` for a document that is no OPML or holds more than 50,000 outlines.
    """
    if len(data) > MAX_BYTES:
        raise UsageError(f"the OPML file is larger than {MAX_BYTES // 2**20} MB")
    body, _ = to_utf8(data, None)
    body, declared = without_doctype(body.lstrip())
    if declared:
        raise UsageError("the OPML file declares entities, which no honest one needs")
    if body.lower().count(b"<outline") > MAX_OUTLINES:
        raise UsageError(f"the OPML file holds more than {MAX_OUTLINES} outlines")
    root = _root(body)
    found: dict[str, FeedSpec] = {}
    for spec in _specs(root):
        found.setdefault(spec.url, spec)
    return list(found.values())


def write_opml(feeds: Iterable[Feed | FeedSpec], title: str) -> bytes:
    """An OPML 2.0 document that :func:`read_opml` reads back alike: tags as nested folders."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<opml version="2.0">',
        f"  <head><title>{_escaped(title)}</title></head>",
        "  <body>",
    ]
    open_tags: tuple[str, ...] = ()
    for feed in _grouped(feeds):
        lines += _folders(open_tags, feed.tags)
        open_tags = tuple(feed.tags)
        lines.append("  " * (len(open_tags) + 2) + _outline(feed))
    lines += _folders(open_tags, ())
    lines += ["  </body>", "</opml>", ""]
    return "\n".join(lines).encode()


# --- in -----------------------------------------------------------------------------------------------------------


def _root(body: bytes) -> _Element:
    from lxml import etree

    for attempt in (trimmed(body), repaired(body)):
        parser = etree.XMLParser(
            encoding="utf-8", resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False,
            remove_comments=True, remove_pis=True, collect_ids=False,
        )  # fmt: skip
        try:
            root = etree.fromstring(attempt, parser)
        except (etree.XMLSyntaxError, ValueError) as error:
            problem = error
            continue
        if _local(root) != "opml":
            raise UsageError(f"the file is not OPML: its root is {_local(root)[:40]!r}")
        return root
    line = getattr(problem, "lineno", None)
    raise UsageError(f"the OPML file cannot be read{f' (line {line})' if line else ''}: not well-formed XML")


def _specs(root: _Element) -> Iterator[FeedSpec]:
    """Depth first, without recursion: each outline with the folders it lies in."""
    body = next((child for child in root.iterchildren("{*}*") if _local(child) == "body"), root)
    waiting: list[tuple[_Element, tuple[str, ...]]] = [(child, ()) for child in reversed(_outlines(body))]
    while waiting:
        element, folders = waiting.pop()
        attributes = {str(name).lower(): str(value) for name, value in element.attrib.items()}
        spec = _spec(attributes, folders)
        if spec is not None:
            yield spec
        name = _name(attributes)
        inner = folders if spec is not None or not name or len(folders) >= MAX_DEPTH else (*folders, name)
        waiting += [(child, inner) for child in reversed(_outlines(element))]


def _spec(attributes: dict[str, str], folders: tuple[str, ...]) -> FeedSpec | None:
    url = "".join(attributes.get("xmlurl", "").split())
    if not _fetchable(url):
        return None
    kind = attributes.get("kind", "").strip().lower()
    language = attributes.get("language", "").strip()
    return FeedSpec(
        url=url,
        title=_name(attributes),
        language=language[:35] or None,
        kind=kind if kind in KINDS else "news",
        tags=tuple(dict.fromkeys((*folders, *_categories(attributes.get("category", ""))))),
    )


def _fetchable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and len(url) <= _MAX_URL
    except ValueError:
        return False


def _categories(written: str) -> Sequence[str]:
    """OPML's comma-separated categories; slashes are paths in it, each step a tag."""
    steps = (step for entry in written.split(",") for step in entry.split("/"))
    return [name for name in (clean(step, _MAX_NAME) for step in steps) if name][:MAX_DEPTH]


def _name(attributes: dict[str, str]) -> str:
    return clean(attributes.get("title") or attributes.get("text") or "", _MAX_NAME)


def _outlines(element: _Element) -> list[_Element]:
    return [child for child in element.iterchildren("{*}*") if _local(child) == "outline"]


def _local(element: _Element) -> str:
    return str(element.tag).rpartition("}")[2].lower()


# --- out ----------------------------------------------------------------------------------------------------------


def _grouped(feeds: Iterable[Feed | FeedSpec]) -> list[Feed | FeedSpec]:
    """In their order, but feeds of one folder together."""
    order: dict[tuple[str, ...], list[Feed | FeedSpec]] = {}
    for feed in feeds:
        order.setdefault(tuple(feed.tags), []).append(feed)
    return [feed for group in order.values() for feed in group]


def _folders(before: tuple[str, ...], after: tuple[str, ...]) -> list[str]:
    """Close and open what lies between two folders."""
    same = 0
    while same < min(len(before), len(after)) and before[same] == after[same]:
        same += 1
    closing = ["  " * (depth + 2) + "</outline>" for depth in range(len(before) - 1, same - 1, -1)]
    opening = ["  " * (depth + 2) + f"<outline text={_attribute(after[depth])}>" for depth in range(same, len(after))]
    return closing + opening


def _outline(feed: Feed | FeedSpec) -> str:
    name = _attribute(feed.title or feed.url)
    parts = [f"text={name}", f"title={_attribute(feed.title)}", 'type="rss"', f"xmlUrl={_attribute(feed.url)}"]
    if feed.language:
        parts.append(f"language={_attribute(feed.language)}")
    parts.append(f"kind={_attribute(feed.kind)}")
    return f"<outline {' '.join(parts)}/>"


def _attribute(text: str) -> str:
    return quoteattr(_legal(text), {"\n": "&#10;", "\t": "&#9;", "\r": "&#13;"})


def _escaped(text: str) -> str:
    return _legal(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _legal(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return "".join(c for c in text if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff" and not _surrogate(c)))


def _surrogate(character: str) -> bool:
    return "\ud800" <= character <= "\udfff"
