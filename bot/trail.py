"""Why, and why not: everything the store knows of one item, in words for people or as JSON values. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from bot.model import Story, Tally, Verdict
from bot.ports import ItemTrail
from classifiers.assessment import Assessment, Toll


def trail_lines(trail: ItemTrail) -> Iterator[str]:
    """Lines for a person, from the fetch to each address."""
    item = trail.item
    yield item.title or "(no title)"
    if item.link:
        yield f"  {item.link}"
    dated = f"published {item.published:%Y-%m-%d %H:%M} UTC" if item.dated else "without a date"
    yield f"seen      {trail.seen_at:%Y-%m-%d %H:%M:%S} UTC in {trail.feed.title or trail.feed.url}, {dated}"
    yield from _read(trail.assessment)
    if trail.story is not None:
        yield from _story(trail.story)
    if trail.verdict is not None:
        yield from _verdict(trail.verdict)
    for delivery, state in trail.deliveries:
        yield f"told      {delivery.target}: {state} ({delivery.created_at:%H:%M:%S} UTC)"
    for silent in trail.silent:
        detail = f" ({silent.detail})" if silent.detail else ""
        yield f"not told  {silent.target} [{silent.subscription_id}]: {silent.reason.value}{detail}"


def _read(assessment: Assessment | None) -> Iterator[str]:
    if assessment is None:
        yield "read      nothing: it was history when it was first seen, or could not be read"
        return
    labels = ", ".join(f"{label} {assessment.signals.get(label, 1.0):.0%}" for label in assessment.labels)
    yield f"read      {labels or 'no signal'}; severity {assessment.severity or 'none'}, score {assessment.score:+.1f}"
    facts = [
        f"{kind} {_number(toll)}"
        for kind, toll in (("killed", assessment.killed), ("injured", assessment.injured))
        if toll
    ]
    if assessment.countries:
        facts.append("in " + ", ".join(assessment.countries))
    if facts:
        yield "          " + "; ".join(facts)
    words = list(dict.fromkeys(f"“{e.text}” ({e.signal})" for e in assessment.evidence if e.weight > 0))
    if words:
        yield "because   " + ", ".join(words[:6])
    nearest = sorted(assessment.signals.items(), key=lambda pair: -pair[1])[:2]
    if not assessment.labels and nearest:
        yield "nearest   " + ", ".join(f"{signal} {probability:.0%}" for signal, probability in nearest)


def _number(toll: Toll | Tally) -> str:
    best = "?" if toll.best is None else str(toll.best)
    return best + (f" ({toll.total} in all)" if toll.total is not None else "")


def _story(story: Story) -> Iterator[str]:
    severity = story.severity.word if story.severity else "none"
    phase = f", ceasefire {story.phase.value}" if story.phase else ""
    killed = f", killed {_number(story.killed)}" if story.killed else ""
    yield f"story     {story.id}: {story.title}"
    yield f"          {severity}, {story.certainty.word}, {len(story.sources)} sources{killed}{phase}"


def _verdict(verdict: Verdict) -> Iterator[str]:
    detail = f": {verdict.detail}" if verdict.detail else ""
    yield f"verdict   {verdict.kind.value}, {verdict.reason.value}{detail}"
    if verdict.rules:
        yield f"          asked for by {', '.join(verdict.rules)}"
    elif verdict.nearest:
        yield f"          the rule that came nearest: {verdict.nearest}"


def trail_json(trail: ItemTrail) -> dict[str, object]:
    """The same as JSON values (dates are left to ``default=str``)."""
    story, verdict = trail.story, trail.verdict
    return {
        "item": asdict(trail.item),
        "feed": trail.feed.url,
        "seen_at": trail.seen_at,
        "signals": dict(trail.assessment.signals) if trail.assessment else None,
        "labels": list(trail.assessment.labels) if trail.assessment else None,
        "severity": trail.assessment.severity if trail.assessment else None,
        "evidence": [asdict(e) for e in trail.assessment.evidence] if trail.assessment else [],
        "story": {"id": story.id, "title": story.title, "sources": len(story.sources)} if story else None,
        "verdict": {"kind": verdict.kind, "reason": verdict.reason, "detail": verdict.detail, "rules": verdict.rules,
                    "nearest": verdict.nearest} if verdict else None,
        "told": [{"target": d.target, "state": state, "at": d.created_at} for d, state in trail.deliveries],
        "not_told": [{"target": s.target, "subscription": s.subscription_id, "reason": s.reason, "detail": s.detail}
                     for s in trail.silent],
    }  # fmt: skip
