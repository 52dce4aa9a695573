"""When feeds are asked again, and what is remembered: pure decisions over given times and jitters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import FetchError, FetchProblem, ParseError, WorkerError
from bot.feeds.answers import digest
from bot.feeds.check import probe
from bot.feeds.pacing import Outcome, PaceLimits, after_fetch, after_outage, enabled, host_rest, moved
from bot.model import (
    Feed,
    FeedSpec,
    FeedState,
    FeedStatus,
    Fetched,
    Item,
    NotModified,
    PaceHints,
    ParsedFeed,
)
from tests.feeds.conftest import NOW

LIMITS = PaceLimits()
URL = "https://valley.example/feed"


def feed(url: str = URL, number: int = 7, **state: object) -> Feed:
    base = probe(FeedSpec(url), NOW - timedelta(days=30))
    return replace(base, id=number, state=replace(base.state, **state))  # type: ignore[arg-type]


def items(*ages_s: float) -> tuple[Item, ...]:
    return tuple(
        Item(7, f"k{n}", "t", "", "", NOW - timedelta(seconds=age), "valley.example") for n, age in enumerate(ages_s)
    )


def body(**changes: object) -> Fetched:
    base = Fetched(feed(), URL, b"<rss/>", NOW, etag='"2"', last_modified="today")
    return replace(base, **changes)  # type: ignore[arg-type]


def failing(problem: FetchProblem, **options: object) -> FetchError:
    return FetchError(problem, URL, "no", **options)  # type: ignore[arg-type]


def after(
    before: Feed, outcome: Outcome, parsed: ParsedFeed | None = None, new: Sequence[Item] = (), jitter: float = 0.5,
    now: datetime = NOW, limits: PaceLimits = LIMITS,
) -> FeedState:  # fmt: skip
    return after_fetch(before, outcome, parsed, new, now=now, jitter=jitter, limits=limits)


# --- success ----------------------------------------------------------------------------------------------------


def test_validators_advance_with_a_whole_parsed_body() -> None:
    """ETag, Last-Modified and the body's hash are those of the body that was parsed."""
    state = after(feed(etag='"1"'), body(), ParsedFeed(items(60)), items(60))
    assert (state.etag, state.last_modified, state.body_hash) == ('"2"', "today", digest(b"<rss/>"))
    assert (state.last_ok, state.last_new, state.first_done) == (NOW, NOW, True)


def test_N08_a_cut_body_makes_the_next_poll_unconditional() -> None:
    """A body that was cut leaves no validator behind, old or new."""
    state = after(feed(etag='"1"', body_hash="x"), body(complete=False), ParsedFeed(items(60)))
    assert (state.etag, state.last_modified, state.body_hash) == (None, None, None)


@pytest.mark.parametrize(
    "error",
    [
        failing(FetchProblem.REFUSED),
        failing(FetchProblem.EMPTY),
        ParseError(URL, "no feed"),
        WorkerError("hung"),
        failing(FetchProblem.BLOCKED),
    ],
)
def test_N06_N24_failures_leave_the_validators_as_they_are(error: FetchError | ParseError | WorkerError) -> None:
    """After any failure the next poll asks as the last good answer allows."""
    state = after(feed(etag='"1"', last_modified="m", body_hash="h", last_ok=NOW), error)
    assert (state.etag, state.last_modified, state.body_hash, state.last_ok) == ('"1"', "m", "h", NOW)
    assert state.errors == 1
    assert state.last_error


def test_N18_a_304_with_no_stored_success_is_asked_again_without_conditions() -> None:
    """After a restored database "nothing new" is not believed: the validators go, and the feed is due at once."""
    state = after(feed(etag='"1"', body_hash="h"), NotModified(feed(), NOW))
    assert (state.etag, state.last_modified, state.body_hash, state.next_due) == (None, None, None, NOW)


def test_N19_a_304_may_bring_new_validators() -> None:
    """Validators that an unchanged answer names replace the stored ones; where it names none they stay."""
    before = feed(etag='"1"', last_modified="m", last_ok=NOW)
    assert after(before, NotModified(before, NOW, etag='"2"')).etag == '"2"'
    kept = after(before, NotModified(before, NOW))
    assert (kept.etag, kept.last_modified) == ('"1"', "m")


def test_F26_an_empty_feed_is_a_success() -> None:
    """No items for a while is neither an error nor news."""
    state = after(feed(errors=3, problem="refused", last_new=None), body(), ParsedFeed(()))
    assert (state.errors, state.problem, state.last_new, state.first_done) == (0, None, None, True)


def test_N16_the_address_changes_only_after_it_proved_itself() -> None:
    """A permanent redirect counts once it led to a whole body with items in it."""
    new = "https://new.example/feed"
    assert moved(body(moved_to=new), ParsedFeed(items(60))) == new
    assert moved(body(moved_to=new, complete=False), ParsedFeed(items(60))) is None
    assert moved(body(moved_to=new), ParsedFeed(())) is None
    assert moved(body(moved_to=new), None) is None
    assert moved(failing(FetchProblem.GONE), None) is None


@pytest.mark.parametrize(
    ("gap_s", "interval_s"), [(30, 60.0), (200, 100.0), (400, 200.0), (3600, 300.0), (86_400, 300.0)]
)
def test_the_pace_follows_the_feeds_own(gap_s: float, interval_s: float) -> None:
    """A feed is asked twice as often as it publishes, between a minute and the set interval."""
    published = items(*(gap_s * n for n in range(1, 20)))
    assert after(feed(), body(), ParsedFeed(published)).interval_s == pytest.approx(interval_s, rel=0.1)


def test_a_quiet_feed_is_asked_ever_less_often_up_to_the_interval() -> None:
    """Each answer without news stretches the interval by half."""
    state = after(feed(interval_s=60.0, last_ok=NOW), NotModified(feed(), NOW))
    assert state.interval_s == 90
    for _ in range(10):
        state = after(replace(feed(), state=state), NotModified(feed(), NOW))
    assert state.interval_s == 300


@pytest.mark.parametrize(
    "hints",
    [PaceHints(ttl_s=240.0), PaceHints(max_age_s=240.0), PaceHints(retry_after_s=240.0)],
)
def test_F35_a_server_may_ask_for_a_slower_pace(hints: PaceHints) -> None:
    """ttl, max-age and Retry-After slow a fast feed down, within the set interval."""
    busy = ParsedFeed(items(*range(10, 130, 10)), hints=hints if hints.ttl_s else PaceHints())
    assert after(feed(), body(hints=PaceHints() if hints.ttl_s else hints), busy).interval_s == 240
    far = replace(hints, **{name: 86_400.0 for name in ("ttl_s", "max_age_s", "retry_after_s") if getattr(hints, name)})  # type: ignore[arg-type]
    slow = replace(busy, hints=far if far.ttl_s else PaceHints())
    assert after(feed(), body(hints=PaceHints() if far.ttl_s else far), slow).interval_s == 300


def test_F35_hours_and_days_to_skip_mean_the_slowest_pace_and_all_of_them_nothing() -> None:
    """In an hour that a feed asks to skip it is asked at the set interval; asking to skip every hour has no effect."""
    busy = items(*range(10, 130, 10))
    for hints, interval in (
        (PaceHints(skip_hours=frozenset({NOW.hour})), 300.0),
        (PaceHints(skip_hours=frozenset(range(24))), 60.0),
        (PaceHints(skip_hours=frozenset({NOW.hour - 1})), 60.0),
        (PaceHints(skip_days=frozenset({NOW.weekday()})), 300.0),
        (PaceHints(skip_days=frozenset(range(7))), 60.0),
    ):
        assert after(feed(), body(), ParsedFeed(busy, hints=hints)).interval_s == interval


def test_an_operators_interval_under_a_minute_is_taken_as_it_stands() -> None:
    """With an interval of two seconds a feed is due within two seconds, whatever its pace."""
    limits = PaceLimits(min_s=2.0, max_s=2.0)
    state = after(feed(), body(), ParsedFeed(items(86_400, 2 * 86_400)), limits=limits)
    assert NOW < state.next_due <= NOW + timedelta(seconds=2)


@given(
    jitter=st.floats(0, 1, exclude_max=True),
    ages=st.lists(st.floats(-1e6, 1e8), max_size=30),
    ttl=st.none() | st.floats(0, 1e9),
    low=st.floats(0.5, 100),
    spread=st.floats(0, 1000),
)
def test_a_success_is_due_again_between_the_limits(
    jitter: float, ages: list[float], ttl: float | None, low: float, spread: float
) -> None:
    """Whatever a feed publishes and asks for, its next poll lies between the minimum and the set interval."""
    limits = PaceLimits(min_s=low, max_s=low + spread)
    state = after(feed(), body(), ParsedFeed(items(*ages), hints=PaceHints(ttl_s=ttl)), jitter=jitter, limits=limits)
    wait = (state.next_due - NOW).total_seconds()
    assert low - 1e-3 <= wait <= low + spread + 1e-3


# --- failure ----------------------------------------------------------------------------------------------------


def test_N01_pauses_double_up_to_a_day() -> None:
    """Consecutive failures double the pause from the set interval to 24 hours, spread by a quarter either way."""
    state, pauses = feed().state, []
    for _ in range(15):
        state = after(replace(feed(), state=state), failing(FetchProblem.REFUSED))
        pauses.append((state.next_due - NOW).total_seconds())
    assert pauses[:4] == [300, 600, 1200, 2400]
    assert pauses[-1] == 86_400
    assert state.errors == 15
    early, late = (after(feed(), failing(FetchProblem.REFUSED), jitter=j).next_due for j in (0.0, 0.999))
    assert (early - NOW).total_seconds() == 225
    assert 370 < (late - NOW).total_seconds() < 375


@given(
    st.lists(
        st.sampled_from(
            [p for p in FetchProblem if p not in (FetchProblem.GONE, FetchProblem.NOT_FOUND, FetchProblem.FORBIDDEN)]
        ),
        max_size=60,
    )
)
def test_N01_transport_failures_alone_never_disable(problems: list[FetchProblem]) -> None:
    """However long a feed is out of reach, it stays active and due within 24 hours and a tenth."""
    state, now = feed().state, NOW
    for problem in problems:
        state = after(replace(feed(), state=state), failing(problem), now=now)
        assert state.status is FeedStatus.ACTIVE
        assert timedelta(0) < state.next_due - now <= timedelta(seconds=86_400 * 1.1)
        now = state.next_due


def test_N22_gone_is_gone_at_once() -> None:
    """410 stops a feed."""
    assert after(feed(), failing(FetchProblem.GONE, status=410)).status is FeedStatus.GONE


@pytest.mark.parametrize("problem", [FetchProblem.NOT_FOUND, FetchProblem.FORBIDDEN])
def test_N22_missing_and_forbidden_feeds_are_disabled_after_seven_days(problem: FetchProblem) -> None:
    """404 and 403 have a grace of a week, counted from the first of them."""
    state, now = feed().state, NOW
    while now - NOW < timedelta(days=7):
        state = after(replace(feed(), state=state), failing(problem), now=now, jitter=0.0)
        assert state.status is FeedStatus.ACTIVE
        now = state.next_due
    assert after(replace(feed(), state=state), failing(problem), now=now).status is FeedStatus.DISABLED


def test_N22_weeks_out_of_reach_do_not_count_towards_the_grace() -> None:
    """One 404 after a month of refused connections starts its own week; a refusal in between starts it anew."""
    before = feed(errors=9, problem="refused", failing_since=NOW - timedelta(days=30))
    state = after(before, failing(FetchProblem.NOT_FOUND))
    assert (state.status, state.failing_since) == (FeedStatus.ACTIVE, NOW)
    later = NOW + timedelta(days=6)
    state = after(replace(feed(), state=state), failing(FetchProblem.REFUSED), now=later)
    assert state.failing_since == later
    assert (
        after(replace(feed(), state=state), failing(FetchProblem.NOT_FOUND), now=later + timedelta(days=3)).status
        is FeedStatus.ACTIVE
    )


def test_a_success_ends_all_trouble() -> None:
    """After one good answer nothing of the failures is left, and a disabled feed is active again."""
    for status in (FeedStatus.DISABLED, FeedStatus.QUARANTINED, FeedStatus.GONE):
        before = feed(errors=9, problem="not-found", failing_since=NOW, last_error="x", status=status)
        state = after(before, body(), ParsedFeed(items(60)))
        assert (state.errors, state.problem, state.failing_since, state.last_error) == (0, None, None, None)
        assert state.status is FeedStatus.ACTIVE


def test_a_paused_feed_stays_paused() -> None:
    """What the operator paused, no answer wakes."""
    assert after(feed(status=FeedStatus.PAUSED), body(), ParsedFeed(items(60))).status is FeedStatus.PAUSED
    assert after(feed(status=FeedStatus.PAUSED), failing(FetchProblem.GONE)).status is FeedStatus.PAUSED


def test_a_feed_that_killed_its_worker_rests_for_an_hour_at_least() -> None:
    """It is quarantined: asked again, but seldom."""
    state = after(feed(), WorkerError("hung"))
    assert (state.status, state.problem) == (FeedStatus.QUARANTINED, "worker")
    assert state.next_due == NOW + timedelta(hours=1)


@pytest.mark.parametrize("asked", [0.0, 30.0, 7200.0, 86_400.0, 1e9])
def test_N21_a_wait_that_was_asked_for_is_kept(asked: float) -> None:
    """Nothing is asked before the time the server named, nor later than a day and a tenth."""
    for jitter in (0.0, 0.99):
        state = after(feed(), failing(FetchProblem.RATE_LIMITED, retry_after_s=asked, host_wide=True), jitter=jitter)
        wait = (state.next_due - NOW).total_seconds()
        assert min(asked, 86_400) <= wait <= max(60.0, min(asked, 86_400.0)) * 1.1


def test_N21_the_whole_host_rests() -> None:
    """Other feeds of the host wait as long, spread over the minute after; other hosts and later dues are left alone."""
    error = failing(FetchProblem.RATE_LIMITED, retry_after_s=600.0, host_wide=True)
    feeds = [
        feed(number=1, next_due=NOW),
        feed("https://valley.example/other", 2, next_due=NOW),
        feed("https://elsewhere.example/", 3, next_due=NOW),
        feed("https://valley.example/late", 4, next_due=NOW + timedelta(hours=3)),
        feed("https://sub.valley.example/", 5, next_due=NOW),
    ]
    rested = host_rest(feeds, error, NOW)
    assert set(rested) == {1, 2}
    for state in rested.values():
        assert timedelta(seconds=600) <= state.next_due - NOW < timedelta(seconds=660)
    assert len({state.next_due for state in rested.values()}) == 2
    assert host_rest(feeds, failing(FetchProblem.SERVER), NOW) == {}


def test_N30_a_site_rests_where_siblings_were_limited_too() -> None:
    """With 429 from two subdomains their whole site waits."""
    error = FetchError(FetchProblem.RATE_LIMITED, "https://a.blogspot.com/f", "429", host_wide=True)
    feeds = [
        feed("https://a.blogspot.com/f", 1, next_due=NOW),
        feed("https://b.blogspot.com/f", 2, next_due=NOW, problem="rate-limited"),
        feed("https://c.blogspot.com/f", 3, next_due=NOW),
        feed("https://other.example/f", 4, next_due=NOW),
    ]
    assert set(host_rest(feeds, error, NOW)) == {1, 2, 3}
    assert set(host_rest([feeds[0], feeds[2]], error, NOW)) == {1}


def test_after_an_outage_of_this_machine_feeds_come_back_soon() -> None:
    """What failed for want of a network is due within two minutes, spread; what failed by itself waits on."""
    tomorrow = NOW + timedelta(days=1)
    feeds = [
        feed(number=n, problem=p, next_due=tomorrow)
        for n, p in enumerate(["refused", "unresolvable", "timeout", "not-found", None])
    ]
    back = after_outage(feeds, NOW)
    assert set(back) == {0, 1, 2}
    assert all(NOW <= state.next_due <= NOW + timedelta(minutes=2) for state in back.values())
    assert len({state.next_due for state in back.values()}) == 3


def test_N22_one_command_brings_a_feed_back() -> None:
    """A feed that a person enables is active, due now and without a record of failures."""
    state = enabled(feed(status=FeedStatus.DISABLED, errors=9, problem="not-found", failing_since=NOW).state, NOW)
    assert (state.status, state.next_due, state.errors, state.failing_since) == (FeedStatus.ACTIVE, NOW, 0, None)


def test_a_body_needs_what_was_parsed_in_it() -> None:
    """A fetched body without its parse is a mistake of the caller's."""
    with pytest.raises(ValueError, match="parsed"):
        after(feed(), body())


def test_the_decision_is_a_function_of_its_arguments() -> None:
    """Same feed, same outcome, same time and jitter: same state."""
    one, two = (after(feed(), failing(FetchProblem.TIMEOUT)) for _ in range(2))
    assert one == two
    assert one.next_due.tzinfo is UTC
