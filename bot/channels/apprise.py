"""A hundred other services through Apprise (the optional extra ``tocsin[apprise]``), in text mode.

Apprise is imported with the first message. Its plug-ins may hang, raise or merely return False: each call has a
deadline in a thread of its own, and our outbox does the retrying. Text mode, because its markdown mode restores
Slack's ``<!channel>``; mentions are defused besides, since other services ring on a bare ``@everyone``.
"""

from __future__ import annotations

import importlib
import re
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol, cast

from bot.channels.daemon_thread import call_with_deadline
from bot.channels.redact import Redactor
from bot.channels.render import plain, words_for
from bot.channels.safe import clean, no_mentions
from bot.errors import DeliveryError, DeliveryProblem
from bot.model import Delivery, Message, Receipt
from bot.ports import Pace

DEFAULT_PACE = Pace(per_second=5.0, per_address_per_second=1.0, concurrency=4)
MAX_HUNG = 8
"""Calls that may hang at one time before further ones are put off unsent."""


_ANGLE = re.compile(r"<(?=[!@#])")
"""The beginning of Slack's ``<!channel>``, should a service restore it."""
_SHORTEST_SECRET = 5


class Notifier(Protocol):
    """What is used of Apprise: one service, by its URL."""

    def notify(self, title: str, body: str) -> bool:
        """Send; False where the service did not take it."""


def secret_parts(url: str) -> list[str]:
    """The address and whatever in it may be a key, since services take it apart before they print it."""
    parts = re.split(r"[:/?&=@]+", url.partition("://")[2])
    return [url, *(part for part in parts if len(part) >= _SHORTEST_SECRET)]


def load_apprise(url: str) -> Notifier:
    """Apprise's notifier for a service URL. Raises :class:`DeliveryError` where Apprise or the service is unknown."""
    try:
        module = importlib.import_module("apprise")
    except ImportError:
        missing = "Apprise is not installed: pip install 'tocsin[apprise]'"
        raise DeliveryError(DeliveryProblem.CREDENTIALS, missing, retryable=True, channel_wide=True) from None
    instance = module.Apprise()
    if not instance.add(url):
        unknown = "Apprise does not understand this service URL"
        raise DeliveryError(DeliveryProblem.RECIPIENT, unknown, retryable=False)
    return _Apprise(instance, module.NotifyFormat.TEXT)


class _Apprise:
    def __init__(self, instance: object, body_format: object) -> None:
        self._instance = instance
        self._format = body_format

    def notify(self, title: str, body: str) -> bool:
        send = cast("Callable[..., bool | None]", self._instance.notify)  # type: ignore[attr-defined]
        return bool(send(title=title, body=body, body_format=self._format))


class AppriseChannel:
    """Sends plain text to named services (``apprise:matrix``)."""

    name = "apprise"
    edits = False

    def __init__(
        self,
        services: Mapping[str, str],
        now: Callable[[], datetime],
        *,
        deadline_s: float = 30.0,
        pace: Pace = DEFAULT_PACE,
        load: Callable[[str], Notifier] = load_apprise,
    ) -> None:
        self.pace = pace
        self._services = dict(services)
        self._now = now
        self._deadline_s = deadline_s
        self._load = load
        self._room = threading.Semaphore(MAX_HUNG)
        self._redactor = Redactor(part for url in services.values() for part in secret_parts(url))
        self._redactor.install()

    def render(self, delivery: Delivery) -> Message:
        """The first line as title, the rest as body."""
        text = plain(delivery.content, words_for(delivery), delivery.zone)
        title, _, body = _ANGLE.sub("\u2039", no_mentions(text)).partition("\n")
        payload = {"title": title, "body": body or title}
        return Message(delivery.id, delivery.target, payload, text)

    async def send(self, message: Message) -> Receipt:
        """One attempt."""
        name = message.target.partition(":")[2]
        url = self._services.get(name)
        if url is None:
            unknown = f"the settings have no Apprise service named {clean(name, 40)!r}"
            raise DeliveryError(DeliveryProblem.RECIPIENT, unknown, retryable=False)
        if not self._room.acquire(blocking=False):
            raise DeliveryError(DeliveryProblem.SERVER, "too many earlier calls still hang", retryable=True)
        if not await self._call(url, message.payload):
            raise DeliveryError(DeliveryProblem.SERVER, "the service did not take the message", retryable=True)
        return Receipt(self._now())

    async def _call(self, url: str, payload: Mapping[str, object]) -> bool:
        def work() -> bool:
            try:
                return self._load(url).notify(str(payload["title"]), str(payload["body"]))
            finally:
                self._room.release()

        try:
            return await call_with_deadline(work, self._deadline_s)
        except TimeoutError:
            hangs = "the service did not answer in time"
            raise DeliveryError(DeliveryProblem.AMBIGUOUS, hangs, retryable=True) from None
        except DeliveryError:
            raise
        except Exception as error:  # noqa: BLE001 - a plug-in may raise anything, and its words may hold the URL
            failed = f"the service's plug-in failed ({type(error).__name__})"
            raise DeliveryError(DeliveryProblem.SERVER, failed, retryable=True) from None

    async def close(self) -> None:
        """Stand aside; hanging calls end with the process."""
        self._redactor.remove()
