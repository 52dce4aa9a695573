"""How an item advances its story."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.model import Severity, Urgency
from bot.stories import standing, telling
from classifiers.assessment import Claim, Place

from .builders import NOON, at, item, read, story


def test_headline_follows_severity() -> None:
    """A story is headed by the first report that made it as severe as it is."""
    first, second, third = item("Shots heard"), item("Nine dead", hours=1), item("More on nine dead", hours=2)
    grown = story(
        (first, read("armed_clash", severity="moderate")),
        (second, read("armed_clash", severity="severe")),
        (third, read("armed_clash", severity="severe")),
    )
    assert (grown.title, grown.severity, grown.opened_at) == ("Nine dead", Severity.SEVERE, NOON)


def test_signals_keep_their_highest_probability() -> None:
    """A signal once raised stays raised with the highest probability seen, and the score follows."""
    grown = story((item(), read("talks", probability=0.7)), (item("b"), read("talks", "unrest", probability=0.6)))
    assert grown.signals == {"talks": 0.7, "unrest": 0.6}
    assert grown.score != 0


def test_places_are_those_of_the_event() -> None:
    """The capital of a state that comments on an event is not its place."""
    places = [Place("Qaryat", "YE", 1.0, 2.0, "title", 0, 1), Place("Elsewhere", "FR", 3.0, 4.0, "title", 5, 9)]
    grown = story((item(), read("bombing", places=places)), (item("b"), read("bombing", places=places)))
    assert [(place.name, place.country) for place in grown.places] == [("Qaryat", "YE")]


def test_copy_adds_a_source_and_nothing_else() -> None:
    """What a copy repeats is not counted again."""
    first = story((item(), read("bombing", killed=9)))
    report = telling.Report(item("c", outlet="c.example"), read("bombing", killed=11), copy=True)
    copied = telling.advanced(first, report, at(1))
    assert (copied.killed, copied.ledger, copied.updated_at) == (first.killed, first.ledger, first.updated_at)
    assert len(copied.sources) == 2


def test_late_item_does_not_turn_back_the_clock() -> None:
    """A report that arrives late leaves the time of the newest one."""
    grown = story((item(hours=3), read("bombing")), (item("late", hours=1), read("bombing")), now=at(4))
    assert grown.updated_at == at(3)


def test_claims_that_differ_are_both_kept() -> None:
    """A denial and its author stand among the story's claims."""
    title = "Army denies strike"
    denial = read("remote_strike", claims=[Claim("denied", "remote_strike", "the army", "title", 0, len(title))])
    grown = story((item(), read("remote_strike")), (item(title), denial))
    assert grown.claims == (f"denied by the army: {title}",)


def test_vague_denial_in_the_text_is_not_kept() -> None:
    """A denial of nobody in particular, somewhere in the text, is no claim."""
    vague = read("remote_strike", claims=[Claim("denied", "remote_strike", None, "summary", 0, 3)])
    assert story((item(summary="No, not so."), vague)).claims == ()


@pytest.mark.parametrize(
    ("signal", "age", "urgency"),
    [
        ("remote_strike", 1, Urgency.IMMEDIATE),
        ("remote_strike", 20, Urgency.EXPECTED),
        ("threat", 1, Urgency.EXPECTED),
        ("remote_strike", 50, Urgency.PAST),
    ],
)
def test_urgency(signal: str, age: int, urgency: Urgency) -> None:
    """What goes on is immediate, what is announced expected, what is two days old past."""
    assert standing.urgency([signal], NOON, NOON + timedelta(hours=age)) is urgency
