"""Links, hosts and registrable domains."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.feeds.links import MAX_LINK, clean_link, host_of, outlet
from bot.feeds.names import ascii_host, registrable, site

BASE = "https://valley.example/news/feed.xml?x=1"


@pytest.mark.parametrize(
    ("href", "link"),
    [
        ("https://a.example/x", "https://a.example/x"),
        (" https://a.example/x\n", "https://a.example/x"),
        ("HTTPS://A.example/X", "https://a.example/X"),
        ("https://me:pw@a.example/x", "https://a.example/x"),
        ("https://a.example:8443/x", "https://a.example:8443/x"),
        ("https://a.example/a b", "https://a.example/a%20b"),
        ("https://a.example/новости", "https://a.example/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8"),
        ("https://a.example/?a=1&amp;b=2", "https://a.example/?a=1&b=2"),
        ("https://a.example/?a=1&b=%20", "https://a.example/?a=1&b=%20"),
        ("https://a.exa\nmple/x\ty", "https://a.example/xy"),
        ("../x", "https://valley.example/x"),
        ("?y=2", "https://valley.example/news/feed.xml?y=2"),
        ("https://[2001:4860:4860::8888]/x", "https://[2001:4860:4860::8888]/x"),
        ("https://a.example/<script>", "https://a.example/%3Cscript%3E"),
        ('https://a.example/"onclick="x', "https://a.example/%22onclick=%22x"),
        ("https://bücher.example/x", "https://xn--bcher-kva.example/x"),
        ("", ""),
        ("https://a.example/" + "x" * MAX_LINK, ""),
        ("https://a.example:99999/", ""),
        ("https://[::1/", ""),
        ("https://%61.example/", ""),
    ],
)
def test_links_are_resolved_and_made_safe(href: str, link: str) -> None:
    """Absolute, http or https, ASCII, without password; or nothing."""
    assert clean_link(BASE, href) == link


@given(st.text(max_size=120))
def test_any_link_is_lawful_or_empty(href: str) -> None:
    """Whatever stands in a link, the result is empty or a bounded ASCII http(s) URL with a host and no user."""
    link = clean_link(BASE, href)
    if link:
        parts = urlsplit(link)
        assert parts.scheme in ("http", "https")
        assert parts.hostname
        assert parts.username is None
        assert link.isascii()
        assert link.isprintable()
        assert not set(link) & set(' <>"')
        assert len(link) <= MAX_LINK


@given(st.text(max_size=120))
def test_cleaning_a_clean_link_changes_nothing(href: str) -> None:
    """A cleaned link is its own cleaned form."""
    link = clean_link(BASE, href)
    assert clean_link(BASE, link) == link


@pytest.mark.parametrize(
    ("host", "publisher", "operator"),
    [
        ("www.valley.example", "valley.example", "valley.example"),
        ("news.bbc.co.uk", "bbc.co.uk", "bbc.co.uk"),
        ("somebody.blogspot.com", "somebody.blogspot.com", "blogspot.com"),
        ("somebody.github.io", "somebody.github.io", "github.io"),
        ("WWW.Valley.Example.", "valley.example", "valley.example"),
        ("localhost", "localhost", "localhost"),
        ("192.0.2.7", "192.0.2.7", "192.0.2.7"),
        ("::1", "::1", "::1"),
        ("co.uk", "co.uk", "co.uk"),
        ("новости.рф", "xn--b1amnebsh.xn--p1ai", "xn--b1amnebsh.xn--p1ai"),
    ],
)
def test_hosts_have_a_publisher_and_an_operator(host: str, publisher: str, operator: str) -> None:
    """The registrable domain is the publisher; tenants of a platform are publishers of their own under one operator."""
    assert (registrable(host), site(host)) == (publisher, operator)


@given(st.text(max_size=80))
def test_names_never_raise(text: str) -> None:
    """Any text has a registrable form."""
    assert registrable(text) == registrable(ascii_host(text)) or not text.isascii()
    site(text)
    host_of(text)


def test_an_item_without_a_link_belongs_to_its_feed() -> None:
    """The outlet of a linkless item is the feed's title."""
    assert outlet("", "", "", "Valley Post") == "Valley Post"
    assert outlet("https://news.google.com/x", "Valley Post", "", "News") == "Valley Post"
    assert outlet("https://news.google.com/x", "", "", "News") == "google.com"
