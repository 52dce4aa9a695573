"""Golden files: how each kind of message looks in each channel. ``TOCSIN_GOLDEN=write`` writes them anew."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

from bot.channels.apprise import AppriseChannel
from bot.channels.console import ConsoleChannel
from bot.channels.slack import SlackChannel
from bot.channels.telegram import TelegramChannel
from bot.channels.webhook import Hook, WebhookChannel
from bot.channels.words import LANGUAGES
from bot.ports import Channel
from tests.channels.samples import NOW, SAMPLES, delivery

GOLDEN = Path(__file__).parent.parent / "data" / "messages"
CHANNELS: dict[str, Channel] = {
    "console": ConsoleChannel(io.StringIO(), lambda: NOW),
    "telegram": TelegramChannel("1:golden", lambda: NOW),
    "slack": SlackChannel({"desk": "https://hooks.example/golden"}, lambda: NOW),
    "webhook": WebhookChannel({"desk": Hook("https://hooks.example/golden", "golden")}, lambda: NOW),
    "apprise": AppriseChannel({"desk": "json://golden.example"}, lambda: NOW),
}
TARGETS = {"console": "console", "telegram": "telegram:-1001/77"}


def shown(channel: str, sample: str, language: str) -> str:
    message = CHANNELS[channel].render(
        delivery(SAMPLES[sample], TARGETS.get(channel, f"{channel}:desk"), language=language)
    )
    if channel == "console":
        return f"{message.text}\n"
    payload = dict(message.payload)
    if channel == "telegram":
        html = str(payload.pop("text"))
        return f"{html}\n---\n{json.dumps(payload, ensure_ascii=False, indent=1)}\n"
    return f"{json.dumps(payload, ensure_ascii=False, indent=1)}\n"


def compare(path: Path, now: str) -> None:
    if os.environ.get("TOCSIN_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(now, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == now


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("channel", CHANNELS)
def test_messages_look_as_they_did(channel: str, sample: str) -> None:
    """Each kind of message is rendered byte for byte as its golden file shows."""
    compare(GOLDEN / channel / f"{sample}.txt", shown(channel, sample, "en"))


@pytest.mark.parametrize("sample", ["update", "ceasefire", "digest"])
@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_messages_look_so_in_every_language(language: str, sample: str) -> None:
    """Updates, ceasefires and digests are worded in each language as the golden file shows."""
    text = CHANNELS["console"].render(delivery(SAMPLES[sample], "console", language=language)).text
    compare(GOLDEN / "console" / f"{sample}.{language}.txt", f"{text}\n")
