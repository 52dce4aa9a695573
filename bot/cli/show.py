"""How one assessment looks to a person: highlighted words, bars and numbers."""

from __future__ import annotations

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text as Line

from classifiers.assessment import Assessment, Field, Figure, Text, Toll
from classifiers.taxonomy import BY_ID

_BAR = 20
_COLOURS = {"violence": "red", "impact": "magenta", "build-up": "yellow", "de-escalation": "green"}
_SEVERITY = {None: "dim", "minor": "cyan", "moderate": "yellow", "severe": "red", "extreme": "bold white on red"}


def show_assessment(text: Text, assessment: Assessment, console: Console | None = None) -> None:
    """Print what was read in a text, and which words made it so."""
    console = console or Console()
    console.print(_highlighted(text.title, "title", assessment))
    if text.summary:
        console.print(_highlighted(text.summary, "summary", assessment))
    console.print()
    severity = assessment.severity or "not about conflict"
    head = Line.assemble(("severity ", "dim"), (severity, _SEVERITY[assessment.severity]))
    head.append(f"   score {assessment.score:+.1f}   language {assessment.language}", "dim")
    console.print(head)
    console.print(Group(_bars(assessment)))
    for line in _facts(assessment):
        console.print(line, highlight=False)


def _highlighted(text: str, field: Field, assessment: Assessment) -> Line:
    line = Line(text)
    for evidence in assessment.evidence:
        if evidence.field == field and evidence.weight > 0:
            line.stylize(f"bold {_COLOURS[BY_ID[evidence.signal].group]}", evidence.start, evidence.end)
    for figure in assessment.figures:
        if figure.field == field:
            line.stylize("underline", figure.start, figure.end)
    for place in assessment.places:
        if place.field == field:
            line.stylize("italic blue", place.start, place.end)
    return line


def _bars(assessment: Assessment) -> Table:
    """The raised signals and the nearest others, with their words."""
    table = Table.grid(padding=(0, 2))
    ranked = sorted(assessment.signals.items(), key=lambda pair: (pair[0] not in assessment.labels, -pair[1]))
    for signal, probability in ranked[: max(len(assessment.labels) + 2, 3)]:
        raised = signal in assessment.labels
        style = _COLOURS[BY_ID[signal].group] if raised else "dim"
        bar = "█" * round(probability * _BAR)
        words = ", ".join(f"“{e.text}” {e.weight:+.1f}" for e in assessment.evidence if e.signal == signal)
        table.add_row(
            Line(("● " if raised else "  ") + signal, style),
            Line(f"{probability:4.0%}"),
            Line(bar.ljust(_BAR), style),
            words,
        )
    return table


def _facts(assessment: Assessment) -> list[str]:
    lines = []
    for kind in ("killed", "injured"):
        toll: Toll | None = getattr(assessment, kind)
        if toll is not None:
            lines.append(f"{kind}: {toll_words(toll)}")
    lines += [_figure(figure) for figure in assessment.figures]
    if assessment.countries:
        lines.append("countries: " + ", ".join(assessment.countries))
    if assessment.places:
        lines.append("places: " + ", ".join(dict.fromkeys(f"{p.name} ({p.country})" for p in assessment.places)))
    lines += [f"{claim.mode} by {claim.by or 'somebody'}: {claim.signal or 'something'}" for claim in assessment.claims]
    return lines + [f"note: {note}" for note in assessment.notes]


def toll_words(toll: Toll) -> str:
    """``54 (158 in all)``, ``40–50``, ``dozens``."""
    if toll.best is None:
        shown = toll.words or "no number"
    elif toll.low is not None and toll.high is not None and toll.low != toll.high:
        shown = f"{toll.best} ({toll.low}–{toll.high})"
    else:
        shown = str(toll.best)
    return shown + (f", {toll.total} in all" if toll.total is not None else "")


def _figure(figure: Figure) -> str:
    who = f" {figure.who}" if figure.who else ""
    by = f", says {figure.claimant}" if figure.claimant else ""
    number = figure.words if figure.best is None else str(figure.best)
    return f"  {number}{who} {figure.kind}{' in all' if figure.cumulative else ''}{by}"
