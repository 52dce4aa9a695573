"""Every store: the outbox. Nothing is lost, nothing is in two hands, and order holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.model import (
    Batch,
    Content,
    Delivery,
    Digest,
    GivenUp,
    Lane,
    Mode,
    Notice,
    Reason,
    Receipt,
    RetryAt,
    Routing,
    Sent,
    Subscription,
)
from bot.ports import Store
from tests.store.builders import CHAT, NOON, alert, at, held, owed, told
from tests.store.chats import subscription

LEASE_S = 60.0


async def claim(store: Store, minutes: float = 0, limit: int = 10, lane: Lane | None = None) -> Sequence[Delivery]:
    """Claim Telegram's messages."""
    return await store.claim("telegram", lane, at(minutes), limit, LEASE_S)


async def deliver(store: Store, delivery: Delivery, message_id: str | None = None, minutes: float = 0) -> None:
    """Attempt and settle as sent."""
    assert await store.attempt(delivery, at(minutes))
    assert await store.settle(delivery, Sent(Receipt(at(minutes), message_id)), at(minutes))


async def names(store: Store, minutes: float = 0, limit: int = 10, lane: Lane | None = None) -> list[str]:
    """Ids of what a claim leases."""
    return [delivery.id for delivery in await claim(store, minutes, limit, lane)]


# --- queuing ----------------------------------------------------------------------------------------------------


async def test_a_message_comes_back_whole(store: Store) -> None:
    """All fields and each kind of content survive; the claim raises the fence."""
    contents: tuple[Content, ...] = (
        alert(),
        Digest(Reason.DIGEST_DUE, NOON, (alert(), alert("s2")), since=at(-60)),
        Notice("Disk full", NOON),
    )
    sent = [owed(f"d{n}", about=None, content=content) for n, content in enumerate(contents)]
    await store.enqueue(sent)
    assert await claim(store) == [replace(delivery, fence=1) for delivery in sent]


async def test_known_ids_are_left_alone(store: Store) -> None:
    """Queuing twice queues once, and the count says how many were new."""
    assert await store.enqueue([owed("d1"), owed("d2", about="s2")]) == 2
    assert await store.enqueue([owed("d2", about="s2"), owed("d3", about="s3")]) == 1
    assert await store.outbox_depth() == {"telegram": 3}


async def test_a_sent_message_is_not_queued_again(store: Store) -> None:
    """The id is remembered beyond the sending."""
    await store.enqueue([owed("d1")])
    await deliver(store, (await claim(store))[0])
    assert await store.enqueue([owed("d1")]) == 0
    assert await claim(store, 5) == []


async def test_a_batch_queues_its_messages(store: Store) -> None:
    """What routing decided is owed once the batch is recorded."""
    await store.record(Batch(NOON, routing=Routing(deliveries=(owed("d1"),))))
    assert await names(store) == ["d1"]


async def test_depth_counts_by_channel_what_is_owed(store: Store) -> None:
    """Queued and leased messages count, settled ones do not."""
    await store.enqueue([owed("a"), owed("b", target="slack:desk"), owed("c", target="slack:other")])
    await deliver(store, (await claim(store))[0])
    await store.claim("slack", None, NOON, 1, LEASE_S)
    assert await store.outbox_depth() == {"slack": 2}


# --- claiming ---------------------------------------------------------------------------------------------------


async def test_urgent_goes_first_then_the_oldest(store: Store) -> None:
    """Lanes before age, age within a lane."""
    lanes = {"digest": Lane.DIGEST, "old": Lane.NORMAL, "urgent": Lane.URGENT, "young": Lane.NORMAL}
    await store.enqueue([owed(name, about=name, lane=lane) for name, lane in lanes.items()])
    assert await names(store, limit=2) == ["urgent", "old"]
    assert await names(store) == ["young", "digest"]


async def test_a_lane_may_be_claimed_alone(store: Store) -> None:
    """Only messages of the lane asked for."""
    await store.enqueue([owed("n", about="s1"), owed("u", about="s2", lane=Lane.URGENT)])
    assert await names(store, lane=Lane.NORMAL) == ["n"]
    assert await names(store, lane=Lane.DIGEST) == []


async def test_nothing_is_claimed_before_its_time(store: Store) -> None:
    """``not_before`` is kept; due exactly then is due."""
    await store.enqueue([owed("d1", minutes=5)])
    assert await names(store, 4.99) == []
    assert await names(store, 5) == ["d1"]


async def test_other_channels_and_excluded_targets_stay(store: Store) -> None:
    """A chat that must rest does not hold up the others."""
    await store.enqueue([owed("a"), owed("b", target="telegram:2"), owed("c", target="slack:desk")])
    leased = await store.claim("telegram", None, NOON, 10, LEASE_S, exclude=[CHAT])
    assert [delivery.id for delivery in leased] == ["b"]


async def test_many_targets_may_be_excluded(store: Store) -> None:
    """More than a database takes as parameters of one statement."""
    await store.enqueue([owed("a", target="telegram:77")])
    many = [f"telegram:{n}" for n in range(40_000)]
    assert await store.claim("telegram", None, NOON, 1, LEASE_S, exclude=many) == []


async def test_a_leased_message_is_in_one_hand(store: Store) -> None:
    """Nobody else gets it while the lease lasts."""
    await store.enqueue([owed("d1")])
    assert await names(store) == ["d1"]
    assert await names(store, 0.99) == []


async def test_one_story_goes_to_one_address_in_order(store: Store) -> None:
    """A later message waits until the earlier one is settled; other stories, addresses and notices do not wait."""
    await store.enqueue(
        [
            owed("first"),
            owed("second"),
            owed("elsewhere", target="telegram:2"),
            owed("other", about="s2"),
            owed("notice", about=None),
            owed("notice too", about=None),
        ]
    )
    leased = await claim(store)
    assert [delivery.id for delivery in leased] == ["first", "elsewhere", "other", "notice", "notice too"]
    assert await names(store) == []
    await deliver(store, leased[0])
    assert await names(store) == ["second"]


async def test_a_retry_keeps_its_place(store: Store) -> None:
    """A later message about the story does not overtake one that waits for its next try."""
    await store.enqueue([owed("first"), owed("second")])
    (first,) = await claim(store)
    await store.settle(first, RetryAt(at(10), "server error"), NOON)
    assert await names(store, 9) == []
    assert await names(store, 10) == ["first"]


async def test_an_urgent_message_lifts_what_stands_before_it(store: Store) -> None:
    """Else a flood in the slower lane would hold up an extreme alert through its own story's earlier message."""
    flood = [owed(f"f{n}", about=f"f{n}") for n in range(5)]
    await store.enqueue([*flood, owed("first")])
    await store.enqueue([owed("second", lane=Lane.URGENT)])
    (leased,) = await claim(store, limit=1)
    assert leased.id == "first"
    await deliver(store, leased)
    assert await names(store, limit=1) == ["second"]


async def test_an_expired_message_becomes_a_dead_letter(store: Store) -> None:
    """It is not sent, the operator sees it, and it holds up nobody."""
    await store.enqueue([owed("old")])
    await store.enqueue([replace(owed("new"), expires_at=at(900))])
    assert await names(store, 360) == []
    assert [(dead.delivery.id, dead.at) for dead in await store.dead_letters(10)] == [("old", at(360))]
    assert await names(store, 360) == ["new"]


async def test_next_delivery_is_when_something_may_go(store: Store) -> None:
    """The earliest time of a message that waits for no other one: its ``not_before``, or its lease's end."""
    assert await store.next_delivery("telegram") is None
    await store.enqueue([owed("first", minutes=5), owed("second", minutes=1)])
    assert await store.next_delivery("telegram") == at(5)
    assert await store.next_delivery("slack") is None
    await claim(store, 5)
    assert await store.next_delivery("telegram") == at(6)


# --- the live message -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [Mode.REPLY, Mode.EDIT])
async def test_answers_and_edits_find_the_live_message(store: Store, mode: Mode) -> None:
    """The id that the first sending returned is the thread of what follows."""
    await store.record(Batch(NOON, routing=Routing(deliveries=(owed("d1"),), told=(told(),))))
    await deliver(store, (await claim(store))[0], "77")
    state = await store.route_state([CHAT], ["s1"], NOON)
    assert state.told[CHAT, "s1"].message_id == "77"
    await store.enqueue([owed("d2", mode=mode)])
    (second,) = await claim(store)
    assert (second.mode, second.thread) == (mode, "77")


@pytest.mark.parametrize("mode", [Mode.REPLY, Mode.EDIT])
async def test_without_a_live_message_they_are_new(store: Store, mode: Mode) -> None:
    """Nothing to answer or edit: a message of its own, which then is the live one."""
    await store.record(Batch(NOON, routing=Routing(deliveries=(owed("d1", mode=mode),), told=(told(),))))
    (first,) = await claim(store)
    assert (first.mode, first.thread) == (Mode.NEW, None)
    await deliver(store, first, "78")
    state = await store.route_state([CHAT], ["s1"], NOON)
    assert state.told[CHAT, "s1"].message_id == "78"


async def test_an_answer_does_not_become_the_live_message(store: Store) -> None:
    """Later edits and answers still go to the first one."""
    await store.record(Batch(NOON, routing=Routing(deliveries=(owed("d1", mode=Mode.REPLY),), told=(told(),))))
    await store.record(Batch(NOON, routing=Routing(told=(told(message_id="77"),))))
    await deliver(store, (await claim(store))[0], "99")
    state = await store.route_state([CHAT], ["s1"], NOON)
    assert state.told[CHAT, "s1"].message_id == "77"


async def test_a_newer_edit_replaces_one_that_was_not_sent(store: Store) -> None:
    """Of two waiting edits of one message only the newer is sent; an edit under way is left alone."""
    edits = {"a": Mode.EDIT, "b": Mode.EDIT}
    await store.enqueue([owed(name, mode=mode) for name, mode in edits.items()])
    (leased,) = await claim(store)
    assert leased.id == "b"
    await store.enqueue([owed("c", mode=Mode.EDIT)])
    assert await store.settle(leased, Sent(Receipt(NOON)), NOON)
    assert await names(store) == ["c"]
    assert await store.dead_letters(10) == []


async def test_edits_of_other_messages_stay(store: Store) -> None:
    """Another chat's or story's edit is not the same message's, and an answer is no edit."""
    await store.enqueue([owed("answer", mode=Mode.REPLY), owed("a", mode=Mode.EDIT)])
    await store.enqueue([owed("b", mode=Mode.EDIT, target="telegram:2"), owed("c", mode=Mode.EDIT, about="s2")])
    assert await store.outbox_depth() == {"telegram": 4}


# --- attempts, leases, fences -----------------------------------------------------------------------------------


async def test_an_attempt_needs_a_living_lease(store: Store) -> None:
    """After its end, or in other hands, it is refused, and nothing must be sent."""
    await store.enqueue([owed("d1")])
    (first,) = await claim(store)
    assert not await store.attempt(first, at(1))
    (second,) = await claim(store, 1)
    assert second.fence == first.fence + 1
    assert not await store.attempt(first, at(1.5))
    assert await store.attempt(second, at(1.5))


async def test_attempts_are_counted(store: Store) -> None:
    """Each claim tells how many came before."""
    await store.enqueue([owed("d1")])
    for before in range(3):
        (leased,) = await claim(store, before)
        assert leased.attempts == before
        assert await store.attempt(leased, at(before))
        await store.settle(leased, RetryAt(at(before + 1), "refused"), at(before))


async def test_an_old_holder_cannot_settle(store: Store) -> None:
    """False where the fence shows other hands; the newer holder's word counts."""
    await store.enqueue([owed("d1")])
    (old,) = await claim(store)
    (new,) = await claim(store, 2)
    assert not await store.settle(old, GivenUp("late"), at(2))
    assert await store.outbox_depth() == {"telegram": 1}
    assert await store.settle(new, Sent(Receipt(at(2))), at(2))
    assert not await store.settle(new, Sent(Receipt(at(2))), at(2))


async def test_a_late_answer_counts_while_nobody_else_has_it(store: Store) -> None:
    """A send that outlasted its lease is settled, not repeated."""
    await store.enqueue([owed("d1")])
    (leased,) = await claim(store)
    assert await store.attempt(leased, NOON)
    assert await store.settle(leased, Sent(Receipt(at(2))), at(2))
    assert await names(store, 5) == []


async def test_t12_a_lease_that_died_in_an_attempt_says_perhaps_sent(store: Store) -> None:
    """One whose attempt never began is plainly unsent."""
    await store.enqueue([owed("tried"), owed("not tried", about="s2")])
    tried, _ = await claim(store)
    assert await store.attempt(tried, NOON)
    again = await claim(store, 2)
    assert [(delivery.id, delivery.maybe_sent) for delivery in again] == [("tried", True), ("not tried", False)]


async def test_perhaps_sent_is_not_forgotten(store: Store) -> None:
    """It stays over later, plainly failed attempts."""
    await store.enqueue([owed("d1")])
    (leased,) = await claim(store)
    await store.attempt(leased, NOON)
    await store.settle(leased, RetryAt(NOON, "timeout", ambiguous=True), NOON)
    (leased,) = await claim(store)
    assert leased.maybe_sent
    await store.attempt(leased, NOON)
    await store.settle(leased, RetryAt(NOON, "refused"), NOON)
    assert [delivery.maybe_sent for delivery in await claim(store)] == [True]


async def test_a_plain_failure_is_not_perhaps_sent(store: Store) -> None:
    """A refused message was certainly not sent."""
    await store.enqueue([owed("d1")])
    (leased,) = await claim(store)
    await store.attempt(leased, NOON)
    await store.settle(leased, RetryAt(NOON, "refused"), NOON)
    assert [delivery.maybe_sent for delivery in await claim(store)] == [False]


async def test_p02_released_leases_are_free_at_once(store: Store) -> None:
    """A stop gives back what it did not send; what was in an attempt is perhaps sent."""
    await store.enqueue([owed("a"), owed("b", about="s2")])
    leased = await claim(store)
    await store.attempt(leased[1], NOON)
    await store.release(leased)
    assert [(one.id, one.maybe_sent) for one in await claim(store)] == [("a", False), ("b", True)]


async def test_releasing_what_is_in_other_hands_does_nothing(store: Store) -> None:
    """The fence protects releases too."""
    await store.enqueue([owed("d1")])
    old = await claim(store)
    new = await claim(store, 2)
    await store.release(old)
    assert await claim(store, 2) == []
    assert await store.attempt(new[0], at(2))


# --- outcomes ---------------------------------------------------------------------------------------------------


async def test_a_retry_goes_when_it_said_and_as_plain_text_where_that_was_said(store: Store) -> None:
    """``plain`` stays set over later tries."""
    await store.enqueue([owed("d1")])
    (leased,) = await claim(store)
    await store.settle(leased, RetryAt(at(3), "markup refused", plain=True), NOON)
    assert await names(store, 2.9) == []
    (leased,) = await claim(store, 3)
    assert leased.plain
    await store.settle(leased, RetryAt(at(3), "server error"), at(3))
    assert [delivery.plain for delivery in await claim(store, 3)] == [True]


async def test_a_given_up_message_is_a_dead_letter(store: Store) -> None:
    """Newest first, with the reason, and never claimed again."""
    await store.enqueue([owed("a"), owed("b", about="s2")])
    for minutes, leased in enumerate(await claim(store)):
        assert await store.settle(leased, GivenUp(f"refused {leased.id}"), at(minutes))
    dead = await store.dead_letters(10)
    assert [(one.delivery.id, one.reason, one.at) for one in dead] == [
        ("b", "refused b", at(1)),
        ("a", "refused a", NOON),
    ]
    assert len(await store.dead_letters(1)) == 1
    assert await names(store, 300) == []


async def _subscribed(store: Store, *targets: str) -> None:
    for target in targets:
        await store.put_subscription(subscription(f"of {target}", target))


def _suspended(subscriptions: Sequence[Subscription]) -> dict[str, str | None]:
    return {one.target: one.suspended for one in subscriptions}


async def test_t04_a_dead_recipient_is_suspended_and_its_queue_with_it(store: Store) -> None:
    """Nothing more is tried for that address; the others go on."""
    await _subscribed(store, CHAT, "telegram:2")
    await store.enqueue([owed("a"), owed("b", about="s2"), owed("c", target="telegram:2")])
    (leased,) = await claim(store, limit=1)
    await store.settle(leased, GivenUp("bot was blocked by the user", suspend=True), NOON)
    assert _suspended(await store.subscriptions()) == {CHAT: "bot was blocked by the user", "telegram:2": None}
    assert await names(store) == ["c"]
    assert {one.delivery.id for one in await store.dead_letters(10)} == {"a", "b"}


async def test_giving_up_one_message_suspends_nobody(store: Store) -> None:
    """Only where the whole address is dead."""
    await _subscribed(store, CHAT)
    await store.enqueue([owed("a"), owed("b", about="s2")])
    (leased,) = await claim(store, limit=1)
    await store.settle(leased, GivenUp("message is too long"), NOON)
    assert _suspended(await store.subscriptions()) == {CHAT: None}
    assert await names(store) == ["b"]


async def test_t06_a_migrated_group_takes_everything_along(store: Store) -> None:
    """Subscriptions, queue, held alerts, settings and what it was told follow; the message is sent once more there."""
    new = "telegram:-100123"
    await _subscribed(store, CHAT, "telegram:2")
    await store.chat_put(CHAT, {"zone": "Asia/Baku"})
    routing = Routing(deliveries=(owed("a"), owed("b", about="s2")), told=(told(message_id="77"),), held=(held(),))
    await store.record(Batch(NOON, routing=routing))
    (leased,) = await claim(store, limit=1)
    await store.attempt(leased, NOON)
    await store.settle(leased, RetryAt(NOON, "migrated", target=new), NOON)
    assert [(one.id, one.target) for one in await claim(store)] == [("a", new), ("b", new)]
    assert {one.target for one in await store.subscriptions()} == {new, "telegram:2"}
    assert (await store.chat_get(new), await store.chat_get(CHAT)) == ({"zone": "Asia/Baku"}, {})
    assert [one.target for one in await store.due_held(at(60))] == [new]
    state = await store.route_state([CHAT, new], ["s1"], NOON)
    assert [(key, one.message_id) for key, one in state.told.items()] == [((new, "s1"), None)]


async def test_a_migration_into_a_known_address_keeps_what_that_knows(store: Store) -> None:
    """Where both were told of a story, the new address's own row stays."""
    new = "telegram:-100123"
    await store.chat_put(new, {"zone": "UTC"})
    await store.chat_put(CHAT, {"zone": "Asia/Baku"})
    routing = Routing(deliveries=(owed("a"),), told=(told(message_id="77"), told(new, message_id="9")))
    await store.record(Batch(NOON, routing=routing))
    (leased,) = await claim(store)
    await store.settle(leased, RetryAt(NOON, "migrated", target=new), NOON)
    state = await store.route_state([CHAT, new], ["s1"], NOON)
    assert [(key, one.message_id) for key, one in state.told.items()] == [((new, "s1"), "9")]
    assert await store.chat_get(new) == {"zone": "UTC"}


async def test_messages_of_the_last_hour_are_counted_by_address(store: Store) -> None:
    """Sent within the hour or still owed; older ones and silent edits do not count."""
    await store.enqueue([owed("old", about=None, minutes=-70)])
    await deliver(store, (await claim(store, -70))[0], minutes=-70)
    await store.enqueue([owed("sent", about=None, minutes=-50)])
    await deliver(store, (await claim(store, -50))[0], minutes=-50)
    await store.enqueue([owed("waits"), owed("edit", mode=Mode.EDIT), owed("else", target="telegram:2")])
    state = await store.route_state([CHAT, "telegram:9"], [], NOON)
    assert state.sent_last_hour == {CHAT: 2}


async def test_the_trail_tells_how_each_message_ended(store: Store) -> None:
    """Queued, sent, dead: a lease shows as queued."""
    from tests.store.builders import batch, item, one_feed

    feed = await one_feed(store)
    messages = tuple(owed(name, target=f"telegram:{name}") for name in ("1", "2", "3", "4"))
    await store.record(batch(feed, item(feed), deliveries=messages))
    first, second, _ = await claim(store, limit=3)
    await deliver(store, first)
    await store.settle(second, GivenUp("refused"), NOON)
    trail = await store.trail(item(feed).uid)
    assert trail is not None
    assert {one.id: state for one, state in trail.deliveries} == {
        "1": "sent",
        "2": "dead",
        "3": "queued",
        "4": "queued",
    }


async def test_ten_thousand_messages_queue_and_are_claimed(store: Store) -> None:
    """A fan-out to ten thousand chats is one batch, and the first claim takes the first of them."""
    many = tuple(owed(f"d{n}", target=f"telegram:{n}", content=alert()) for n in range(10_000))
    await store.record(Batch(NOON, routing=Routing(deliveries=many)))
    assert await names(store, limit=3) == ["d0", "d1", "d2"]
    assert await store.outbox_depth() == {"telegram": 10_000}
    assert await store.next_delivery("telegram") == NOON
    assert (await store.claim("telegram", None, NOON, 1, LEASE_S))[0].expires_at - NOON == timedelta(hours=6)
