"""Short ways to write down what is kept of chats."""

from __future__ import annotations

from datetime import time

from bot.model import Circle, DigestMode, Filter, QuietHours, Rule, Severity, Subscription
from bot.ports import ChatCommand
from tests.store.builders import CHAT, NOON, at


def subscription(name: str = "sub1", target: str = CHAT) -> Subscription:
    """A subscription with something in every field."""
    asked = Filter(
        signals=("ceasefire_*",),
        min_severity=Severity.MODERATE,
        countries=("AM", "AZ"),
        places=(Circle("Shusha", 39.76, 46.75, 50.0),),
        words=("corridor",),
        exclude_outlets=("gossip.example",),
    )
    return Subscription(
        id=name,
        target=target,
        rule=Rule("caucasus", asked),
        quiet=QuietHours(time(22, 30), time(6, 15), "Asia/Baku"),
        digest=DigestMode.DAILY,
        digest_at=time(7, 5),
        zone="Asia/Baku",
        language="ru",
        paused_until=at(60),
        muted=frozenset({"s1", "s2"}),
        created_at=NOON,
        owner="111",
    )


def command(update_id: int, minutes: float = 0, text: str = "/start") -> ChatCommand:
    """An update as it was received."""
    return ChatCommand(update_id, at(minutes), {"message": {"text": text, "chat": {"id": -1007}}})
