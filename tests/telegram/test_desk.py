"""Rights, floods, groups, redelivery, crashes: the desk as a whole."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import FetchError, FetchProblem
from bot.model import (
    Batch,
    Feed,
    FeedSpec,
    FeedState,
    GivenUp,
    Item,
    NonDelivery,
    PollResult,
    Reason,
    Receipt,
    Routing,
    SourceRef,
    StoryUpdate,
    Verdict,
    VerdictKind,
)
from bot.model import Sent as SentOutcome
from bot.ports import ChatCommand
from bot.telegram.incoming import read_update
from bot.telegram.needs import DeskSettings
from bot.telegram.routes import COMMANDS
from classifiers.assessment import Assessment, Evidence
from tests.telegram.test_manage import subscribed
from tests.telegram.town import ANN, BOB, GROUP, NOW, OPERATOR, Town, make_town, story

OPERATOR_COMMANDS = ("/addfeed https://x.example/f.xml", "/feeds", "/status", "/broadcast hi", "/fire_drill")


# --- rights -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", OPERATOR_COMMANDS)
async def test_X09_operators_commands_are_denied_to_others(town: Town, command: str) -> None:
    """By numeric id only; to anybody else the command does not exist, and nothing is queued."""
    assert "do not know that command" in (await town.says(ANN, command)).text
    assert await town.store.outbox_depth() == {}


async def test_in_groups_only_administrators_change_settings(town: Town) -> None:
    """A member's /start is refused, an administrator's works, and so do taps."""
    town.tg.groups[str(GROUP)].members = {ANN: "administrator", BOB: "member"}
    assert "Only administrators" in (await town.says(BOB, "/start", chat=GROUP)).text
    page = await town.says(ANN, "/start al-all-3", chat=GROUP)
    await town.taps(BOB, page, "⚡ at once")
    assert not await town.subscriptions(GROUP)
    assert "Only administrators" in str(town.tg.answers[-1]["text"])
    await town.taps(ANN, page, "⚡ at once")
    assert len(await town.subscriptions(GROUP)) == 1


async def test_anonymous_administrators_and_channels_may_set(town: Town) -> None:
    """Who speaks as the group itself is an administrator; so is whoever posts in a channel."""
    as_group = {"sender_chat": {"id": GROUP, "type": "supergroup"}}
    page = await town.says(1087968824, "/start", chat=GROUP, extra=as_group)
    assert "What should I watch for" in page.text
    town.tg.updates.push(
        {"channel_post": {"message_id": 5, "chat": {"id": -1005, "type": "channel"}, "text": "/start al"}}
    )
    await town.settle()
    assert "Where?" in town.tg.last(-1005).text


async def test_topics_have_their_own_subscriptions(town: Town) -> None:
    """What is set up in a forum's topic is answered there and speaks there."""
    group = town.tg.groups[str(GROUP)]
    group.members, group.topics = {ANN: "creator"}, {77: True}
    page = await town.says(ANN, "/start al-all-3", chat=GROUP, thread=77)
    assert page.thread == 77
    await town.taps(ANN, page, "⚡ at once")
    (one,) = await town.store.subscriptions()
    assert one.target == f"telegram:{GROUP}/77"


async def test_groups_are_left_in_peace(town: Town) -> None:
    """Ordinary talk, other bots' commands and unknown commands in a group are not answered."""
    for text in ("hello", "/start@another_bot", "/weather"):
        town.tg.updates.say(ANN, text, chat=GROUP)
    await town.settle()
    assert town.tg.to(GROUP) == []
    assert "/start" in (await town.says(ANN, "hello")).text


async def test_being_added_to_a_group_is_answered(town: Town) -> None:
    """The group learns how to begin."""
    change = {
        "chat": {"id": GROUP, "type": "supergroup"},
        "from": {"id": ANN, "language_code": "en"},
        "old_chat_member": {"status": "left"},
        "new_chat_member": {"status": "member"},
    }
    town.tg.updates.push({"my_chat_member": change})
    await town.settle()
    assert "/start" in town.tg.last(GROUP).text


# --- once, and for everybody ------------------------------------------------------------------------------------


async def test_T17_a_redelivered_update_is_handled_once(town: Town) -> None:
    """The same update id three times is one command."""
    update = {"update_id": 77, "message": {"message_id": 1, "chat": {"id": ANN, "type": "private"}, "text": "/help"}}
    for _ in range(3):
        town.tg.updates.push(update)
        await town.settle()
    assert len(town.tg.to(ANN)) == 1


async def test_T18_a_command_survives_a_crash_before_it_was_handled(tmp_path: Path) -> None:
    """What was stored before the offset moved is handled after a restart."""
    async with make_town(tmp_path) as town:
        town.tg.updates.say(ANN, "/help")
        await town.poller.step()
    async with make_town(tmp_path) as town:
        await town.settle()
        assert "/subscriptions" in town.tg.last(ANN).text
        assert await town.store.pending_commands(10) == []


async def test_T23_who_floods_waits_and_others_do_not(tmp_path: Path) -> None:
    """Beyond the bucket one person's commands are dropped with one word; another's is answered."""
    few = DeskSettings(bucket=5, refill_s=3600)
    async with make_town(tmp_path, settings=few) as town:
        for _ in range(30):
            town.tg.updates.say(ANN, "/help")
        await town.says(BOB, "/help")
        assert len(town.tg.to(ANN)) == 6
        assert "Too many" in town.tg.last(ANN).text
        assert "/subscriptions" in town.tg.last(BOB).text


async def test_an_answer_that_fails_is_tried_again(town: Town) -> None:
    """A server error does not cost the answer; the command stays pending until it went out."""
    town.tg.fail(500, "Internal Server Error", method="sendMessage", times=4)
    town.tg.updates.say(ANN, "/help")
    await town.poller.step()
    await town.desk.settle_down()
    assert town.tg.to(ANN) == []
    assert len(await town.store.pending_commands(10)) == 1
    town.clock.time += timedelta(seconds=10)
    await town.desk.settle_down()
    assert len(town.tg.to(ANN)) == 1
    assert await town.store.pending_commands(10) == []


async def test_a_blocked_bot_gives_the_answer_up(town: Town) -> None:
    """Where the person blocked the bot the command is done, not tried for ever."""
    town.tg.refuse(ANN, 403, "Forbidden: bot was blocked by the user")
    town.tg.updates.say(ANN, "/help")
    await town.settle()
    assert await town.store.pending_commands(10) == []


async def test_old_buttons_are_answered(town: Town) -> None:
    """A button of an older version, or forged data, gets a word and changes nothing; an expired query hurts nobody."""
    page = await town.says(ANN, "/help")
    town.tg.press_data(ANN, page, "nonsense:1:2")
    town.tg.press_data(ANN, page, "bc:1")
    town.tg.updates.press(ANN, str(ANN), page.message_id, "l")  # the fake does not know this query: too old
    await town.settle()
    assert "out of date" in str(town.tg.answers[0]["text"])
    assert "do not know" in str(town.tg.answers[1]["text"])


async def test_a_broken_handler_stops_nobody(town: Town) -> None:
    """An update that cannot be handled is recorded and done, and the next one is answered."""
    await town.store.save_commands(
        [ChatCommand(1, NOW, {"message": "not a message"}), ChatCommand(2, NOW, {"poll": {}})]
    )
    assert "/subscriptions" in (await town.says(ANN, "/help")).text
    assert await town.store.pending_commands(10) == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
fields = st.sampled_from(
    ("chat", "id", "type", "from", "text", "message_id", "message", "data", "location", "latitude", "sender_chat",
     "new_chat_member", "status", "reply_to_message", "language_code", "message_thread_id", "is_topic_message")
)  # fmt: skip
odd = st.recursive(
    json_values | st.sampled_from(("private", "supergroup", "/start x", 5)),
    lambda inner: st.dictionaries(fields, inner, max_size=8),
    max_leaves=30,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(("message", "callback_query", "channel_post", "my_chat_member", "x")), odd))
def test_any_update_is_read_or_left(body: dict[str, object]) -> None:
    """Whatever shape an update has, reading it never fails."""
    read_update(body)


# --- operators ----------------------------------------------------------------------------------------------------


async def test_a_broadcast_goes_out_once_after_a_tap(town: Town) -> None:
    """It is shown first, queued for every subscribed chat on the tap, and a second tap sends nothing."""
    await subscribed(town, ANN)
    await subscribed(town, BOB)
    page = await town.says(OPERATOR, "/broadcast Maintenance at noon")
    assert await town.store.outbox_depth() == {}
    data = page.button("Send to 2 chats")
    town.tg.press_data(OPERATOR, page, data)
    town.tg.press_data(OPERATOR, page, data)
    await town.settle()
    assert dict(await town.store.outbox_depth()) == {"telegram": 2}
    assert town.tg.last(OPERATOR).text == "Queued for 2 chats."
    assert "out of date" in str(town.tg.answers[-1]["text"])
    town.tg.press_data(ANN, page, data)
    await town.settle()
    assert dict(await town.store.outbox_depth()) == {"telegram": 2}


async def test_a_fire_drill_lists_its_receipts(town: Town) -> None:
    """Every address gets an exercise, and the operator a list of who has it."""
    await subscribed(town, ANN)
    await town.says(OPERATOR, "/fire_drill")
    now = town.clock.now()
    owed = [one for name in ("console", "telegram") for one in await town.store.claim(name, None, now, 9, 60)]
    assert {one.target for one in owed} == {"console", f"telegram:{ANN}"}
    assert all("[EXERCISE]" in town.channel.render(one).text for one in owed if one.channel == "telegram")
    for one in owed:
        outcome = SentOutcome(Receipt(NOW)) if one.channel == "console" else GivenUp("blocked")
        assert await town.store.attempt(one, NOW)
        await town.store.settle(one, outcome, NOW)
        town.desk.settled(one, outcome)
    runner = asyncio.create_task(town.desk.run())
    while not await town.store.outbox_depth():  # noqa: ASYNC110 - the store has no event to wait for
        await asyncio.sleep(0.01)
    town.desk.stop()
    await runner
    (told,) = await town.store.claim("telegram", None, NOW + timedelta(hours=1), 9, 60)
    assert told.target == f"telegram:{OPERATOR}"
    assert "console: ✓" in town.channel.render(told).text
    assert f"telegram:{ANN}: ✗ blocked" in town.channel.render(told).text


async def test_addfeed_says_what_came_of_it(tmp_path: Path) -> None:
    """The feed is named, a failure is one line, and a day's quota is kept."""
    asked: list[str] = []

    async def add(url: str) -> Feed:
        asked.append(url)
        if "bad" in url:
            raise FetchError(FetchProblem.NOT_FOUND, url, "not found")
        return Feed(1, url, NOW, FeedState(NOW), title="River News")

    few = DeskSettings(admins=frozenset({OPERATOR}), max_added_feeds=3)
    async with make_town(tmp_path, settings=few, add_feed=add) as town:
        assert "River News" in (await town.says(OPERATOR, "/addfeed https://river.example/feed")).text
        assert "not found" in (await town.says(OPERATOR, "/addfeed https://bad.example/feed")).text
        assert "Type the address" in (await town.says(OPERATOR, "/addfeed")).text
        await town.says(OPERATOR, "/addfeed https://c.example/feed")
        assert "used up" in (await town.says(OPERATOR, "/addfeed https://d.example/feed")).text
        assert len(asked) == 3


async def test_status_and_feeds_name_what_fails(town: Town) -> None:
    """/status and /feeds tell of failing feeds, the queue and the last success."""
    await town.store.add_feed(FeedSpec("https://feeds.example/a.xml", "River News"), NOW - timedelta(days=2))
    (feed,) = await town.store.feeds()
    failing = replace(feed.state, errors=7, problem="timeout", next_due=NOW - timedelta(hours=1))
    await town.store.set_feed_state(feed.id, failing)
    assert "River News — timeout ×7" in (await town.says(OPERATOR, "/feeds")).text
    said = (await town.says(OPERATOR, "/status")).text
    assert "1 feed · 1 late" in said
    assert said.startswith("⚠️")


# --- feedback and looking back -----------------------------------------------------------------------------------


async def test_alert_buttons_do_what_they_say(town: Town) -> None:
    """Sources, Why, Mute and its undo, Seen and the thumbs work under an alert."""
    await subscribed(town)
    await town.store.record(Batch(at=NOW, stories=(story(5),)))
    alert = await town.says(ANN, "/story s0000005")
    assert "5 killed" in alert.text
    assert "morning.example" in (await town.taps(ANN, alert, "Sources")).text
    muted = await town.taps(ANN, alert, "Mute")
    assert (await town.subscriptions(ANN))[0].muted == {"s0000005"}
    await town.taps(ANN, muted, "Unmute")
    assert (await town.subscriptions(ANN))[0].muted == frozenset()
    await town.taps(ANN, alert, "Seen")
    assert town.tg.answers[-1]["text"] == f"Seen by User {ANN}"
    await town.taps(ANN, alert, "👍")
    wrong = await town.taps(ANN, alert, "👎")
    await town.taps(ANN, wrong, "wrong number")
    votes = (await town.store.chat_get("feedback/s0000005"))["votes"]
    assert isinstance(votes, dict)
    assert list(votes.values()) == ["wrong number"]
    assert str(ANN) not in str(votes)


async def test_seen_in_a_group_names_everybody(town: Town) -> None:
    """Whoever taps Seen learns who else has; anybody in the group may."""
    await town.store.record(Batch(at=NOW, stories=(story(5),)))
    alert = await town.says(ANN, "/story s0000005", chat=GROUP)
    await town.taps(ANN, alert, "Seen")
    await town.taps(BOB, alert, "Seen")
    assert town.tg.answers[-1]["text"] == f"Seen by 2: User {ANN}, User {BOB}"


async def test_latest_follows_the_subscriptions(town: Town) -> None:
    """/latest shows what this chat asked for; without a subscription, what is severe."""
    await town.store.record(Batch(at=NOW, stories=(story(5), story(6, countries=("FR",), places=()))))
    assert {"/story_s0000005", "/story_s0000006"} <= set((await town.says(ANN, "/latest")).text.split())
    await subscribed(town, ANN, "al-AZ-3")
    said = (await town.says(ANN, "/latest")).text.split()
    assert "/story_s0000005" in said
    assert "/story_s0000006" not in said
    assert "5 killed" in (await town.says(ANN, "/story_s0000005")).text


async def test_why_and_why_not_answer_an_alert_or_a_link(town: Town) -> None:
    """In answer to an alert, or with a link, /why tells what was read in it and /whynot what kept it from this chat."""
    await town.store.add_feed(FeedSpec("https://morning.example/feed", "Morning"), NOW - timedelta(days=9))
    (feed,) = await town.store.feeds()
    link = "https://morning.example/5"
    item = Item(feed.id, "k5", "Shelling of Karvin", "The port was shelled.", link, NOW, "morning.example")
    span = Evidence("remote_strike", "title", 0, 8, "Shelling", 2.0)
    read = Assessment({"remote_strike": 0.97}, ("remote_strike",), "severe", -9.5, evidence=(span,))
    told = story(5, sources=(SourceRef(item.uid, "morning.example", link, "t", NOW),))
    update = StoryUpdate(told, None, item, read)
    verdict = Verdict(VerdictKind.ALERT, Reason.NEW_STORY, NOW, update, rules=("caucasus",))
    quiet = NonDelivery(
        "x", f"telegram:{ANN}", told.id, item.uid, VerdictKind.ALERT, Reason.BELOW_SEVERITY, NOW, "minor"
    )
    poll = PollResult(feed, feed.state, (item,))
    await town.store.record(Batch(NOW, (poll,), {item.uid: read}, (verdict,), (told,), Routing(silent=(quiet,))))
    reply = {"reply_to_message": {"text": "an alert", "entities": [{"type": "text_link", "url": link}]}}
    said = (await town.says(ANN, "/why", extra=reply)).text
    for fact in ("air, missile or artillery strike 97%", "“Shelling”", "new story", "caucasus", "1 independent source"):
        assert fact in said
    assert "below the severity asked for (minor)" in (await town.says(ANN, f"/whynot {link}")).text
    assert "new story" in (await town.says(BOB, "/whynot", extra=reply)).text
    assert "never seen" in (await town.says(BOB, "/whynot https://elsewhere.example/x")).text
    assert "Answer an alert" in (await town.says(BOB, "/why")).text


async def test_search_finds_and_says_when_it_does_not(town: Town) -> None:
    """/search lists stories that hold all words, hostile words included."""
    await town.store.record(Batch(at=NOW, stories=(story(5),)))
    assert "report 5" in (await town.says(ANN, "/search karvin shelling")).text
    assert "Nothing found" in (await town.says(ANN, "/search <b>% _ ' \" zebra")).text
    assert "Type the words" in (await town.says(ANN, "/search")).text


async def test_languages_follow_the_person(town: Town) -> None:
    """Somebody whose Telegram speaks Ukrainian is answered in it, and so are his alerts later."""
    page = await town.says(ANN, "/start al-all-3", language="uk")
    await town.taps(ANN, page, "⚡", language="uk")
    assert (await town.subscriptions(ANN))[0].language == "uk"


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_every_answer_can_be_given(town: Town, language: str) -> None:
    """Four taps by position, then every command: each is answered, in HTML that Telegram accepts."""
    await town.store.record(Batch(at=NOW, stories=(story(5),)))
    page = await town.says(ANN, "/start", language=language)
    for row in (1, 0, 1, 0):
        town.tg.press_data(ANN, page, str(page.buttons[row][0]["callback_data"]), language=language)
        await town.settle()
        page = town.tg.last(ANN)
    assert len(await town.subscriptions(ANN)) == 1
    asked = ("/help", "/subscriptions", "/latest", "/story s0000005", "/search karvin", "/why s0000005", "/whynot",
             "/whynot https://unknown.example/x", "/pause", "/pause 2h", "/resume", "/quiet", "/quiet 22-7", "/digest",
             "/digest daily", "/export", "/unsubscribe all", "/stop", "/story", "/search", "/why", "/zone")  # fmt: skip
    for command in asked:
        before = len(town.tg.to(ANN))
        await town.says(ANN, command, language=language)
        assert len(town.tg.to(ANN)) > before, command
        town.clock.time += timedelta(seconds=10)
    for command in ("/status", "/feeds", "/addfeed", "/broadcast", "/broadcast x", "/fire_drill", "/help"):
        before = len(town.tg.to(OPERATOR))
        await town.says(OPERATOR, command, language=language)
        assert len(town.tg.to(OPERATOR)) > before, command


def test_every_command_is_documented() -> None:
    """docs/TELEGRAM.md names each command, so that the page cannot rot."""
    page = (Path(__file__).parent.parent.parent / "docs" / "TELEGRAM.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"/{name}" not in page] == []
