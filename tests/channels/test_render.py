"""Wording and limits, tried on anything that a feed could say."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from slack_sdk.models.blocks import Block

from bot.channels.apprise import AppriseChannel
from bot.channels.render import local_time, plain, sheet
from bot.channels.slack import SlackChannel
from bot.channels.spans import Span, as_html, as_text, fit
from bot.channels.telegram import TelegramChannel, callback, split_address
from bot.channels.webhook import Hook, WebhookChannel
from bot.channels.words import phrasebook
from bot.model import Certainty, Delivery, Digest, Mode, Phase, Reason, Severity, Tally, VerdictKind
from tests.channels.samples import (
    CEASEFIRE,
    CORRECTION,
    DIGEST,
    EXERCISE,
    NOW,
    UPDATE,
    alert,
    deliveries,
    delivery,
    source,
)
from tests.channels.schema import problems
from tests.fakes.slack import check_payload, mentions
from tests.fakes.telegram_html import parse_html, units

EN = phrasebook("en")
TELEGRAM = TelegramChannel("1:t", lambda: NOW)
SLACK = SlackChannel({"desk": "https://hooks.example/x"}, lambda: NOW)
WEBHOOK = WebhookChannel({"desk": Hook("https://hooks.example/x", "s")}, lambda: NOW)
APPRISE = AppriseChannel({"desk": "json://x.example"}, lambda: NOW)
MENTION = re.compile(r"@\w")
INVISIBLE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
anything = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@anything
@given(deliveries)
def test_telegram_text_is_valid_and_within_limits(made: Delivery) -> None:
    """Any content gives Telegram text of 1–4096 units after parsing, at most 100 entities, only http links, no mention."""
    payload = TELEGRAM.render(made).payload
    text, entities = parse_html(str(payload["text"])) if "parse_mode" in payload else (str(payload["text"]), [])
    assert 1 <= units(text.strip()) <= 4096
    assert len(entities) <= 100
    assert {entity.kind for entity in entities} <= {"a", "b", "i"}
    assert all(re.match(r"https?://[!-~]+$", entity.url) for entity in entities if entity.kind == "a")
    assert not MENTION.search(text)
    assert not INVISIBLE.search(text)


@anything
@given(deliveries)
def test_telegram_buttons_fit_or_are_left_out(made: Delivery) -> None:
    """Callback data is 1–64 bytes on every button."""
    markup = TELEGRAM.render(made).payload.get("reply_markup")
    if isinstance(markup, dict):
        rows = [button for row in markup["inline_keyboard"] for button in row]
        assert all(1 <= len(button["callback_data"].encode()) <= 64 for button in rows)


@anything
@given(deliveries)
def test_slack_payload_is_valid_and_rings_nobody(made: Delivery) -> None:
    """Any content gives blocks that slack_sdk accepts, within Slack's limits, with no mention restored."""
    payload = json.loads(json.dumps(SLACK.render(made).payload).encode("utf-8", "replace"))
    assert check_payload(payload) == ""
    assert mentions(payload) == []
    for block in payload.get("blocks", []):
        parsed = Block.parse(block)
        assert parsed is not None
        parsed.validate_json()


@anything
@given(deliveries)
def test_webhook_body_follows_the_published_schema(made: Delivery) -> None:
    """Any content gives JSON that the published schema describes."""
    payload = json.loads(json.dumps(WEBHOOK.render(made).payload))
    assert problems(payload) == []


@anything
@given(deliveries)
def test_plain_text_is_never_empty_and_rings_nobody(made: Delivery) -> None:
    """Any content gives plain words, with no invisible character and no mention."""
    message = APPRISE.render(made)
    assert message.text.strip()
    assert str(message.payload["body"]).strip()
    assert not MENTION.search(f"{message.payload['title']}\n{message.payload['body']}")
    assert not INVISIBLE.search(message.text)


def test_an_alert_begins_with_severity_and_place() -> None:
    """The first line is all that one must read at three in the morning."""
    assert plain(alert(), EN).startswith("🔴 EXTREME · Karvin, Azerbaijan\n")


def test_a_toll_says_what_it_was() -> None:
    """An update's numbers show the cumulative figure, the spread, and what this reader was told last."""
    assert sheet(UPDATE, EN).tolls == "54 killed (158 in all), was 41; 40 (30–45) injured"


@pytest.mark.parametrize(
    ("tally", "said"),
    [
        (Tally(best=12), "12 killed"),
        (Tally(low=40, best=45, high=50), "40–50 killed"),  # the codebook: between 40 and 50 is 45
        (Tally(low=12), "at least 12 killed"),
        (Tally(high=50), "up to 50 killed"),
        (Tally(low=10, best=12, high=20), "12 (10–20) killed"),
        (Tally(low=3, high=3), "3 killed"),
        (Tally(total=158), "158 in all killed"),
        (Tally(), ""),
        (None, ""),
        (Tally(best=0), "0 killed"),
    ],
)
def test_numbers_say_what_is_known(tally: Tally | None, said: str) -> None:
    """Bounds, midpoints and cumulative figures are worded apart, and nothing is said where nothing is known."""
    assert sheet(alert(killed=tally), EN).tolls == said


def test_a_ceasefire_says_where_it_came_from() -> None:
    """The transition is shown, and a breach looks different from an agreement."""
    assert sheet(CEASEFIRE, EN).phase == "🕊 Ceasefire: proposed → agreed"
    broken = alert(phase=Phase.VIOLATED, phase_before=Phase.AGREED)
    assert sheet(broken, EN).phase == "⚠️ Ceasefire: agreed → violated"


def test_updates_and_corrections_say_what_changed() -> None:
    """Every message after the first names the change."""
    assert sheet(UPDATE, EN).kicker == "UPDATE · toll rose, confirmed by another source"
    assert sheet(CORRECTION, EN).kicker == "CORRECTION · corrected"
    rose = alert(kind=VerdictKind.UPDATE, severity_before=Severity.SEVERE, detail="x", changes=())
    assert sheet(rose, EN).kicker.startswith("UPDATE · ")
    assert sheet(alert(), EN).kicker == ""


def test_certainty_counts_independent_sources_only() -> None:
    """Copies of one wire story are one source; official ones are named so."""
    assert sheet(UPDATE, EN).sources == (
        "Observed · 2 independent sources, first morning.example, official, carried by 3 outlets"
    )
    alone = alert(sources=(source("a.example"), source("b.example", independent=False)), certainty=Certainty.POSSIBLE)
    assert sheet(alone, EN).sources == "Possible · one source: a.example, carried by 2 outlets"


def test_an_exercise_says_so_first() -> None:
    """A drill cannot be mistaken, in an alert or in a digest."""
    assert plain(EXERCISE, EN).startswith("[EXERCISE] ")
    assert plain(Digest(Reason.DIGEST_DUE, NOW, (EXERCISE,)), EN).startswith("[EXERCISE] ")


def test_a_digest_puts_the_worst_first() -> None:
    """Within a digest stories are ordered by severity."""
    lines = plain(DIGEST, EN).split("\n")
    assert lines[0] == "🌙 While it was quiet · 3 stories · since 2026-03-03 21:06 UTC"
    heads = [line[0] for line in lines[1:] if line[0] in "🔴🟡"]
    assert heads == ["🔴", "🔴", "🟡"]


@pytest.mark.parametrize("zone", ["Nowhere/At-All", "", "../etc", "\x00"])
def test_an_unknown_zone_reads_as_utc(zone: str) -> None:
    """A zone that does not exist costs nobody an alert."""
    assert local_time(NOW, zone) == "2026-03-04 05:06 UTC"


def test_times_are_the_readers() -> None:
    """Baku reads Baku's time."""
    assert local_time(NOW, "Asia/Baku") == "2026-03-04 09:06 Asia/Baku"


def test_a_reply_answers_the_live_message_and_an_edit_replaces_it() -> None:
    """REPLY names the message to answer and survives its loss; EDIT names the one to change, silently."""
    reply = TELEGRAM.render(delivery(UPDATE, "telegram:-1001/77", mode=Mode.REPLY, thread="9")).payload
    assert reply["method"] == "sendMessage"
    assert reply["message_thread_id"] == 77
    assert reply["reply_parameters"] == {"message_id": 9, "allow_sending_without_reply": True}
    edit = TELEGRAM.render(delivery(UPDATE, "telegram:-1001/77", mode=Mode.EDIT, thread="9"))
    assert (edit.payload["method"], edit.payload["message_id"], edit.silent) == ("editMessageText", 9, True)
    lost = TELEGRAM.render(delivery(UPDATE, mode=Mode.EDIT)).payload
    assert (lost["method"], lost["disable_notification"]) == ("sendMessage", True)


def test_plain_has_no_markup() -> None:
    """After a refused markup the same words go out with neither tags nor buttons."""
    payload = TELEGRAM.render(delivery(UPDATE, plain=True)).payload
    assert "parse_mode" not in payload
    assert "reply_markup" not in payload
    assert "blocks" not in SLACK.render(delivery(UPDATE, plain=True)).payload


@pytest.mark.parametrize(
    ("address", "parts"),
    [("11", (11, None)), ("-1001/77", (-1001, 77)), ("@desk", ("@desk", None)), ("-5/x", (-5, None))],
)
def test_addresses_name_chat_and_topic(address: str, parts: tuple[int | str, int | None]) -> None:
    """A target's address is a chat, a public channel, or a topic of a forum."""
    assert split_address(address) == parts


def test_callback_data_that_does_not_fit_is_refused() -> None:
    """64 bytes is the limit, counted in UTF-8."""
    assert callback("so", "x" * 61) == "so:" + "x" * 61
    assert callback("so", "x" * 62) is None
    assert callback("so", "ж" * 31) is None


def test_cutting_spans_keeps_the_link() -> None:
    """The longest plain text gives way, not the source."""
    spans = fit([Span("head", "b"), Span("x" * 9000), Span("news.example", link="https://news.example/")])
    assert units(as_text(spans)) == 4096
    assert as_html(spans).endswith('<a href="https://news.example/">news.example</a>')
