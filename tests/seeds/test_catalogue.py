"""The starter feeds: what a conflict desk would want, whole and well described."""

from __future__ import annotations

from collections import Counter
from importlib import resources
from urllib.parse import urlsplit

from bot.feeds.opml import read_opml, write_opml

SPECS = read_opml(resources.files("seeds").joinpath("feeds.opml").read_bytes())


def test_the_catalogue_is_broad() -> None:
    """At least 150 feeds in at least 12 languages, of every kind that a desk wants, in at least 12 regions."""
    assert len(SPECS) >= 150
    assert len({spec.language for spec in SPECS}) >= 12
    kinds = Counter(spec.kind for spec in SPECS)
    assert all(kinds[kind] >= 5 for kind in ("wire", "broadcaster", "newspaper", "official", "think-tank", "ngo"))
    assert kinds["monitor"] >= 3
    assert len({spec.tags[0] for spec in SPECS}) >= 12


def test_every_feed_is_described() -> None:
    """Each feed has a title, a language, a region and an address of its own."""
    for spec in SPECS:
        assert spec.title
        assert spec.language
        assert spec.tags
        assert urlsplit(spec.url).scheme in ("http", "https")
    assert len({spec.url for spec in SPECS}) == len(SPECS)


def test_the_catalogue_round_trips() -> None:
    """Exporting what was imported gives the same feeds."""
    assert read_opml(write_opml(SPECS, "again")) == SPECS
