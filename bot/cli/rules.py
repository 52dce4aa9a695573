"""``rules …``: the rules in force, and what one would have told, before it is saved."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from bot.cli.common import ConfigOption, JsonOption, bar, existing_database, load
from bot.errors import UsageError
from bot.model import Certainty, DigestMode, Filter, Rule, Severity, Subscription
from bot.wiring import rules_in_force, subscriptions_of
from config.checks import nearest
from config.model import Settings

if TYPE_CHECKING:
    from bot.alerts.preview import Nearest, Preview, Ring

app = typer.Typer(help="What is worth an alert: list the rules, and preview what one would have told.",
                  no_args_is_help=True)  # fmt: skip

SHOWN = 10
"""Alerts that are shown of each rule; all are counted."""


# --- list -------------------------------------------------------------------------------------------------------


@app.command("list")
def list_rules(as_json: JsonOption = False, config: ConfigOption = None) -> int:
    """List the rules in force: what each asks for, and where it rings."""
    settings = load(config, quiet=True).settings
    asking = subscriptions_of(settings)
    for rule in rules_in_force(settings):
        mine = [one for one in asking if one.rule.name == rule.name]
        if as_json:
            sys.stdout.write(json.dumps(_rule_row(rule, mine), ensure_ascii=False) + "\n")
        else:
            targets = ", ".join(one.target for one in mine) or "nowhere (no channel is set up)"
            sys.stdout.write(
                f"{rule.name}: {'; '.join(_asked(rule.filter)) or 'everything'}; rings {targets}{_manner(mine)}\n"
            )
    if not as_json and not settings.rules:
        sys.stdout.write("There is no [[rules]] table: this is what holds without one.\n")
    return 0


def _rule_row(rule: Rule, mine: Sequence[Subscription]) -> dict[str, object]:
    return {
        "rule": rule.name,
        "asks_for": list(_asked(rule.filter)),
        "channels": [one.target for one in mine],
        "told": _manner(mine).removeprefix(", ") or DigestMode.AT_ONCE.value,
    }


def _asked(asked: Filter) -> Iterator[str]:
    """What a filter asks for, in words; nothing where it asks for everything."""
    if asked.min_severity > Severity.MINOR:
        yield _at_least(asked.min_severity, Severity.EXTREME)
    if asked.min_certainty > Certainty.POSSIBLE:
        yield _at_least(asked.min_certainty, Certainty.OBSERVED)
    places = tuple(f"{place.radius_km:g} km around {place.name}" for place in asked.places)
    yield from _lists("", (("", asked.signals), ("in ", (*asked.countries, *places))))
    yield from _lists("", (("by ", asked.outlets), ("language ", asked.languages), ("saying ", asked.words)))
    excluded = (("", asked.exclude_signals), ("only in ", asked.exclude_countries))
    yield from _lists("not ", (*excluded, ("by ", asked.exclude_outlets), ("saying ", asked.exclude_words)))


def _lists(before: str, parts: Sequence[tuple[str, tuple[str, ...]]]) -> Iterator[str]:
    yield from (f"{before}{what}{', '.join(words)}" for what, words in parts if words)


def _at_least(level: Severity | Certainty, most: Severity | Certainty) -> str:
    return level.word if level is most else f"{level.word} or {'worse' if isinstance(level, Severity) else 'surer'}"


def _manner(mine: Sequence[Subscription]) -> str:
    """How it is told, where that is not at once."""
    if not mine:
        return ""
    one, said = mine[0], ""
    if one.digest is DigestMode.HOURLY:
        said = ", hourly"
    elif one.digest is DigestMode.DAILY:
        said = f", daily at {one.digest_at:%H:%M} {one.zone}"
    if one.quiet:
        said += f", quiet {one.quiet.start:%H:%M}–{one.quiet.end:%H:%M} {one.quiet.zone}"
    return said + (f", unseen to {one.escalate_to}" if one.escalate_to else "")


# --- preview ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Previewed:
    """What was looked at, in words ("last 30 days"), and what each rule would have told of it."""

    stretch: str
    since: datetime | None
    stories: int | None
    """Stored stories that were looked at; None for an archive."""
    rules: Sequence[Preview]
    zone: str


@app.command("preview")
def preview(
    name: Annotated[str | None, typer.Argument(help="Name of a rule; missing: every rule of the settings.")] = None,
    days: Annotated[int, typer.Option("--days", help="How far to look back.", min=1, max=3650)] = 30,
    archive: Annotated[
        Path | None, typer.Option("--archive", help="Replay these items (.jsonl, .jsonl.gz) instead; takes long.")
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Say what a rule would have told: how many alerts, how many at night, and the newest.

    With --config DRAFT.toml a rule is tried before it is saved.
    """
    settings = load(config, quiet=True).settings
    rules = _named(rules_in_force(settings), name)
    if archive is not None:
        found = _of_archive(settings, rules, archive, quiet=as_json)
    else:
        existing_database(settings)
        found = asyncio.run(_of_store(settings, rules, days))
    for one in found.rules:
        if as_json:
            sys.stdout.write(json.dumps(_row(found, one), ensure_ascii=False) + "\n")
        else:
            sys.stdout.write("\n".join(_lines(found, one)) + "\n")
    return 0


def _named(rules: Sequence[Rule], name: str | None) -> Sequence[Rule]:
    known = {rule.name: rule for rule in rules}
    if name is None:
        return rules
    if name not in known:
        meant = nearest(name, known) or f" (there is: {', '.join(known)})"
        raise UsageError(f'no rule "{name}"{meant}')
    return [known[name]]


async def _of_store(settings: Settings, rules: Sequence[Rule], days: int) -> Previewed:
    from bot.alerts.preview import WINDOW, first_told
    from bot.alerts.preview import preview as look_back
    from bot.app import judge_policy
    from bot.clock import SystemClock
    from bot.store import open_store

    since = SystemClock().now() - timedelta(days=days)
    store = await open_store(settings.database, readonly=True)
    try:
        stories = await store.open_stories(since - WINDOW)
        told = first_told(await store.verdicts(since - WINDOW, _ALL, spoken=True))
    finally:
        await store.close()
    zone, policy = settings.alerts.zone, judge_policy(settings)
    oldest = min((story.opened_at for story in stories), default=since)
    known = f" (stories are stored since {_local(oldest, zone):%Y-%m-%d})" if oldest > since else ""
    previews = [look_back(rule, stories, told, since, zone, policy) for rule in rules]
    stretch = f"last {days} days{known}" if days > 1 else f"last day{known}"
    return Previewed(stretch, since, sum(story.updated_at >= since for story in stories), previews, zone)


_ALL = 2**31 - 1


def _of_archive(settings: Settings, rules: Sequence[Rule], archive: Path, *, quiet: bool) -> Previewed:
    from bot.app import judge_policy
    from bot.decide import Decider
    from bot.replaying import preview as replay_for
    from bot.replaying import read_archive
    from bot.stories.grouping import Grouper
    from classifiers import Assessor

    rows = list(read_archive(archive))
    assessor = Assessor.load(settings.model.path)
    zone = settings.alerts.zone
    with bar(len(rows), "replaying", quiet=quiet) as progress:
        found = replay_for(
            rows,
            rules,
            Decider(Grouper(), judge_policy(settings)),
            lambda texts: assessor.assess(texts, explain=False),
            zone=zone,
            progress=progress,
        )
    times = [row.item.published for row in rows]
    if not times:
        return Previewed(f"{archive} (empty)", None, None, found, zone)
    ends = [f"{_local(at, zone):%Y-%m-%d}" for at in (min(times), max(times))]
    return Previewed(f"{archive}, {ends[0]} to {ends[1]}", min(times), None, found, zone)


def _lines(found: Previewed, one: Preview) -> Iterator[str]:
    if one.rings:
        count = len(one.rings)
        alerts = f"{count} alert{'' if count == 1 else 's'}, {one.night} at night (22–7 {found.zone})"
        here = f"the newest {SHOWN}" if count > SHOWN else "here they are" if count > 1 else "here it is"
        yield f"{one.rule}: {found.stretch}: {alerts}, {here}"
        for ring in one.rings[:SHOWN]:
            yield from _ring_lines(ring, found.zone)
        return
    yield f"{one.rule}: {found.stretch}: it would have told nothing{_why_nothing(found, one.nearest)}"
    if one.nearest is not None:
        yield from _ring_lines(one.nearest.ring, found.zone)


def _why_nothing(found: Previewed, near: Nearest | None) -> str:
    if near is None:
        return "; no story is stored of that time" if found.stories == 0 else ""
    detail = f" ({near.detail})" if near.detail else ""
    return f"; what came nearest: {near.reason.value}{detail}"


def _ring_lines(ring: Ring, zone: str) -> Iterator[str]:
    """Severity, place, time and link; a title is a stranger's, so nothing in it steers the terminal."""
    from bot.channels.safe import clean, safe_link

    severity = ring.severity.word if ring.severity else "none"
    yield f"  {severity:<8}  {_local(ring.at, zone):%Y-%m-%d %H:%M}  {_place(ring)}: {clean(ring.title, 160)}"
    if link := safe_link(ring.link):
        yield f"            {link}"


def _place(ring: Ring) -> str:
    from bot.channels.countries import country_name
    from bot.channels.safe import clean

    if ring.places:
        return f"{clean(ring.places[0].name, 60)}, {country_name(ring.places[0].country)}"
    return ", ".join(country_name(code) for code in ring.countries[:3]) or "place unknown"


def _local(at: datetime, zone: str) -> datetime:
    return at.astimezone(ZoneInfo(zone))


def _row(found: Previewed, one: Preview) -> dict[str, object]:
    near = one.nearest
    return {
        "rule": one.rule,
        "stretch": found.stretch,
        "since": found.since.isoformat() if found.since else None,
        "alerts": len(one.rings),
        "at_night": one.night,
        "newest": [_ring_row(ring) for ring in one.rings[:SHOWN]],
        "nearest": {**_ring_row(near.ring), "missed": near.reason.value, "detail": near.detail} if near else None,
    }


def _ring_row(ring: Ring) -> dict[str, object]:
    return {
        "at": ring.at.isoformat(),
        "severity": ring.severity.word if ring.severity else None,
        "places": [place.name for place in ring.places],
        "countries": list(ring.countries),
        "title": ring.title,
        "link": ring.link,
        "story": ring.story_id,
    }
