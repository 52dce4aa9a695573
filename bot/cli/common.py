"""What commands share: the --config option, loading settings, and running async work."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from bot.errors import UsageError
from bot.logs import Redactor, configure
from bot.wiring import secrets_of
from config.loader import Loaded, load_settings
from config.model import Settings

T = TypeVar("T")

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Settings file (default: ./tocsin.toml, then /etc/tocsin/tocsin.toml)."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on stdout, for machines.")]


def load(config: Path | None, *, quiet: bool = False) -> Loaded:
    """Settings, with logging set up by them before anything else can log. ``quiet`` logs warnings and worse only."""
    loaded = load_settings(config)
    log = loaded.settings.log
    redactor = Redactor(secrets_of(loaded.settings))
    configure("warning" if quiet and log.level == "info" else log.level, log.format, redactor)
    for warning in loaded.warnings:
        sys.stderr.write(f"tocsin: warning: {warning}\n")
    return loaded


def run(work: Coroutine[object, object, T]) -> T:
    """Run async work to its end."""
    return asyncio.run(work)


def read_bytes(path: Path, what: str) -> bytes:
    """A file that a person named; ``-`` is standard input."""
    if str(path) == "-":
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {(error.strerror or 'cannot be read').lower()} ({what})") from None


def existing_database(settings: Settings) -> Path:
    """The database, for commands that look at what is in it."""
    if not settings.database.exists():
        raise UsageError(f"{settings.database}: there is no database yet (run `tocsin run` or `tocsin poll` first)")
    return settings.database


@contextlib.contextmanager
def bar(total: int, what: str, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr over so many items, where a person looks; the function takes how many are done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    unseen = quiet or not sys.stderr.isatty()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=unseen) as shown:
        task = shown.add_task("items", total=total)
        yield lambda done: shown.update(task, completed=done)
