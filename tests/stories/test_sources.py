"""Who reports, and who is independent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.model import Certainty, Item
from bot.stories import sources, telling

from .builders import item, read, story


@pytest.mark.parametrize(
    ("outlet", "house"),
    [
        ("edition.news.example", "news.example"),
        ("www.news.example", "news.example"),
        ("news.example", "news.example"),
        ("www.paper.co.uk", "paper.co.uk"),
        ("live.paper.co.uk", "paper.co.uk"),
        ("Daily Herald: World", "daily herald: world"),
        ("", ""),
        ("a..b.c", "a..b.c"),
    ],
)
def test_publisher(outlet: str, house: str) -> None:
    """Subdomains of one publisher are one; a title that is no host name stays as it is."""
    assert sources.publisher(outlet) == house


@pytest.mark.parametrize(
    ("title", "summary", "agency"),
    [
        ("Blast in port", "HARBOUR CITY (Reuters) - A blast hit the port.", "Reuters"),
        ("Blast in port - AFP", "", "AFP"),
        ("Взрыв в порту", "(ТАСС) Взрыв прогремел в порту.", "TASS"),
        ("Reuters photographer hurt in blast", "He was taken to hospital.", None),
        ("Blast in port", "The port was hit, AP photos showed later.", None),
    ],
)
def test_wire(title: str, summary: str, agency: str | None) -> None:
    """An agency counts where credits stand, not where it is spoken of."""
    assert sources.wire(item(title, summary)) == agency


def _certainty(*items: Item, official: bool = False) -> Certainty:
    grown = story((items[0], read("bombing")))
    for one in items[1:]:
        grown = telling.advanced(grown, telling.Report(one, read("bombing"), official=official), one.published)
    return grown.certainty


def test_one_publishers_many_feeds_are_one_source() -> None:
    """Two feeds of one house confirm nothing."""
    assert _certainty(item(outlet="a.house.example"), item("Other", outlet="b.house.example")) is Certainty.POSSIBLE


def test_two_papers_with_one_wire_are_one_source() -> None:
    """What two papers take from the same agency, or from the agency itself, is said once."""
    one = item("Blast kills three", "PORT (Reuters) - A blast.", outlet="one.example")
    two = item("Three dead in port", "PORT (Reuters) - Port hit.", outlet="two.example")
    itself = item("Port blast", outlet="reuters.com")
    assert _certainty(one, two, itself) is Certainty.POSSIBLE


def test_certainty_grows() -> None:
    """Possible with one source, likely with two, observed with four or an official body."""
    four = [item(f"Report {n}", outlet=f"{n}.example") for n in "abcd"]
    assert _certainty(*four[:1]) is Certainty.POSSIBLE
    assert _certainty(*four[:2]) is Certainty.LIKELY
    assert _certainty(*four[:3]) is Certainty.LIKELY
    assert _certainty(*four) is Certainty.OBSERVED
    assert _certainty(*four[:2], official=True) is Certainty.OBSERVED


def test_copy_is_listed_but_not_independent() -> None:
    """A copy of a text is a source that confirms nothing."""
    first = story((item(), read("bombing")))
    copy = telling.Report(item(outlet="other.example", key="copy"), read("bombing"), copy=True)
    grown = telling.advanced(first, copy, copy.item.published)
    assert [source.independent for source in grown.sources] == [True, False]
    assert grown.certainty is Certainty.POSSIBLE


def test_same_item_is_one_source() -> None:
    """An item that comes again is not a second source."""
    ref = sources.source_of(item(), None, copy=False, official=False)
    assert sources.add_source((ref,), replace(ref, title="again")) == (ref,)
