"""What case endings and glued particles do to names, just enough to find the name again.

A *stem* is what is left of a name when its ending is taken off; a word of a text is tried without each ending its
language knows. The same functions make the gazetteer and read texts, so both sides always agree. Words are folded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from classifiers.gazetteer import fold

_ENDINGS = {
    "cyrillic": (
        "а я у ю ы и е о й ь ой ей ою ею ем ом ам ям ах ях ами ями ов ев ии ию ия ия ье ью ья ием ией еи ом і ї ові еві"
        " ська ский ская ское ского скому ским ском ской скую ских скими ска ске ського ському ськім ській ську сько"
        " ого ому ым им ых их ая ое ую ий ый"
    ),
    "pl": (
        "a i y e u o ą ę ie ia ii ię ią iej em om ach ami owi em iem ów owie ego emu ej ym im ych"
        " ska skiego skiej skim ski"
    ),
    "az": (
        "da də dan dən ın in un ün nın nin nun nün a ə ya yə ı i u ü nı ni nu nü la lə yla ylə dakı dəki lı li lu lü"
        " ının inin unun ünün ında ində una ünə ına inə ından indən yı yi yu yü"
    ),
    "tr": (
        "da de ta te dan den tan ten ın in un ün nın nin nun nün a e ya ye ı i u ü yı yi yu yü la le yla yle"
        " daki deki lı li lu lü"
    ),
    "hy": "ը ն ի ու ում ից ով ին ուն յի յում յից յով յին յան ի ց եր երի ական ականների վի վում վից",
    "de": "s n en",
}  # fmt: skip
_ALIASES = {"ru": "cyrillic", "uk": "cyrillic", "armenian": "hy"}
_FOLDED = {
    language: tuple(sorted({fold(e) for e in endings.split()}, key=lambda e: (len(e), e)))
    for language, endings in _ENDINGS.items()
}
_VOWELS = {
    "cyrillic": "аяьыиіе", "pl": "aeoyi", "hy": "աը", "az": "", "tr": "", "de": "",
}  # fmt: skip
_SOFTENED = {"pl": (("dz", "d"), ("dz", "g"), ("c", "t"), ("c", "k"), ("rz", "r"), ("sc", "st"))}
_ARABIC = ("وبال", "ولل", "وال", "بال", "فال", "كال", "لل", "ال", "وب", "ول", "و", "ب", "ل", "ف", "ك")
_HEBREW = ("וב", "ול", "ומ", "וה", "שב", "של", "מה", "שה", "כש", "ב", "ל", "מ", "ו", "ה", "ש", "כ")
MIN_STEM = 3
_LONG_STEM = 4
"""Letters that must be left where the vowel may belong to the name: Мали is not declined, Adama leaves a given name."""


def script_of(name: str) -> str:
    """The script of a name's first letter: latin, cyrillic, arabic, hebrew, armenian, han or other."""
    for char in name:
        if not char.isalpha():
            continue
        point = ord(char)
        for low, high, script in _SCRIPTS:
            if low <= point <= high:
                return script
        return "other"
    return "other"


_SCRIPTS = (
    (0x41, 0x24F, "latin"),
    (0x1E00, 0x1EFF, "latin"),
    (0x400, 0x52F, "cyrillic"),
    (0x530, 0x58F, "armenian"),
    (0x590, 0x5FF, "hebrew"),
    (0x600, 0x77F, "arabic"),
    (0x8A0, 0x8FF, "arabic"),
    (0xFB50, 0xFDFF, "arabic"),
    (0xFE70, 0xFEFF, "arabic"),
    (0x4E00, 0x9FFF, "han"),
    (0x3400, 0x4DBF, "han"),
)


def bare_names(name: str) -> Iterator[str]:
    """A country's name as CLDR has it, and without what stands in brackets ("Myanmar (Burma)")."""
    outside = re.sub(r"\s*[(（].*?[)）]", "", name).strip()
    yield outside
    inside = re.search(r"[(（](.*?)[)）]", name)
    if inside and len(inside.group(1)) > 3:
        yield inside.group(1)


def stem_of(name: str, language: str) -> Iterator[str]:
    """The stems under which a folded name of one word is kept; ``language`` may be a code or a script."""
    key = _ALIASES.get(language, language)
    if key in ("arabic", "ar"):
        yield name.removeprefix("ال")
        return
    if key in ("hebrew", "he"):
        yield name
        return
    if key not in _FOLDED and key != "latin":
        return
    vowels = _VOWELS.get(key, "aeoyi")
    shortest = _LONG_STEM if key == "latin" or name[-1] in "иеі" else MIN_STEM
    stem = name[:-1] if len(name) > shortest and name[-1] in vowels else name
    if len(stem) >= MIN_STEM:
        yield stem
    if stem != name and key in ("az", "tr", "hy", "latin"):
        yield name
    yield from _alternating(stem, key)


def _alternating(stem: str, key: str) -> Iterator[str]:
    """Stems whose last vowel changes: Ukrainian Київ, Києва; Armenian Բաքու, Բաքվի."""
    if key == "cyrillic" and stem.endswith("ів"):
        yield stem[:-2] + "ов"
    if key == "cyrillic" and stem.endswith("иив"):
        yield stem[:-2] + "єв"
        yield stem[:-2] + "ев"
    if key == "hy" and stem.endswith("ու"):
        yield stem[:-2] + "վ"


def word_stems(word: str, language: str) -> list[str]:
    """What a folded word of a text may be without its ending or glued particles, shortest ending first.

    The order tells Нигерии (Nigeria's, without "и") from Нигер, which the longer ending would leave.
    """
    key = _ALIASES.get(language, language)
    if key in ("ar", "he"):
        return _unglued(word, _ARABIC if key == "ar" else _HEBREW)
    # a bare stem in a vowel is no form of the name: Нігері is Niger's, never Nigeria's
    stems = [] if key == "de" or (key == "cyrillic" and word[-1:] in "аеиіоуюяьй") else [word]
    for ending in _FOLDED.get(key, ()):
        if word.endswith(ending) and len(word) - len(ending) >= MIN_STEM:
            stem = word[: -len(ending)]
            stems.append(stem)
            stems += [stem[: -len(soft)] + hard for soft, hard in _SOFTENED.get(key, ()) if stem.endswith(soft)]
    return stems


def _unglued(word: str, prefixes: tuple[str, ...]) -> list[str]:
    stems = [word]
    stems += [word[len(p) :] for p in prefixes if word.startswith(p) and len(word) > len(p)]
    return stems
