"""How many were killed and injured in the main event of an item, and every figure that it states.

Candidates are sums of mentions (``mentions.py``); a small log-linear model over the features of ``toll_features.py``
ranks them together with giving no number. Its weights are learned by ``train_tolls.py`` and lie in ``tolls.json``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import combinations
from typing import Literal, NamedTuple

from classifiers.assessment import Figure, Text, Toll
from classifiers.claims import claimants
from classifiers.lexicon import load_lexicon
from classifiers.mentions import HARM, Kind, Mention, counts_nobody
from classifiers.passage import Passage, read_passages
from classifiers.toll_features import TollFeatures
from classifiers.toll_scene import mentions_of

_FORMAT = 1
_LEAST: Mapping[Kind, float] = {"killed": 0.5, "injured": 0.2}
"""From this product of chances on a number is given; one item in a hundred that states none then gets one."""
_LEAST_CHANCE = 0.3
_LONG, _WAR = 300, 5000
"""From these numbers on dead "since the fighting began", or dead at all, are those of a war."""
_LABELLED = 0.95
_LURES = {"accident": 1.5, "crime": 1.0}
"""Log-odds that words of accidents and of ordinary crime take off the chance of casualties."""
_FIGURE_REACH = 6.0
_FIGURE_KINDS: Mapping[Kind, Literal["killed", "injured", "captured", "abducted", "displaced", "fighters"]] = {
    "killed": "killed",
    "injured": "injured",
    "captured": "captured",
    "abducted": "abducted",
    "displaced": "displaced",
    "sent": "fighters",
}


@dataclass(frozen=True, slots=True)
class TollReading:
    """What :func:`read_toll` found; ``None`` where the item states nothing of the kind."""

    killed: Toll | None
    injured: Toll | None
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class TollModel:
    """Weights of the features for each kind of harm, and what giving no number is worth beside them."""

    weights: Mapping[Kind, Mapping[str, float]]
    bias: Mapping[Kind, float]

    def rank(self, scene: TollFeatures) -> list[tuple[float, tuple[int, ...]]]:
        """Score and members of every possible toll, best first; no members stand for giving no number."""
        weights = self.weights[scene.kind]
        count = len(scene.mentions)
        own = [_sum(weights, scene.mention_features(at)) for at in range(count)]
        pairs = {(i, j): _sum(weights, scene.pair_features(i, j)) for i in range(count) for j in range(i + 1, count)}
        none = _sum(weights, scene.null_features()) + self.bias[scene.kind]
        ranked: list[tuple[float, tuple[int, ...]]] = [(none, ())]
        ranked += [
            (
                sum(own[at] for at in members)
                + sum(pairs[pair] for pair in combinations(members, 2))
                + _sum(weights, scene.set_features(members)),
                members,
            )
            for members in scene.sums()
        ]
        return sorted(ranked, key=lambda entry: -entry[0])

    def choose(self, scene: TollFeatures) -> Choice:
        """The best number, its members and how likely it is that the item gives any number at all.

        Ways to the same number are added up before numbers are compared.
        """
        if not scene.mentions:
            return Choice(None, (), 0.0)
        ranked = self.rank(scene)
        mass: dict[int | None, float] = {}
        for score, members in ranked:
            value = scene.value_of(members)
            mass[value] = mass.get(value, 0.0) + math.exp(score - ranked[0][0])
        none = mass.pop(None)
        best = max(mass, key=lambda value: mass[value])
        members = next(members for _, members in ranked if scene.value_of(members) == best)
        return Choice(best, members, mass[best] / (mass[best] + none))


class Choice(NamedTuple):
    """What :meth:`TollModel.choose` found."""

    value: int | None
    members: tuple[int, ...]
    chance: float
    """Of the number against none, given that the item reports casualties."""


def _sum(weights: Mapping[str, float], features: Sequence[str]) -> float:
    return sum(weights.get(feature, 0.0) for feature in features)


@cache
def load_toll_model() -> TollModel:
    """The shipped weights. Raises ``ValueError`` where the file is of another format."""
    path = files("classifiers") / "tolls.json"
    return parse_toll_model(path.read_text(encoding="utf-8"), "tolls.json")


def parse_toll_model(source: str, origin: str) -> TollModel:
    """Reads weights written by :func:`dump_toll_model`. ``origin`` names the file in errors."""
    data = json.loads(source)
    if data.get("format") != _FORMAT:
        raise ValueError(f"{origin}: format is {data.get('format')!r}, this version reads {_FORMAT}")
    weights: Mapping[str, Sequence[float]] = data["weights"]
    return TollModel(
        weights={kind: {f: w[at] for f, w in weights.items() if w[at]} for at, kind in enumerate(HARM)},
        bias={kind: float(data["bias"][kind]) for kind in HARM},
    )


def dump_toll_model(model: TollModel) -> str:
    """The JSON text of a model, the same for the same weights."""
    names = sorted({feature for kind in HARM for feature in model.weights[kind]})
    weights = {name: [round(model.weights[kind].get(name, 0.0), 3) for kind in HARM] for name in names}
    weights = {name: values for name, values in weights.items() if any(values)}
    data = {"format": _FORMAT, "bias": dict(model.bias), "weights": weights}
    return json.dumps(data, ensure_ascii=False, indent=0, sort_keys=True) + "\n"


# ---------------------------------------------------------------------------------------------------- reading


def read_toll(
    text: Text, language: str, labels: Collection[str], probabilities: Mapping[str, float] | None = None
) -> TollReading:
    """The toll of the main violent event that ``text`` reports.

    Parameters
    ----------
    language
        ISO 639-1 code; without a lexicon for it nothing is read.
    labels
        the signals raised for the text.
    probabilities
        the probability of each signal, where known; else ``casualties`` counts as sure as far as it is raised. A
        number is given where the chance that the item reports casualties of ours, times the chance that it gives
        one for them, is high enough: the dead of accidents, crime and disease are none of ours.
    """
    lexicon = load_lexicon(language)
    chance = probabilities["casualties"] if probabilities else _LABELLED if "casualties" in labels else 0.0
    if lexicon is None or not (labels or chance >= _LEAST_CHANCE):
        return TollReading(None, None, ())
    passages = read_passages(text, lexicon)
    mentions = mentions_of(passages)
    chance = _lured(chance, passages)
    killed, injured = (_toll(TollFeatures(passages, kind, mentions), passages, chance) for kind in HARM)
    harmed = killed is not None or injured is not None
    figures = [figure for figure in _figures(passages, mentions) if harmed or figure.kind not in HARM]
    return TollReading(killed, injured, tuple(figures))


def _lured(chance: float, passages: Sequence[Passage]) -> float:
    """The chance of casualties of ours after words of accidents and crime have counted against it."""
    against = sum(weight for key, weight in _LURES.items() if any(key in p.matches for p in passages))
    odds = chance / max(1.0 - chance, 1e-9) * math.exp(-against)
    return odds / (1.0 + odds)


def _toll(scene: TollFeatures, passages: Sequence[Passage], chance: float) -> Toll | None:
    choice = load_toll_model().choose(scene)
    given = chance * choice.chance >= _LEAST[scene.kind]
    members = [scene.mentions[at] for at in choice.members] if given else []
    if scene.kind == "killed" and choice.value and members and _is_of_a_war(members, choice.value):
        return Toll(total=choice.value)
    best = choice.value if given else None
    if best is None and chance < _LEAST_CHANCE:
        return None
    total = _total(scene, members, best, passages)
    if best is None:
        words = _words(scene)
        return Toll(total=total, words=words) if words or total else None
    low, high = _bounds(members, best)
    return Toll(low=low, best=best, high=high, total=total)


def _is_of_a_war(members: Sequence[Mention], value: int) -> bool:
    """Whether a number is too large, or large and said to be since a time, to be that of one event."""
    since = all("cumulative" in member.flags for member in members)
    return value >= _WAR or (since and value >= _LONG)


def _bounds(members: Sequence[Mention], best: int) -> tuple[int | None, int | None]:
    """Lowest and highest stated number; "at least" leaves the top open, "up to" the bottom."""
    if any(m.number.low is not None for m in members):
        low = sum(m.number.low or m.number.best or 0 for m in members)
        return low, sum(m.number.high or m.number.best or 0 for m in members)
    flags = frozenset().union(*(m.flags for m in members))
    if "at_least" in flags:
        return best, None
    if "up_to" in flags:
        return None, best
    return best, best


def _total(
    scene: TollFeatures, members: Sequence[Mention], best: int | None, passages: Sequence[Passage]
) -> int | None:
    """A cumulative figure stated beside the toll of the event."""
    fields = {passage.field: passage for passage in passages}
    totals = [
        mention.number.best
        for mention in scene.near
        if mention.number.best is not None
        and not mention.is_single
        and not any(mention is member for member in members)
        and is_cumulative(fields[mention.field], mention)
    ]
    greater = [total for total in totals if total > (best or 0)]
    return max(greater, default=None)


def is_cumulative(passage: Passage, mention: Mention) -> bool:
    """Whether a number counts the dead of a whole war or year rather than of one event."""
    if mention.flags & {"total_near", "cumulative"}:
        return True
    return "since" in passage.keys_of(mention.number.sentence)


def _words(scene: TollFeatures) -> str | None:
    """What the item says in place of a number ("dozens")."""
    vague = [m for m in scene.all if m.form == "vague" and m.kind == scene.kind]
    plain = [m for m in vague if m.cost(scene.kind) <= _FIGURE_REACH and "not_people_after" not in m.flags]
    return plain[0].number.words if plain else None


def _figures(passages: Sequence[Passage], mentions: Sequence[Mention]) -> Iterator[Figure]:
    """Every stated number of people with what was done to them."""
    fields = {passage.field: passage for passage in passages}
    sources = {passage.field: claimants(passage) for passage in passages}
    for mention in mentions:
        kind = _FIGURE_KINDS.get(mention.kind) if mention.kind else None
        if kind is None or mention.is_single or counts_nobody(mention):
            continue
        if mention.kind == "sent" or mention.cost(mention.kind or "other") <= _FIGURE_REACH:
            claimant = sources[mention.field].get(mention.number.sentence)
            yield _figure(fields[mention.field], mention, kind, claimant)


def _figure(
    passage: Passage,
    mention: Mention,
    kind: Literal["killed", "injured", "captured", "abducted", "displaced", "fighters"],
    claimant: str | None,
) -> Figure:
    number = mention.number
    low, high = _bounds([mention], number.best) if number.best is not None else (None, None)
    return Figure(
        kind=kind,
        low=low,
        best=number.best,
        high=high,
        field=mention.field,
        start=number.start,
        end=number.end,
        cumulative=is_cumulative(passage, mention),
        who=mention.who,
        party=mention.party,
        claimant=claimant,
        words=number.words,
    )
