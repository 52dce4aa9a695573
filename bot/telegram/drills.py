"""Fire drills: an exercise through every channel, and the list of receipts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.model import (
    Alert,
    Certainty,
    Delivery,
    GivenUp,
    Lane,
    Outcome,
    Reason,
    RetryAt,
    Severity,
    Urgency,
    VerdictKind,
)

KEEP = timedelta(hours=1)
PATIENCE = timedelta(seconds=60)
RULE = "fire drill"


@dataclass(slots=True)
class Drill:
    """One drill under way: who must answer, who has."""

    id: str
    target: str
    """Where the list goes."""
    language: str
    begun: datetime
    waiting: set[str]
    results: dict[str, str] = field(default_factory=dict)

    def over(self, now: datetime) -> bool:
        """Everybody answered, or a minute is over."""
        return not self.waiting or now - self.begun >= PATIENCE


class Drills:
    """The drills under way. The outbox's outcomes are told to :meth:`settled`."""

    def __init__(self) -> None:
        self._running: dict[str, Drill] = {}

    def begin(self, drill_id: str, targets: Iterable[str], teller: str, language: str, now: datetime) -> list[Delivery]:
        """The exercise for every address; its list will go to ``teller``."""
        addresses = sorted(set(targets))
        self._running[drill_id] = Drill(drill_id, teller, language, now, set(addresses))
        return [exercise(drill_id, target, now, language) for target in addresses]

    def settled(self, delivery: Delivery, outcome: Outcome) -> None:
        """One outcome of the outbox; those of drills are noted."""
        drill = self._running.get(delivery.id.partition("@")[0])
        if drill is None:
            return
        if isinstance(outcome, RetryAt):
            drill.results[delivery.target] = f"… {outcome.reason}"
            return
        drill.waiting.discard(delivery.id.partition("@")[2])
        drill.results[delivery.target] = f"✗ {outcome.reason}" if isinstance(outcome, GivenUp) else "✓"

    def finished(self, now: datetime) -> list[Drill]:
        """Drills whose list is due; each is given out once."""
        done = [drill for drill in self._running.values() if drill.over(now)]
        for drill in done:
            del self._running[drill.id]
        return done


def exercise(drill_id: str, target: str, now: datetime, language: str) -> Delivery:
    """One exercise message."""
    alert = Alert(
        story_id="drill",
        kind=VerdictKind.ALERT,
        reason=Reason.NEW_STORY,
        at=now,
        happened_at=now,
        title="This is a drill. Nothing has happened.",
        summary="If you read this, alerts reach you here.",
        link="",
        outlet="tocsin",
        severity=Severity.MINOR,
        certainty=Certainty.OBSERVED,
        urgency=Urgency.PAST,
        score=0.0,
        signals=(),
        rule=RULE,
        exercise=True,
    )
    return Delivery(
        id=f"{drill_id}@{target}",
        target=target,
        content=alert,
        lane=Lane.NORMAL,
        created_at=now,
        not_before=now,
        expires_at=now + KEEP,
        language=language,
    )
