"""Who reports a story, and who of them is independent.

Fifty outlets that print one agency's wire are one source. A source is the agency that an item names, else its
publisher; an item whose text is nearly that of another one is a copy of it, whoever prints it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.model import Certainty, Item, SourceRef, Story

from .text import fold, lead

_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "go", "gob", "gov", "gv", "ne", "net", "nom", "or", "org"})
"""Labels under a country code that belong to the registry, not to the publisher ("bbc.co.uk")."""
_COUNTRY_CODE = 2
_MANY = 4
"""So many independent sources are "many" in the sense of CAP's *observed*."""
_MOST_SOURCES = 200
_WIRES = {
    "reuters": "Reuters",
    "associated press": "AP",
    "ap": "AP",
    "afp": "AFP",
    "agence france presse": "AFP",
    "dpa": "dpa",
    "efe": "EFE",
    "ansa": "ANSA",
    "tass": "TASS",
    "тасс": "TASS",
    "interfax": "Interfax",
    "интерфакс": "Interfax",
    "риа новости": "RIA",
    "ria novosti": "RIA",
    "xinhua": "Xinhua",
    "新华社": "Xinhua",
    "anadolu": "Anadolu",
    "kyodo": "Kyodo",
    "yonhap": "Yonhap",
    "pap": "PAP",
    "ukrinform": "Ukrinform",
    "укринформ": "Ukrinform",
    "укрінформ": "Ukrinform",
    "press trust of india": "PTI",
    "pti": "PTI",
    "ians": "IANS",
}
_CREDIT = re.compile(
    r"(?:^|[(\[\n]|[—–-]\s|\bsource:\s|\bсообщает\s|\bпередает\s|\bпередаёт\s)\s*(?:the\s)?(?:"
    + "|".join(re.escape(name) for name in sorted(_WIRES, key=len, reverse=True))
    + r")\s*(?:[)\]]|[—–-]\s|$)"
)


def publisher(outlet: str) -> str:
    """Who stands behind an outlet: the registrable domain of a host name, else the folded name as it is.

    >>> publisher("edition.cnn.com"), publisher("www.bbc.co.uk")
    ('cnn.com', 'bbc.co.uk')
    """
    labels = fold(outlet.strip()).removeprefix("www.").split(".")
    if len(labels) < 3 or not all(labels) or " " in outlet:
        return ".".join(labels)
    double = len(labels[-1]) == _COUNTRY_CODE and labels[-2] in _SECOND_LEVEL
    return ".".join(labels[-3:] if double else labels[-2:])


def wire(item: Item) -> str | None:
    """The agency that an item credits in the places where credits stand ("(Reuters)", "- AP -"), if any."""
    found = _CREDIT.search(f"{fold(item.title)}\n{fold(lead(item.summary))}")
    if found is None:
        return None
    name = re.sub(r"^\W*(?:source:|сообщает|передает|the)?\s*(?:the\s)?|\W+$", "", found.group())
    return _WIRES.get(name)


def origin(item: Item) -> str:
    """Whose report an item is: the agency that it credits or that publishes it, else its publisher."""
    house = publisher(item.outlet)
    agency = wire(item) or _WIRES.get(house.partition(".")[0].removesuffix("news"))
    return f"wire:{agency}" if agency else house


def source_of(item: Item, story: Story | None, *, copy: bool, official: bool) -> SourceRef:
    """The item as a source of its story. ``copy``: its text is nearly that of an item the story holds already."""
    known = _origins(story)
    return SourceRef(
        item_uid=item.uid,
        outlet=item.outlet,
        link=item.link,
        title=item.title,
        at=item.published,
        independent=not copy and not ({origin(item), publisher(item.outlet)} & known),
        official=official,
    )


def add_source(sources: Sequence[SourceRef], new: SourceRef) -> tuple[SourceRef, ...]:
    """The sources with one more, each item once; the first named stays first. Bounded: copies go first."""
    if any(source.item_uid == new.item_uid for source in sources):
        return tuple(sources)
    if len(sources) >= _MOST_SOURCES and not new.independent:
        return tuple(sources)
    return (*sources, new)[:_MOST_SOURCES]


def independent(sources: Sequence[SourceRef]) -> int:
    """How many independent sources a story has."""
    return sum(source.independent for source in sources)


def certainty(sources: Sequence[SourceRef]) -> Certainty:
    """CAP: possible (one source), likely (two independent ones), observed (an official body, or four)."""
    count = independent(sources)
    if count >= _MANY or any(source.official for source in sources):
        return Certainty.OBSERVED
    return Certainty.LIKELY if count > 1 else Certainty.POSSIBLE


def _origins(story: Story | None) -> set[str]:
    """Origins already counted. What an earlier item credited is not kept, so its title is read once more."""
    if story is None:
        return set()
    found = {publisher(source.outlet) for source in story.sources}
    return found | {origin for origin in story.print.get("origins", ()) if isinstance(origin, str)}
