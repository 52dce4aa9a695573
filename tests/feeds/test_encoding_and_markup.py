"""Bytes to UTF-8, and documents made fit to be parsed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from bot.feeds.challenge import is_challenge, is_html
from bot.feeds.encoding import to_utf8
from bot.feeds.markup import bottomless, bounded, entry_marks, repaired, trimmed, without_doctype

JUNK = st.lists(
    st.sampled_from(
        [b"<!DOCTYPE ", b"rss", b" [", b"]", b">", b'"', b"'", b"<!--", b"-->", b"<?x", b"?>", b"<rss>", b"<!ENTITY a 'b'>",
         b"<![CDATA[", b"]]>", b"&", b"&amp;", b"&#0;", b"&nbsp;", b"&#x110000;", b" ", b"\n", b"<item>", b"\x00", "й".encode()]
    ),
    max_size=25,
).map(b"".join)  # fmt: skip


@given(st.text(max_size=200), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]))
def test_marked_text_comes_out_as_it_went_in(text: str, encoding: str) -> None:
    """With a byte-order mark, or in UTF-8, any text survives."""
    document = "<a>" + text.replace("\x00", "")
    body, readable = to_utf8(document.encode(encoding), None)
    assert (body.decode(), readable) == (document, True)


@given(st.binary(max_size=300), st.none() | st.text(max_size=40).map(lambda name: f"text/xml; charset={name}"))
def test_any_bytes_become_utf8(body: bytes, content_type: str | None) -> None:
    """The result is always valid UTF-8, whatever came and whatever was said about it."""
    to_utf8(body, content_type)[0].decode()


@pytest.mark.parametrize(
    "name", ["zlib", "base64", "rot13", "hex", "idna", "undefined", "utf-7", "mbcs", "raw_unicode_escape", "x" * 40]
)
def test_codecs_that_are_no_text_encodings_are_not_used(name: str) -> None:
    """An encoding's name cannot call up a converter of another kind."""
    head = f'<?xml version="1.0" encoding="{name}"?><a>'.encode()
    body, _ = to_utf8(head + b"\xe9+AGE-</a>", None)
    assert "é+AGE-" in body.decode()


@pytest.mark.parametrize(
    "document",
    [
        b"<!DOCTYPE rss><rss/>",
        b'<?xml version="1.0"?>\n<!DOCTYPE rss SYSTEM "x>y.dtd">\n<rss/>',
        b"<!doctype rss [<!ENTITY a '>]'> <!-- ]> --> <!ENTITY b \"]>\">]><rss/>",
        b"<!-- <rss> <!DOCTYPE --><!DOCTYPE rss PUBLIC '-//x' 'y'><rss/>",
    ],
)
def test_a_dtd_is_cut_out_whole(document: bytes) -> None:
    """Quotes, comments and an internal subset do not hide the DTD's end."""
    body, declared = without_doctype(document)
    assert b"<!DOCTYPE" not in body.replace(b"<!-- <rss> <!DOCTYPE -->", b"").upper()
    assert body.endswith(b"<rss/>")
    assert declared == (b"<!ENTITY" in document)


def test_a_doctype_in_somebodys_text_is_left_alone() -> None:
    """Only a DTD before the root is one."""
    document = b"<rss><item><description><![CDATA[<!DOCTYPE html [x]>]]></description></item></rss>"
    assert without_doctype(document) == (document, False)


@given(JUNK)
def test_preparing_never_raises_and_never_lets_a_dtd_through(junk: bytes) -> None:
    """Any jumble of markup is survived, and what the parser then sees has no DTD at its start."""
    body, _ = without_doctype(trimmed(junk))
    assert (
        not trimmed(body).lstrip().upper().startswith(b"<!DOCTYPE")
        or b">" not in body
        or junk.upper().count(b"<!DOCTYPE") > 1
    )
    repaired(body)
    entry_marks(body)
    bottomless(body)
    assert len(bounded(body, 2)[0]) <= len(body)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="<>\x00"), max_size=100))
def test_repaired_text_is_well_formed(text: str) -> None:
    """Whatever stands between tags, apart from tags, is well-formed after repair."""
    etree.fromstring(b"<a>" + repaired(text.encode()) + b"</a>", etree.XMLParser(encoding="utf-8"))


def test_repair_leaves_cdata_and_good_references_alone() -> None:
    """Only what is broken changes."""
    good = b"<a b='&quot;&#233;&#xe9;'><![CDATA[ & &nbsp; ]]>&amp;&lt;</a>"
    assert repaired(good) == good
    assert repaired(b"<a>fish & chips &copy; &unknown; &#0;</a>") == "<a>fish &amp; chips © &amp;unknown; </a>".encode()


def test_pages_are_told_from_feeds() -> None:
    """A page is HTML before any feed element; a feed that holds HTML is a feed."""
    assert is_html(b"\xef\xbb\xbf  <!DOCTYPE html><html>")
    assert not is_html(b"<rss><channel><title>x</title><description>&lt;html&gt;<![CDATA[<html>]]>")
    assert is_challenge(b"<html><title>Just a moment...</title>")
    assert not is_challenge(b"<rss><channel><title>Just a moment... captcha</title>")
    assert not is_challenge(b"<html><title>Welcome</title>")
