"""``feedback …``: how readers judge what they were told, and lines to learn from."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.common import ConfigOption, JsonOption, existing_database, load
from bot.errors import UsageError
from bot.wiring import rules_in_force
from config.model import Settings

if TYPE_CHECKING:
    from bot.alerts.feedback import Feedback, Score, Voted
    from bot.ports import Store

app = typer.Typer(help="How readers judge alerts (👍, 👎, what was wrong).", no_args_is_help=True)


@asynccontextmanager
async def _store(settings: Settings) -> AsyncIterator[Store]:
    from bot.store import open_store

    store = await open_store(existing_database(settings), readonly=True)
    try:
        yield store
    finally:
        await store.close()


# --- report -----------------------------------------------------------------------------------------------------


@app.command("report")
def report(
    days: Annotated[int, typer.Option("--days", help="How far to look back.", min=1, max=3650)] = 7,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Say how many of the votes were good, by rule and by signal, and what was said to be wrong."""
    from bot.alerts.feedback import feedback_of

    settings = load(config, quiet=True).settings
    voted, gone = asyncio.run(_voted_lately(settings, days))
    found = feedback_of(voted, {rule.name for rule in rules_in_force(settings)})
    if as_json:
        sys.stdout.write(json.dumps(_row(found, days, gone), ensure_ascii=False) + "\n")
    else:
        _show(found, "last day" if days == 1 else f"last {days} days")
        _mention(gone)
    return 0


async def _voted_lately(settings: Settings, days: int) -> tuple[Sequence[Voted], int]:
    from bot.clock import SystemClock
    from bot.telegram.votes import voted

    async with _store(settings) as store:
        return await voted(store, SystemClock().now() - timedelta(days=days))


def _show(found: Feedback, stretch: str) -> None:
    sys.stdout.write(f"{stretch}: {found if found.total.votes else 'nobody voted'}\n")
    for what, scores in (("rule", found.rules), ("signal", found.signals)):
        for score in scores:
            words = f"{score.good} good, {score.bad} bad ({score.share:.0%})"
            sys.stdout.write(f"  {what:<6}  {score.name:<20}  {words}\n")
    for what, count in found.wrong.items():
        sys.stdout.write(f"  wrong   {what:<20}  {count}\n")


def _mention(gone: int) -> None:
    if gone:
        sys.stderr.write(f"tocsin: {gone} more stories with votes are past retention ([store] keep)\n")


def _row(found: Feedback, days: int, gone: int) -> dict[str, object]:
    return {
        "days": days,
        "stories": found.stories,
        "stories_gone": gone,
        "total": _score_row(found.total),
        "rules": {score.name: _score_row(score) for score in found.rules},
        "signals": {score.name: _score_row(score) for score in found.signals},
        "wrong": dict(found.wrong),
    }


def _score_row(score: Score) -> dict[str, object]:
    return {"good": score.good, "bad": score.bad, "precision": round(score.share, 4) if score.votes else None}


# --- export -----------------------------------------------------------------------------------------------------


@app.command("export")
def export(
    file: Annotated[Path | None, typer.Argument(help="Where to; missing: standard output.")] = None,
    config: ConfigOption = None,
) -> int:
    """Write a training line for every story with votes: what was read in it, and what readers say of that.

    The labels are the classifier's own, so correct the lines with bad votes before `tocsin train --data FILE`.
    """
    settings = load(config, quiet=True).settings
    rows, gone = asyncio.run(_lines(settings))
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    if file is None:
        sys.stdout.write(text)
    else:
        try:
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{file}: {(error.strerror or 'cannot be written').lower()}") from None
        sys.stdout.write(f"{file}: {len(rows)} lines\n")
    _mention(gone)
    return 0


async def _lines(settings: Settings) -> tuple[list[dict[str, object]], int]:
    from bot.alerts.feedback import training_line
    from bot.telegram.votes import voted

    async with _store(settings) as store:
        found, gone = await voted(store)
        rows = []
        for one in found:
            trail = await store.trail(one.story.link) if one.story.link else None
            kept = trail is not None and trail.item.title == one.story.title
            rows.append(training_line(one, *((trail.item, trail.assessment) if trail and kept else (None, None))))
        return rows, gone
