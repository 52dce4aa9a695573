"""Every store: feeds, who asks for them, and what their polls leave behind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.model import Batch, FeedSpec, FeedStatus, PollResult
from bot.ports import Store
from tests.store.builders import NOON, at, batch, item, one_feed, poll, spec


async def test_a_feed_is_added_once_and_keeps_its_id(store: Store) -> None:
    """Adding a feed that is there returns it with its state."""
    first = await one_feed(store)
    await store.record(Batch(NOON, polls=(poll(first, etag='"v7"'),)))
    again = await store.add_feed(spec(1), at(60))
    assert again.id == first.id
    assert (again.state.etag, again.added_at) == ('"v7"', NOON)
    assert len(await store.feeds()) == 1


async def test_what_is_asked_for_comes_back(store: Store) -> None:
    """Title, language, kind and tags of a specification are the feed's."""
    asked = FeedSpec("https://un.example/feed", "UN News", "fr", "official", ("Sahel", "Mali"))
    feed = await store.add_feed(asked, NOON)
    assert (feed.url, feed.title, feed.language, feed.kind, feed.tags) == (
        asked.url,
        "UN News",
        "fr",
        "official",
        ("Sahel", "Mali"),
    )
    assert feed.official
    assert feed.state.next_due == NOON
    assert not feed.state.first_done


async def test_sync_makes_the_feeds_of_an_origin_exactly_these(store: Store) -> None:
    """What an origin no longer names is no longer watched; other origins' feeds stay."""
    await store.sync_feeds([spec(1), spec(2)], NOON, origin="settings")
    await store.sync_feeds([spec(2), spec(3)], NOON, origin="catalogue")
    await store.sync_feeds([spec(4)], NOON, origin="settings")
    assert [feed.url for feed in await store.feeds()] == [spec(n).url for n in (2, 3, 4)]


async def test_sync_leaves_state_and_history_alone(store: Store) -> None:
    """The same feeds again change nothing, at each start."""
    await store.sync_feeds([spec(1)], NOON, origin="catalogue")
    (feed,) = await store.feeds()
    await store.record(batch(feed, item(feed)))
    before = await store.feeds()
    await store.sync_feeds([spec(1)], at(60), origin="catalogue")
    assert await store.feeds() == before


async def test_settings_speak_before_people_and_people_before_the_catalogue(store: Store) -> None:
    """A feed that several ask for has the first title that anybody gives it, and the first kind that says anything."""
    url = "https://f.example/rss"
    await store.sync_feeds([FeedSpec(url, "Catalogue's", "en", "official", ("Caucasus",))], NOON, origin="catalogue")
    await store.add_feed(FeedSpec(url, "Person's"), NOON)
    await store.sync_feeds([FeedSpec(url)], NOON, origin="settings")
    (feed,) = await store.feeds()
    assert (feed.title, feed.language, feed.kind, feed.tags) == ("Person's", "en", "official", ("Caucasus",))


async def test_a_changed_description_replaces_the_old(store: Store) -> None:
    """An origin that describes a feed anew is heard."""
    await store.sync_feeds([spec(1, "Old")], NOON, origin="settings")
    await store.sync_feeds([spec(1, "New")], NOON, origin="settings")
    assert [feed.title for feed in await store.feeds()] == ["New"]


async def test_a_feed_without_a_title_is_called_as_it_calls_itself(store: Store) -> None:
    """The feed's own title serves until somebody gives it one."""
    feed = await store.add_feed(FeedSpec("https://f.example/rss"), NOON)
    await store.record(Batch(NOON, polls=(replace(poll(feed), title="Own title"),)))
    assert [feed.title for feed in await store.feeds()] == ["Own title"]
    await store.record(Batch(NOON, polls=(poll(feed),)))
    assert [feed.title for feed in await store.feeds()] == ["Own title"]


async def test_what_a_person_removed_the_catalogue_does_not_bring_back(store: Store) -> None:
    """A removed feed stays removed over restarts, until settings or a person ask for it."""
    await store.sync_feeds([spec(1), spec(2)], NOON, origin="catalogue")
    assert await store.remove_feed(spec(1).url)
    await store.sync_feeds([spec(1), spec(2)], at(1), origin="catalogue")
    assert [feed.url for feed in await store.feeds()] == [spec(2).url]
    await store.add_feed(spec(1), at(2))
    assert len(await store.feeds()) == 2


async def test_removing_what_is_not_watched_says_so(store: Store) -> None:
    """False for an unknown address, and for the second removal."""
    await one_feed(store)
    assert not await store.remove_feed("https://unknown.example/")
    assert await store.remove_feed(spec(1).url)
    assert not await store.remove_feed(spec(1).url)


async def test_a_removed_feed_that_comes_back_knows_its_items_and_starts_watching_anew(store: Store) -> None:
    """Same id, known items unseen by none; what appeared meanwhile is history, for watching starts now."""
    feed = await one_feed(store)
    await store.record(batch(feed, item(feed)))
    await store.remove_feed(feed.url)
    again = await store.add_feed(spec(1), at(600))
    assert (again.id, again.added_at, again.state.first_done, again.state.etag) == (feed.id, at(600), False, None)
    assert await store.unseen([item(feed)]) == []


async def test_due_feeds_are_those_whose_time_has_come_the_most_overdue_first(store: Store) -> None:
    """Order, limit and the boundary: due exactly now is due."""
    feeds = [await one_feed(store, n) for n in (1, 2, 3, 4)]
    for feed, minutes in zip(feeds, (3, 1, 2, 9), strict=True):
        await store.set_feed_state(feed.id, replace(feed.state, next_due=at(minutes)))
    assert [feed.id for feed in await store.due_feeds(at(3), 10)] == [feeds[n].id for n in (1, 2, 0)]
    assert [feed.id for feed in await store.due_feeds(at(3), 1)] == [feeds[1].id]
    assert await store.next_due() == at(1)


@pytest.mark.parametrize("status", [status for status in FeedStatus if status is not FeedStatus.ACTIVE])
async def test_only_active_feeds_are_due(store: Store, status: FeedStatus) -> None:
    """Paused, disabled, gone and quarantined feeds are not polled, and are still listed."""
    feed = await one_feed(store)
    await store.set_feed_state(feed.id, replace(feed.state, status=status))
    assert await store.due_feeds(at(60), 10) == []
    assert await store.next_due() is None
    assert [feed.state.status for feed in await store.feeds()] == [status]


async def test_removed_feeds_are_not_due(store: Store) -> None:
    """Nobody polls what nobody asks for."""
    feed = await one_feed(store)
    await store.remove_feed(feed.url)
    assert await store.due_feeds(at(60), 10) == []
    assert await store.next_due() is None


async def test_a_whole_state_survives(store: Store) -> None:
    """Every field of a feed's state comes back as it was written, validators byte for byte."""
    feed = await one_feed(store)
    state = replace(
        feed.state,
        next_due=at(1.5),
        interval_s=61.25,
        etag='W/"a-gzip"',
        last_modified="Mon, 02 Mar 2026 12:00:00 GMT",
        body_hash="ff" * 16,
        errors=3,
        problem="timeout",
        last_error="no answer within 30 s",
        failing_since=at(-9),
        last_checked=at(-1),
        last_ok=at(-8),
        last_new=at(-7),
        first_done=True,
    )
    await store.record(Batch(NOON, polls=(PollResult(feed, state),)))
    assert [feed.state for feed in await store.feeds()] == [state]


async def test_a_poll_does_not_undo_a_pause(store: Store) -> None:
    """A feed that was paused while its poll was under way stays paused."""
    feed = await one_feed(store)
    await store.set_feed_state(feed.id, replace(feed.state, status=FeedStatus.PAUSED))
    await store.record(Batch(NOON, polls=(poll(feed),)))
    (after,) = await store.feeds()
    assert (after.state.status, after.state.etag) == (FeedStatus.PAUSED, '"v1"')


async def test_a_poll_may_change_the_status_itself(store: Store) -> None:
    """410 in a poll stops the feed."""
    feed = await one_feed(store)
    gone = replace(feed.state, status=FeedStatus.GONE)
    await store.record(Batch(NOON, polls=(PollResult(feed, gone),)))
    assert [feed.state.status for feed in await store.feeds()] == [FeedStatus.GONE]


async def test_an_old_state_does_not_undo_a_poll(store: Store) -> None:
    """Moving a due time with a state that was read before a poll keeps that poll's validators and first fetch."""
    feed = await one_feed(store)
    await store.record(Batch(NOON, polls=(poll(feed, minutes=1),)))
    await store.set_feed_state(feed.id, replace(feed.state, next_due=at(90)))
    (after,) = await store.feeds()
    assert (after.state.next_due, after.state.etag, after.state.first_done) == (at(90), '"v1"', True)


async def test_n16_a_moved_feed_keeps_its_history_and_is_not_added_twice(store: Store) -> None:
    """After a permanent redirect the catalogue's old address still means the same feed."""
    await store.sync_feeds([spec(1)], NOON, origin="catalogue")
    (feed,) = await store.feeds()
    moved = replace(poll(feed, item(feed)), new_url="https://new.example/rss")
    await store.record(Batch(NOON, polls=(moved,)))
    await store.sync_feeds([spec(1)], at(1), origin="catalogue")
    (after,) = await store.feeds()
    assert (after.id, after.url) == (feed.id, "https://new.example/rss")
    assert (await store.add_feed(FeedSpec("https://new.example/rss"), at(1))).id == feed.id
    assert await store.remove_feed(spec(1).url)
    assert await store.feeds() == []


async def test_a_feed_that_moves_to_anothers_address_becomes_part_of_it(store: Store) -> None:
    """Two addresses of one feed are polled once, and both names lead to it."""
    first, second = await one_feed(store, 1), await one_feed(store, 2)
    await store.record(Batch(NOON, polls=(replace(poll(first), new_url=second.url),)))
    assert [feed.id for feed in await store.feeds()] == [second.id]
    assert (await store.add_feed(spec(1), at(1))).id == second.id


async def test_a_feed_may_move_back(store: Store) -> None:
    """A redirect and its reverse end where they began."""
    feed = await one_feed(store)
    for url in ("https://new.example/rss", feed.url):
        (now,) = await store.feeds()
        await store.record(Batch(NOON, polls=(replace(poll(now), new_url=url),)))
    assert [(feed.id, feed.url) for feed in await store.feeds()] == [(feed.id, feed.url)]


async def test_thousands_of_feeds_sync(store: Store) -> None:
    """Two thousand feeds are asked for, kept and dropped in one call each."""
    specs = [spec(n) for n in range(2000)]
    await store.sync_feeds(specs, NOON, origin="catalogue")
    assert [feed.url for feed in await store.feeds()] == [one.url for one in specs]
    await store.sync_feeds(specs[:10], NOON, origin="catalogue")
    assert len(await store.feeds()) == 10


async def test_a_feed_named_twice_is_one(store: Store) -> None:
    """The first of two specifications of one address counts."""
    await store.sync_feeds([spec(1, "First"), spec(1, "Second")], NOON, origin="settings")
    assert [feed.title for feed in await store.feeds()] == ["First"]
