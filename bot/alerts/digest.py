"""Held alerts come out together: one digest an address, each story once, with what has since become of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.model import Alert, Change, Delivery, Digest, Held, Lane, Phase, Reason, Severity, Subscription

from .route import delivery_id

_KEEP = timedelta(hours=24)
_REASON_OF: Mapping[Reason, Reason] = {
    Reason.QUIET_HOURS: Reason.CATCH_UP,
    Reason.DIGEST: Reason.DIGEST_DUE,
    Reason.FLOOD: Reason.FLOOD,
}
_CALM = frozenset({Phase.AGREED, Phase.IN_FORCE, Phase.EXTENDED})


def release(held: Sequence[Held], now: datetime, subscriptions: Iterable[Subscription] = ()) -> tuple[Delivery, ...]:
    """One digest for each address among these held alerts.

    Parameters
    ----------
    held
        alerts whose time has come; those whose time has not are left alone.
    subscriptions
        as they stand now: they give language and zone, and what was muted or suspended meanwhile is left out.
    """
    known = {subscription.id: subscription for subscription in subscriptions}
    chats: dict[str, list[Held]] = {}
    for one in held:
        if one.release_at <= now and _wanted(one, known.get(one.subscription_id)):
            chats.setdefault(one.target, []).append(one)
    return tuple(_digest(target, waiting, known, now) for target, waiting in sorted(chats.items()))


def _digest(target: str, waiting: Sequence[Held], known: Mapping[str, Subscription], now: datetime) -> Delivery:
    stories: dict[str, list[Alert]] = {}
    for one in sorted(waiting, key=lambda one: (one.alert.at, one.alert.happened_at)):
        stories.setdefault(one.alert.story_id, []).append(one.alert)
    alerts = sorted((_merged(story) for story in stories.values()), key=_importance)
    subscription = known.get(waiting[0].subscription_id)
    parts = sorted(f"{one.alert.story_id}@{one.alert.at.isoformat()}" for one in waiting)
    return Delivery(
        id=delivery_id(target, "digest", *parts),
        target=target,
        content=Digest(_reason(waiting), now, tuple(alerts), since=min(one.alert.at for one in waiting)),
        lane=Lane.DIGEST,
        created_at=now,
        not_before=now,
        expires_at=now + _KEEP,
        subscription_id=waiting[0].subscription_id,
        language=subscription.language if subscription else "en",
        zone=subscription.zone if subscription else "UTC",
    )


def _merged(alerts: Sequence[Alert]) -> Alert:
    """One alert for all that was held of a story: the latest picture against what the address knew before the first."""
    first, last = alerts[0], alerts[-1]
    changes = {change for alert in alerts for change in alert.changes}
    return replace(
        last,
        kind=first.kind,
        killed_before=first.killed_before,
        injured_before=first.injured_before,
        phase_before=first.phase_before,
        severity_before=first.severity_before,
        changes=tuple(change for change in Change if change in changes),
        detail="; ".join(dict.fromkeys(filter(None, [_resolved(alerts), *(alert.detail for alert in alerts)]))),
    )


def _resolved(alerts: Sequence[Alert]) -> str:
    """What has become of it while the reader slept, where it has ended or was taken back."""
    last = alerts[-1]
    if Change.ALL_CLEAR in last.changes:
        return "has since ended"
    if len(alerts) < 2:
        return ""
    if Change.DENIED in last.changes:
        return "has since been denied"
    if Change.CORRECTION in last.changes:
        return "has since been corrected"
    if last.phase in _CALM and alerts[0].phase not in _CALM:
        return f"ceasefire since {last.phase.value}"
    return ""


def _importance(alert: Alert) -> tuple[int, float, str]:
    return (-(alert.severity or Severity.MINOR), -alert.at.timestamp(), alert.story_id)


def _reason(waiting: Sequence[Held]) -> Reason:
    """Quiet hours explain more than a digest, a digest more than a flood."""
    reasons = {one.reason for one in waiting}
    return next((spoken for kept, spoken in _REASON_OF.items() if kept in reasons), Reason.DIGEST_DUE)


def _wanted(one: Held, subscription: Subscription | None) -> bool:
    if subscription is None:
        return True
    return subscription.suspended is None and one.alert.story_id not in subscription.muted
