"""The demo's story through the real daemon into both chats: each alert exactly once, with link and source."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.demo import Watcher, play, read_script
from bot.model import Alert, Delivery, Digest
from config.loader import load_settings
from tests.end_to_end.world import ADMIN, world

pytestmark = pytest.mark.timeout(110)


async def test_every_alert_of_the_demo_arrives_once_in_both_chats(tmp_path: Path) -> None:
    """What is delivered is what the chats hold: no alert twice, each with its link and its source."""
    async with world(tmp_path, feeds=1) as here:
        path = here.write_settings()
        path.write_text(path.read_text().split("[[rules]]")[0])
        settings = load_settings(path, {}).settings
        delivered: list[Delivery] = []
        await play(settings, None, Watcher(on_delivery=delivered.append), step_s=0.0)
        told = [d for d in delivered if isinstance(d.content, (Alert, Digest)) and d.target == "slack:desk"]
        assert len(told) >= 6
        assert len({d.id for d in delivered}) == len(delivered)
        assert len(here.slack.messages) == len(told)
        for delivery, posted in zip(told, here.slack.messages, strict=True):
            content = delivery.content
            assert isinstance(content, (Alert, Digest))
            for alert in (content,) if isinstance(content, Alert) else content.alerts:
                assert alert.link in posted.words
                assert alert.outlet in posted.words or isinstance(content, Digest)
        links = re.findall(r"https://[\w.-]+\.example/\w+", " ".join(sent.html for sent in here.telegram.to(ADMIN)))
        assert {re.sub(r".*/", "", link) for link in links} <= {item.slug for item in read_script().items}
        assert not here.slack.refused


def test_the_story_holds_what_it_should() -> None:
    """The written story spans days and has history, lures, an offer, a rejection, an agreement, a breach and a denial."""
    script = read_script()
    text = " ".join(item.title.lower() for item in script.items)
    for word in (
        "offers ceasefire",
        "rejects",
        "agree to a ceasefire",
        "violating",
        "denies",
        "correction",
        "price war",
    ):
        assert word in text
    assert (script.items[-1].at - script.start).days >= 5
    assert {feed.format for feed in script.feeds} == {"rss", "atom", "json"}
    assert any(item.at < script.watching_from for item in script.items)
