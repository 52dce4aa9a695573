"""Telegram's errors, each as the Bot API words it, driven through the real python-telegram-bot over loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.channels.telegram import TelegramChannel
from bot.errors import DeliveryError, DeliveryProblem
from bot.model import Mode
from tests.channels.rigs import UNHURRIED
from tests.channels.samples import NOW, UPDATE, alert, delivery
from tests.fakes.telegram import FakeTelegram

P = DeliveryProblem


@pytest.fixture
async def tg() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as server:
        yield server


@pytest.fixture
async def channel(tg: FakeTelegram) -> AsyncIterator[TelegramChannel]:
    made = TelegramChannel(tg.token, lambda: NOW, base_url=tg.base_url, deadline_s=2, pace=UNHURRIED)
    yield made
    await made.close()


async def failure(channel: TelegramChannel, target: str = "telegram:11", **changes: object) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await channel.send(channel.render(delivery(alert(), target, **changes)))
    return caught.value


CASES = [
    # code, description, parameters → problem, retryable
    (403, "Forbidden: bot was blocked by the user", {}, P.RECIPIENT, False),
    (403, "Forbidden: user is deactivated", {}, P.RECIPIENT, False),
    (403, "Forbidden: bot was kicked from the supergroup chat", {}, P.RECIPIENT, False),
    (403, "Forbidden: bot is not a member of the channel chat", {}, P.RECIPIENT, False),
    (403, "Forbidden: the group chat was deleted", {}, P.RECIPIENT, False),
    (403, "Forbidden: bot can't initiate conversation with a user", {}, P.RECIPIENT, False),
    (400, "Bad Request: chat not found", {}, P.RECIPIENT, False),
    (400, "Bad Request: CHAT_RESTRICTED", {}, P.RECIPIENT, False),
    (400, "Bad Request: not enough rights to send text messages to the chat", {}, P.RECIPIENT, False),
    (400, "Forbidden: bot was kicked from the group chat", {}, P.RECIPIENT, False),  # some 403 texts arrive as 400
    (400, "Bad Request: group chat was upgraded to a supergroup chat", {"migrate_to_chat_id": -1001}, P.MIGRATED, True),
    (400, "Bad Request: message thread not found", {}, P.TOPIC, True),
    (400, "Bad Request: TOPIC_CLOSED", {}, P.TOPIC, True),
    (400, 'Bad Request: can\'t parse entities: Unsupported start tag "x" at byte offset 3', {}, P.MARKUP, True),
    (400, "Bad Request: BUTTON_DATA_INVALID", {}, P.MARKUP, True),
    (400, "Bad Request: message is not modified: specified new message content", {}, P.UNCHANGED, False),
    (400, "Bad Request: message to edit not found", {}, P.GONE_MESSAGE, False),
    (400, "Bad Request: message is too long", {}, P.REJECTED, False),
    (400, "Bad Request: something nobody has heard of", {}, P.REJECTED, False),
    (401, "Unauthorized", {}, P.CREDENTIALS, True),
    (404, "Not Found", {}, P.CREDENTIALS, True),
    (421, "Misdirected Request", {}, P.CREDENTIALS, True),
    (429, "Too Many Requests: retry after 35", {"retry_after": 35}, P.RATE_LIMITED, True),
    (500, "Internal Server Error", {}, P.SERVER, True),
    (502, "Bad Gateway", {}, P.SERVER, True),
]


@pytest.mark.parametrize(("code", "text", "parameters", "problem", "retryable"), CASES)
async def test_errors_are_classified_by_code_then_text(
    tg: FakeTelegram,
    channel: TelegramChannel,
    code: int,
    text: str,
    parameters: dict[str, int],
    problem: DeliveryProblem,
    retryable: bool,
) -> None:
    """Each error of the wire facts gets its problem, and an unknown 400 is a dead letter."""
    tg.fail(code, text, parameters=parameters)
    error = await failure(channel)
    assert (error.problem, error.retryable, error.status) == (problem, retryable, code)


async def test_T01_a_flood_wait_closes_the_whole_channel(tg: FakeTelegram, channel: TelegramChannel) -> None:
    """A 429 for a private chat, which our pace never provokes, is the bot's: all must wait as told."""
    tg.fail(429, "Too Many Requests: retry after 35", parameters={"retry_after": 35})
    error = await failure(channel)
    assert (error.retry_after_s, error.channel_wide) == (35, True)


async def test_T03_a_groups_flood_wait_is_its_own(tg: FakeTelegram, channel: TelegramChannel) -> None:
    """A 429 for a group pauses that group only."""
    tg.fail(429, "Too Many Requests: retry after 7", parameters={"retry_after": 7})
    error = await failure(channel, "telegram:-1001")
    assert (error.retry_after_s, error.channel_wide) == (7, False)


async def test_T06_migration_names_the_new_address(tg: FakeTelegram, channel: TelegramChannel) -> None:
    """An upgraded group is told with the target that replaces the old one."""
    tg.refuse(-5, 400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=-1009)
    error = await failure(channel, "telegram:-5")
    assert (error.problem, error.migrate_to) == (P.MIGRATED, "telegram:-1009")


async def test_T08_a_closed_topic_falls_back_to_its_chat(tg: FakeTelegram, channel: TelegramChannel) -> None:
    """A topic that is closed or gone names its chat as the address to fall back to."""
    tg.groups["-1001"].topics[77] = False
    error = await failure(channel, "telegram:-1001/77")
    assert (error.problem, error.migrate_to) == (P.TOPIC, "telegram:-1001")
    error = await failure(channel, "telegram:-1001/78")
    assert error.migrate_to == "telegram:-1001"


async def test_T14_a_dead_token_is_told_apart_from_a_dead_chat(tg: FakeTelegram) -> None:
    """A revoked (401) or malformed (404) token is CREDENTIALS for the whole channel."""
    for token in ("123456:" + "B" * 30, "nonsense"):
        channel = TelegramChannel(token, lambda: NOW, base_url=tg.base_url)
        error = await failure(channel)
        assert (error.problem, error.channel_wide) == (P.CREDENTIALS, True)
        assert token not in str(error)
        await channel.close()


async def test_refused_connections_were_never_delivered() -> None:
    """Where nobody listens the message surely did not arrive: NETWORK, not AMBIGUOUS."""
    async with FakeTelegram() as gone:
        base_url = gone.base_url
    channel = TelegramChannel(gone.token, lambda: NOW, base_url=base_url)
    assert (await failure(channel)).problem is P.NETWORK
    await channel.close()


async def test_a_story_is_one_live_message(tg: FakeTelegram, channel: TelegramChannel) -> None:
    """An update answers the first message; an edit changes it in place, without sound; editing to the same is told."""
    first = await channel.send(channel.render(delivery(alert())))
    await channel.send(channel.render(delivery(UPDATE, mode=Mode.REPLY, thread=first.message_id)))
    edit = channel.render(delivery(UPDATE, mode=Mode.EDIT, thread=first.message_id))
    await channel.send(edit)
    live, answer = tg.to(11)
    assert (live.edits, answer.reply_to) == (1, live.message_id)
    assert live.text == answer.text
    assert not live.preview
    with pytest.raises(DeliveryError) as caught:
        await channel.send(edit)
    assert caught.value.problem is P.UNCHANGED


async def test_a_reply_survives_the_loss_of_what_it_answers(tg: FakeTelegram, channel: TelegramChannel) -> None:
    """Where the reader deleted the live message the update comes all the same."""
    await channel.send(channel.render(delivery(UPDATE, mode=Mode.REPLY, thread="999")))
    assert tg.last(11).reply_to is None


async def test_buttons_name_the_story(tg: FakeTelegram, channel: TelegramChannel) -> None:
    """Under an alert stand Sources, Why, Mute, Seen and the two thumbs."""
    await channel.send(channel.render(delivery(alert())))
    labels = [button["text"] for row in tg.last(11).buttons for button in row]
    assert labels == ["📰 Sources", "❓ Why", "🔕 Mute story", "👁 Seen", "👍", "👎"]
    assert tg.last(11).button("Mute") == "mu:sk3w2yq7"
