"""RSS 0.9x, 1.0 and 2.0, RDF, CDF-like kin and Atom 0.3 and 1.0, read with lxml. Pure.

The reader goes by local names and the few namespaces that matter, at whatever depth entries stand: publishers mix
dialects, misplace items outside the channel and forget to declare prefixes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from bot.feeds.raw import RawEntry, RawFeed

if TYPE_CHECKING:
    from lxml.etree import _Element

_XML = "{http://www.w3.org/XML/1998/namespace}"
_RDF_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
_PREFIXES = {
    "http://purl.org/rss/1.0/modules/content": "content",
    "http://purl.org/dc/elements/1.1": "dc",
    "http://purl.org/dc/elements/1.0": "dc",
    "http://purl.org/dc/terms": "dc",
    "http://purl.org/rss/1.0/modules/dcterms": "dc",
    "http://purl.org/rss/1.0/modules/syndication": "sy",
    "http://www.w3.org/1999/xhtml": "xhtml",
    "http://search.yahoo.com/mrss": "media",
    "http://rssnamespace.org/feedburner/ext/1.0": "feedburner",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "http://www.w3.org/2005/atom": "",
    "http://purl.org/atom/ns": "",
    "http://purl.org/rss/1.0": "",
    "http://my.netscape.com/rdf/simple/0.9": "",
    "http://channel.netscape.com/rdf/simple/0.9": "",
    "http://backend.userland.com/rss": "",
    "http://backend.userland.com/rss2": "",
    "http://blogs.law.harvard.edu/tech/rss": "",
    "http://purl.org/net/rss1.1": "",
    "http://purl.org/rss/2.0": "",
}
_PLAIN = frozenset(("content", "dc", "sy", "xhtml", "media", "feedburner", "itunes", "atom", "dcterms"))
_ENTRIES = frozenset(("item", "entry"))
_ROOTS = frozenset(("rss", "feed", "rdf", "channel"))

_TEXTS = frozenset(
    (
        "description", "summary", "content", "content:encoded", "xhtml:body", "body", "fullitem", "abstract",
        "itunes:summary", "media:description", "dc:description", "subtitle",
    )
)  # fmt: skip
_TITLES = ("title", "dc:title", "media:title", "itunes:title")
_PUBLISHED = ("pubdate", "published", "issued", "dc:date", "dc:issued", "dc:created", "created", "date")
_UPDATED = ("updated", "modified", "dc:modified", "lastbuilddate")
_WANTED = frozenset(
    (*_TITLES, *_PUBLISHED, *_UPDATED, "guid", "id", "dc:identifier", "dc:language", "feedburner:origlink")
)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PERIODS = {"hourly": 3600.0, "daily": 86400.0, "weekly": 604800.0, "monthly": 2592000.0, "yearly": 31536000.0}


class _Names(dict[str, str]):
    """From lxml's tag to a short name (``dc:date``, ``title``), worked out once a tag and document."""

    def __init__(self, default: str | None) -> None:
        super().__init__()
        self._default = default

    def __missing__(self, tag: str) -> str:
        namespace, _, local = tag[1:].rpartition("}") if tag.startswith("{") else ("", "", tag)
        name = self._name(namespace, local.lower())
        self[tag] = name
        return name

    def _name(self, namespace: str, local: str) -> str:
        if not namespace:
            prefix, _, rest = local.rpartition(":")
            if not prefix or prefix in ("atom", "rss", "a10"):
                return rest
            return f"{'dc' if prefix == 'dcterms' else prefix if prefix in _PLAIN else '?'}:{rest}"
        prefix = _PREFIXES.get(namespace.lower().rstrip("/#"), "" if namespace == self._default else "?")
        return f"{prefix}:{local}" if prefix else local


def read(root: _Element, *, based: bool = True) -> RawFeed | None:
    """All that the tree holds, or ``None`` where its root is not a feed's and nothing in it looks like an entry.

    ``based=False`` spares looking for ``xml:base`` in a document that holds none.
    """
    names = _Names(root.nsmap.get(None))
    entries = [element for element in root.iter("{*}*") if names[element.tag] in _ENTRIES]
    top = names[root.tag].rpartition(":")[2]
    if not entries and top not in _ROOTS:
        return None
    feed = RawFeed()
    feed.entries = [_entry(element, names, based) for element in entries]
    _about(feed, _heads(root, names), names)
    if root.get(_XML + "lang") and not feed.language:
        feed.language = root.get(_XML + "lang") or ""
    return feed


def _heads(root: _Element, names: _Names) -> Iterator[_Element]:
    """The elements that describe the feed: children of the root and of its channels, entries left out."""
    for element in root.iterchildren("{*}*"):
        name = names[element.tag]
        if name == "channel":
            yield from (child for child in element.iterchildren("{*}*") if names[child.tag] not in _ENTRIES)
        elif name not in _ENTRIES:
            yield element


def _entry(element: _Element, names: _Names, based: bool) -> RawEntry:
    entry = RawEntry(
        guid=element.get(_RDF_ABOUT) or "",
        language=element.get(_XML + "lang") or "",
        other=len(element) > 0 or bool(element.attrib) or bool((element.text or "").strip()),
    )
    found: dict[str, str] = {}
    links: list[tuple[int, str]] = []
    for child in element.iterchildren("{*}*"):
        name = names[child.tag]
        if name == "link":
            links.append(_link(child))
        elif name in _TEXTS:
            _add_text(entry, child)
        elif name == "source":
            _source(entry, child, names)
        elif name == "media:group":
            _group(entry, child, names)
        elif name in _WANTED and not found.get(name):
            found[name] = _inside(child)
    if element.attrib:
        _channel_definition(element, found, links)
    _settle(entry, found, links)
    if not entry.link and found.get("guid", "").strip().startswith("http") and _is_permalink(element, names):
        entry.link = found["guid"]
    if based:
        entry.base = element.base or ""
    return entry


def _channel_definition(element: _Element, found: dict[str, str], links: list[tuple[int, str]]) -> None:
    """CDF, RSS's forerunner, writes link and date as attributes of the item."""
    attributes = {str(name).lower(): str(value) for name, value in element.attrib.items()}
    if "href" in attributes:
        links.append((1, attributes["href"]))
    if "lastmod" in attributes:
        found.setdefault("updated", attributes["lastmod"])


def _settle(entry: RawEntry, found: dict[str, str], links: list[tuple[int, str]]) -> None:
    entry.guid = found.get("guid") or found.get("id") or entry.guid or found.get("dc:identifier", "")
    entry.title = _first(found, _TITLES)
    entry.published = _first(found, _PUBLISHED)
    entry.updated = _first(found, _UPDATED)
    entry.language = entry.language or found.get("dc:language", "")
    best = max(links, key=lambda pair: pair[0], default=(0, ""))
    entry.link = found.get("feedburner:origlink") or (best[1] if best[0] > 0 else "")


def _first(found: dict[str, str], names: Iterable[str]) -> str:
    return next((found[name] for name in names if found.get(name, "").strip()), "")


def _link(element: _Element) -> tuple[int, str]:
    """A rank (0: not a page to read) and an address; a later link of equal rank does not replace an earlier one."""
    href = element.get("href")
    text = (element.text or "").strip()
    if href is None:
        return (5, text) if text else (0, "")
    rel = (element.get("rel") or "alternate").lower().rpartition("/")[2]
    if rel != "alternate":
        return (1, href) if rel == "related" else (0, "")
    kind = (element.get("type") or "text/html").lower()
    return (4 if "html" in kind else 2), href


def _is_permalink(element: _Element, names: _Names) -> bool:
    guid = next((child for child in element.iterchildren("{*}*") if names[child.tag] == "guid"), None)
    return guid is None or (guid.get("isPermaLink") or "true").strip().lower() != "false"


def _add_text(entry: RawEntry, element: _Element) -> None:
    kind = (element.get("type") or "").lower()
    if "/" in kind and not kind.startswith(("text/", "application/xhtml", "application/xml")):
        return  # a picture in base64, say
    text = _inside(element)
    if text:
        entry.texts.append(text)


def _group(entry: RawEntry, element: _Element, names: _Names) -> None:
    """Video platforms wrap an entry's description in Media RSS's group."""
    for child in element.iterchildren("{*}*"):
        if names[child.tag] == "media:description":
            _add_text(entry, child)


def _source(entry: RawEntry, element: _Element, names: _Names) -> None:
    """RSS: an address and a name. Atom: the feed that the entry was copied from."""
    entry.source = (element.text or "").strip()
    entry.source_url = element.get("url") or ""
    for child in element.iterchildren("{*}*"):
        name = names[child.tag]
        if name == "title":
            entry.source = _inside(child).strip()
        elif name == "link" and not entry.source_url:
            entry.source_url = child.get("href") or (child.text or "").strip()


def _inside(element: _Element) -> str:
    """The element's content: its text, or its markup where it holds elements."""
    if len(element) == 0:
        return element.text or ""
    from lxml import etree

    parts = [element.text or ""]
    parts.extend(etree.tostring(child, encoding="unicode", method="html") for child in element)
    return "".join(parts)


# --- the feed itself ------------------------------------------------------------------------------------------------


def _about(feed: RawFeed, elements: Iterable[_Element], names: _Names) -> None:
    found: dict[str, _Element] = {}
    for element in elements:
        name = names[element.tag]
        if name == "link":
            _feed_link(feed, element)
        else:
            found.setdefault(name, element)
    words = {name: element.text or "" for name, element in found.items()}
    feed.title = _inside(found["title"]) if "title" in found else ""
    feed.language = words.get("language") or words.get("dc:language", "")
    feed.ttl_s = _number(words.get("ttl"), 60.0) or _period(words)
    if "skiphours" in found:
        feed.skip_hours = frozenset(_hours(found["skiphours"]))
    if "skipdays" in found:
        feed.skip_days = frozenset(_days(found["skipdays"]))


def _period(words: Mapping[str, str]) -> float | None:
    """Seconds between updates by RSS 1.0's syndication module."""
    length = _PERIODS.get(words.get("sy:updateperiod", "").strip().lower())
    return None if length is None else length / (_number(words.get("sy:updatefrequency"), 1.0) or 1.0)


def _feed_link(feed: RawFeed, element: _Element) -> None:
    href, rel = element.get("href"), (element.get("rel") or "alternate").lower()
    if rel == "hub":
        feed.hub = feed.hub or href or ""
    elif rel == "alternate" and not feed.link:
        feed.link = (href or element.text or "").strip()


def _number(text: str | None, unit: float) -> float | None:
    digits = (text or "").strip()
    return int(digits) * unit if digits.isascii() and digits.isdigit() and len(digits) < 12 else None


def _hours(element: _Element) -> Iterator[int]:
    for child in element.iterchildren("{*}*"):
        hour = _number(child.text, 1.0)
        if hour is not None and hour <= 24:
            yield int(hour) % 24


def _days(element: _Element) -> Iterator[int]:
    for child in element.iterchildren("{*}*"):
        day = (child.text or "").strip().lower()
        if day in _DAYS:
            yield _DAYS.index(day)
