"""The buttons under an alert that speak back: mute, seen, thumbs, and what was wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.telegram.acts import Act, Button, Say, Toast, esc, in_rows
from bot.telegram.visit import Visit
from bot.telegram.votes import VOTES_KEY, with_vote

FAULTS = ("number", "place", "signal", "noise")
SEEN_KEY = "seen/"


async def mute(visit: Visit) -> Sequence[Act]:
    """Nothing more of this story in this chat."""
    story = _story(visit)
    mine = await visit.subscriptions()
    if not mine:
        return [Toast(visit.words.say("desk.not_yours"), loud=True)]
    await visit.keep([replace(one, muted=one.muted | {story}) for one in mine])
    undo = [[Button(f"🔔 {visit.words.say('desk.unmute')}", f"um:{story}")]]
    return [Say(esc(visit.words.say("desk.muted")), undo), Toast(visit.words.say("desk.muted"))]


async def unmute(visit: Visit) -> Sequence[Act]:
    """It may speak again."""
    story = _story(visit)
    await visit.keep([replace(one, muted=one.muted - {story}) for one in await visit.subscriptions()])
    return [Toast(visit.words.say("desk.unmuted"))]


async def seen(visit: Visit) -> Sequence[Act]:
    """Somebody has seen it; in groups everybody learns who has."""
    key = f"{visit.target}/{SEEN_KEY}{_story(visit)}"
    kept = await visit.tools.store.chat_get(key)
    names = {**_names(kept), str(visit.person.id): visit.tools.voice.quote(visit.person.name, 30) or "?"}
    await visit.tools.store.chat_put(key, {"names": names, "at": visit.now.isoformat()})
    shown = ", ".join(list(names.values())[:10])
    return [Toast(visit.words.count("desk.seen_by", len(names), names=shown)[:190])]


def _names(kept: Mapping[str, object]) -> dict[str, str]:
    names = kept.get("names")
    return {str(who): str(name) for who, name in names.items()} if isinstance(names, Mapping) else {}


async def good(visit: Visit) -> Sequence[Act]:
    """👍."""
    await _vote(visit, "good")
    return [Toast(visit.words.say("desk.thanks"))]


async def bad(visit: Visit) -> Sequence[Act]:
    """👎: noted, and asked what was wrong."""
    await _vote(visit, "bad")
    story = _story(visit)
    buttons = [Button(visit.words.say(f"fault.{fault}"), f"fb:{story}:{fault}") for fault in FAULTS]
    return [Say(esc(visit.words.say("desk.what_wrong")), in_rows(buttons, 2)), Toast(visit.words.say("desk.thanks"))]


async def fault(visit: Visit) -> Sequence[Act]:
    """What was wrong."""
    kind = (*visit.parts, "", "")[1]
    if kind in FAULTS:
        await _vote(visit, f"wrong {kind}")
    return [Toast(visit.words.say("desk.thanks"))]


async def _vote(visit: Visit, vote: str) -> None:
    """Keep the last vote of each reader, under a number that names nobody, with what is needed to learn from it."""
    key = f"{VOTES_KEY}{_story(visit)}"
    kept = await visit.tools.store.chat_get(key)
    voter = hashlib.blake2b(f"{visit.target}|{visit.person.id}|{_story(visit)}".encode(), digest_size=8).hexdigest()
    await visit.tools.store.chat_put(key, with_vote(kept, _story(visit), voter, vote, visit.now))


def _story(visit: Visit) -> str:
    return (*visit.parts, "")[0][:60]
