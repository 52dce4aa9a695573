"""Deciding under a surge: stories of the country become urgent, the verdict names it, and nothing unrecorded counts."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.alerts.judge import JudgePolicy
from bot.decide import Decider, Judged
from bot.model import Item, RouteState, Urgency, VerdictKind
from bot.model.messages import Alert
from bot.stories.grouping import Grouper
from bot.stories.rates import Rates, Sighting
from tests.alerts.builders import subscription
from tests.stories.builders import NOON, item, read

SIDES = ("Karvin", "Darow", "Velin", "Oshta", "Marun", "Tibor", "Zalan", "Pekra")
EVENTS = (
    "Shells fall on the port of Karvin",
    "Gunmen storm a hotel beside Darow's railway",
    "Velin governor flees after mutiny in barracks",
    "Drones burn fuel depots near Oshta refinery",
    "Thousands walk from Marun towards camps abroad",
    "Negotiators leave Tibor without any signature",
    "Zalan hospital takes in wounded soldiers overnight",
    "Bridges over the Pekra blown up by retreating troops",
)


def learnt(days: int = 7) -> Rates:
    """Rates that know a week of ordinary news with one report about Yemen a day."""
    rates = Rates()
    for n in range(days * 200):
        at = NOON - timedelta(days=days) + timedelta(days=n / 200)
        rates.add([Sighting(at, "daily.example", ("YE",) if n % 200 == 7 else ())])
    return rates


def reports(count: int) -> list[Item]:
    """Reports of different events, by different outlets, within the hour before noon."""
    return [item(EVENTS[n], key=f"k{n}", hours=-0.5 + n / 20, outlet=f"o{n}.example") for n in range(count)]


def decided(decider: Decider, items: list[Item], now: datetime = NOON) -> Judged:
    understood = read("talks", severity="severe")
    return decider.judge(items, {one.uid: understood for one in items}, [subscription()], now)


def test_a_surge_makes_stories_urgent_and_is_named() -> None:
    """From the fifth report of an hour on, a country with one a day is urgent, and verdict and alert say so."""
    decider = Decider(Grouper(), JudgePolicy(), learnt())
    judged = decided(decider, reports(8))
    surges = [verdict.update.surge is not None for verdict in judged.verdicts]
    assert surges == [False] * 4 + [True] * 4
    urgencies = [verdict.update.story.urgency for verdict in judged.verdicts]
    assert urgencies == [Urgency.EXPECTED] * 4 + [Urgency.IMMEDIATE] * 4
    last = next(v for v in reversed(judged.verdicts) if v.kind is not VerdictKind.DROPPED)
    assert last.detail.endswith("reports about Yemen at 50+× the usual rate")
    routing = decider.route(judged, [subscription()], RouteState(), NOON)
    alerts = [one.content for one in routing.deliveries if isinstance(one.content, Alert)]
    assert alerts[-1].surge is not None
    assert alerts[-1].urgency is Urgency.IMMEDIATE
    assert alerts[0].surge is None


def test_what_was_not_recorded_never_came() -> None:
    """Where recording fails, the reports count once they come again, and only once."""
    decider = Decider(Grouper(), JudgePolicy(), learnt())
    before = decider.rates.dump()
    decided(decider, reports(8))
    decider.rollback()
    assert decider.rates.dump() == before
    judged = decided(decider, reports(4))
    decider.commit(judged, NOON)
    assert all(verdict.update.surge is None for verdict in judged.verdicts)


def test_old_news_and_copies_are_no_surge() -> None:
    """History does not count, nor do items first seen days later, nor one text carried by eight outlets."""
    old = [item(f"Shells fall on {side}", key=side, hours=-60, outlet=f"{side}.example") for side in SIDES]
    copies = [item("Shells fall on the port of Karvin", "Six were hurt.", key=side, outlet=side) for side in SIDES]
    for items, history in ((old, False), (reports(8), True), (copies, False)):
        decider = Decider(Grouper(), JudgePolicy(), learnt())
        understood = {one.uid: read("talks", severity="severe") for one in items}
        uids = frozenset(one.uid for one in items) if history else frozenset()
        judged = decider.judge(items, understood, [subscription()], NOON, history=uids)
        assert all(verdict.update.surge is None for verdict in judged.verdicts)
