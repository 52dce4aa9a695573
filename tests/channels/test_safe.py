"""Making strangers' text harmless."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.countries import codes, country_name, flag
from bot.channels.redact import scrub
from bot.channels.safe import clean, clean_lines, cut, link_host, no_mentions, quote, safe_link, units
from tests.channels.samples import HOSTILE, any_text

FAMILY = "👩\u200d👩\u200d👧"


@given(any_text)
def test_clean_is_idempotent_and_bounded(text: str) -> None:
    """Cleaning twice is cleaning once; no control, format or surrogate character survives but joiners in scripts."""
    once = clean(text, 200)
    assert clean(once, 200) == once
    assert len(once) <= 200
    assert {unicodedata.category(char) for char in once} <= {
        *("Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Sm", "Sc", "Sk", "So", "Zs", "Cn", "Cf"),
        *("Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po"),
    }
    assert {char for char in once if unicodedata.category(char) == "Cf"} <= {"\u200c", "\u200d"}


def test_zalgo_is_combed() -> None:
    """At most three marks stay on a letter, and honest diacritics stay all."""
    assert len(clean("Z" + "\u0336" * 50)) == 4
    for honest in ("Việt Nam", "שָׁלוֹם", "مُحَمَّد", "ประเทศไทย", "é"):
        assert clean(honest) == unicodedata.normalize("NFC", honest)


def test_joiners_stay_where_a_script_needs_them() -> None:
    """Persian's half-space and families of emoji survive; a zero-width character between Latin letters does not."""
    assert clean("می\u200cرود") == "می\u200cرود"
    assert clean(FAMILY) == FAMILY
    assert clean("pay\u200dpal\u200c") == "paypal"


def test_mentions_and_commands_are_defused() -> None:
    """What a chat would act upon is spelled with look-alikes; addresses in prose stay readable."""
    assert no_mentions("@all /stop now") == "＠all ∕stop now"
    assert no_mentions("2/3 of a/b, 9 @ 5") == "2/3 of a/b, 9 @ 5"
    assert "://" not in quote("see https://evil.example/x", 80)


@given(any_text, st.integers(0, 60))
def test_cuts_fit_and_break_no_character(text: str, limit: int) -> None:
    """A cut text fits in characters and in UTF-16 units, and begins like the text."""
    text = clean(text)
    for utf16, size in ((False, len), (True, units)):
        short = cut(text, limit, utf16=utf16)
        assert size(short) <= limit
        assert text.startswith(short.removesuffix("…").rstrip())


def test_cuts_spare_emoji_and_flags() -> None:
    """Neither a family nor a flag nor an accented letter is split."""
    assert cut(FAMILY * 3, 6) == FAMILY + "…"
    assert cut("🇦🇿🇦🇲🇬🇪", 4) == "🇦🇿…"
    assert cut("abcde\u0301fgh", 6) == "abcd…"
    assert cut("🇦🇿" * 3000, 4096, utf16=True).endswith("🇿…")


@pytest.mark.parametrize(
    ("link", "safe"),
    [
        ("https://a.example/x?y=1&z=2#f", "https://a.example/x?y=1&z=2#f"),
        ("HTTP://A.example/", "http://a.example/"),
        ("https://user:pw@a.example/", "https://a.example/"),
        ("https://xn--80ak6aa92e.example/", "https://xn--80ak6aa92e.example/"),
        ("https://аррӏе.example/", "https://xn--80ak6aa92e.example/"),  # F23: the look-alike shows itself
        ("https://a.example/a b", ""),
        ('https://a.example/"><script>', "https://a.example/%22%3E%3Cscript%3E"),
        ("https://a.example/ж|x", "https://a.example/%D0%B6%7Cx"),
        ("https://[::1]:8080/x", "https://[::1]:8080/x"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("tg://user?id=1", ""),
        ("file:///etc/hosts", ""),
        ("//a.example/x", ""),
        ("https://", ""),
        ("https://a.example:99999/", ""),
        ("https://a.example/\u202egnp.exe", ""),
        ("", ""),
        ("https://a.example/" + "x" * 3000, ""),
    ],
)
def test_F20_only_web_links_are_shown(link: str, safe: str) -> None:
    """http and https survive, escaped for any output and with an ASCII host; everything else is left out."""
    assert safe_link(link) == safe


@given(any_text)
def test_links_hold_nothing_that_could_end_an_attribute(text: str) -> None:
    """Whatever is offered as a link, what is shown is printable ASCII without quotes, angles or bars."""
    for link in (safe_link(text), safe_link(f"https://a.example/{text}"), safe_link(f"https://{text}/")):
        assert all("!" <= char <= "~" and char not in "<>\"'`|\\" for char in link)
        assert safe_link(link) == link


def test_hosts_are_shown_short() -> None:
    """The outlet's host reads without www."""
    assert link_host("https://www.news.example:8080/x") == "news.example"
    assert link_host("javascript:x") == ""


def test_lines_of_the_operator_stay_lines() -> None:
    """A notice keeps its line breaks and loses the rest."""
    assert clean_lines("a\r\nb\n\n\n\nc\u202e") == "a\nb\n\nc"


def test_hostile_samples_become_one_line() -> None:
    """None of the hostile samples keeps a line break or a leading space."""
    for text in HOSTILE:
        assert clean(text) == clean(text).strip()
        assert "\n" not in clean(text)


def test_countries_have_names_and_flags() -> None:
    """Every code has a name and a flag; an unknown one is shown as it is."""
    assert len(codes()) >= 249
    assert (country_name("AZ"), country_name("XK"), country_name("TW")) == ("Azerbaijan", "Kosovo", "Taiwan")
    assert (country_name("az", "ru"), country_name("AZ", "xx")) == ("Азербайджан", "Azerbaijan")
    assert (country_name("QQ"), flag("QQ"), flag("az")) == ("QQ", "", "🇦🇿")


def test_secrets_are_masked_longest_first() -> None:
    """A secret that contains another leaves no rest, and unknown bot tokens are masked by their shape."""
    assert scrub("x abc abcdef", ["abc", "abcdef"]) == "x *** ***"
    assert scrub("/bot123456:AAAAAAAAAAAAAAAAAAAAAAAAAA/getMe", []) == "/bot***/getMe"
