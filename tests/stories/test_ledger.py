"""The casualty ledger."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import LedgerEntry, Tally
from bot.stories import ledger
from classifiers.assessment import Figure, Toll

from .builders import at, figure, item, read

_ENTRIES = st.lists(
    st.builds(
        figure,
        st.integers(0, 300),
        outlet=st.sampled_from(["a.example", "b.example", "c.example"]),
        hours=st.sampled_from([0.0, 1.0, 2.0]),
        uid=st.text("abcdef", min_size=1, max_size=3),
        claimant=st.sampled_from([None, None, "the army", "the rebels"]),
        kind=st.sampled_from(["killed", "injured"]),
        correction=st.booleans(),
        total=st.none() | st.integers(0, 900),
        main=st.booleans(),
    ),
    max_size=12,
)


def _killed(*entries: LedgerEntry) -> Tally | None:
    return ledger.tally(ledger.merge((), entries), "killed")


@settings(deadline=None)
@given(_ENTRIES, st.randoms(use_true_random=False))
def test_order_of_arrival_makes_no_difference(entries: list[LedgerEntry], random: object) -> None:
    """However the figures arrive, one by one or at once, ledger and tallies are the same."""
    shuffled = list(entries)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one_by_one: tuple[LedgerEntry, ...] = ()
    for entry in shuffled:
        one_by_one = ledger.merge(one_by_one, [entry])
    at_once = ledger.merge((), entries)
    assert one_by_one == at_once
    assert ledger.tally(one_by_one, "killed") == ledger.tally(at_once, "killed")


@settings(deadline=None)
@given(_ENTRIES)
def test_nothing_is_counted_twice(entries: list[LedgerEntry]) -> None:
    """Reporting every figure once more, by the same items, changes nothing; no tally exceeds the largest figure."""
    once = ledger.merge((), entries)
    assert ledger.merge(once, entries) == once
    stated = [e.tally.best for e in entries if e.main and e.kind == "killed" and e.tally.best is not None]
    known = ledger.tally(once, "killed")
    if known is not None and known.best is not None:
        assert known.best in stated
        assert (known.high or 0) <= max(stated)
        assert min(stated) <= (known.low if known.low is not None else known.best)


@settings(deadline=None)
@given(_ENTRIES)
def test_low_best_high_are_ordered(entries: list[LedgerEntry]) -> None:
    """A tally's low lies below its best and its high above it."""
    for kind in ("killed", "injured"):
        known = ledger.tally(ledger.merge((), entries), kind)
        if known is not None and known.best is not None:
            assert known.low is None or known.low < known.best
            assert known.high is None or known.high > known.best


def test_three_outlets_that_count_twelve_count_twelve() -> None:
    """Equal figures of several outlets are one count."""
    assert _killed(*(figure(12, outlet=f"{n}.example") for n in "abc")) == Tally(best=12)


def test_rising_toll() -> None:
    """A later, higher figure is the toll; an outlet that lags behind leaves a lower bound."""
    known = _killed(figure(12), figure(18, hours=2), figure(12, outlet="b.example", hours=3))
    assert known == Tally(low=12, best=18)


def test_a_fall_is_a_correction_of_that_outlet_alone() -> None:
    """An outlet that lowers its own figure corrects itself; what another one counts still stands."""
    assert _killed(figure(14), figure(12, hours=1)) == Tally(best=12)
    known = _killed(figure(14), figure(14, outlet="b.example"), figure(12, hours=1))
    assert known == Tally(low=12, best=14)


def test_a_marked_correction_sets_copies_aside() -> None:
    """What says of itself that it is a correction withdraws the same figure from those who copied it earlier."""
    copy = figure(14, outlet="b.example", hours=0.5)
    assert _killed(figure(14), copy, figure(4, hours=1, correction=True)) == Tally(best=4)
    later = figure(14, outlet="b.example", hours=2)
    assert _killed(figure(14), later, figure(4, hours=1, correction=True)) == Tally(low=4, best=14)


def test_part_of_the_dead_is_no_correction() -> None:
    """ "Four children among them" does not lower forty dead to four."""
    assert _killed(figure(40), figure(4, hours=1)) == Tally(best=40)


def test_two_claims_are_two_claims() -> None:
    """Accounts that differ are told apart; the lowest is taken and the span shows the difference."""
    entries = (figure(49, claimant="the army"), figure(105, claimant="the rebels", outlet="b.example"))
    assert _killed(*entries) == Tally(best=49, high=105)
    assert ledger.differing_claims(entries) == (
        "49 killed according to the army",
        "105 killed according to the rebels",
    )


def test_plain_report_outweighs_claims() -> None:
    """A figure reported plainly is the best one, whatever somebody claims."""
    known = _killed(figure(30, outlet="b.example"), figure(300, claimant="the rebels"))
    assert known == Tally(best=30, high=300)


def test_cumulative_and_incident_keep_apart() -> None:
    """A toll of the whole war beside that of the strike never becomes the strike's."""
    assert _killed(figure(54, total=158), figure(57, hours=1)) == Tally(best=57, total=158)


def test_entries_keep_source_and_time_and_parts() -> None:
    """The headline figure comes first with its claimant; parts and cumulative figures are kept beside it."""
    figures = (
        Figure("killed", None, 12, None, "title", 0, 2, claimant="the governor", who="civilians"),
        Figure("killed", None, 3, None, "summary", 0, 1, who="children"),
        Figure("killed", None, 200, None, "summary", 5, 8, cumulative=True),
    )
    entries = ledger.entries_of(item(hours=1), read("remote_strike", killed=Toll(best=12), figures=figures))
    main, part, cumulative = entries
    assert (main.tally.best, main.claimant, main.who, main.at, main.main) == (
        12, "the governor", "civilians", at(1), True,
    )  # fmt: skip
    assert (part.tally.best, part.who, part.main) == (3, "children", False)
    assert (cumulative.tally.total, cumulative.tally.best) == (200, None)


def test_words_without_number_give_no_number() -> None:
    """ "Dozens" is kept as words and makes up no figure."""
    entries = ledger.entries_of(item(), read("bombing", killed=Toll(words="dozens")))
    assert entries[0].words == "dozens"
    assert ledger.tally(entries, "killed") is None


def test_bounded() -> None:
    """A ledger never holds more than 400 entries, and headline figures outlive side figures."""
    many = [figure(n, uid=f"m{n}") for n in range(300)] + [figure(n, uid=f"s{n}", main=False) for n in range(300)]
    kept = ledger.merge((), many)
    assert len(kept) == 400
    assert sum(entry.main for entry in kept) == 300


def test_all_orders_of_equal_times() -> None:
    """Four figures of one minute give one tally in all 24 orders."""
    entries = (figure(12), figure(14), figure(13, outlet="b.example"), figure(9, outlet="c.example", correction=True))
    assert len({_killed(*order) for order in permutations(entries)}) == 1
