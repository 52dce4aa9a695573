"""Slack's incoming webhooks, limits and error words included. ``python -m tests.fakes.slack --port 8482``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.fakes.server import Fault, Faults, LoopbackServer, StrictLimiter

_MENTION = re.compile(r"<[!@#]")
_MAX_CHARS = 13_000


@dataclass(frozen=True, slots=True)
class Posted:
    """One accepted message."""

    hook: str
    payload: Mapping[str, Any]

    @property
    def words(self) -> str:
        """All text in it, for tests that look for a fact."""
        return "\n".join(texts(self.payload))


class FakeSlack(LoopbackServer):
    """``async with FakeSlack() as slack: slack.url("desk"), slack.messages``."""

    def __init__(self, port: int = 0, limiter: StrictLimiter | None = None) -> None:
        super().__init__(port)
        self.messages: list[Posted] = []
        self.refused: list[str] = []
        self.faults = Faults()
        self.limiter = limiter

    def url(self, hook: str) -> str:
        """A hook's secret address."""
        return f"{self.origin}/services/T0{hook}/B0secret/x{hook}secret"

    def routes(self) -> list[web.RouteDef]:
        """One path for all hooks, and what was posted for other processes to read."""
        return [
            web.post("/services/T0{hook}/B0secret/{rest}", self._post),
            web.get("/control/messages", self._list),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response([{"hook": posted.hook, "payload": posted.payload} for posted in self.messages])

    async def _post(self, request: web.Request) -> web.StreamResponse:
        hook = request.match_info["hook"]
        body = await request.text()
        fault = self.faults.take(chat=hook)
        if fault is not None and not fault.accept:
            return await self.faults.play(fault, self, request)
        if self.limiter is not None and (wait := self.limiter.admit(hook)):
            return web.Response(status=429, text="rate_limited", headers={"Retry-After": str(wait)})
        problem = self._accept(hook, body)
        if fault is not None:
            return await self.faults.play(fault, self, request)
        if problem:
            self.refused.append(problem)
            return web.Response(status=400, text=problem.split(":")[0])
        return web.Response(text="ok")

    def _accept(self, hook: str, body: str) -> str:
        try:
            payload = json.loads(body)
        except ValueError:
            return "invalid_payload: no JSON"
        problem = check_payload(payload)
        if not problem:
            self.messages.append(Posted(hook, payload))
        return problem

    def fail(self, status: int, body: str, *, times: int = 1, headers: Mapping[str, str] | None = None) -> None:
        """Answer the next posts like this."""
        self.faults.add(Fault("answer", status, body, headers or {}, times))


def check_payload(payload: Mapping[str, Any]) -> str:
    """The first of Slack's limits that a payload breaks, beginning with Slack's error word; "" for none."""
    blocks = list(payload.get("blocks", []))
    for attachment in payload.get("attachments", []):
        blocks += attachment.get("blocks", [])
    if not payload.get("text") and not blocks:
        return "no_text: nothing to show"
    if len(payload.get("blocks", [])) > 50:
        return "invalid_blocks: more than 50"
    for block in blocks:
        problem = _check_block(block)
        if problem:
            return f"invalid_blocks: {problem}"
    if sum(len(text) for text in texts(payload)) > _MAX_CHARS:
        return "invalid_payload: too long in all"
    return ""


def _check_block(block: Mapping[str, Any]) -> str:
    if block["type"] == "header":
        return _check_text(block["text"], 150, plain=True)
    if block["type"] == "section":
        fields = block.get("fields", [])
        if len(fields) > 10 or not (block.get("text") or fields):
            return "fields"
        problems = [_check_text(text, 2000) for text in fields]
        return "".join(problems) or (_check_text(block["text"], 3000) if block.get("text") else "")
    if block["type"] == "context":
        if not 1 <= len(block["elements"]) <= 10:
            return "elements"
        return "".join(_check_text(element, 3000) for element in block["elements"])
    return "" if block["type"] == "divider" else "unknown block type"


def _check_text(text: Mapping[str, Any], limit: int, *, plain: bool = False) -> str:
    if text["type"] not in ("plain_text", "mrkdwn") or (plain and text["type"] != "plain_text"):
        return "text type"
    return "" if 1 <= len(text["text"]) <= limit else f"text of {len(text['text'])} characters"


def texts(value: object) -> Iterator[str]:
    """Every text in a payload."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in ("text", "fallback") and isinstance(inner, str):
                yield inner
            else:
                yield from texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts(inner)


def mentions(payload: Mapping[str, Any]) -> list[str]:
    """What would ring somebody: Slack's ``<!…>`` and ``<@…>`` wherever mrkdwn is parsed."""
    return [text for text in _parsed_texts(payload) if _MENTION.search(text)]


def _parsed_texts(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        if value.get("type") == "plain_text":
            return
        for key, inner in value.items():
            if key in ("text", "fallback") and isinstance(inner, str):
                yield inner
            else:
                yield from _parsed_texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _parsed_texts(inner)


if __name__ == "__main__":
    from tests.fakes.process import serve

    serve(lambda port, strict: FakeSlack(port, StrictLimiter(None, 1.0, None) if strict else None), "slack")
