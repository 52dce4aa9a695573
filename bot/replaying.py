"""The same deciding over an archive, under a simulated clock: what would have been alerted, when, and why not."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from bot.alerts.care import all_clear
from bot.alerts.digest import release
from bot.alerts.filters import Miss
from bot.alerts.preview import Nearest, Preview, Ring, miss_of, nearest_of, ring_of_alert, ring_of_story, rung
from bot.decide import Decider, Judged
from bot.errors import UsageError
from bot.model import (
    Alert,
    Digest,
    Held,
    Item,
    Mode,
    Reason,
    RouteState,
    Routing,
    Rule,
    Story,
    Subscription,
    Tally,
    Told,
    Verdict,
    VerdictKind,
)
from classifiers.assessment import Assessment, Text

CARE = timedelta(hours=1)
"""How often a replay looks for what has ended."""
STEP = timedelta(minutes=1)
"""Items of one simulated minute are decided together, as the daemon would."""
ASSESS_BATCH = 256

_DROPPED = VerdictKind.DROPPED

Assess = Callable[[Sequence[Text]], Sequence[Assessment]]


@dataclass(frozen=True, slots=True)
class Archived:
    """One line of an archive."""

    item: Item
    language: str | None


@dataclass(slots=True)
class Tallied:
    """What a replay adds up."""

    items: int = 0
    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    alerts_by_day: Counter[str] = field(default_factory=Counter)
    alerts_by_hour: Counter[str] = field(default_factory=Counter)
    by_rule: Counter[str] = field(default_factory=Counter)
    latency_s: list[float] = field(default_factory=list)
    """From a story's first item to its alert."""
    first: datetime | None = None
    last: datetime | None = None

    def add(self, verdict: Verdict, held: Reason | None) -> None:
        """Count one verdict; ``held`` where its alert waits."""
        self.items += 1
        self.first = self.first or verdict.at
        self.last = verdict.at
        shown = ("held", held.value) if held else (verdict.kind.value, verdict.reason.value)
        self.verdicts[shown] += 1
        if verdict.kind is VerdictKind.ALERT:
            self.alerts_by_day[f"{verdict.at:%Y-%m-%d}"] += 1
            self.alerts_by_hour[f"{verdict.at:%H}"] += 1
            self.by_rule.update(verdict.rules)
            self.latency_s.append((verdict.at - verdict.update.story.opened_at).total_seconds())

    def to_json(self) -> dict[str, object]:
        """As JSON values."""
        days = max(1.0, (self.last - self.first).total_seconds() / 86400) if self.first and self.last else 1.0
        alerts = sum(self.alerts_by_day.values())
        latency = sorted(self.latency_s)
        return {
            "items": self.items,
            "days": round(days, 2),
            "alerts": alerts,
            "alerts_a_day": round(alerts / days, 2),
            "by_day": dict(sorted(self.alerts_by_day.items())),
            "by_hour": dict(sorted(self.alerts_by_hour.items())),
            "by_rule": dict(self.by_rule.most_common()),
            "latency_median_s": latency[len(latency) // 2] if latency else None,
            "verdicts": {f"{kind}: {reason}": count for (kind, reason), count in self.verdicts.most_common()},
        }


class _Memory:
    """What routing must know, kept in memory: the replay has no database and no chats."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], Told] = {}
        self._sent: dict[str, list[datetime]] = {}
        self._held: list[Held] = []

    def state(self, targets: Sequence[str], story_ids: Sequence[str], now: datetime) -> RouteState:
        hour = now - timedelta(hours=1)
        sent = {target: sum(at > hour for at in self._sent.get(target, ())) for target in targets}
        keys = ((target, story) for target in targets for story in story_ids)
        return RouteState({key: self._told[key] for key in keys if key in self._told}, sent)

    def take(self, routing: Routing, now: datetime) -> None:
        self._held += routing.held
        for told in routing.told:
            self._told[told.target, told.story_id] = told
        for delivery in routing.deliveries:
            self._count(delivery.target, now)

    def _count(self, target: str, now: datetime) -> None:
        times = [at for at in self._sent.get(target, ()) if at > now - timedelta(hours=1)]
        self._sent[target] = [*times, now]

    def released(self, subscriptions: Sequence[Subscription], now: datetime) -> Iterator[Alert]:
        """Held alerts whose time has come, as the digests tell them."""
        if not any(held.release_at <= now for held in self._held):
            return
        for delivery in release(self._held, now, subscriptions):
            self._count(delivery.target, now)
            yield from delivery.content.alerts if isinstance(delivery.content, Digest) else ()
        self._held = [held for held in self._held if held.release_at > now]


def read_archive(path: Path) -> Iterator[Archived]:
    """Lines of an archive in order. Raises :class:`bot.errors.UsageError` naming file and line."""
    try:
        with _opened(path) as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    try:
                        yield _archived(json.loads(line))
                    except (ValueError, KeyError, TypeError, AttributeError) as error:
                        raise UsageError(f"{path}:{number}: {_complaint(error)}") from None
    except (OSError, EOFError) as error:
        raise UsageError(f"{path}: {str(getattr(error, 'strerror', None) or error).lower()}") from None


def _complaint(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return "is not JSON"
    if isinstance(error, KeyError):
        return f"lacks {error.args[0]}"
    return str(error)[:200]


def _opened(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


def _archived(row: Mapping[str, object]) -> Archived:
    published = _time(str(row["published"]))
    link, title = str(row.get("link") or ""), str(row.get("title") or "")
    outlet = str(row.get("outlet") or row.get("feed") or "")
    key = hashlib.blake2b((link or f"{title}\0{published}").encode("utf-8", "replace"), digest_size=16).hexdigest()
    language = str(row["lang"]).partition("-")[0] if row.get("lang") else None
    item = Item(0, key, title, str(row.get("summary") or ""), link, published, outlet, language=language)
    return Archived(item, language)


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text.strip().replace(" UTC", "+00:00"))
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def replay(
    rows: Sequence[Archived],
    decider: Decider,
    subscriptions: Sequence[Subscription],
    assess: Assess,
    *,
    on_line: Callable[[dict[str, object]], None],
    on_assigned: Callable[[Item, str], None] = lambda _item, _story: None,
    on_routed: Callable[[Judged, Routing], None] = lambda _judged, _routing: None,
    progress: Callable[[int], None] = lambda _done: None,
) -> Tallied:
    """Run an archive, in order of publication, through grouping, judging and routing. Same archive, same verdicts."""
    tallied, memory, cared = Tallied(), _Memory(), datetime.min.replace(tzinfo=UTC)
    seen: set[str] = set()
    targets = sorted({subscription.target for subscription in subscriptions})
    ordered = sorted(rows, key=lambda row: (row.item.published, row.item.uid))
    for minute in _minutes(ordered, progress):
        fresh = [row for row in minute if row.item.uid not in seen]
        seen.update(row.item.uid for row in fresh)
        now = max(row.item.published for row in minute)
        for alert in memory.released(subscriptions, now):
            on_line(alert_json(alert, now))
            tallied.verdicts["digest", alert.reason.value] += 1
        if now - cared >= CARE:
            cared = now
            _look_after(decider, subscriptions, memory, targets, now, on_line)
        items = [row.item for row in fresh]
        read = _assessed(fresh, assess)
        judged = decider.judge(items, read, subscriptions, now)
        routing = decider.route(judged, subscriptions, memory.state(targets, judged.story_ids, now), now)
        decider.commit(judged, now)
        memory.take(routing, now)
        on_routed(judged, routing)
        waiting = _waiting(routing)
        for verdict in judged.verdicts:
            held = waiting.get((verdict.update.story.id, verdict.update.item.link))
            tallied.add(verdict, held)
            on_line(verdict_json(verdict, held))
        for item in items:
            on_assigned(item, (judged.assignments or {}).get(item.uid, item.uid))
    return tallied


def preview(
    rows: Sequence[Archived],
    rules: Sequence[Rule],
    decider: Decider,
    assess: Assess,
    *,
    zone: str,
    progress: Callable[[int], None] = lambda _done: None,
) -> tuple[Preview, ...]:
    """What each rule would have told of an archive, whatever hours and digests soften it: one replay for all rules."""
    asking = [
        Subscription(id=f"preview:{rule.name}", target=f"preview:{rule.name}", rule=rule, flood_limit=0)
        for rule in rules
    ]
    rings: dict[str, list[Ring]] = {rule.name: [] for rule in rules}
    stories: dict[str, Story] = {}
    doubts: dict[str, Verdict] = {}

    def routed(judged: Judged, routing: Routing) -> None:
        stories.update((story.id, story) for story in judged.stories)
        doubts.update((one.update.story.id, one) for one in judged.verdicts if one.rules and one.kind is _DROPPED)
        for delivery in routing.deliveries:
            if isinstance(delivery.content, Alert) and delivery.mode is Mode.NEW:
                rings[delivery.content.rule].append(ring_of_alert(delivery.content))

    replay(rows, decider, asking, assess, on_line=lambda _line: None, on_routed=routed, progress=progress)
    return tuple(
        rung(rule.name, found, zone, None if found else _nearest(rule, stories.values(), doubts))
        for rule, found in zip(rules, rings.values(), strict=True)
    )


def _nearest(rule: Rule, stories: Iterable[Story], doubts: Mapping[str, Verdict]) -> Nearest | None:
    """What came nearest in a replay; of what the rule asks for and was not told, judging says why."""
    return nearest_of(
        (miss.distance, Nearest(ring_of_story(story, story.opened_at), miss.reason, miss.detail))
        for story in stories
        if (miss := miss_of(rule, story) or _doubt(doubts.get(story.id))) is not None
    )


def _doubt(verdict: Verdict | None) -> Miss | None:
    return None if verdict is None else Miss(verdict.reason, verdict.detail, 0.0)


def _look_after(
    decider: Decider,
    subscriptions: Sequence[Subscription],
    memory: _Memory,
    targets: Sequence[str],
    now: datetime,
    on_line: Callable[[dict[str, object]], None],
) -> None:
    """Tell what has ended, as the daemon does between polls."""
    ended = all_clear(decider.grouper.stories, now)
    judged = Judged(ended, tuple(verdict.update.story for verdict in ended))
    if ended:
        routing = decider.route(judged, subscriptions, memory.state(targets, judged.story_ids, now), now)
        decider.commit(judged, now)
        memory.take(routing, now)
    for verdict in ended:
        on_line(verdict_json(verdict))


def _waiting(routing: Routing) -> dict[tuple[str, str], Reason]:
    """Alerts of this step that wait for everybody they concern, by story and link."""
    sent = {(d.content.story_id, d.content.link) for d in routing.deliveries if isinstance(d.content, Alert)}
    held = {(held.alert.story_id, held.alert.link): held.reason for held in routing.held}
    return {key: reason for key, reason in held.items() if key not in sent}


def _assessed(rows: Sequence[Archived], assess: Assess) -> dict[str, Assessment]:
    texts = [Text(row.item.title, row.item.summary, row.language) for row in rows]
    found = [a for start in range(0, len(texts), ASSESS_BATCH) for a in assess(texts[start : start + ASSESS_BATCH])]
    return {row.item.uid: assessment for row, assessment in zip(rows, found, strict=True)}


def _minutes(rows: Sequence[Archived], progress: Callable[[int], None]) -> Iterator[list[Archived]]:
    """Rows of the same simulated minute together."""
    minute: list[Archived] = []
    for done, row in enumerate(rows):
        if minute and row.item.published - minute[0].item.published >= STEP:
            yield minute
            progress(done)
            minute = []
        minute.append(row)
    if minute:
        yield minute
    progress(len(rows))


def alert_json(alert: Alert, now: datetime) -> dict[str, object]:
    """One held alert as its digest tells it."""
    return {
        "at": now.isoformat(),
        "kind": VerdictKind.DIGEST.value,
        "reason": alert.reason.value,
        "story": alert.story_id,
        "severity": alert.severity.word if alert.severity else None,
        "signals": sorted(alert.signals),
        "killed": _tally(alert.killed),
        "countries": list(alert.countries),
        "title": alert.title,
        "link": alert.link,
        "sources": [source.outlet for source in alert.sources] or [alert.outlet],
        "detail": alert.detail,
        "rules": [alert.rule],
        "nearest": None,
    }


def verdict_json(verdict: Verdict, held: Reason | None = None) -> dict[str, object]:
    """One line of ``tocsin replay --out``; with ``held`` that reason stands in place of the verdict's own."""
    update = verdict.update
    story = update.story
    return {
        "at": verdict.at.isoformat(),
        "kind": VerdictKind.HELD.value if held else verdict.kind.value,
        "reason": held.value if held else verdict.reason.value,
        "story": story.id,
        "severity": story.severity.word if story.severity else None,
        "signals": sorted(story.signals),
        "killed": _tally(story.killed),
        "countries": list(story.countries),
        "title": update.item.title,
        "link": update.item.link,
        "sources": [source.outlet for source in story.sources] or [update.item.outlet],
        "detail": verdict.detail,
        "rules": list(verdict.rules),
        "nearest": verdict.nearest,
    }


def _tally(tally: Tally | None) -> dict[str, int | None] | None:
    if tally is None:
        return None
    return {"low": tally.low, "best": tally.best, "high": tally.high, "total": tally.total}
