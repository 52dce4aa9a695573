"""``replay``: an archive through the very same deciding, under a simulated clock."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from bot.cli.common import ConfigOption, JsonOption, bar, load
from bot.errors import UsageError

if TYPE_CHECKING:
    from bot.replaying import Tallied


def replay(
    archive: Annotated[Path, typer.Argument(help="Items as JSON lines (.jsonl or .jsonl.gz).")],
    out: Annotated[Path | None, typer.Option("--out", help="One JSON line a verdict.")] = None,
    assignments: Annotated[Path | None, typer.Option("--assignments", help="Link and story of every item.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Replay an archive: what would have been alerted, when and by which rule, and why the rest was not."""
    from bot.app import judge_policy
    from bot.decide import Decider
    from bot.replaying import read_archive
    from bot.replaying import replay as run_replay
    from bot.stories.grouping import Grouper
    from bot.wiring import subscriptions_of
    from classifiers import Assessor

    settings = load(config, quiet=True).settings
    rows = list(read_archive(archive))
    assessor = Assessor.load(settings.model.path)
    decider = Decider(Grouper(), judge_policy(settings))
    started = time.monotonic()
    with (
        _written(out) as verdicts,
        _written(assignments) as stories,
        bar(len(rows), "replaying", quiet=as_json) as progress,
    ):
        tallied = run_replay(
            rows,
            decider,
            subscriptions_of(settings),
            lambda texts: assessor.assess(texts, explain=False),
            on_line=verdicts,
            on_assigned=lambda item, story: stories({"link": item.link, "story": story}),
            progress=progress,
        )
    _report(tallied, time.monotonic() - started, as_json=as_json)
    return 0


@contextlib.contextmanager
def _written(path: Path | None) -> Iterator[Callable[[dict[str, object]], None]]:
    """A function that writes JSON lines to a file, or nothing where none is named."""
    if path is None:
        yield lambda _row: None
        return
    try:
        file: IO[str] = path.open("w", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {(error.strerror or 'cannot be written').lower()}") from None
    with file:
        yield lambda row: _line(file, row)


def _line(file: IO[str], row: dict[str, object]) -> None:
    file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _report(tallied: Tallied, seconds: float, *, as_json: bool) -> None:
    report = tallied.to_json()
    rate = round(tallied.items / seconds) if seconds else 0
    if as_json:
        sys.stdout.write(json.dumps({**report, "seconds": round(seconds, 2), "items_a_second": rate}) + "\n")
        return
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console.print(
        f"{tallied.items} items over {report['days']} days in {seconds:.1f} s ({rate} a second): "
        f"{report['alerts']} alerts, {report['alerts_a_day']} a day",
        highlight=False,
    )
    table = Table("verdict", "reason", "items", box=None, pad_edge=False)
    for (kind, reason), count in tallied.verdicts.most_common():
        table.add_row(kind, reason, str(count))
    console.print(table)
    if tallied.alerts_by_day:
        days = Table("day", "alerts", box=None, pad_edge=False)
        for day, count in sorted(tallied.alerts_by_day.items()):
            days.add_row(day, str(count))
        console.print(days)
