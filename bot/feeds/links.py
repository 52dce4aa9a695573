"""Links that may be shown: absolute, http or https, without passwords, hosts in punycode. Pure."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qs, quote, urljoin, urlsplit

from bot.feeds.names import ascii_host, registrable

MAX_LINK = 2048
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]+")
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+", re.IGNORECASE)
_SAFE = "!#$%&'()*+,/:;=?@[]~"
# What nearly all links look like: nothing in them needs a second look.
_USUAL = re.compile(
    r"https?://([a-z0-9-]+(?:\.[a-z0-9-]+)+)(?:/[\w.~:/?#@!$'()*+,;=%-]*(?:&(?!amp;)[\w.~/=%+-]*)*)?\Z", re.ASCII
)
# Link services of aggregators that carry the publisher's address in a parameter.
_WRAPPED = re.compile(r"https?://(?:(?:www\.)?google\.com/url|www\.bing\.com/news/apiclick\.aspx)\?", re.IGNORECASE)
_AGGREGATORS = frozenset(
    (
        "news.google.com",
        "news.yahoo.com",
        "bing.com",
        "www.bing.com",
        "www.google.com",
        "feedproxy.google.com",
        "feeds.feedburner.com",
        "flipboard.com",
        "www.newsbreak.com",
        "t.co",
    )
)


def clean_link(base: str, href: str) -> str:
    """The address that a publisher's link leads to, or ``""`` where it is none that may be shown.

    Relative links are resolved against ``base`` (``xml:base``, or the feed's final URL).
    """
    if len(href) <= MAX_LINK and _USUAL.match(href):
        return _unwrapped(href)
    text = _UNSEEN.sub("", href[: 2 * MAX_LINK]).strip()
    if not text:
        return ""
    if "&amp;" in text:
        text = html.unescape(text)
    try:
        parts = urlsplit(text if text[:4].lower() == "http" and "://" in text[:8] else urljoin(base, text))
        host, port = ascii_host(parts.hostname or ""), parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host):
        return ""
    netloc = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    link = parts._replace(netloc=netloc).geturl()
    if not link.isascii() or any(c in link for c in ' <>"\\^`{|}'):
        link = quote(link, safe=_SAFE)
    return _unwrapped(link) if len(link) <= MAX_LINK else ""


def outlet(link: str, source: str, source_url: str, feed_title: str) -> str:
    """Who published an item: the registrable domain of its link.

    For an aggregator's link that is the source that the item names. Without a link it is the feed's title.
    """
    host = host_of(link)
    if host in _AGGREGATORS:
        named = host_of(source_url)
        if named and named not in _AGGREGATORS:
            return registrable(named)
        if source:
            return source
    return registrable(host) if host else feed_title


def host_of(url: str) -> str:
    """The host of a URL in lower case, or ``""``."""
    usual = _USUAL.match(url)
    if usual:
        return usual[1]
    try:
        return (urlsplit(url.strip()).hostname or "").lower()
    except ValueError:
        return ""


def _unwrapped(link: str) -> str:
    wrapped = _WRAPPED.match(link)
    if not wrapped:
        return link
    query = parse_qs(urlsplit(link).query)
    inner = (query.get("url") or query.get("q") or [""])[0]
    return clean_link("", inner) or link if inner.startswith(("http://", "https://")) else link
