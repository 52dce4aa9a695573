"""How fast a channel may be spoken to: a schedule kept in memory, asked before each send.

Use: ``take(target, now)`` reserves a turn and says when it comes; or ask ``ready`` and call ``sent`` in the same
breath, before the first await, so that of several senders only one takes the slot. Time is given, never read.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.errors import DeliveryError, DeliveryProblem
from bot.ports import Pace

GROUP_WINDOW = timedelta(seconds=62)
"""A minute, and room for messages that arrive late."""
BURST = 2
"""Messages that may leave together over all chats."""
HEADROOM, CHAT_HEADROOM = 0.93, 0.9
"""Share of a limit that is planned with: of 30 a second 28, and a burst makes 29. The turnstile guards the rest."""
PROBE_AFTER = timedelta(seconds=300)
"""One private chat told to wait for hours must not silence the others: after this they are tried again."""
CREDENTIALS_PAUSE = timedelta(minutes=5)
SERVER_PAUSE = timedelta(seconds=2)
_SUSPICIOUS = timedelta(seconds=15)
_MANY_LIMITED = 3
_KEPT_CHATS = 50_000


@dataclass(slots=True)
class _Chat:
    next_at: datetime
    targets: set[str] = field(default_factory=set)
    """Its own address and those of its topics, as far as they were spoken to."""
    paused_until: datetime | None = None
    recent: deque[datetime] = field(default_factory=deque)


class PaceKeeper:
    """Keeps one channel's pace: over all, per address, per minute in groups, and the pauses that 429 asks for."""

    def __init__(self, pace: Pace, *, burst: int = BURST) -> None:
        self._pace = pace
        self._gap = timedelta(seconds=1 / (pace.per_second * HEADROOM))
        self._chat_gap = timedelta(seconds=1 / (pace.per_address_per_second * CHAT_HEADROOM))
        self._slack = self._gap * (max(burst, 1) - 1)
        self._next: datetime | None = None
        self._paused_until: datetime | None = None
        self._limits: deque[tuple[str, datetime]] = deque(maxlen=32)
        self._chats: OrderedDict[str, _Chat] = OrderedDict()

    def ready(self, target: str, now: datetime) -> datetime:
        """The earliest time at which a message to this target may leave; ``now`` where it may at once."""
        return max(self._overall(now), *self._chat_ready(target, now))

    def _overall(self, now: datetime) -> datetime:
        planned = now if self._next is None else self._next - self._slack
        return max(planned, self._unpaused(now))

    def _unpaused(self, now: datetime) -> datetime:
        return now if self._paused_until is None else max(now, self._paused_until)

    def _chat_ready(self, target: str, now: datetime) -> list[datetime]:
        chat = self._chats.get(chat_of(target))
        return [now] if chat is None else self._chat_times(target, chat)

    def _chat_times(self, target: str, chat: _Chat) -> list[datetime]:
        times = [chat.next_at]
        if chat.paused_until is not None:
            times.append(chat.paused_until)
        limit = self._group_limit(target)
        if limit is not None and len(chat.recent) >= limit:
            times.append(chat.recent[-limit] + GROUP_WINDOW)
        return times

    def _group_limit(self, target: str) -> int | None:
        if self._pace.group_per_minute is None or not is_group_target(target):
            return None
        return max(1, int(self._pace.group_per_minute))

    def sent(self, target: str, now: datetime) -> None:
        """A message to this target leaves now, whatever becomes of it."""
        self._count(target, now, self._overall(now))

    def take(self, target: str, now: datetime, *, first: bool = False) -> datetime:
        """Reserve the next turn to this target and return its time; the caller sleeps until then.

        A chat that must wait takes its turn over all as of now, so that it holds up nobody else meanwhile. ``first``
        goes before the turns that others reserved (an answer to somebody who waits), and those after it move on.
        """
        overall = self._overall(now)
        at = max(self._unpaused(now) if first else overall, *self._chat_ready(target, now))
        self._count(target, at, overall)
        return at

    def _count(self, target: str, at: datetime, overall: datetime) -> None:
        self._next = max(self._next or overall, overall) + self._gap
        chat = self._chat(target, at)
        chat.next_at = at + self._chat_gap
        limit = self._group_limit(target)
        if limit is not None:
            chat.recent.append(at)
            while len(chat.recent) > limit:
                chat.recent.popleft()

    def penalise(self, error: DeliveryError, target: str, now: datetime) -> None:
        """Learn from a failure: a 429 pauses its chat, or all; a dead token or a sick server pauses all a while."""
        if error.problem is DeliveryProblem.RATE_LIMITED:
            self._limited(error, target, now)
        elif error.problem is DeliveryProblem.CREDENTIALS and error.channel_wide:
            self._pause_all(now + CREDENTIALS_PAUSE)
        elif error.problem is DeliveryProblem.SERVER and error.channel_wide:
            self._pause_all(now + SERVER_PAUSE)

    def _limited(self, error: DeliveryError, target: str, now: datetime) -> None:
        until = now + timedelta(seconds=error.retry_after_s or 1.0)
        chat = self._chat(target, now)
        chat.paused_until = max(chat.paused_until or until, until)
        self._limits.append((chat_of(target), now))
        limited = {name for name, at in self._limits if now - at <= _SUSPICIOUS}
        if len(limited) >= _MANY_LIMITED:
            self._pause_all(until)  # several chats at once: the limit is the bot's, not a chat's
        elif error.channel_wide:
            self._pause_all(min(until, now + PROBE_AFTER))

    def _pause_all(self, until: datetime) -> None:
        self._paused_until = max(self._paused_until or until, until)

    def paused(self, now: datetime) -> datetime | None:
        """Until when the whole channel rests, or None."""
        return self._paused_until if self._paused_until is not None and self._paused_until > now else None

    def resting(self, now: datetime) -> tuple[str, ...]:
        """Targets that may not be sent to now: what a claim had better leave out."""
        busy = (chat for name, chat in self._chats.items() if max(self._chat_times(name, chat)) > now)
        return tuple(target for chat in busy for target in chat.targets)

    def _chat(self, target: str, now: datetime) -> _Chat:
        name = chat_of(target)
        chat = self._chats.get(name)
        if chat is None:
            chat = self._chats[name] = _Chat(now)
        chat.targets.add(target)
        self._chats.move_to_end(name)
        while len(self._chats) > 1 and self._idle(now):
            self._chats.popitem(last=False)
        return chat

    def _idle(self, now: datetime) -> bool:
        """True where the least recently used chat may be forgotten."""
        oldest = next(iter(self._chats.values()))
        if len(self._chats) > _KEPT_CHATS:
            return True
        paused = oldest.paused_until is not None and oldest.paused_until > now
        return not paused and oldest.next_at + GROUP_WINDOW < now


def chat_of(target: str) -> str:
    """The target that a limit counts for: topics of one forum share their chat's."""
    channel, _, address = target.partition(":")
    return f"{channel}:{address.partition('/')[0]}" if channel == "telegram" else target


def is_group_target(target: str) -> bool:
    """True for Telegram groups and channels: negative ids and ``@names``."""
    return target.partition(":")[2].startswith(("-", "@"))
