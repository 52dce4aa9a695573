"""``score``, ``signals``, ``train``, ``evaluate``: the classifier by itself."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.common import ConfigOption, JsonOption
from bot.errors import UsageError
from config.loader import load_settings

if TYPE_CHECKING:
    from classifiers import Assessor, Text

CHUNK = 128
"""Lines read before the first is answered; smaller keeps a pipe lively, larger costs nothing more."""

ModelOption = Annotated[Path | None, typer.Option("--model", help="Folder of a trained model (default: the shipped).")]


def _assessor(config: Path | None, model: Path | None) -> Assessor:
    from classifiers import Assessor

    return Assessor.load(model or load_settings(config).settings.model.path)


def score(
    text: Annotated[str | None, typer.Argument(help="A headline or text; missing: standard input.")] = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="JSON lines from standard input to standard output.")] = False,
    summary: Annotated[str, typer.Option("--summary", help="The summary below the headline.")] = "",
    model: ModelOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Explain one text to a person, or score many for a machine."""
    from classifiers import Text

    assessor = _assessor(config, model)
    if jsonl:
        return _score_lines(assessor)
    given = Text(sys.stdin.read().strip() if text is None else text, summary)
    (assessment,) = assessor.assess([given])
    if as_json:
        from classifiers.render import to_json

        sys.stdout.write(json.dumps(to_json(assessment, ""), ensure_ascii=False) + "\n")
    else:
        from bot.cli.show import show_assessment

        show_assessment(given, assessment)
    return 0


def _score_lines(assessor: Assessor) -> int:
    """A bad line is named on stderr and left out; the others are answered in order."""
    from classifiers.render import to_json

    bad = 0
    numbered = enumerate(sys.stdin.buffer, 1)
    while chunk := list(islice(numbered, CHUNK)):
        ids: list[str] = []
        texts: list[Text] = []
        for number, line in chunk:
            if not line.strip():
                continue
            try:
                id_, text = _text_of(line)
            except ValueError as error:
                sys.stderr.write(f"tocsin: stdin:{number}: {error}\n")
                bad += 1
                continue
            ids.append(id_)
            texts.append(text)
        for id_, assessment in zip(ids, assessor.assess(texts), strict=True):
            sys.stdout.write(json.dumps(to_json(assessment, id_), ensure_ascii=False) + "\n")
        sys.stdout.flush()
    return 1 if bad else 0


def _text_of(line: bytes) -> tuple[str, Text]:
    from classifiers import Text

    try:
        given = json.loads(line)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"is not JSON ({type(error).__name__})") from None
    if not isinstance(given, dict):
        raise ValueError("is not a JSON object")  # noqa: TRY004 - one kind of complaint about a line
    values = {key: given.get(key) or "" for key in ("id", "title", "summary")}
    for key, value in values.items():
        if not isinstance(value, (str, int)):
            raise ValueError(f"{key} is not text")  # noqa: TRY004 - as above
    language = given.get("language")
    title = str(values["title"] or given.get("text") or "")
    return str(values["id"]), Text(title, str(values["summary"]), language if isinstance(language, str) else None)


def signals(as_json: JsonOption = False, config: ConfigOption = None) -> int:  # noqa: ARG001 - --config is on all
    """List the 23 signals with their meaning, PLOVER score and ACLED type."""
    from classifiers.taxonomy import SIGNALS

    if as_json:
        rows = [{"id": s.id, "name": s.name, "group": s.group, "score": s.score, "acled": s.acled} for s in SIGNALS]
        sys.stdout.write(json.dumps(rows, ensure_ascii=False) + "\n")
        return 0
    from rich.console import Console
    from rich.table import Table

    table = Table("signal", "score", "what the item reports", box=None, pad_edge=False)
    for signal in SIGNALS:
        table.add_row(signal.id, "" if signal.score is None else f"{signal.score:+g}", signal.description)
    Console().print(table)
    return 0


@contextmanager
def _progress() -> Iterator[Callable[[str, float], None]]:
    """A progress bar on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<24}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    nobody_looks = not sys.stderr.isatty()
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), disable=nobody_looks) as bar:
        task = bar.add_task("starting", total=1.0)

        def tell(what: str, done: float) -> None:
            bar.update(task, description=what, completed=done)

        yield tell


def train(
    data: Annotated[list[Path] | None, typer.Option("--data", help="More annotated items (JSON lines).")] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder to write the model to.")] = Path("model"),
    config: ConfigOption = None,  # noqa: ARG001 - --config is on all
) -> int:
    """Train a model on the project's own examples, and on more where you have them. Same data, same file."""
    try:
        from classifiers.train import main_train
    except ModuleNotFoundError as error:
        raise UsageError(f"training needs {error.name}, which is not installed") from None
    with _progress() as progress:
        trained = main_train(data or (), out, progress)
    sys.stdout.write(f"{trained.folder}: sha256 {trained.sha256}\n")
    for name, value in trained.metrics.items():
        if isinstance(value, (int, float)):
            sys.stdout.write(f"  {name:<24} {value:.4g}\n")
    sys.stdout.write(f'Use it with: [model] path = "{trained.folder}"\n')
    return 0


def evaluate(
    gold: Annotated[Path, typer.Argument(help="Annotated items, JSON lines as in the codebook.")],
    model: ModelOption = None,
    plots: Annotated[Path | None, typer.Option("--plots", help="Folder for curves (SVG).")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Measure the classifier on annotated items: per signal, tolls, countries, severity, calibration."""
    from classifiers.evaluate import evaluate_file

    with _progress() as progress:
        report = evaluate_file(gold, _assessor(config, model), plots=plots, progress=progress)
    sys.stdout.write((json.dumps(report.to_json()) if as_json else report.table()) + "\n")
    return 0
