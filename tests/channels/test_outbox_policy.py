"""What becomes of failures, and the pace: tables and properties, with time as an argument."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.outbox_policy import PaceKeeper, after_failure, backoff
from bot.errors import DeliveryError, DeliveryProblem
from bot.model import GivenUp, Mode, RetryAt, Sent
from bot.ports import Pace
from tests.channels.samples import NOW, alert, delivery

P = DeliveryProblem
TELEGRAM = Pace(per_second=30, per_address_per_second=1, group_per_minute=20)


def error(problem: DeliveryProblem, *, retryable: bool = True, **more: object) -> DeliveryError:
    return DeliveryError(problem, "why", retryable=retryable, **more)  # type: ignore[arg-type]


def seconds(outcome: object) -> float:
    assert isinstance(outcome, RetryAt)
    return (outcome.at - NOW).total_seconds()


def test_waits_double_up_to_a_quarter_of_an_hour() -> None:
    """The n-th failure waits about 2^n seconds, never over 15 minutes and a quarter, spread by the jitter."""
    waits = [backoff(n, 0.5).total_seconds() for n in range(1, 30)]
    assert waits[:4] == [2, 4, 8, 16]
    assert max(waits) == 900
    assert backoff(3, 0.0) < backoff(3, 0.99)


def test_dead_recipients_are_suspended() -> None:
    """T04: blocked, kicked or deleted: given up after one, and its subscriptions rest."""
    assert after_failure(delivery(alert()), error(P.RECIPIENT, retryable=False), NOW, 0) == GivenUp("why", suspend=True)


def test_markup_is_retried_once_as_plain_text() -> None:
    """T09: refused formatting goes once more without it, and then is a dead letter that suspends nobody."""
    assert after_failure(delivery(alert()), error(P.MARKUP), NOW, 0) == RetryAt(NOW, "why", plain=True)
    assert after_failure(delivery(alert(), plain=True), error(P.MARKUP), NOW, 0) == GivenUp("why")


def test_migration_resends_once_to_the_new_address() -> None:
    """T06: at once, to the new address; a migration to itself ends."""
    moved = error(P.MIGRATED, migrate_to="telegram:-1001")
    assert after_failure(delivery(alert(), "telegram:-5"), moved, NOW, 0) == RetryAt(
        NOW, "why", target="telegram:-1001"
    )
    assert isinstance(after_failure(delivery(alert(), "telegram:-1001"), moved, NOW, 0), GivenUp)


def test_a_closed_topic_falls_back_and_then_suspends() -> None:
    """T08: to the chat itself; where that is closed too, the address is given up."""
    closed = error(P.TOPIC, migrate_to="telegram:-1001")
    back = after_failure(delivery(alert(), "telegram:-1001/77"), closed, NOW, 0)
    assert isinstance(back, RetryAt)
    assert back.target == "telegram:-1001"
    assert after_failure(delivery(alert(), "telegram:-1001"), closed, NOW, 0) == GivenUp("why", suspend=True)


def test_an_unchanged_edit_is_done() -> None:
    """An edit that would change nothing counts as delivered, and the live message stays known."""
    done = after_failure(delivery(alert(), mode=Mode.EDIT, thread="9"), error(P.UNCHANGED, retryable=False), NOW, 0)
    assert isinstance(done, Sent)
    assert done.receipt.message_id == "9"


def test_lost_answers_are_marked_and_wait_longer() -> None:
    """T12: an ambiguous failure waits 20 s before it risks a copy; an edit can be repeated without one."""
    lost = after_failure(delivery(alert(), attempts=1), error(P.AMBIGUOUS), NOW, 0.5)
    assert isinstance(lost, RetryAt)
    assert (lost.ambiguous, seconds(lost)) == (True, 20)
    edit = after_failure(delivery(alert(), mode=Mode.EDIT), error(P.AMBIGUOUS), NOW, 0.5)
    assert isinstance(edit, RetryAt)
    assert not edit.ambiguous


def test_retry_after_is_obeyed() -> None:
    """T01: never before the server says."""
    assert seconds(after_failure(delivery(alert()), error(P.RATE_LIMITED, retry_after_s=35.0), NOW, 0.5)) >= 35


def test_a_dead_token_keeps_the_queue() -> None:
    """T14: messages wait minutes, not seconds, and are not thrown away."""
    assert seconds(after_failure(delivery(alert()), error(P.CREDENTIALS), NOW, 0)) >= 300


@settings(deadline=None)
@given(
    problem=st.sampled_from(DeliveryProblem),
    retryable=st.booleans(),
    attempts=st.integers(0, 40),
    late=st.timedeltas(timedelta(0), timedelta(hours=8)),
    jitter=st.floats(0, 0.999),
    retry_after=st.none() | st.floats(0, 86400),
)
def test_every_failure_ends(
    problem: DeliveryProblem,
    retryable: bool,
    attempts: int,
    late: timedelta,
    jitter: float,
    retry_after: float | None,
) -> None:
    """No message is retried at or after its horizon, nor before now, whatever fails whenever."""
    owed = delivery(alert(), attempts=attempts)
    now = NOW + late
    outcome = after_failure(owed, error(problem, retryable=retryable, retry_after_s=retry_after), now, jitter)
    if isinstance(outcome, RetryAt):
        assert now <= outcome.at < owed.expires_at


# --- pace -----------------------------------------------------------------------------------------------------------


def send_all(keeper: PaceKeeper, targets: list[str], now: datetime = NOW) -> list[tuple[datetime, str]]:
    """Send each as early as the keeper allows, the earliest ready first."""
    sent: list[tuple[datetime, str]] = []
    left = list(targets)
    while left:
        target = min(left, key=lambda one: keeper.ready(one, now))
        now = max(now, keeper.ready(target, now))
        keeper.sent(target, now)
        left.remove(target)
        sent.append((now, target))
    return sent


def most_within(times: list[datetime], window: timedelta) -> int:
    return max(sum(1 for other in times if time <= other < time + window) for time in times)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([f"telegram:{n}" for n in (*range(1, 30), -1, -2)]), min_size=1, max_size=120))
def test_no_limit_is_ever_exceeded(targets: list[str]) -> None:
    """In any second at most 30 leave, to any chat one, to any group 20 a minute."""
    sent = send_all(PaceKeeper(TELEGRAM), targets)
    assert most_within([at for at, _ in sent], timedelta(seconds=1)) <= 30
    for chat in set(targets):
        times = [at for at, target in sent if target == chat]
        assert most_within(times, timedelta(seconds=1)) == 1
        if chat.startswith("telegram:-"):
            assert most_within(times, timedelta(seconds=60)) <= 20


def test_a_group_hears_twenty_a_minute() -> None:
    """Fifty messages to one group, its topics included, take more than two minutes; twenty in any one."""
    targets = [f"telegram:-1/{number % 3}" for number in range(50)]
    times = [at for at, _ in send_all(PaceKeeper(TELEGRAM), targets)]
    assert most_within(times, timedelta(seconds=60)) == 20
    assert times[-1] - times[0] > timedelta(seconds=120)


def test_ten_thousand_chats_take_less_than_seven_minutes() -> None:
    """The pace alone lets 10,000 private chats be served within 420 s, and 100 within 5 s."""
    keeper = PaceKeeper(TELEGRAM)
    now = NOW
    for number in range(1, 10_001):
        now = keeper.take(f"telegram:{number}", now)
        if number == 100:
            assert now - NOW <= timedelta(seconds=5)
    assert now - NOW <= timedelta(seconds=420)


def test_a_waiting_chat_holds_up_nobody() -> None:
    """A turn taken far ahead for a paused chat leaves the others their own."""
    keeper = PaceKeeper(TELEGRAM)
    keeper.penalise(error(P.RATE_LIMITED, retry_after_s=40.0), "telegram:-1", NOW)
    assert keeper.take("telegram:-1", NOW) == NOW + timedelta(seconds=40)
    assert keeper.take("telegram:2", NOW) == NOW


def test_T01_a_global_wait_is_kept_by_all() -> None:
    """After a channel-wide 429 nobody is ready before its end (python-telegram-bot's limiter let some through)."""
    keeper = PaceKeeper(TELEGRAM)
    keeper.penalise(error(P.RATE_LIMITED, retry_after_s=35.0, channel_wide=True), "telegram:1", NOW)
    assert keeper.ready("telegram:2", NOW) == NOW + timedelta(seconds=35)
    assert keeper.paused(NOW) == NOW + timedelta(seconds=35)


def test_T03_a_groups_wait_is_its_own_until_several_wait() -> None:
    """One limited group pauses itself and its topics; three at once are taken for the bot's own limit."""
    keeper = PaceKeeper(TELEGRAM)
    limit = error(P.RATE_LIMITED, retry_after_s=35.0)
    keeper.penalise(limit, "telegram:-1/5", NOW)
    assert keeper.ready("telegram:-1", NOW) == NOW + timedelta(seconds=35)
    assert keeper.ready("telegram:2", NOW) == NOW
    keeper.penalise(limit, "telegram:-2", NOW)
    keeper.penalise(limit, "telegram:-3", NOW)
    assert keeper.ready("telegram:2", NOW) == NOW + timedelta(seconds=35)


def test_a_wait_of_hours_for_one_chat_does_not_silence_the_others_for_hours() -> None:
    """Other chats are tried again after five minutes."""
    keeper = PaceKeeper(TELEGRAM)
    keeper.penalise(error(P.RATE_LIMITED, retry_after_s=7200.0, channel_wide=True), "telegram:1", NOW)
    assert keeper.ready("telegram:2", NOW) == NOW + timedelta(minutes=5)
    assert keeper.ready("telegram:1", NOW) == NOW + timedelta(hours=2)


def test_T27_an_answer_goes_before_the_queue() -> None:
    """A turn taken first is not behind the hundred that the outbox reserved, and what follows moves on by one."""
    keeper = PaceKeeper(TELEGRAM)
    for number in range(100):
        keeper.take(f"telegram:{number}", NOW)
    before = keeper.ready("telegram:777", NOW)
    assert keeper.take("telegram:555", NOW, first=True) == NOW
    assert keeper.ready("telegram:777", NOW) > before
    keeper.penalise(error(P.RATE_LIMITED, retry_after_s=5.0, channel_wide=True), "telegram:1", NOW)
    assert keeper.take("telegram:556", NOW, first=True) == NOW + timedelta(seconds=5)


def test_resting_names_the_targets_to_leave_out() -> None:
    """What was just spoken to, topics included, is named until it may be spoken to again."""
    keeper = PaceKeeper(TELEGRAM)
    keeper.sent("telegram:-1/5", NOW)
    keeper.sent("telegram:7", NOW)
    assert set(keeper.resting(NOW)) == {"telegram:-1/5", "telegram:7"}
    assert keeper.resting(NOW + timedelta(seconds=5)) == ()


def test_forgotten_chats_cost_no_memory() -> None:
    """Chats that have been quiet for minutes are not remembered."""
    keeper = PaceKeeper(TELEGRAM)
    now = NOW
    for number in range(5000):
        now = keeper.take(f"telegram:{number}", now)
    assert len(keeper._chats) < 2500


@pytest.mark.parametrize(("per_hook", "least"), [(1.0, 9.0), (10.0, 0.9)])
def test_hooks_have_their_own_pace(per_hook: float, least: float) -> None:
    """Ten posts to one hook take nine of its intervals; another hook waits for none of them."""
    keeper = PaceKeeper(Pace(per_second=20, per_address_per_second=per_hook))
    times = [keeper.take("slack:desk", NOW) for _ in range(10)]
    assert least <= (times[-1] - NOW).total_seconds() <= least * 1.2
    assert keeper.ready("slack:night", NOW) < NOW + timedelta(seconds=1)
