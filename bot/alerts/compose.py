"""The alert that tells one verdict to one address: a frozen picture, with what that address was told before."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.model import (
    Alert,
    Change,
    Mode,
    Phase,
    Reason,
    Snapshot,
    SourceRef,
    Story,
    StoryUpdate,
    Subscription,
    Told,
    Verdict,
    VerdictKind,
)
from bot.stories.standing import severity_of
from bot.stories.text import lead

from .changes import Thresholds, changed

REASON_OF = {
    Change.NEW: Reason.NEW_STORY,
    Change.SEVERITY_UP: Reason.SEVERITY_UP,
    Change.TOLL_UP: Reason.TOLL_UP,
    Change.PHASE: Reason.PHASE_CHANGED,
    Change.CORRECTION: Reason.CORRECTED,
    Change.CERTAINTY_UP: Reason.CERTAINTY_UP,
    Change.DENIED: Reason.DENIED,
    Change.ALL_CLEAR: Reason.ALL_CLEAR,
}
_CORRECTIVE = frozenset({Change.CORRECTION, Change.DENIED})
_MOST_SOURCES = 50
_MOST_EVIDENCE = 6


@dataclass(frozen=True, slots=True)
class Speech:
    """What is to be said, apart from the facts: the kind, the reason, and how it stands to earlier messages."""

    kind: VerdictKind
    reason: Reason
    changes: tuple[Change, ...] = ()
    detail: str = ""
    mode: Mode = Mode.NEW


def first_speech(update: StoryUpdate) -> Speech:
    """What to say where nothing was said yet."""
    before, phase = _phase_before(update.story), update.story.phase
    life = f"{before.value} → {phase.value}" if before and phase else ""
    return Speech(VerdictKind.ALERT, Reason.NEW_STORY, (Change.NEW,), life)


def next_speech(told: Snapshot, update: StoryUpdate, thresholds: Thresholds) -> Speech | None:
    """What to say to somebody who was told: an update or a correction, or None where nothing material changed."""
    found = changed(told, update, thresholds)
    if not found.changes:
        return None
    kind = VerdictKind.CORRECTION if set(found.changes) <= _CORRECTIVE else VerdictKind.UPDATE
    return Speech(kind, REASON_OF[found.changes[0]], found.changes, found.detail, Mode.REPLY)


def spoken_speech(verdict: Verdict) -> Speech:
    """What a verdict says, to somebody who was told of its story."""
    return Speech(verdict.kind, verdict.reason, verdict.changes, verdict.detail, Mode.REPLY)


def quiet_edit() -> Speech:
    """A change too small to ring: the live message is edited in place."""
    return Speech(VerdictKind.UPDATE, Reason.QUIET_EDIT, mode=Mode.EDIT)


def make_alert(verdict: Verdict, subscription: Subscription, told: Told | None, speech: Speech | None = None) -> Alert:
    """The alert for one verdict and subscription; ``told`` is what its address knows, None where it never heard.

    ``speech`` is worked out from these where it is not given.
    """
    update = verdict.update
    said = speech or _speech(update, told)
    alert = replace(_picture(update.story, said, verdict), rule=subscription.rule.name)
    if said.mode is Mode.EDIT:
        return alert
    before = told.snapshot if told else None
    return replace(
        _headed(alert, update, said),
        evidence=_evidence(update),
        killed_before=before.killed if before else None,
        injured_before=before.injured if before else None,
        phase_before=before.phase if before else _phase_before(update.story),
        severity_before=before.severity if before else None,
    )


def _headed(alert: Alert, update: StoryUpdate, said: Speech) -> Alert:
    """The headline is the item's; of a story that was not told yet it is that of its gravest report."""
    item, gravest = update.item, update.story.severity
    rank = severity_of(update.assessment)
    if Change.NEW in said.changes and gravest is not None and (rank is None or rank < gravest):
        return alert
    return replace(
        alert,
        title=item.title or lead(item.summary) or alert.title,
        summary=lead(item.summary) if item.title else "",
        link=item.link or alert.link,
        outlet=item.outlet,
    )


def _speech(update: StoryUpdate, told: Told | None) -> Speech:
    if told is None:
        return first_speech(update)
    return next_speech(told.snapshot, update, Thresholds()) or quiet_edit()


def _picture(story: Story, said: Speech, verdict: Verdict) -> Alert:
    return Alert(
        story_id=story.id,
        kind=said.kind,
        reason=said.reason,
        at=verdict.at,
        happened_at=verdict.update.item.published,
        title=story.title,
        summary=story.summary,
        link=story.link,
        outlet=story.outlet,
        severity=story.severity,
        certainty=story.certainty,
        urgency=story.urgency,
        score=story.score,
        signals=tuple(sorted(story.signals, key=lambda name: (-story.signals[name], name))),
        countries=story.countries,
        places=story.places,
        killed=story.killed,
        injured=story.injured,
        phase=story.phase,
        changes=said.changes,
        detail=said.detail,
        sources=_sources(story),
        claims=story.claims,
        surge=verdict.update.surge,
    )


def _phase_before(story: Story) -> Phase | None:
    """The phase out of which a new story leads, as other stories of the place knew it; None where it does not."""
    if len(story.phases) < 2 or story.phases[-1].item_uid not in {source.item_uid for source in story.sources}:
        return None
    return story.phases[-2].phase


def _sources(story: Story) -> tuple[SourceRef, ...]:
    """The first named, then the other independent ones."""
    return tuple(source for n, source in enumerate(story.sources) if n == 0 or source.independent)[:_MOST_SOURCES]


def _evidence(update: StoryUpdate) -> tuple[str, ...]:
    """The words that spoke most for a signal, each once."""
    telling = sorted(update.assessment.evidence, key=lambda span: -span.weight)
    return tuple(dict.fromkeys(span.text for span in telling if span.weight > 0))[:_MOST_EVIDENCE]
