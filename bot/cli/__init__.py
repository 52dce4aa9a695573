"""The command line. A command imports what it needs when it runs, so that asking for help stays quick.

Exit codes: 0 done, 1 the work failed, 2 usage or settings. Errors are one line on stderr.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from bot.cli import daemon, feedback, feeds, look, reading, replay, rules
from bot.cli.demo import demo
from bot.errors import TocsinError, UsageError
from config.loader import SettingsFault


def _version(asked: bool) -> None:
    if asked:
        from bot import __version__

        typer.echo(f"tocsin {__version__}")
        raise typer.Exit


app = typer.Typer(
    name="tocsin",
    help="Watches news feeds and rings in people's chats when an armed conflict escalates or calms down.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", "-V", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    pass


app.command("run")(daemon.run)
app.command("poll")(daemon.poll)
app.command("demo")(demo)
app.command("health")(daemon.health)
app.command("send-test")(daemon.send_test)
app.command("check-config")(look.check_config)
app.command("doctor")(look.doctor)
app.command("explain")(look.explain)
app.command("backup")(look.backup)
app.command("restore")(look.restore)
app.add_typer(feeds.app, name="feeds")
app.add_typer(rules.app, name="rules")
app.add_typer(feedback.app, name="feedback")
app.command("score")(reading.score)
app.command("signals")(reading.signals)
app.command("train")(reading.train)
app.command("evaluate")(reading.evaluate)
app.command("replay")(replay.replay)


def run_command(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit code, and never shows a traceback for a fault of the person's."""
    from classifiers.errors import ClassifierError

    try:
        code = app(list(arguments), standalone_mode=False)
    except typer.TyperException as error:
        return _complain(error.format_message(), error.exit_code)
    except (SettingsFault, UsageError) as error:
        return _complain(str(error), 2)
    except (TocsinError, ClassifierError) as error:
        return _complain(str(error), 1)
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except BrokenPipeError:
        # The reader has gone (`| head`): nothing is left to say, and Python must not say so at its exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code if isinstance(code, int) else 0


def _complain(message: str, code: int) -> int:
    lines = message.strip().splitlines() or ["failed"]
    text = message.strip() if lines[0].startswith("Usage:") else " ".join(lines)
    sys.stderr.write(text + "\n" if lines[0].startswith("Usage:") else f"tocsin: {text}\n")
    return code
