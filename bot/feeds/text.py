"""Publishers' markup to clean, bounded text. Pure."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence

from selectolax.lexbor import LexborHTMLParser

MAX_TITLE = 500
MAX_SUMMARY = 20_000
_MAX_MARKUP = 100_000

# Elements that stand on lines of their own: a blank before their tags keeps words apart.
_BLOCK = re.compile(
    "<(?=/?(?:[pPhHoO]|[bB][rRlL]|[dD][ivltIVLT]|[lL][iI]|[tT][rdhaRDHA]|[fF][iI]|[uU][lL]|[iI][mM]|[sS][eE]|[aA][rR]))"
)
_DEEPEST = 1000
_TAG = re.compile(r"<[^<>]*>?")
_CODE = re.compile(r"<(?:script|style)\b", re.IGNORECASE)
_UNREAD = ["script", "style", "noscript", "template", "iframe", "object", "embed", "svg", "textarea", "select", "head"]
# Zero-width joiners mean something between the letters of some scripts and inside emoji, and are noise elsewhere.
_JOINED = (
    "\u0600-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u17ff\u2600-\u27bf\ufb50-\ufdff\ufe0f\ufe70-\ufefe"
    "\U0001f000-\U0001faff"
)
_UNSEEN = re.compile(
    "[\u0000-\u0008\u000e-\u001b\u007f-\u0084\u0086-\u009f\u00ad\u061c\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\ufeff\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
    f"|(?<![{_JOINED}])[\u200c\u200d]|[\u200c\u200d](?![{_JOINED}])"
)


def clean(markup: str, limit: int) -> str:
    """The text that a reader would see, in one line of at most ``limit`` characters (cut at a word, with ``…``).

    Scripts and styles are left out; entities are resolved; control, zero-width and direction-changing characters are
    removed; the result is in Unicode's NFC.
    """
    return shortened(tidy(_text(markup[:_MAX_MARKUP])[: 4 * limit]), limit)


def richest(candidates: Sequence[str], limit: int = MAX_SUMMARY) -> str:
    """Of several descriptions of one item, the one with most text in it, cleaned."""
    best = ""
    for markup in sorted(candidates, key=len, reverse=True):
        if len(markup) <= len(best):
            break
        best = max(best, clean(markup, limit), key=len)
    return best


def tidy(text: str) -> str:
    """One line without characters that do not show; single blanks between words."""
    line = " ".join(text.split())
    if not line.isprintable():
        line = " ".join(_UNSEEN.sub("", line).split())
    return unicodedata.normalize("NFC", line)


def shortened(text: str, limit: int) -> str:
    """At most ``limit`` characters, cut between words where one ends in the last fifth."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    blank = cut.rfind(" ", limit - 1 - limit // 5)
    return (cut[:blank] if blank > 0 else cut).rstrip() + "…"


def _text(markup: str) -> str:
    if "<" not in markup:
        return html.unescape(markup) if "&" in markup else markup
    if markup.count("<") - 2 * markup.count("</") > _DEEPEST:
        return _flattened(markup)
    tree = LexborHTMLParser(_BLOCK.sub(" <", markup))
    tree.strip_tags(_UNREAD)
    root = tree.body or tree.root
    return root.text(separator="") if root is not None else ""


def _flattened(markup: str) -> str:
    """Without a tree, whose cost grows with the square of its depth: tags become blanks; scripts end the text."""
    code = _CODE.search(markup)
    return html.unescape(_TAG.sub(" ", markup[: code.start()] if code else markup))
