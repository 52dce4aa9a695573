"""Short ways to write items, assessments and stories down."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bot.model import Item, LedgerEntry, Story, Tally
from bot.stories import telling
from bot.stories.grouping import story_id
from classifiers.assessment import Assessment, Claim, Evidence, Figure, Place, Severity, Toll

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def at(hours: float) -> datetime:
    """So many hours after noon."""
    return NOON + timedelta(hours=hours)


def item(
    title: str = "Shelling hits the market of Qaryat",
    summary: str = "",
    *,
    key: str | None = None,
    hours: float = 0.0,
    outlet: str = "herald.example",
    feed_id: int = 1,
    language: str | None = "en",
) -> Item:
    """An item; its key is its title where none is given."""
    name = key or title[:40]
    return Item(
        feed_id=feed_id,
        key=name,
        title=title,
        summary=summary,
        link=f"https://{outlet}/{name.replace(' ', '-')}",
        published=at(hours),
        outlet=outlet,
        language=language,
    )


def read(
    *labels: str,
    severity: Severity | None = "severe",
    killed: int | Toll | None = None,
    injured: int | Toll | None = None,
    countries: Sequence[str] = ("YE",),
    places: Sequence[Place] = (),
    figures: Sequence[Figure] = (),
    claims: Sequence[Claim] = (),
    evidence: Sequence[Evidence] = (),
    probability: float = 0.9,
) -> Assessment:
    """An assessment with these labels raised."""
    return Assessment(
        signals=dict.fromkeys(labels, probability),
        labels=labels,
        severity=severity,
        score=-9.0,
        killed=Toll(best=killed) if isinstance(killed, int) else killed,
        injured=Toll(best=injured) if isinstance(injured, int) else injured,
        figures=tuple(figures),
        countries=tuple(countries),
        places=tuple(places),
        claims=tuple(claims),
        language="en",
        evidence=tuple(evidence),
    )


def story(*reports: tuple[Item, Assessment], now: datetime = NOON) -> Story:
    """The story that these items make, in order."""
    first, *more = (telling.Report(one, understood) for one, understood in reports)
    grown = telling.opened(story_id(first.item.uid), first, now)
    for report in more:
        grown = telling.advanced(grown, report, now)
    return grown


def figure(
    best: int | None,
    *,
    outlet: str = "herald.example",
    hours: float = 0.0,
    uid: str = "",
    claimant: str | None = None,
    kind: str = "killed",
    correction: bool = False,
    total: int | None = None,
    main: bool = True,
) -> LedgerEntry:
    """One line of a ledger."""
    return LedgerEntry(
        kind=kind,
        tally=Tally(best=best, total=total),
        item_uid=uid or f"{outlet}:{best}:{hours}",
        outlet=outlet,
        at=at(hours),
        claimant=claimant,
        main=main,
        correction=correction,
    )
