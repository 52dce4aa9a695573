"""A receiver of signed webhooks that checks signatures as Standard Webhooks says."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.fakes.server import Fault, Faults, LoopbackServer


@dataclass(frozen=True, slots=True)
class Received:
    """One verified post."""

    id: str
    timestamp: int
    payload: Mapping[str, Any]


class FakeWebhook(LoopbackServer):
    """``async with FakeWebhook(key) as hook: hook.url, hook.messages``; ``key`` are the raw bytes of the secret."""

    def __init__(self, key: bytes, port: int = 0) -> None:
        super().__init__(port)
        self._key = key
        self.messages: list[Received] = []
        self.forged = 0
        self.faults = Faults()

    @property
    def url(self) -> str:
        """The secret address."""
        return f"{self.origin}/in/q7secretpath"

    @property
    def secret(self) -> str:
        """The shared secret in its written form."""
        return "whsec_" + base64.b64encode(self._key).decode()

    def routes(self) -> list[web.RouteDef]:
        """One path."""
        return [web.post("/in/q7secretpath", self._post)]

    async def _post(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        fault = self.faults.take()
        if fault is not None and not fault.accept:
            return await self.faults.play(fault, self, request)
        message_id, stamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        signed = f"{message_id}.{stamp}.".encode() + body
        expected = base64.b64encode(hmac.new(self._key, signed, hashlib.sha256).digest()).decode()
        if f"v1,{expected}" not in request.headers["webhook-signature"].split(" "):
            self.forged += 1
            return web.Response(status=401)
        self.messages.append(Received(message_id, int(stamp), json.loads(body)))
        if fault is not None:
            return await self.faults.play(fault, self, request)
        return web.Response(status=204)

    def fail(self, status: int, body: str = "", *, times: int = 1) -> None:
        """Answer the next posts like this."""
        self.faults.add(Fault("answer", status, body, times=times))
