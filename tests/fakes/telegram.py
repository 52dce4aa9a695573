"""The Bot API on loopback: methods, limits and error words as the real server has them, and people who type and tap.

``async with FakeTelegram(token) as tg: tg.base_url, tg.messages, tg.say(11, "/start")``, or as a process:
``python -m tests.fakes.telegram --port 8481`` (token in ``FAKE_TELEGRAM_TOKEN``).
"""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.server import Fault, Faults, LoopbackServer, StrictLimiter
from tests.fakes.telegram_html import Entity, MarkupError, parse_html, units
from tests.fakes.telegram_updates import Updates, user

DEFAULT_TOKEN = "123456:fake-token-AAAAAAAAAAAAAAAAAAAAAAAA"
MAX_TEXT, MAX_ENTITIES, MAX_BUTTONS, MAX_CALLBACK = 4096, 100, 100, 64
_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content "
    "and reply markup of the message"
)


class ApiError(Exception):
    """An error answer."""

    def __init__(self, code: int, description: str, parameters: Mapping[str, Any] | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = dict(parameters or {})


@dataclass(slots=True)
class Sent:
    """One message as it now stands in a chat."""

    chat: str
    message_id: int
    text: str
    html: str
    entities: list[Entity]
    at: float
    thread: int | None = None
    reply_to: int | None = None
    silent: bool = False
    buttons: list[list[Mapping[str, Any]]] = field(default_factory=list)
    edits: int = 0
    preview: bool = True

    def button(self, label: str) -> str:
        """The callback data of the button whose text holds ``label``."""
        for row in self.buttons:
            for button in row:
                if label in button["text"]:
                    return str(button.get("callback_data") or button.get("url"))
        raise KeyError(f"{label!r} not among {[[button['text'] for button in row] for row in self.buttons]}")


@dataclass(slots=True)
class Group:
    """A group, supergroup, forum or channel: who is in it, and which topics are open."""

    kind: str = "supergroup"
    members: dict[int, str] = field(default_factory=dict)
    topics: dict[int, bool] = field(default_factory=dict)


class FakeTelegram(LoopbackServer):
    """One bot's Bot API. ``limiter`` makes it strict about pace."""

    def __init__(self, token: str = DEFAULT_TOKEN, *, port: int = 0, limiter: StrictLimiter | None = None) -> None:
        super().__init__(port)
        self.token = token
        self.limiter = limiter
        self.faults = Faults()
        self.updates = Updates()
        self.messages: list[Sent] = []
        self.deleted: list[Sent] = []
        self.groups: dict[str, Group] = defaultdict(Group)
        self.answers: list[Mapping[str, Any]] = []
        """What answerCallbackQuery was called with."""
        self.commands: list[Mapping[str, Any]] = []
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self.refusals: dict[str, ApiError] = {}
        """By chat: every send there is refused so."""
        self.webhook: Mapping[str, Any] | None = None
        self._queries: set[str] = set()
        self._last_id: dict[str, int] = defaultdict(int)

    @property
    def base_url(self) -> str:
        """For the ``base_url`` setting."""
        return self.origin

    def routes(self) -> list[web.RouteDef]:
        """The API, and two doors for tests in other processes."""
        return [
            web.get("/control/messages", self._control_messages),
            web.post("/control/updates", self._control_updates),
            web.post("/control/say", self._control_say),
            web.get("/control/count", self._control_count),
            web.get("/control/report", self._control_report),
            web.post("/bot{token}/{method}", self._api),
            web.get("/bot{token}/{method}", self._api),
        ]

    # --- what tests do ------------------------------------------------------------------------------------------

    def to(self, chat: int | str) -> list[Sent]:
        """The messages that stand in a chat."""
        return [sent for sent in self.messages if sent.chat == str(chat)]

    def last(self, chat: int | str) -> Sent:
        """The newest message of a chat."""
        return self.to(chat)[-1]

    def fail(
        self,
        code: int,
        description: str,
        *,
        method: str | None = None,
        chat: int | str | None = None,
        times: int = 1,
        parameters: Mapping[str, int] | None = None,
    ) -> None:
        """Refuse the next calls as the Bot API would."""
        parameters = parameters or {}
        body = error_body(code, description, parameters)
        headers = {"Retry-After": str(parameters["retry_after"])} if "retry_after" in parameters else {}
        place = None if chat is None else str(chat)
        self.faults.add(Fault("answer", code, json.dumps(body), headers, times, method, place))

    def refuse(self, chat: int | str, code: int, description: str, **parameters: int) -> None:
        """Refuse every message to a chat, as after a block or an upgrade."""
        self.refusals[str(chat)] = ApiError(code, description, parameters)

    def press(self, who: int, sent: Sent, label: str, *, language: str = "en") -> str:
        """Somebody taps a button; the callback query's id."""
        return self.press_data(who, sent, sent.button(label), language=language)

    def press_data(self, who: int, sent: Sent, data: str, *, language: str = "en") -> str:
        """Somebody sends callback data, forged or not."""
        query = self.updates.press(who, sent.chat, sent.message_id, data, language=language, thread=sent.thread)
        self._queries.add(query)
        return query

    # --- the API ------------------------------------------------------------------------------------------------

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        params = await _params(request)
        chat = str(params.get("chat_id", ""))
        fault = self.faults.take(method, chat)
        if fault is not None and not fault.accept:
            return await self.faults.play(fault, self, request)
        try:
            self._authorise(request.match_info["token"])
            result = await self._call(method, params)
        except ApiError as error:
            headers = {"Retry-After": str(error.parameters["retry_after"])} if error.code == 429 else {}
            body = error_body(error.code, error.description, error.parameters)
            return web.json_response(body, status=error.code, headers=headers)
        if fault is not None:
            return await self.faults.play(fault, self, request)
        return web.json_response({"ok": True, "result": result})

    def _authorise(self, token: str) -> None:
        if token == self.token:
            return
        well_formed = token.partition(":")[0].isdigit() and len(token.partition(":")[2]) >= 20
        raise ApiError(401, "Unauthorized") if well_formed else ApiError(404, "Not Found")

    async def _call(self, method: str, params: dict[str, Any]) -> object:
        self.calls.append((method, params))
        if method == "getUpdates":
            return await self._get_updates(params)
        handler = getattr(self, f"_do_{method.lower()}", None)
        if handler is None:
            raise ApiError(404, "Not Found: method not found")
        result: object = handler(params)
        return result

    async def _get_updates(self, params: dict[str, Any]) -> list[Mapping[str, Any]]:
        if self.webhook is not None:
            raise ApiError(
                409,
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
            )
        timeout = min(float(params.get("timeout", 0)), 50.0)
        got = await self.updates.poll(int(params.get("offset", 0)), min(int(params.get("limit", 100)), 100), timeout)
        if got is None:
            raise ApiError(
                409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
            )
        return got

    def _do_getme(self, params: dict[str, Any]) -> Mapping[str, Any]:
        return {"id": 123456, "is_bot": True, "first_name": "Tocsin", "username": "tocsin_test_bot"}

    def _do_sendmessage(self, params: dict[str, Any]) -> Mapping[str, Any]:
        chat = str(params["chat_id"])
        self._admit(chat)
        text, entities = self._text(params)
        thread = self._thread(chat, params)
        self._last_id[chat] += 1
        sent = Sent(
            chat=chat,
            message_id=self._last_id[chat],
            text=text,
            html=params["text"],
            entities=entities,
            at=time.monotonic(),
            thread=thread,
            reply_to=self._reply(chat, params),
            silent=params.get("disable_notification") in ("true", True),
            buttons=_buttons(params),
            preview=not params.get("link_preview_options", {}).get("is_disabled", False),
        )
        self.messages.append(sent)
        return _message(sent)

    def _admit(self, chat: str) -> None:
        if chat in self.refusals:
            raise self.refusals[chat]
        if self.limiter is not None and (wait := self.limiter.admit(chat)):
            raise ApiError(429, f"Too Many Requests: retry after {wait}", {"retry_after": wait})

    def _text(self, params: dict[str, Any]) -> tuple[str, list[Entity]]:
        entities: list[Entity] = []
        text = str(params.get("text", ""))
        if params.get("parse_mode", "").upper() == "HTML":
            try:
                text, entities = parse_html(text)
            except MarkupError as error:
                raise ApiError(400, f"Bad Request: can't parse entities: {error}") from None
        text = text.strip()
        if not text:
            raise ApiError(400, "Bad Request: message text is empty")
        if units(text) > MAX_TEXT:
            raise ApiError(400, "Bad Request: message is too long")
        if len(entities) > MAX_ENTITIES:
            raise ApiError(400, "Bad Request: ENTITIES_TOO_LONG")
        return text, entities

    def _thread(self, chat: str, params: dict[str, Any]) -> int | None:
        if "message_thread_id" not in params:
            return None
        thread = int(params["message_thread_id"])
        topics = self.groups[chat].topics
        if thread not in topics:
            raise ApiError(400, "Bad Request: message thread not found")
        if not topics[thread]:
            raise ApiError(400, "Bad Request: TOPIC_CLOSED")
        return thread

    def _reply(self, chat: str, params: dict[str, Any]) -> int | None:
        reply = params.get("reply_parameters")
        if not reply:
            return None
        found = any(sent.message_id == reply["message_id"] for sent in self.to(chat))
        if not found and not reply.get("allow_sending_without_reply"):
            raise ApiError(400, "Bad Request: message to be replied not found")
        return int(reply["message_id"]) if found else None

    def _do_editmessagetext(self, params: dict[str, Any]) -> Mapping[str, Any]:
        sent = self._find(params, "edit")
        self._admit(sent.chat)
        text, entities = self._text(params)
        buttons = _buttons(params)
        if (text, entities, buttons) == (sent.text, sent.entities, sent.buttons):
            raise ApiError(400, f"Bad Request: {_NOT_MODIFIED}")
        sent.text, sent.html, sent.entities, sent.buttons = text, params["text"], entities, buttons
        sent.edits += 1
        return _message(sent)

    def _do_editmessagereplymarkup(self, params: dict[str, Any]) -> Mapping[str, Any]:
        sent = self._find(params, "edit")
        buttons = _buttons(params)
        if buttons == sent.buttons:
            raise ApiError(400, f"Bad Request: {_NOT_MODIFIED}")
        sent.buttons = buttons
        sent.edits += 1
        return _message(sent)

    def _do_deletemessage(self, params: dict[str, Any]) -> bool:
        sent = self._find(params, "delete")
        self.messages.remove(sent)
        self.deleted.append(sent)
        return True

    def _find(self, params: dict[str, Any], what: str) -> Sent:
        for sent in self.to(params["chat_id"]):
            if sent.message_id == int(params["message_id"]):
                return sent
        raise ApiError(400, f"Bad Request: message to {what} not found")

    def _do_answercallbackquery(self, params: dict[str, Any]) -> bool:
        if params["callback_query_id"] not in self._queries:
            raise ApiError(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        self._queries.discard(params["callback_query_id"])
        self.answers.append(params)
        return True

    def _do_getchatmember(self, params: dict[str, Any]) -> Mapping[str, Any]:
        who = int(params["user_id"])
        status = self.groups[str(params["chat_id"])].members.get(who, "left")
        return {"status": status, "user": user(who)}

    def _do_getchatadministrators(self, params: dict[str, Any]) -> list[Mapping[str, Any]]:
        members = self.groups[str(params["chat_id"])].members
        leaders = {who: status for who, status in members.items() if status in ("creator", "administrator")}
        return [{"status": status, "user": user(who)} for who, status in leaders.items()]

    def _do_setmycommands(self, params: dict[str, Any]) -> bool:
        self.commands.append(params)
        return True

    def _do_setwebhook(self, params: dict[str, Any]) -> bool:
        self.webhook = params if params.get("url") else None
        return True

    def _do_deletewebhook(self, params: dict[str, Any]) -> bool:
        self.webhook = None
        return True

    def _do_getwebhookinfo(self, params: dict[str, Any]) -> Mapping[str, Any]:
        return {"url": (self.webhook or {}).get("url", ""), "pending_update_count": len(self.updates)}

    # --- for other processes ----------------------------------------------------------------------------------------

    async def _control_messages(self, request: web.Request) -> web.Response:
        rows = [
            {"chat": s.chat, "id": s.message_id, "text": s.text, "html": s.html, "edits": s.edits}
            for s in self.messages
        ]
        return web.json_response(rows)

    async def _control_updates(self, request: web.Request) -> web.Response:
        self.updates.push(await request.json())
        return web.json_response({"ok": True})

    async def _control_say(self, request: web.Request) -> web.Response:
        said = await request.json()
        self.updates.say(int(said["who"]), str(said["text"]))
        return web.json_response({"ok": True})

    async def _control_count(self, request: web.Request) -> web.Response:
        return web.json_response(self._last_id.get(request.query["chat"], 0))

    async def _control_report(self, request: web.Request) -> web.Response:
        violations = self.limiter.violations if self.limiter is not None else []
        times = sorted(sent.at for sent in self.messages)
        report = {
            "delivered": len(times),
            "violations": len(violations),
            "first": violations[:5],
            "span": times[-1] - times[0] if times else 0.0,
        }
        return web.json_response(report)


async def _params(request: web.Request) -> dict[str, Any]:
    """Parameters as any of the ways in which the Bot API takes them; nested ones are JSON."""
    if request.content_type == "application/json":
        return dict(await request.json())
    fields = {**request.query, **await request.post()}
    return {name: _value(str(value), name) for name, value in fields.items()}


def _value(text: str, name: str) -> Any:
    if name in ("reply_markup", "reply_parameters", "link_preview_options", "allowed_updates", "commands", "scope"):
        return json.loads(text)
    return text


def _buttons(params: dict[str, Any]) -> list[list[Mapping[str, Any]]]:
    rows: list[list[Mapping[str, Any]]] = params.get("reply_markup", {}).get("inline_keyboard", [])
    buttons = [button for row in rows for button in row]
    if len(buttons) > MAX_BUTTONS:
        raise ApiError(400, "Bad Request: reply markup is too long")
    for button in buttons:
        if "callback_data" in button and not 1 <= len(button["callback_data"].encode()) <= MAX_CALLBACK:
            raise ApiError(400, "Bad Request: BUTTON_DATA_INVALID")
    return rows


def _message(sent: Sent) -> Mapping[str, Any]:
    kind = "private" if not sent.chat.startswith(("-", "@")) else "supergroup"
    return {
        "message_id": sent.message_id,
        "date": int(time.time()),
        "chat": {"id": int(sent.chat) if sent.chat.lstrip("-").isdigit() else -1, "type": kind},
        "text": sent.text,
    }


def error_body(code: int, description: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """An error as the Bot API writes it."""
    body: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
    return {**body, "parameters": dict(parameters)} if parameters else body


if __name__ == "__main__":
    from tests.fakes.process import serve

    def _make(port: int, strict: bool) -> FakeTelegram:
        limiter = StrictLimiter() if strict else None
        return FakeTelegram(os.environ.get("FAKE_TELEGRAM_TOKEN", DEFAULT_TOKEN), port=port, limiter=limiter)

    serve(_make, "telegram")
