"""python-telegram-bot's Bot over our own HTTP. Imported only when a bot is really used: it costs 0.2 s and 20 MB.

Why not its HTTPXRequest: that reads answers without a bound, keeps no total deadline, cannot say whether a failed
request may have arrived, and drops the error code (401 and 404 become one exception, ``BadRequest`` a network error).
:class:`telegram.request.BaseRequest` is the place it offers for an implementation of one's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from telegram import Bot
from telegram.error import TelegramError
from telegram.request import BaseRequest, RequestData

from bot.channels.http import Answer, Poster
from bot.errors import DeliveryError


class Refused(TelegramError):
    """Carries our own error through the library."""

    def __init__(self, error: DeliveryError) -> None:
        super().__init__(str(error))
        self.error = error


class Requests(BaseRequest):
    """The library's transport: posts through a :class:`Poster` and judges the answer before the library does."""

    def __init__(self, poster: Poster, judge: Callable[[Answer, Mapping[str, Any]], DeliveryError | None]) -> None:
        self._poster = poster
        self._judge = judge

    @property
    def read_timeout(self) -> float | None:
        """None: the deadline is the poster's."""
        return None

    async def initialize(self) -> None:
        """Nothing to open ahead of the first request."""

    async def shutdown(self) -> None:
        """Nothing to close: the poster is closed by its owner."""

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: object = BaseRequest.DEFAULT_NONE,
        write_timeout: object = BaseRequest.DEFAULT_NONE,
        connect_timeout: object = BaseRequest.DEFAULT_NONE,
        pool_timeout: object = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """One request; raises :class:`Refused` for everything but a Bot API success."""
        del method, write_timeout, connect_timeout, pool_timeout
        deadline = float(read_timeout) if isinstance(read_timeout, int | float) else None
        data = request_data.json_parameters if request_data else {}
        try:
            answer = await self._poster.post(url, data=data, deadline_s=deadline)
        except DeliveryError as error:
            raise Refused(error) from None
        fault = self._judge(answer, request_data.parameters if request_data else {})
        if fault is not None:
            raise Refused(fault)
        return answer.status, answer.text.encode()


class RawBot(Bot):
    """The library's Bot, with one door for any method: JSON in, JSON out."""

    async def call(self, method: str, params: Mapping[str, Any], deadline_s: float | None) -> object:
        """Call a Bot API method by its own name. Raises :class:`Refused`."""
        if deadline_s is None:
            return await self._post(method, dict(params))
        return await self._post(method, dict(params), read_timeout=deadline_s)
