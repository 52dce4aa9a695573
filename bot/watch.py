"""Seeing trouble: what operators are told of the daemon itself. Pure; :mod:`bot.jobs` acts on it."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.feeds.habits import Habits, Silence
from bot.model import Delivery, Feed, FeedStatus, Lane, Notice

KEEP = timedelta(hours=24)
REGION_FEEDS = 3
"""A region of fewer feeds has no habit of its own."""
REGION_LEAST = timedelta(hours=3)
"""A region's feeds together bring so much that their silence tells sooner than one feed's."""
_FEED, _REGION = "silent:", "silent region:"


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
    name = key.partition(":")[2]
    if key.startswith(_REGION):
        return f"Feeds of {name} bring news again."
    if key.startswith(_FEED):
        return f"{name} is silent no longer."
    return f"{name or f'The {key}'} works again."


# --- silence ------------------------------------------------------------------------------------------------------


def habit_keys(feed: Feed) -> tuple[str, ...]:
    """Whose habits an arrival tells of: the feed's own, and its region's (the first of its tags)."""
    return (f"{feed.id}", *(f"region:{region}" for region in feed.tags[:1]))


def is_silence(key: str) -> bool:
    """True for troubles of feeds that bring nothing new: the daemon itself is well."""
    return key.startswith((_FEED, _REGION))


def silences(
    feeds: Sequence[Feed], habits: Habits, now: datetime, since: datetime, before: Container[str]
) -> tuple[Trouble, ...] | None:
    """Feeds and regions that bring nothing new, far longer than their own habit allows.

    ``since`` is the start of the daemon: of a feed that was not asked since then, what is known ``before`` holds on.
    None where most feeds fail, for then the trouble is ours, and nothing can be said.
    """
    active = [feed for feed in feeds if feed.state.status is FeedStatus.ACTIVE]
    if 2 * sum(feed.state.errors > 0 for feed in active) > len(active):
        return None
    regions = tuple(_silent_regions(active, habits, now, since, before))
    hushed = {trouble.key.removeprefix(_REGION) for trouble in regions}
    single = (_silent_feed(feed, habits, now, since, before) for feed in active if not hushed & {*feed.tags[:1]})
    return (*regions, *(trouble for trouble in single if trouble is not None))


def _silent_regions(
    feeds: Iterable[Feed], habits: Habits, now: datetime, since: datetime, before: Container[str]
) -> Iterator[Trouble]:
    for region, members in _by_region(feeds).items():
        key = f"{_REGION}{region}"
        silence = habits.silence(f"region:{region}", now, least=REGION_LEAST)
        if silence is None or len(members) < REGION_FEEDS:
            continue
        asked = all(_was_asked(feed, since) for feed in members)
        answer = sum(not feed.state.errors for feed in members)
        if key in before if not asked else 2 * answer > len(members):
            said = f"{answer} of {len(members)} feeds answer"
            yield Trouble(key, f"Nothing new from all of {region} {_for(silence, now)}, although {said}.")


def _silent_feed(feed: Feed, habits: Habits, now: datetime, since: datetime, before: Container[str]) -> Trouble | None:
    key, silence = f"{_FEED}{feed.url}", habits.silence(f"{feed.id}", now)
    if silence is None or not (_was_asked(feed, since) or key in before):
        return None
    why = f"it fails: {feed.state.problem}" if feed.state.errors else "it answers"
    name = f"{feed.title} ({feed.url})" if feed.title else feed.url
    return Trouble(key, f"Nothing new from {name} {_for(silence, now)}; {why}.")


def _was_asked(feed: Feed, since: datetime) -> bool:
    return feed.state.last_checked is not None and feed.state.last_checked >= since


def _by_region(feeds: Iterable[Feed]) -> Mapping[str, list[Feed]]:
    regions: dict[str, list[Feed]] = {}
    for feed in feeds:
        for region in feed.tags[:1]:
            regions.setdefault(region, []).append(feed)
    return regions


def _for(silence: Silence, now: datetime) -> str:
    return f"for {_span(now - silence.since)}, usually every {_span(silence.gap)}"


def _span(span: timedelta) -> str:
    minutes = max(1, round(span.total_seconds() / 60))
    if minutes < 120:
        return f"{minutes} minutes" if minutes > 1 else "minute"
    return f"{round(minutes / 60)} hours" if minutes < 72 * 60 else f"{round(minutes / 1440)} days"


# --- telling ------------------------------------------------------------------------------------------------------


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
