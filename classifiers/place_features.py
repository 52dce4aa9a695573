"""What speaks for and against each country that a text names: the evidence that the scorer of places weighs.

Names themselves are masked, so that nothing of today's wars is learnt: a feature says "named after *in*", "its people are
the subject and a verb of saying follows", never which country it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

from classifiers.assessment import Field
from classifiers.gazetteer import Kind, fold
from classifiers.toponyms import Mention, Word

POWERS = frozenset({"US", "GB", "FR", "RU", "CN", "DE"})
"""States that comment on, arm and mediate in conflicts all over the world."""

_LETTER = {
    Kind.COUNTRY: "N", Kind.REGION: "R", Kind.CAPITAL: "P", Kind.CITY: "C", Kind.PEOPLE: "D",
    Kind.LEADER: "L", Kind.GROUP: "G", Kind.ROVING: "W",
}  # fmt: skip
_SMALL_CITY = 16 * 5
_LOCAL = frozenset("NRPC")
_NEAR = 3


class _Spoken(NamedTuple):
    words: Mapping[str, str]
    beginnings: Mapping[str, str]


@lru_cache(maxsize=1)
def _context() -> Mapping[str, _Spoken]:
    table: dict[str, _Spoken] = {}
    source = (files("classifiers") / "gazetteer" / "context.tsv").read_text("utf-8")
    for line in source.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        language, label, listed = line.split("\t")
        spoken = table.setdefault(language, _Spoken({}, {}))
        for word in listed.split(" "):
            place = spoken.beginnings if word.endswith("*") else spoken.words
            place.setdefault(fold(word.rstrip("*")), label)  # type: ignore[attr-defined]
    return table


def class_of(word: str, language: str) -> str | None:
    """The class of a folded word near a name ("LOC", "SAY", …), or ``None``."""
    spoken = _context().get(language)
    if spoken is None:
        return None
    label = spoken.words.get(word)
    if label or not spoken.beginnings:
        return label
    for length in range(min(len(word), 12), 1, -1):
        label = spoken.beginnings.get(word[:length])
        if label:
            return label
    return None


class Masked(NamedTuple):
    """A field's words with every name put as a letter for its kind, and the class of each word."""

    words: list[str]
    classes: list[str]
    sentences: list[int]


def mask(words: Sequence[Word], mentions: Sequence[Mention], language: str) -> tuple[Masked, list[int]]:
    """The masked words of one field, and where among them each mention stands."""
    masked = Masked([], [], [])
    spots: list[int] = []
    starts = {m.first: m for m in reversed(mentions)}
    at = 0
    while at < len(words):
        mention = starts.get(at)
        if mention is None:
            masked.words.append(words[at].text)
            masked.classes.append(class_of(words[at].text, language) or "-")
            masked.sentences.append(words[at].sentence)
            at += 1
            continue
        for _ in [m for m in mentions if m.first == at]:
            spots.append(len(masked.words))
        token = f"<{letter_of(mention)}>"
        masked.words.append(token)
        masked.classes.append(token)
        masked.sentences.append(words[at].sentence)
        at = mention.last
    return masked, spots


def letter_of(mention: Mention) -> str:
    """One letter for the kind of a mention; "c" for a small town."""
    entry = mention.entries[0]
    if entry.kind is Kind.CITY and entry.weight < _SMALL_CITY:
        return "c"
    return _LETTER[entry.kind]


class Evidence(NamedTuple):
    """The features of one candidate country."""

    country: str
    features: list[str]


def _around(row: Sequence[str], sentences: Sequence[int], spot: int) -> list[str]:
    """The three neighbours on each side within the sentence; "^" and "$" stand for its ends."""
    here = sentences[spot]
    near: list[str] = []
    for step in (-3, -2, -1):
        at = spot + step
        near.append(row[at] if at >= 0 and sentences[at] == here else "^")
    for step in (1, 2, 3):
        at = spot + step
        near.append(row[at] if at < len(row) and sentences[at] == here else "$")
    return near


def _local(letter: str, prefix: str, near: list[str]) -> Iterator[str]:
    p3, p2, p1, n1, n2, n3 = near
    yield f"{prefix}{letter} p1={p1}"
    yield f"{prefix}{letter} n1={n1}"
    yield f"{prefix}p1={p1}"
    yield f"{prefix}n1={n1}"
    yield f"{prefix}{letter} p2={p2} {p1}"
    yield f"{prefix}{letter} n2={n1} {n2}"
    yield f"{prefix}{letter} {p1} _ {n1}"
    for word in {p3, p2}:
        yield f"{prefix}b={word}"
    for word in {n2, n3}:
        yield f"{prefix}a={word}"


def mention_features(mention: Mention, masked: Masked, spot: int, *, lexical: bool) -> Iterator[str]:
    """What the surroundings of one mention say."""
    letter = letter_of(mention)
    sentence = masked.sentences[spot]
    where = "T" if mention.field == "title" else "S" if sentence == 0 else "Z"
    yield letter
    yield f"{letter}@{where}"
    near = _around(masked.classes, masked.sentences, spot)
    yield from _local(letter, "#", near)
    start = spot
    while start and masked.sentences[start - 1] == sentence:
        start -= 1
    end = spot
    while end < len(masked.words) and masked.sentences[end] == sentence:
        end += 1
    before, after = masked.classes[start:spot], masked.classes[spot + 1 : end]
    for label in _LABELS:
        if label in before[-8:]:
            yield f"{letter} <{label}"
            yield f"<{label}"
        if label in after[:8]:
            yield f"{letter} >{label}"
            yield f">{label}"
    if not any(b.startswith("<") for b in before):
        yield f"{letter} first"
        yield f"{letter} first@{where}"
    if spot - start <= 1:
        yield f"{letter} subject"
    if lexical:
        yield from _local(letter, "", _around(masked.words, masked.sentences, spot))
        for word in masked.words[max(start, spot - 6) : spot]:
            yield f"w<{word}"
        for word in masked.words[spot + 1 : min(end, spot + 7)]:
            yield f"w>{word}"


_LABELS = ("SAY", "HIT", "OFFICIAL", "GEO", "EVENT", "SANCTION", "HELP", "MEET", "LOC", "AGAINST", "TO", "FROM")


def gather(
    words: Mapping[Field, Sequence[Word]], mentions: Sequence[Mention], language: str, *, lexical: bool
) -> list[Evidence]:
    """The features of every candidate country of a text, in the order in which they are named."""
    features: dict[str, dict[str, None]] = {}
    letters: dict[str, list[str]] = {}
    located: set[str] = set()
    for field in ("title", "summary"):
        here = [m for m in mentions if m.field == field]
        masked, spots = mask(words[field], here, language)
        for mention, spot in zip(here, spots, strict=True):
            local = list(mention_features(mention, masked, spot, lexical=lexical))
            letter = letter_of(mention)
            for country in dict.fromkeys(e.country for e in _meant(mention)):
                features.setdefault(country, {}).update(dict.fromkeys(local))
                letters.setdefault(country, []).append(letter)
                if letter.upper() in _LOCAL and masked.classes[spot - 1 : spot] == ["LOC"]:
                    located.add(country)
    return [
        Evidence(country, [*features[country], *_standing(country, number, letters, located)])
        for number, country in enumerate(letters)
    ]


def _meant(mention: Mention) -> tuple:  # type: ignore[type-arg]
    return mention.entries if mention.entries[0].kind is Kind.ROVING else mention.entries[:1]


def _standing(country: str, number: int, letters: Mapping[str, list[str]], located: set[str]) -> Iterator[str]:
    """How a candidate stands among the others of the text."""
    own = letters[country]
    kinds = "".join(sorted(set(own)))
    count = min(len(letters), 5)
    total = sum(map(len, letters.values()))
    yield f"of {count}"
    yield f"of {count} nr {min(number, 3)}"
    yield f"{kinds} of {count}"
    yield f"{kinds} nr {min(number, 3)}"
    yield f"share {min(9, 10 * len(own) // total)} of {count}"
    yield f"times {min(len(own), 4)}"
    most = max(len(v) for c, v in letters.items() if c != country) if len(letters) > 1 else 0
    yield f"lead {max(-2, min(2, len(own) - most))} of {count}"
    others = set().union(*(v for c, v in letters.items() if c != country)) if len(letters) > 1 else set()
    placed = {o.upper() for o in others} & _LOCAL
    mine = {o.upper() for o in own} & _LOCAL
    yield f"{''.join(sorted(mine)) or '0'} vs {''.join(sorted(placed)) or '0'}"
    yield f"{kinds} vs {''.join(sorted(placed)) or '0'}"
    yield f"in {country in located} others {bool(located - {country})}"
    yield f"{kinds} in {country in located} others {bool(located - {country})}"
    if country in POWERS:
        yield "power"
        yield f"power {kinds}"
        yield f"power of {count}"
        yield f"power in {country in located} others {bool(located - {country})}"
    elif POWERS & set(letters):
        yield "beside power"
        yield f"beside power {kinds}"
