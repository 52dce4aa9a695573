"""One item cut into words and windows: what features, patterns and evidence are computed on.

A short item is one window. A whole article is read in several: the first holds the title and the beginning,
the others follow at sentence borders, and the further back a window lies the less it counts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from classifiers.assessment import Field, Text
from classifiers.tokens import Token, tokenise

SHORT = 120
"""Words up to which an item is read in one window, title and all: nine in ten feed items."""
WINDOW = 45
"""Words of each window of a longer text, the title's not counted: about what the encoder reads at once."""
MOST_WINDOWS = 30


@dataclass(frozen=True, slots=True)
class Window:
    """A run of words that is scored at once."""

    tokens: tuple[Token, ...]
    titles: int
    """How many of ``tokens`` come from the title; they stand first."""
    discount: float = 0.0
    """Log-odds taken off what the window says, because it stands far from the beginning."""

    def field_of(self, index: int) -> Field:
        """Whether the word at ``index`` stands in the title or in the summary."""
        return "title" if index < self.titles else "summary"


def windows_of(text: Text) -> tuple[Window, ...]:
    """Cuts a cleaned text into its windows; there is always one, which may be empty."""
    title = tokenise(text.title)[:SHORT]
    summary = tokenise(text.summary)
    cut = len(summary) if len(title) + len(summary) <= SHORT else _border(summary, 0, WINDOW)
    windows = [Window(title + summary[:cut], len(title))]
    while cut < len(summary) and len(windows) < MOST_WINDOWS:
        end = _border(summary, cut, WINDOW)
        windows.append(Window(summary[cut:end], 0, discount_of(len(windows))))
        cut = end
    return tuple(windows)


def discount_of(position: int) -> float:
    """What the ``position``-th window (0 the first) loses: 0.4 for the second, growing with the logarithm."""
    return 0.0 if position == 0 else 0.4 + 0.25 * math.log2(position)


def _border(tokens: Sequence[Token], start: int, width: int) -> int:
    """Where the window from ``start`` ends: behind its last whole sentence, or at ``width`` words."""
    end = min(start + width, len(tokens))
    if end == len(tokens):
        return end
    border = end
    while border > start and tokens[border - 1].sentence == tokens[border].sentence:
        border -= 1
    return border if border - start >= width // 2 else end
