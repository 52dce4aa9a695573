"""How readers judge what they were told: votes added up by rule and signal, the weekly note, and lines to learn from.

A vote judges a story. It counts for every rule of the settings that asked for the story and for every signal that was
read in it, so that the shares say: of the votes on what this rule brought, so many were good. Rules that chats made
for themselves are counted together and never named. Pure: times are given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.model import Item, Story, Tally, Verdict
from bot.stories.standing import severity_of
from classifiers.assessment import Assessment, Toll

from .hours import last_weekly

GOOD, BAD, WRONG = "good", "bad", "wrong "
"""Words of votes: 👍, 👎, and 👎 with what was wrong ("wrong number")."""
OF_CHATS = "(chats' own rules)"
MONDAY, NOTE_AT = 0, time(8)
_WEEK = timedelta(days=7)
_MOST_RULES, _MOST_SIGNALS, _TITLE = 5, 5, 100


@dataclass(frozen=True, slots=True)
class Vote:
    """The last word of one reader on one story."""

    word: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Voted:
    """A story with its votes; ``rules`` asked for it when it was told."""

    story: Story
    votes: tuple[Vote, ...]
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """Votes for one name. Readers who said what was wrong are among the ``bad``."""

    name: str
    good: int = 0
    bad: int = 0

    @property
    def votes(self) -> int:
        """All of them."""
        return self.good + self.bad

    @property
    def share(self) -> float:
        """The good among all, 0.0 … 1.0; 0.0 where nobody voted."""
        return self.good / self.votes if self.votes else 0.0

    def __str__(self) -> str:
        return f"{self.name} {self.good} of {self.votes} ({self.share:.0%})"


@dataclass(frozen=True, slots=True)
class Feedback:
    """The votes of a stretch of time, added up; most votes first."""

    total: Score
    stories: int
    rules: tuple[Score, ...]
    signals: tuple[Score, ...]
    wrong: Mapping[str, int]
    """What was said to be wrong (number, place, signal, noise), and by how many."""
    worst: Voted | None
    """The story with most bad votes, where any is bad."""

    def __str__(self) -> str:
        on = f"{self.stories} stor{'y' if self.stories == 1 else 'ies'}"
        return f"{self.total.good} of {self.total.votes} votes good ({self.total.share:.0%}), on {on}"


def feedback_of(voted: Sequence[Voted], known: Container[str]) -> Feedback:
    """Add votes up. ``known`` are the rules of the settings, which are named."""
    rules: dict[str, list[Vote]] = {}
    signals: dict[str, list[Vote]] = {}
    for one in voted:
        for name in {rule if rule in known else OF_CHATS for rule in one.rules}:
            rules.setdefault(name, []).extend(one.votes)
        for name in one.story.signals:
            signals.setdefault(name, []).extend(one.votes)
    every = [vote for one in voted for vote in one.votes]
    wrong = Counter(vote.word.removeprefix(WRONG) for vote in every if vote.word.startswith(WRONG))
    worst = min(voted, key=lambda one: (-_score("", one.votes).bad, one.story.id), default=None)
    return Feedback(
        total=_score("all", every),
        stories=len(voted),
        rules=_ranked(rules),
        signals=_ranked(signals),
        wrong=dict(sorted(wrong.items(), key=lambda pair: (-pair[1], pair[0]))),
        worst=worst if worst and _score("", worst.votes).bad else None,
    )


def asking_rules(verdicts: Iterable[Verdict]) -> dict[str, tuple[str, ...]]:
    """The rules that asked for each story whenever a verdict spoke, by story id."""
    asked: dict[str, set[str]] = {}
    for verdict in verdicts:
        asked.setdefault(verdict.update.story.id, set()).update(verdict.rules)
    return {story_id: tuple(sorted(names)) for story_id, names in asked.items()}


def _score(name: str, votes: Iterable[Vote]) -> Score:
    counts = Counter(vote.word == GOOD for vote in votes)
    return Score(name, counts[True], counts[False])


def _ranked(votes: Mapping[str, Sequence[Vote]]) -> tuple[Score, ...]:
    scores = [_score(name, found) for name, found in votes.items()]
    return tuple(sorted(scores, key=lambda score: (-score.votes, score.name)))


# --- the weekly note --------------------------------------------------------------------------------------------


def weekly_span(now: datetime, zone: str, told: datetime | None) -> tuple[datetime, datetime] | None:
    """(since, until) of the weekly note that is owed, or None.

    A note covers what came up to the last Monday, eight o'clock in ``zone``, from where the last note ended (``told``):
    a restart neither repeats it nor skips it. The first one covers a week.
    """
    until = last_weekly(MONDAY, NOTE_AT, now, zone)
    if told is not None and told >= until:
        return None
    return (told or until - _WEEK), until


def weekly_note(feedback: Feedback, since: datetime, zone: str) -> str | None:
    """What operators are told of a week's votes, in six lines at most; None where nobody voted."""
    if not feedback.total.votes:
        return None
    lines = [f"How readers judge alerts, since {since.astimezone(ZoneInfo(zone)):%a %d %b}: {feedback}."]
    if feedback.rules:
        lines.append("By rule: " + _shown(feedback.rules, _MOST_RULES))
    if feedback.signals:
        lines.append("By signal: " + _shown(feedback.signals, _MOST_SIGNALS))
    if feedback.wrong:
        lines.append("Said to be wrong: " + ", ".join(f"{what} {count}" for what, count in feedback.wrong.items()))
    if feedback.worst is not None:
        title = " ".join(feedback.worst.story.title.split())[:_TITLE]
        lines.append(f"Liked least: {_score(f'“{title}”', feedback.worst.votes)}")
    return "\n".join([*lines, "All of it: tocsin feedback report. To learn from it: tocsin feedback export."])


def _shown(scores: Sequence[Score], most: int) -> str:
    more = f", and {len(scores) - most} more" if len(scores) > most else ""
    return ", ".join(map(str, scores[:most])) + more


# --- lines to learn from ----------------------------------------------------------------------------------------


def training_line(one: Voted, item: Item | None, read: Assessment | None) -> dict[str, object]:
    """One line as in ``seeds/training``, as the classifier read it, with the votes for whoever corrects it.

    ``item`` and ``read`` are the report that gave the story its headline, where the store still has it: its text and
    what was read in it belong together. Else the story stands for it.
    """
    story = one.story
    line: dict[str, object] = {
        "id": f"{story.language}-{story.id}",
        "title": item.title if item else story.title,
        "summary": item.summary if item else story.summary,
        "language": story.language,
        "date": f"{(item.published if item else story.opened_at):%Y-%m-%d}",
        "source": "feedback",
    }
    if read is not None:
        severity, killed, injured = severity_of(read), _toll("killed", read.killed), _toll("injured", read.injured)
        line |= {"signals": list(read.labels), "severity": int(severity or 0), "countries": list(read.countries)}
    else:
        severity, killed, injured = story.severity, _toll("killed", story.killed), _toll("injured", story.injured)
        line |= {"signals": sorted(story.signals), "severity": int(severity or 0), "countries": list(story.countries)}
    return {**line, **killed, **injured, "votes": vote_counts(one.votes)}


def vote_counts(votes: Iterable[Vote]) -> dict[str, int]:
    """Good and bad, and of the bad what was said to be wrong: {"good": 3, "bad": 2, "wrong number": 1}."""
    every = list(votes)
    score = _score("", every)
    wrong = Counter(vote.word for vote in every if vote.word.startswith(WRONG))
    return {GOOD: score.good, BAD: score.bad, **dict(sorted(wrong.items()))}


def _toll(kind: str, toll: Toll | Tally | None) -> dict[str, object]:
    if toll is None:
        return {}
    found: dict[str, object] = {kind: toll.best, f"{kind}_total": toll.total}
    if toll.low is not None and toll.high is not None and toll.low != toll.high:
        found |= {f"{kind}_low": toll.low, f"{kind}_high": toll.high}
    if isinstance(toll, Toll) and toll.best is None:
        found[f"{kind}_words"] = toll.words
    return {name: value for name, value in found.items() if value is not None}
