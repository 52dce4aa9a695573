"""Lexicons: every file loads, bad ones are refused by file, line and key, and matching is exact and linear."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.lexicon import Lexicon, LexiconError, Token, languages, load_lexicon, parse_lexicon, tokenise
from classifiers.taxonomy import SIGNAL_IDS

FIFTEEN = ("ar", "az", "de", "en", "es", "fa", "fr", "he", "hy", "pl", "pt", "ru", "tr", "uk", "zh")
ASSERTION = ("claimed", "denied", "threatened", "demanded", "planned", "hypothetical", "historical")

SMALL = """language = "en"
name = "English"
script = "latin"
[numbers]
one = 1
[vague]
dozens = "dozens"
[toll]
killed = ["kill*", "shot dead"]
[signals]
ceasefire_proposal = ["offer* … ceasefire"]
"""


def small(**changes: str) -> Lexicon:
    """The small lexicon with parts of its text replaced."""
    source = SMALL
    for old, new in changes.items():
        source = source.replace({"script": "latin", "killed": '"kill*", "shot dead"'}.get(old, old), new)
    return parse_lexicon(source, "en.toml", "en")


@pytest.mark.parametrize("language", FIFTEEN)
def test_every_language_has_a_whole_lexicon(language: str) -> None:
    """Each supported language brings number words, toll words, people, assertion, all signals and countries."""
    lexicon = load_lexicon(language)
    assert lexicon is not None
    assert len(lexicon.numbers) > 15
    assert lexicon.vague
    assert {"killed", "injured", "at_least", "and", "not_people", "nobody"} <= set(lexicon.keys("toll"))
    assert {"soldiers", "civilians", "police", "children"} <= set(lexicon.keys("people"))
    assert set(ASSERTION) <= set(lexicon.keys("assertion"))
    assert set(lexicon.keys("signals")) <= set(SIGNAL_IDS)
    assert len(lexicon.keys("signals")) >= 20
    assert all(len(code) == 2 and code.isupper() for code in lexicon.keys("countries"))


def test_the_languages_are_the_fifteen() -> None:
    """The list of languages is read from the files, and a tag with a region finds its language."""
    assert set(FIFTEEN) <= set(languages())
    assert load_lexicon("pt-BR") is load_lexicon("pt-BR")
    assert load_lexicon("pt_BR") is not None
    assert load_lexicon("xx") is None
    assert load_lexicon("") is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"kill*"', '"k*l"', "en.toml:9: [toll] killed: 'k*l': * may stand at the end of a word only"),
        ('"kill*"', '"… kill"', "en.toml:9: [toll] killed: '… kill' is empty or begins or ends with a gap"),
        ('"kill*"', '"a … b … c … d … e"', "en.toml:9: [toll] killed: 'a … b … c … d … e' has more than 3 gaps"),
        ('"kill*"', '"!?"', "en.toml:9: [toll] killed: '!?' holds no word"),
        ('"kill*"', '"' + "k" * 40 + '*"', "longer than 32 letters"),
        ('["kill*", "shot dead"]', "[]", "en.toml:9: [toll] killed: must be a list of patterns in quotes"),
        ('["kill*", "shot dead"]', "[1]", "en.toml:9: [toll] killed: must be a list of patterns in quotes"),
        ("one = 1", 'one = "1"', "en.toml:5: [numbers] one: must be a number that is not negative"),
        ("one = 1", "one = -1", "en.toml:5: [numbers] one: must be a number that is not negative"),
        ("one = 1", "one = true", "en.toml:5: [numbers] one: must be a number that is not negative"),
        ('dozens = "dozens"', "dozens = 12", "en.toml:7: [vague] dozens: must be the English word in quotes"),
        ('script = "latin"', 'script = "runes"', "en.toml:3: script: must be one of arabic, armenian"),
        ('language = "en"', 'language = "de"', 'en.toml:1: language: must be "en"'),
        ('name = "English"', "name = 3", "en.toml:2: name: must be the language's English name"),
        ("[toll]", "[tolls]", "en.toml:8: [tolls]: unknown; sections are assertion"),
        ("[toll]", "toll", "en.toml: not valid TOML"),
    ],
)
def test_a_bad_file_is_refused(old: str, new: str, message: str) -> None:
    """A mistake in a lexicon is one clear error that names the file, the line and the key."""
    with pytest.raises(LexiconError) as caught:
        parse_lexicon(SMALL.replace(old, new), "en.toml", "en")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("kill*", "Seven killed", ["killed"]),
        ("kill*", "A skilled man", []),
        ("kill", "Seven killed", []),
        ("shot dead", "Two were SHOT DEAD today", ["SHOT DEAD"]),
        ("shot dead", "Two were shot. Dead men tell no tales", []),
        ("offer* … ceasefire", "Armenia offered on Sunday a ceasefire", ["offered on Sunday a ceasefire"]),
        ("offer* … ceasefire", "offers ceasefire", ["offers ceasefire"]),
        ("offer* … ceasefire", "offered one two three four five ceasefire", []),
        ("a … b c", "a b x b c", ["a b x b c"]),
        ("nagorno-karabakh", "in Nagorno Karabakh", ["Nagorno Karabakh"]),
        ("karabakh", "Karabakh's hills", ["Karabakh"]),
        ("istanbul", "İSTANBUL'da", ["İSTANBUL"]),
    ],
)
def test_patterns_mean_what_the_format_says(pattern: str, text: str, found: list[str]) -> None:
    """Words match whole, ``*`` any ending, ``…`` up to four words, and never across a sentence's end."""
    lexicon = small(killed=f'"{pattern}"')
    assert [text[m.start : m.end] for m in lexicon.find("toll", "killed", tokenise(text))] == found


def test_prefixes_are_taken_off() -> None:
    """A glued "and" or "the" does not hide a word where the lexicon lists it, and does where it does not."""
    source = SMALL.replace("one = 1", '"قتل" = 1').replace('"kill*", "shot dead"', '"قتل"')
    bare = parse_lexicon(source, "en.toml", "en")
    glued = parse_lexicon(
        source.replace('script = "latin"', 'script = "latin"\nprefixes = ["و", "ال"]'), "en.toml", "en"
    )
    tokens = tokenise("وقتل")
    assert not bare.find("toll", "killed", tokens)
    assert [m.first for m in glued.find("toll", "killed", tokens)] == [0]


def test_chinese_matches_inside_words() -> None:
    """In Chinese a pattern is any run of characters and a gap is up to twelve of them."""
    lexicon = small(script="han", killed='"死 … 人", "死亡"')
    text = "造成十二人死亡"
    assert [text[m.start : m.end] for m in lexicon.find("toll", "killed", tokenise(text))] == ["死亡"]


def naive(lexicon_words: Sequence[Sequence[str]], tokens: Sequence[Token]) -> set[tuple[int, int]]:
    """All places of plain word sequences, by trying each everywhere."""
    return {
        (first, first + len(words))
        for words in lexicon_words
        for first in range(len(tokens) - len(words) + 1)
        if [t.text for t in tokens[first : first + len(words)]] == list(words)
        and tokens[first].sentence == tokens[first + len(words) - 1].sentence
    }


WORDS = st.sampled_from(["ab", "abc", "b", "ba", "c"])


@given(st.lists(WORDS, max_size=30), st.lists(st.lists(WORDS, min_size=1, max_size=3), min_size=1, max_size=4))
def test_the_matcher_finds_what_trying_everywhere_finds(words: list[str], patterns: list[list[str]]) -> None:
    """The table-driven matcher agrees with the naive one, up to keeping the longest at each place."""
    quoted = ", ".join(f'"{" ".join(pattern)}"' for pattern in patterns)
    tokens = tokenise(" ".join(words))
    expected = naive(patterns, tokens)
    longest = {first: max(last for f, last in expected if f == first) for first, _ in expected}
    found = small(killed=quoted).find("toll", "killed", tokens)
    assert {m.first: m.last for m in found} == longest


@given(st.text(max_size=200))
def test_tokens_keep_exact_offsets(text: str) -> None:
    """Tokens stand in order, do not overlap, hold what the text holds there, and their sentences only rise."""
    end = sentence = 0
    for token in tokenise(text):
        assert end <= token.start < token.end <= len(text)
        assert token.sentence >= sentence
        assert text[token.start : token.end].strip()
        end, sentence = token.end, token.sentence


@pytest.mark.parametrize(
    "text",
    ["a" * 200_000, "killed " * 28_000, "offer x x x x " * 14_000, "1," * 100_000, "." * 200_000, "п'" * 100_000],
)
def test_long_texts_do_not_hurt(text: str) -> None:
    """200 kB of one word, of pattern heads, of digits or of full stops are read in a moment."""
    lexicon = load_lexicon("en")
    assert lexicon is not None
    began = time.process_time()
    lexicon.scan_all(tokenise(text))
    assert time.process_time() - began < 4


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Gen. Smith died. Two fell.", 2),
        ("The U.S. army fell back. It won.", 2),
        ("Killed on Jan. 5 in Kabul", 1),
        ("Twelve dead\nAfter a blast in Kabul", 2),
        ("Погибли 5 тыс. человек. Есть раненые.", 2),
        ("死亡三人。受伤五人。", 2),
        ("Զոհվել է երեք մարդ։ Կան վիրավորներ։", 2),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, count: int) -> None:
    """Titles, initials and abbreviations end no sentence; full stops of any script do."""
    assert tokenise(text)[-1].sentence == count - 1
