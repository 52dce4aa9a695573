"""The taxonomy and the signed score."""

from __future__ import annotations

import pytest

from classifiers.taxonomy import SIGNAL_IDS, SIGNALS, signed_score, taxonomy_hash


def test_there_are_23_signals_with_different_ids() -> None:
    """The codebook's 23 ids stand in the taxonomy once each."""
    assert len(SIGNAL_IDS) == len(set(SIGNAL_IDS)) == 23


def test_signs_agree_with_direction() -> None:
    """What escalates never scores above zero, what calms always does."""
    for signal in SIGNALS:
        if signal.score is not None:
            assert (signal.score < 0) == signal.escalates, signal.id


def test_supplying_arms_is_escalation() -> None:
    """A supplier's arms count against peace although dyadic scores call them cooperation."""
    assert signed_score(["foreign_involvement"]) < 0


@pytest.mark.parametrize(
    ("labels", "score"),
    [
        ((), 0.0),
        (("talks",), 2.5),
        (("armed_clash", "casualties"), -9.0),
        (("casualties",), -9.0),  # killed by means that the item does not name
        (("armed_clash", "ceasefire_agreement"), -1.5),  # the worst and the best are both said
        (("wmd", "casualties"), -10.0),
        (("wmd",), -6.5),
    ],
)
def test_score_is_worst_plus_best(labels: tuple[str, ...], score: float) -> None:
    """The signed score is the worst label's plus the best one's."""
    assert signed_score(labels) == score


def test_score_stays_on_the_scale() -> None:
    """No set of labels leaves -10 … +10."""
    assert -10 <= signed_score(SIGNAL_IDS) <= 10


def test_hash_names_the_list() -> None:
    """The taxonomy's hash is stable within a version and short enough to read."""
    assert len(taxonomy_hash()) == 16
