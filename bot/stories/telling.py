"""A story and how one more item advances it: what every reader sees of grouping, apart from the grouping itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.model import Certainty, Item, PhaseStep, Story, Urgency, Where
from classifiers.assessment import Assessment
from classifiers.taxonomy import signed_score

from . import ledger, lifecycle, sources, standing
from .corrections import is_correction
from .text import lead

_MOST_PLACES = 12
_MOST_COUNTRIES = 6
_MOST_CLAIMS = 12
_QUOTE = 160


@dataclass(frozen=True, slots=True)
class Report:
    """One item as it joins a story, with what only the grouper knows of it."""

    item: Item
    assessment: Assessment
    copy: bool = False
    """Its text is nearly that of an item the story holds."""
    official: bool = False
    """Its feed speaks for a ministry, the UN or a ceasefire monitor."""


def opened(story_id: str, report: Report, now: datetime, *, phases: tuple[PhaseStep, ...] = ()) -> Story:
    """The story that a first item opens. ``phases``: the ceasefire's life as other stories of the place know it."""
    item, assessment = report.item, report.assessment
    blank = Story(
        id=story_id,
        opened_at=item.published,
        updated_at=item.published,
        title=item.title,
        summary=item.summary,
        link=item.link,
        outlet=item.outlet,
        language=assessment.language,
        severity=None,
        certainty=Certainty.POSSIBLE,
        urgency=Urgency.EXPECTED,
        score=0.0,
        signals={},
        phases=phases,
    )
    return advanced(blank, report, now)


def advanced(story: Story, report: Report, now: datetime) -> Story:
    """The story with one more item. A copy adds itself as a source and nothing else."""
    item, assessment = report.item, report.assessment
    known = sources.add_source(
        story.sources, sources.source_of(item, story, copy=report.copy, official=report.official)
    )
    grown = replace(story, sources=known, certainty=sources.certainty(known), print=_with_origin(story, item))
    if report.copy:
        return grown
    entries = ledger.merge(grown.ledger, ledger.entries_of(item, assessment, correction=is_correction(item.title)))
    signals = _signals(story.signals, assessment)
    newest = max(story.updated_at, item.published)
    phases = lifecycle.move(story.phases, lifecycle.phase_of(item, assessment), item)
    return replace(
        _headed(grown, report),
        updated_at=newest,
        severity=standing.severity((story.severity, standing.severity_of(assessment))),
        urgency=standing.urgency(signals, newest, now),
        score=signed_score(signals),
        signals=signals,
        countries=_first(_MOST_COUNTRIES, story.countries, assessment.countries),
        places=_places(story.places, assessment),
        ledger=entries,
        killed=ledger.tally(entries, "killed"),
        injured=ledger.tally(entries, "injured"),
        phases=phases,
        phase=phases[-1].phase if phases else None,
        claims=_first(_MOST_CLAIMS, denials(story.claims), new_denials(report), ledger.differing_claims(entries)),
    )


def denials(claims: Iterable[str]) -> tuple[str, ...]:
    """Those lines of a story's claims that deny something."""
    return tuple(line for line in claims if line.startswith("denied"))


def new_denials(report: Report) -> tuple[str, ...]:
    """One line for each denial of something that matters here: "denied by Türkiye: …"."""
    item, assessment = report.item, report.assessment
    lines = []
    for claim in assessment.claims:
        if claim.mode == "denied" and claim.signal is not None and (claim.by or claim.field == "title"):
            text = item.title if claim.field == "title" else item.summary
            quote = text[claim.start : claim.end].strip()[:_QUOTE]
            lines.append(f"denied by {claim.by}: {quote}" if claim.by else f"denied: {quote}")
    return tuple(dict.fromkeys(lines))


def _headed(story: Story, report: Report) -> Story:
    """The headline is that of the item which made the story as severe as it is."""
    rank = standing.severity_of(report.assessment)
    if rank is None or (story.severity is not None and rank <= story.severity):
        return story
    item = report.item
    return replace(
        story,
        title=item.title or story.title,
        summary=lead(item.summary) or story.summary,
        link=item.link or story.link,
        outlet=item.outlet,
        language=report.assessment.language,
    )


def _signals(known: Mapping[str, float], assessment: Assessment) -> dict[str, float]:
    raised = {signal: assessment.signals.get(signal, 1.0) for signal in assessment.labels}
    return {name: max(known.get(name, 0.0), raised.get(name, 0.0)) for name in (*known, *raised)}


def _places(known: tuple[Where, ...], assessment: Assessment) -> tuple[Where, ...]:
    """Where it happened: places named in the countries of the event, not the seats of those who comment on it."""
    found = tuple(
        Where(place.name, place.country, place.lat, place.lon)
        for place in assessment.places
        if place.country in assessment.countries
    )
    unique = {(place.name, place.country): place for place in reversed((*known, *found))}
    return tuple(reversed(unique.values()))[:_MOST_PLACES]


def _first(most: int, *parts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(entry for part in parts for entry in part))[:most]


def _with_origin(story: Story, item: Item) -> dict[str, tuple[str, ...] | tuple[int, ...] | tuple[float, ...]]:
    known = tuple(origin for origin in story.print.get("origins", ()) if isinstance(origin, str))
    return {**story.print, "origins": tuple(dict.fromkeys((*known, sources.origin(item))))}
