"""One verdict with one reason for every update."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.alerts.changes import Thresholds
from bot.alerts.judge import JudgePolicy, final_stories, judge, judge_unsignalled
from bot.model import Change, Filter, Reason, Rule, Severity, StoryUpdate, VerdictKind
from classifiers.assessment import Assessment, Claim, Toll
from classifiers.assessment import Severity as Word

from .builders import EVERYTHING, NOON, SEVERE, following, item, opening, read, told, verdict


def _after(assessment: Assessment, *, title: str = "Later report", outlet: str = "herald.example") -> StoryUpdate:
    """A second item on a story that was told with nine dead."""
    first = told(opening().story)
    return following(first, item(title, hours=1, outlet=outlet), assessment)


def test_new_story_is_an_alert() -> None:
    """The first item that a rule asks for is alerted, and the story remembers what was told."""
    found = verdict(opening())
    assert (found.kind, found.reason, found.changes) == (VerdictKind.ALERT, Reason.NEW_STORY, (Change.NEW,))
    assert found.rules == ("everything",)
    assert found.update.story.told is not None
    assert found.update.story.told.killed == found.update.story.killed


@pytest.mark.parametrize(
    ("killed", "severity", "kind", "reason"),
    [
        (9, "severe", VerdictKind.DROPPED, Reason.NO_CHANGE),
        (13, "severe", VerdictKind.DROPPED, Reason.NO_CHANGE),  # +4: fewer than five
        (14, "severe", VerdictKind.UPDATE, Reason.TOLL_UP),  # +5 and more than a quarter
        (30, "extreme", VerdictKind.UPDATE, Reason.SEVERITY_UP),
        (6, "severe", VerdictKind.CORRECTION, Reason.CORRECTED),
        (8, "severe", VerdictKind.DROPPED, Reason.NO_CHANGE),  # one fewer is no news
        (2, "severe", VerdictKind.DROPPED, Reason.NO_CHANGE),  # a part of the dead
    ],
)
def test_second_item(killed: int, severity: Word, kind: VerdictKind, reason: Reason) -> None:
    """After nine dead were told, this is what a second count does."""
    found = verdict(_after(read("remote_strike", killed=killed, severity=severity)))
    assert (found.kind, found.reason) == (kind, reason)


def test_toll_up_by_less_than_a_quarter() -> None:
    """Six more dead after forty are not yet an update, eleven are."""
    first = told(opening(assessment=read("remote_strike", killed=40)).story)
    six = following(first, item("Later", hours=1), read("remote_strike", killed=46))
    eleven = following(first, item("Later", hours=1), read("remote_strike", killed=51))
    assert verdict(six).reason is Reason.NO_CHANGE
    assert verdict(eleven).reason is Reason.TOLL_UP
    assert verdict(eleven).detail == "killed 40 → 51"


def test_small_steps_add_up() -> None:
    """Steps too small to tell are held against what was told, not against one another."""
    current = told(opening().story)
    reasons = []
    for n, killed in enumerate((11, 13, 15)):
        update = following(current, item(f"Report {n}", hours=1 + n), read("remote_strike", killed=killed))
        found = verdict(update)
        reasons.append(found.reason)
        current = found.update.story
    assert reasons == [Reason.NO_CHANGE, Reason.NO_CHANGE, Reason.TOLL_UP]


def test_figure_after_none() -> None:
    """A toll where none was known is told as a rise from unknown."""
    first = told(opening(assessment=read("remote_strike", killed=Toll(words="dozens"))).story)
    found = verdict(following(first, item("Later", hours=1), read("remote_strike", killed=12)))
    assert (found.reason, found.detail) == (Reason.TOLL_UP, "killed unknown → 12")


def test_second_source_confirms_once() -> None:
    """The first independent confirmation is told, the next ones are not."""
    found = verdict(_after(read("remote_strike", killed=9), outlet="other.example"))
    assert (found.kind, found.reason, found.detail) == (VerdictKind.UPDATE, Reason.CERTAINTY_UP, "possible → likely")
    third = following(found.update.story, item("Third", hours=2, outlet="third.example"), read("remote_strike"))
    fourth = following(third.story, item("Fourth", hours=2, outlet="fourth.example"), read("remote_strike"))
    assert [one.reason for one in judge([third, fourth], [EVERYTHING], NOON)] == [Reason.NO_CHANGE] * 2


def test_phase_transition() -> None:
    """Each transition of a ceasefire is told with where it came from."""
    offer = opening(item("Envoy offers truce"), read("ceasefire_proposal", severity="minor"))
    deal = following(told(offer.story), item("Truce agreed", hours=3), read("ceasefire_agreement", severity="minor"))
    found = verdict(deal)
    assert (found.reason, found.changes, found.detail) == (Reason.PHASE_CHANGED, (Change.PHASE,), "proposed → agreed")


def test_denial() -> None:
    """The first denial in a story is told; the second is not."""
    title = "Ministry denies strike on market"
    denial = read("remote_strike", claims=[Claim("denied", "remote_strike", "the ministry", "title", 0, len(title))])
    found = verdict(_after(denial, title=title))
    assert (found.kind, found.reason) == (VerdictKind.CORRECTION, Reason.DENIED)
    assert found.detail == f"denied by the ministry: {title}"
    again = following(found.update.story, item(title + " again", hours=2), denial)
    assert verdict(again).reason is Reason.NO_CHANGE


def test_item_that_calls_itself_a_correction() -> None:
    """A retraction is told as a correction even without any figure (F29)."""
    found = verdict(_after(read("remote_strike"), title="CORRECTION: strike hit warehouse, not market"))
    assert (found.kind, found.reason) == (VerdictKind.CORRECTION, Reason.CORRECTED)


def test_history_informs_and_alerts_nobody() -> None:
    """What is older than the start of watching is dropped as history."""
    assert verdict(opening(history=True)).reason is Reason.HISTORY


def test_stale_at_first_sight() -> None:
    """A day-old item that is seen for the first time is no alert, and says how old it was."""
    found = judge([opening()], [EVERYTHING], NOON + timedelta(hours=25))[0]
    assert (found.kind, found.reason, found.detail) == (
        VerdictKind.DROPPED,
        Reason.STALE,
        "25 hours old when first seen",
    )
    assert found.update.story.told is None


def test_copy_is_dropped() -> None:
    """A syndicated copy is a duplicate."""
    first = told(opening().story)
    copy = following(first, item(outlet="b.example", key="copy"), read("remote_strike", killed=9), copy=True)
    assert verdict(copy).reason is Reason.DUPLICATE


def test_below_every_rule_names_the_nearest() -> None:
    """A drop names the rule that came nearest and what it missed."""
    rules = [Rule("syria", Filter(countries=("SY",), signals=("talks",))), SEVERE]
    update = opening(assessment=read("talks", severity="minor"))
    found = judge([update], rules, NOON)[0]
    assert (found.reason, found.nearest, found.detail) == (
        Reason.BELOW_SEVERITY, "severe", "minor, asked for severe",
    )  # fmt: skip
    assert judge([update], [], NOON)[0].reason is Reason.NO_RULE


def test_story_that_rises_into_a_rule_is_new_to_it() -> None:
    """A story first below a rule and then within it is an alert, not an update."""
    low = opening(assessment=read("unrest", severity="minor"))
    dropped = verdict(low, rule=SEVERE)
    rise = following(dropped.update.story, item("Crackdown", hours=1), read("unrest", severity="severe"))
    assert verdict(rise, rule=SEVERE).kind is VerdictKind.ALERT


def test_two_updates_of_one_batch_build_on_one_another() -> None:
    """The second item about a story in one batch is held against what the first one told."""
    first = opening()
    second = following(first.story, item("Later", hours=0.1), read("remote_strike", killed=9))
    verdicts = judge([first, second], [EVERYTHING], NOON)
    assert [found.reason for found in verdicts] == [Reason.NEW_STORY, Reason.NO_CHANGE]
    assert final_stories(verdicts) == (verdicts[1].update.story,)
    assert verdicts[1].update.story.told == verdicts[0].update.story.told


def test_thresholds_are_settings() -> None:
    """With stricter thresholds the same rise says nothing."""
    policy = JudgePolicy(thresholds=Thresholds(toll_share=1.0, toll_least=10))
    update = _after(read("remote_strike", killed=14))
    assert judge([update], [EVERYTHING], NOON, policy=policy)[0].reason is Reason.NO_CHANGE


def test_certainty_can_be_switched_off() -> None:
    """Where confirmations are not wanted, a second source says nothing."""
    policy = JudgePolicy(thresholds=Thresholds(certainty=False))
    update = _after(read("remote_strike", killed=9), outlet="other.example")
    assert judge([update], [EVERYTHING], NOON, policy=policy)[0].reason is Reason.NO_CHANGE


def test_unsignalled() -> None:
    """An item without a signal is dropped with a placeholder story that nobody records."""
    found = judge_unsignalled(item("Cup final"), None, NOON)
    assert (found.kind, found.reason) == (VerdictKind.DROPPED, Reason.NO_SIGNAL)
    assert judge_unsignalled(item("Cup final"), None, NOON, history=True).reason is Reason.HISTORY
    assert final_stories([found]) == ()


def test_rule_order_and_names() -> None:
    """A verdict names every rule that asks for the story."""
    rules = [SEVERE, Rule("none", Filter(min_severity=Severity.EXTREME)), EVERYTHING]
    assert judge([opening()], rules, NOON)[0].rules == ("severe", "everything")


def test_severity_below_what_was_told_is_no_change() -> None:
    """A milder second report takes nothing back."""
    update = _after(read("remote_strike", severity="moderate"))
    assert replace(verdict(update)).reason is Reason.NO_CHANGE


def test_doubtful_reading_waits_for_a_second_source() -> None:
    """What one source reports is not told where it was read with little confidence; a second source brings it out."""
    first = opening(assessment=read("remote_strike", killed=9, probability=0.5))
    doubted = verdict(first)
    assert (doubted.kind, doubted.reason) == (VerdictKind.DROPPED, Reason.BELOW_CERTAINTY)
    assert doubted.detail == "read with 50% confidence, too little for possible"
    second = following(doubted.update.story, item("Port hit", hours=1, outlet="b.example"), read("remote_strike"))
    assert verdict(second).kind is VerdictKind.ALERT


def test_casualties_without_a_cause_weigh_less() -> None:
    """Dead and wounded of whom nothing says that anybody attacked them need more confidence."""
    assert verdict(opening(assessment=read("casualties", killed=9, probability=0.8))).reason is Reason.BELOW_CERTAINTY
    assert verdict(opening(assessment=read("casualties", killed=9, probability=0.95))).kind is VerdictKind.ALERT


@pytest.mark.parametrize("title", ["Who are the rebels of Qaryat?", "What we know about the strike on Qaryat"])
def test_explainers_are_no_alerts(title: str) -> None:
    """A piece that explains is not told as news, and what reports the event afterwards is."""
    dropped = verdict(opening(item(title)))
    assert dropped.reason is Reason.NO_CHANGE
    report = following(dropped.update.story, item("Strike on Qaryat kills nine", hours=1), read("remote_strike"))
    assert verdict(report).kind is VerdictKind.ALERT


def test_extreme_is_told_even_by_an_explainer() -> None:
    """Nothing extreme is kept back because of how its title is worded."""
    update = opening(item("What we know: 40 dead"), read("remote_strike", killed=40, severity="extreme"))
    assert verdict(update).kind is VerdictKind.ALERT


def test_echo_says_why_it_is_silent() -> None:
    """A story that adds nothing to what was told of its country is silent with that reason."""
    found = verdict(replace(opening(), echo="adds nothing to what was told of YE"))
    assert (found.reason, found.detail) == (Reason.NO_CHANGE, "adds nothing to what was told of YE")


def test_number_of_injured_beside_a_known_toll_is_no_rise() -> None:
    """The first count of injured after the dead were told is a detail, not a rising toll."""
    assert verdict(_after(read("remote_strike", killed=9, injured=75))).reason is Reason.NO_CHANGE
