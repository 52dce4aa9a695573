"""Faults of Telegram and of the people in it: the real channel, outbox and desk against the fake Bot API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.channels.telegram import TelegramChannel
from bot.clock import SteppedClock
from bot.errors import FetchError, FetchProblem
from bot.model import Content, Digest, Feed, FeedSpec, Lane, Reason
from bot.ports import Pace
from bot.store import open_store
from bot.telegram.acts import Act
from bot.telegram.needs import DeskSettings
from bot.telegram.routes import BUTTONS, Route
from bot.telegram.visit import Visit
from tests.channels.rigs import UNHURRIED
from tests.channels.samples import HOSTILE, alert
from tests.fakes.telegram import FakeTelegram
from tests.faults.parts import NOW, Desk, owed, subscription
from tests.telegram.town import ANN, BOB, OPERATOR, make_town


@pytest.fixture
async def tg() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as server:
        yield server


async def at_work(tg: FakeTelegram, folder: Path, pace: Pace = UNHURRIED) -> Desk:
    clock = SteppedClock(NOW)
    channel = TelegramChannel(tg.token, clock.now, base_url=tg.base_url, deadline_s=5, pace=pace)
    return Desk(await open_store(folder / "t.sqlite3"), channel, clock)


@pytest.fixture
async def desk(tg: FakeTelegram, tmp_path: Path) -> AsyncIterator[Desk]:
    made = await at_work(tg, tmp_path)
    yield made
    await made.channel.close()
    await made.store.close()


# --- messages ---------------------------------------------------------------------------------------------------


async def test_T09_refused_markup_goes_once_as_plain_text(desk: Desk, tg: FakeTelegram) -> None:
    """Where Telegram cannot parse the markup the same words go once more without any."""
    tg.fail(400, "Bad Request: can't parse entities: unsupported start tag", method="sendMessage")
    await desk.deliver([owed("a", "telegram:11", alert())])
    assert desk.outcomes() == ["RetryAt", "Sent"]
    (sent,) = tg.to(11)
    assert sent.entities == []
    assert "Karvin" in sent.text
    assert [params.get("parse_mode") for method, params in tg.calls if method == "sendMessage"] == [None]


async def test_T10_text_over_the_limit_is_cut_to_valid_markup(desk: Desk, tg: FakeTelegram) -> None:
    """However long the words, emoji or entities, one message within the limit arrives at the first attempt."""
    long = ("x" * 9000, "&" * 9000, "🇦🇿" * 3000, "<b>" * 1500, "👩‍👩‍👧‍👦 " * 1000)
    told = [alert(title=text, summary=text, claims=(text,) * 5, rule=text) for text in long]
    digest = Digest(Reason.DIGEST_DUE, NOW, tuple(replace(one, story_id=f"s{n}") for n, one in enumerate(told * 12)))
    contents: list[Content] = [*told, digest]
    await desk.deliver([owed(f"a{n}", f"telegram:{n + 1}", one) for n, one in enumerate(contents)])
    assert desk.outcomes() == ["Sent"] * 6
    assert len(tg.messages) == 6


async def test_T11_an_alert_of_which_nothing_is_left_still_says_something(desk: Desk, tg: FakeTelegram) -> None:
    """Where cleaning leaves neither title nor text, a placeholder and the link arrive."""
    nothing = alert(title="\u200b\x00", summary="\u2060", claims=("\ufeff",), rule="", outlet="")
    await desk.deliver([owed("a", "telegram:11", nothing)])
    assert desk.outcomes() == ["Sent"]
    assert "(no text)" in tg.last(11).text
    assert "morning.example/world" in tg.last(11).html


async def test_X17_strangers_words_are_no_markup(desk: Desk, tg: FakeTelegram) -> None:
    """Whatever a title holds, the only links in a message are web links of ours and no person is named by id."""
    for number, text in enumerate((*HOSTILE, '" onclick="x', '<a href="tg://user?id=7">x</a>', "tg://user?id=7")):
        hostile = alert(title=text, summary=text, outlet=text, link="https://a.example/x", rule=text)
        await desk.deliver([owed(f"a{number}", f"telegram:{number + 1}", hostile)])
        links = [entity.url for entity in tg.last(number + 1).entities if entity.url]
        assert all(str(link).startswith("https://") for link in links)
        assert "tg://user" not in tg.last(number + 1).html
    assert set(desk.outcomes()) == {"Sent"}


async def test_T26_blocked_readers_cost_one_request_each_and_hold_up_nobody(tg: FakeTelegram, tmp_path: Path) -> None:
    """With a third of the readers gone, a fan-out keeps 25 a second, suspends exactly those, and asks none twice."""
    desk = await at_work(tg, tmp_path, Pace(per_second=30, per_address_per_second=1, concurrency=1))
    people = range(1, 46)
    gone = {person for person in people if person % 3 == 0}
    for person in people:
        await desk.store.put_subscription(subscription(f"telegram:{person}", flood_limit=0))
        if person in gone:
            tg.refuse(person, 403, "Forbidden: bot was blocked by the user")
    await desk.deliver([owed(f"a{person}", f"telegram:{person}") for person in people])
    assert desk.outcomes().count("GivenUp") == len(gone)
    assert {int(sent.chat) for sent in tg.messages} == set(people) - gone
    assert sum(method == "sendMessage" for method, _ in tg.calls) == len(people)
    assert desk.clock.now() - NOW <= timedelta(seconds=len(people) / 25)
    rest = {one.target for one in await desk.store.subscriptions() if one.suspended}
    assert rest == {f"telegram:{person}" for person in gone}
    await desk.channel.close()
    await desk.store.close()


async def test_T27_what_is_urgent_goes_before_thousands_that_wait(desk: Desk, tg: FakeTelegram) -> None:
    """An urgent message that comes while a long fan-out waits is among the next that are sent."""
    await desk.store.enqueue([owed(f"d{n}", f"telegram:{n + 10}", lane=Lane.DIGEST) for n in range(300)])
    await desk.outbox._round("telegram")
    await desk.store.enqueue([owed("urgent", "telegram:9", lane=Lane.URGENT)])
    desk.clock.move(NOW + timedelta(seconds=1))
    await desk.outbox._round("telegram")
    assert len(tg.to(9)) == 1
    assert len(tg.messages) <= 2 * UNHURRIED.concurrency


# --- people -----------------------------------------------------------------------------------------------------

FORGED = (
    "",
    "x",
    "f",
    "f:",
    ":::::",
    "e:1",
    "x:' OR 1=1",
    "mu:nobody",
    "bc:1",
    "up:\x00",
    "é" * 32,
    "{}",
    "forget:-100",
)


async def test_T21_forged_and_stale_buttons_are_answered_and_change_nothing(tmp_path: Path) -> None:
    """Any button data is answered; nothing of another's is touched, whatever it says."""
    async with make_town(tmp_path) as town:
        await town.store.put_subscription(subscription(f"telegram:{BOB}"))
        before = await town.store.subscriptions()
        sent = await town.says(ANN, "/help")
        forged = [*FORGED, *(f"{name}:{before[0].id}" for name in BUTTONS if name not in ("forget", "f", "g", "t"))]
        for data in forged[: town.desk._tools.settings.bucket - 2]:
            town.tg.press_data(ANN, sent, data)
        await town.settle()
        assert len(town.tg.answers) == len(forged[: town.desk._tools.settings.bucket - 2])
        assert await town.store.subscriptions() == before


async def test_T21_a_tap_is_answered_even_where_its_handler_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A defect in a handler is logged, the button stops turning, and the next command is answered."""

    async def broken(_visit: Visit) -> Sequence[Act]:
        raise ZeroDivisionError

    monkeypatch.setitem(BUTTONS, "up", Route(broken))
    async with make_town(tmp_path) as town:
        sent = await town.says(ANN, "/help")
        town.tg.press_data(ANN, sent, "up:s1")
        await town.settle()
        assert len(town.tg.answers) == 1
        assert "/subscriptions" in (await town.says(ANN, "/help")).text


async def test_X08_readers_learn_nothing_of_the_network_behind_the_bot(tmp_path: Path) -> None:
    """Whatever address a reader tries to add, nothing is fetched and every answer is the same."""
    asked: list[str] = []

    async def add(url: str) -> Feed:
        asked.append(url)
        raise FetchError(FetchProblem.REFUSED, url, "connection refused")

    async with make_town(tmp_path, add_feed=add) as town:
        said = {
            (await town.says(ANN, f"/{command} http://{host}/")).text
            for command in ("addfeed", "feeds", "status")
            for host in ("127.0.0.1:22", "10.0.0.1", "169.254.169.254", "open.example", "[::1]:9")
        }
    assert asked == []
    assert len(said) == 1


async def test_X23_no_person_and_no_crowd_can_add_feeds_without_end(tmp_path: Path) -> None:
    """A person's day holds so many feeds and the daemon so many in all; what was added so cannot ask for a faster pace."""
    asked: list[str] = []

    async def add(url: str) -> Feed:
        asked.append(url)
        return await town.store.add_feed(FeedSpec(url), NOW)

    few = DeskSettings(admins=frozenset({OPERATOR, BOB}), max_added_feeds=2, max_total_feeds=3, bucket=100)
    async with make_town(tmp_path, settings=few, add_feed=add) as town:
        for number in range(6):
            await town.says(OPERATOR, f"/addfeed https://a{number}.example/feed")
        for number in range(6):
            await town.says(BOB, f"/addfeed https://b{number}.example/feed")
        feeds = await town.store.feeds()
    assert len(asked) == len(feeds) == 3
    assert not [name for name in FeedSpec.__dataclass_fields__ if "interval" in name or "pace" in name]
