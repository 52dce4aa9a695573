"""The index of open clusters, and what a cluster keeps."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.stories.background import BackgroundError, function_words, load_background, pack, unpack
from bot.stories.index import Cluster, Index, packed, unpacked
from bot.stories.prints import UNIT, Print, alike, print_of
from bot.stories.scoring import FEATURES, Scorer, ScorerError, compare, load_scorer, scorer_of
from bot.stories.text import hashed, stem

from .builders import NOON, at, item

_WORDS = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet", "12", "40"]
_TITLES = st.lists(st.sampled_from(_WORDS), min_size=1, max_size=6, unique=True).map(" ".join)


def _print(title: str, *, summary: str = "", hours: float = 0.0, outlet: str = "a.example") -> Print:
    one = item(title, summary, hours=hours, outlet=outlet)
    return print_of(one, at(hours), lambda terms: [5.0] * len(terms))


def _state(index: Index) -> object:
    return deepcopy({name: value for name, value in vars(index).items() if name not in ("_journal", "_next")})


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("xyz"), _TITLES), max_size=8),
    st.lists(st.tuples(st.sampled_from("vwxyz"), _TITLES), max_size=8),
)
def test_rollback_takes_back_all_and_nothing_but_the_batch(
    kept: list[tuple[str, str]], tried: list[tuple[str, str]]
) -> None:
    """After a rollback the index is what it was at the last commit, to the last posting."""
    index = Index()
    for name, title in kept:
        index.add(name, _print(title))
    index.commit()
    before = _state(index)
    for name, title in tried:
        index.add(name, _print(title))
    index.rollback()
    assert _state(index) == before


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("vwxyz"), _TITLES, st.integers(0, 9)), max_size=12), st.integers(0, 12))
def test_eviction_leaves_no_trace(items: list[tuple[str, str, int]], most: int) -> None:
    """What is evicted can no longer be found, the bound holds, and evicting everything leaves the index empty."""
    index = Index()
    for name, title, hours in items:
        index.add(name, _print(title, hours=hours))
    index.commit()
    gone = index.evict(at(3).timestamp(), most)
    assert index.items <= most
    assert all(index.get(name) is None for name in gone)
    for _, title, hours in items:
        assert {cluster.id for cluster in index.near(_print(title, hours=hours), 9)}.isdisjoint(gone)
    index.evict(at(100).timestamp(), 0)
    assert (len(index), index.items) == (0, 0)
    assert not any(index.frequency(term) for _, title, _ in items for term in _print(title).terms)


@settings(deadline=None)
@given(st.lists(_TITLES, min_size=1, max_size=20))
def test_cluster_survives_the_store(titles: list[str]) -> None:
    """A cluster packed into a story, written as JSON and read back is the same cluster."""
    index = Index()
    for n, title in enumerate(titles):
        index.add("x", _print(title, hours=n, outlet=f"{n}.example"))
    cluster = index.get("x")
    assert cluster is not None
    read = json.loads(json.dumps(packed(cluster)))
    assert unpacked("x", {key: tuple(value) for key, value in read.items()}) == cluster


@pytest.mark.parametrize(
    "fields", [{}, {"times": (1.0,)}, {"times": (1.0, 2.0), "counts": (1, 1, 0, 0), "terms": (1,)}]
)
def test_odd_fields_make_no_cluster(fields: dict[str, tuple[float, ...]]) -> None:
    """What another version wrote, or nobody, is no cluster; and no error either."""
    assert unpacked("x", fields) is None


def test_large_cluster_is_bounded() -> None:
    """A cluster of many different texts keeps at most 256 words and twelve texts."""
    index = Index()
    for n in range(60):
        index.add("x", _print(" ".join(f"{chr(97 + n % 26)}{chr(97 + n // 26)}{chr(97 + k) * 3}" for k in range(12))))
    cluster = index.get("x")
    assert cluster is not None
    assert (len(cluster.terms), len(cluster.copies), cluster.size) == (256, 12, 60)


def test_vectors_have_one_length() -> None:
    """The weights of a print have length 1,000, and an empty item has none."""
    shape = _print("alpha bravo charlie", summary="delta echo")
    assert sum(weight**2 for weight in shape.weights) == pytest.approx(UNIT**2, rel=0.01)
    assert len(_print("", summary="").terms) == 0


def test_item_alone_is_like_itself() -> None:
    """An item compared with a cluster of its own words has cosine one and covers its title."""
    index = Index()
    shape = _print("alpha bravo charlie")
    values = dict(zip(FEATURES, compare(shape, index.add("x", shape)), strict=True))
    assert values["cosine"] == pytest.approx(1.0, abs=0.01)
    assert values["covered"] == pytest.approx(1.0)
    assert values["publisher"] == 1.0


def test_alike() -> None:
    """Equal sketches are alike, disjoint ones are not, empty ones are not either."""
    assert alike((1, 2, 3), (1, 2, 3)) == 1.0
    assert alike((1, 2), (3, 4)) == 0.0
    assert alike((), ()) == 0.0


def test_shipped_scorer_and_background_load() -> None:
    """The shipped files fit this program, and know that "the" says less than a rare name."""
    assert 0 < load_scorer().threshold < 1
    background = load_background()
    common, rare = background.frequencies([hashed("the"), hashed(stem("qaryatology"))])
    assert background.documents > 100_000
    assert (common > 10_000, rare) == (True, 0.0)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"weights": {}}', '{"weights": {"cosine": 1}, "intercept": 0, "threshold": 1}']
)
def test_foreign_scorer_is_refused(text: str) -> None:
    """Weights made for other features are refused with the name of the file."""
    with pytest.raises(ScorerError, match=r"scorer\.json"):
        scorer_of(text)


@pytest.mark.parametrize("raw", [b"", b"tocsin-df 1 10 5\nshort", b"<html>", b"tocsin-df 2 10 0\n"])
def test_damaged_background_is_refused(raw: bytes) -> None:
    """A table that is cut or foreign is refused with the name of the file."""
    with pytest.raises(BackgroundError, match=r"background\.bin"):
        unpack(raw)


@given(st.dictionaries(st.integers(0, 2**32 - 1), st.integers(1, 60_000), max_size=30))
def test_background_round_trip(counts: dict[int, int]) -> None:
    """A packed table gives every frequency back within three per cent, and 0 for others."""
    table = unpack(pack(100_000, counts))
    for term, count in counts.items():
        assert table.frequencies([term])[0] == pytest.approx(count, rel=0.03)
    absent = next(n for n in range(50) if n not in counts)
    assert table.frequencies([absent]) == [0.0]


def test_function_words_are_common() -> None:
    """Listed function words count as common even where the table does not know them."""
    table = unpack(pack(1000, {}), function_words("# remark\nxx: und aber\n"))
    assert table.frequencies([hashed("und"), hashed("haus")]) == [100.0, 0.0]


def test_probability_is_bounded() -> None:
    """However extreme the comparisons, a probability is one."""
    scorer = Scorer((1e9,) * len(FEATURES), 0.0, 0.5)
    assert scorer.probability((1e9,) * len(FEATURES)) == pytest.approx(1.0)
    assert scorer.probability((-1e9,) * len(FEATURES)) == pytest.approx(0.0)


def test_cluster_times() -> None:
    """A cluster knows its oldest and newest item, in whatever order they came."""
    index = Index()
    index.add("x", _print("alpha", hours=2))
    cluster: Cluster = index.add("x", _print("alpha", hours=1))
    assert (cluster.first_at, cluster.last_at) == (at(1).timestamp(), at(2).timestamp())
    assert at(0) == NOON
