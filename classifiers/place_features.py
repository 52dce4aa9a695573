"""What speaks for and against each country that a text names: the evidence that the scorer of places weighs.

Names themselves are masked, so that nothing of today's wars is learnt: a feature says "named after *in*", "its people
are the subject and a verb of saying follows", never which country it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

from classifiers.assessment import Field
from classifiers.gazetteer import Kind, fold
from classifiers.inflection import script_of
from classifiers.toponyms import Mention, Word

POWERS = frozenset({"US", "GB", "FR", "RU", "CN", "DE"})
"""States that comment on, arm and mediate in conflicts all over the world."""

FRAGILE = frozenset(
    "AF BF BI CD CF CG CM ER ET GW HT IQ LB LY ML MM MZ NE NG PG PS SB SD SO SS SY TD TL UA VE XK YE ZW".split()
)
"""States in or near war: the World Bank's list of fragile and conflict-affected situations (fiscal year 2024)."""

RICH = frozenset("AE AT AU BE CA CH DE DK ES FI FR GB IE IS IT JP LU NL NO NZ PT QA SE SG US".split())
"""States that are seldom the scene of war and often speak of it."""

_LETTER = {
    Kind.COUNTRY: "N", Kind.REGION: "R", Kind.CAPITAL: "P", Kind.CITY: "C", Kind.PEOPLE: "D",
    Kind.LEADER: "L", Kind.GROUP: "G", Kind.ROVING: "W", Kind.PAIR: "N",
}  # fmt: skip
_SMALL_CITY = 16 * 5
_LOCAL = frozenset("NRPC")
_MANY = 5
_NEAR = 6
_FAR = 8


class _Spoken(NamedTuple):
    words: dict[str, str]
    beginnings: dict[str, str]


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
            kept = spoken.beginnings if word.endswith("*") else spoken.words
            kept.setdefault(fold(word.rstrip("*")), label)
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

    def add(self, word: str, label: str, sentence: int) -> None:
        """Appends one word."""
        self.words.append(word)
        self.classes.append(label)
        self.sentences.append(sentence)


def mask(words: Sequence[Word], mentions: Sequence[Mention], language: str) -> tuple[Masked, list[int]]:
    """The masked words of one field, and where among them each mention stands.

    What a language says with an ending or a glued particle ("Suriye'de", "בלבנון") is put as a word of its own before
    the name, so that all languages look like those with prepositions.
    """
    masked = Masked([], [], [])
    spots: list[int] = []
    starting: dict[int, list[Mention]] = {}
    for mention in mentions:
        starting.setdefault(mention.first, []).append(mention)
    at = 0
    while at < len(words):
        word = words[at]
        here = starting.get(at, [])
        if script_of(word.text) == "han":
            _mask_han(masked, spots, word, here)
        elif not here:
            masked.add(word.text, class_of(word.text, language) or "-", word.sentence)
        else:
            case, taken = case_of(here[0], words, language)
            if case:
                masked.add("'", case, word.sentence)
            spots.append(len(masked.words))
            token = f"<{letter_of(here[0])}>"
            masked.add(token, token, word.sentence)
            at = here[0].last - 1 + taken
        at += 1
    return masked, spots


def _mask_han(masked: Masked, spots: list[int], word: Word, mentions: Sequence[Mention]) -> None:
    """Chinese writes no blanks: a run of characters is cut into names, known words and the rest."""
    names = {mention.start - word.start: mention for mention in mentions}
    known = _context()["zh"].words
    at = 0
    while at < len(word.text):
        name = names.get(at)
        if name is not None:
            spots.append(len(masked.words))
            masked.add(f"<{letter_of(name)}>", f"<{letter_of(name)}>", word.sentence)
            at += name.end - name.start
            continue
        found = next((n for n in (3, 2, 1) if word.text[at : at + n] in known), 0)
        if found:
            masked.add(word.text[at : at + found], known[word.text[at : at + found]], word.sentence)
        elif not masked.words or masked.classes[-1] != "-":
            masked.add("-", "-", word.sentence)
        at += found or 1


_CASES: Mapping[str, Mapping[str, str]] = {
    "tr": {
        **dict.fromkeys(("de", "da", "te", "ta", "deki", "daki", "teki", "taki"), "LOC"),
        **dict.fromkeys(("den", "dan", "ten", "tan"), "FROM"),
        **dict.fromkeys(("e", "a", "ye", "ya", "i", "u", "yi", "yu", "ne", "na", "ni", "nu"), "OBJ"),
        **dict.fromkeys(("in", "un", "nin", "nun"), "OF"),
        **dict.fromkeys(("la", "le", "yla", "yle"), "WITH"),
    },
    "az": {
        **dict.fromkeys(("da", "de", "daki", "deki", "nda", "nde"), "LOC"),
        **dict.fromkeys(("dan", "den"), "FROM"),
        **dict.fromkeys(("a", "e", "ya", "ye", "i", "u", "ni", "nu", "na", "ne"), "OBJ"),
        **dict.fromkeys(("in", "un", "nin", "nun"), "OF"),
        **dict.fromkeys(("la", "le", "yla", "yle"), "WITH"),
    },
    "hy": {
        **dict.fromkeys(("ում", "յում"), "LOC"),
        **dict.fromkeys(("ից", "յից"), "FROM"),
        **dict.fromkeys(("ին", "յին", "ուն"), "OBJ"),
        **dict.fromkeys(("ի", "յի", "վի"), "OF"),
    },
    "he": {"ב": "LOC", "וב": "LOC", "שב": "LOC", "ל": "TO", "ול": "TO", "מ": "FROM", "ומ": "FROM", "ו": "AND"},
    "ar": {
        **dict.fromkeys(("ب", "وب", "بال", "وبال"), "LOC"),
        **dict.fromkeys(("ل", "لل", "ول"), "TO"),
        **dict.fromkeys(("و", "وال"), "AND"),
    },
}  # fmt: skip
"""Endings (Turkish, Azerbaijani, Armenian), glued particles (Hebrew, Arabic) and the class of word they stand for."""


def case_of(mention: Mention, words: Sequence[Word], language: str) -> tuple[str | None, int]:
    """What the ending or particle of a name says, and how many further words (after an apostrophe) it takes up.

    An object of a verb of striking that follows counts as struck, as it would stand after the verb in English.
    """
    cases = _CASES.get(language)
    if cases is None:
        return None, 0
    label, taken = None, 0
    after = words[mention.last] if mention.last < len(words) else None
    if (
        after
        and after.joined
        and after.start == mention.end + 1
        and language in ("tr", "az", "hy")
        and after.text in cases
    ):
        label, taken = cases[after.text], 1
    elif not mention.exact and language in ("he", "ar"):
        text = words[mention.first].text
        label = next((cases[text[:n]] for n in (4, 3, 2, 1) if len(text) - n > 1 and text[:n] in cases), None)
    elif not mention.exact:
        text = words[mention.last - 1].text
        label = next((cases[text[-n:]] for n in (4, 3, 2, 1) if len(text) - n > 2 and text[-n:] in cases), None)
    if label == "OBJ":
        rest = words[mention.last + taken : mention.last + taken + 6]
        struck = any(w.sentence == words[mention.first].sentence and class_of(w.text, language) == "HIT" for w in rest)
        label = "HIT" if struck else "TO"
    return label, taken


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
    start, end = spot, spot + 1
    while start and masked.sentences[start - 1] == sentence:
        start -= 1
    while end < len(masked.words) and masked.sentences[end] == sentence:
        end += 1
    yield letter
    yield f"{letter}@{where}"
    yield from _local(letter, "#", _around(masked.classes, masked.sentences, spot))
    yield from _labels(letter, "<", masked.classes[max(start, spot - _FAR) : spot])
    yield from _labels(letter, ">", masked.classes[spot + 1 : min(end, spot + 1 + _FAR)])
    if not any(label[0] == "<" for label in masked.classes[start:spot]):
        yield f"{letter} first"
        yield f"{letter} first@{where}"
    if spot - start <= 1:
        yield f"{letter} subject"
    if lexical:
        yield from _local(letter, "", _around(masked.words, masked.sentences, spot))
        yield from (f"w<{word}" for word in masked.words[max(start, spot - _NEAR) : spot])
        yield from (f"w>{word}" for word in masked.words[spot + 1 : min(end, spot + 1 + _NEAR)])


def _labels(letter: str, side: str, classes: Sequence[str]) -> Iterator[str]:
    for label in _LABELS:
        if label in classes:
            yield f"{letter} {side}{label}"
            yield f"{side}{label}"


_LABELS = ("SAY", "HIT", "OFFICIAL", "GEO", "EVENT", "SANCTION", "HELP", "MEET", "LOC", "AGAINST", "TO", "FROM")


def gather(
    words: Mapping[Field, Sequence[Word]], mentions: Sequence[Mention], language: str, *, lexical: bool
) -> list[Evidence]:
    """The features of every candidate country of a text, in the order in which they are named."""
    features: dict[str, dict[str, None]] = {}
    standing = Standing({}, set())
    said: dict[str, None] = {}
    for field in ("title", "summary"):
        here = [m for m in mentions if m.field == field]
        masked, spots = mask(words[field], here, language)
        said.update(dict.fromkeys(masked.words))
        for mention, spot in zip(here, spots, strict=True):
            local = dict.fromkeys(mention_features(mention, masked, spot, lexical=lexical))
            placed = masked.classes[spot - 1 : spot] == ["LOC"]
            for country in meant(mention):
                features.setdefault(country, {}).update(local)
                standing.add(country, letter_of(mention), placed=placed)
    topic = [word for word in said if word[0] != "<"] if lexical else []
    return [
        Evidence(country, [*own, *standing.features(country), *standing.topic(country, topic)])
        for country, own in features.items()
    ]


def meant(mention: Mention) -> list[str]:
    """The countries that a mention may point to: one, all of a group's that fights in several, or both of a pair."""
    entries = mention.entries if mention.entries[0].kind in (Kind.ROVING, Kind.PAIR) else mention.entries[:1]
    return list(dict.fromkeys(entry.country for entry in entries))


class Standing(NamedTuple):
    """How the candidates of a text stand to one another."""

    letters: dict[str, list[str]]
    """The kinds of mention of each country, in order."""
    located: set[str]
    """Countries of which a place is named after "in" or the like."""

    def add(self, country: str, letter: str, *, placed: bool) -> None:
        """Counts one mention."""
        self.letters.setdefault(country, []).append(letter)
        if placed and letter.upper() in _LOCAL:
            self.located.add(country)

    def topic(self, country: str, words: Sequence[str]) -> Iterator[str]:
        """What the text is about, as seen by a great power, another state, the only one named or one of several."""
        who = f"{'P' if country in POWERS else 'o'}{'1' if len(self.letters) == 1 else '+'}"
        return (f"{who} t={word}" for word in words)

    def features(self, country: str) -> Iterator[str]:
        """How one candidate stands among the others."""
        own = self.letters[country]
        kinds = "".join(sorted(set(own)))
        others = {letter.upper() for c, letters in self.letters.items() if c != country for letter in letters}
        placed = "".join(sorted(others & _LOCAL)) or "0"
        mine = "".join(sorted({letter.upper() for letter in own} & _LOCAL)) or "0"
        where = f"in {country in self.located} others {bool(self.located - {country})}"
        yield from self._counts(country, kinds)
        yield from self._peace(country, kinds)
        yield f"{mine} vs {placed}"
        yield f"{kinds} vs {placed}"
        yield where
        yield f"{kinds} {where}"
        if country in POWERS:
            yield "power"
            yield f"power {kinds}"
            yield f"power of {min(len(self.letters), _MANY)}"
            yield f"power {where}"
        elif not POWERS.isdisjoint(self.letters):
            yield "beside power"
            yield f"beside power {kinds}"

    def _peace(self, country: str, kinds: str) -> Iterator[str]:
        """How likely a scene of war it is, beside the others named."""
        own = f"{_peace_of(country)}{'L' if country in self.located else ''}"
        others = "".join(sorted({_peace_of(c) for c in self.letters if c != country}))
        yield own
        yield f"{own[0]} {kinds}"
        yield f"{own[0]} vs {others}"
        yield f"{own[0]} {kinds} vs {others}"
        if len(own) > 1:
            yield f"{own} vs {others}"

    def _counts(self, country: str, kinds: str) -> Iterator[str]:
        own = len(self.letters[country])
        count = min(len(self.letters), _MANY)
        number = min(list(self.letters).index(country), 3)
        rest = [len(letters) for c, letters in self.letters.items() if c != country]
        yield f"of {count}"
        yield f"of {count} nr {number}"
        yield f"{kinds} of {count}"
        yield f"{kinds} nr {number}"
        yield f"share {min(9, 10 * own // (own + sum(rest)))} of {count}"
        yield f"times {min(own, 4)}"
        yield f"lead {max(-2, min(2, own - max(rest, default=0)))} of {count}"


def _peace_of(country: str) -> str:
    return "f" if country in FRAGILE else "r" if country in RICH else "m"
