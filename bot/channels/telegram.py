"""Telegram: HTML messages, one live message a story and chat, buttons under alerts.

An address is a chat id, ``@channelname``, or ``<chat id>/<topic id>`` for a forum topic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from bot.channels.botapi import DEFAULT_BASE_URL, BotApi
from bot.channels.render import (
    Entry,
    Sheet,
    digest_entries,
    digest_head,
    more_line,
    notice_text,
    plain,
    sheet,
    words_for,
)
from bot.channels.safe import cut, units
from bot.channels.spans import MAX_TEXT_UNITS, Span, as_html, as_text, fit, joined, line
from bot.channels.turnstile import Turnstile
from bot.channels.words import Phrasebook
from bot.errors import DeliveryError, DeliveryProblem
from bot.model import Alert, Delivery, Digest, Lane, Message, Mode, Receipt, VerdictKind
from bot.ports import Pace

MAX_CALLBACK_BYTES = 64
DEFAULT_PACE = Pace(per_second=30.0, per_address_per_second=1.0, group_per_minute=20.0, concurrency=32)
"""What Telegram tolerates; the pace keeper stays a little below it. The concurrency hides slow answers."""


class TelegramChannel:
    """Sends to Telegram chats. ``api`` is the connection, which the desk may share."""

    name = "telegram"
    edits = True

    def __init__(
        self,
        token: str,
        now: Callable[[], datetime],
        *,
        base_url: str = DEFAULT_BASE_URL,
        proxy: str | None = None,
        deadline_s: float = 15.0,
        pace: Pace = DEFAULT_PACE,
        buttons: bool = True,
    ) -> None:
        turnstile = Turnstile(pace.per_second, pace.per_address_per_second)
        self.api = BotApi(token, now, base_url=base_url, proxy=proxy, deadline_s=deadline_s, turnstile=turnstile)
        self.pace = pace
        self._now = now
        self._buttons = buttons

    def render(self, delivery: Delivery) -> Message:
        """HTML within Telegram's limits, or plain text where the HTML was refused before."""
        words = words_for(delivery)
        spans = fit(_spans(delivery, words))
        text = plain(delivery.content, words, delivery.zone)
        body: dict[str, object] = {"link_preview_options": {"is_disabled": True}}
        if delivery.plain:
            body["text"] = cut(text, MAX_TEXT_UNITS, utf16=True)
        else:
            body |= {"text": as_html(spans), "parse_mode": "HTML"}
            if self._buttons and isinstance(delivery.content, Alert):
                body |= _markup(delivery.content, words)
        silent = delivery.mode is Mode.EDIT or (isinstance(delivery.content, Digest) and delivery.lane is Lane.DIGEST)
        payload = _addressed(delivery, body, silent=silent)
        return Message(delivery.id, delivery.target, payload, text, delivery.mode, delivery.thread, silent)

    async def send(self, message: Message) -> Receipt:
        """One attempt."""
        payload = dict(message.payload)
        method = str(payload.pop("method"))
        result = await self.api.call(method, payload)
        if not isinstance(result, Mapping) or "message_id" not in result:
            lost = "the answer names no message"
            raise DeliveryError(DeliveryProblem.AMBIGUOUS, lost, retryable=True)
        return Receipt(self._now(), str(result["message_id"]))

    async def close(self) -> None:
        """Close the connections."""
        await self.api.close()


def split_address(address: str) -> tuple[int | str, int | None]:
    """Chat and topic: ``-100123/77`` is (-100123, 77), ``@desk`` is ("@desk", None)."""
    chat, _, topic = address.partition("/")
    number = chat.lstrip("-").isdecimal()
    return (int(chat) if number else chat), (int(topic) if topic.isdecimal() else None)


def _addressed(delivery: Delivery, body: dict[str, object], *, silent: bool) -> dict[str, object]:
    chat, topic = split_address(delivery.address)
    live = int(delivery.thread) if delivery.thread and delivery.thread.isdecimal() else None
    if delivery.mode is Mode.EDIT and live is not None:
        return {"method": "editMessageText", "chat_id": chat, "message_id": live, **body}
    payload: dict[str, object] = {"method": "sendMessage", "chat_id": chat, **body}
    if topic is not None:
        payload["message_thread_id"] = topic
    if delivery.mode is Mode.REPLY and live is not None:
        payload["reply_parameters"] = {"message_id": live, "allow_sending_without_reply": True}
    if silent:
        payload["disable_notification"] = True
    return payload


def _spans(delivery: Delivery, words: Phrasebook) -> list[Span]:
    content = delivery.content
    if isinstance(content, Alert):
        return alert_spans(sheet(content, words, delivery.zone))
    if isinstance(content, Digest):
        return digest_spans(content, words, delivery.zone)
    return [Span(notice_text(content, words))]


def alert_spans(page: Sheet) -> list[Span]:
    """An alert: what one must see first in bold, the link under the outlet's host."""
    when = Span(f"{page.when} · " if page.link_text else page.when)
    rule = Span(f" · 🔔 {page.rule}" if page.rule else "")
    lines = [
        line(Span(page.head, "b")),
        line(Span(page.kicker, "i")),
        line(page.title),
        line(page.body),
        *(line(Span(fact, "b")) for fact in page.facts),
        line(page.sources),
        *(line(claim) for claim in page.claims),
        line(Span(page.signals, "i")),
        line(when, Span(page.link_text, link=page.link), rule),
    ]
    return joined(lines)


def digest_spans(digest: Digest, words: Phrasebook, zone: str) -> list[Span]:
    """A digest: a bold head, then each story in two lines with its link, as many as fit."""
    head = line(Span(digest_head(digest, words, zone), "b"))
    rows = [_entry_lines(entry) for entry in digest_entries(digest, words, zone)]
    for shown in range(len(rows), 0, -1):
        more = line(more_line(len(digest.alerts) - shown, words))
        spans = joined([head, *(row for entry in rows[:shown] for row in entry), more])
        if units(as_text(spans)) <= MAX_TEXT_UNITS:
            return spans
    return joined([head, line(more_line(len(digest.alerts), words))])


def _entry_lines(entry: Entry) -> list[tuple[Span, ...]]:
    facts = Span(f" · {entry.facts}" if entry.facts else "")
    title = line(f"{entry.title} ", Span(entry.link_text, link=entry.link)) if entry.link else line(entry.title)
    return [line("\n", Span(entry.head, "b"), facts), title]


def callback(action: str, *parts: str) -> str | None:
    """Callback data ``action:part:…`` within Telegram's 64 bytes, or None where it does not fit."""
    data = ":".join((action, *parts))
    return data if 1 <= len(data.encode()) <= MAX_CALLBACK_BYTES else None


def _markup(alert: Alert, words: Phrasebook) -> dict[str, object]:
    """Sources, Why, Mute; 👍, 👎, Seen. The data names the story only: rights are checked where it is handled."""
    rows = (
        (("so", f"📰 {words.say('button.sources')}"), ("wy", f"❓ {words.say('button.why')}")),
        (("mu", f"🔕 {words.say('button.mute')}"), ("se", f"👁 {words.say('button.seen')}")),
        (("up", "👍"), ("dn", "👎")),
    )
    if alert.kind not in (VerdictKind.ALERT, VerdictKind.UPDATE, VerdictKind.CORRECTION):
        return {}
    keyboard = [
        [{"text": label, "callback_data": data} for action, label in row if (data := callback(action, alert.story_id))]
        for row in rows
    ]
    return {"reply_markup": {"inline_keyboard": keyboard}} if all(keyboard) else {}
