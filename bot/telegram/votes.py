"""How votes are kept: one object a story, under a pseudo-address, with the last vote of each reader.

A reader is a number that names nobody: a hash of chat, person and story. The object holds ``votes`` (word by reader)
and ``times`` (of each reader's last vote); ``at`` is the time of the newest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from bot.alerts.feedback import Vote, Voted, asking_rules
from bot.ports import Store

VOTES_KEY = "feedback/"
"""Votes on a story are kept as the data of this pseudo-address and the story's id; see docs/TELEGRAM.md."""
MOST_VOTES = 5000
_ALL = 2**31 - 1
_NEVER = datetime.min.replace(tzinfo=UTC)
_CLOCKS_DIFFER = timedelta(days=1)
"""A story may be dated later than it was judged: outlets' clocks run ahead."""


def with_vote(kept: Mapping[str, object], story: str, voter: str, word: str, now: datetime) -> Mapping[str, object]:
    """What is kept of a story once a reader has voted; unchanged where it is full."""
    votes = {**_strings(kept.get("votes")), voter: word}
    times = {**_strings(kept.get("times")), voter: now.isoformat()}
    return kept if len(votes) > MOST_VOTES else {"story": story, "votes": votes, "times": times, "at": now.isoformat()}


def votes_in(kept: Mapping[str, object]) -> tuple[Vote, ...]:
    """The votes in what is kept; one without a time of its own has the newest's."""
    times, newest = _strings(kept.get("times")), str(kept.get("at"))
    return tuple(
        Vote(word, at)
        for voter, word in _strings(kept.get("votes")).items()
        if (at := _time(times.get(voter, newest))) is not None
    )


async def voted(store: Store, since: datetime = _NEVER, until: datetime | None = None) -> tuple[Sequence[Voted], int]:
    """(stories with votes of a stretch of time, oldest first; how many more stories were voted on that are gone)."""
    end = until or datetime.max.replace(tzinfo=UTC)
    found: list[Voted] = []
    gone = 0
    for address, kept in (await store.chats_under(VOTES_KEY)).items():
        votes = tuple(vote for vote in votes_in(kept) if since < vote.at <= end)
        if votes:
            story = await store.story(address.removeprefix(VOTES_KEY))
            gone += story is None
            found += [Voted(story, votes)] if story is not None else []
    first = min((one.story.opened_at for one in found), default=None)
    rules = asking_rules(await store.verdicts(first - _CLOCKS_DIFFER, _ALL, spoken=True)) if first else {}
    found.sort(key=lambda one: (one.story.opened_at, one.story.id))
    return [Voted(one.story, one.votes, rules.get(one.story.id, ())) for one in found], gone


def _strings(value: object) -> dict[str, str]:
    return {str(key): str(entry) for key, entry in value.items()} if isinstance(value, Mapping) else {}


def _time(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None
