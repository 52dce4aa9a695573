"""Where updates come from: the long poll and the webhook door."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from bot.errors import StoreFull
from bot.ports import ChatCommand
from bot.telegram.updates import CONFLICT_WAIT_S, WebhookDoor, open_bot
from tests.telegram.town import ANN, Town

SECRET = "a-webhook-secret_123"
HEADER = {"X-Telegram-Bot-Api-Secret-Token": SECRET}


def update(number: int = 5) -> bytes:
    message = {"message_id": 1, "chat": {"id": ANN, "type": "private"}, "text": "/help", "from": {"id": ANN}}
    return json.dumps({"update_id": number, "message": message}).encode()


async def test_updates_are_kept_before_they_are_acknowledged(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """T18: where the database cannot keep them the offset does not move, and the same updates come again."""

    async def full(_commands: Sequence[ChatCommand]) -> int:
        raise StoreFull

    town.tg.updates.say(ANN, "/help")
    with monkeypatch.context() as broken:
        broken.setattr(town.store, "save_commands", full)
        assert await town.poller.step() > 0
        assert town.poller.problem is not None
    assert len(town.tg.updates) == 1
    await town.poller.step()
    assert town.poller.problem is None
    assert len(await town.store.pending_commands(10)) == 1
    await town.poller.step()
    assert len(town.tg.updates) == 0


@pytest.mark.parametrize(
    ("code", "text", "problem", "wait"),
    [
        (409, "Conflict: terminated by other getUpdates request; make sure that only one", "another program", 30.0),
        (409, "Conflict: can't use getUpdates method while webhook is active", "a webhook is set", 30.0),
        (401, "Unauthorized", "401", 60.0),
        (502, "Bad Gateway", "502", 2.0),
    ],
)
async def test_T15_failures_are_understood(town: Town, code: int, text: str, problem: str, wait: float) -> None:
    """A second poller, a webhook in the way and a dead token each get a clear word and a patient wait."""
    town.tg.fail(code, text, method="getUpdates")
    assert await town.poller.step() == wait
    assert problem in str(town.poller.problem)
    assert await town.poller.step() == 0
    assert town.poller.problem is None


async def test_T15_of_two_pollers_one_is_told(town: Town) -> None:
    """The real conflict: a newer poll ends the older one, which then stands back."""
    town.poller._poll_s = 20
    older = asyncio.create_task(town.poller.step())
    while not any(method == "getUpdates" for method, _ in town.tg.calls):  # noqa: ASYNC110 - the fake has no event
        await asyncio.sleep(0.01)
    await town.channel.api.call("getUpdates", {"timeout": 0})
    assert await older == CONFLICT_WAIT_S
    assert "another program" in str(town.poller.problem)


async def test_a_retry_after_is_kept_by_the_poller(town: Town) -> None:
    """429 on getUpdates waits as told."""
    town.tg.fail(429, "Too Many Requests: retry after 7", method="getUpdates", parameters={"retry_after": 7})
    assert await town.poller.step() >= 7


async def test_T19_the_door_opens_to_the_secret_only(town: Town) -> None:
    """A missing or wrong secret is 403 and nothing is kept; the right one is 200 and kept before the answer."""
    door = WebhookDoor(SECRET, town.store, town.clock, town.desk.wake)
    for headers in ({}, {"X-Telegram-Bot-Api-Secret-Token": "wrong"}, {"Authorization": SECRET}):
        assert await door.knock(headers, update()) == 403
    assert await town.store.pending_commands(10) == []
    assert await door.knock(HEADER, update()) == 200
    assert await door.knock({key.lower(): value for key, value in HEADER.items()}, update()) == 200
    assert len(await town.store.pending_commands(10)) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"{}", 400),
        (b'{"update_id": true}', 400),
        (b"\xff\xfe", 400),
        (b'{"update_id": 1, "message": ' + b"[" * 5000 + b"]" * 5000 + b"}", 400),
        (b'{"update_id": 1, "x": "' + b"y" * (2 * 1024 * 1024) + b'"}', 413),
        (b'{"update_id": 1}', 200),
    ],
)
async def test_T20_odd_bodies_are_refused(town: Town, body: bytes, status: int) -> None:
    """Too large, too deep or no update at all: a 4xx, so that Telegram does not send it for ever."""
    door = WebhookDoor(SECRET, town.store, town.clock, town.desk.wake)
    assert await door.knock(HEADER, body) == status


async def test_the_door_asks_again_where_nothing_could_be_kept(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is 503: Telegram delivers the update again later."""

    async def full(_commands: Sequence[ChatCommand]) -> int:
        raise StoreFull

    monkeypatch.setattr(town.store, "save_commands", full)
    door = WebhookDoor(SECRET, town.store, town.clock, town.desk.wake)
    assert await door.knock(HEADER, update()) == 503


async def test_the_bots_name_is_asked_for_until_it_is_told(town: Town) -> None:
    """Start-up does not fail where Telegram cannot be reached at first."""
    town.tg.fail(502, "Bad Gateway", method="getMe", times=3)
    assert await open_bot(town.channel.api, town.clock) == "tocsin_test_bot"


async def test_T25_a_long_absence_is_told_in_the_log(town: Town) -> None:
    """Away for longer than Telegram keeps updates: the log says that commands may be lost."""
    town.tg.updates.say(ANN, "/help")
    await town.settle()
    town.clock.time += timedelta(hours=30)
    with capture_logs() as logs:
        running = asyncio.create_task(town.poller.run())
        while not logs:  # noqa: ASYNC110 - the log has no event
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert any("may be lost" in entry["event"] for entry in logs)
