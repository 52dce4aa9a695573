"""The Bot API as the channel and the desk use it: one call, and every failure told as a :class:`DeliveryError`.

Errors are classified by code first and text second, as tdlib/telegram-bot-api words them (see docs/TELEGRAM.md).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from bot.channels.http import Answer, Poster, retry_after_s
from bot.channels.redact import scrub
from bot.channels.safe import clean
from bot.channels.turnstile import Turnstile
from bot.errors import DeliveryError, DeliveryProblem

if TYPE_CHECKING:
    from bot.channels.ptb import RawBot

DEFAULT_BASE_URL = "https://api.telegram.org"
DEFAULT_WAIT_S = 30.0
_MAX_ANSWER = 16 * 1024 * 1024
"""A hundred updates of a busy bot are a few megabytes."""

_WRITES = ("send", "edit", "copy", "forward")
_CREDENTIALS = frozenset({401, 404, 421})
_TEXTS: tuple[tuple[DeliveryProblem, tuple[str, ...]], ...] = (
    (DeliveryProblem.UNCHANGED, ("message is not modified", "message_not_modified")),
    (DeliveryProblem.MARKUP, ("parse entities", "entity_", "entities_", "button_", "reply_markup", "reply markup")),
    (DeliveryProblem.TOPIC, ("thread not found", "topic_closed", "topic_deleted", "topic closed")),
    (
        DeliveryProblem.GONE_MESSAGE,
        ("to edit not found", "can't be edited", "message_id_invalid", "replied not found", "reply not found"),
    ),
    (
        DeliveryProblem.RECIPIENT,
        (
            "chat not found", "chat_restricted", "not enough rights", "have no rights", "_forbidden", "upgraded to a",
            "deactivated", "blocked", "kicked", "was deleted", "peer_id_invalid", "not a member", "chat_id is empty",
            "administrator rights", "can't initiate", "user not found", "user_id_invalid", "channel_private",
        ),
    ),
)  # fmt: skip


class BotApi:
    """One bot's connection. Opened by the first call; :meth:`close` ends it.

    ``base_url`` is ``https://api.telegram.org``, a local Bot API server or a test server.
    """

    def __init__(
        self,
        token: str,
        now: Callable[[], datetime],
        *,
        base_url: str = DEFAULT_BASE_URL,
        proxy: str | None = None,
        deadline_s: float = 15.0,
        turnstile: Turnstile | None = None,
    ) -> None:
        self._token = token
        self._turnstile = turnstile
        self._now = now
        self._base_url = base_url.rstrip("/")
        self._poster = Poster((token,), deadline_s=deadline_s, proxy=proxy, max_answer=_MAX_ANSWER)
        self._bot: RawBot | None = None
        self._opening = asyncio.Lock()

    async def call(self, method: str, params: Mapping[str, object], *, deadline_s: float | None = None) -> object:
        """The ``result`` of one method. Raises :class:`DeliveryError` and nothing else.

        What writes into a chat passes the turnstile, whoever calls.
        """
        if self._turnstile is None or not method.startswith(_WRITES):
            return await self._call(method, params, deadline_s)
        async with self._turnstile.turn(str(params.get("chat_id"))):
            return await self._call(method, params, deadline_s)

    async def _call(self, method: str, params: Mapping[str, object], deadline_s: float | None) -> object:
        bot = await self._open()
        from bot.channels.ptb import Refused

        try:
            return await bot.call(method, params, deadline_s)
        except Refused as refused:
            raise refused.error from None

    async def _open(self) -> RawBot:
        """The bot, made in a thread by the first call: importing the library takes 0.2 s the loop does not have."""
        async with self._opening:
            if self._bot is None:
                self._bot = await asyncio.to_thread(self._make)
            return self._bot

    def _make(self) -> RawBot:
        from bot.channels.ptb import RawBot, Requests

        requests = Requests(self._poster, self._judge)
        base_url = f"{self._base_url}/bot"
        return RawBot(self._token or "0:none", base_url=base_url, request=requests, get_updates_request=requests)

    def _judge(self, answer: Answer, params: Mapping[str, object]) -> DeliveryError | None:
        return judge_answer(answer, params.get("chat_id"), self._now(), (self._token,))

    async def close(self) -> None:
        """Close the connections."""
        await self._poster.close()


def judge_answer(answer: Answer, chat: object, now: datetime, secrets: tuple[str, ...] = ()) -> DeliveryError | None:
    """None for a success; else what it means. Only an answer in the Bot API's own form can condemn a chat."""
    body = _json(answer.text)
    if body.get("ok") is True and "result" in body and 200 <= answer.status < 300:
        return None
    if body.get("ok") is not False or not isinstance(body.get("description"), str):
        return _foreign(answer, now)
    code = body.get("error_code")
    code = code if isinstance(code, int) else answer.status
    parameters = body.get("parameters")
    text = scrub(clean(str(body["description"]), 200), secrets)
    return _refusal(code, text, parameters if isinstance(parameters, dict) else {}, chat, answer, now)


def _json(text: str) -> Mapping[str, object]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _foreign(answer: Answer, now: datetime) -> DeliveryError:
    """An answer that the Bot API did not write: a proxy's page, half a body."""
    message = f"status {answer.status} with a body that is not the Bot API's"
    if answer.status == 429:
        return _limited(message, None, answer, now, channel_wide=True)
    problem = DeliveryProblem.AMBIGUOUS if 200 <= answer.status < 300 else DeliveryProblem.SERVER
    return DeliveryError(problem, message, retryable=True, status=answer.status)


def _refusal(
    code: int, text: str, parameters: Mapping[str, object], chat: object, answer: Answer, now: datetime
) -> DeliveryError:
    message = f"Telegram says {code} {text}".rstrip()
    migrated = parameters.get("migrate_to_chat_id")
    if code == 429 or "retry_after" in parameters:
        return _limited(message, parameters.get("retry_after"), answer, now, channel_wide=not is_group(chat))
    if isinstance(migrated, int):
        target = f"telegram:{migrated}"
        return DeliveryError(DeliveryProblem.MIGRATED, message, retryable=True, migrate_to=target, status=code)
    if code in _CREDENTIALS:
        return DeliveryError(DeliveryProblem.CREDENTIALS, message, retryable=True, channel_wide=True, status=code)
    if code >= 500:
        return DeliveryError(DeliveryProblem.SERVER, message, retryable=True, status=code)
    problem = DeliveryProblem.RECIPIENT if code == 403 else _by_text(text)
    again = problem in (DeliveryProblem.MARKUP, DeliveryProblem.TOPIC)
    back_to = f"telegram:{chat}" if problem is DeliveryProblem.TOPIC else None
    return DeliveryError(problem, message, retryable=again, migrate_to=back_to, status=code)


def _by_text(text: str) -> DeliveryProblem:
    lower = text.lower()
    for problem, marks in _TEXTS:
        if any(mark in lower for mark in marks):
            return problem
    return DeliveryProblem.REJECTED


def _limited(message: str, asked: object, answer: Answer, now: datetime, *, channel_wide: bool) -> DeliveryError:
    wait = float(asked) if isinstance(asked, int | float) and asked >= 0 else None
    if wait is None:
        wait = retry_after_s(answer.headers.get("retry-after"), now)
    wait = DEFAULT_WAIT_S if wait is None else min(wait, 24 * 3600.0)
    return DeliveryError(
        DeliveryProblem.RATE_LIMITED,
        message,
        retryable=True,
        retry_after_s=wait,
        channel_wide=channel_wide,
        status=429,
    )


def is_group(chat: object) -> bool:
    """True for groups, supergroups and channels: their ids are negative, public channels are ``@names``."""
    text = str(chat)
    return text.startswith(("-", "@"))
