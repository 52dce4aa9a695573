"""When to ask a feed again, and what to remember of the last answer. Pure: the time and the jitter are arguments."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.errors import FetchError, FetchProblem, ParseError, WorkerError
from bot.feeds.answers import digest
from bot.feeds.names import site
from bot.model import Feed, FeedState, FeedStatus, Fetched, Item, NotModified, PaceHints, ParsedFeed

Outcome = Fetched | NotModified | FetchError | ParseError | WorkerError

_REFUSALS = (FetchProblem.NOT_FOUND.value, FetchProblem.FORBIDDEN.value)
_TRANSPORT = tuple(
    problem.value for problem in (FetchProblem.REFUSED, FetchProblem.RESOLVE, FetchProblem.TIMEOUT, FetchProblem.TLS)
)
_WORKER = "worker"
_WORKER_REST_S = 3600.0
_RECENT = 12
_EARLY = 0.1
_SLOWER = 1.5
_REST_S = 60.0


@dataclass(frozen=True, slots=True)
class PaceLimits:
    """Bounds in seconds. ``max_s`` is the operator's interval; where it is under a minute ``min_s`` equals it."""

    min_s: float = 60.0
    max_s: float = 300.0
    cap_s: float = 86_400.0
    """The longest pause after failures."""
    grace_s: float = 7 * 86_400.0
    """How long 404 and 403 must last before a feed is disabled."""


def after_fetch(
    feed: Feed,
    outcome: Outcome,
    parsed: ParsedFeed | None,
    new: Sequence[Item],
    *,
    now: datetime,
    jitter: float,
    limits: PaceLimits = PaceLimits(),
) -> FeedState:
    """The feed's state after a poll. ``jitter`` is uniform in [0, 1); ``new`` holds the items not seen before.

    Validators and the body's hash advance only with a body that was whole and parsed; a cut one drops them, so that
    the next poll is unconditional; a failure leaves them as they are. Transport failures alone never disable a feed.
    """
    if isinstance(outcome, Fetched):
        if parsed is None:
            raise ValueError("a fetched body comes with what was parsed in it, or with the error")
        return _changed(feed, outcome, parsed, new, now, jitter, limits)
    if isinstance(outcome, NotModified):
        return _unchanged(feed, outcome, now, jitter, limits)
    return _failed(feed.state, outcome, now, jitter, limits)


def moved(outcome: Outcome, parsed: ParsedFeed | None) -> str | None:
    """The feed's new address, once nothing but permanent redirects led to a whole feed with items in it."""
    if isinstance(outcome, Fetched) and outcome.complete and parsed is not None and parsed.items:
        return outcome.moved_to
    return None


def host_rest(feeds: Iterable[Feed], error: FetchError, now: datetime) -> Mapping[int, FeedState]:
    """States of the feeds that rest because their host asked for it, by feed id; only those that change.

    Where another host of the same site was rate-limited too, the whole site rests. Their returns are spread over a
    minute.
    """
    if not error.host_wide:
        return {}
    everybody = list(feeds)
    host = _host(error.url)
    limited = {_host(feed.url) for feed in everybody if feed.state.problem == FetchProblem.RATE_LIMITED.value}
    wide = any(site(other) == site(host) for other in limited - {host})
    until = now + timedelta(seconds=_REST_S if error.retry_after_s is None else error.retry_after_s)
    rested: dict[int, FeedState] = {}
    for feed in everybody:
        its = _host(feed.url)
        due = until + timedelta(seconds=_REST_S * _spread(feed.id))
        if (its == host or (wide and site(its) == site(host))) and feed.state.next_due < until:
            rested[feed.id] = replace(feed.state, next_due=due)
    return rested


def after_outage(feeds: Iterable[Feed], now: datetime, within_s: float = 120.0) -> Mapping[int, FeedState]:
    """States that bring back, soon and spread, the feeds that failed while this machine itself was offline.

    For the moment when a first answer comes after none did: long pauses were never the feeds' fault.
    """
    return {
        feed.id: replace(feed.state, next_due=now + timedelta(seconds=within_s * _spread(feed.id)))
        for feed in feeds
        if feed.state.problem in _TRANSPORT and feed.state.next_due > now + timedelta(seconds=within_s)
    }


def enabled(state: FeedState, now: datetime) -> FeedState:
    """The state after a person switched the feed on again: due at once, its failures forgiven."""
    return replace(
        state, status=FeedStatus.ACTIVE, next_due=now, errors=0, problem=None, last_error=None, failing_since=None
    )


# --- success ------------------------------------------------------------------------------------------------------


def _changed(
    feed: Feed,
    fetched: Fetched,
    parsed: ParsedFeed,
    new: Sequence[Item],
    now: datetime,
    jitter: float,
    limits: PaceLimits,
) -> FeedState:
    hints = _merged(fetched.hints, parsed.hints)
    interval = _paced(_gap(parsed.items, now) / 2, hints, now, limits)
    state = _well(feed.state, interval, now, jitter, limits)
    return replace(
        state,
        etag=fetched.etag if fetched.complete else None,
        last_modified=fetched.last_modified if fetched.complete else None,
        body_hash=digest(fetched.body) if fetched.complete else None,
        last_new=now if new else state.last_new,
        first_done=True,
    )


def _unchanged(feed: Feed, answer: NotModified, now: datetime, jitter: float, limits: PaceLimits) -> FeedState:
    if feed.state.last_ok is None:
        # "Nothing new" about a body that was never stored, as after a restored database: ask again without conditions.
        return replace(feed.state, etag=None, last_modified=None, body_hash=None, next_due=now, last_checked=now)
    interval = _paced(feed.state.interval_s * _SLOWER, answer.hints, now, limits)
    state = _well(feed.state, interval, now, jitter, limits)
    named = answer.etag is not None or answer.last_modified is not None
    return replace(
        state,
        etag=answer.etag if named else state.etag,
        last_modified=answer.last_modified if named else state.last_modified,
    )


def _well(state: FeedState, interval: float, now: datetime, jitter: float, limits: PaceLimits) -> FeedState:
    """Failures are over; the next poll comes up to a tenth early, so that feeds do not march in step."""
    wait = max(limits.min_s, interval * (1 - _EARLY * jitter))
    return replace(
        state,
        next_due=now + timedelta(seconds=wait),
        interval_s=interval,
        errors=0,
        problem=None,
        last_error=None,
        failing_since=None,
        last_checked=now,
        last_ok=now,
        status=state.status if state.status is FeedStatus.PAUSED else FeedStatus.ACTIVE,
    )


def _gap(items: Sequence[Item], now: datetime) -> float:
    """Seconds between two of the feed's last items, as a mean that reaches up to now; infinite where none can tell."""
    times = sorted((item.published for item in items if item.dated and item.published <= now), reverse=True)[:_RECENT]
    return (now - times[-1]).total_seconds() / len(times) if len(times) > 1 else math.inf


def _paced(wish: float, hints: PaceHints, now: datetime, limits: PaceLimits) -> float:
    """The interval between the limits; what the feed asks for can only slow it down."""
    asked = max(wish, hints.ttl_s or 0.0, hints.max_age_s or 0.0, hints.retry_after_s or 0.0)
    if _skipped(hints, now):
        asked = limits.max_s
    return min(max(asked, limits.min_s), limits.max_s)


def _skipped(hints: PaceHints, now: datetime) -> bool:
    """True in hours and on days (UTC) that the feed asks to leave out; asking to leave out all means nothing."""
    hour = now.hour in hints.skip_hours and len(hints.skip_hours) < 24
    day = now.weekday() in hints.skip_days and len(hints.skip_days) < 7
    return hour or day


def _merged(answer: PaceHints, document: PaceHints) -> PaceHints:
    return replace(document, max_age_s=answer.max_age_s, retry_after_s=answer.retry_after_s)


# --- failure ------------------------------------------------------------------------------------------------------


def _failed(
    state: FeedState, error: FetchError | ParseError | WorkerError, now: datetime, jitter: float, limits: PaceLimits
) -> FeedState:
    problem = problem_of(error)
    same_kind = state.failing_since is not None and (problem in _REFUSALS) == (state.problem in _REFUSALS)
    since = state.failing_since if same_kind and state.failing_since is not None else now
    errors = min(state.errors + 1, 1_000_000)
    status = _status(state, problem, since, now, limits)
    return replace(
        state,
        next_due=now + timedelta(seconds=_pause(error, errors, jitter, limits)),
        errors=errors,
        problem=problem,
        last_error=str(error),
        failing_since=since,
        last_checked=now,
        status=status,
    )


def problem_of(error: FetchError | ParseError | WorkerError) -> str:
    """The short name of a failure, from a closed set."""
    if isinstance(error, FetchError):
        return error.problem.value
    if isinstance(error, ParseError):
        return (FetchProblem.BLOCKED if error.blocked else FetchProblem.PARSE).value
    return _WORKER


def _status(state: FeedState, problem: str, since: datetime, now: datetime, limits: PaceLimits) -> FeedStatus:
    if state.status is FeedStatus.PAUSED:
        return state.status
    if problem == FetchProblem.GONE.value:
        return FeedStatus.GONE
    if problem in _REFUSALS and (now - since).total_seconds() >= limits.grace_s:
        return FeedStatus.DISABLED
    return FeedStatus.QUARANTINED if problem == _WORKER else state.status


def _pause(error: FetchError | ParseError | WorkerError, errors: int, jitter: float, limits: PaceLimits) -> float:
    """Seconds until the next try: doubling from the operator's interval, never before the time that was asked for."""
    base = max(limits.max_s, _WORKER_REST_S) if isinstance(error, WorkerError) else limits.max_s
    pause = min(base * 2.0 ** min(errors - 1, 40) * (0.75 + 0.5 * jitter), limits.cap_s)
    if isinstance(error, FetchError) and error.retry_after_s is not None:
        asked = min(error.retry_after_s, limits.cap_s)
        return max(asked, limits.min_s) * (1 + _EARLY * jitter)
    return max(pause, limits.min_s)


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0].lower()


def _spread(number: int) -> float:
    """Evenly in [0, 1) by the golden ratio: neighbours in number are far apart."""
    return number * 0.6180339887498949 % 1.0
