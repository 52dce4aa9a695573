"""The codec: what the model's values become in the database, and back."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import StoreError
from bot.model import Alert, Certainty, Digest, Notice, Phase, Reason, Severity, Snapshot, Story, Subscription, Tally
from bot.store import codec
from bot.store.schema import Instant
from classifiers.assessment import Assessment, Claim, Evidence, Figure, Place, Toll
from tests.store.builders import NOON, alert, read, story
from tests.store.chats import subscription

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
OFFSET = st.integers(0, 10**6)
SPAN = {"start": OFFSET, "end": OFFSET}
COUNT = st.none() | st.integers(0, 10**6)
SHARE = st.floats(0, 1)
TOLLS = st.none() | st.builds(Toll, low=COUNT, best=COUNT, high=COUNT, total=COUNT, words=st.none() | TEXT)
ASSESSMENTS = st.builds(
    Assessment,
    signals=st.dictionaries(TEXT, SHARE, max_size=4),
    labels=st.lists(TEXT, max_size=3).map(tuple),
    severity=st.none() | st.sampled_from(("minor", "moderate", "severe", "extreme")),
    score=st.floats(-10, 10),
    killed=TOLLS,
    injured=TOLLS,
    figures=st.lists(st.builds(Figure, **SPAN, low=COUNT, best=COUNT, high=COUNT), max_size=2).map(tuple),
    countries=st.lists(TEXT, max_size=2).map(tuple),
    places=st.lists(st.builds(Place, **SPAN, name=TEXT, lat=st.none() | SHARE, lon=st.none() | SHARE), max_size=2).map(
        tuple
    ),
    claims=st.lists(st.builds(Claim, **SPAN, by=st.none() | TEXT), max_size=2).map(tuple),
    language=TEXT,
    supported=st.booleans(),
    evidence=st.lists(st.builds(Evidence, **SPAN, text=TEXT, weight=SHARE), max_size=2).map(tuple),
    notes=st.lists(TEXT, max_size=2).map(tuple),
)
TIMES = st.datetimes(timezones=st.just(UTC))
SNAPSHOTS = st.builds(
    Snapshot,
    at=TIMES,
    severity=st.none() | st.sampled_from(Severity),
    certainty=st.sampled_from(Certainty),
    killed=st.none() | st.builds(Tally, low=COUNT, best=COUNT),
    injured=st.none() | st.builds(Tally, total=COUNT),
    phase=st.none() | st.sampled_from(Phase),
    signals=st.lists(TEXT, max_size=3).map(tuple),
    sources=st.integers(0, 99),
)


@settings(max_examples=40, deadline=None, database=None)
@given(ASSESSMENTS)
def test_assessments_survive(assessment: Assessment) -> None:
    """Every field comes back, probabilities rounded."""
    rounded = {name: round(share, codec.SIGNAL_DIGITS) for name, share in assessment.signals.items()}
    assert codec.load_assessment(codec.dump_assessment(assessment)) == replace(assessment, signals=rounded)


@settings(max_examples=40, deadline=None, database=None)
@given(SNAPSHOTS)
def test_snapshots_survive(snapshot: Snapshot) -> None:
    """Every field comes back, times to the microsecond and in UTC."""
    back = codec.load(Snapshot, codec.dump(snapshot))
    assert back == snapshot
    assert back.at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "value",
    [
        story(),
        alert(),
        subscription(),
        Digest(Reason.CATCH_UP, NOON, (alert(), alert("s2")), since=NOON),
        Notice("Telegram refuses our token", NOON, topic="blind"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_full_values_survive(value: Story | Alert | Subscription | Digest | Notice) -> None:
    """Values with something in every field come back equal, tuples as tuples and sets as sets."""
    assert codec.load(type(value), codec.dump(value)) == value


def test_a_field_added_later_has_its_default() -> None:
    """What an older version wrote can be read: unknown fields are ignored, absent ones take their default."""
    text = codec.dump({"text": "x", "at": NOON, "retired_field": 1})
    assert codec.load(Notice, text) == Notice("x", NOON)


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", '{"text": 1, "at": "no time"}'])
def test_what_cannot_be_read_is_one_line(text: str) -> None:
    """Damage is a StoreError that names the kind of value."""
    with pytest.raises(StoreError, match="a stored Notice cannot be read") as caught:
        codec.load(Notice, text)
    assert "\n" not in str(caught.value)


def test_f37_a_probability_that_is_no_number_can_be_read_again() -> None:
    """NaN has no word in JSON: it is kept as 0, and the item stays readable."""
    back = codec.load_assessment(codec.dump_assessment(read(math.nan)))
    assert back.signals["remote_strike"] == 0.0


def test_lone_surrogates_and_absurd_numbers_do_not_stop_a_batch() -> None:
    """They are replaced, wherever they lie, and the rest of the value stays."""
    bad = replace(story(title="a\ud800b"), killed=Tally(best=10**30), signals={"x\udfff": 0.5})
    back = codec.load(Story, codec.dump(bad))
    assert (back.title, back.killed, dict(back.signals)) == ("a\ufffdb", Tally(best=codec.LARGEST), {"x\ufffd": 0.5})
    assert back.ledger == bad.ledger


def test_a_batch_encodes_one_object_once() -> None:
    """Ten thousand addresses that hear the same thing share its text; equal but other objects are their own."""
    once, shared = codec.Once(), alert()
    assert once(shared) is once(shared)
    assert once(alert()) == once(shared)


@settings(max_examples=40, deadline=None, database=None)
@given(TIMES)
def test_instants_survive(time: datetime) -> None:
    """From the year 1 to 9999, to the microsecond."""
    instant = Instant()
    number = instant.process_bind_param(time, None)  # type: ignore[arg-type]  # no dialect is needed
    assert instant.process_result_value(number, None) == time  # type: ignore[arg-type]
    assert number is not None
    assert number.bit_length() < 64


def test_a_naive_time_is_refused() -> None:
    """A time without a zone is a mistake of the caller, not a guess of ours."""
    with pytest.raises(TypeError):
        Instant().process_bind_param(datetime(2026, 3, 2), None)  # type: ignore[arg-type]  # noqa: DTZ001
