"""``feeds …``: what is watched."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.common import ConfigOption, JsonOption, load, read_bytes
from bot.errors import UsageError
from bot.model import Feed, FeedSpec, FeedState, FeedStatus
from config.model import Settings

if TYPE_CHECKING:
    from bot.feeds.check import Checked
    from bot.ports import Store

app = typer.Typer(help="What is watched: add, remove, list, check, import and export feeds.", no_args_is_help=True)


@asynccontextmanager
async def _store(settings: Settings) -> AsyncIterator[Store]:
    """The database with the settings' feeds in it, so that a command before the first run sees what a run would."""
    from bot.clock import SystemClock
    from bot.store import open_store
    from bot.wiring import catalogue, own_feeds

    settings.data_dir.mkdir(parents=True, exist_ok=True)
    store = await open_store(settings.database)
    try:
        now = SystemClock().now()
        await store.sync_feeds(own_feeds(settings), now, origin="settings")
        await store.sync_feeds(catalogue(settings), now, origin="catalogue")
        yield store
    finally:
        await store.close()


def _checked_url(url: str) -> str:
    from urllib.parse import urlsplit

    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise UsageError(f"{url}: is not an http or https address")
    return url


@app.command("add")
def add(
    url: Annotated[str, typer.Argument(help="Address of a feed, or of a page that names one.")],
    title: Annotated[str, typer.Option(help="What to call it.")] = "",
    language: Annotated[str | None, typer.Option(help="Language of its items, as in en or ru.")] = None,
    kind: Annotated[str, typer.Option(help="wire, broadcaster, newspaper, official, monitor, ngo, …")] = "news",
    tag: Annotated[list[str] | None, typer.Option("--tag", help="May be given more than once.")] = None,
    check: Annotated[bool, typer.Option("--check/--no-check", help="Ask it once first (one request).")] = True,
    config: ConfigOption = None,
) -> int:
    """Watch one more feed; a web page is searched for the feed it names."""
    settings = load(config, quiet=True).settings
    spec = FeedSpec(_checked_url(url), title, language, kind, tuple(tag or ()))
    feed, found = asyncio.run(_add(settings, spec, check=check))
    sys.stdout.write(f"watching {feed.url}{f' ({found} items now, all history)' if check else ''}\n")
    return 0


async def _add(settings: Settings, spec: FeedSpec, *, check: bool) -> tuple[Feed, int]:
    from bot.clock import SystemClock

    async with _store(settings) as store:
        count = 0
        if check:
            spec, count = await _found(settings, spec)
        return await store.add_feed(spec, SystemClock().now()), count


async def _found(settings: Settings, spec: FeedSpec) -> tuple[FeedSpec, int]:
    from bot.adding import found
    from bot.app import make_source, make_workers
    from bot.clock import SystemClock
    from bot.errors import TocsinError

    clock = SystemClock()
    source, workers = make_source(settings, clock), make_workers(settings)
    try:
        return await found(source, workers, spec, clock.now())
    except TocsinError as error:
        raise TocsinError(f"{error} (add it all the same with --no-check)") from None
    finally:
        await source.close()
        await workers.close()


@app.command("remove")
def remove(url: Annotated[str, typer.Argument(help="Its address.")], config: ConfigOption = None) -> int:
    """Watch a feed no longer; what it brought stays."""
    settings = load(config, quiet=True).settings

    async def work() -> bool:
        async with _store(settings) as store:
            return await store.remove_feed(url)

    if not asyncio.run(work()):
        raise UsageError(f"{url}: is not watched (see `tocsin feeds list`)")
    sys.stdout.write(f"no longer watching {url}\n")
    return 0


def _set_state(config: Path | None, url: str, change: Callable[[FeedState, datetime], FeedState]) -> int:
    settings = load(config, quiet=True).settings

    async def work() -> bool:
        from bot.clock import SystemClock

        async with _store(settings) as store:
            feed = next((feed for feed in await store.feeds() if feed.url == url), None)
            if feed is not None:
                await store.set_feed_state(feed.id, change(feed.state, SystemClock().now()))
            return feed is not None

    if not asyncio.run(work()):
        raise UsageError(f"{url}: is not watched (see `tocsin feeds list`)")
    return 0


@app.command("enable")
def enable(url: Annotated[str, typer.Argument(help="Its address.")], config: ConfigOption = None) -> int:
    """Poll a feed again that was paused, or given up after days of refusals; its failures are forgiven."""
    from bot.feeds.pacing import enabled

    code = _set_state(config, url, enabled)
    sys.stdout.write(f"polling {url} again\n")
    return code


@app.command("pause")
def pause(url: Annotated[str, typer.Argument(help="Its address.")], config: ConfigOption = None) -> int:
    """Ask a feed no more until it is enabled again."""
    code = _set_state(config, url, lambda state, _now: replace(state, status=FeedStatus.PAUSED))
    sys.stdout.write(f"paused {url}\n")
    return code


async def _all(settings: Settings) -> Sequence[Feed]:
    async with _store(settings) as store:
        return await store.feeds()


@app.command("list")
def list_feeds(
    failing: Annotated[bool, typer.Option("--failing", help="Only those that do not answer.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """List what is watched and how it does."""
    feeds = asyncio.run(_all(load(config, quiet=True).settings))
    shown = [feed for feed in feeds if not failing or feed.state.errors or feed.state.status is not FeedStatus.ACTIVE]
    if as_json:
        for feed in shown:
            sys.stdout.write(json.dumps(_row(feed), ensure_ascii=False) + "\n")
        return 0
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("feed", "language", "kind", "state", "last answer", box=None, pad_edge=False)
    for feed in shown:
        state = feed.state
        trouble = f"{state.problem} ×{state.errors}" if state.errors else state.status.value
        when = f"{state.last_ok:%Y-%m-%d %H:%M}" if state.last_ok else "never"
        table.add_row(escape(feed.title or feed.url), feed.language or "", feed.kind, trouble, when)
    Console().print(table)
    sys.stdout.write(f"{len(shown)} of {len(feeds)} feeds\n")
    return 0


def _row(feed: Feed) -> dict[str, object]:
    state = feed.state
    return {
        "url": feed.url,
        "title": feed.title,
        "language": feed.language,
        "kind": feed.kind,
        "tags": list(feed.tags),
        "status": state.status.value,
        "errors": state.errors,
        "last_error": state.last_error,
        "last_ok": state.last_ok.isoformat() if state.last_ok else None,
        "next_due": state.next_due.isoformat(),
        "interval_s": state.interval_s,
    }


@app.command("check")
def check(
    url: Annotated[list[str] | None, typer.Argument(help="Addresses; none: every feed that is watched.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Ask feeds once and report which answer, so that dead ones are found. Stores nothing."""
    settings = load(config, quiet=True).settings
    rows = asyncio.run(_check(settings, [_checked_url(each) for each in url or ()], quiet=as_json))
    if as_json:
        for row in rows:
            sys.stdout.write(json.dumps(row.to_json(), ensure_ascii=False) + "\n")
    else:
        for row in sorted(rows, key=lambda row: (row.ok, row.url)):
            sys.stdout.write(row.line() + "\n")
        good = sum(row.ok for row in rows)
        sys.stdout.write(f"{good} of {len(rows)} feeds answer\n")
        if rows and not good:
            sys.stdout.write("None does: is this machine online?\n")
    return 0 if any(row.ok for row in rows) or not rows else 1


async def _check(settings: Settings, urls: Sequence[str], *, quiet: bool) -> list[Checked]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from bot.app import make_source, make_workers
    from bot.clock import SystemClock
    from bot.feeds.check import check_feeds, probe

    clock = SystemClock()
    feeds = [probe(FeedSpec(each), clock.now()) for each in urls] or await _all(settings)
    source, workers = make_source(settings, clock), make_workers(settings)
    columns = (TextColumn("checking"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True, disable=quiet)
    task = bar.add_task("feeds", total=len(feeds))
    rows: list[Checked] = []

    def step(row: Checked) -> None:
        rows.append(row)
        bar.advance(task)

    try:
        with bar:
            await check_feeds(source, workers.parse, feeds, step)
    finally:
        await source.close()
        await workers.close()
    return rows


@app.command("import")
def import_opml(
    file: Annotated[Path, typer.Argument(help="OPML file, or - for standard input.")], config: ConfigOption = None
) -> int:
    """Watch the feeds of an OPML file; its folders become tags."""
    from bot.feeds.opml import read_opml

    specs = read_opml(read_bytes(file, "OPML"))
    settings = load(config, quiet=True).settings

    async def work() -> tuple[int, int]:
        from bot.clock import SystemClock

        async with _store(settings) as store:
            before = len(await store.feeds())
            for spec in specs:
                await store.add_feed(spec, SystemClock().now())
            return before, len(await store.feeds())

    before, after = asyncio.run(work())
    sys.stdout.write(f"{file}: {len(specs)} feeds, {after - before} of them new; {after} watched\n")
    return 0


@app.command("export")
def export_opml(
    file: Annotated[Path | None, typer.Argument(help="Where to; missing: standard output.")] = None,
    config: ConfigOption = None,
) -> int:
    """Write what is watched as OPML."""
    from bot.feeds.opml import write_opml

    feeds = asyncio.run(_all(load(config, quiet=True).settings))
    data = write_opml(feeds, "Tocsin")
    if file is None:
        sys.stdout.buffer.write(data)
        return 0
    try:
        file.write_bytes(data)
    except OSError as error:
        raise UsageError(f"{file}: {(error.strerror or 'cannot be written').lower()}") from None
    sys.stdout.write(f"{file}: {len(feeds)} feeds\n")
    return 0
