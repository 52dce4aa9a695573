"""Who is told of what, when, and why not."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.alerts.judge import judge
from bot.alerts.route import route
from bot.model import (
    Alert,
    Delivery,
    DigestMode,
    Filter,
    Lane,
    Mode,
    Phase,
    PhaseStep,
    QuietHours,
    Reason,
    RouteState,
    Rule,
    Severity,
    Story,
    StoryUpdate,
    Subscription,
    VerdictKind,
)
from bot.stories import telling

from .builders import (
    EVERYTHING,
    NOON,
    SEVERE,
    following,
    item,
    knows,
    opening,
    read,
    subscription,
    told,
    verdict,
)

_NIGHT = QuietHours(time(11), time(14))
_EXTREME = read("remote_strike", killed=40, severity="extreme")


def _alert(delivery: Delivery) -> Alert:
    assert isinstance(delivery.content, Alert)
    return delivery.content


def test_first_alert() -> None:
    """An address that never heard of a story gets an alert, and what it was told is remembered."""
    found = route([verdict(opening())], [subscription()], RouteState(), NOON)
    (delivery,) = found.deliveries
    alert = _alert(delivery)
    assert (alert.kind, alert.reason, delivery.mode, delivery.lane) == (
        VerdictKind.ALERT, Reason.NEW_STORY, Mode.NEW, Lane.NORMAL,
    )  # fmt: skip
    assert (alert.title, alert.rule, alert.killed) == (opening().item.title, "everything", opening().story.killed)
    assert found.told[0].snapshot.killed == alert.killed
    assert not found.silent
    assert not found.held


def test_update_answers_with_what_changed_for_this_chat() -> None:
    """An address that was told gets a reply that says what it knew before."""
    first = opening().story
    more = following(told(first), item("Toll rises", hours=1), read("remote_strike", killed=18))
    found = route([verdict(more)], [subscription()], knows("telegram:7", first), NOON)
    alert = _alert(found.deliveries[0])
    assert found.deliveries[0].mode is Mode.REPLY
    assert (alert.kind, alert.reason, alert.detail) == (VerdictKind.UPDATE, Reason.TOLL_UP, "killed 9 → 18")
    assert alert.killed_before == first.killed
    assert found.told[0].message_id == "41"


def test_chat_that_never_heard_gets_an_alert_for_an_update() -> None:
    """What is an update to others is an alert to whom it is new."""
    more = following(told(opening().story), item("Toll rises", hours=1), read("remote_strike", killed=18))
    alert = _alert(route([verdict(more)], [subscription()], RouteState(), NOON).deliveries[0])
    assert (alert.kind, alert.reason, alert.killed_before) == (VerdictKind.ALERT, Reason.NEW_STORY, None)


def test_small_change_edits_where_the_channel_edits() -> None:
    """A change too small to ring edits the live message in Telegram and says nothing in Slack."""
    first = opening().story
    more = verdict(following(told(first), item("One more", hours=1), read("remote_strike", killed=11)))
    chat = route([more], [subscription()], knows("telegram:7", first), NOON)
    assert (chat.deliveries[0].mode, _alert(chat.deliveries[0]).reason) == (Mode.EDIT, Reason.QUIET_EDIT)
    assert not chat.told, "what was told stays the baseline of the next material change"
    desk = route([more], [subscription(target="slack:desk")], knows("slack:desk", first), NOON)
    assert [silence.reason for silence in desk.silent] == [Reason.NO_CHANGE]


def test_no_edit_without_a_message() -> None:
    """While the first message is not out there is nothing to edit."""
    first = opening().story
    more = verdict(following(told(first), item("One more", hours=1), read("remote_strike", killed=11)))
    found = route([more], [subscription()], knows("telegram:7", first, message_id=None), NOON)
    assert [silence.reason for silence in found.silent] == [Reason.NO_CHANGE]


def test_no_edit_where_nothing_reads_differently() -> None:
    """A further report that changes no word of the message edits nothing."""
    first = opening().story
    same = verdict(following(told(first), item("Same again", hours=1), read("remote_strike", killed=9)))
    assert not route([same], [subscription()], knows("telegram:7", first), NOON).deliveries


def test_two_subscriptions_of_one_chat_make_one_message() -> None:
    """Several rules of one chat that ask for a story tell it once; the others say through which."""
    members = [subscription("one"), subscription("two", rule=SEVERE)]
    found = route([verdict(opening())], members, RouteState(), NOON)
    assert len(found.deliveries) == 1
    assert [(s.subscription_id, s.reason, s.detail) for s in found.silent] == [
        ("two", Reason.DUPLICATE, "told through everything"),
    ]


def test_at_once_beats_digest_in_one_chat() -> None:
    """Where one rule of a chat wants it at once and another in the digest, it comes at once."""
    members = [subscription("one", digest=DigestMode.DAILY), subscription("two")]
    found = route([verdict(opening())], members, RouteState(), NOON)
    assert found.deliveries[0].subscription_id == "two"
    assert not found.held


def test_quiet_hours_hold_until_their_end() -> None:
    """In quiet hours an alert waits for their end."""
    found = route([verdict(opening())], [subscription(quiet=_NIGHT)], RouteState(), NOON)
    (held,) = found.held
    assert (held.reason, held.release_at) == (Reason.QUIET_HOURS, NOON + timedelta(hours=2))
    assert not found.deliveries


def test_extreme_is_never_held_unless_asked() -> None:
    """An extreme alert passes quiet hours, digests and floods, unless the subscriber asked that even it waits."""
    extreme = [verdict(opening(assessment=_EXTREME))]
    flood = RouteState(sent_last_hour={"telegram:7": 500})
    for wants in (
        subscription(quiet=_NIGHT),
        subscription(digest=DigestMode.DAILY),
        subscription(digest=DigestMode.HOURLY),
        subscription(),
    ):
        found = route(extreme, [wants], flood, NOON)
        assert [delivery.lane for delivery in found.deliveries] == [Lane.URGENT]
        assert not route(extreme, [replace(wants, hold_extreme=True)], flood, NOON).deliveries


def test_digest_in_quiet_hours_comes_at_their_end() -> None:
    """A digest that would fall into quiet hours waits for their end."""
    wants = subscription(digest=DigestMode.HOURLY, quiet=_NIGHT)
    assert route([verdict(opening())], [wants], RouteState(), NOON).held[0].release_at == NOON + timedelta(hours=2)


def test_flood_turns_into_a_digest() -> None:
    """Above the limit an hour further alerts are held; zero switches the limit off."""
    verdicts = [verdict(opening(item(f"Strike {n}"))) for n in range(5)]
    found = route(verdicts, [subscription(flood_limit=3)], RouteState(sent_last_hour={"telegram:7": 1}), NOON)
    assert len(found.deliveries) == 2
    assert {held.reason for held in found.held} == {Reason.FLOOD}
    assert {held.release_at for held in found.held} == {NOON + timedelta(hours=1)}
    free = route(verdicts, [subscription(flood_limit=0)], RouteState(sent_last_hour={"telegram:7": 900}), NOON)
    assert len(free.deliveries) == 5


def test_resting_subscriptions() -> None:
    """Muted, paused and suspended subscriptions each say so."""
    update = opening()
    members = [
        subscription("m", "telegram:1", muted=frozenset({update.story.id})),
        subscription("p", "telegram:2", paused_until=NOON + timedelta(hours=1)),
        subscription("s", "telegram:3", suspended="bot was blocked"),
        subscription("over", "telegram:4", paused_until=NOON - timedelta(hours=1)),
    ]
    found = route([verdict(update)], members, RouteState(), NOON)
    assert [silence.reason for silence in found.silent] == [Reason.MUTED, Reason.PAUSED, Reason.SUSPENDED]
    assert len(found.deliveries) == 1


def test_late_subscriber_is_not_told_of_an_old_story_for_nothing() -> None:
    """Who subscribes while a story runs hears of it at its next material change, not at the next report."""
    same = verdict(following(told(opening().story), item("Same again", hours=1), read("remote_strike", killed=9)))
    found = route([same], [subscription()], RouteState(), NOON)
    assert [silence.reason for silence in found.silent] == [Reason.NO_CHANGE]


def test_story_that_grows_into_a_filter_is_told() -> None:
    """A story that fits one chat's filter only now is an alert there, though others heard long ago."""
    first = told(opening().story)
    wider = following(first, item("Also in Oman", hours=1), read("remote_strike", killed=9, countries=("OM",)))
    oman = subscription(rule=Rule("oman", Filter(countries=("OM",))))
    assert verdict(wider).reason is Reason.NO_CHANGE
    assert _alert(route([verdict(wider)], [oman], RouteState(), NOON).deliveries[0]).kind is VerdictKind.ALERT


def test_final_drops_hold_for_everybody() -> None:
    """History, copies and stale items are silent for each subscription, for that reason."""
    old = verdict(opening(history=True))
    assert [s.reason for s in route([old], [subscription()], RouteState(), NOON).silent] == [Reason.HISTORY]


def test_routing_twice_queues_once() -> None:
    """The same verdicts routed again make deliveries with the same ids."""
    ids = [route([verdict(opening())], [subscription()], RouteState(), NOON).deliveries[0].id for _ in range(2)]
    assert ids[0] == ids[1]
    assert len(ids[0]) <= 32


def test_held_story_counts_as_told() -> None:
    """What waits for the morning is not told a second time as new."""
    first = opening()
    second = following(first.story, item("Same again", hours=0.1), read("remote_strike", killed=9))
    found = route(judge([first, second], [EVERYTHING], NOON), [subscription(quiet=_NIGHT)], RouteState(), NOON)
    assert len(found.held) == 1
    assert [silence.reason for silence in found.silent] == [Reason.NO_CHANGE]


def test_alert_of_a_story_held_back_until_now_bears_its_gravest_headline() -> None:
    """Where a mild report brings out a story that a graver one opened, the message is headed by the graver one."""
    first = opening(assessment=read("remote_strike", killed=9, probability=0.5))
    mild = following(first.story, item("Reactions", hours=1, outlet="b.example"), read("talks", severity="minor"))
    alert = _alert(route([verdict(mild)], [subscription()], RouteState(), NOON).deliveries[0])
    assert (alert.title, alert.outlet) == (first.item.title, first.item.outlet)


def test_new_story_tells_only_the_transition_that_it_made() -> None:
    """A story that knows a ceasefire's life from others tells of a transition where one of its own items made it."""
    known = (PhaseStep(Phase.IN_FORCE, NOON, "1:other"), PhaseStep(Phase.VIOLATED, NOON, "1:another"))
    base = opening(assessment=read("release", severity="severe"))
    inherited = replace(base, story=replace(base.story, phases=known, phase=Phase.VIOLATED))
    alert = _alert(route([verdict(inherited)], [subscription()], RouteState(), NOON).deliveries[0])
    assert (alert.phase, alert.phase_before, alert.detail) == (Phase.VIOLATED, None, "")
    own = (*known, PhaseStep(Phase.COLLAPSED, NOON, base.item.uid))
    moved = replace(base, story=replace(base.story, phases=own, phase=Phase.COLLAPSED))
    alert = _alert(route([verdict(moved)], [subscription()], RouteState(), NOON).deliveries[0])
    assert (alert.phase_before, alert.detail) == (Phase.VIOLATED, "violated → collapsed")


def test_echo_is_no_alert_for_anybody() -> None:
    """What adds nothing is not told to those either to whom everything is new."""
    echo = verdict(replace(opening(), echo="adds nothing"))
    found = route([echo], [subscription()], RouteState(), NOON)
    assert [silence.reason for silence in found.silent] == [Reason.NO_CHANGE]


_SEVERITIES = st.sampled_from(["minor", "moderate", "severe", "extreme"])
_SUBSCRIPTIONS = st.lists(
    st.builds(
        subscription,
        target=st.sampled_from(["telegram:7", "telegram:8", "slack:desk", "console"]),
        rule=st.sampled_from([EVERYTHING, SEVERE, Rule("talks", Filter(signals=("talks",)))]),
        quiet=st.sampled_from([None, _NIGHT]),
        digest=st.sampled_from(DigestMode),
        flood_limit=st.sampled_from([0, 1, 20]),
        hold_extreme=st.booleans(),
        suspended=st.sampled_from([None, None, "gone"]),
        paused_until=st.sampled_from([None, None, NOON + timedelta(hours=1)]),
    ),
    max_size=6,
).map(lambda found: [replace(one, id=f"s{n}") for n, one in enumerate(found)])
_REPORTS = st.lists(
    st.tuples(
        st.integers(0, 2),
        _SEVERITIES,
        st.sampled_from(["remote_strike", "talks", "ceasefire_agreement"]),
        st.none() | st.integers(0, 60),
        st.sampled_from(["a.example", "b.example"]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=8,
)


def _updates(reports: list[tuple[int, str, str, int | None, str, bool, bool]]) -> list[StoryUpdate]:
    """Reports on three stories, as updates in order."""
    stories: dict[int, Story] = {}
    found = []
    for n, (which, severity, label, killed, outlet, copy, history) in enumerate(reports):
        one = item(f"Report {n} on {which}", hours=n / 60, outlet=outlet)
        understood = read(label, severity=severity, killed=killed)  # type: ignore[arg-type]
        before = stories.get(which)
        report = telling.Report(one, understood, copy and before is not None)
        grown = telling.advanced(before, report, NOON) if before else telling.opened(f"story{which}", report, NOON)
        stories[which] = grown
        found.append(StoryUpdate(grown, before, one, understood, report.copy, history))
    return found


@settings(max_examples=150, deadline=None)
@given(_REPORTS, _SUBSCRIPTIONS)
def test_every_pair_has_exactly_one_outcome(
    reports: list[tuple[int, str, str, int | None, str, bool, bool]], subscriptions: list[Subscription]
) -> None:
    """Each (verdict, subscription) pair is delivered, held or silent: once, and never twice."""
    verdicts = judge(_updates(reports), [one.rule for one in subscriptions], NOON)
    found = route(verdicts, subscriptions, RouteState(), NOON)
    outcomes = Counter((s.item_uid, s.subscription_id) for s in found.silent)
    by_time = {v.update.item.published: v.update.item.uid for v in verdicts}
    told_now = [(_alert(d), d.subscription_id or "") for d in found.deliveries]
    for alert, who in [*told_now, *((held.alert, held.subscription_id) for held in found.held)]:
        outcomes[by_time[alert.happened_at], who] += 1
    assert outcomes == Counter((v.update.item.uid, s.id) for v in verdicts for s in subscriptions)
    assert len({delivery.id for delivery in found.deliveries}) == len(found.deliveries)
    for held in found.held:
        wants = next(one for one in subscriptions if one.id == held.subscription_id)
        assert held.release_at > NOON
        assert held.alert.severity is not Severity.EXTREME or wants.hold_extreme
