"""The life of a ceasefire: proposed → agreed → in force → violated → collapsed, or extended, or rejected.

An item moves it by its strongest ceasefire signal, read together with the words that stand for the finer phases.
Each move keeps the item that made it. What is older than the last move changes nothing, and a move back ("offered"
after "agreed") needs to be a new beginning: hours later, after a refusal, a breach or a collapse, and in the title.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from bot.model import Item, Phase, PhaseStep
from classifiers.assessment import Assessment

from .text import lead, words

PROPOSAL, AGREEMENT, BREAKDOWN = "ceasefire_proposal", "ceasefire_agreement", "ceasefire_breakdown"
CEASEFIRE = (BREAKDOWN, AGREEMENT, PROPOSAL)
"""In the order that decides between equal probabilities: the news is what happened last."""

NEW_START = timedelta(hours=6)
"""How much later than the last move an item must be to begin anew; outlets lag behind by hours, not by half a day."""

_FORWARD: Mapping[Phase | None, frozenset[Phase]] = {
    None: frozenset(Phase),
    Phase.PROPOSED: frozenset(Phase) - {Phase.PROPOSED},
    Phase.REJECTED: frozenset({Phase.AGREED, Phase.IN_FORCE}),
    Phase.AGREED: frozenset({Phase.IN_FORCE, Phase.EXTENDED, Phase.VIOLATED, Phase.COLLAPSED}),
    Phase.IN_FORCE: frozenset({Phase.EXTENDED, Phase.VIOLATED, Phase.COLLAPSED}),
    Phase.EXTENDED: frozenset({Phase.VIOLATED, Phase.COLLAPSED}),
    Phase.VIOLATED: frozenset({Phase.EXTENDED, Phase.COLLAPSED}),
    Phase.COLLAPSED: frozenset(),
}
_ANEW: Mapping[Phase | None, frozenset[Phase]] = {
    Phase.REJECTED: frozenset({Phase.PROPOSED}),
    Phase.EXTENDED: frozenset({Phase.AGREED}),
    Phase.VIOLATED: frozenset({Phase.PROPOSED, Phase.AGREED, Phase.IN_FORCE}),
    Phase.COLLAPSED: frozenset({Phase.PROPOSED, Phase.AGREED, Phase.IN_FORCE}),
}


def _folded(*stems: str) -> tuple[str, ...]:
    return tuple(" ".join(words(stem)) for stem in stems)


_EXTENDED_WORDS = _folded(
    "extend", "extension", "prolong", "renew", "продл", "продовж", "prorog", "prórrog", "prorrog", "przedłuż",
    "verlänger", "uzat", "تمدید", "تمديد", "延长", "延長", "הארכ",
)  # fmt: skip
_IN_FORCE_WORDS = _folded(
    "takes effect", "took effect", "comes into force", "came into force", "comes into effect", "came into effect",
    "goes into effect", "went into effect", "enters into force", "in force", "in effect", "holding", "holds",
    "вступи", "набул", "набра", "entre en vigueur", "est entre en vigueur", "entra en vigor", "entro en vigor",
    "weszl", "wchodzi w zycie", "in kraft", "yururluge", "دخل حيز", "生效",
)  # fmt: skip
_COLLAPSED_WORDS = _folded(
    "collaps", "expire", "falls apart", "fell apart", "breaks down", "broke down", "unravel", "is over", "ends",
    "сорва", "рухну", "истек", "закінчи", "s'effondr", "effondr", "expir", "colaps", "wygas", "zerwan", "scheiter",
    "sona erdi", "انهار", "破裂",
)  # fmt: skip
_REJECTED_WORDS = _folded(
    "reject", "refus", "rule out", "rules out", "ruled out", "dismiss", "turns down", "turned down", "spurn",
    "отверг", "отклон", "отказ", "відхил", "відмов", "rejett", "rechaz", "odrzuc", "lehnt", "ablehn", "redde",
    "رفض", "رد کرد", "拒绝",
)  # fmt: skip


_CEASEFIRE_WORDS = _folded(
    "ceasefire", "truce", "armistice", "cessation of hostilities", "halt to fighting", "cessez le feu", "treve",
    "alto el fuego", "tregua", "cessar fogo", "cessate il fuoco", "waffenruhe", "waffenstillstand", "feuerpause",
    "перемир", "прекращени", "припинення вогню", "ateskes", "وقف", "هدنه", "هدنة", "اتش بس", "הפסקת אש",
    "zawieszeni", "rozejm", "հրադադար", "զինադադար", "staakt het vuren", "gencatan senjata", "停火", "休战", "休戰",
)  # fmt: skip


def phase_of(item: Item, assessment: Assessment) -> Phase | None:
    """The phase that an item speaks of, or None where it speaks of no ceasefire."""
    raised = [signal for signal in CEASEFIRE if signal in assessment.labels]
    if not raised:
        return None
    signal = max(raised, key=lambda name: assessment.signals.get(name, 0.0))
    text = f" {' '.join(words(f'{item.title}. {lead(item.summary)}'))} "
    if signal == PROPOSAL:
        return Phase.PROPOSED
    return _agreement(text) if signal == AGREEMENT else _breakdown(text)


def move(steps: Sequence[PhaseStep], phase: Phase | None, item: Item) -> tuple[PhaseStep, ...]:
    """The steps with the one that this item makes, if it makes one."""
    last = steps[-1] if steps else None
    now = last.phase if last else None
    if phase is None or (last is not None and item.published < last.at):
        return tuple(steps)
    target = Phase.REJECTED if (now, phase) == (Phase.PROPOSED, Phase.VIOLATED) else phase
    if not _may(now, target, item, last):
        return tuple(steps)
    return (*steps, PhaseStep(target, item.published, item.uid))


def _may(now: Phase | None, target: Phase, item: Item, last: PhaseStep | None) -> bool:
    if target in _FORWARD[now]:
        return True
    anew = target in _ANEW.get(now, frozenset()) and last is not None and item.published - last.at >= NEW_START
    return anew and _any_of(f" {' '.join(words(item.title))} ", _CEASEFIRE_WORDS)


def _agreement(text: str) -> Phase:
    if _any_of(text, _EXTENDED_WORDS):
        return Phase.EXTENDED
    return Phase.IN_FORCE if _any_of(text, _IN_FORCE_WORDS) else Phase.AGREED


def _breakdown(text: str) -> Phase:
    if _any_of(text, _COLLAPSED_WORDS):
        return Phase.COLLAPSED
    return Phase.REJECTED if _any_of(text, _REJECTED_WORDS) else Phase.VIOLATED


def _any_of(text: str, stems: Sequence[str]) -> bool:
    """True where a word of the text begins with one of the stems."""
    return any(f" {stem}" in text for stem in stems)
