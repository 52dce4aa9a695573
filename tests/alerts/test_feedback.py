"""How readers judge alerts: added up once each, told in six lines once a week, and written as lines to learn from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.feedback import (
    OF_CHATS,
    Score,
    Vote,
    Voted,
    asking_rules,
    feedback_of,
    training_line,
    vote_counts,
    weekly_note,
    weekly_span,
)
from bot.model import Story, Tally
from classifiers.assessment import Toll
from classifiers.examples import example_of
from tests.alerts.builders import SEVERE, opening, verdict
from tests.stories.builders import NOON, item, read, story

WORDS = ("good", "bad", "wrong number", "wrong place", "wrong signal", "wrong noise")
_VOTED = st.lists(
    st.tuples(
        st.sets(st.sampled_from(("caucasus", "sahel", "of Ann", "of Bob")), max_size=3),
        st.sets(st.sampled_from(("remote_strike", "casualties", "talks")), min_size=1),
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=6),
        st.text(max_size=200),
    ),
    max_size=8,
)


def of(name: str = "s1", *labels: str, **changes: object) -> Story:
    made = story((item(f"Shelling hits {name}"), read(*(labels or ("remote_strike",)), killed=12)))
    return replace(made, id=name, **changes)  # type: ignore[arg-type]


def judged(about: Story, *words: str, rules: tuple[str, ...] = ("caucasus",), at: datetime = NOON) -> Voted:
    return Voted(about, tuple(Vote(word, at) for word in words), rules)


def test_votes_count_for_every_rule_and_signal_of_their_story() -> None:
    """A story that two rules asked for counts for both; whoever said what was wrong is among the bad."""
    both = judged(of("s1", "remote_strike", "casualties"), "good", "good", "wrong number", rules=("caucasus", "sahel"))
    one = judged(of("s2", "talks"), "bad")
    found = feedback_of([both, one], {"caucasus", "sahel"})
    assert (found.total, found.stories) == (Score("all", 2, 2), 2)
    assert found.rules == (Score("caucasus", 2, 2), Score("sahel", 2, 1))
    assert found.signals == (Score("casualties", 2, 1), Score("remote_strike", 2, 1), Score("talks", 0, 1))
    assert found.wrong == {"number": 1}
    assert found.worst is not None
    assert found.worst.story.id == "s1"


def test_rules_of_chats_are_never_named() -> None:
    """What a person called a rule of his own stays his: such rules count together, each vote once."""
    found = feedback_of([judged(of(), "good", rules=("of Ann", "of Bob"))], {"caucasus"})
    assert found.rules == (Score(OF_CHATS, 1, 0),)
    assert "Ann" not in (weekly_note(found, NOON, "UTC") or "")


def test_a_story_that_nobody_asked_for_counts_in_all_alone() -> None:
    """A vote on a story that somebody looked up belongs to no rule."""
    found = feedback_of([judged(of(), "bad", rules=())], {"caucasus"})
    assert (found.total.bad, found.rules) == (1, ())


@given(_VOTED)
def test_the_weekly_note_is_six_lines_or_none(rows: list[tuple[set[str], set[str], list[str], str]]) -> None:
    """However many voted on whatever titles: no vote, no note, else at most six lines, and the shares add up."""
    voted = [
        judged(of(f"s{n}", *sorted(signals), title=title), *words, rules=tuple(sorted(rules)))
        for n, (rules, signals, words, title) in enumerate(rows)
    ]
    found = feedback_of(voted, {"caucasus", "sahel"})
    note = weekly_note(found, NOON, "Asia/Baku")
    assert (note is None) == (not rows)
    assert len((note or "").splitlines()) <= 6
    assert found.total.votes == sum(len(words) for _, _, words, _ in rows)
    assert all(0.0 <= score.share <= 1.0 for score in (*found.rules, *found.signals))
    assert sum(found.wrong.values()) <= found.total.bad


def test_the_weekly_note_reads_well() -> None:
    """Shares with counts, what was wrong, and where to read on."""
    found = feedback_of([judged(of(), "good", "good", "good", "wrong number")], {"caucasus"})
    assert (weekly_note(found, NOON, "UTC") or "").splitlines() == [
        "How readers judge alerts, since Mon 02 Mar: 3 of 4 votes good (75%), on 1 story.",
        "By rule: caucasus 3 of 4 (75%)",
        "By signal: remote_strike 3 of 4 (75%)",
        "Said to be wrong: number 1",
        "Liked least: “Shelling hits s1” 3 of 4 (75%)",
        "All of it: tocsin feedback report. To learn from it: tocsin feedback export.",
    ]


_MOMENTS = st.integers(1_704_067_200, 1_893_456_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(_MOMENTS, st.lists(st.integers(1, 60 * 24 * 12), max_size=20))
def test_weeks_are_told_once_and_without_a_gap(start: datetime, pauses: list[int]) -> None:
    """Whenever it is looked at, across any pause, each note begins where the last one ended."""
    told: datetime | None = None
    now = start
    for minutes in (0, *pauses):
        now += timedelta(minutes=minutes)
        span = weekly_span(now, "Europe/Berlin", told)
        if span is not None:
            since, until = span
            assert since < until <= now
            assert told is None or since == told
            told = until
        assert weekly_span(now, "Europe/Berlin", told) is None
    assert told is not None
    assert now - told < timedelta(days=7, hours=2)


def test_monday_at_eight_makes_a_note_due() -> None:
    """A second before it none is owed, then the week since the last one."""
    monday = datetime(2026, 3, 9, 7, tzinfo=UTC)
    before = monday - timedelta(days=7)
    assert weekly_span(monday - timedelta(seconds=1), "Europe/Berlin", before) is None
    assert weekly_span(monday, "Europe/Berlin", before) == (before, monday)
    assert weekly_span(monday, "Europe/Berlin", None) == (before, monday)


def test_a_training_line_is_one_that_the_trainer_reads() -> None:
    """The report's own text with what was read in it, and the votes beside it."""
    one = judged(of(), "good", "bad", "wrong number", "wrong number")
    toll = Toll(low=40, best=45, high=50, total=158)
    line = training_line(one, item("Dozens fall", "In the market."), read("remote_strike", "casualties", killed=toll))
    assert line == {
        "id": "en-s1",
        "title": "Dozens fall",
        "summary": "In the market.",
        "language": "en",
        "date": "2026-03-02",
        "source": "feedback",
        "signals": ["remote_strike", "casualties"],
        "severity": 3,
        "countries": ["YE"],
        "killed": 45,
        "killed_low": 40,
        "killed_high": 50,
        "killed_total": 158,
        "votes": {"good": 1, "bad": 3, "wrong number": 2},
    }
    example = example_of(line, "line 1")
    assert (example.killed, example.severity, example.killed_vague) == (45, 3, True)


def test_where_the_report_is_gone_the_story_stands_for_it() -> None:
    """Title, signals, severity and toll of the story; words where no number was given."""
    line = training_line(judged(of(killed=Tally(best=7)), "good"), None, None)
    assert (line["title"], line["killed"], line["signals"]) == ("Shelling hits s1", 7, ["remote_strike"])
    assert example_of(line, "line 1").killed == 7
    vague = training_line(judged(of(), "good"), item(), read("casualties", killed=Toll(words="dozens")))
    assert vague["killed_words"] == "dozens"
    assert "killed" not in vague


@pytest.mark.parametrize("words", [(), ("good",), WORDS])
def test_votes_are_counted_with_good_and_bad_always_there(words: tuple[str, ...]) -> None:
    """Good and bad add up to all votes, and the rest says what the bad found wrong."""
    counts = vote_counts(Vote(word, NOON) for word in words)
    assert counts["good"] + counts["bad"] == len(words)
    assert sum(count for name, count in counts.items() if name.startswith("wrong ")) <= counts["bad"]


def test_rules_that_asked_come_from_all_verdicts_of_a_story() -> None:
    """Every rule that asked once is named once."""
    first = verdict(opening(), rule=SEVERE)
    both = replace(first, rules=("severe", "everything"))
    assert asking_rules([first, both]) == {first.update.story.id: ("everything", "severe")}
