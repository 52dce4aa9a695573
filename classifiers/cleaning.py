"""Takes what is not news out of a text without moving a letter.

Advertisement markers, "Read more", bylines, photo credits and links are blanked by spaces of the same length, so
that every offset found in the cleaned text is an offset in the text as it was given.
"""

from __future__ import annotations

import re

from classifiers.assessment import Text

TITLE_LIMIT = 1_000
"""Characters of a title that are read: no headline is longer, and a broken feed may put a page there."""
SUMMARY_LIMIT = 12_000
"""Characters of a summary that are read: an article of 2,000 words; what lies behind that is background."""
FACTS_LIMIT = 3_000
"""Characters of a summary in which tolls, places and claims are looked for: they belong to its beginning."""
_LONGEST_WORD = 200
"""A longer run without a space is no word (embedded data, keyboard mashing) and is blanked."""

_MORE = (
    r"read more|continue reading|read the full (?:story|article)|keep reading|leer más|lire la suite|"
    r"weiterlesen|mehr lesen|devamını oku|читать далее|читайте также|подробнее|читати далі|czytaj więcej|"
    r"czytaj dalej|leia mais|saiba mais|ادامه مطلب|اقرأ المزيد|המשך קריאה|阅读更多|查看更多"
)
_BOILERPLATE = re.compile(
    r"\[/?ads?[_ ]?\d*\]"
    r"|https?://\S+"
    r"|\x00+"
    rf"|(?:{_MORE})(?:[:.…»\s]{{0,6}}$|[:»][^\n]{{0,120}}$)"
    r"|^advertisements?\s*$"
    r"|\b(?:click here|sign up|subscribe)\b[^\n.!]{0,120}\b(?:newsletter|inbox|updates|subscribe|box below)\b"
    r"[^\n.!]{0,40}[.!]?"
    r"|\bthe post [^\n]{1,200}? appeared first on [^\n.]{1,60}\.?"
    r"|\bfollow us on [^\n.]{1,60}\.?"
    r"|\bsee all our [^\n.]{1,60} coverage\b"
    r"|\((?:file )?(?:photo|image|picture|credit)[^()\n]{0,90}\)"
    r"|\([^()\n]{0,80}(?:/| via )(?:ap|afp|reuters|getty images|handout|epa)[^()\n]{0,40}\)",
    re.IGNORECASE | re.MULTILINE,
)
_BYLINE = re.compile(
    r"^[ \t]*(?:By|BY|Von|Par|Por) [^\W\d_][\w.'’-]+(?: (?:and |[A-Z])[\w.'’-]*){1,6}"
    r"(?:, [^\n.]{2,40})?[ \t]*$",
    re.MULTILINE,
)
_MONSTER = re.compile(rf"\S{{{_LONGEST_WORD},}}")


def clean(text: Text) -> Text:
    """The same text, cut to what is read, with all that is not news blanked by spaces."""
    return Text(
        title=_blank(text.title[:TITLE_LIMIT]), summary=_blank(text.summary[:SUMMARY_LIMIT]), language=text.language
    )


def beginning(text: Text) -> Text:
    """The part of a cleaned text in which tolls, places and claims are looked for; offsets stay true."""
    return Text(title=text.title, summary=text.summary[:FACTS_LIMIT], language=text.language)


def _blank(text: str) -> str:
    text = _BOILERPLATE.sub(_spaces, text)
    if "\n" in text:
        text = _BYLINE.sub(_spaces, text)
    return _MONSTER.sub(_spaces_unless_han, text) if len(text) >= _LONGEST_WORD else text


def _spaces(match: re.Match[str]) -> str:
    return " " * len(match.group())


def _spaces_unless_han(match: re.Match[str]) -> str:
    """Chinese is written without spaces: there a long run is a text, not a word."""
    run = match.group()
    han = sum("\u3400" <= letter <= "\u9fff" for letter in run[:_LONGEST_WORD])
    return run if han * 4 > _LONGEST_WORD else " " * len(run)
