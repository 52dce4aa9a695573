"""Markup to clean text."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.feeds.text import clean, richest, shortened, tidy

TEXT = st.text(st.characters(), max_size=300)
MARKUP = st.lists(
    st.one_of(
        TEXT,
        st.sampled_from(
            [
                "<p>",
                "</p>",
                "<br>",
                "<b>",
                "</b>",
                "<script>",
                "</script>",
                "<",
                ">",
                "&amp;",
                "&#0;",
                "&lt;",
                "<!--",
                "-->",
                "<style>",
                "\u200f",
                "&nbsp;",
            ]
        ),
    ),
    max_size=20,
).map("".join)


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("plain", "plain"),
        ("<p>one</p><p>two</p>", "one two"),
        ("one<br>two<br/>three", "one two three"),
        ("<b>w</b>ord and 1<sup>st</sup>", "word and 1st"),
        ("<ul><li>a</li><li>b</li></ul>", "a b"),
        ("<DIV>a</DIV><DIV>b</DIV>", "a b"),
        ("<script>var x = '<p>'</script>a<style>p {}</style>", "a"),
        ("a<noscript>turn it on</noscript><iframe src='x'>frame</iframe>", "a"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
        ("fish &amp; chips &eacute; &#233; &#xe9;", "fish & chips é é é"),
        ("unclosed <b>bold <a href='x'>link", "unclosed bold link"),
        ("a <!-- hidden --> b", "a b"),
        ("<html><head><title>t</title></head><body>b</body></html>", "b"),
        ("می\u200cشود", "می\u200cشود"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("wa\u200cr", "war"),
        ("e\u0301", "é"),
        ("a\u2028b\u2029c\u0085d", "a b c d"),
        ("<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>", "<script>alert(1)</script>"),
    ],
)
def test_markup_reads_as_a_reader_would_see_it(markup: str, text: str) -> None:
    """Blocks are kept apart, inline markup joins, what is not read is left out."""
    assert clean(markup, 500) == text


@given(MARKUP, st.integers(2, 200))
def test_cleaned_text_keeps_its_promises(markup: str, limit: int) -> None:
    """One line within the limit, in NFC, encodable, without control characters, whatever goes in."""
    text = clean(markup, limit)
    assert len(text) <= limit
    assert text == " ".join(text.split())
    assert unicodedata.is_normalized("NFC", text)
    text.encode()
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in text)
    assert not any(c in "\u200b\u200e\u200f\u202a\u202e\u2066\u2069\ufeff" for c in text)


@given(TEXT)
def test_tidying_twice_changes_nothing(text: str) -> None:
    """Tidied text stays as it is."""
    assert tidy(tidy(text)) == tidy(text)


@given(TEXT, st.integers(2, 60))
def test_shortening_keeps_the_beginning(text: str, limit: int) -> None:
    """A text within the limit is left alone; a longer one keeps its beginning and says that it was cut."""
    short = shortened(text, limit)
    assert len(short) <= limit
    if len(text) <= limit:
        assert short == text
    else:
        assert short.endswith("…")
        assert text.startswith(short[:-1])


def test_of_several_descriptions_the_one_with_most_text_is_taken() -> None:
    """Length of text decides, not length of markup."""
    picture = '<img src="' + "x" * 400 + '">'
    assert richest([picture, "<p>Two wounded near the bridge.</p>"]) == "Two wounded near the bridge."
    assert richest(["Short.", "<p>Short, and longer.</p>"]) == "Short, and longer."
    assert richest([]) == ""


@pytest.mark.parametrize(
    "markup",
    [
        "<div>" * 100_000,
        "&" * 200_000,
        "<" * 200_000,
        "<!--" * 50_000,
        "a\u200c" * 100_000,
        " " * 500_000 + "x",
        "<p " * 60_000,
    ],
)
def test_hostile_markup_costs_little(markup: str) -> None:
    """No input takes more than a moment."""
    began = time.process_time()
    clean(markup, 20_000)
    assert time.process_time() - began < 0.4
