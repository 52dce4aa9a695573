"""Doing what handlers want done: acts become Bot API calls, at the pace that the outbox shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot.errors import DeliveryError, DeliveryProblem
from bot.model import Delivery, Lane
from bot.ports import Clock
from bot.telegram.acts import Act, Change, Say, Show, Toast, markup
from bot.telegram.incoming import Chat
from bot.telegram.needs import Api, Gate, Voice

TRIES = 3
LONGEST_WAIT_S = 60.0
TOAST_CHARS = 200
_HTML = {"parse_mode": "HTML", "link_preview_options": {"is_disabled": True}}
_AGAIN = frozenset({DeliveryProblem.NETWORK, DeliveryProblem.SERVER, DeliveryProblem.RATE_LIMITED})


class Sender:
    """Answers people directly. A failed answer is tried again a few times, then raised."""

    def __init__(self, api: Api, voice: Voice, gate: Gate, clock: Clock) -> None:
        self._api = api
        self._voice = voice
        self._gate = gate
        self._clock = clock

    async def perform(
        self,
        acts: Sequence[Act],
        chat: Chat,
        *,
        language: str,
        zone: str,
        query_id: str | None = None,
        message_id: int | None = None,
    ) -> None:
        """Do them in order. ``message_id`` is the message that :class:`Change` changes, ``query_id`` the tap."""
        toast = next((act for act in acts if isinstance(act, Toast) and act.text), Toast(""))
        if query_id is not None:
            await self._answer(query_id, toast)  # first: the button turns until it is answered
        for act in acts:
            if isinstance(act, Say):
                await self._say(act, chat)
            elif isinstance(act, Change):
                await self._change(act, chat, message_id)
            elif isinstance(act, Show):
                await self._show(act, chat, language, zone)

    async def _answer(self, query_id: str, toast: Toast) -> None:
        params: dict[str, object] = {"callback_query_id": query_id, "text": toast.text[:TOAST_CHARS]}
        try:
            await self._api.call("answerCallbackQuery", {**params, "show_alert": toast.loud})
        except DeliveryError:
            return  # too old to be answered: nothing waits for it any more

    async def _say(self, act: Say, chat: Chat) -> None:
        body: dict[str, object] = {"text": act.html, **_HTML}
        if act.ask:
            body["reply_markup"] = {"force_reply": True, "selective": True}
        elif act.keyboard:
            body["reply_markup"] = markup(act.keyboard)
        await self._call("sendMessage", {**_address(chat), **body}, chat)

    async def _change(self, act: Change, chat: Chat, message_id: int | None) -> None:
        """Changed in place; where the message is gone it is said anew."""
        if message_id is None:
            await self._say(Say(act.html, act.keyboard), chat)
            return
        body = {
            "chat_id": chat.id,
            "message_id": message_id,
            "text": act.html,
            **_HTML,
            "reply_markup": markup(act.keyboard),
        }
        try:
            await self._call("editMessageText", body, chat)
        except DeliveryError as error:
            if error.problem is DeliveryProblem.GONE_MESSAGE:
                await self._say(Say(act.html, act.keyboard), chat)
            elif error.problem is not DeliveryProblem.UNCHANGED:
                raise

    async def _show(self, act: Show, chat: Chat, language: str, zone: str) -> None:
        now = self._clock.now()
        delivery = _shown(act, chat, language, zone, now)
        payload = dict(self._voice.render(delivery).payload)
        await self._call(str(payload.pop("method")), payload, chat)

    async def _call(self, method: str, params: Mapping[str, object], chat: Chat) -> None:
        for attempt in range(1, TRIES + 1):
            await self._gate.turn(chat.target)
            try:
                await self._api.call(method, params)
            except DeliveryError as error:
                self._gate.penalise(error, chat.target)
                if error.problem not in _AGAIN or attempt == TRIES:
                    raise
                await self._clock.sleep(min(error.retry_after_s or float(attempt), LONGEST_WAIT_S))
            else:
                return


def _address(chat: Chat) -> dict[str, object]:
    return {"chat_id": chat.id} if chat.topic is None else {"chat_id": chat.id, "message_thread_id": chat.topic}


def _shown(act: Show, chat: Chat, language: str, zone: str, now: datetime) -> Delivery:
    return Delivery(
        id="shown",
        target=chat.target,
        content=act.content,
        lane=Lane.NORMAL,
        created_at=now,
        not_before=now,
        expires_at=now + timedelta(hours=1),
        language=language,
        zone=zone,
    )
