"""``check-config``, ``doctor``, ``explain``, ``backup``, ``restore``: looking at settings and data."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from bot.cli.common import ConfigOption, JsonOption, existing_database, load
from bot.errors import StoreError, TocsinError, UsageError
from bot.health import read_status
from bot.wiring import subscriptions_of
from config.loader import Loaded
from config.loader import explain as explain_settings
from config.model import Settings

if TYPE_CHECKING:
    from bot.ports import ItemTrail, Store

LEAST_SPACE = 200 * 1024**2
"""Bytes free below which the doctor complains."""


# --- check-config -----------------------------------------------------------------------------------------------


def check_config(
    explain: Annotated[bool, typer.Option("--explain", help="Show every setting and where it came from.")] = False,
    config: ConfigOption = None,
) -> int:
    """Check the settings and say in a line what they ask for; exit 2 where they are wrong."""
    loaded = load(config, quiet=True)
    if explain:
        for key, value, origin in explain_settings(loaded):
            sys.stdout.write(f"{key} = {value}  ({origin})\n")
    sys.stdout.write(f"{loaded.path or 'defaults'}: ok; {_summary(loaded)}\n")
    return 0


def _summary(loaded: Loaded) -> str:
    settings = loaded.settings
    targets = sorted({subscription.target for subscription in subscriptions_of(settings)})
    feeds = "the starter feeds" if settings.starter_feeds else f"{len(settings.feeds)} feeds of your own"
    rules = f"{len(settings.rules)} rules" if settings.rules else "the default rule (severe or worse, anywhere)"
    return f"{feeds}, {rules}, ringing {', '.join(targets) or 'nowhere (no channel is set up)'}"


# --- doctor -----------------------------------------------------------------------------------------------------


def doctor(config: ConfigOption = None) -> int:
    """Check settings, data, disk, model, feeds and channels, and say what to do. Exit 1 where something is wrong."""
    loaded = load(config, quiet=True)
    findings = [("ok", "settings", f"{loaded.path or 'defaults'}; {_summary(loaded)}"), *_examined(loaded.settings)]
    for verdict, what, words in findings:
        sys.stdout.write(f"{verdict:<5} {what:<9} {words}\n")
    return 1 if any(verdict == "WRONG" for verdict, _, _ in findings) else 0


def _examined(settings: Settings) -> Iterator[tuple[str, str, str]]:
    yield from _disk(settings.data_dir)
    if settings.database.exists():
        yield from asyncio.run(_database(settings))
    else:
        yield "note", "database", f"{settings.database} does not exist yet: `tocsin run` makes it"
    alive, line = read_status(settings.data_dir)
    yield ("ok" if alive else "note"), "daemon", line
    yield _model(settings)
    if not subscriptions_of(settings):
        yield "WRONG", "channels", "no channel is set up: nobody would be told (switch on [console], or add one)"


def _disk(data_dir: Path) -> Iterator[tuple[str, str, str]]:
    there = next(path for path in (data_dir.absolute(), *data_dir.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    if free < LEAST_SPACE:
        yield "WRONG", "disk", f"{free // 1024**2} MiB free at {there}: make room, nothing is sent unrecorded"
    else:
        yield "ok", "disk", f"{free // 1024**2} MiB free at {there}"


async def _database(settings: Settings) -> list[tuple[str, str, str]]:
    from bot.store import open_store

    try:
        store = await open_store(settings.database, readonly=True)
    except StoreError as error:
        return [("WRONG", "database", str(error))]
    try:
        trouble = await store.check()
        counts = await store.counts()
        feeds = await store.feeds()
        dead = await store.dead_letters(1)
    finally:
        await store.close()
    shown = ", ".join(f"{count} {name}" for name, count in counts.items())
    out = [("WRONG", "database", f"{trouble}: restore a backup") if trouble else ("ok", "database", shown)]
    failing = [feed for feed in feeds if feed.state.errors >= 3]
    words = f"{len(feeds) - len(failing)} of {len(feeds)} fine"
    out.append(("note", "feeds", f"{words}; see `tocsin feeds list --failing`") if failing else ("ok", "feeds", words))
    if dead:
        out.append(
            ("note", "outbox", f"messages were given up, the last to {dead[0].delivery.target}: {dead[0].reason}")
        )
    return out


def _model(settings: Settings) -> tuple[str, str, str]:
    from classifiers import Assessor, ModelError

    try:
        Assessor.load(settings.model.path)
    except ModelError as error:
        return "WRONG", "model", f"{error}: alerts go by hand-written phrases until it is mended"
    return "ok", "model", str(settings.model.path or "the shipped one")


# --- explain ----------------------------------------------------------------------------------------------------


def explain(
    item: Annotated[str, typer.Argument(help="Link or id of an item.")],
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Say why an item alerted, or why not: when it was seen, what was read in it, its story, and who was told."""
    settings = load(config, quiet=True).settings
    existing_database(settings)
    trail, hint = asyncio.run(_trail(settings, item))
    if trail is None:
        raise TocsinError(f"{item}: no watched feed has brought it{hint}")
    if as_json:
        import json

        from bot.trail import trail_json

        sys.stdout.write(json.dumps(trail_json(trail), ensure_ascii=False, default=str) + "\n")
    else:
        from bot.trail import trail_lines

        sys.stdout.write("\n".join(trail_lines(trail)) + "\n")
    return 0


async def _trail(settings: Settings, item: str) -> tuple[ItemTrail | None, str]:
    from bot.store import open_store

    store = await open_store(settings.database, readonly=True)
    try:
        found = await store.trail(item)
        return found, "" if found else await _why_unknown(store, item)
    finally:
        await store.close()


async def _why_unknown(store: Store, item: str) -> str:
    """Whether its site is watched at all, and how those feeds do."""
    host = (urlsplit(item).hostname or "").removeprefix("www.")
    if not host:
        return ""
    feeds = [feed for feed in await store.feeds() if host in (urlsplit(feed.url).hostname or "")]
    if not feeds:
        return f"; no feed of {host} is watched (add one with `tocsin feeds add`)"
    newest = max((feed.state.last_ok for feed in feeds if feed.state.last_ok), default=None)
    when = f"last answered {newest:%Y-%m-%d %H:%M} UTC" if newest else "none has answered yet"
    return f"; {len(feeds)} feeds of {host} are watched, {when}"


# --- backup, restore --------------------------------------------------------------------------------------------


def backup(
    to: Annotated[Path, typer.Argument(help="File to write; must not exist.")], config: ConfigOption = None
) -> int:
    """Copy the database consistently, also while the daemon runs."""
    settings = load(config, quiet=True).settings
    if not settings.database.exists():
        raise UsageError(f"{settings.database}: there is no database to copy")
    if to.exists():
        raise UsageError(f"{to}: exists already")

    async def work() -> None:
        from bot.store import open_store

        store = await open_store(settings.database, readonly=True)
        try:
            await store.backup(str(to))
        finally:
            await store.close()

    asyncio.run(work())
    sys.stdout.write(f"{to}: {to.stat().st_size} bytes\n")
    return 0


def restore(
    source: Annotated[Path, typer.Argument(help="A file that `tocsin backup` wrote.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the database that is there.")] = False,
    config: ConfigOption = None,
) -> int:
    """Put a backup in place. What is older than the restore alerts nobody again."""
    from bot.clock import SystemClock
    from bot.store import restore as put_back

    settings = load(config, quiet=True).settings
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    put_back(source, settings.database, now=SystemClock().now(), overwrite=force)
    sys.stdout.write(f"{settings.database}: restored from {source}\n")
    return 0
