"""The casualty ledger: every figure with its source, and the tallies computed from them.

Nothing is overwritten and nothing is added up: three outlets that each count 12 dead are one count of 12. The order
in which figures of equal time arrive makes no difference. The rules:

* one publisher (or one claimant it quotes) has one figure at a time: its latest, where a rise always counts and a fall
  counts as a correction, unless it is so deep that it must be a part of the dead ("four children among them");
* a figure that says of itself that it is a correction also sets aside the others' copies of the figure it withdraws;
* what is reported plainly outweighs what somebody claims; of claims that differ the lowest is taken (as UCDP does),
  and the span from low to high shows that they differ;
* incident and cumulative figures never mix.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.model import Item, LedgerEntry, Tally
from classifiers.assessment import Assessment, Figure, Toll

from .sources import publisher

Kind = Literal["killed", "injured"]
_KINDS: tuple[Kind, ...] = ("killed", "injured")
_DEEPEST_FALL = 2
"""An unmarked fall to less than half is a part of the dead, not a correction."""
_MOST_ENTRIES = 400


def entries_of(item: Item, assessment: Assessment, *, correction: bool = False) -> tuple[LedgerEntry, ...]:
    """What one item says of people killed and injured: its headline figures first, then the parts and side figures."""
    mains = [_main(item, assessment, kind, correction=correction) for kind in _KINDS]
    headline = tuple(entry for entry in mains if entry is not None)
    used = {(entry.kind, entry.tally.best) for entry in headline}
    used |= {(entry.kind, entry.tally.total) for entry in headline}
    sides = tuple(_side(item, figure) for figure in assessment.figures if (figure.kind, figure.best) not in used)
    return tuple(dict.fromkeys(headline + sides))


def merge(ledger: Sequence[LedgerEntry], new: Iterable[LedgerEntry]) -> tuple[LedgerEntry, ...]:
    """The ledger with new entries, each once, in an order that does not depend on that of arrival.

    Bounded to 400: side figures go first, then the oldest headline figures.
    """
    entries = sorted({*ledger, *new}, key=_order)
    if len(entries) > _MOST_ENTRIES:
        keep = sorted(entries, key=lambda entry: (entry.main, entry.at), reverse=True)[:_MOST_ENTRIES]
        entries = sorted(keep, key=_order)
    return tuple(entries)


def tally(ledger: Sequence[LedgerEntry], kind: Kind) -> Tally | None:
    """What is known now of the people killed (or injured), or None where no item gives a number."""
    entries = [entry for entry in ledger if entry.main and entry.kind == kind]
    incident = _standing(entries, "best")
    total = max((statement.value for statement in _standing(entries, "total")), default=None)
    if not incident:
        return _bounds_only(entries, total)
    best = _best(incident)
    low = min(statement.low for statement in incident)
    high = max(statement.high for statement in incident)
    return Tally(low if low < best else None, best, high if high > best else None, total)


def differing_claims(ledger: Sequence[LedgerEntry]) -> tuple[str, ...]:
    """One line for each account, where named claimants give different numbers of the dead or injured."""
    return tuple(line for kind in _KINDS for line in _differing(ledger, kind))


@dataclass(frozen=True, slots=True)
class _Statement:
    """What one voice says now."""

    value: int
    low: int
    high: int
    at: datetime
    claimant: str | None


def _main(item: Item, assessment: Assessment, kind: Kind, *, correction: bool) -> LedgerEntry | None:
    toll = assessment.killed if kind == "killed" else assessment.injured
    if toll is None:
        return None
    figure = _figure_behind(assessment, kind, toll)
    return LedgerEntry(
        kind=kind,
        tally=Tally(toll.low, toll.best, toll.high, toll.total),
        item_uid=item.uid,
        outlet=item.outlet,
        at=item.published,
        who=figure.who if figure else None,
        party=figure.party if figure else None,
        claimant=figure.claimant if figure else None,
        words=toll.words,
        correction=correction,
    )


def _figure_behind(assessment: Assessment, kind: Kind, toll: Toll) -> Figure | None:
    figures = (figure for figure in assessment.figures if figure.kind == kind and not figure.cumulative)
    return next((figure for figure in figures if toll.best is not None and figure.best == toll.best), None)


def _side(item: Item, figure: Figure) -> LedgerEntry:
    known = Tally(figure.low, figure.best, figure.high)
    return LedgerEntry(
        kind=figure.kind,
        tally=Tally(total=figure.best) if figure.cumulative else known,
        item_uid=item.uid,
        outlet=item.outlet,
        at=item.published,
        who=figure.who,
        party=figure.party,
        claimant=figure.claimant,
        words=figure.words,
        main=False,
    )


def _order(entry: LedgerEntry) -> tuple[object, ...]:
    numbers = tuple(
        -1 if n is None else n for n in (entry.tally.best, entry.tally.total, entry.tally.low, entry.tally.high)
    )
    texts = tuple(text or "" for text in (entry.who, entry.party, entry.claimant, entry.words))
    return (entry.at, entry.item_uid, not entry.main, entry.kind, numbers, texts, entry.outlet, entry.correction)


def _standing(entries: Sequence[LedgerEntry], part: Literal["best", "total"]) -> list[_Statement]:
    """The figure of each voice as it stands, without the copies of figures that were withdrawn."""
    current: dict[tuple[str, str], LedgerEntry] = {}
    withdrawn: dict[int, datetime] = {}
    for entry in sorted((e for e in entries if _value(e, part) is not None), key=lambda e: (e.at, _number(e, part))):
        voice = (publisher(entry.outlet), entry.claimant or "")
        earlier = current.get(voice)
        if earlier is not None and _number(entry, part) < _number(earlier, part):
            if not _corrects(entry, earlier, part):
                continue
            if entry.correction:
                withdrawn[_number(earlier, part)] = entry.at
        current[voice] = entry
    kept = [e for e in current.values() if not _is_withdrawn(e, withdrawn, part)]
    return [_statement(entry, part) for entry in kept]


def _corrects(entry: LedgerEntry, earlier: LedgerEntry, part: Literal["best", "total"]) -> bool:
    return entry.correction or (
        entry.at > earlier.at and _number(entry, part) * _DEEPEST_FALL >= _number(earlier, part)
    )


def _is_withdrawn(entry: LedgerEntry, withdrawn: dict[int, datetime], part: Literal["best", "total"]) -> bool:
    at = withdrawn.get(_number(entry, part))
    return at is not None and entry.at < at


def _value(entry: LedgerEntry, part: Literal["best", "total"]) -> int | None:
    return entry.tally.best if part == "best" else entry.tally.total


def _number(entry: LedgerEntry, part: Literal["best", "total"]) -> int:
    return _value(entry, part) or 0


def _statement(entry: LedgerEntry, part: Literal["best", "total"]) -> _Statement:
    value = _number(entry, part)
    low = entry.tally.low if part == "best" and entry.tally.low is not None else value
    high = entry.tally.high if part == "best" and entry.tally.high is not None else value
    return _Statement(value, min(low, value), max(high, value), entry.at, entry.claimant)


def _best(statements: Sequence[_Statement]) -> int:
    plain = [statement.value for statement in statements if statement.claimant is None]
    if plain:
        return max(plain)
    return min(_by_claimant(statements).values())


def _by_claimant(statements: Sequence[_Statement]) -> dict[str, int]:
    highest: dict[str, int] = {}
    for statement in statements:
        name = statement.claimant or ""
        highest[name] = max(highest.get(name, 0), statement.value)
    return highest


def _bounds_only(entries: Sequence[LedgerEntry], total: int | None) -> Tally | None:
    lows = [entry.tally.low for entry in entries if entry.tally.low is not None]
    highs = [entry.tally.high for entry in entries if entry.tally.high is not None]
    if not lows and not highs and total is None:
        return None
    return Tally(low=max(lows, default=None), high=max(highs, default=None), total=total)


def _differing(ledger: Sequence[LedgerEntry], kind: Kind) -> list[str]:
    entries = [entry for entry in ledger if entry.main and entry.kind == kind and entry.claimant]
    claims = _by_claimant(_standing(entries, "best"))
    if len(set(claims.values())) < 2:
        return []
    return [f"{count} {kind} according to {claimant}" for claimant, count in sorted(claims.items())]
