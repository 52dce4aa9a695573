"""Where updates come from: the long poll, or Telegram's own POSTs. Either way they are stored before they are taken.

An update leaves Telegram's queue when a later offset is asked for, or when its POST is answered with 200; both happen
only after the transaction that keeps it. Telegram keeps unread updates for 24 hours.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import structlog

from bot.errors import DeliveryError, DeliveryProblem, StoreError
from bot.ports import ChatCommand, Clock, Store
from bot.telegram.needs import Api

log = structlog.get_logger(__name__)

ALLOWED = ("message", "channel_post", "callback_query", "my_chat_member")
POLL_S = 50
POLL_SLACK_S = 15.0
LIMIT = 100
LONGEST_WAIT_S = 60.0
CONFLICT_WAIT_S = 30.0
MAX_BODY = 1024 * 1024
MAX_NESTING = 200
SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 - a header's name
_LAST_SEEN = "telegram_updates_seen_at"
_LOST_AFTER_S = 24 * 3600


class Poller:
    """Asks for updates and stores them. ``on_stored`` is called when there is something to handle."""

    def __init__(
        self, api: Api, store: Store, clock: Clock, on_stored: Callable[[], None], *, poll_s: int = POLL_S
    ) -> None:
        self._api = api
        self._store = store
        self._clock = clock
        self._on_stored = on_stored
        self._poll_s = poll_s
        self._offset = 0
        self._failures = 0
        self.problem: str | None = None
        """Why no updates can be had now, for health; None while they can."""

    async def run(self) -> None:
        """For ever; cancel it to stop. No failure ends it."""
        await self._warn_of_loss()
        while True:
            wait = await self.step()
            if wait:
                await self._clock.sleep(wait)

    async def step(self) -> float:
        """One long poll; the seconds to wait before the next one."""
        try:
            updates = await self._ask()
            await self._keep(updates)
        except DeliveryError as error:
            return self._failed(error)
        except StoreError as error:
            self.problem = f"updates cannot be stored: {error}"
            log.error("updates wait for the database", error=str(error))
            return 5.0
        if self.problem is not None:
            log.info("updates arrive again")
        self._failures, self.problem = 0, None
        return 0.0

    async def _ask(self) -> Sequence[Mapping[str, object]]:
        params: dict[str, object] = {"timeout": self._poll_s, "limit": LIMIT, "allowed_updates": list(ALLOWED)}
        if self._offset:
            params["offset"] = self._offset
        result = await self._api.call("getUpdates", params, deadline_s=self._poll_s + POLL_SLACK_S)
        return [update for update in result if isinstance(update, Mapping)] if isinstance(result, list) else []

    async def _keep(self, updates: Sequence[Mapping[str, object]]) -> None:
        """Store, and only then let the offset move on."""
        now = self._clock.now()
        commands = [command for update in updates if (command := _command(update, now)) is not None]
        if not commands:
            return
        await self._store.save_commands(commands)
        await self._store.meta_put(_LAST_SEEN, now.isoformat())
        self._offset = max(command.update_id for command in commands) + 1
        self._on_stored()

    def _failed(self, error: DeliveryError) -> float:
        self._failures += 1
        self.problem = str(error)
        if error.status == 409:
            self.problem = _conflict(str(error))
            log.error("no updates", problem=self.problem)
            return CONFLICT_WAIT_S
        if error.problem is DeliveryProblem.AMBIGUOUS and self._failures == 1:
            return 0.5  # an idle connection that was cut: nothing is lost, the offset has not moved
        log.warning("no updates", problem=self.problem)
        dead = error.problem is DeliveryProblem.CREDENTIALS
        wait = LONGEST_WAIT_S if dead else min(2.0 ** min(self._failures, 16), LONGEST_WAIT_S)
        return max(wait, error.retry_after_s or 0.0)

    async def _warn_of_loss(self) -> None:
        """Say so where we were away for longer than Telegram keeps updates (T25)."""
        before = await self._store.meta_get(_LAST_SEEN)
        if before and (away := (self._clock.now() - datetime.fromisoformat(before)).total_seconds()) > _LOST_AFTER_S:
            log.warning("away for longer than Telegram keeps updates: commands may be lost", hours=round(away / 3600))


def _conflict(text: str) -> str:
    if "webhook" in text:
        return "a webhook is set for this bot, so it cannot be polled: delete the webhook or use webhook mode"
    return "another program polls this bot: stop it, or give this one a token of its own"


def _command(update: Mapping[str, object], now: datetime) -> ChatCommand | None:
    update_id = update.get("update_id")
    if not isinstance(update_id, int) or isinstance(update_id, bool):
        return None
    return ChatCommand(update_id, now, {key: value for key, value in update.items() if key != "update_id"})


class WebhookDoor:
    """Takes Telegram's POSTs in webhook mode; whoever serves HTTP calls :meth:`knock` and answers with its status."""

    def __init__(self, secret: str, store: Store, clock: Clock, on_stored: Callable[[], None]) -> None:
        self._secret = secret.encode()
        self._store = store
        self._clock = clock
        self._on_stored = on_stored

    def admits(self, headers: Mapping[str, str]) -> bool:
        """Whether a request comes from Telegram; ask before reading its body. Takes the same time for any guess."""
        given = next((value for name, value in headers.items() if name.lower() == SECRET_HEADER), "")
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._secret)

    async def knock(self, headers: Mapping[str, str], body: bytes) -> int:
        """The HTTP status to answer: 200 once the update is kept, 4xx for what is none, 503 where it cannot be kept."""
        if not self.admits(headers):
            return 403
        if len(body) > MAX_BODY:
            return 413
        command = _read(body, self._clock.now())
        if command is None:
            return 400
        try:
            await self._store.save_commands([command])
            await self._store.meta_put(_LAST_SEEN, self._clock.now().isoformat())
        except StoreError as error:
            log.error("updates wait for the database", error=str(error))
            return 503
        self._on_stored()
        return 200


def _read(body: bytes, now: datetime) -> ChatCommand | None:
    """The update in a body; None for what is none. Nesting is bounded before anything recursive sees it."""
    if body.count(b"[") + body.count(b"{") > MAX_NESTING * 50 or _depth(body) > MAX_NESTING:
        return None
    try:
        update = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return _command(update, now) if isinstance(update, dict) else None


def _depth(body: bytes) -> int:
    depth = deepest = 0
    for byte in body:
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


async def open_bot(api: Api, clock: Clock) -> str:
    """The bot's user name in lower case, asked for until it is told; a dead token is no reason to stop trying."""
    wait = 1.0
    while True:
        try:
            me = await api.call("getMe", {})
            return str(me.get("username", "")).lower() if isinstance(me, Mapping) else ""
        except DeliveryError as error:
            log.warning("the bot cannot be reached", error=str(error))
            await asyncio.sleep(0)
            await clock.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT_S)
