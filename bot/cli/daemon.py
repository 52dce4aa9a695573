"""``run``, ``poll``, ``health``, ``send-test``: the daemon and its one-shot kin."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import structlog
import typer

from bot.cli.common import ConfigOption, JsonOption, load
from bot.errors import TocsinError, UsageError
from config.loader import Loaded, SettingsFault, load_settings
from config.model import Settings

if TYPE_CHECKING:
    from bot.app import App, Parts
    from bot.jobs import Daemon
    from bot.model import Feed
    from bot.pipeline import Polled
    from bot.store import DaemonLock

log = structlog.get_logger(__name__)

DOUBLED_S = 0.3


# --- run --------------------------------------------------------------------------------------------------------


def run(config: ConfigOption = None) -> int:
    """Watch the feeds and ring, until Ctrl-C or SIGTERM. SIGHUP reloads the settings."""
    loaded = load(config)
    with _locked(loaded.settings):
        return asyncio.run(_run(loaded, config))


def _locked(settings: Settings) -> DaemonLock:
    """The data folder is made, and held by one process."""
    from bot.store import DaemonLock

    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{settings.data_dir}: {(error.strerror or 'cannot be made').lower()} (data_dir)") from None
    return DaemonLock(settings.database)


async def _run(loaded: Loaded, config: Path | None) -> int:
    from bot.app import open_app
    from bot.jobs import Daemon
    from bot.web import WebServer

    app = await open_app(loaded.settings)
    daemon = Daemon(app)
    web: WebServer | None = None
    try:
        _on_signals(daemon, config)
        listening = ""
        if loaded.settings.web.listen:
            web = WebServer(loaded.settings.web.listen, lambda: app.status(daemon.progress), app.metrics.page)
            listening = loaded.settings.web.listen if await web.start() else ""
        _say_hello(loaded, app, listening)
        await daemon.run()
    finally:
        if web is not None:
            await web.close()
        await app.close()
    log.info("stopped")
    return 0


def _say_hello(loaded: Loaded, app: App, listening: str) -> None:
    """Where it stores, what it watches, how to reach it."""
    settings = loaded.settings
    log.info("settings", file=str(loaded.path) if loaded.path else "defaults (no tocsin.toml here)")
    log.info("storing", database=str(settings.database))
    log.info("watching", feeds=app.watching, source="starter catalogue" if settings.starter_feeds else "settings")
    targets = sorted({subscription.target for subscription in app.subscriptions()})
    log.info("ringing", where=", ".join(targets) or "nowhere: no channel is set up")
    if listening:
        log.info("health", page=f"http://{listening}/healthz", metrics=f"http://{listening}/metrics")
    log.info("stop with Ctrl-C")


def _on_signals(daemon: Daemon, config: Path | None) -> None:
    loop = asyncio.get_running_loop()
    asked: list[float] = []

    def stop() -> None:
        # One wish to stop may arrive twice (`timeout` signals a process and its group): that is not impatience.
        if asked and loop.time() - asked[0] < DOUBLED_S:
            return
        if asked:
            # The database is safe at any instant; whoever asks twice does not want to wait.
            log.warning("stopping at once")
            os._exit(0)
        asked.append(loop.time())
        log.info("stopping: what is in flight gets a moment, once more stops at once")
        daemon.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    if hasattr(signal, "SIGHUP"):
        tasks: set[asyncio.Task[None]] = set()

        def reload() -> None:
            task = loop.create_task(_reload(daemon, config))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        loop.add_signal_handler(signal.SIGHUP, reload)


async def _reload(daemon: Daemon, config: Path | None) -> None:
    """Good settings are taken whole; bad ones change nothing."""
    try:
        loaded = load_settings(config)
        await daemon.app.reload(loaded.settings)
    except (SettingsFault, TocsinError) as error:
        log.error("settings not reloaded, the old ones stay", error=str(error))
    else:
        log.info("settings reloaded", feeds=daemon.app.watching, rules=len(loaded.settings.rules) or 1)


# --- poll -------------------------------------------------------------------------------------------------------


def poll(
    due: Annotated[bool, typer.Option("--due", help="Only the feeds whose time has come.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Ask every feed once now, deliver what that causes, and exit."""
    loaded = load(config, quiet=True)
    with _locked(loaded.settings):
        report = asyncio.run(_poll(loaded.settings, only_due=due, as_json=as_json))
    if as_json:
        sys.stdout.write(json.dumps(report, ensure_ascii=False) + "\n")
    else:
        _show_poll(report)
    return 1 if report["feeds"] and report["failed"] == report["feeds"] else 0


async def _poll(settings: Settings, *, only_due: bool, as_json: bool) -> dict[str, object]:
    from bot.app import Parts, open_app
    from bot.oneshot import poll_all

    started, cpu = time.monotonic(), _cpu_seconds()
    # Alerts for the console go to stderr where stdout is for a machine.
    app = await open_app(settings, Parts(stream=sys.stderr if as_json else None))
    try:
        now = app.clock.now()
        feeds = await app.store.due_feeds(now, 1_000_000) if only_due else await _active(app)
        progress = _bar(len(feeds)) if sys.stderr.isatty() and not as_json else _silent
        report = await poll_all(app, feeds, progress)
    finally:
        await app.close()
    report["wall_s"] = round(time.monotonic() - started, 3)
    report["cpu_s"] = round(_cpu_seconds() - cpu, 3)
    return report


async def _active(app: App) -> Sequence[Feed]:
    from bot.model import FeedStatus

    polled = (FeedStatus.ACTIVE, FeedStatus.QUARANTINED)
    return [feed for feed in await app.store.feeds() if feed.state.status in polled]


def _silent(_polled: Polled) -> None:
    """No bar where nobody looks."""


def _bar(total: int) -> Callable[[Polled], None]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("polling"), BarColumn(), MofNCompleteColumn())
    progress = Progress(*columns, console=Console(stderr=True), transient=True)
    task = progress.add_task("feeds", total=total)
    progress.start()

    def step(_polled: Polled) -> None:
        progress.advance(task)
        if progress.finished:
            progress.stop()

    return step


def _cpu_seconds() -> float:
    """User and system time of this process and of its workers that have ended."""
    own, ended = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime


def _show_poll(report: dict[str, object]) -> None:
    from typing import cast

    errors = cast("list[dict[str, str]]", report["errors"])
    for error in errors:
        sys.stderr.write(f"{error['problem']}: {error['message']}\n")
    words = "{feeds} feeds: {changed} changed, {unchanged} unchanged, {failed} failed; {items} items, {new} new; "
    words += "{alerts} alerts, {sent} messages sent ({wall_s} s, {cpu_s} s CPU)\n"
    sys.stdout.write(words.format_map(report))


# --- health, send-test ------------------------------------------------------------------------------------------


def health(config: ConfigOption = None) -> int:
    """Say whether the daemon lives and is well; for containers. Exit 0 or 1."""
    from bot.health import read_status

    ok, line = read_status(load_settings(config).settings.data_dir)
    (sys.stdout if ok else sys.stderr).write(line + "\n")
    return 0 if ok else 1


def send_test(
    channel: Annotated[str, typer.Argument(help="console, slack:NAME, telegram:CHAT-ID, webhook:NAME, apprise:NAME.")],
    config: ConfigOption = None,
) -> int:
    """Send an exercise alert through one channel, to see that it arrives."""
    loaded = load(config, quiet=True)
    asyncio.run(_send_test(loaded.settings, channel))
    sys.stdout.write(f"{channel}: delivered\n")
    return 0


async def _send_test(settings: Settings, target: str) -> None:
    from bot.app import Parts, make_channels
    from bot.oneshot import exercise

    parts: Parts = Parts()
    channels = dict(make_channels(settings, parts))
    kind, _, address = target.partition(":")
    names = settings.channel_names()
    if kind not in channels or (kind not in ("telegram", "console") and target not in names):
        known = ", ".join(sorted(names | ({"telegram:CHAT-ID"} if "telegram" in channels else set())))
        raise UsageError(f'"{target}" is not set up (known: {known})')
    if kind == "telegram" and not address:
        raise UsageError('write "telegram:CHAT-ID"')
    try:
        await channels[kind].send(channels[kind].render(exercise(target, settings, parts.clock.now())))
    except TocsinError as error:
        raise TocsinError(f"{target}: {error}") from None
    finally:
        for each in channels.values():
            await each.close()
