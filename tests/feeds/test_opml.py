"""OPML in and out."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import UsageError
from bot.feeds.opml import KINDS, MAX_OUTLINES, read_opml, write_opml
from bot.feeds.text import clean
from bot.model import FeedSpec

OPML = """<?xml version="1.0" encoding="UTF-8"?>
<opml version="2.0"><head><title>mine</title></head><body>
  <outline text="Caucasus"><outline text="Local" title="Local outlets">
    <outline type="rss" text="Valley Post" xmlUrl="https://valley.example/feed" language="hy" kind="newspaper"/>
  </outline>
  <outline type="rss" text="t" title="Ministry" xmlURL="https://ministry.example/rss" category="/official/daily,press"/></outline>
  <outline text="a note without an address"/>
  <outline text="Twice" xmlUrl="https://valley.example/feed"/>
  <outline text="Evil" xmlUrl="file:///etc/passwd"/><outline text="Evil" xmlUrl="javascript:alert(1)"/>
</body></opml>"""


def test_folders_become_tags_and_each_address_counts_once() -> None:
    """Titles, languages, kinds, folders and categories are read; what is no http address is left out."""
    assert read_opml(OPML.encode()) == [
        FeedSpec("https://valley.example/feed", "Valley Post", "hy", "newspaper", ("Caucasus", "Local outlets")),
        FeedSpec("https://ministry.example/rss", "Ministry", None, "news", ("Caucasus", "official", "daily", "press")),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1251"])
def test_encodings_of_opml(encoding: str) -> None:
    """OPML comes in the encodings that feeds come in."""
    document = OPML.replace("Valley Post", "Новости").replace("UTF-8", encoding.removesuffix("-sig"))
    assert read_opml(document.encode(encoding))[0].title == "Новости"


def test_a_stray_ampersand_is_forgiven() -> None:
    """The commonest fault of exported lists is repaired."""
    assert read_opml(OPML.replace("Valley Post", "Valley & Post").encode())[0].title == "Valley & Post"


NAME = (
    st.text(min_size=1, max_size=30).map(lambda text: clean(text.replace("<", "").replace("&", ""), 200)).filter(bool)
)
SPEC = st.builds(
    FeedSpec,
    url=st.text("abc?&=%~'.-/", max_size=12).map("https://a.example/{}".format),
    title=NAME,
    language=st.none() | st.sampled_from(["en", "pt-BR", "zh-Hant"]),
    kind=st.sampled_from(sorted(KINDS)),
    tags=st.lists(NAME, max_size=4, unique=True).map(tuple),
)


@settings(max_examples=60)
@given(st.lists(SPEC, max_size=8, unique_by=lambda spec: spec.url), st.text(max_size=40))
def test_what_is_written_is_read_back(specs: list[FeedSpec], title: str) -> None:
    """Export and import round-trip every field; feeds of one folder come together, in their order."""
    back = read_opml(write_opml(specs, title))
    assert sorted(back, key=lambda spec: spec.url) == sorted(specs, key=lambda spec: spec.url)
    assert [spec for spec in back if spec.tags == ()] == [spec for spec in specs if spec.tags == ()]


@given(st.text(max_size=50), st.text(max_size=50), st.lists(st.text(max_size=20), max_size=3))
def test_any_names_make_well_formed_opml(title: str, name: str, tags: list[str]) -> None:
    """Whatever characters titles and tags hold, the export can be read."""
    data = write_opml([FeedSpec("https://a.example/", name, None, "news", tuple(tags))], title)
    assert [spec.url for spec in read_opml(data)] == ["https://a.example/"]


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: f"<opml><body>{text}</body></opml>".encode()))
def test_any_bytes_are_feeds_or_a_usage_error(data: bytes) -> None:
    """No file makes the import raise anything but one clear error."""
    try:
        read_opml(data)
    except UsageError as error:
        assert "\n" not in str(error)  # noqa: PT017  # the message is the property


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("", "cannot be read"),
        ("hello", "cannot be read"),
        ("<rss/>", "not OPML"),
        ("<opml><body><outline", "line 1"),
        ("<opml>\n<body>\n<outline text='a' text='b'/></body></opml>", "line 3"),
    ],
)
def test_a_file_that_is_none_is_named(document: str, words: str) -> None:
    """The error says what is wrong, and in which line."""
    with pytest.raises(UsageError, match=words):
        read_opml(document.encode())


def test_X20_entities_and_external_files_are_refused(tmp_path: Path) -> None:
    """A list that declares entities is refused before anything is expanded or opened."""
    secret = tmp_path / "secret"
    secret.write_text("gold")
    for declaration in (f'<!ENTITY x SYSTEM "file://{secret}">', '<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">'):
        document = f'<!DOCTYPE opml [{declaration}]><opml><body><outline text="&x;" xmlUrl="https://a.example/"/></body></opml>'
        with pytest.raises(UsageError, match="entities"):
            read_opml(document.encode())
    plain = '<!DOCTYPE opml SYSTEM "opml.dtd"><opml><body><outline text="a" xmlUrl="https://a.example/"/></body></opml>'
    assert len(read_opml(plain.encode())) == 1


def test_X20_the_number_of_outlines_is_capped() -> None:
    """50,000 outlines are read; one more is refused, at once."""
    outline = '<outline text="a" xmlUrl="https://a.example/"/>'
    began = time.process_time()
    assert len(read_opml(f"<opml><body>{outline * MAX_OUTLINES}</body></opml>".encode())) == 1
    with pytest.raises(UsageError, match="50000"):
        read_opml(f"<opml><body>{outline * (MAX_OUTLINES + 1)}</body></opml>".encode())
    assert time.process_time() - began < 5


def test_X20_names_are_never_paths_and_nesting_is_bounded() -> None:
    """``../`` in names is text; thousands of nested folders cost little and end in an error or a bounded tag list."""
    evil = '<opml><body><outline text="../../etc"><outline text="../x" xmlUrl="https://a.example/../b"/></outline></body></opml>'
    assert read_opml(evil.encode()) == [FeedSpec("https://a.example/../b", "../x", None, "news", ("../../etc",))]
    deep = (
        "<opml><body>"
        + '<outline text="x">' * 200
        + '<outline xmlUrl="https://a.example/"/>'
        + "</outline>" * 200
        + "</body></opml>"
    )
    assert len(read_opml(deep.encode())[0].tags) <= 32
    tracemalloc.start()
    with pytest.raises(UsageError):
        read_opml(("<opml><body>" + '<outline text="x">' * 49_000).encode())
    assert tracemalloc.get_traced_memory()[1] < 50 * 2**20
    tracemalloc.stop()
