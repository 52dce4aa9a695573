"""Which items report the same event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.alerts.judge import final_stories, judge
from bot.model import Filter, Item, Phase, Rule, Story
from bot.stories.grouping import Grouper, Limits, story_id
from classifiers.assessment import Assessment

from .builders import NOON, at, item, read

_STRIKE = [
    item("Air strike kills nine at market in Qaryat", "Nine traders died when jets bombed the cattle market of Qaryat.",
         outlet="a.example"),
    item("Nine dead as jets bomb Qaryat market", "The cattle market was crowded when the strike hit Qaryat.",
         outlet="b.example", hours=0.5),
]  # fmt: skip
_SWAP = item("Forty prisoners freed in exchange at Al Wadi crossing", "The Red Crescent received the men.", hours=1)
_SPORT = item("Harbour City wins the cup on penalties", "The goalkeeper saved two shots.", hours=1)


def _group(grouper: Grouper, items: Sequence[Item], *labels: str) -> dict[str, str]:
    understood: list[Assessment | None] = [read(*labels) if labels else None for _ in items]
    return dict(grouper.group(items, understood, at(2)).assignments)


def test_same_event_from_two_outlets_is_one_story() -> None:
    """Two outlets that tell of one strike in other words make one story; another event on that day stays apart."""
    found = _group(Grouper(), [*_STRIKE, _SWAP, _SPORT], "remote_strike")
    assert found[_STRIKE[0].uid] == found[_STRIKE[1].uid]
    assert len(set(found.values())) == 3


def test_every_item_has_a_story_id() -> None:
    """Items without any label are assigned too, and make no update."""
    grouping = Grouper().group([*_STRIKE, _SPORT], [read("remote_strike"), None, None], at(2))
    assert set(grouping.assignments) == {one.uid for one in (*_STRIKE, _SPORT)}
    assert [update.item for update in grouping.updates] == _STRIKE[:1]
    assert grouping.unsignalled == (_STRIKE[1], _SPORT)


def test_id_depends_on_the_first_item_alone() -> None:
    """A story's id is short, safe in URLs and the same in every run."""
    found = _group(Grouper(), _STRIKE, "remote_strike")
    assert set(found.values()) == {story_id(_STRIKE[0].uid)}
    assert story_id("1:x").isalnum()
    assert len(story_id("1:x")) <= 16


def _state(grouper: Grouper) -> tuple[Story, ...]:
    return grouper.stories


def test_rollback_restores_everything() -> None:
    """After a rollback the same batch gives the same result as if it had never been tried."""
    grouper = Grouper()
    first = grouper.group(_STRIKE[:1], [read("remote_strike")], at(1))
    grouper.commit()
    before = _state(grouper)
    tried = grouper.group([_STRIKE[1], _SWAP], [read("remote_strike"), read("release")], at(2))
    grouper.rollback()
    assert _state(grouper) == before
    again = grouper.group([_STRIKE[1], _SWAP], [read("remote_strike"), read("release")], at(2))
    assert again == tried
    assert again.updates[0].before == first.updates[0].story


def test_restart_continues() -> None:
    """A grouper loaded from the stories of an earlier one puts the next item where that one would have."""
    old = Grouper()
    grouping = old.group(_STRIKE[:1], [read("remote_strike")], at(1))
    old.commit()
    new = Grouper()
    new.load([update.story for update in grouping.updates])
    second = new.group(_STRIKE[1:], [read("remote_strike")], at(2))
    assert second == old.group(_STRIKE[1:], [read("remote_strike")], at(2))
    assert second.updates[0].before == grouping.updates[0].story


def test_commit_takes_over_what_was_told() -> None:
    """What judging wrote into a story is there when the next item comes."""
    grouper = Grouper()
    rules = [Rule("all", Filter())]
    verdicts = judge(grouper.group(_STRIKE[:1], [read("remote_strike")], at(1)).updates, rules, at(1))
    grouper.commit(final_stories(verdicts))
    next_ = grouper.group(_STRIKE[1:], [read("remote_strike")], at(2)).updates[0]
    assert next_.story.told == verdicts[0].update.story.told
    assert next_.story.told is not None


def test_quiet_stories_are_closed() -> None:
    """After 48 hours without news a story is closed, and the same words open a new one."""
    grouper = Grouper()
    grouper.group(_STRIKE[:1], [read("remote_strike")], at(0))
    grouper.commit()
    assert grouper.expire(at(40)) == ()
    assert grouper.expire(at(49)) == (story_id(_STRIKE[0].uid),)
    later = replace(_STRIKE[1], published=at(49))
    assert grouper.group([later], [read("remote_strike")], at(49)).updates[0].before is None


def test_memory_is_bounded() -> None:
    """Above the limit of items the quietest stories go first."""
    grouper = Grouper(Limits(items=3))
    names = ["alpha bravo", "charlie delta", "echo foxtrot", "golf hotel", "india juliet"]
    items = [item(f"{name} {name[::-1]}", key=name, hours=n / 10) for n, name in enumerate(names)]
    grouper.group(items, [read("unrest")] * 5, at(1))
    grouper.commit()
    gone = grouper.expire(at(1))
    assert set(gone) == {story_id(one.uid) for one in items[:2]}
    assert len(grouper.stories) == 3


def test_twelve_copies_make_one_story_with_one_source() -> None:
    """A wire printed by twelve outlets is one story, eleven duplicates and one independent source."""
    copies = [replace(_STRIKE[0], outlet=f"paper{n}.example", key=f"c{n}", published=at(n / 20)) for n in range(12)]
    grouping = Grouper().group(copies, [read("remote_strike", killed=9)] * 12, at(1))
    assert len(set(grouping.assignments.values())) == 1
    assert [update.duplicate for update in grouping.updates] == [False] + [True] * 11
    assert sum(source.independent for source in grouping.updates[-1].story.sources) == 1


def test_same_words_with_another_toll_are_no_copy() -> None:
    """A text reprinted with a new number is news."""
    raised = replace(_STRIKE[0], title="Air strike kills 19 at market in Qaryat", key="r", published=at(0.2))
    nine = replace(_STRIKE[0], title="Air strike kills 9 at market in Qaryat")
    grouping = Grouper().group([nine, raised], [read("remote_strike")] * 2, at(1))
    assert [update.duplicate for update in grouping.updates] == [False, False]


def test_new_story_of_a_running_ceasefire_knows_its_phase() -> None:
    """A story that opens on an agreement knows that another story of the country told of the offer."""
    offer = item("Kenya's envoy offers the sides a truce", hours=0)
    deal = item("Generals shake hands: guns to fall silent", "Signed at midnight in the capital.", hours=5)
    understood = [read("ceasefire_proposal", severity="minor"), read("ceasefire_agreement", severity="moderate")]
    grouping = Grouper().group([offer, deal], understood, at(6))
    assert len(set(grouping.assignments.values())) == 2
    phases = [step.phase for step in grouping.updates[1].story.phases]
    assert phases == [Phase.PROPOSED, Phase.AGREED]


def test_future_items_do_not_keep_a_story_open() -> None:
    """A publication time that lies ahead counts as now."""
    grouper = Grouper()
    grouper.group([replace(_STRIKE[0], published=NOON + timedelta(days=400))], [read("remote_strike")], NOON)
    grouper.commit()
    assert len(grouper.expire(NOON + timedelta(hours=49))) == 1
