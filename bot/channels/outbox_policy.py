"""What becomes of a message that could not be delivered. Pure: the failure, the time and the jitter are given."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.channels.pace import PaceKeeper
from bot.errors import DeliveryError, DeliveryProblem
from bot.model import Delivery, GivenUp, Mode, Outcome, Receipt, RetryAt, Sent

__all__ = ["PaceKeeper", "after_failure", "backoff"]

FIRST_WAIT_S = 2.0
MAX_WAIT_S = 15 * 60.0
AMBIGUOUS_FIRST_S = 20.0
"""A message that may have arrived waits longer, so that a long stall makes few copies."""
CREDENTIALS_WAIT_S = 5 * 60.0


def backoff(attempts: int, jitter: float, first_s: float = FIRST_WAIT_S) -> timedelta:
    """Doubling waits from ``first_s`` to a quarter of an hour, each spread by half; ``jitter`` lies in [0, 1)."""
    doubled = first_s * 2.0 ** min(max(attempts - 1, 0), 16)
    return timedelta(seconds=min(doubled, MAX_WAIT_S) * (0.75 + jitter / 2))


def after_failure(delivery: Delivery, error: DeliveryError, now: datetime, jitter: float) -> Outcome:
    """Retry, give up, or (where an edit would change nothing) count it as done. ``attempts`` counts this one too.

    Nothing is retried beyond ``delivery.expires_at``: after it a message is a dead letter that the operator sees.
    """
    if error.problem is DeliveryProblem.UNCHANGED:
        return Sent(Receipt(now, delivery.thread))
    if error.problem is DeliveryProblem.RECIPIENT:
        return GivenUp(str(error), suspend=True)
    retry = _once(delivery, error, now) or _later(delivery, error, now, jitter)
    if retry is None:
        return GivenUp(str(error), suspend=error.problem is DeliveryProblem.TOPIC)
    if retry.at >= delivery.expires_at:
        return GivenUp(f"expired after {max(delivery.attempts, 1)} attempts: {error}")
    return retry


def _once(delivery: Delivery, error: DeliveryError, now: datetime) -> RetryAt | None:
    """Failures that one change of the message mends: plain words, another address, the general topic."""
    if error.problem is DeliveryProblem.MARKUP and not delivery.plain:
        return RetryAt(now, str(error), plain=True)
    moves = (DeliveryProblem.MIGRATED, DeliveryProblem.TOPIC)
    if error.problem in moves and error.migrate_to and error.migrate_to != delivery.target:
        return RetryAt(now, str(error), plain=delivery.plain, target=error.migrate_to)
    return None


def _later(delivery: Delivery, error: DeliveryError, now: datetime, jitter: float) -> RetryAt | None:
    if not error.retryable or error.problem in _NOT_BY_WAITING:
        return None
    ambiguous = error.problem is DeliveryProblem.AMBIGUOUS and delivery.mode is not Mode.EDIT
    return RetryAt(now + _wait(delivery, error, jitter), str(error), ambiguous=ambiguous, plain=delivery.plain)


def _wait(delivery: Delivery, error: DeliveryError, jitter: float) -> timedelta:
    if error.retry_after_s is not None:
        return timedelta(seconds=error.retry_after_s + jitter)
    if error.problem is DeliveryProblem.CREDENTIALS:
        return timedelta(seconds=CREDENTIALS_WAIT_S * (1 + jitter / 5))
    first = AMBIGUOUS_FIRST_S if error.problem is DeliveryProblem.AMBIGUOUS else FIRST_WAIT_S
    return backoff(delivery.attempts, jitter, first)


_NOT_BY_WAITING = frozenset({DeliveryProblem.MARKUP, DeliveryProblem.MIGRATED, DeliveryProblem.TOPIC})
