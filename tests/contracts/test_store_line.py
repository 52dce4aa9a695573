"""Every store: the straight line, from unseen items to what people may ask about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.errors import StoreError
from bot.model import Batch, PollResult, Reason, Routing, Severity, VerdictKind
from bot.ports import Store
from tests.store.builders import (
    CHAT,
    NOON,
    at,
    batch,
    held,
    item,
    one_feed,
    owed,
    poll,
    read,
    silence,
    snapshot,
    story,
    told,
    verdict,
)


async def test_unseen_items_come_back_in_order_each_once(store: Store) -> None:
    """Known identities and repetitions are left out; the order stays."""
    feed = await one_feed(store)
    await store.record(batch(feed, item(feed, "b")))
    asked = [item(feed, key) for key in ("c", "b", "a", "c")]
    assert [found.key for found in await store.unseen(asked)] == ["c", "a"]


async def test_one_key_in_two_feeds_is_two_items(store: Store) -> None:
    """Identity is the feed and the key together."""
    first, second = await one_feed(store, 1), await one_feed(store, 2)
    await store.record(batch(first, item(first)))
    assert await store.unseen([item(first), item(second)]) == [item(second)]


async def test_unseen_takes_any_number(store: Store) -> None:
    """Two thousand items of a feed are asked about in one call."""
    feed = await one_feed(store)
    items = [item(feed, f"k{n}") for n in range(2000)]
    await store.record(batch(feed, *items[:1500]))
    assert await store.unseen(items) == items[1500:]


async def test_a_rewritten_headline_is_unseen_once_more(store: Store) -> None:
    """A toll raised in place is a revision, known from then on; case and punctuation rewrite nothing."""
    feed = await one_feed(store)
    await store.record(batch(feed, item(feed, title="12 killed in Qaryat")))
    raised = item(feed, title="18 killed in Qaryat")
    assert await store.unseen([item(feed, title="12 KILLED in Qaryat!")]) == []
    (revision,) = await store.unseen([raised, raised])
    assert revision == raised.as_revision()
    await store.record(batch(feed, revision))
    assert await store.unseen([raised]) == []


async def test_a_headline_that_never_rests_ends_after_ten(store: Store) -> None:
    """A clock or a counter in a title does not become news at every poll."""
    feed = await one_feed(store)
    await store.record(batch(feed, item(feed, title="Live: 0 minutes ago")))
    for minutes in range(1, 15):
        fresh = await store.unseen([item(feed, title=f"Live: {minutes} minutes ago")])
        assert len(fresh) == (1 if minutes <= 10 else 0)
        await store.record(batch(feed, *fresh, minutes=minutes))


async def test_what_retention_emptied_is_not_revised(store: Store) -> None:
    """Without its headline nothing can be said to have changed."""
    feed = await one_feed(store)
    await store.record(batch(feed, item(feed)))
    await store.purge(at(9_999))
    assert await store.unseen([item(feed, title="Another headline")]) == []


async def test_an_item_recorded_twice_keeps_its_first_sight(store: Store) -> None:
    """The first record of an identity counts, whatever comes later."""
    feed = await one_feed(store)
    await store.record(batch(feed, item(feed, title="First")))
    await store.record(batch(feed, item(feed, title="Second"), minutes=9))
    trail = await store.trail(f"{feed.id}:k1")
    assert trail is not None
    assert (trail.item.title, trail.seen_at) == ("First", NOON)


async def test_an_item_comes_back_whole(store: Store) -> None:
    """Every field survives, absent ones too."""
    feed = await one_feed(store)
    full = replace(item(feed), dated=False, updated=at(3), language=None, link="")
    await store.record(batch(feed, full))
    trail = await store.trail(full.uid)
    assert trail is not None
    assert trail.item == full


async def test_f06_text_that_databases_refuse_is_kept_readable(store: Store) -> None:
    """NUL and lone surrogates become U+FFFD; the item and its neighbours are kept."""
    feed = await one_feed(store)
    bad = replace(item(feed, "bad"), title="Shell\x00ing \ud800 ends", summary="\udfff")
    told_of = replace(story(), title=bad.title)
    made = replace(batch(feed, bad, item(feed, "good")), stories=(told_of,))
    await store.record(made)
    trail = await store.trail(bad.uid)
    assert trail is not None
    assert trail.item.title == "Shell\ufffding \ufffd ends"
    assert await store.unseen([item(feed, "good")]) == []


async def test_an_assessment_comes_back(store: Store) -> None:
    """All is kept; probabilities to four decimals."""
    feed = await one_feed(store)
    await store.record(batch(feed, item(feed)))
    trail = await store.trail(f"{feed.id}:k1")
    assert trail is not None
    assert trail.assessment == read()


async def test_an_item_that_nobody_read_has_no_assessment(store: Store) -> None:
    """History may be recorded unread."""
    feed = await one_feed(store)
    await store.record(Batch(NOON, polls=(poll(feed, item(feed)),)))
    trail = await store.trail(f"{feed.id}:k1")
    assert trail is not None
    assert (trail.assessment, trail.verdict, trail.story, trail.deliveries) == (None, None, None, ())


async def test_a_known_item_may_be_read_later(store: Store) -> None:
    """An assessment of an item that an earlier batch recorded is added to it."""
    feed = await one_feed(store)
    await store.record(Batch(NOON, polls=(poll(feed, item(feed)),)))
    await store.record(Batch(at(1), assessments={item(feed).uid: read()}))
    trail = await store.trail(item(feed).uid)
    assert trail is not None
    assert trail.assessment == read()


async def test_open_stories_are_those_updated_since_oldest_first(store: Store) -> None:
    """Boundary included; every field comes back, the grouper's print too."""
    stories = [story(name, minutes) for name, minutes in (("new", 9), ("old", 1), ("edge", 5))]
    await store.record(Batch(NOON, stories=tuple(stories)))
    assert await store.open_stories(at(5)) == [stories[2], stories[0]]


async def test_a_story_is_replaced_by_its_newer_state(store: Store) -> None:
    """One row a story."""
    await store.record(Batch(NOON, stories=(story(),)))
    newer = replace(story(minutes=5), severity=Severity.EXTREME)
    await store.record(Batch(NOON, stories=(newer,)))
    assert await store.story("s1") == newer
    assert await store.open_stories(NOON) == [newer]
    assert await store.story("unknown") is None


async def test_route_state_is_what_these_addresses_know_of_these_stories(store: Store) -> None:
    """Neither other addresses nor other stories come along."""
    known = [told(CHAT, "s1", "77"), told(CHAT, "s2"), told("slack:desk", "s1"), told("slack:other", "s3")]
    await store.record(Batch(NOON, routing=Routing(told=tuple(known))))
    state = await store.route_state([CHAT, "slack:desk", "nobody"], ["s1", "s3"], NOON)
    assert state.told == {(CHAT, "s1"): known[0], ("slack:desk", "s1"): known[2]}
    assert state.sent_last_hour == {}


async def test_a_new_snapshot_keeps_the_live_message(store: Store) -> None:
    """Routing tells what is known; only sending tells the message."""
    await store.record(Batch(NOON, routing=Routing(told=(told(CHAT, "s1", "77"),))))
    newer = replace(told(), snapshot=snapshot(Severity.EXTREME))
    await store.record(Batch(NOON, routing=Routing(told=(newer,))))
    state = await store.route_state([CHAT], ["s1"], NOON)
    assert state.told[CHAT, "s1"] == replace(newer, message_id="77")


async def test_a_batch_is_all_or_nothing(store: Store) -> None:
    """Where one part cannot be recorded, no part is: no item is seen, no validator kept, no message owed."""
    feed = await one_feed(store)
    stranger = replace(feed, id=999)
    whole = batch(feed, item(feed), deliveries=(owed("d1"),))
    broken = replace(whole, polls=(*whole.polls, PollResult(stranger, feed.state, (item(999),))))
    with pytest.raises(StoreError):
        await store.record(broken)
    assert await store.unseen([item(feed)]) == [item(feed)]
    assert await store.feeds() == [feed]
    assert await store.open_stories(NOON) == []
    assert await store.outbox_depth() == {}
    assert await store.verdicts(at(-60), 10) == []


async def test_verdicts_come_back_newest_first(store: Store) -> None:
    """With the item, its assessment and the story as it stands now."""
    feed = await one_feed(store)
    first, second = item(feed, "a"), item(feed, "b")
    of = story()
    said = [verdict(first, of), replace(verdict(second, of, minutes=2), nearest="caucasus: severity")]
    await store.record(replace(batch(feed, first, second), verdicts=tuple(said), stories=(of,)))
    assert await store.verdicts(NOON, 10) == said[::-1]
    assert await store.verdicts(NOON, 1) == said[1:]
    assert await store.verdicts(at(1), 10) == said[1:]


async def test_verdicts_that_spoke_come_without_the_drops(store: Store) -> None:
    """The limit counts those that are asked for."""
    feed = await one_feed(store)
    spoken, dropped = verdict(item(feed, "a"), story()), verdict(item(feed, "b"), story(), Reason.NO_CHANGE, 1)
    dropped = replace(dropped, kind=VerdictKind.DROPPED)
    await store.record(replace(batch(feed, item(feed, "a"), item(feed, "b")), verdicts=(spoken, dropped)))
    assert await store.verdicts(NOON, 1, spoken=True) == [spoken]
    assert await store.verdicts(NOON, 2) == [dropped, spoken]


async def test_a_verdict_on_a_known_story_knows_that_it_did_not_open_it(store: Store) -> None:
    """``before`` is None only where the item opened the story."""
    feed = await one_feed(store)
    of = story()
    joined = verdict(item(feed), of)
    joined = replace(joined, update=replace(joined.update, before=of, duplicate=True, history=True))
    await store.record(replace(batch(feed, item(feed)), verdicts=(joined,)))
    assert await store.verdicts(NOON, 10) == [joined]


async def test_a_verdict_on_a_story_that_was_not_kept_still_shows_its_item(store: Store) -> None:
    """Items without any signal need no story of their own in the store."""
    feed = await one_feed(store)
    quiet = verdict(item(feed), replace(story("dull")), Reason.NO_SIGNAL)
    await store.record(replace(batch(feed, item(feed)), verdicts=(quiet,), stories=()))
    (back,) = await store.verdicts(NOON, 10)
    assert (back.reason, back.update.item, back.update.story.id) == (Reason.NO_SIGNAL, item(feed), "dull")


@pytest.mark.parametrize("named", [lambda one: one.uid, lambda one: one.link], ids=["uid", "link"])
async def test_the_trail_of_an_item_tells_why_and_why_not(store: Store, named: Callable[..., str]) -> None:
    """Item, feed, verdict, story, deliveries with their state, and the reasons for silence."""
    feed = await one_feed(store)
    one = item(feed)
    await store.record(batch(feed, one, deliveries=(owed("d1"), owed("other", about="s9"))))
    trail = await store.trail(named(one))
    assert trail is not None
    assert (trail.item, trail.feed.id, trail.seen_at, trail.story) == (one, feed.id, NOON, story())
    assert trail.verdict == verdict(one, story())
    assert [(sent.id, state) for sent, state in trail.deliveries] == [("d1", "queued")]
    assert trail.silent == (silence(one),)


async def test_an_unknown_item_has_no_trail(store: Store) -> None:
    """None for a uid, a link, or nonsense."""
    for name in ("1:unknown", "https://unknown.example/", "", "999999999999999999999:x"):
        assert await store.trail(name) is None


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("market", ["s2", "s1"]),
        ("MARKET shelling", ["s2", "s1"]),
        ("market bridge", []),
        ("обстрел РЫНКА", ["s3"]),
        ("100%", ["s4"]),
        ("dozen_dead", []),
        ("", ["s4", "s3", "s2", "s1"]),
    ],
)
async def test_search_finds_stories_that_hold_all_words(store: Store, words: str, found: list[str]) -> None:
    """In title or summary, whatever their case and script, newest first; wildcards mean themselves."""
    stories = (
        story("s1", 1),
        story("s2", 2),
        story("s3", 3, title="Обстрел рынка"),
        story("s4", 4, title="100% of the bridge"),
    )
    await store.record(Batch(NOON, stories=stories))
    assert [one.id for one in await store.search(words, NOON, 10)] == found
    assert [one.id for one in await store.search(words, at(2), 1)] == [name for name in found if name > "s1"][:1]


async def test_held_alerts_wait_until_their_time(store: Store) -> None:
    """Due in the order of their release; one that is held again replaces itself."""
    late, soon = held("late", 90), held("soon", 30)
    await store.record(Batch(NOON, routing=Routing(held=(late, soon))))
    await store.record(Batch(NOON, routing=Routing(held=(soon,))))
    assert await store.due_held(at(29)) == []
    assert await store.due_held(at(30)) == [soon]
    assert await store.due_held(at(90)) == [soon, late]


async def test_two_alerts_on_one_story_are_both_held(store: Store) -> None:
    """A later alert does not take the place of an earlier one."""
    first = held()
    second = replace(first, alert=replace(first.alert, at=at(9)))
    await store.record(Batch(NOON, routing=Routing(held=(first, second))))
    assert await store.due_held(at(60)) == [first, second]


async def test_releasing_held_alerts_queues_what_takes_their_place(store: Store) -> None:
    """In one transaction the alerts cease to wait and the catch-up is owed."""
    one, other = held("s1"), held("s2")
    await store.record(Batch(NOON, routing=Routing(held=(one, other))))
    await store.release_held([one], [owed("catch-up", about=None)])
    assert await store.due_held(at(60)) == [other]
    assert await store.outbox_depth() == {"telegram": 1}


async def test_counts_name_every_table(store: Store) -> None:
    """Rows by table, for people and metrics."""
    feed = await one_feed(store)
    await store.record(batch(feed, item(feed), deliveries=(owed("d1"),)))
    counts = await store.counts()
    expected = {"feeds": 1, "items": 1, "stories": 1, "verdicts": 1, "outbox": 1, "told": 1, "silent": 1, "held": 0}
    assert {name: counts[name] for name in expected} == expected


async def test_times_keep_their_microseconds(store: Store) -> None:
    """No rounding on the way, and always aware UTC."""
    odd = NOON + timedelta(microseconds=123_457)
    await store.record(Batch(NOON, stories=(replace(story(), updated_at=odd),)))
    (back,) = await store.open_stories(NOON)
    assert back.updated_at == odd
    assert back.updated_at.utcoffset() == timedelta(0)
