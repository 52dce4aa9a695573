"""Who is told of which verdict, when and how, and why not. Pure: ``now`` is given.

Every (verdict, subscription) pair gets exactly one outcome: a delivery, a held alert or a reason for silence. Chats
are told against what *they* know: one that never heard of the story gets an alert, one that has gets an update where
something material changed for it, a quiet edit where the channel can edit, else nothing. Several subscriptions of one
chat cause one message.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.model import (
    Alert,
    Change,
    Delivery,
    DigestMode,
    Held,
    Lane,
    Mode,
    NonDelivery,
    Reason,
    RouteState,
    Routing,
    Severity,
    Subscription,
    Told,
    Verdict,
    VerdictKind,
)

from .changes import Thresholds, looks_different, snapshot
from .compose import Speech, first_speech, make_alert, next_speech, quiet_edit, spoken_speech
from .filters import Miss, Subject, match, subject
from .hours import is_quiet, next_daily, next_hour, quiet_end

_FINAL = frozenset({Reason.NO_SIGNAL, Reason.HISTORY, Reason.DUPLICATE, Reason.STALE})
"""Drops that hold for everybody."""
_ID_BYTES = 15


@dataclass(frozen=True, slots=True)
class RoutePolicy:
    """The settings of routing."""

    thresholds: Thresholds = field(default_factory=Thresholds)
    edits: frozenset[str] = frozenset({"telegram"})
    """Channels in which a sent message can be edited."""
    keep: timedelta = timedelta(hours=24)
    """An alert that could not be delivered for so long is a dead letter."""
    keep_edit: timedelta = timedelta(hours=6)
    flood_pause: timedelta = timedelta(minutes=15)
    """A flood's overflow is told at the first full hour that is at least so far away."""


def route(
    verdicts: Sequence[Verdict],
    subscriptions: Sequence[Subscription],
    state: RouteState,
    now: datetime,
    *,
    policy: RoutePolicy = RoutePolicy(),
) -> Routing:
    """What each address is told of these verdicts, in their order.

    Verdicts of one batch build on one another: a second one about a story is held against what the first one told.
    """
    router = _Router(state, now, policy)
    chats = _by_target(subscriptions)
    for verdict in verdicts:
        of = subject(verdict.update.story, verdict.update.item)
        for target, members in chats.items():
            router.chat(verdict, of, target, members)
    return router.routing()


def delivery_id(*parts: str) -> str:
    """A stable id: the same message queued twice is queued once."""
    digest = hashlib.blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=_ID_BYTES).digest()
    return base64.b32encode(digest).decode("ascii").lower()


def lane_of(severity: Severity | None) -> Lane:
    """Extreme alerts overtake everything else."""
    return Lane.URGENT if severity is Severity.EXTREME else Lane.NORMAL


@dataclass(frozen=True, slots=True)
class _Silence:
    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class _Wish:
    """A subscription wants to be told: now, or at ``release_at`` for ``held``."""

    subscription: Subscription
    speech: Speech
    held: Reason | None = None
    release_at: datetime | None = None

    @property
    def rank(self) -> tuple[bool, bool, float]:
        """Loud before quiet, now before later, sooner before later."""
        wait = self.release_at.timestamp() if self.release_at else 0.0
        return (self.speech.mode is Mode.EDIT, self.held is not None, wait)


class _Router:
    """The running state of one call of :func:`route`."""

    def __init__(self, state: RouteState, now: datetime, policy: RoutePolicy) -> None:
        self._now = now
        self._policy = policy
        self._known = dict(state.told)
        self._sent = dict(state.sent_last_hour)
        self._new_told: dict[tuple[str, str], Told] = {}
        self._deliveries: dict[str, Delivery] = {}
        self._held: list[Held] = []
        self._silent: list[NonDelivery] = []

    def routing(self) -> Routing:
        """Everything decided so far."""
        deliveries = tuple(self._deliveries.values())
        return Routing(deliveries, tuple(self._held), tuple(self._silent), tuple(self._new_told.values()))

    def chat(self, verdict: Verdict, of: Subject, target: str, members: Sequence[Subscription]) -> None:
        """Decide one verdict for all subscriptions of one address."""
        wishes: list[_Wish] = []
        for subscription in members:
            wish = self._wish(verdict, of, subscription)
            if isinstance(wish, _Wish):
                wishes.append(wish)
            else:
                self._stay_silent(verdict, subscription, wish)
        if not wishes:
            return
        chosen = min(wishes, key=lambda wish: wish.rank)
        self._fulfil(verdict, target, chosen)
        for wish in wishes:
            if wish is not chosen:
                because = _Silence(Reason.DUPLICATE, f"told through {chosen.subscription.rule.name}")
                self._stay_silent(verdict, wish.subscription, because)

    def _wish(self, verdict: Verdict, of: Subject, subscription: Subscription) -> _Wish | _Silence:
        if verdict.kind is VerdictKind.DROPPED and verdict.reason in _FINAL:
            return _Silence(verdict.reason, verdict.detail)
        resting = self._resting(verdict.update.story.id, subscription)
        if resting is not None:
            return resting
        missed = match(subscription.rule.filter, of)
        if isinstance(missed, Miss):
            return _Silence(missed.reason, missed.detail)
        speech = self._speech(verdict, subscription)
        if speech is None:
            return _Silence(Reason.NO_CHANGE)
        return self._timed(subscription, speech, verdict.update.story.severity)

    def _resting(self, story_id: str, subscription: Subscription) -> _Silence | None:
        if subscription.suspended is not None:
            return _Silence(Reason.SUSPENDED, subscription.suspended)
        if subscription.paused_until is not None and subscription.paused_until > self._now:
            return _Silence(Reason.PAUSED, f"until {subscription.paused_until:%Y-%m-%d %H:%M} UTC")
        return _Silence(Reason.MUTED) if story_id in subscription.muted else None

    def _speech(self, verdict: Verdict, subscription: Subscription) -> Speech | None:
        update = verdict.update
        told = self._known.get((subscription.target, update.story.id))
        if Change.ALL_CLEAR in verdict.changes:
            return spoken_speech(verdict) if told is not None else None
        if told is None:
            return first_speech(update) if _is_news(verdict, subscription) else None
        speech = next_speech(told.snapshot, update, self._policy.thresholds)
        if speech is not None:
            return speech
        channel = subscription.target.partition(":")[0]
        editable = channel in self._policy.edits and told.message_id is not None
        if editable and update.before is not None and looks_different(update.before, update.story):
            return quiet_edit()
        return None

    def _timed(self, subscription: Subscription, speech: Speech, severity: Severity | None) -> _Wish:
        """Now, or held: extreme alerts only where the subscriber asked that even they wait."""
        urgent = severity is Severity.EXTREME and not subscription.hold_extreme
        if speech.mode is Mode.EDIT or urgent:
            return _Wish(subscription, speech)
        reason, release_at = self._hold(subscription)
        return _Wish(subscription, speech, reason, release_at)

    def _hold(self, subscription: Subscription) -> tuple[Reason | None, datetime | None]:
        now, quiet = self._now, subscription.quiet
        if subscription.digest is not DigestMode.AT_ONCE:
            return Reason.DIGEST, _awake(subscription, _digest_time(subscription, now))
        if quiet is not None and is_quiet(quiet, now):
            return Reason.QUIET_HOURS, quiet_end(quiet, now)
        limit = subscription.flood_limit
        if limit and self._sent.get(subscription.target, 0) >= limit:
            return Reason.FLOOD, next_hour(now + self._policy.flood_pause, "UTC")
        return None, None

    def _fulfil(self, verdict: Verdict, target: str, wish: _Wish) -> None:
        story = verdict.update.story
        told = self._known.get((target, story.id))
        alert = make_alert(verdict, wish.subscription, told, wish.speech)
        if wish.held is not None and wish.release_at is not None:
            self._held.append(Held(target, wish.subscription.id, alert, wish.held, wish.release_at))
        else:
            self._deliver(verdict, alert, wish)
        if wish.speech.mode is not Mode.EDIT:
            now_told = Told(target, story.id, snapshot(story, self._now), told.message_id if told else None)
            self._known[target, story.id] = self._new_told[target, story.id] = now_told

    def _deliver(self, verdict: Verdict, alert: Alert, wish: _Wish) -> None:
        subscription, mode = wish.subscription, wish.speech.mode
        target, story_id = subscription.target, verdict.update.story.id
        key = delivery_id(target, story_id, verdict.update.item.uid, mode.value)
        self._deliveries[key] = Delivery(
            id=key,
            target=target,
            content=alert,
            lane=lane_of(alert.severity) if mode is not Mode.EDIT else Lane.NORMAL,
            created_at=self._now,
            not_before=self._now,
            expires_at=self._now + (self._policy.keep_edit if mode is Mode.EDIT else self._policy.keep),
            mode=mode,
            story_id=story_id,
            subscription_id=subscription.id,
            language=subscription.language,
            zone=subscription.zone,
        )
        if mode is not Mode.EDIT:
            self._sent[target] = self._sent.get(target, 0) + 1

    def _stay_silent(self, verdict: Verdict, subscription: Subscription, because: _Silence) -> None:
        self._silent.append(
            NonDelivery(
                subscription_id=subscription.id,
                target=subscription.target,
                story_id=verdict.update.story.id,
                item_uid=verdict.update.item.uid,
                kind=verdict.kind,
                reason=because.reason,
                at=self._now,
                detail=because.detail,
            )
        )


def _by_target(subscriptions: Iterable[Subscription]) -> dict[str, list[Subscription]]:
    chats: dict[str, list[Subscription]] = {}
    for subscription in subscriptions:
        chats.setdefault(subscription.target, []).append(subscription)
    return chats


def _is_news(verdict: Verdict, subscription: Subscription) -> bool:
    """Whether an address that never heard of the story is told: where the verdict speaks, or where a story that was
    told to others began to fit this filter by this very item. What fitted before was told or held back.
    """
    if verdict.kind is not VerdictKind.DROPPED:
        return True
    if verdict.update.story.told is None:
        return False
    before = verdict.update.before
    return before is None or isinstance(match(subscription.rule.filter, subject(before, verdict.update.item)), Miss)


def _digest_time(subscription: Subscription, now: datetime) -> datetime:
    if subscription.digest is DigestMode.HOURLY:
        return next_hour(now, subscription.zone)
    return next_daily(subscription.digest_at, now, subscription.zone)


def _awake(subscription: Subscription, at: datetime) -> datetime:
    """A digest that falls into quiet hours comes at their end."""
    return quiet_end(subscription.quiet, at) if subscription.quiet else at
