"""Feeds that a web page names. Pure: one fetched page in, addresses out; nothing is asked for a second time."""

from __future__ import annotations

from selectolax.lexbor import LexborHTMLParser

from bot.feeds.encoding import to_utf8
from bot.feeds.links import clean_link
from bot.model import Fetched

_TYPES = (
    "application/rss+xml",
    "application/atom+xml",
    "application/feed+json",
    "application/rdf+xml",
    "application/json",
    "application/xml",
    "text/xml",
)
_MAX_FOUND = 20
_LOOK = 2_000_000


def discover(page: Fetched) -> list[str]:
    """Addresses of the feeds that a page's ``<link rel="alternate">`` elements name, best first.

    Comment feeds come last. Where the head names none, links in the text that look like feeds are taken.
    """
    body, _ = to_utf8(page.body[:_LOOK], page.content_type)
    tree = LexborHTMLParser(body.decode("utf-8", "replace"))
    base = _base(tree, page.url)
    ranked: list[tuple[int, str]] = []
    for node in tree.css("link[href]"):
        attributes = node.attributes
        rel = (attributes.get("rel") or "").lower().split()
        kind = (attributes.get("type") or "").lower().partition(";")[0].strip()
        if "feed" in rel or ("alternate" in rel and kind in _TYPES and "stylesheet" not in rel):
            link = clean_link(base, attributes.get("href") or "")
            ranked.append((_rank(kind, f"{attributes.get('title') or ''} {link}".lower()), link))
    links = [link for _, link in sorted(ranked, key=lambda pair: pair[0]) if link]
    return list(dict.fromkeys(links or _anchors(tree, base)))[:_MAX_FOUND]


def _base(tree: LexborHTMLParser, url: str) -> str:
    node = tree.css_first("base[href]")
    href = node.attributes.get("href") if node is not None else None
    return clean_link(url, href) or url if href else url


def _rank(kind: str, words: str) -> int:
    later = 10 if "comment" in words or "wp-json" in words or "oembed" in words else 0
    return later + (_TYPES.index(kind) if kind in _TYPES else len(_TYPES))


def _anchors(tree: LexborHTMLParser, base: str) -> list[str]:
    found: list[str] = []
    for node in tree.css("a[href]"):
        href = node.attributes.get("href") or ""
        path = href.lower().partition("?")[0].rstrip("/")
        if path.endswith(
            (".rss", ".atom", "/rss", "/feed", "/atom", "/rss.xml", "/atom.xml", "/feed.xml", "/index.rdf")
        ):
            found.append(clean_link(base, href))
        if len(found) >= _MAX_FOUND:
            break
    return [link for link in found if link]
