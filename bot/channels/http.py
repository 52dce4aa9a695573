"""One POST to a chat service: a total deadline, a bounded answer, and a verdict whether it may have arrived."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from bot import __version__
from bot.channels.redact import Redactor
from bot.errors import DeliveryError, DeliveryProblem

MAX_ANSWER = 64 * 1024
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
MAX_WAIT_S = 24 * 3600.0
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.ProxyError)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, the body as text, the headers by lower-case name."""

    status: int
    text: str
    headers: Mapping[str, str]


class Poster:
    """Posts with one connection pool. Its errors name the kind of failure, never the address."""

    def __init__(
        self,
        secrets: Iterable[str],
        *,
        deadline_s: float = 15.0,
        proxy: str | None = None,
        max_answer: int = MAX_ANSWER,
        connections: int = 32,
    ) -> None:
        self._redactor = Redactor(secrets)
        self._redactor.install()  # at once: python-telegram-bot logs its address while it is being built
        self._deadline_s = deadline_s
        self._proxy = proxy
        self._max_answer = max_answer
        self._limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        self._client: httpx.AsyncClient | None = None
        self._opening = asyncio.Lock()

    async def post(
        self,
        url: str,
        *,
        content: bytes | None = None,
        data: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        deadline_s: float | None = None,
    ) -> Answer:
        """One attempt. Raises :class:`DeliveryError`: NETWORK where surely nothing arrived, else AMBIGUOUS."""
        try:
            async with asyncio.timeout(deadline_s or self._deadline_s):
                return await self._exchange(url, content, data, headers or {})
        except TimeoutError:
            raise _lost("no answer in time") from None
        except _NEVER_SENT as error:
            message = f"could not connect ({type(error).__name__})"
            raise DeliveryError(DeliveryProblem.NETWORK, message, retryable=True) from None
        except httpx.InvalidURL:
            raise DeliveryError(DeliveryProblem.RECIPIENT, "the address is no URL", retryable=False) from None
        except httpx.HTTPError as error:
            raise _lost(f"the answer was lost ({type(error).__name__})") from None

    async def _exchange(
        self, url: str, content: bytes | None, data: Mapping[str, str] | None, headers: Mapping[str, str]
    ) -> Answer:
        client = await self._open()
        async with client.stream("POST", url, content=content, data=data, headers=dict(headers)) as response:
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > self._max_answer:
                    raise _lost("the answer was too long to be read")
            return Answer(response.status_code, body.decode("utf-8", "replace"), response.headers)

    async def _open(self) -> httpx.AsyncClient:
        """The client, made in a thread by the first post: reading the certificates takes 35 ms."""
        async with self._opening:
            if self._client is None:
                self._client = await asyncio.to_thread(self._make)
            return self._client

    def _make(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            headers={"User-Agent": f"tocsin/{__version__}", "Accept-Encoding": "identity"},
            timeout=httpx.Timeout(None, connect=10.0),
            limits=self._limits,
            proxy=self._proxy,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.aclose()
        self._redactor.remove()


def _lost(message: str) -> DeliveryError:
    return DeliveryError(DeliveryProblem.AMBIGUOUS, message, retryable=True)


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for (a number or a date), within 24 h; None for none or junk."""
    if value is None:
        return None
    try:
        seconds = float(value) if _NUMBER.fullmatch(value.strip()) else _until(value, now)
    except (TypeError, ValueError, OverflowError):
        return None
    return None if seconds < 0 else min(seconds, MAX_WAIT_S)


def _until(value: str, now: datetime) -> float:
    at = parsedate_to_datetime(value)
    return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds())
