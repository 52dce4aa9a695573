"""What every reader of a format brings home, before anything is cleaned: the publisher's own strings."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class RawEntry:
    """One entry as it stands in the document. Empty strings where it says nothing."""

    guid: str = ""
    title: str = ""
    link: str = ""
    base: str = ""
    """``xml:base`` in force at the entry, where it differs from the document's address."""
    published: str = ""
    updated: str = ""
    texts: list[str] = field(default_factory=list)
    """Descriptions and contents, as markup."""
    source: str = ""
    source_url: str = ""
    language: str = ""
    other: bool = False
    """True where it holds anything else that a person might call content."""

    @property
    def summary(self) -> str:
        """The first description."""
        return self.texts[0] if self.texts else ""

    @property
    def empty(self) -> bool:
        """True where nothing in it could be shown or told apart."""
        return not (self.title.strip() or self.link.strip() or self.guid.strip() or any(map(str.strip, self.texts)))


@dataclass(slots=True)
class RawFeed:
    """A document's entries in their order, and what it says about itself."""

    entries: list[RawEntry] = field(default_factory=list)
    title: str = ""
    link: str = ""
    language: str = ""
    ttl_s: float | None = None
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()
    hub: str = ""
    bozo: bool = False
    tier: str = "fast"
    left_out: int = 0
    """Entries beyond what was read at all."""
