"""The life of a ceasefire."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Item, Phase, PhaseStep
from bot.stories import lifecycle
from classifiers.assessment import Assessment

from .builders import at, item, read

_PROPOSED = ("Mediators offer a truce", "ceasefire_proposal")
_CASES = [
    ("Envoys offer both sides a truce", "ceasefire_proposal", Phase.PROPOSED),
    ("Both sides sign a ceasefire", "ceasefire_agreement", Phase.AGREED),
    ("Ceasefire takes effect at dawn", "ceasefire_agreement", Phase.IN_FORCE),
    ("Перемирие вступило в силу", "ceasefire_agreement", Phase.IN_FORCE),
    ("Truce extended by three days", "ceasefire_agreement", Phase.EXTENDED),
    ("Перемирие продлено на трое суток", "ceasefire_agreement", Phase.EXTENDED),
    ("Shells fall despite the truce", "ceasefire_breakdown", Phase.VIOLATED),
    ("Ceasefire collapses after two hours", "ceasefire_breakdown", Phase.COLLAPSED),
    ("Rebels reject the ceasefire", "ceasefire_breakdown", Phase.REJECTED),
    ("Повстанцы отвергли перемирие", "ceasefire_breakdown", Phase.REJECTED),
    ("反对派拒绝停火", "ceasefire_breakdown", Phase.REJECTED),
    ("Shelling in the north", "remote_strike", None),
]


@pytest.mark.parametrize(("title", "signal", "phase"), _CASES)
def test_phase_of_an_item(title: str, signal: str, phase: Phase | None) -> None:
    """The signal names the turn, the words its finer phase, in several languages."""
    assert lifecycle.phase_of(item(title), read(signal)) is phase


def test_strongest_signal_decides() -> None:
    """Of several ceasefire signals in one item the most probable is the news."""
    both = Assessment(
        signals={"ceasefire_proposal": 0.6, "ceasefire_agreement": 0.9},
        labels=("ceasefire_proposal", "ceasefire_agreement"),
        severity="moderate",
        score=7.5,
    )
    assert lifecycle.phase_of(item("Truce agreed after offer"), both) is Phase.AGREED


def _live(*reports: tuple[float, Phase]) -> list[Phase]:
    steps: tuple[PhaseStep, ...] = ()
    for hours, phase in reports:
        steps = lifecycle.move(steps, phase, item("Truce news", hours=hours, key=f"{hours}{phase}"))
    return [step.phase for step in steps]


def test_a_whole_life() -> None:
    """Every step of a ceasefire's life is one transition."""
    lived = _live(
        (0, Phase.PROPOSED), (1, Phase.PROPOSED), (2, Phase.AGREED), (8, Phase.IN_FORCE), (9, Phase.IN_FORCE),
        (20, Phase.VIOLATED), (22, Phase.COLLAPSED),
    )  # fmt: skip
    assert lived == [Phase.PROPOSED, Phase.AGREED, Phase.IN_FORCE, Phase.VIOLATED, Phase.COLLAPSED]


def test_a_breach_of_what_is_only_proposed_is_a_refusal() -> None:
    """Nobody can violate a ceasefire that nobody agreed to."""
    assert _live((0, Phase.PROPOSED), (1, Phase.VIOLATED)) == [Phase.PROPOSED, Phase.REJECTED]


def test_stale_offer_moves_nothing_back() -> None:
    """ "Offered" after "agreed" changes nothing, be it older or only late."""
    assert _live((2, Phase.AGREED), (1, Phase.PROPOSED)) == [Phase.AGREED]
    assert _live((2, Phase.AGREED), (3, Phase.PROPOSED)) == [Phase.AGREED]
    assert _live((2, Phase.AGREED), (30, Phase.PROPOSED)) == [Phase.AGREED]
    assert _live((2, Phase.VIOLATED), (3, Phase.AGREED)) == [Phase.VIOLATED]


def test_a_new_beginning_after_a_breach() -> None:
    """Hours after a refusal, breach or collapse a new offer or agreement begins a new life."""
    assert _live((0, Phase.COLLAPSED), (7, Phase.PROPOSED), (9, Phase.AGREED)) == [
        Phase.COLLAPSED, Phase.PROPOSED, Phase.AGREED,
    ]  # fmt: skip
    assert _live((0, Phase.REJECTED), (7, Phase.PROPOSED))[-1] is Phase.PROPOSED


def test_a_new_beginning_is_named_in_the_title() -> None:
    """A truce that a report of something else mentions in passing begins nothing anew."""
    broken = (PhaseStep(Phase.VIOLATED, at(0), "1:x"),)
    assert lifecycle.move(broken, Phase.AGREED, item("First prisoners exchanged", hours=9)) == broken
    assert len(lifecycle.move(broken, Phase.AGREED, item("Стороны договорились о перемирии", hours=9))) == 2


_REPORTS = st.lists(st.tuples(st.integers(0, 60), st.sampled_from(Phase)), max_size=12)


@settings(deadline=None)
@given(_REPORTS)
def test_steps_go_forward_in_time_and_never_repeat(reports: list[tuple[int, Phase]]) -> None:
    """Whatever arrives, steps are in order of time, no phase follows itself, and each names its item."""
    steps: tuple[PhaseStep, ...] = ()
    for hours, phase in reports:
        one: Item = item("Truce news", hours=hours, key=f"{hours}{phase}")
        before = steps
        steps = lifecycle.move(steps, phase, one)
        assert steps[: len(before)] == before
        if before and at(hours) < before[-1].at:
            assert steps == before
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    assert all(one.phase is not two.phase for one, two in itertools.pairwise(steps))


@settings(deadline=None)
@given(_REPORTS)
def test_no_offer_straight_after_an_agreement(reports: list[tuple[int, Phase]]) -> None:
    """A ceasefire that is agreed, in force or extended is never set back to an offer."""
    steps: tuple[PhaseStep, ...] = ()
    for hours, phase in reports:
        steps = lifecycle.move(steps, phase, item("Truce news", hours=hours, key=f"{hours}{phase}"))
    held = {Phase.AGREED, Phase.IN_FORCE, Phase.EXTENDED}
    pairs = itertools.pairwise(steps)
    assert not any(one.phase in held and two.phase is Phase.PROPOSED for one, two in pairs)
