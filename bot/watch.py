"""Seeing trouble: what operators are told of the daemon itself. Pure; :mod:`bot.jobs` acts on it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.model import Delivery, Lane, Notice

KEEP = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Sight:
    """What is known of the daemon's eyes at one moment."""

    now: datetime
    started: datetime
    last_answer: datetime | None
    feeds: int
    stopped: tuple[tuple[str, str], ...] = ()
    """Channels whose credentials are dead, with the reason."""
    gone: tuple[tuple[str, str], ...] = ()
    """Addresses of the settings that are dead (a deleted hook, a chat that blocked the bot), with the reason."""
    classifier: str = ""
    """What is wrong with the classifier's model, or ""."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One trouble as operators have been told of it; ``key`` is stable while it lasts."""

    key: str
    text: str
    avoid: str = ""
    """The channel or address that is itself in trouble: the word must go through another."""


def troubles(sight: Sight, blind_after: timedelta) -> tuple[Trouble, ...]:
    """What operators should know now. ``blind_after`` of zero switches the watch over feeds off."""
    found = [
        Trouble(f"channel:{name}", f"{name} is silent: {why}. Its messages wait.", avoid=name)
        for name, why in sight.stopped
    ]
    found += [
        Trouble(f"gone:{target}", f"{target} gets nothing more: {why}. Mend it, then reload or restart.", avoid=target)
        for target, why in sight.gone
    ]
    if sight.classifier:
        found.append(Trouble("classifier", f"Texts are read by hand-written phrases alone: {sight.classifier}."))
    since = sight.last_answer or sight.started
    if blind_after and sight.feeds and sight.now - since >= blind_after:
        minutes = int((sight.now - since).total_seconds() // 60)
        found.append(Trouble("blind", f"I am blind: none of {sight.feeds} feeds has answered for {minutes} minutes."))
    return tuple(found)


def told(before: Iterable[str], now: Sequence[Trouble]) -> tuple[tuple[Trouble, ...], tuple[str, ...]]:
    """(troubles that are new, keys of those that are over)."""
    known = set(before)
    current = {trouble.key for trouble in now}
    return tuple(t for t in now if t.key not in known), tuple(sorted(known - current))


def over(key: str) -> str:
    """The words for the end of a trouble."""
    if key == "blind":
        return "Feeds answer again."
    return f"{key.partition(':')[2] or f'The {key}'} works again."


def notices(text: str, targets: Iterable[str], now: datetime, *, avoid: str = "") -> tuple[Delivery, ...]:
    """One notice to each operator's address, except through the channel or to the address in trouble."""
    return tuple(
        Delivery(
            id=_id(text, target, now),
            target=target,
            content=Notice(text, now, topic="operator"),
            lane=Lane.URGENT,
            created_at=now,
            not_before=now,
            expires_at=now + KEEP,
        )
        for target in targets
        if avoid not in (target, target.partition(":")[0])
    )


def _id(text: str, target: str, now: datetime) -> str:
    digest = hashlib.blake2b(f"{text}\0{target}\0{now.isoformat()}".encode(), digest_size=12)
    return f"notice:{digest.hexdigest()}"
