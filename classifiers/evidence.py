"""Why a signal was raised: the stretches of text with the largest share in its log-odds."""

from __future__ import annotations

from classifiers.assessment import Evidence, Text
from classifiers.document import Window
from classifiers.linear import Floats

MOST_SPANS = 3
"""Spans given for one signal."""
_LONGEST_SPAN = 7
"""Words of one span at most."""
_NEIGHBOUR = 0.3
"""A word beside a peak belongs to its span from this part of the peak's weight on."""
_WORTH = 0.12
"""A further span is worth showing from this part of the strongest one's weight on."""


def spans(signal: str, window: Window, shares: Floats, text: Text) -> tuple[Evidence, ...]:
    """The strongest spans that speak for ``signal``, strongest first.

    Parameters
    ----------
    shares
        signed part of the log-odds that each word of ``window`` has.
    text
        the item as it was given: offsets and texts are its own.
    """
    free = [True] * len(window.tokens)
    found: list[Evidence] = []
    for peak in sorted(range(len(shares)), key=lambda i: -float(shares[i])):
        if shares[peak] <= 0 or len(found) == MOST_SPANS:
            break
        if not free[peak]:
            continue
        first, last = _grow(window, shares, peak, free)
        free[first : last + 1] = [False] * (last + 1 - first)
        found.append(_evidence(signal, window, shares, text, first, last))
    found.sort(key=lambda e: -e.weight)
    return tuple(e for e in found if e.weight >= _WORTH * found[0].weight)


def _grow(window: Window, shares: Floats, peak: int, free: list[bool]) -> tuple[int, int]:
    least = _NEIGHBOUR * shares[peak]
    first = last = peak
    grown = True
    while grown and last - first + 1 < _LONGEST_SPAN:
        grown = False
        if _joins(window, shares, first - 1, first, least, free):
            first -= 1
            grown = True
        if last - first + 1 < _LONGEST_SPAN and _joins(window, shares, last + 1, last, least, free):
            last += 1
            grown = True
    return first, last


def _joins(window: Window, shares: Floats, at: int, beside: int, least: float, free: list[bool]) -> bool:
    return (
        0 <= at < len(shares)
        and free[at]
        and bool(shares[at] >= least)
        and window.field_of(at) == window.field_of(beside)
        and window.tokens[at].sentence == window.tokens[beside].sentence
    )


def _evidence(signal: str, window: Window, shares: Floats, text: Text, first: int, last: int) -> Evidence:
    field = window.field_of(first)
    start, end = window.tokens[first].start, window.tokens[last].end
    source = text.title if field == "title" else text.summary
    weight = round(float(shares[first : last + 1].sum()), 4)
    return Evidence(signal, field, start, end, source[start:end], weight)
