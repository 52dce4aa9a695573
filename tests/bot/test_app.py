"""The composition root: second calls, subscriptions of settings and chats together, what a reload changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.app import App, Parts, open_app
from bot.clock import SteppedClock
from bot.model import Alert, Delivery, Filter, Receipt, Rule, Sent, Severity, Subscription
from bot.oneshot import exercise
from config.model import Settings
from tests.bot.parts import START, ScriptedChannel


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    settings = Settings.model_validate(
        {
            "data_dir": tmp_path,
            "catalogue": "",
            "slack": ({"name": "desk", "webhook_url": "http://127.0.0.1/hook"},),
            "rules": ({"name": "r", "channels": ("console",), "escalate_to": "slack:desk"},),
        }
    )
    channels = {name: ScriptedChannel(name) for name in ("console", "slack")}
    app = await open_app(settings, Parts(clock=SteppedClock(START), channels=channels))
    yield app
    await app.close()


async def delivered(app: App, story: str) -> Delivery:
    """An extreme alert that arrived."""
    settings = app.settings
    made = exercise("console", settings, app.clock.now())
    assert isinstance(made.content, Alert)
    alert = replace(made.content, severity=Severity.EXTREME, story_id=story)
    owed = replace(made, id=f"d{story}", content=alert, story_id=story, subscription_id="rule:r@console")
    await app.store.enqueue([owed])
    now = app.clock.now()
    (claimed,) = await app.store.claim("console", None, now, 1, 60)
    await app.store.attempt(claimed, now)
    await app.store.settle(claimed, Sent(Receipt(now)), now)
    return owed


async def depth(app: App) -> int:
    return (await app.store.outbox_depth()).get("slack", 0)


async def test_an_unseen_extreme_alert_goes_to_the_second_address_once(app: App) -> None:
    """After a quarter of an hour without anybody's Seen the alert goes to the second address, once; with it, never."""
    assert isinstance(app.clock, SteppedClock)
    await delivered(app, "unseen")
    await delivered(app, "seen")
    await app.store.chat_put("console/seen/seen", {"names": {"7": "Ann"}})
    assert not await app.second_calls()
    app.clock.move(START + timedelta(minutes=16))
    assert await app.second_calls()
    assert not await app.second_calls()
    assert await depth(app) == 1


async def test_chats_and_settings_are_heard_together(app: App) -> None:
    """A chat's subscription holds beside the rules of the settings as soon as it is read anew."""
    mine = Subscription("s1", "telegram:7", Rule("mine", Filter()), owner="7", created_at=datetime.now(START.tzinfo))
    await app.store.put_subscription(mine)
    assert [s.id for s in app.subscriptions()] == ["rule:r@console"]
    await app.refresh()
    assert [s.id for s in app.subscriptions()] == ["rule:r@console", "s1"]


async def test_a_reload_takes_rules_and_feeds(app: App) -> None:
    """New settings replace rules and feeds at once; feeds that are no longer named are watched no longer."""
    feeds = ({"url": "https://a.example/feed"}, {"url": "https://b.example/feed"})
    rules = ({"name": "new", "channels": ["console"]},)
    base = {"data_dir": app.settings.data_dir, "catalogue": ""}
    await app.reload(Settings.model_validate({**base, "feeds": feeds, "rules": rules}))
    assert app.watching == 2
    assert [s.rule.name for s in app.subscriptions()] == ["new"]
    await app.reload(Settings.model_validate({**base, "feeds": feeds[:1]}))
    assert app.watching == 1
    assert [s.rule.name for s in app.subscriptions()] == ["default"]
