"""Boilerplate is blanked without moving a letter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.assessment import Text
from classifiers.cleaning import SUMMARY_LIMIT, TITLE_LIMIT, clean


@given(st.text(max_size=300), st.text(max_size=600))
def test_cleaning_keeps_offsets(title: str, summary: str) -> None:
    """Every letter that cleaning leaves stands where it stood; all others become spaces."""
    cleaned = clean(Text(title, summary))
    for before, after in ((title, cleaned.title), (summary, cleaned.summary)):
        assert len(after) == len(before)
        assert all(a in (b, " ") for a, b in zip(after, before, strict=True))


@pytest.mark.parametrize(
    ("summary", "gone"),
    [
        ("[ad_1]\nThe river rose.", "[ad_1]"),
        ("The river rose. Continue reading...", "Continue reading..."),
        ("The river rose. Read more", "Read more"),
        ("By Anna Keller, Riverside Post\nThe river rose.", "By Anna Keller, Riverside Post"),
        ("The river rose. https://example.org/a?b=c", "https://example.org/a?b=c"),
        ("The river rose. (Photo: Jo Lind)", "(Photo: Jo Lind)"),
        ("The river rose. The post River rises appeared first on Riverside Post.", "appeared first on"),
        ("Река поднялась. Читать далее", "Читать далее"),
    ],
)
def test_boilerplate_goes_and_news_stays(summary: str, gone: str) -> None:
    """Advertisement markers, bylines, credits and invitations to read on are dropped, the sentence beside is kept."""
    cleaned = clean(Text("", summary)).summary
    assert gone not in cleaned
    assert "river rose" in cleaned or "Река поднялась" in cleaned


def test_long_texts_are_cut() -> None:
    """No more is read than the limits say."""
    cleaned = clean(Text("a " * TITLE_LIMIT, "b " * SUMMARY_LIMIT))
    assert len(cleaned.title) == TITLE_LIMIT
    assert len(cleaned.summary) == SUMMARY_LIMIT
