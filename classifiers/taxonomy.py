"""The 23 signals: what one news item may report about armed conflict, and what each is worth.

Scores follow PLOVER's conflict-cooperation scale (-10 … +10); where the field gives a signal two modes, the
score is theirs in the middle or that of the usual one, as the comment says. One deliberate departure: a
supplier's arms and training (``foreign_involvement``) count as escalation, although dyadic scores call them
cooperation, because the reader asks what they do to the war.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Group = Literal["violence", "impact", "build-up", "de-escalation"]


@dataclass(frozen=True, slots=True)
class Signal:
    """One entry of the taxonomy. ``score`` is ``None`` where the signal is an attribute of other events."""

    id: str
    name: str
    description: str
    group: Group
    score: float | None
    plover: str
    acled: str
    escalates: bool
    """True where it makes things worse, False where it calms."""


def _worse(id_: str, name: str, group: Group, score: float | None, plover: str, acled: str, text: str) -> Signal:
    return Signal(id_, name, text, group, score, plover, acled, escalates=True)


def _calms(id_: str, name: str, score: float, plover: str, acled: str, text: str) -> Signal:
    return Signal(id_, name, text, "de-escalation", score, plover, acled, escalates=False)


SIGNALS: tuple[Signal, ...] = (
    _worse(
        "armed_clash", "armed clash", "violence", -9.0, "ASSAULT firearms", "Battles › Armed clash",
        "Fighting between armed actors: offensives, firefights, raids, cross-border fire, insurgent attacks.",
    ),
    _worse(
        "remote_strike", "air, drone or artillery strike", "violence", -9.5,
        "ASSAULT aerial / drone / heavy-weapons", "Explosions/Remote violence › Air/drone strike; Shelling",
        "Air, drone, missile, rocket, artillery or naval strikes, shelling, and their interception.",
    ),
    _worse(
        "bombing", "bombing", "violence", -9.0, "ASSAULT explosives / suicide-attack",
        "Explosions/Remote violence › Suicide bomb; Remote explosive/landmine/IED; Grenade",
        "Improvised or planted explosives: car bomb, suicide bomb, IED, mine, grenade.",
    ),
    _worse(
        "civilian_attack", "attack on civilians", "violence", -9.5, "ASSAULT targeted",
        "Violence against civilians › Attack; Sexual violence",
        "Deliberate violence against civilians for political, ethnic, religious or terrorist ends.",
    ),
    _worse(
        "abduction", "abduction", "violence", -8.5, "ASSAULT abduct",
        "Violence against civilians › Abduction/forced disappearance",
        "Kidnapping, hostage-taking, hijack, forced disappearance, capture of soldiers.",
    ),
    _worse(
        "territory_change", "ground changes hands", "violence", -7.0, "COERCE seize",
        "Battles › Government regains territory; Non-state actor overtakes territory",
        "An armed actor takes, retakes, encircles or loses ground, a town, a base, a border post.",
    ),
    _worse(
        "casualties", "casualties", "impact", None, "attribute of the event", "fatalities",
        "People killed or wounded by conflict violence or by violent unrest.",
    ),
    _worse(
        "displacement", "displacement and siege", "impact", -5.0, "extension", "Strategic developments › Other",
        "People flee or are driven out, besieged, starved or cut off by conflict.",
    ),
    _worse(
        "mobilisation", "mobilisation", "build-up", -6.5, "MOBILIZE troops / weapons / militia",
        "Strategic developments › Other",
        "Troops, weapons, reserves or militias are raised, deployed, reinforced or put on alert; war games.",
    ),
    _worse(
        "threat", "threat of force", "build-up", -3.5, "THREATEN violence / territory", "",
        "A threat or ultimatum of force, a declaration of war, a vow to retaliate.",
    ),
    _worse(
        "foreign_involvement", "foreign involvement", "build-up", -5.0, "AID, MOBILIZE or ASSAULT by a third party",
        "", "An outside state's military part in somebody's conflict, or the accusation of it.",
    ),
    _worse(
        "sanctions", "sanctions and broken ties", "build-up", -6.0, "SANCTION discontinue / expel", "",
        "Sanctions, embargo, expelled diplomats, severed relations, closed borders, suspended treaties.",
    ),
    _worse(
        "unrest", "unrest", "build-up", -6.0, "PROTEST demo (-5) / riot (-7)", "Protests; Riots",
        "Mass protest, riot, general strike, deadly crackdown.",
    ),
    _worse(
        "power_seizure", "seizure of power", "build-up", -7.5, "COERCE martial-law",
        "Strategic developments › Non-violent transfer of territory / Other",
        "Coup or attempted coup, mutiny, martial law, political state of emergency, overthrow.",
    ),
    _worse(
        "wmd", "nuclear, chemical, biological", "build-up", -6.5, "MOBILIZE weapons; ASSAULT unconventional (-10)",
        "Explosions/Remote violence › Chemical weapon",
        "Nuclear, chemical or biological weapons or programmes, ballistic-missile tests, threats to plants.",
    ),
    _calms(
        "ceasefire_proposal", "ceasefire proposed", 1.75, "REQUEST yield (-1) / CONCEDE (+4.5)", "",
        "A ceasefire, truce or halt of fire is offered, asked for, urged or under negotiation.",
    ),
    _calms(
        "ceasefire_agreement", "ceasefire agreed", 7.5, "RETREAT ceasefire", "Strategic developments › Agreement",
        "A ceasefire is agreed, declared, in force, extended.",
    ),
    Signal(
        "ceasefire_breakdown", "ceasefire rejected or broken",
        "A ceasefire is rejected, violated, expires, collapses, or its breach is alleged.",
        "de-escalation", -5.5, "REJECT yield (-2); CAMEO 196 violate ceasefire (-9)", "", escalates=True,
    ),
    _calms(
        "talks", "talks", 2.5, "CONSULT / third-party / multilateral", "",
        "Negotiation, mediation, summit or envoy mission about a conflict or a dispute between states.",
    ),
    _calms(
        "peace_agreement", "peace agreement", 9.5, "AGREE / COOPERATE", "Strategic developments › Agreement",
        "A peace accord, treaty, normalisation, power-sharing or disarmament deal is reached or signed.",
    ),
    _calms(
        "withdrawal", "withdrawal", 8.0, "RETREAT withdraw / disarm",
        "Strategic developments › Disrupted weapons use / Other",
        "Forces pull out or back, demobilise, disarm, surrender.",
    ),
    _calms(
        "release", "release or exchange", 6.5, "RETREAT release", "",
        "Prisoners, hostages or remains are freed or exchanged.",
    ),
    _calms(
        "humanitarian_access", "humanitarian access", 6.5, "RETREAT access / AID", "",
        "Aid convoys, corridors, evacuations of civilians, peacekeepers or monitors are let in.",
    ),
)  # fmt: skip

SIGNAL_IDS: tuple[str, ...] = tuple(signal.id for signal in SIGNALS)
VIOLENCE: frozenset[str] = frozenset(signal.id for signal in SIGNALS if signal.group == "violence")
BY_ID: dict[str, Signal] = {signal.id: signal for signal in SIGNALS}

_UNCONVENTIONAL = -10.0
_KILLING_BY_UNSTATED_MEANS = -9.0


def taxonomy_hash() -> str:
    """Names this list of signals: a model made for another one is refused."""
    return hashlib.sha256("\n".join(SIGNAL_IDS).encode()).hexdigest()[:16]


def signed_score(labels: Iterable[str]) -> float:
    """The item's place between conflict (-10) and cooperation (+10): its worst news plus its best.

    Parameters
    ----------
    labels
        ids of the raised signals, in any order.

    An item that reports a battle (-9) and a ceasefire in force (+7.5) stands at -1.5; casualties of violence that
    the item does not name count like an assault; a weapon of mass destruction that killed counts -10.
    """
    raised = set(labels)
    scores = [score for label in raised if (score := BY_ID[label].score) is not None]
    if "casualties" in raised:
        scores.append(_UNCONVENTIONAL if _is_unconventional(raised) else _KILLING_BY_UNSTATED_MEANS)
    worst = min((s for s in scores if s < 0), default=0.0)
    best = max((s for s in scores if s > 0), default=0.0)
    return round(worst + best, 2)


def _is_unconventional(raised: set[str]) -> bool:
    return "wmd" in raised and raised <= {"wmd", "casualties", "civilian_attack"}
