"""Every store: subscriptions, chats and their commands."""

from __future__ import annotations

from dataclasses import replace

from bot.model import Batch, Routing
from bot.ports import Store
from tests.store.builders import CHAT, NOON, at, batch, held, item, one_feed, owed, silence, told
from tests.store.chats import command, subscription


async def test_a_subscription_comes_back_whole(store: Store) -> None:
    """Filters, quiet hours, digests, mutes: every field."""
    await store.put_subscription(subscription())
    assert await store.subscriptions() == [subscription()]


async def test_a_subscription_is_replaced_by_id(store: Store) -> None:
    """Editing, suspending and waking it up again leave one row."""
    await store.put_subscription(subscription())
    for changed in (
        replace(subscription(), suspended="blocked"),
        replace(subscription(), target="telegram:2", suspended=None),
    ):
        await store.put_subscription(changed)
        assert await store.subscriptions() == [changed]


async def test_subscriptions_are_deleted_one_or_all_of_an_address(store: Store) -> None:
    """Only the address's own, and the count says how many."""
    for name, target in (("a", CHAT), ("b", CHAT), ("c", CHAT), ("d", "telegram:2")):
        await store.put_subscription(subscription(name, target))
    assert await store.delete_subscriptions(CHAT, "d") == 0
    assert await store.delete_subscriptions(CHAT, "a") == 1
    assert await store.delete_subscriptions(CHAT) == 2
    assert [one.id for one in await store.subscriptions()] == ["d"]


async def test_settings_of_a_chat_are_replaced(store: Store) -> None:
    """Any JSON object; nothing is known of an unknown chat."""
    assert await store.chat_get(CHAT) == {}
    await store.chat_put(CHAT, {"step": "where", "picked": ["AM", "AZ"], "depth": 2, "note": None})
    await store.chat_put(CHAT, {"step": "when", "zone": {"name": "Asia/Baku"}})
    assert await store.chat_get(CHAT) == {"step": "when", "zone": {"name": "Asia/Baku"}}


async def test_addresses_are_listed_by_how_they_begin(store: Store) -> None:
    """All that begin so, in order, and no other: capitals and wildcards mean themselves."""
    for target in ("votes/b", "votes/a", "votes/", "Votes/a", "votes", "votes0", "vot_s/a", "votes/ж"):
        await store.chat_put(target, {"of": target})
    found = await store.chats_under("votes/")
    assert list(found) == ["votes/", "votes/a", "votes/b", "votes/ж"]
    assert all(kept == {"of": target} for target, kept in found.items())
    assert list(await store.chats_under("vot_")) == ["vot_s/a"]
    assert await store.chats_under("nothing/") == {}


async def test_a_forgotten_chat_leaves_nothing(store: Store) -> None:
    """No subscription, setting, message, held alert, silence or snapshot of it or its topics; others stay."""
    topic, neighbour = f"{CHAT}/77", f"{CHAT}8"
    feed = await one_feed(store)
    for target in (CHAT, topic, neighbour):
        await store.put_subscription(subscription(f"of {target}", target))
        await store.chat_put(target, {"zone": "Asia/Baku"})
        routing = Routing(
            deliveries=(owed(f"to {target}", target=target),),
            told=(told(target),),
            held=(held(target=target),),
            silent=(replace(silence(item(feed)), target=target),),
        )
        await store.record(replace(batch(feed, item(feed)), routing=routing, verdicts=()))
    await store.forget_chat(CHAT)
    counts = await store.counts()
    kept = ("subscriptions", "chats", "outbox", "told", "held", "silent")
    assert {name: counts[name] for name in kept} == dict.fromkeys(kept, 1)
    assert [one.target for one in await store.subscriptions()] == [neighbour]


async def test_t17_an_update_is_kept_once(store: Store) -> None:
    """A redelivery is not new, handled or not."""
    assert await store.save_commands([command(1), command(2)]) == 2
    await store.done_command(1, NOON)
    assert await store.save_commands([command(1), command(2), command(3)]) == 1
    assert [one.update_id for one in await store.pending_commands(10)] == [2, 3]


async def test_pending_commands_come_in_the_order_in_which_they_came(store: Store) -> None:
    """Telegram starts its numbers anew after a week of silence, so time goes before number."""
    await store.save_commands([command(900, 0), command(901, 0)])
    await store.save_commands([command(5, 1)])
    assert await store.pending_commands(10) == [command(900), command(901), command(5, 1)]
    assert await store.pending_commands(1) == [command(900)]


async def test_large_update_ids_are_kept(store: Store) -> None:
    """64-bit numbers."""
    await store.save_commands([command(2**62)])
    assert [one.update_id for one in await store.pending_commands(10)] == [2**62]


async def test_meta_values_are_replaced(store: Store) -> None:
    """None where nothing was written."""
    assert await store.meta_get("restored_at") is None
    await store.meta_put("restored_at", "a")
    await store.meta_put("restored_at", "b")
    assert await store.meta_get("restored_at") == "b"


async def test_nothing_to_do_is_no_error(store: Store) -> None:
    """Empty sequences, unknown targets and numbers."""
    await store.record(Batch(NOON))
    await store.forget_chat("telegram:404")
    await store.done_command(404, NOON)
    await store.release([])
    assert await store.enqueue([]) == 0
    assert await store.save_commands([]) == 0
    assert await store.unseen([]) == []
    assert await store.claim("telegram", None, at(0), 0, 60) == []
