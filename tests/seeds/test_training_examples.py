"""The own-written training examples: what must hold of every line in every language, whoever wrote it."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from classifiers.examples import own_examples, read_examples
from classifiers.taxonomy import SIGNAL_IDS

FILES = own_examples()
LEAST_LINES = 220
LEAST_OF_A_SIGNAL = 8
KEYS = frozenset(
    "id title summary language signals severity countries"
    " killed killed_low killed_high killed_total killed_words injured".split()
)
FIGURES = ("killed", "killed_total", "killed_words", "injured")
MANY_KILLED = 25
"""From here on the codebook calls an event extreme."""
SCRIPTS = {
    "ar": "ARABIC",
    "fa": "ARABIC",
    "he": "HEBREW",
    "hy": "ARMENIAN",
    "ru": "CYRILLIC",
    "uk": "CYRILLIC",
    "zh": "CJK",
}
"""Unicode's name of the script a language is written in; Latin where none is listed."""
NOT_IN = {"ru": "іїєґ", "uk": "ыэъё", "ar": "پچگژ"}
"""Letters of a neighbouring language that give a line in the wrong file away."""

COUNTRIES = frozenset(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO
    FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE
    JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO
    MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW
    PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM
    TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW
    """.split()
)
"""ISO 3166-1 alpha-2 and Kosovo's XK."""

Row = Mapping[str, object]


def lines(path: Path) -> Iterator[tuple[str, Row]]:
    """Where each line stands and what it holds."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        row = json.loads(line)
        assert isinstance(row, dict), f"{path.name}:{number}"
        yield f"{path.name}:{number}", row


def number_of(row: Row, key: str) -> int | None:
    value = row.get(key)
    assert value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0), row["id"]
    return value


def signals_of(row: Row) -> list[str]:
    signals = row["signals"]
    assert isinstance(signals, list), row["id"]
    return signals


def faults(row: Row) -> list[str]:
    """What the codebook forbids and this line does."""
    signals, severity = set(signals_of(row)), number_of(row, "severity")
    killed, low, high = (number_of(row, key) for key in ("killed", "killed_low", "killed_high"))
    assert severity is not None
    rules = {
        "without a signal nothing is worse than minor": bool(signals) or severity <= 1,
        "a signal is about conflict": not signals or severity >= 1,
        "unrelated news happens in no country of a conflict": severity > 0 or not row["countries"],
        "25 or more killed are extreme": killed is None or killed < MANY_KILLED or severity == 4,
        "1 to 24 killed are severe at least": not killed or severity >= 3,
        "a toll is a signal": "casualties" in signals or not any(row.get(key) for key in FIGURES),
        "no violence, no figure": bool(signals) or not any(key in row for key in FIGURES),
        "a range has both ends": (low is None) == (high is None),
        "the number lies in its range": low is None or high is None or killed is None or low <= killed <= high,
        "a total holds the new dead": (number_of(row, "killed_total") or killed or 0) >= (killed or 0),
        "severity is 0 to 4": severity <= 4,
    }
    return [rule for rule, holds in rules.items() if not holds]


def script_share(text: str, script: str) -> float:
    """The share of a text's letters that belong to ``script``."""
    letters = [c for c in text if c.isalpha()]
    return sum(script in unicodedata.name(c, "") for c in letters) / max(1, len(letters))


def test_there_are_examples() -> None:
    """The files are found where the trainer looks for them."""
    assert {"ru", "uk", "pl", "ar", "fa", "he", "zh"} <= {path.stem for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
class TestEachLanguage:
    def test_the_trainer_reads_every_line(self, path: Path) -> None:
        """What the classifier's own reader refuses is no example."""
        assert len(read_examples([path])) >= LEAST_LINES

    def test_lines_hold_known_keys_only(self, path: Path) -> None:
        """Every line has the obligatory keys and no misspelt one."""
        wrong = {at: set(row) - KEYS for at, row in lines(path) if not set(row) <= KEYS or "severity" not in row}
        assert not wrong

    def test_ids_and_titles_are_unique(self, path: Path) -> None:
        """No line is given twice, and each id names its language."""
        rows = [row for _, row in lines(path)]
        for key in ("id", "title"):
            assert not [v for v, count in Counter(str(row[key]).strip() for row in rows).items() if count > 1]
        assert all(str(row["id"]).startswith(f"{path.stem}-") and row["language"] == path.stem for row in rows)
        assert all(str(row["title"]).strip() for row in rows)

    def test_signals_and_countries_are_known(self, path: Path) -> None:
        """Labels are ids of the taxonomy, each once, and countries are ISO codes, each once."""
        for at, row in lines(path):
            signals, countries = signals_of(row), row["countries"]
            assert isinstance(countries, list)
            for labels, known in ((signals, frozenset(SIGNAL_IDS)), (countries, COUNTRIES)):
                assert known.issuperset(labels), at
                assert len(labels) == len(set(labels)), at

    def test_labels_keep_the_codebook(self, path: Path) -> None:
        """Severity, tolls and signals of a line do not contradict one another."""
        assert not {f"{at} {row['id']}": found for at, row in lines(path) if (found := faults(row))}

    def test_lines_are_written_in_the_language(self, path: Path) -> None:
        """At least three fifths of a line's letters are of the language's script, none of its neighbour's."""
        script, forbidden = SCRIPTS.get(path.stem, "LATIN"), set(NOT_IN.get(path.stem, ""))
        for at, row in lines(path):
            text = f"{row['title']} {row['summary']}"
            assert script_share(text, script) >= 0.6, f"{at}: {text}"
            assert not forbidden & set(text.lower()), f"{at}: {text}"

    def test_every_signal_is_taught(self, path: Path) -> None:
        """Each of the 23 signals and each severity has its examples."""
        rows = [row for _, row in lines(path)]
        seen = Counter(signal for row in rows for signal in signals_of(row))
        assert not {s: seen[s] for s in SIGNAL_IDS if seen[s] < LEAST_OF_A_SIGNAL}
        assert {number_of(row, "severity") for row in rows} == {0, 1, 2, 3, 4}

    def test_lures_are_a_good_part(self, path: Path) -> None:
        """A quarter to a half of the lines carry no signal, whatever words they use."""
        rows = [row for _, row in lines(path)]
        assert 0.25 <= sum(not signals_of(row) for row in rows) / len(rows) <= 0.5


def test_a_contradiction_is_seen() -> None:
    """The rules of this file do find a line that breaks them."""
    row = {"id": "xx-0001", "signals": [], "severity": 3, "countries": [], "killed": 30}
    assert len(faults(row)) == 4
