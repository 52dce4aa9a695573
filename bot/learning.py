"""What the daemon learns while it runs, kept over restarts: countries' rates of reports, and feeds' habits."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

import structlog

from bot.decide import Decider
from bot.errors import StoreError
from bot.feeds.habits import Habits
from bot.pipeline import Decision, Polled
from bot.ports import Clock, Store
from bot.stories.rates import Rates
from bot.watch import Trouble, habit_keys, is_silence, silences

log = structlog.get_logger(__name__)

RATES, HABITS = "rates", "habits"
"""Keys of the store's small durable values."""
LISTEN_EVERY = timedelta(minutes=10)
"""How often feeds are looked through for silent ones."""


class Learning:
    """Rates live in the decider, habits here."""

    def __init__(self, store: Store, decider: Decider, clock: Clock) -> None:
        self._store = store
        self._decider = decider
        self._clock = clock
        self.habits = Habits()
        self._silent: Sequence[Trouble] | None = None
        self._listened: datetime | None = None

    async def recall(self) -> None:
        """Take up what earlier runs learnt; where it cannot be read, learning starts anew."""
        rates, habits = await self._store.meta_get(RATES), await self._store.meta_get(HABITS)
        try:
            self._decider.rates = Rates.load(rates) if rates else Rates()
            self.habits = Habits.load(habits) if habits else Habits()
        except ValueError as error:
            log.warning("rates and habits are learnt anew", error=str(error))

    async def keep(self) -> None:
        """Write down what was learnt."""
        try:
            await self._store.meta_put(RATES, self._decider.rates.dump())
            await self._store.meta_put(HABITS, self.habits.dump())
        except StoreError as error:
            log.error("rates and habits not kept", error=str(error))

    def seen(self, batch: Iterable[Polled], decision: Decision) -> None:
        """Which feeds bring something new, and when; a first look at a feed shows its archive, not its habit."""
        polls = list(batch)
        if any(poll.result != "failed" for poll in polls):
            self.habits.answered(decision.batch.at)
        for poll in polls:
            if poll.feed.state.first_done and decision.new.get(poll.feed.id):
                self.habits.arrived(habit_keys(poll.feed), decision.batch.at)

    async def silences(self, since: datetime, before: Collection[str]) -> Sequence[Trouble]:
        """Feeds and regions that are silent against their habit, looked at now and then.

        ``since`` is the start of the daemon; what is known ``before`` holds on where nothing can be told now.
        """
        now = self._clock.now()
        if self._listened is None or now - self._listened >= LISTEN_EVERY:
            self._listened = now
            self._silent = await self._listen(since, before, now)
        known = tuple(Trouble(key, "") for key in before if is_silence(key))
        return known if self._silent is None else self._silent

    async def told(self, troubles: Iterable[str]) -> None:
        """Operators know of these: a silence is not told again after a restart."""
        silent = frozenset(filter(is_silence, troubles))
        if silent != self.habits.told:
            self.habits.told = silent
            await self.keep()

    async def _listen(self, since: datetime, before: Collection[str], now: datetime) -> Sequence[Trouble] | None:
        try:
            feeds = await self._store.feeds()
        except StoreError as error:
            log.error("silence not looked for", error=str(error))
            return None
        self.habits.keep_only(key for feed in feeds for key in habit_keys(feed))
        return silences(feeds, self.habits, now, since, before)
