"""What an answer means: a feed's body, a redirect, nothing new, or a named problem. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from urllib.parse import quote, urljoin, urlsplit

from bot.errors import FetchError, FetchProblem
from bot.feeds.challenge import is_challenge
from bot.feeds.guard import shown
from bot.feeds.headers import retry_after

_REDIRECTS = {301: True, 302: False, 303: False, 307: False, 308: True}
_CLOSED = re.compile(rb"</(?:[\w.-]+:)?(?:rss|feed|rdf|channel|html)\s*>|\}\s*\Z", re.IGNORECASE)
_SAFE = "!#$%&'()*+,/:;=?@[]~"


class Response(Protocol):
    """The part of an answer that decides its meaning."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def body(self) -> bytes: ...

    @property
    def cut(self) -> bool: ...

    @property
    def delimited(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Hop:
    """A redirect."""

    url: str
    permanent: bool


def redirect(answer: Response, url: str) -> Hop | None:
    """Where the answer points, or ``None``. Raises :class:`FetchError` for a redirect to nowhere or down to http."""
    if answer.status not in _REDIRECTS:
        return None
    location = answer.headers.get("location", "").strip()
    if not location:
        raise FetchError(
            FetchProblem.REDIRECTS, shown(url), f"{answer.status} without an address", status=answer.status
        )
    try:
        target = quote(urljoin(url, location).partition("#")[0], safe=_SAFE)
        scheme = urlsplit(target).scheme
    except ValueError:
        raise FetchError(FetchProblem.REDIRECTS, shown(url), "redirects to something that is no URL") from None
    if url.startswith("https:") and scheme == "http":
        raise FetchError(FetchProblem.REDIRECTS, shown(url), f"redirects from https down to {shown(target)}")
    return Hop(target, _REDIRECTS[answer.status])


def whole(answer: Response) -> bool:
    """False where the body is certainly or visibly cut short."""
    if answer.cut:
        return False
    return answer.delimited or _CLOSED.search(answer.body[-4096:]) is not None


def digest(body: bytes) -> str:
    """SHA-256 of a body in hexadecimal, as kept in ``FeedState.body_hash``."""
    return hashlib.sha256(body).hexdigest()


def refuse(answer: Response, url: str, now: datetime) -> None:
    """Raise the :class:`FetchError` that an answer other than a redirect, a 304 or a usable 200 stands for."""
    status = answer.status
    if status >= 400:
        raise _failed(answer, url, now)
    if status in (204, 205, 206):
        raise FetchError(FetchProblem.EMPTY, shown(url), f"{status}: not a whole feed", status=status)
    if not 200 <= status < 300:
        raise FetchError(FetchProblem.STATUS, shown(url), f"unexpected status {status}", status=status)
    if not answer.body.strip():
        problem = FetchProblem.TRUNCATED if answer.cut else FetchProblem.EMPTY
        raise FetchError(problem, shown(url), "the answer has no body", status=status)
    if is_challenge(answer.body):
        raise FetchError(FetchProblem.BLOCKED, shown(url), "a challenge page instead of the feed", status=status)


def _failed(answer: Response, url: str, now: datetime) -> FetchError:
    status = answer.status
    wait = retry_after(answer.headers.get("retry-after"), now)
    if status == 429 or (status == 503 and wait is not None):
        asked = f", asks for {wait:.0f} s of rest" if wait is not None else ""
        return FetchError(
            FetchProblem.RATE_LIMITED,
            shown(url),
            f"{status}: too many requests{asked}",
            status=status,
            retry_after_s=wait,
            host_wide=True,
        )
    challenged = "cf-mitigated" in answer.headers or is_challenge(answer.body)
    if challenged and status not in (404, 410):
        return FetchError(FetchProblem.BLOCKED, shown(url), f"{status}: a challenge page", status=status)
    problem, text = _STATUS.get(status, (FetchProblem.STATUS, "not what a feed answers"))
    if status >= 500:
        problem, text = FetchProblem.SERVER, "the server failed"
    return FetchError(problem, shown(url), f"{status}: {text}", status=status, retry_after_s=wait)


_STATUS: Mapping[int, tuple[FetchProblem, str]] = {
    401: (FetchProblem.FORBIDDEN, "wants a log-in"),
    403: (FetchProblem.FORBIDDEN, "access refused"),
    404: (FetchProblem.NOT_FOUND, "no such feed"),
    408: (FetchProblem.TIMEOUT, "the server gave up waiting"),
    410: (FetchProblem.GONE, "the feed is gone for good"),
    425: (FetchProblem.SERVER, "too early"),
    451: (FetchProblem.FORBIDDEN, "withheld for legal reasons"),
}
