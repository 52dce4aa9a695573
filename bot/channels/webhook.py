"""Any HTTP endpoint, signed by the Standard Webhooks scheme (standardwebhooks.com, version 1).

Headers ``webhook-id`` (stable over retries: receivers drop repeats by it), ``webhook-timestamp`` (Unix seconds) and
``webhook-signature`` (``v1,`` + base64 of HMAC-SHA256 over ``id.timestamp.body``). The body follows
``alert.schema.json`` beside this file.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.channels.http import Answer, Poster, retry_after_s
from bot.channels.picture import picture
from bot.channels.render import plain, words_for
from bot.channels.safe import clean
from bot.errors import DeliveryError, DeliveryProblem, UsageError
from bot.model import Delivery, Message, Receipt
from bot.ports import Pace

DEFAULT_PACE = Pace(per_second=50.0, per_address_per_second=10.0, concurrency=4)
DEFAULT_WAIT_S = 30.0
_PREFIX = "whsec_"
_REFUSED = frozenset({400, 413, 415, 422})


@dataclass(frozen=True, slots=True)
class Hook:
    """Where to post, and the shared secret ("whsec_" + base64, or any text). Neither is ever shown."""

    url: str
    secret: str

    def __repr__(self) -> str:
        return "Hook(***)"


class WebhookChannel:
    """Posts alerts as JSON to named hooks (``webhook:desk``)."""

    name = "webhook"
    edits = False

    def __init__(
        self,
        hooks: Mapping[str, Hook],
        now: Callable[[], datetime],
        *,
        proxy: str | None = None,
        deadline_s: float = 15.0,
        pace: Pace = DEFAULT_PACE,
    ) -> None:
        self.pace = pace
        self._hooks = {name: (hook.url, secret_key(hook.secret)) for name, hook in hooks.items()}
        self._now = now
        secrets = [part for hook in hooks.values() for part in (hook.url, hook.secret)]
        self._poster = Poster(secrets, deadline_s=deadline_s, proxy=proxy)

    def render(self, delivery: Delivery) -> Message:
        """The content as JSON, with the same in plain words under ``text``."""
        text = plain(delivery.content, words_for(delivery), delivery.zone)
        return Message(delivery.id, delivery.target, picture(delivery.content, delivery.id, text), text)

    async def send(self, message: Message) -> Receipt:
        """One attempt."""
        name = message.target.partition(":")[2]
        if name not in self._hooks:
            unknown = f"the settings have no webhook named {clean(name, 40)!r}"
            raise DeliveryError(DeliveryProblem.RECIPIENT, unknown, retryable=False)
        url, key = self._hooks[name]
        now = self._now()
        body = json.dumps(message.payload, ensure_ascii=False).encode("utf-8", "replace")
        headers = {"Content-Type": "application/json", **signature(key, message.delivery_id, now, body)}
        error = judge_answer(await self._poster.post(url, content=body, headers=headers), now)
        if error is not None:
            raise error
        return Receipt(self._now())

    async def close(self) -> None:
        """Close the connections."""
        await self._poster.close()


def secret_key(secret: str) -> bytes:
    """The bytes to sign with. Raises :class:`UsageError` for no secret or broken base64."""
    if not secret:
        raise UsageError("a webhook needs a secret to sign with")
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except ValueError:  # binascii.Error is one
        raise UsageError("a webhook's secret begins with whsec_ and is not base64 after that") from None


def signature(key: bytes, message_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks."""
    stamp = str(int(now.timestamp()))
    digest = hmac.new(key, b".".join((message_id.encode(), stamp.encode(), body)), hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def judge_answer(answer: Answer, now: datetime) -> DeliveryError | None:
    """None for any 2xx. 410 says never again; a refused key or path is retried until the message expires."""
    status = answer.status
    if 200 <= status < 300:
        return None
    said = f"the webhook answers {status}"
    if status == 429 or (status == 503 and "retry-after" in answer.headers):
        wait = retry_after_s(answer.headers.get("retry-after"), now)
        wait = DEFAULT_WAIT_S if wait is None else wait
        return DeliveryError(DeliveryProblem.RATE_LIMITED, said, retryable=True, retry_after_s=wait, status=status)
    if status == 410:
        return DeliveryError(DeliveryProblem.RECIPIENT, said, retryable=False, status=status)
    if status in _REFUSED or 300 <= status < 400:
        return DeliveryError(DeliveryProblem.REJECTED, said, retryable=False, status=status)
    return DeliveryError(DeliveryProblem.SERVER, said, retryable=True, status=status)
