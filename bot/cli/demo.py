"""``demo``: the written story, live on the terminal."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.common import ConfigOption, load

if TYPE_CHECKING:
    from rich.console import Console

    from bot.app import App
    from bot.model import Verdict
    from config.model import Settings


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the last table."""

    at: datetime
    title: str
    kind: str
    why: str


def demo(
    seconds: Annotated[float, typer.Option("--step", help="Seconds for each item of the story.", min=0.0)] = 1.5,
    config: ConfigOption = None,
) -> int:
    """Play a written story of several days in a minute: four feeds on loopback, the real daemon, alerts as they come.

    Channels of your settings ring too, so a test chat can be watched; without any, the terminal is the only one.
    """
    loaded = load(config, quiet=True)
    with tempfile.TemporaryDirectory(prefix="tocsin-demo-") as folder:
        settings = loaded.settings.model_copy(update={"data_dir": Path(folder)})
        return asyncio.run(_demo(settings, seconds))


async def _demo(settings: Settings, step_s: float) -> int:
    from rich.console import Console

    from bot.demo import Watcher, play, read_script

    console = Console(file=sys.stdout, highlight=False)
    script = read_script()
    console.rule(f"[bold]{script.title}")
    console.print(
        f"{len(script.feeds)} feeds on loopback (RSS, Atom, JSON Feed), {len(script.items)} items, about "
        f"{round(len(script.items) * step_s)} seconds. Watching starts on the second day.\n"
    )
    rows: list[Row] = []
    watcher = Watcher(
        on_time=lambda now: _time(console, now), on_verdict=lambda verdict, held: _verdict(console, verdict, held, rows)
    )
    app = await play(settings, None, watcher, step_s)
    _last_table(console, rows, app)
    return 0


def _time(console: Console, now: datetime) -> None:
    console.print(f"[dim]── {now:%a %d %b %H:%M} ──[/]")


def _verdict(console: Console, verdict: Verdict, held: str, rows: list[Row]) -> None:
    """Alerts show themselves through the console channel; silence is shown here, in one dim line."""
    from rich.markup import escape

    why = verdict.reason.value + (f": {verdict.detail}" if verdict.detail else "")
    row = Row(verdict.update.item.published, verdict.update.item.title, verdict.kind.value, why)
    if held:
        row = replace(row, kind="held", why=f"{held} ({row.kind}, {why})")
    rows.append(row)
    if row.kind in ("dropped", "held"):
        console.print(f"[dim]   {row.kind}: {escape(row.title[:70])} — {escape(row.why)}[/]", soft_wrap=True)


def _last_table(console: Console, rows: list[Row], app: App) -> None:
    from rich.table import Table

    console.rule("[bold]What was done with each item, and why")
    table = Table("when", "item", "verdict", "why", box=None, pad_edge=False)
    colours = {"alert": "bold red", "update": "yellow", "correction": "magenta", "held": "cyan", "dropped": "dim"}
    for row in sorted(rows, key=lambda row: row.at):
        table.add_row(f"{row.at:%a %H:%M}", row.title, row.kind, row.why, style=colours.get(row.kind, ""))
    console.print(table, markup=False)
    counts = Counter(row.kind for row in rows)
    shown = ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
    console.print(f"\n{shown}; {app.sent} messages sent.")
