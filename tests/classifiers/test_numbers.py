"""Numbers in digits and words of fifteen languages, ranges, and what is no amount."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.lexicon import load_lexicon, tokenise
from classifiers.numbers import Number, read_numbers

ONES = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
ONES += " eighteen nineteen"
TENS = "twenty thirty forty fifty sixty seventy eighty ninety"


def read(text: str, language: str = "en") -> tuple[Number, ...]:
    """The numbers of a text."""
    lexicon = load_lexicon(language)
    assert lexicon is not None
    return read_numbers(text, tokenise(text), lexicon)


def values(text: str, language: str = "en") -> list[int | str | None]:
    """Value or vague word of each number of a text."""
    return [number.words or number.best for number in read(text, language)]


def in_english(value: int) -> str:
    """A number below a million in English words."""
    if value >= 1000:
        rest = value % 1000
        joiner = " and " if 0 < rest < 100 else " " if rest else ""
        return f"{in_english(value // 1000)} thousand{joiner}{in_english(rest) if rest else ''}".strip()
    if value >= 100:
        rest = value % 100
        return f"{ONES.split()[value // 100 - 1]} hundred" + (f" and {in_english(rest)}" if rest else "")
    if value < 20:
        return ONES.split()[value - 1]
    unit = value % 10
    return TENS.split()[value // 10 - 2] + (f"-{ONES.split()[unit - 1]}" if unit else "")


def in_chinese(value: int) -> str:
    """A number below ten thousand in Chinese numerals, without the zero that speech puts into gaps."""
    digits = "零一二三四五六七八九"
    parts = [(value // scale % 10, unit) for scale, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, ""))]
    spoken = "".join(f"{digits[digit]}{unit}" for digit, unit in parts if digit)
    return spoken.removeprefix("一") if 10 <= value < 20 else spoken


@given(st.integers(1, 999_999))
def test_english_words_read_back(value: int) -> None:
    """Any number below a million, spelled out in English, reads as itself."""
    assert values(f"about {in_english(value)} people") == [value]


@given(st.integers(1, 9_999))
def test_chinese_numerals_read_back(value: int) -> None:
    """Any number below ten thousand in Chinese numerals reads as itself."""
    assert value in values(f"造成{in_chinese(value)}人死亡", "zh")


@given(st.integers(1, 999_999_999), st.sampled_from([",", ".", " ", "\u00a0", "\u202f", "'", ""]))
def test_thousand_separators_read_back(value: int, separator: str) -> None:
    """Digits in groups of three read as one number, whatever parts the groups."""
    written = f"{value:,}".replace(",", separator)
    (number,) = read(f"some {written} people")
    assert number.best == value
    assert number.form == "digits"


@given(st.integers(1, 99_999), st.sampled_from(["٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "０１２３４５６７８９"]))
def test_digits_of_other_scripts_read_back(value: int, digits: str) -> None:
    """Arabic-Indic, Persian and full-width digits are digits."""
    assert values(f"x {''.join(digits[int(d)] for d in str(value))} y", "fa") == [value]


@given(st.integers(1, 9_998), st.integers(1, 500), st.sampled_from(["-", "–", " to ", " or "]))
def test_ranges_read_as_low_and_high(low: int, width: int, between: str) -> None:
    """Two rising numbers joined by a dash or a word are one range with its middle rounded down."""
    high = low + width
    if 1900 <= low <= 2099 or 1900 <= high <= 2099:
        return
    (number,) = read(f"x {low}{between}{high} people")
    assert (number.low, number.best, number.high) == (low, (low + high) // 2, high)


@given(st.integers(1900, 2099), st.sampled_from(["in {} the war", "{}: a bad year", "since {}.", "the {} attack"]))
def test_years_are_doubted(year: int, frame: str) -> None:
    """Four digits from 1900 to 2099 that nothing marks as an amount are held for a year."""
    assert [number.doubt for number in read(frame.format(year))] == ["year"]


@given(st.text(max_size=120))
def test_any_text_is_read_with_offsets_inside_it(text: str) -> None:
    """No text breaks the reader; numbers stand in order, inside the text, and none is negative."""
    end = 0
    for number in read(text):
        assert end <= number.start < number.end <= len(text)
        assert number.best is None or number.best >= 0
        end = number.end


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "two dozen men, half a dozen boys and dozens more", [24, 6, "dozens"]),
        ("en", "1.5 million people, 3 dozen goats", [1_500_000, 36]),
        ("en", "tens of thousands fled, hundreds died", ["tens of thousands", "hundreds"]),
        ("en", "between 40 and 50 rebels", [45]),
        ("en", "a hundred and five soldiers and two dogs", [105, 2]),
        ("ru", "сорок два человека, двести пятьдесят, 2 тысячи, тысячи людей", [42, 250, 2000, "thousands"]),
        ("ru", "два десятка, десятки, 1,5 млн, 12 300", [20, "dozens", 1_500_000, 12_300]),
        ("uk", "двадцять одна людина, десятки, п'ятеро", [21, "dozens", 5]),
        ("pl", "dwadzieścia pięć osób, dziesiątki", [25, "dozens"]),
        ("es", "treinta y cinco muertos, decenas", [35, "dozens"]),
        ("pt", "vinte e um mortos, 1.200 feridos", [21, 1200]),
        ("fr", "quatre-vingt-douze morts, soixante et onze, 1 200", [92, 71, 1200]),
        ("de", "fünfundzwanzig Tote, 1.200 Verletzte, Dutzende", [25, 1200, "dozens"]),
        ("tr", "yirmi beş kişi, onlarca", [25, "dozens"]),
        ("az", "iyirmi beş nəfər, onlarla", [25, "dozens"]),
        ("hy", "քսանհինգ մարդ, տասնյակ", [25, "dozens"]),
        ("ar", "خمسة وعشرون شخصا، خمسة عشر، العشرات، ١٢", [25, 15, "dozens", 12]),
        ("fa", "بیست و پنج نفر، ده‌ها، ۱۲۰۰", [25, "dozens", 1200]),
        ("he", "עשרים וחמישה הרוגים, עשרות, 1,200", [25, "dozens", 1200]),
        ("zh", "十二人，三百人，两千人，1.2万人，数十人", [12, 300, 2000, 12_000, "dozens"]),
    ],
)
def test_each_language_counts_in_its_own_words(language: str, text: str, expected: list[int | str]) -> None:
    """Number words, their order, separators and vague amounts of every language read as what they say."""
    found = values(text, language)
    assert [value for value in expected if value not in found] == []


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("the 12th brigade", "ordinal"),
        ("5-й полк", "ordinal"),
        ("第12次", "ordinal"),
        ("a 24-year-old man", "compound"),
        ("a B-52 bomber", "unit"),
        ("some 30km away", "unit"),
        ("at 10:30", "clock"),
        ("rose 15%", "percent"),
        ("worth $40", "money"),
        ("40 €", "money"),
        ("a 6.2 quake", "decimal"),
    ],
)
def test_numbers_that_count_nobody_say_why(text: str, doubt: str) -> None:
    """Ordinals, ages, units, clocks, shares, money and decimals carry their doubt."""
    assert read(text, "ru" if "полк" in text else "en")[0].doubt == doubt


@pytest.mark.parametrize("text", ["M23 rebels", "G20 leaders", "9" * 40, "９" * 5000])
def test_names_and_endless_digits_are_no_numbers(text: str) -> None:
    """A number inside a name and a run of digits that no amount has are left alone."""
    assert read(text) == ()
