"""What every channel must do, whichever it is. A new channel adds a rig and nothing here."""

from __future__ import annotations

import json
import logging
import time
import traceback
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.errors import DeliveryError, DeliveryProblem
from bot.model import Message, Receipt
from tests.channels.rigs import CHANNELS, HTTP_CHANNELS, Rig, make_rig
from tests.channels.samples import HOSTILE, SAMPLES, alert, delivery
from tests.fakes.server import Fault

STATUSES = (
    *(200, 201, 202, 204, 226, 299, 300, 301, 302, 303, 304, 307, 308, 399),
    *range(400, 419), 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 499,
    *(500, 501, 502, 503, 504, 507, 520, 522, 524, 529, 599),
)  # fmt: skip
GARBAGE = (
    "",
    "ok\n",
    "<html>gateway</html>",
    "{",
    "[]",
    "null",
    '{"ok":true}',
    '{"ok":false}',
    '{"ok":1,"result":',
    "\x00\xff",
)


@pytest.fixture(params=CHANNELS)
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    async with make_rig(request.param) as made:
        yield made


@pytest.fixture(params=HTTP_CHANNELS)
async def http_rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    async with make_rig(request.param) as made:
        yield made


def rendered(rig: Rig, content: object = None, **changes: object) -> Message:
    return rig.channel.render(delivery(content or alert(), rig.target, **changes))  # type: ignore[arg-type]


async def attempt(rig: Rig, message: Message) -> Receipt | DeliveryError:
    try:
        return await rig.channel.send(message)
    except DeliveryError as error:
        return error


@pytest.mark.parametrize("name", SAMPLES)
async def test_every_kind_of_message_arrives_once_with_its_facts(rig: Rig, name: str) -> None:
    """Each kind of content is delivered once, and its plain words hold what was said."""
    receipt = await rig.channel.send(rendered(rig, SAMPLES[name]))
    assert receipt.at.tzinfo is not None
    assert len(rig.received()) == 1


async def test_an_alert_says_where_how_bad_how_many_and_from_whom(rig: Rig) -> None:
    """Severity, place, number, title and outlet are in the message of every channel."""
    await rig.channel.send(rendered(rig))
    said = rig.received()[0]
    for fact in ("EXTREME", "Karvin", "41 killed", "Shelling of the river port", "morning.example"):
        assert fact in said


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_accepted_and_harmless(rig: Rig, text: str) -> None:
    """Whatever a feed writes, the other side takes the message and no invisible or foreign control survives."""
    content = alert(title=text, summary=text, outlet=text, link=text, rule=text, claims=(text,))
    assert isinstance(await attempt(rig, rendered(rig, content)), Receipt)
    assert not any(char in rig.received()[0] for char in "\x00\x1b\x07\u202e\u2066\u200b\ufeff")


async def test_rendering_is_pure_and_serialisable(rig: Rig) -> None:
    """The same delivery renders to the same payload, and that payload is JSON."""
    first, second = rendered(rig), rendered(rig)
    assert first == second
    json.dumps(first.payload)


async def test_failure_is_a_delivery_error_without_secrets(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """A broken other side gives a retryable DeliveryError; neither error nor log holds a secret."""
    caplog.set_level(logging.DEBUG)
    rig.break_down()
    with pytest.raises(DeliveryError) as caught:
        await rig.channel.send(rendered(rig))
    assert caught.value.retryable
    said = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert not [secret for secret in rig.secrets if secret in said]


async def test_a_stalled_other_side_costs_no_more_than_the_deadline(rig: Rig) -> None:
    """Where no answer comes the attempt ends at its deadline, as perhaps delivered."""
    rig.stall()
    begun = time.monotonic()
    with pytest.raises(DeliveryError) as caught:
        await rig.channel.send(rendered(rig))
    assert time.monotonic() - begun < 3
    assert caught.value.problem is DeliveryProblem.AMBIGUOUS
    assert caught.value.retryable


async def test_an_address_that_the_settings_lack_is_a_dead_recipient(rig: Rig) -> None:
    """A hook that was taken out of the settings suspends its subscription instead of retrying for ever."""
    if rig.target in ("console", "telegram:11"):
        pytest.skip("addresses there are not named by the settings")
    message = replace(rendered(rig), target=f"{rig.channel.name}:nobody")
    error = await attempt(rig, message)
    assert isinstance(error, DeliveryError)
    assert error.problem is DeliveryProblem.RECIPIENT
    assert not error.retryable


async def test_closing_twice_is_harmless(rig: Rig) -> None:
    """A channel may be closed twice, sent through or not."""
    await rig.channel.close()
    await rig.channel.close()


async def test_every_status_is_a_receipt_or_a_delivery_error(http_rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """For every HTTP status the attempt ends in a Receipt or a DeliveryError that names no secret; nor does the log."""
    caplog.set_level(logging.DEBUG)
    assert http_rig.faults is not None
    message = rendered(http_rig)
    said = []
    for status in STATUSES:
        http_rig.faults.add(Fault("answer", status, "who knows", {"Location": "/elsewhere"}))
        outcome = await attempt(http_rig, message)
        said.append(str(outcome))
        if status >= 500 or status == 429:
            assert isinstance(outcome, DeliveryError), status
            assert outcome.retryable, status
    text = "\n".join(said) + caplog.text
    assert not [secret for secret in http_rig.secrets if secret in text]


@pytest.mark.parametrize("status", [200, 400, 403, 404, 500])
async def test_garbage_bodies_condemn_nobody(http_rig: Rig, status: int) -> None:
    """A body that the service did not write (a proxy's page, half an answer) never suspends a recipient."""
    assert http_rig.faults is not None
    for body in GARBAGE:
        http_rig.faults.add(Fault("answer", status, body))
        outcome = await attempt(http_rig, rendered(http_rig))
        assert not (isinstance(outcome, DeliveryError) and outcome.problem is DeliveryProblem.RECIPIENT), (status, body)


async def test_a_reset_connection_may_have_delivered(http_rig: Rig) -> None:
    """An answer lost after the request went out is AMBIGUOUS: the message may be there already."""
    assert http_rig.faults is not None
    http_rig.faults.add(Fault("reset", accept=True))
    error = await attempt(http_rig, rendered(http_rig))
    assert isinstance(error, DeliveryError)
    assert error.problem is DeliveryProblem.AMBIGUOUS
    assert len(http_rig.received()) == 1


async def test_an_endless_answer_is_cut(http_rig: Rig) -> None:
    """An answer of megabytes is not read to its end."""
    assert http_rig.faults is not None
    http_rig.faults.add(Fault("answer", 200, "x" * (20 * 1024 * 1024)))
    error = await attempt(http_rig, rendered(http_rig))
    assert isinstance(error, DeliveryError)
    assert error.retryable
