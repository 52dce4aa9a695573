"""The all-clear, and the second call."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.alerts.care import all_clear, escalate
from bot.alerts.judge import final_stories
from bot.alerts.route import route
from bot.model import Alert, Change, Mode, Phase, PhaseStep, Reason, RouteState, Story

from .builders import NOON, knows, opening, read, subscription, told, verdict

_LATER = NOON + timedelta(hours=25)


def _truce(phase: Phase = Phase.IN_FORCE) -> Story:
    story = opening(assessment=read("ceasefire_agreement", severity="moderate")).story
    return told(replace(story, phase=phase, phases=(PhaseStep(phase, NOON, story.sources[0].item_uid),)))


def test_truce_that_held_a_day_is_told_once() -> None:
    """A ceasefire in force for a day without a breach is told as an all-clear, and only once."""
    (found,) = all_clear([_truce()], _LATER)
    assert (found.reason, found.changes) == (Reason.ALL_CLEAR, (Change.ALL_CLEAR,))
    assert found.detail == "no breach reported in 25 hours"
    (recorded,) = final_stories([found])
    assert all_clear([recorded], _LATER + timedelta(hours=5)) == ()


def test_no_all_clear_too_early_or_for_anything_else() -> None:
    """Not before a day has passed, not after a breach, and not for what nobody was told of."""
    assert all_clear([_truce()], NOON + timedelta(hours=23)) == ()
    assert all_clear([_truce(Phase.VIOLATED), replace(_truce(), told=None)], _LATER) == ()


def test_all_clear_goes_to_those_who_were_told() -> None:
    """Who heard of the story gets a reply; who did not is left in peace."""
    story = _truce()
    verdicts = all_clear([story], _LATER)
    members = [subscription(), subscription("two", "telegram:8")]
    found = route(verdicts, members, knows("telegram:7", story), _LATER)
    (delivery,) = found.deliveries
    assert isinstance(delivery.content, Alert)
    assert (delivery.target, delivery.mode, delivery.content.reason) == ("telegram:7", Mode.REPLY, Reason.ALL_CLEAR)
    assert [silence.subscription_id for silence in found.silent] == ["two"]


def test_second_call() -> None:
    """An extreme alert that nobody acknowledged in time goes to the second address, once."""
    update = opening(assessment=read("remote_strike", killed=40, severity="extreme"))
    wants = replace(subscription(), escalate_to="slack:duty")
    sent = route([verdict(update)], [wants], RouteState(), NOON).deliveries
    later = NOON + timedelta(minutes=15)
    (call,) = escalate(sent, [wants], set(), later)
    assert isinstance(call.content, Alert)
    assert (call.target, call.content.reason) == ("slack:duty", Reason.UNACKNOWLEDGED)
    assert call.id == escalate(sent, [wants], set(), later + timedelta(hours=1))[0].id
    assert escalate(sent, [wants], set(), later - timedelta(minutes=1)) == ()
    assert escalate(sent, [wants], {("telegram:7", update.story.id)}, later) == ()
    assert escalate(sent, [subscription()], set(), later) == ()


def test_no_second_call_below_extreme() -> None:
    """What is not extreme needs no acknowledgement."""
    wants = replace(subscription(), escalate_to="slack:duty")
    sent = route([verdict(opening())], [wants], RouteState(), NOON).deliveries
    assert escalate(sent, [wants], set(), _LATER) == ()
