"""The parser against documents that are broken, hostile or strange, fault by fault."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import time
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import ParseError
from bot.feeds import lastresort
from bot.feeds.check import probe
from bot.feeds.parse import parse_feed
from bot.model import FeedSpec, Fetched, Item, ParsedFeed
from tests.feeds.conftest import NOW, RSS

URL = "https://valley.example/news/feed.xml"


def fetched(body: bytes | str, url: str = URL, content_type: str | None = None) -> Fetched:
    data = body.encode() if isinstance(body, str) else body
    feed = replace(probe(FeedSpec(url, title="Valley"), NOW), id=7)
    return Fetched(feed, url, data, NOW, content_type=content_type)


def parse(body: bytes | str, **options: object) -> ParsedFeed:
    return parse_feed(fetched(body), **options)  # type: ignore[arg-type]


def rss(*items: str, head: str = "") -> str:
    wrapped = "".join(f"<item>{item}</item>" for item in items)
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>V</title>{head}{wrapped}</channel></rss>'


def one(item: str) -> Item:
    return parse(rss(item)).items[0]


BILLION = (
    '<!DOCTYPE rss [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(12))
    + "]>"
)


@pytest.mark.parametrize(
    "document",
    [
        '<?xml version="1.0"?>' + BILLION + "<rss><channel><item><title>bomb &m;</title></item></channel></rss>",
        '<?xml version="1.0"?>'
        + BILLION
        + '<rss><channel><item><title>bomb</title><a href="&m;"/></item></channel></rss>',
        '<!DOCTYPE rss [<!ENTITY a "'
        + "x" * 100_000
        + '">]><rss><channel><item><title>bomb '
        + "&a;" * 10_000
        + "</title></item></channel></rss>",
        '<!DOCTYPE r [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;]><rss><channel><item><title>bomb</title></item></channel></rss>',
    ],
    ids=["billion laughs", "in an attribute", "quadratic", "parameter entity"],
)
def test_F01_entity_bombs_cost_nothing_and_are_recorded(document: str) -> None:
    """Entities of a DTD are never expanded: the item is read in a moment, and the document counts as malformed."""
    began = time.process_time()
    tracemalloc.start()
    try:
        parsed = parse(document)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert parsed.items[0].title.startswith("bomb")
    assert parsed.bozo
    assert len(parsed.items[0].title) < 600
    assert time.process_time() - began < 2
    assert peak < 20 * 2**20


@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE rss [<!ENTITY x SYSTEM "file://{path}">]><rss><channel><item><title>t&x;</title></item></channel></rss>',
        '<!DOCTYPE rss SYSTEM "file://{path}"><rss><channel><item><title>t</title></item></channel></rss>',
        '<rss xmlns:xi="http://www.w3.org/2001/XInclude"><channel><item><title>t<xi:include href="file://{path}"/></title></item></channel></rss>',
        '<?xml-stylesheet href="file://{path}"?><rss><channel><item><title>t</title></item></channel></rss>',
        # broken, so that the later tiers see it too
        '<!DOCTYPE rss [<!ENTITY x SYSTEM "file://{path}">]><rss><channel><item><title>t&x; & <b></title></item></channel>',
    ],
    ids=["entity", "dtd", "xinclude", "stylesheet", "broken"],
)
def test_F02_no_file_is_read_on_a_documents_word(tmp_path: Path, document: str) -> None:
    """External entities, DTDs and inclusions are left alone in every tier: the secret stays where it is."""
    secret = tmp_path / "secret.txt"
    secret.write_text("gold in the cellar")
    before = os.stat(secret).st_atime_ns
    parsed = parse(document.replace("{path}", str(secret)))
    assert "gold" not in repr(parsed)
    assert parsed.items[0].title.startswith("t")
    assert os.stat(secret).st_atime_ns == before


@pytest.mark.parametrize(
    "document",
    [
        "<rss><channel>" + "<a>" * 200_000,
        "<rss><channel><item><title>kept</title></item>" + "<a>" * 200_000 + "</channel></rss>",
        "<a>" * 200_000,
        rss("<title>kept</title><description>" + "&lt;div&gt;" * 200_000 + "deep</description>"),
        '{"version": "https://jsonfeed.org/version/1", "items": ' + "[" * 200_000 + "]" * 200_000 + "}",
    ],
    ids=["unclosed", "after an item", "no feed", "in a description", "json"],
)
def test_F03_deep_nesting_is_refused_or_survived_quickly(document: str) -> None:
    """200,000 nested elements cost well under two seconds in every tier, and end in items or in a named error."""
    began = time.process_time()
    try:
        items = parse(document).items
    except ParseError:
        items = ()
    assert time.process_time() - began < 2
    assert all(item.title == "kept" for item in items)


def test_F04_of_too_many_items_the_newest_are_kept() -> None:
    """100,000 items are cut to the cap in a few seconds; the newest stay, in their order, and the rest is counted."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    dates = [start + timedelta(minutes=n) for n in range(100_000)]
    document = rss(
        *(f"<title>n {n}</title><pubDate>{when:%a, %d %b %Y %H:%M:%S} GMT</pubDate>" for n, when in enumerate(dates))
    )
    began = time.process_time()
    parsed = parse(document)
    assert time.process_time() - began < 5
    assert len(parsed.items) == 2000
    assert parsed.dropped == 98_000
    assert parsed.bozo
    few = parse(
        rss(*(f"<title>n {n}</title><pubDate>{n % 28 + 1:02d} Jan 2026 00:00 GMT</pubDate>" for n in range(50))),
        max_items=10,
    )
    assert {item.published.day for item in few.items} <= set(range(21, 29))
    assert [int(item.title.split()[1]) for item in few.items] == sorted(
        int(item.title.split()[1]) for item in few.items
    )
    assert (len(few.items), few.dropped) == (10, 40)


@pytest.mark.parametrize(
    "character", ["\x00", "\x01", "\x08", "\x0b", "\x1f", "&#0;", "&#x1;", "&#8;", "&#xFFFE;", "\ufffe"]
)
def test_F06_forbidden_characters_are_stripped_and_the_item_kept(character: str) -> None:
    """NUL and control characters, raw or by reference, vanish from titles, summaries and keys."""
    item = one(f"<title>Sh{character}ells</title><description>n{character}ear</description><guid>g{character}</guid>")
    assert (item.title, item.summary, item.key) == ("Shells", "near", "g")


def test_F06_json_may_hold_characters_that_xml_cannot() -> None:
    """NUL, lone surrogates and direction overrides in a JSON Feed are stripped as well."""
    body = json.dumps(
        {"version": "1", "items": [{"id": "a\u0000", "title": "Sh\u0000el\u202els \ud800", "content_text": "\u200bx"}]}
    )
    item = parse(body).items[0]
    assert (item.title, item.summary, item.key) == ("Shells", "x", "a")


CYRILLIC = rss("<title>Обстрел у моста</title><guid>a1</guid><link>https://valley.example/a1</link>")
ARABIC = rss("<title>قصف قرب الجسر</title><guid>a1</guid>")


@pytest.mark.parametrize(
    ("document", "encoding", "declared", "content_type"),
    [
        (CYRILLIC, "windows-1251", "windows-1251", None),
        (CYRILLIC, "koi8-r", "koi8-r", None),
        (CYRILLIC, "windows-1251", None, "text/xml; charset=windows-1251"),
        (CYRILLIC, "utf-8", "iso-8859-1", None),
        (CYRILLIC, "utf-8", "windows-1251", "text/xml; charset=iso-8859-1"),
        (CYRILLIC, "utf-8", None, None),
        (CYRILLIC, "utf-8-sig", "utf-16", None),
        (CYRILLIC, "utf-16", "utf-16", None),
        (CYRILLIC, "utf-16-le", None, None),
        (CYRILLIC, "utf-16-be", "utf-8", None),
        (CYRILLIC, "utf-32", None, None),
        (CYRILLIC, "utf-8", "no-such-encoding", None),
        (CYRILLIC, "utf-8", "utf-16", None),
        (ARABIC, "windows-1256", "windows-1256", "application/rss+xml"),
    ],
)
def test_F08_mis_declared_encodings_are_read(
    document: str, encoding: str, declared: str | None, content_type: str | None
) -> None:
    """Declared, mis-declared, marked or undeclared: the letters come out right."""
    head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    body = (head + document.partition("?>")[2]).encode(encoding)
    title = parse_feed(fetched(body, content_type=content_type)).items[0].title
    assert title in ("Обстрел у моста", "قصف قرب الجسر")


def test_F08_a_few_bad_bytes_cost_a_few_letters() -> None:
    """In a UTF-8 document with some broken bytes only those become U+FFFD."""
    body = (
        CYRILLIC.replace("guid>a1", "guid>a1")
        .encode()
        .replace("моста".encode(), "мос\x00та".encode().replace(b"\x00", b"\xff"))
    )
    parsed = parse(body)
    assert parsed.items[0].title == "Обстрел у мос\ufffdта"
    assert parsed.bozo


def test_F08_bad_bytes_do_not_turn_the_good_letters_into_others() -> None:
    """A mostly valid UTF-8 document is not taken for Windows-1252 because of a stray byte."""
    assert (
        parse(rss("<title>Café à côté</title>").encode().replace(b" \xc3\xa0", b" \xff")).items[0].title
        == "Café \ufffd côté"
    )


def test_F08_a_later_fixed_encoding_brings_no_second_item() -> None:
    """The key does not depend on letters that a wrong encoding would garble."""
    garbled = parse(CYRILLIC.encode().decode("latin-1").encode()).items[0]
    right = parse(CYRILLIC).items[0]
    assert garbled.title != right.title
    assert garbled.key == right.key


@pytest.mark.parametrize(
    "document",
    [
        rss("<title>A & B</title><link>https://a.example/?a=1&b=2</link>"),
        rss("<title>A &amp; B</title><link>https://a.example/?a=1&amp;b=2</link>").replace("</channel>", ""),
        rss("<title>A &amp; B</title><link>https://a.example/?a=1&amp;b=2</link><x:y>z</x:y>"),
        rss("<title>A &amp; B</title><link><![CDATA[https://a.example/?a=1&b=2]]></link><p>&nbsp;&eacute;</p>"),
        "<br>\nWarning: something in line 3\n"
        + rss("<title>A &amp; B</title><link>https://a.example/?a=1&amp;b=2</link>"),
        rss("<title>A &amp; B</title><link>https://a.example/?a=1&amp;b=2</link><b>").replace("</item>", "</b></item>")
        + "trailing <junk",
        "\n\n  " + rss("<title>A &amp; B</title><link>https://a.example/?a=1&amp;b=2</link>"),
        rss("<title>A &amp; B</title><link>https://a.example/?a=1&amp;b=2</link><description>x<br>y</description>"),
    ],
)
def test_F09_malformed_but_readable_documents_keep_their_items(document: str) -> None:
    """Lone ampersands, missing ends, undeclared prefixes, HTML entities and junk around the root lose no item and no link."""
    parsed = parse(document)
    assert [(item.title, item.link) for item in parsed.items] == [("A & B", "https://a.example/?a=1&b=2")]


def test_F09_malformed_documents_are_counted() -> None:
    """``bozo`` tells a malformed document from a well-formed one, and ``tier`` who read it."""
    assert (parse(rss("<title>a</title>")).bozo, parse(rss("<title>a</title>")).tier) == (False, "fast")
    broken = parse(rss("<title>a & b</title>"))
    assert (broken.bozo, broken.tier) == (True, "lxml")


def test_F09_what_only_feedparser_reads_is_read_by_it() -> None:
    """The last tier is reached where the second finds fewer entries than seem to begin."""
    parsed = parse(
        '<rss><channel about="<item><title>one</title></item><item><title>two</title></item></channel></rss>'
    )
    assert [item.title for item in parsed.items] == ["one", "two"]
    assert (parsed.tier, parsed.bozo) == ("feedparser", True)


def test_F09_items_without_a_root_are_read() -> None:
    """A document whose root ended early, or that has none, keeps the items behind."""
    items = "<item><title>one</title></item><item><title>two</title></item>"
    assert [item.title for item in parse(items).items] == ["one", "two"]
    late = f"<rss><channel><title>V</title></channel></rss>{items}"
    assert [(item.title) for item in parse(late).items] == ["one", "two"]
    assert parse(late).tier == "lxml"


@pytest.mark.parametrize(
    "token",
    [
        b"<![CDATA[",
        b"<!--",
        b"&",
        b"<a/>",
        b"<a></a>",
        b"<item ",
        b"<item><link/></item>",
        b"<!",
        b"<!ENTITY a 'b'>",
        b"<?",
        b"<item>",
    ],
)
@pytest.mark.parametrize("start", [b"", b"<rss><channel><item><title>x</title></item>"])
def test_F03_endless_repetition_costs_little(start: bytes, token: bytes) -> None:
    """Any token of markup, repeated over a third of a megabyte, is done with in a moment."""
    began = time.process_time()
    with contextlib.suppress(ParseError):
        parse(start + token * (300_000 // len(token)))
    assert time.process_time() - began < 1


def test_F03_the_slow_tier_sees_a_bounded_body(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a huge broken document feedparser gets no more than it can read within a worker's time."""
    given: list[int] = []
    monkeypatch.setattr(lastresort, "read", lambda body, _url, _kind: given.append(len(body)))
    with pytest.raises(ParseError):
        parse("<rss><!-- <item></item>" + "word " * 1_000_000)
    assert given == [3 * 2**20]


def test_F10_without_a_guid_the_link_or_else_title_and_date_identify() -> None:
    """Keys without guids are stable over polls and over what is added around them."""
    linked, told = (
        "<title>a</title><link>https://a.example/x</link>",
        "<title>b</title><pubDate>1 Mar 2026 10:00 GMT</pubDate>",
    )
    first = [item.key for item in parse(rss(linked, told)).items]
    again = [item.key for item in parse(rss("<title>new</title>", told, linked)).items]
    assert first == [again[2], again[1]]
    assert first[0] == "//a.example/x"
    assert len(set(again)) == 3


def test_F11_missing_fields_have_stand_ins_and_empty_entries_are_counted() -> None:
    """No title: the summary's beginning; no date: first sight; nothing at all: dropped and counted."""
    parsed = parse(
        rss("<description>Shells fell. " + "More. " * 100 + "</description>", "", "  ", "<title>only</title>")
    )
    untitled, only = parsed.items
    assert untitled.title.startswith("Shells fell. More.")
    assert len(untitled.title) <= 140
    assert (only.published, only.dated, only.link, only.summary) == (NOW, False, "", "")
    assert only.outlet == "V"
    assert parsed.dropped == 2


def test_F13_a_constant_guid_falls_back_to_the_link_or_title() -> None:
    """One guid on every item identifies none of them."""
    same = "<guid>https://a.example/feed</guid>"
    keys = [
        item.key
        for item in parse(
            rss(*(f"{same}<title>t{n}</title><link>https://a.example/{n}</link>" for n in range(3)))
        ).items
    ]
    assert keys == [f"//a.example/{n}" for n in range(3)]
    bare = [item.key for item in parse(rss(*(f"{same}<title>t{n}</title>" for n in range(3)))).items]
    assert len(set(bare)) == 3
    lonely = one(f"<guid>{URL}</guid><link>https://valley.example/7</link><title>t</title>")
    assert lonely.key == "//valley.example/7"


def test_F13_an_entry_that_is_listed_twice_stays_one() -> None:
    """A guid that stands twice on the same link and date is still that entry's key."""
    twice = "<guid>g1</guid><title>t</title><link>https://a.example/1</link><pubDate>2026-03-01</pubDate>"
    assert [item.key for item in parse(rss(twice, twice.replace("<title>t", "<title>T2"))).items] == ["g1", "g1"]


@pytest.mark.parametrize(
    "guid",
    [
        "HTTPS://Valley.example/A1", " https://valley.example/a1\n", "http://www.valley.example/a1/",
        "https://valley.example/a1?utm_source=rss&amp;utm_medium=feed", "https://valley.example/a1?fbclid=xyz",
        "https://valley.example/a1#xtor=RSS-3", "https://valley.example:443/a1?at_medium=RSS&amp;at_campaign=K",
    ],
)  # fmt: skip
def test_F14_spellings_of_one_guid_are_one_key(guid: str) -> None:
    """Case, blanks, http or https, www and tracking parameters do not make another item."""
    assert one(f"<guid>{guid}</guid><title>t</title>").key == "//valley.example/a1"
    assert one("<guid>https://valley.example/a1?id=2</guid><title>t</title>").key == "//valley.example/a1?id=2"


def test_F16_oversized_fields_are_bounded() -> None:
    """A megabyte of guid, title, link and summary becomes a small item whose key is a hash, the same every time."""
    big = "x" * 1_000_000
    text = f"<guid>{big}</guid><title>{big}</title><link>https://a.example/{big}</link><description>{'w ' * 500_000}</description>"
    first, second = one(text), one(text)
    assert first.key == second.key
    assert len(first.key) <= 64
    assert len(first.title) == 500
    assert len(first.summary) <= 20_000
    assert first.link == ""


@pytest.mark.parametrize(
    "date",
    ["Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "0", "Sat, 14 Mar 2026 08:00:00 +99999", "garbage",
     "2026-13-45", "2026-03-17T10:00:00Z", "0000-00-00T00:00:00Z", "99999999999999999999", ""],
)  # fmt: skip
def test_F17_absurd_dates_become_the_first_sight(date: str) -> None:
    """Before 1990, more than 48 hours ahead, or unreadable: dated by when it was seen, and marked so."""
    item = one(f"<title>t</title><guid>g</guid><pubDate>{date}</pubDate>")
    if "+99999" in date:
        assert item.published.tzinfo is UTC
        return
    assert (item.published, item.dated) == (NOW, False)


def test_F17_a_date_within_two_days_ahead_is_believed() -> None:
    """A clock or a zone that is off by a day is no absurdity."""
    item = one("<title>t</title><pubDate>2026-03-15T10:00:00Z</pubDate>")
    assert (item.published, item.dated) == (datetime(2026, 3, 15, 10, tzinfo=UTC), True)


def test_F19_relative_links_resolve_against_the_final_address() -> None:
    """Without xml:base the fetched address is the base; what resolves to nothing is no link."""
    assert one("<title>t</title><link>/a/b?c=d</link>").link == "https://valley.example/a/b?c=d"
    assert one("<title>t</title><link>story</link>").link == "https://valley.example/news/story"
    assert one("<title>t</title><link>#</link>").link in ("", URL + "#", URL)
    assert one("<title>t</title><link>//other.example/x</link>").link == "https://other.example/x"


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "tg://resolve?domain=x", "file:///etc/passwd",
     "vbscript:x", "mailto:a@b.example", "http://", "https:///x", "http://a b.example/", "blob:x"],
)  # fmt: skip
def test_F20_only_http_links_survive(link: str) -> None:
    """Whatever else a link says, it is not shown; and Atom's and JSON Feed's links are no exception."""
    assert one(f"<title>t</title><link>{link}</link>").link == ""
    atom = f'<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>t</title><link href="{link}"/></entry></feed>'
    assert parse(atom).items[0].link == ""
    body = json.dumps({"version": "https://jsonfeed.org/version/1", "items": [{"id": 1, "url": link}]})
    assert parse(body).items[0].link == ""


@pytest.mark.parametrize("link", ["java\tscript:alert(1)", "java\nscript:x", "\u200bjavascript:x", " javascript:x"])
def test_F20_blanks_hide_no_scheme(link: str) -> None:
    """A scheme broken up by blanks or hidden characters is no link, or a harmless relative one."""
    body = json.dumps({"version": "1", "items": [{"id": 1, "url": link}]})
    assert parse(body).items[0].link == ""
    result = one(f"<title>t</title><link>{link}</link>").link
    assert result == "" or result.startswith("https://valley.example/news/")


@pytest.mark.parametrize(
    ("title", "clean"),
    [
        ("&lt;script&gt;alert(1)&lt;/script&gt;Shells", "Shells"),
        ("<![CDATA[<b>Shells</b> fall<script>x</script>]]>", "Shells fall"),
        ("A &amp;amp; B &amp;lt;i&amp;gt;", "A & B <i>"),
        ("He&#8217;s &quot;out&quot;", 'He\u2019s "out"'),
        ("5 &lt; 6", "5 < 6"),
        ("&lt;img src=x onerror=alert(1)&gt;Shells", "Shells"),
        ("<b>Shells</b> fall", "Shells fall"),
        ("  many\n\t blanks\u00a0here ", "many blanks here"),
        ("Sh\u00adells\u200b \u202efall\u202c", "Shells fall"),
    ],
)
def test_F21_titles_are_plain_text(title: str, clean: str) -> None:
    """Markup, scripts and hidden characters in titles are gone; entities are resolved."""
    assert one(f"<title>{title}</title><guid>g</guid>").title == clean


def test_F23_look_alike_hosts_stay_visible() -> None:
    """An internationalised host is shown as punycode, so that a look-alike letter cannot hide."""
    item = one("<title>t</title><link>https://vаlley.example/x</link>")
    assert item.link == "https://xn--vlley-4ve.example/x"
    assert item.outlet == "xn--vlley-4ve.example"


@pytest.mark.parametrize(
    ("page", "blocked"),
    [
        ("<!DOCTYPE html><html><head><title>Valley Post</title></head><body><p>Welcome</p></body></html>", False),
        ("<html><head><title>Just a moment...</title></head><body></body></html>", True),
        ("<!doctype html><title>x</title><article><section><item>no feed</item></section></article>", False),
        ("<html><body><p>Log in</p>", False),
    ],
)
def test_F24_a_page_in_place_of_the_feed_is_an_error(page: str, blocked: bool) -> None:
    """HTML is never an empty feed; a challenge is named as such."""
    with pytest.raises(ParseError) as failed:
        parse(page)
    assert failed.value.blocked is blocked
    assert URL in str(failed.value)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "   ",
        "hello",
        "%PDF-1.7",
        "\x00\x01\x02",
        "<",
        "<a/>",
        "{}",
        "[]",
        "null",
        "{",
        "<?xml version='1.0'?>",
        "<svg/>",
    ],
)
def test_F24_no_body_without_a_feed_passes_in_silence(body: str) -> None:
    """What holds no feed is an error with a name."""
    with pytest.raises(ParseError):
        parse(body)


@pytest.mark.parametrize(
    "document",
    [
        rss(),
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>Valley</title><id>x</id></feed>',
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"><channel><title>V</title></channel></rdf:RDF>',
        '{"version": "https://jsonfeed.org/version/1.1", "title": "V", "items": []}',
        "<rss><channel/></rss>",
    ],
)
def test_F26_a_feed_without_entries_is_legal(document: str) -> None:
    """A feed that is empty for a while is no error."""
    assert parse(document).items == ()


def test_F31_order_does_not_matter_to_identity() -> None:
    """Shuffled and backdated entries keep their keys."""
    entries = [f"<title>t{n}</title><guid>g{n}</guid><pubDate>{n + 1} Mar 2026 10:00 GMT</pubDate>" for n in range(5)]
    assert {item.key for item in parse(rss(*entries)).items} == {
        item.key for item in parse(rss(*reversed(entries))).items
    }


def test_F33_wrong_types_in_json_are_coerced_or_left_out_entry_by_entry() -> None:
    """Numbers become text; lists, objects and nulls where text belongs are left out; entries that are none are skipped."""
    items = [
        {"id": 7, "title": 8.5, "content_text": ["x"], "url": {"a": 1}, "date_published": 20260314},
        {"id": None, "title": "kept", "tags": 3, "authors": "x"},
        "not an entry", 5, None, [], {},
    ]  # fmt: skip
    body = json.dumps({"version": 1, "title": 5, "items": items, "hubs": "x", "language": 9})
    parsed = parse(body)
    assert (parsed.items[0].key, parsed.items[0].title) == ("7", "8.5")
    assert [item.title for item in parsed.items] == ["8.5", "kept"]
    assert parsed.tier == "json"
    assert parsed.title == "5"


def test_F34_atoms_many_links_bases_and_xhtml_are_understood() -> None:
    """The page is chosen among enclosures, replies and feeds; xml:base is inherited; XHTML reads as text."""
    document = """<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://base.example/a/" xml:lang="uk">
      <title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Valley <b>Post</b></div></title>
      <entry xml:base="b/"><id>tag:1</id>
        <title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Shells <em>fall</em></div></title>
        <link rel="enclosure" href="audio.mp3"/><link rel="self" href="self.xml"/>
        <link rel="alternate" type="application/json" href="x.json"/>
        <link rel="alternate" type="text/html" href="page.html"/><link rel="replies" href="r.html"/>
        <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Two</p><p>wounded.</p></div></content>
        <updated>2026-03-14T08:00:00+02:00</updated></entry></feed>"""
    parsed = parse(document)
    item = parsed.items[0]
    assert parsed.title == "Valley Post"
    assert (item.title, item.summary, item.link) == (
        "Shells fall",
        "Two wounded.",
        "https://base.example/a/b/page.html",
    )
    assert (item.language, item.published) == ("uk", datetime(2026, 3, 14, 6, tzinfo=UTC))


@pytest.mark.parametrize(
    ("head", "ttl", "hours"),
    [
        ("<ttl>0</ttl>", None, set()),
        ("<ttl>1000000000</ttl>", 86_400.0, set()),
        (
            "<ttl>30</ttl><skipHours><hour>3</hour><hour>24</hour><hour>99</hour><hour>x</hour></skipHours>",
            1800.0,
            {0, 3},
        ),
        ("<ttl>-5</ttl>", None, set()),
        ("<ttl>soon</ttl>", None, set()),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency>", 1800.0, set()),
        ("<sy:updatePeriod>yearly</sy:updatePeriod>", 86_400.0, set()),
        ("<sy:updatePeriod>never</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>", None, set()),
        ("<skipHours>" + "".join(f"<hour>{n}</hour>" for n in range(24)) + "</skipHours>", None, set(range(24))),
    ],
)
def test_F35_poll_hints_are_read_and_bounded(head: str, ttl: float | None, hours: set[int]) -> None:
    """ttl, skipHours and the syndication module are kept within sense."""
    hints = parse(rss("<title>t</title>", head=head)).hints
    assert (hints.ttl_s, set(hints.skip_hours)) == (ttl, hours)


@pytest.mark.parametrize("text", ["🔥🚨💥", "x" * 200_000, "ሰላም ለዓለም", "\u0301" * 5000, "ﷺ" * 5000, "‮‮‮"])
def test_F36_strange_texts_become_items(text: str) -> None:
    """Emoji alone, one endless word, rare scripts and stacked marks are bounded text."""
    item = one(f"<title>{text}</title><guid>g</guid>")
    assert len(item.title) <= 500
    assert item.key == "g"


def test_X06_a_body_that_is_a_path_opens_no_file(tmp_path: Path) -> None:
    """A body that spells a file's name or an address is parsed as bytes, never opened."""
    target = tmp_path / "feed.xml"
    target.write_bytes(RSS)
    for body in (str(target), f"file://{target}", "/etc/passwd", "http://127.0.0.1:9/feed"):
        with pytest.raises(ParseError):
            parse(body)
        assert lastresort.read(body.encode(), URL, None) is None


# --- whatever comes ---------------------------------------------------------------------------------------------------

SEEDS = (
    RSS.decode(), CYRILLIC, rss("<title>A & B</title>", "<title>b</title><guid>1</guid>"),
    '<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title><entry><id>1</id><title>y</title><link href="z"/></entry></feed>',
    '{"version": "https://jsonfeed.org/version/1", "items": [{"id": "1", "title": "t", "url": "https://a.example/"}]}',
    '<!DOCTYPE rss [<!ENTITY e "x">]><rss><channel><item><title>&e;</title></item></channel></rss>',
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A seed with pieces cut out, doubled, swapped for junk, or in another encoding."""
    data = bytearray(draw(st.sampled_from(SEEDS)).encode(draw(st.sampled_from(["utf-8", "utf-16", "utf-8-sig"]))))
    for _ in range(draw(st.integers(0, 6))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 30)))
        data[start:end] = draw(
            st.one_of(
                st.binary(max_size=12),
                st.sampled_from(
                    [
                        b"<item>",
                        b"</item>",
                        b"<![CDATA[",
                        b"]]>",
                        b"&x;",
                        b"<!--",
                        b"\x00",
                        b"<!DOCTYPE",
                        b"&#0;",
                        b'"',
                        b"\xff\xfe",
                    ]
                ),
            )
        )
    return bytes(data)


def check_items(parsed: ParsedFeed) -> None:
    for item in parsed.items:
        assert 0 < len(item.key) <= 64
        assert len(item.title) <= 500
        assert len(item.summary) <= 20_000
        assert item.link == "" or item.link.startswith(("http://", "https://"))
        assert item.link.isascii()
        assert item.published.tzinfo is UTC
        for text in (item.title, item.summary, item.outlet):
            assert text == " ".join(text.split())
            text.encode()
            assert not any(ord(c) < 32 for c in text)


@settings(max_examples=200)
@given(mutated())
def test_whatever_comes_is_items_or_a_parse_error(body: bytes) -> None:
    """Mutated documents never raise anything but ParseError, and every item keeps its promises."""
    try:
        parsed = parse(body)
    except ParseError:
        return
    check_items(parsed)


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=100))
def test_any_text_in_any_field_becomes_a_lawful_item(title: str, summary: str, link: str) -> None:
    """Text of any kind in title, summary and link of a JSON Feed keeps every promise of an item."""
    body = json.dumps({"version": "1", "items": [{"id": link, "title": title, "content_html": summary, "url": link}]})
    check_items(parse(body))


@given(
    st.lists(st.tuples(st.text("ab1", max_size=3), st.text("xy", max_size=2), st.text("tu", max_size=2)), max_size=8)
)
def test_keys_are_the_same_at_every_parse(rows: list[tuple[str, str, str]]) -> None:
    """Parsing the same document again, or with its entries reversed, gives the same keys to the same entries."""
    entries = [f"<guid>{g}</guid><link>https://a.example/{link}</link><title>{t}</title>" for g, link, t in rows]
    forward = parse(rss(*entries)) if entries else None
    if forward is None:
        return
    assert forward == parse(rss(*entries))
    backward = parse(rss(*reversed(entries)))
    assert [item.key for item in forward.items] == [item.key for item in reversed(backward.items)]


def test_a_gzip_body_that_slipped_through_is_an_error() -> None:
    """Compressed bytes are no feed."""
    with pytest.raises(ParseError):
        parse(gzip.compress(RSS))
