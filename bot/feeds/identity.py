"""What makes an entry the same entry at the next poll. Pure."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from bot.feeds.raw import RawEntry

MAX_KEY = 64
_TRACKING = re.compile(
    r"(?:utm_[a-z_]+|at_(?:medium|campaign|link\w*|format|ptr_name|bbc_team|custom\d)|fbclid|gclid|dclid|yclid|igshid"
    r"|mc_[ce]id|_ga|cmpid|ocid|ns_(?:mchannel|source|campaign|linkname|fee)|xtor|ftag|smid|traffic_source|ito"
    r"|_hs\w*|wt\.\w+)",
    re.IGNORECASE,
)


def keys(entries: Sequence[RawEntry], feed_addresses: Iterable[str]) -> list[str]:
    """One key for each entry, at most 64 characters long.

    The key is the guid; where that is missing, or stands on entries that are not the same, it is the link, and where
    that fails too a hash of title and date. Guids and links are compared without regard to case, blanks, http or
    https, and tracking parameters. A guid that is the feed's own address identifies nothing.
    """
    taken = {normal(address) for address in feed_addresses if address}
    all_guids = [normal(entry.guid) for entry in entries]
    all_links = [normal(entry.link) for entry in entries]
    links = _unique(all_links, all_guids, entries, taken)
    guids = _unique(all_guids, all_links, entries, taken)
    return [_key(guid or link or _told(entry)) for guid, link, entry in zip(guids, links, entries, strict=True)]


def normal(name: str) -> str:
    """A guid or link in the form in which two spellings of it are equal."""
    text = "".join(name.split()).lower()
    if not text.isprintable():
        text = "".join(filter(str.isprintable, text))
    scheme, mark, rest = text.partition("://")
    if not mark or scheme not in ("http", "https"):
        return text
    rest, _, fragment = rest.partition("#")
    rest, _, query = rest.partition("?")
    if query:
        query = "&".join(pair for pair in query.split("&") if pair and not _is_tracking(pair))
    if fragment and _is_tracking(fragment):
        fragment = ""
    host, slash, path = rest.partition("/")
    tail = (f"?{query}" if query else "") + (f"#{fragment}" if fragment else "")
    return f"//{_host(host)}{(slash + path).rstrip('/')}{tail}"


def _unique(
    names: Sequence[str], others: Sequence[str], entries: Sequence[RawEntry], taken: Collection[str]
) -> list[str]:
    """The names with those blanked that identify nothing: the feed's own, and those of entries that differ.

    Entries of one name are the same where the other name and the date agree, or without dates the title.
    """
    holders: defaultdict[str, list[int]] = defaultdict(list)
    for index, name in enumerate(names):
        holders[name].append(index)
    useless = {"", *taken}
    for name, indices in holders.items():
        if len(indices) > 1 and len({(others[i], _when(entries[i]) or _told(entries[i])) for i in indices}) > 1:
            useless.add(name)
    return ["" if name in useless else name for name in names]


def _when(entry: RawEntry) -> str:
    return entry.published.strip() or entry.updated.strip()


def _told(entry: RawEntry) -> str:
    words = " ".join((entry.title or entry.summary[:1000]).split())
    return "=" + _hash(f"{words}\n{_when(entry)}")


def _is_tracking(pair: str) -> bool:
    return _TRACKING.fullmatch(pair.partition("=")[0]) is not None


def _host(netloc: str) -> str:
    host = netloc.rpartition("@")[2].removeprefix("www.")
    return host.removesuffix(":80").removesuffix(":443")


def _key(name: str) -> str:
    return name if len(name) <= MAX_KEY and name.isprintable() else "#" + _hash(name)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:40]
