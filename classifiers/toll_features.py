"""What speaks for and against each possible toll of an item, as named features for the ranking in ``tolls.py``.

A toll is a set of mentions that are added up: "three soldiers and two civilians were killed" is two mentions, "12 dead"
one. Features describe each mention alone (how it reaches the word of killing, what it counts, where it stands), each
pair that would be added (one clause or two, same people or others, same number again), the set as a whole, and
giving no number at all. They speak of the lexicon's keys, not of words, so that what is learned in one language
serves in all; only the wording of triggers is its own feature.
"""

from __future__ import annotations

from collections.abc import Sequence

from classifiers.mentions import KINDS, Kind, Mention
from classifiers.passage import Passage
from classifiers.toll_scene import SUBSET, Scene

_BUCKETS = (0, 0.5, 1, 2, 3, 4.5, 6, 9, 14)
_VALUES = (1, 2, 5, 9, 24, 99, 499, 1999)
_SENTENCE_KEYS = (
    "since", "historical", "hypothetical", "planned", "denied", "threatened", "year", "total", "rises", "including",
    "accused", "demanded",
)  # fmt: skip
_PAIR_KEYS = ("since", "total", "year", "historical")
_MORE = frozenset({"more", "more_near", "more_after"})


def _bucket(value: float, limits: Sequence[float]) -> str:
    return next((str(limit) for limit in limits if value <= limit), "more")


class TollFeatures(Scene):
    """The features of adding up the mentions of a scene."""

    # ------------------------------------------------------------------------------------------- one mention

    def mention_features(self, at: int) -> list[str]:
        """Features of mention ``at`` being part of the toll."""
        mention = self.mentions[at]
        features = self._reach(mention) + self._trigger(mention)
        features += self._surroundings(mention) + self._standing(mention)
        if mention.form == "bare":
            features += self._bare(mention)
        strength, sort = self.strengths[at], self.sorts[at]
        return [
            *features,
            f"strength|{strength}",
            f"strength|{strength}|{mention.form}",
            f"sort|{sort}|{mention.field}",
        ]

    def _reach(self, mention: Mention) -> list[str]:
        form, side, cost = mention.form, self._side(mention), mention.cost(self.kind)
        other = mention.cost(self.other)
        third = min(mention.cost(kind) for kind in KINDS if kind not in {self.kind, self.other})
        bucket = _bucket(cost, _BUCKETS)
        lead = _lead(cost - min(other, third))
        return [
            f"form|{form}", f"cost|{side}|{bucket}", f"cost|{side}|{bucket}|{form}", f"lead|{lead}",
            f"lead|{lead}|{form}", f"lead|{lead}|{bucket}", f"other|{_bucket(other, _BUCKETS)}",
            f"third|{_bucket(third, _BUCKETS)}", f"kind|{self._relative(mention.kind)}",
        ]  # fmt: skip

    def _side(self, mention: Mention) -> str:
        link = mention.links.get(self.kind)
        return "-" if not link else "after" if link.after else "before"

    def _relative(self, kind: Kind | None) -> str:
        return "same" if kind == self.kind else "other" if kind == self.other else str(kind)

    def _trigger(self, mention: Mention) -> list[str]:
        link = mention.links.get(self.kind)
        if not link:
            return []
        side, voice = self._side(mention), self.voice(mention)
        tokens = self.passages[mention.field].tokens[link.trigger.first : link.trigger.last]
        rival = self._rival(mention)
        features = [
            f"commas|{side}|{min(link.commas, 2)}", f"ands|{side}|{min(link.ands, 2)}",
            f"numbers|{side}|{min(link.numbers, 2)}", f"triggers|{side}|{min(link.triggers, 2)}",
            f"words|{side}|{_bucket(link.words, _BUCKETS)}", f"breaks|{side}|{voice}|{min(link.breaks, 2)}",
            f"voice|{voice}|{side}", f"voice|{voice}|{side}|{mention.form}",
            f"voice|{voice}|{side}|{_bucket(link.cost, _BUCKETS)}",
            f"trigger|{' '.join(token.text for token in tokens)}|{side}",
            f"rival|{rival}|{side}", f"rival|{rival}|{mention.form}",
        ]  # fmt: skip
        if self.is_relative(mention):
            earlier = any(_order(m) < _order(mention) for m in self.near)
            features += [f"relative|{side}|{earlier}", f"relative|{mention.form}"]
        if "self_after" in mention.flags:
            features.append(f"self|{side}|{min(link.words, 1)}")
        return features

    def _rival(self, mention: Mention) -> str:
        """Whether another amount is closer to the same trigger, and on which side."""
        link = mention.links[self.kind]
        closer = [
            rival.links[self.kind].after
            for rival in self.mentions
            if rival.form != "bare"
            and rival.field == mention.field
            and self.kind in rival.links
            and rival.links[self.kind].trigger.start == link.trigger.start
            and rival.cost(self.kind) < link.cost
        ]
        return "none" if not closer else "same" if all(after == link.after for after in closer) else "across"

    def _surroundings(self, mention: Mention) -> list[str]:
        passage = self.passages[mention.field]
        keys = passage.keys_of(mention.number.sentence)
        features = [f"flag|{flag}" for flag in mention.flags]
        features += [f"flag|{flag}|{mention.form}" for flag in mention.flags]
        features += [f"sentence|{key}" for key in _SENTENCE_KEYS if key in keys]
        features.append(f"where|{mention.field}|{min(mention.number.sentence, 3)}")
        return features

    def _standing(self, mention: Mention) -> list[str]:
        """How it compares with the other mentions of the item."""
        value, form = mention.number.best, mention.form
        counted = [m.number.best for m in self.near if not m.is_single and m.number.best is not None]
        same = [m for m in self.near if m.number.best == value and m is not mention]
        earlier = [m for m in same if _order(m) < _order(mention)]
        features = [
            f"value|{_bucket(value or 0, _VALUES)}", f"value|{_bucket(value or 0, _VALUES)}|{form}",
            f"again|{form}|{min(2, len(same))}", f"again|{form}|earlier|{min(2, len(earlier))}",
        ]  # fmt: skip
        if mention.is_single:
            features.append(f"alone|{form}|{not counted}")
        if not any(m is mention for m in self.near):
            return [*features, f"far|{form}"]
        features += [f"first|{self.near[0] is mention}|{form}", f"last|{self.near[-1] is mention}"]
        features.append(f"count|{min(4, len(counted))}")
        if counted:
            features += [f"most|{value == max(counted)}|{form}", f"least|{value == min(counted)}|{form}"]
        return features

    def _bare(self, mention: Mention) -> list[str]:
        """Whether a word of killing that no amount is tied to speaks of one person or of several."""
        passage, first, last = self.passages[mention.field], mention.number.first, mention.number.last
        keys = passage.keys_between(first, last)
        agreement = "one" if "single" in keys else "several" if "several" in keys else "?"
        before, after = self._person_near(passage, first - 1, -1), self._person_near(passage, last, 1)
        previous = passage.tokens[first - 1].text if first else "^"
        following = passage.tokens[last].text if last < len(passage.tokens) else "$"
        trigger = " ".join(token.text for token in passage.tokens[first:last])
        return [
            f"bare|{trigger}", f"bare|agree|{agreement}", f"bare|agree|{agreement}|{before}",
            f"bare|agree|{agreement}|>{after}", f"bare|{before}|{after}", f"bare|{before}|", f"bare||{after}",
            f"bare|previous|{previous}", f"bare|following|{following}",
            f"bare|previous s|{previous.endswith('s')}|{trigger}",
            f"bare|following s|{following.endswith('s')}|{trigger}",
        ]  # fmt: skip

    def _person_near(self, passage: Passage, at: int, step: int) -> str:
        """Which sort of word for a person stands within five tokens: "one", "many", a nationality, a name or none."""
        edge = at
        for _ in range(5):
            if not 0 <= at < len(passage.tokens) or not passage.same_sentence(at, edge):
                return "-"
            if "people" in passage.marks[at]:
                while step > 0 and at + 1 < len(passage.tokens) and "people" in passage.marks[at + 1]:
                    at += 1
                return self._plurality(passage, at)
            if "country" in passage.marks[at]:
                return f"country {self._plurality(passage, at)}"
            at += step
        return "name" if passage.text[passage.tokens[edge].start].isupper() else "-"

    def _plurality(self, passage: Passage, at: int) -> str:
        word = passage.tokens[at].text
        return "many" if word.endswith("s") or word in passage.lexicon.words("toll", "plural") else "one"

    # ------------------------------------------------------------------------------------------- two mentions

    def pair_features(self, first: int, second: int) -> list[str]:
        """Features of mentions ``first`` and ``second`` (in this order) both being parts of the toll."""
        one, two = self.mentions[first], self.mentions[second]
        apart = _distance(one, two)
        forms = f"{_sort(one)}-{_sort(two)}"
        who = _who(one, two)
        values = _compared(one.number.best or 0, two.number.best or 0)
        trigger = self._same_trigger(one, two)
        strong = f"{self.strengths[first]}{self.strengths[second]}"
        near = f"{one.kind == self.kind}{two.kind == self.kind}"
        keys = [self.passages[m.field].keys_of(m.number.sentence) for m in (one, two)]
        also = "also" in keys[1]
        subset = bool(two.flags & SUBSET) and apart == "0"
        features = [
            f"pair|{apart}", f"pair|{apart}|{values}", f"pair|{apart}|{forms}", f"pair|{apart}|{who}",
            f"pair|{apart}|{trigger}", f"pair|{apart}|{near}", f"pair|{apart}|{trigger}|{who}",
            f"pair|{apart}|{forms}|{who}", f"pair|{apart}|{trigger}|{near}", f"pair|{apart}|{values}|{who}",
            f"pair|subset|{subset}|{apart}|{values}", f"pair|more|{bool(two.flags & _MORE)}|{apart}",
            f"pair|also|{also}|{apart}", f"pair|also|{also}|{apart}|{who}", f"pair|also|{also}|{apart}|{forms}",
            f"pair|strong|{apart}|{strong}", f"pair|strong|{apart}|{strong}|{who}",
            f"pair|strong|{apart}|{strong}|{forms}", f"pair|strong|{apart}|{strong}|{values}",
            f"pair|strong|{apart}|{strong}|{also}|{trigger}",
            f"pair|sorts|{apart}|{self.sorts[first]}|{self.sorts[second]}",
            f"pair|sorts|{apart}|{self.sorts[first]}|{self.sorts[second]}|{values}",
            f"pair|sorts|{apart}|{self.sorts[first]}|{self.sorts[second]}|{who}",
            *(f"pair|{key}|{key in keys[0]}{key in keys[1]}" for key in _PAIR_KEYS),
        ]  # fmt: skip
        return features + (self._joined(one, two, f"{forms}", who, trigger, strong) if apart == "0" else [])

    def _same_trigger(self, one: Mention, two: Mention) -> str:
        first, second = one.links.get(self.kind), two.links.get(self.kind)
        if not first or not second:
            return "?"
        return "same" if first.trigger.start == second.trigger.start and one.field == two.field else "own"

    def _joined(self, one: Mention, two: Mention, forms: str, who: str, trigger: str, strong: str) -> list[str]:
        """What stands between two mentions of one sentence."""
        passage = self.passages[one.field]
        begin, end = one.number.last, two.number.first
        keys = passage.keys_between(begin, end) | (passage.marks[end] & {"and"})
        distance = _bucket(end - begin, _BUCKETS)
        harmed = bool(keys & {"killed", "injured", "captured", "abducted"})
        breaks = min(2, sum("breaks" in marks for marks in passage.marks[begin:end]))
        words = min(4, sum(marks.isdisjoint({"people", "and"}) for marks in passage.marks[begin:end])) // 2
        tie = f"{'trigger' if harmed else 'and' if 'and' in keys else '-'}|{breaks}"
        listed = not harmed and ("and" in keys or (any(passage.clause_starts[begin : end + 1]) and not breaks))
        return [
            f"between|{distance}", f"between|{distance}|{trigger}",
            f"between|{self.kind in keys}|{'and' in keys}|{self.other in keys}",
            f"tie|{tie}", f"tie|{tie}|{forms}", f"tie|{tie}|{strong}", f"tie|{tie}|{who}",
            f"listed|{listed}|{forms}|{words}", f"listed|{listed}|{forms}", f"listed|{listed}|{who}",
            f"listed|{listed}|{trigger}",
        ]  # fmt: skip

    # ------------------------------------------------------------------------------------------- all of it

    def set_features(self, members: Sequence[int]) -> list[str]:
        """Features of the toll that adds up ``members``, beside those of its mentions and pairs."""
        total = self.value_of(members) or 0
        left = [at for at in range(len(self.mentions)) if at not in members]
        strong = [at for at in left if self.strengths[at] >= 2 and not self.mentions[at].is_single]
        several = len(members) > 1
        again = any(self.mentions[at].number.best == total for at in left if self.strengths[at])
        features = [
            f"parts|{len(members)}", f"left|{min(2, len(strong))}", f"again|{again}|{several}",
            f"left more|{any((self.mentions[at].number.best or 0) > total for at in strong)}",
        ]  # fmt: skip
        inside = sorted({self.sorts[at] for at in members})
        outside = sorted({self.sorts[at] for at in left if self.sorts[at][:3] != "far"})
        features += [f"in|{sort}" for sort in inside] + [f"out|{sort}" for sort in outside]
        features += [f"in out|{one}|{two}" for one in inside for two in outside]
        features.append(f"all|{'+'.join(inside)}|{'+'.join(outside)}")
        features.append(f"alike|{'+'.join(sorted(self.sorts[at] for at in members))}")
        features += self._against(total, left, several=several)
        if several and all(self.mentions[at].is_single for at in members):
            features.append("all single")
        return features

    def _against(self, total: int, left: Sequence[int], *, several: bool) -> list[str]:
        """How the sum compares with the plain numbers that it leaves out."""
        plain = [self.mentions[at].number.best or 0 for at in left if self.sorts[at] == "plain number"]
        if not plain:
            return [f"rest|none|{several}"]
        greater, equal = max(plain) > total, total in plain
        return [f"rest|{greater}|{equal}", f"rest|{greater}|{equal}|{several}"]

    def null_features(self) -> list[str]:
        """Features of giving no number."""
        counted = [m for m in self.near if not m.is_single]
        features = ["none", f"none|near|{min(3, len(self.near))}", f"none|counted|{min(3, len(counted))}"]
        sorts = sorted({sort for sort in self.sorts if sort[:3] != "far"})
        features += [f"none|{sort}" for sort in sorts] + [f"none|all|{'+'.join(sorts)}"]
        if any(m.form == "vague" and m.kind == self.kind for m in self.all):
            features.append("none|vague")
        if any(self.kind in passage.matches for passage in self.passages.values()):
            features.append("none|trigger")
        return features if self.mentions else [*features, "none|no mention"]


def _lead(difference: float) -> str:
    limits = (-4.0, -2.0, 0.0, 2.0, 4.0)
    if difference == 0:
        return "0"
    return next((f"<{high}" for high in limits if difference < high), ">4") if difference < 4 else ">4"


def _order(mention: Mention) -> tuple[bool, int]:
    return mention.field != "title", mention.number.start


def _distance(one: Mention, two: Mention) -> str:
    if one.field != two.field:
        return "fields"
    return str(min(2, two.number.sentence - one.number.sentence))


def _sort(mention: Mention) -> str:
    return mention.form if mention.is_single else "number"


def _who(one: Mention, two: Mention) -> str:
    if one.who is None or two.who is None:
        return "?"
    return "same" if one.who == two.who else "people" if "people" in {one.who, two.who} else "others"


def _compared(one: int, two: int) -> str:
    return "=" if one == two else "<" if one < two else ">"
