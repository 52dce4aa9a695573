"""One cycle over feeds, and an exercise alert: what one-shot commands do with an :class:`bot.app.App`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot.app import App
from bot.jobs import BATCH
from bot.model import (
    Alert,
    Certainty,
    Delivery,
    Feed,
    Lane,
    Phase,
    Reason,
    Severity,
    SourceRef,
    Tally,
    Urgency,
    VerdictKind,
    Where,
)
from bot.pipeline import Polled
from config.model import Settings


async def poll_all(
    app: App, feeds: Sequence[Feed], step: Callable[[Polled], None] = lambda _polled: None
) -> dict[str, object]:
    """Ask all feeds at once (within the limits a host), decide in batches, send what is due; the report as JSON values.

    ``step`` hears of each feed as it is done.
    """
    report = _Report()
    polled: asyncio.Queue[Polled] = asyncio.Queue()
    room = asyncio.Semaphore(2 * app.settings.fetch.concurrency)

    async def one(feed: Feed) -> None:
        async with room:
            await polled.put(await app.pipeline.collect(feed))

    async with asyncio.TaskGroup() as tasks:
        for feed in feeds:
            tasks.create_task(one(feed))
        done = 0
        while done < len(feeds):
            batch = [await polled.get()]
            while len(batch) < BATCH and not polled.empty():
                batch.append(polled.get_nowait())
            decision = await app.pipeline.decide(batch)
            app.seen(batch, decision)
            done += len(batch)
            report.add(batch, {key: len(items) for key, items in decision.new.items()})
            report.alerts += len({d.story_id for d in decision.batch.routing.deliveries if d.story_id})
            for each in batch:
                step(each)
    await app.learning.keep()
    await app.outbox.drain()
    report.sent = app.sent
    return report.to_json()


class _Report:
    """Adds up one cycle."""

    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []
        self.errors: list[dict[str, str]] = []
        self.alerts = 0
        self.sent = 0

    def add(self, batch: Sequence[Polled], new: dict[int, int]) -> None:
        for polled in batch:
            row: dict[str, object] = {
                "url": polled.feed.url,
                "outcome": polled.result,
                "items": len(polled.parsed.items) if polled.parsed else 0,
                "new": new.get(polled.feed.id, 0),
                "tier": polled.parsed.tier if polled.parsed else None,
                "seconds": round(polled.elapsed_s, 3),
            }
            self.rows.append(row)
            if isinstance(polled.outcome, Exception):
                self.errors.append(
                    {"url": polled.feed.url, "problem": polled.problem or "", "message": str(polled.outcome)}
                )

    def to_json(self) -> dict[str, object]:
        counted = [row["outcome"] for row in self.rows]
        return {
            "feeds": len(self.rows),
            "changed": counted.count("changed"),
            "unchanged": counted.count("unchanged"),
            "failed": len(self.errors),
            "items": sum(int(str(row["items"])) for row in self.rows),
            "new": sum(int(str(row["new"])) for row in self.rows),
            "alerts": self.alerts,
            "sent": self.sent,
            "errors": sorted(self.errors, key=lambda error: error["url"]),
            "by_feed": sorted(self.rows, key=lambda row: str(row["url"])),
        }


def exercise(target: str, settings: Settings, now: datetime) -> Delivery:
    """An alert that nobody can take for real: an invented place, and marked as an exercise."""
    source = SourceRef("0:exercise", "tocsin", "https://example.org/exercise", "Exercise", now)
    alert = Alert(
        story_id="exercise",
        kind=VerdictKind.ALERT,
        reason=Reason.NEW_STORY,
        at=now,
        happened_at=now,
        title="Ceasefire offered after six days of fighting in Exampleland",
        summary="This is an exercise: nothing has happened. If you can read it, alerts reach you here.",
        link=source.link,
        outlet="tocsin",
        severity=Severity.SEVERE,
        certainty=Certainty.POSSIBLE,
        urgency=Urgency.IMMEDIATE,
        score=-4.5,
        signals=("ceasefire_proposal", "armed_clash", "casualties"),
        places=(Where("Exampleland", ""),),
        killed=Tally(best=54, total=158),
        phase=Phase.PROPOSED,
        sources=(source,),
        rule="exercise",
        exercise=True,
    )
    return Delivery(
        id=f"exercise:{target}:{now.isoformat()}",
        target=target,
        content=alert,
        lane=Lane.URGENT,
        created_at=now,
        not_before=now,
        expires_at=now + timedelta(minutes=5),
        language=settings.alerts.language,
        zone=settings.alerts.zone,
    )
