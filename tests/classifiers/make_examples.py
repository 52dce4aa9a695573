"""Small sets of annotated items, written here, that a model can be trained on within a second."""

from __future__ import annotations

from classifiers.assessment import Text
from classifiers.examples import Example

_PLACES = ("Arvend", "Belmora", "Castun", "Dorvik", "Elsava", "Fenroth", "Garlund", "Hestova", "Ilmara", "Jorvey")
_ITEMS: tuple[tuple[str, str, tuple[str, ...], int], ...] = (
    ("Shells hit {} overnight", "Artillery fire damaged houses.", ("remote_strike",), 2),
    ("Missile strike on {} kills 12", "Rescuers search the rubble.", ("remote_strike", "casualties"), 3),
    ("Air raid on {} kills 40", "The market was full.", ("remote_strike", "casualties"), 4),
    ("Truce offered in {}", "The government proposes a ceasefire.", ("ceasefire_proposal",), 1),
    ("Peace talks open in {}", "Envoys meet for negotiations.", ("talks",), 1),
    ("{} wins the cup final", "Two late goals decide the match.", (), 0),
    ("Bakers of {} raise prices", "Flour has become dear.", (), 0),
    ("Flood closes roads near {}", "Nobody was hurt.", (), 0),
)


def small_examples() -> tuple[Example, ...]:
    """Eighty items: eight kinds in ten invented places, one a day and place."""
    return tuple(
        Example(
            id=f"{number}-{day}",
            text=Text(title.format(place), summary, "en"),
            signals=frozenset(signals),
            severity=severity,
            source="made",
            date=f"2031-01-{day + 1:02d}",
        )
        for day, place in enumerate(_PLACES)
        for number, (title, summary, signals, severity) in enumerate(_ITEMS)
    )
