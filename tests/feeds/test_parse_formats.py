"""Each format as it is written by those who keep to it: document beside expected items."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.feeds.parse import parse_feed
from bot.model import ParsedFeed
from tests.feeds.conftest import NOW
from tests.feeds.test_parse_faults import fetched

EIGHT = datetime(2026, 3, 14, 8, tzinfo=UTC)

RSS2 = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
     xmlns:atom="http://www.w3.org/2005/Atom">
<channel><title>Valley Post</title><link>https://valley.example/</link><language>en-GB</language><ttl>15</ttl>
<atom:link rel="self" href="https://valley.example/rss"/><atom:link rel="hub" href="https://hub.example/"/>
<image><title>Logo</title><link>https://valley.example/logo</link></image>
<item><title>Shells fall near the bridge</title><link>https://valley.example/a</link>
<guid isPermaLink="false">a-1</guid><pubDate>Sat, 14 Mar 2026 10:00:00 +0200</pubDate>
<dc:creator>A. Writer</dc:creator><description>Short.</description>
<content:encoded><![CDATA[<p>Two wounded.</p><p>One <b>bridge</b> closed.</p>]]></content:encoded></item>
</channel></rss>"""

RSS091 = """<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/publish/formats/rss-0.91.dtd">
<rss version="0.91"><channel><title>Valley Post</title><language>en</language>
<item><title>Shells fall near the bridge</title><link>https://valley.example/a</link><description>Two wounded.
One bridge closed.</description></item></channel></rss>"""

RDF10 = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="https://valley.example/"><title>Valley Post</title><dc:language>en</dc:language>
<items><rdf:Seq><rdf:li resource="https://valley.example/a"/></rdf:Seq></items></channel>
<item rdf:about="https://valley.example/a"><title>Shells fall near the bridge</title>
<link>https://valley.example/a</link><dc:date>2026-03-14T08:00:00Z</dc:date>
<description>Two wounded. One bridge closed.</description></item></rdf:RDF>"""

RDF090 = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://my.netscape.com/rdf/simple/0.9/">
<channel><title>Valley Post</title></channel>
<item><title>Shells fall near the bridge</title><link>https://valley.example/a</link></item></rdf:RDF>"""

ATOM10 = """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><title>Valley Post</title>
<link rel="alternate" href="https://valley.example/"/><link rel="hub" href="https://hub.example/"/>
<entry><id>urn:a-1</id><title type="html">Shells fall &lt;i&gt;near&lt;/i&gt; the bridge</title>
<link href="https://valley.example/a"/><updated>2026-03-14T09:00:00Z</updated><published>2026-03-14T08:00:00Z</published>
<summary>Two wounded.</summary><content type="html">&lt;p&gt;Two wounded.&lt;/p&gt;&lt;p&gt;One bridge closed.&lt;/p&gt;</content>
</entry></feed>"""

ATOM03 = """<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>Valley Post</title>
<entry><id>urn:a-1</id><title>Shells fall near the bridge</title>
<link rel="alternate" type="text/html" href="https://valley.example/a"/><issued>2026-03-14T08:00:00Z</issued>
<modified>2026-03-14T09:00:00Z</modified><content type="text/html" mode="escaped">Two wounded. One bridge closed.</content>
</entry></feed>"""

JSON11 = """{"version": "https://jsonfeed.org/version/1.1", "title": "Valley Post", "language": "en",
"home_page_url": "https://valley.example/", "hubs": [{"type": "WebSub", "url": "https://hub.example/"}],
"items": [{"id": "a-1", "url": "https://valley.example/a", "title": "Shells fall near the bridge",
"content_html": "<p>Two wounded.</p><p>One bridge closed.</p>", "summary": "Two wounded.",
"date_published": "2026-03-14T08:00:00+00:00", "date_modified": "2026-03-14T09:00:00Z"}]}"""

CDF = """<CHANNEL HREF="https://valley.example/"><TITLE>Valley Post</TITLE>
<ITEM HREF="https://valley.example/a" LASTMOD="2026-03-14T08:00:00"><TITLE>Shells fall near the bridge</TITLE>
<ABSTRACT>Two wounded. One bridge closed.</ABSTRACT></ITEM></CHANNEL>"""

PREFIXED = """<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:title>Valley Post</a:title><a:entry><a:id>urn:a-1</a:id>
<a:title>Shells fall near the bridge</a:title><a:link href="https://valley.example/a"/>
<a:published>2026-03-14T08:00:00Z</a:published><a:summary>Two wounded. One bridge closed.</a:summary></a:entry></a:feed>"""


def parse(document: str) -> ParsedFeed:
    return parse_feed(fetched(document))


@pytest.mark.parametrize(
    ("document", "key", "dated", "language", "hub"),
    [
        (RSS2, "a-1", True, "en-GB", "https://hub.example/"),
        (RSS091, "//valley.example/a", False, "en", None),
        (RDF10, "//valley.example/a", True, "en", None),
        (ATOM10, "urn:a-1", True, "en", "https://hub.example/"),
        (ATOM03, "urn:a-1", True, None, None),
        (JSON11, "a-1", True, "en", "https://hub.example/"),
        (CDF, "//valley.example/a", True, None, None),
        (PREFIXED, "urn:a-1", True, None, None),
    ],
    ids=["RSS 2.0", "RSS 0.91", "RSS 1.0", "Atom 1.0", "Atom 0.3", "JSON Feed 1.1", "CDF", "Atom with prefixes"],
)
def test_every_format_tells_the_same_story(
    document: str, key: str, dated: bool, language: str | None, hub: str | None
) -> None:
    """Title, text, link, outlet, identity, date, language and hub are the same, whatever the format."""
    parsed = parse(document)
    (item,) = parsed.items
    assert parsed.title == "Valley Post"
    assert item.title == "Shells fall near the bridge"
    assert item.summary == "Two wounded. One bridge closed."
    assert (item.link, item.outlet, item.key, item.feed_id) == ("https://valley.example/a", "valley.example", key, 7)
    assert (item.published, item.dated) == ((EIGHT, True) if dated else (NOW, False))
    assert (item.language, parsed.language, parsed.hub) == (language, language, hub)
    assert (parsed.bozo, parsed.dropped) == (False, 0)


def test_rss_090_is_read() -> None:
    """The oldest format has nothing but titles and links."""
    parsed = parse(RDF090)
    assert [(item.title, item.link) for item in parsed.items] == [
        ("Shells fall near the bridge", "https://valley.example/a")
    ]


@pytest.mark.parametrize("document", [ATOM10, ATOM03, JSON11])
def test_the_time_of_an_update_is_kept_beside_the_publication(document: str) -> None:
    """``updated`` is the entry's own word about its last change."""
    assert parse(document).items[0].updated == datetime(2026, 3, 14, 9, tzinfo=UTC)


def test_an_entry_with_only_an_update_is_dated_by_it() -> None:
    """Atom requires ``updated`` alone: it then dates the entry."""
    item = parse(ATOM10.replace("<published>2026-03-14T08:00:00Z</published>", "")).items[0]
    assert (item.published, item.dated) == (datetime(2026, 3, 14, 9, tzinfo=UTC), True)


def test_an_aggregators_items_belong_to_the_publishers_they_name() -> None:
    """For an aggregator's link the named source is the outlet; elsewhere a source element changes nothing."""
    item = '<item><title>t</title><link>{}</link><source url="https://www.valley.co.uk/rss">Valley Post</source></item>'
    document = f"<rss><channel><title>News</title>{item}</channel></rss>"
    assert parse(document.format("https://news.google.com/rss/articles/x")).items[0].outlet == "valley.co.uk"
    assert parse(document.format("https://www.other.example/x")).items[0].outlet == "other.example"
    named = document.format("https://news.google.com/x").replace(' url="https://www.valley.co.uk/rss"', "")
    assert parse(named).items[0].outlet == "Valley Post"


def test_a_wrapped_link_is_unwrapped() -> None:
    """Alert services that wrap the publisher's address in their own are seen through."""
    link = "https://www.google.com/url?rct=j&amp;sa=t&amp;url=https://www.valley.example/a%3Fb%3Dc&amp;ct=ga"
    item = parse(f"<rss><channel><item><title>t</title><link>{link}</link></item></channel></rss>").items[0]
    assert (item.link, item.outlet) == ("https://www.valley.example/a?b=c", "valley.example")


def test_a_guid_that_is_an_address_stands_in_for_a_missing_link() -> None:
    """A permalink guid is the link; one that says it is none is not."""
    document = "<rss><channel><item><title>t</title><guid{}>https://valley.example/g</guid></item></channel></rss>"
    assert parse(document.format("")).items[0].link == "https://valley.example/g"
    assert parse(document.format(' isPermaLink="false"')).items[0].link == ""


def test_the_original_link_of_a_redirecting_service_is_preferred() -> None:
    """feedburner:origLink names the page itself."""
    document = (
        '<rss xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0"><channel><item><title>t</title>'
        "<link>https://feedproxy.google.com/~r/x</link><feedburner:origLink>https://valley.example/a</feedburner:origLink>"
        "</item></channel></rss>"
    )
    assert parse(document).items[0].link == "https://valley.example/a"


def test_items_outside_the_channel_and_in_wrong_case_are_found() -> None:
    """Publishers misplace and misspell elements; their items count all the same."""
    document = "<RSS><Channel><Title>V</Title></Channel><Item><Title>a</Title></Item><x><ITEM><title>b</title></ITEM></x></RSS>"
    assert [item.title for item in parse(document).items] == ["a", "b"]


def test_a_feed_in_an_unknown_namespace_is_read() -> None:
    """The root's own default namespace is taken for the format's, whatever it is called."""
    document = '<rss xmlns="https://valley.example/ns"><channel><title>V</title><item><title>a</title><link>https://a.example/</link></item></channel></rss>'
    assert [(item.title, item.link) for item in parse(document).items] == [("a", "https://a.example/")]


def test_the_feeds_own_title_and_language_stand_in() -> None:
    """An item without a language of its own has the document's, else the feed's as it was set up."""
    document = '<rss><channel><title>V</title>{}<item xml:lang="uk"><title>a</title></item><item><title>b</title></item></channel></rss>'
    assert [item.language for item in parse(document.format("<language>en_us</language>")).items] == ["uk", "en-us"]
    assert [item.language for item in parse(document.format("<language>what language?</language>")).items] == [
        "uk",
        None,
    ]


def test_descriptions_of_videos_and_of_pictures() -> None:
    """Media RSS's grouped description is a summary; content that is a picture in base64 is none."""
    document = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/"><entry><id>1</id>
    <title>t</title><media:group><media:title>m</media:title><media:description>Two wounded.</media:description></media:group>
    <content type="image/png">iVBORw0KGgoAAAANSUhEUgAAAAUA</content></entry></feed>"""
    assert parse(document).items[0].summary == "Two wounded."


def test_a_page_comes_before_other_links() -> None:
    """In RSS the item's own link is preferred to Atom links beside it."""
    document = (
        '<rss xmlns:atom="http://www.w3.org/2005/Atom"><channel><item><title>t</title><atom:link href="https://a.example/x"/>'
        "<link>https://valley.example/a</link></item></channel></rss>"
    )
    assert parse(document).items[0].link == "https://valley.example/a"
