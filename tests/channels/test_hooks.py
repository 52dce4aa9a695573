"""Slack's and the signed webhook's own ways to refuse."""

from __future__ import annotations

import pytest

from bot.channels.apprise import AppriseChannel, secret_parts
from bot.channels.http import retry_after_s
from bot.channels.slack import SlackChannel
from bot.channels.webhook import Hook, WebhookChannel, secret_key
from bot.errors import DeliveryError, DeliveryProblem, UsageError
from tests.channels.samples import NOW, SAMPLES, alert, delivery
from tests.fakes.slack import FakeSlack
from tests.fakes.webhook import FakeWebhook

P = DeliveryProblem

SLACK_CASES = [
    (400, "invalid_payload", P.MARKUP, True),  # S02: once more as plain text
    (400, "invalid_blocks", P.MARKUP, True),
    (400, "no_text", P.REJECTED, False),
    (400, "user_not_found", P.RECIPIENT, False),
    (403, "action_prohibited", P.RECIPIENT, False),  # S03: dead hooks
    (403, "posting_to_general_channel_denied", P.RECIPIENT, False),
    (403, "invalid_token", P.RECIPIENT, False),
    (404, "channel_not_found", P.RECIPIENT, False),
    (404, "no_service", P.RECIPIENT, False),
    (404, "no_team", P.RECIPIENT, False),
    (404, "no_active_hooks", P.RECIPIENT, False),
    (410, "channel_is_archived", P.RECIPIENT, False),
    (200, "no_service", P.RECIPIENT, False),  # statuses are unsure: the word decides
    (200, "<html>sign in</html>", P.SERVER, True),  # anything but "ok" at 200 is a failure
    (500, "rollup_error", P.SERVER, True),  # S04
    (503, "", P.SERVER, True),
]


@pytest.mark.parametrize(("status", "word", "problem", "retryable"), SLACK_CASES)
async def test_slack_errors_are_classified_by_their_word(
    status: int,
    word: str,
    problem: DeliveryProblem,
    retryable: bool,
) -> None:
    """Each error of the wire facts gets its problem."""
    async with FakeSlack() as slack:
        slack.fail(status, word)
        channel = SlackChannel({"desk": slack.url("desk")}, lambda: NOW)
        with pytest.raises(DeliveryError) as caught:
            await channel.send(channel.render(delivery(SAMPLES["alert"], "slack:desk")))
        assert (caught.value.problem, caught.value.retryable) == (problem, retryable)
        await channel.close()


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("7", 7.0),
        ("Wed, 04 Mar 2026 05:07:07 GMT", 60.0),
        ("Wed, 04 Mar 2020 05:07:07 GMT", 0.0),
        (None, None),
        ("soon", None),
        ("-1", None),
        ("999999999", 86400.0),
        ("١٢", None),
    ],
)
def test_S01_retry_after_is_seconds_or_a_date_or_junk(header: str | None, wait: float | None) -> None:
    """Retry-After is read in both forms, bounded to a day, and junk counts as absent."""
    assert retry_after_s(header, NOW) == wait


async def test_S01_a_429_without_a_header_waits_half_a_minute() -> None:
    """Slack's 429 always says how long, or 30 s is taken."""
    async with FakeSlack() as slack:
        channel = SlackChannel({"desk": slack.url("desk")}, lambda: NOW)
        message = channel.render(delivery(SAMPLES["alert"], "slack:desk"))
        for headers, wait in (({"Retry-After": "12"}, 12.0), (None, 30.0)):
            slack.fail(429, "rate_limited", headers=headers)
            with pytest.raises(DeliveryError) as caught:
                await channel.send(message)
            assert (caught.value.problem, caught.value.retry_after_s) == (P.RATE_LIMITED, wait)
        await channel.close()


async def test_several_hooks_get_their_own() -> None:
    """Each named hook receives only what is addressed to it."""
    async with FakeSlack() as slack:
        channel = SlackChannel({name: slack.url(name) for name in ("desk", "night")}, lambda: NOW)
        await channel.send(channel.render(delivery(SAMPLES["alert"], "slack:night")))
        assert [posted.hook for posted in slack.messages] == ["night"]
        await channel.close()


WEBHOOK_CASES = [
    (200, None),
    (202, None),
    (204, None),
    (302, P.REJECTED),
    (400, P.REJECTED),
    (401, P.SERVER),
    (404, P.SERVER),
    (410, P.RECIPIENT),
    (422, P.REJECTED),
    (429, P.RATE_LIMITED),
    (500, P.SERVER),
]


@pytest.mark.parametrize(("status", "problem"), WEBHOOK_CASES)
async def test_webhook_statuses(status: int, problem: DeliveryProblem | None) -> None:
    """Any 2xx is a receipt; 410 ends the subscription; what may heal is retried."""
    async with FakeWebhook(b"key") as hook:
        hook.fail(status)
        channel = WebhookChannel({"desk": Hook(hook.url, hook.secret)}, lambda: NOW)
        message = channel.render(delivery(SAMPLES["alert"], "webhook:desk"))
        if problem is None:
            await channel.send(message)
        else:
            with pytest.raises(DeliveryError) as caught:
                await channel.send(message)
            assert caught.value.problem is problem
        await channel.close()


async def test_webhooks_are_signed_over_id_time_and_body() -> None:
    """The receiver verifies the signature; the id is the delivery's and the same at every retry."""
    async with FakeWebhook(b"key") as hook:
        channel = WebhookChannel({"desk": Hook(hook.url, hook.secret)}, lambda: NOW)
        message = channel.render(delivery(SAMPLES["update"], "webhook:desk"))
        await channel.send(message)
        await channel.send(message)
        assert hook.forged == 0
        assert {(got.id, got.timestamp) for got in hook.messages} == {("d-7f3a", int(NOW.timestamp()))}
        assert len(hook.messages) == 2
        await channel.close()


async def test_a_wrong_secret_is_noticed() -> None:
    """The fake refuses a signature made with another key, so the test above can fail."""
    async with FakeWebhook(b"key") as hook:
        channel = WebhookChannel({"desk": Hook(hook.url, "other")}, lambda: NOW)
        with pytest.raises(DeliveryError):
            await channel.send(channel.render(delivery(SAMPLES["update"], "webhook:desk")))
        assert hook.forged == 1
        await channel.close()


def test_secrets_are_base64_or_plain_and_never_shown() -> None:
    """``whsec_`` marks base64; a broken or empty secret is one clear line without the secret."""
    assert secret_key("whsec_a2V5") == b"key"
    assert secret_key("plain") == b"plain"
    for broken in ("", "whsec_§§"):
        with pytest.raises(UsageError) as caught:
            secret_key(broken)
        assert "§" not in str(caught.value)
    assert "s3cret" not in repr(Hook("https://x.example/s3cret", "s3cret"))


def test_X18_no_mention_goes_to_apprise() -> None:
    """Neither Slack's ``<!channel>`` nor a bare ``@everyone`` survives in what other services get."""
    channel = AppriseChannel({"room": "json://chat.example/k3y-k3y"}, lambda: NOW)
    message = channel.render(delivery(alert(title="<!channel> <@U1> @everyone <#C1>"), "apprise:room"))
    said = f"{message.payload['title']} {message.payload['body']}"
    assert not any(mark in said for mark in ("<!", "<@", "<#", "@everyone"))


def test_an_apprise_address_s_parts_are_secrets_too() -> None:
    """Services print the parts of their address one by one: each long enough to be a key is known for a secret."""
    parts = secret_parts("slack://T1234567/B1234567/abcdefgh/#desk?format=text")
    assert {"T1234567", "B1234567", "abcdefgh"} <= set(parts)


async def test_apprise_itself_where_it_is_installed() -> None:
    """The real library delivers over loopback, refuses nonsense, and a refusal is retryable."""
    pytest.importorskip("apprise")
    async with FakeWebhook(b"key") as hook:
        address = hook.url.replace("http://", "json://")
        channel = AppriseChannel({"room": address, "odd": "nonsense:://"}, lambda: NOW)
        with pytest.raises(DeliveryError) as caught:  # the fake wants a signature, which Apprise does not make
            await channel.send(channel.render(delivery(SAMPLES["alert"], "apprise:room")))
        assert (caught.value.problem, caught.value.retryable) == (P.SERVER, True)
        with pytest.raises(DeliveryError) as caught:
            await channel.send(channel.render(delivery(SAMPLES["alert"], "apprise:odd")))
        assert caught.value.problem is P.RECIPIENT
        await channel.close()
