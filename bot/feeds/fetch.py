"""The guarded fetcher: one conditional request for one feed, bounded in time, size, redirects and destinations."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from bot.errors import FetchError, FetchProblem
from bot.feeds import answers, headers
from bot.feeds.gate import HostGate
from bot.feeds.guard import Guard, Refused, credentials, shown
from bot.feeds.resolve import Lookup, system_lookup
from bot.model import Feed, Fetched, NotModified
from bot.ports import Clock

if TYPE_CHECKING:
    from bot.feeds.wire import Answer, Transport

_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json;q=0.9, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
)
_MAX_HOPS = 10
_REST_S = 60.0


@dataclass(frozen=True, slots=True)
class _Path:
    """Where a fetch stands: the address asked, how it got there, and how many seconds it may still use."""

    url: str
    left_s: float
    hops: int = 0
    permanent: bool = True


class HttpSource:
    """:class:`bot.ports.Source` over HTTP.

    ``user_agent`` is sent as it is and should name the program, its version and a contact. Queues for a host are not
    part of ``deadline_s``, and waiting in them holds no connection: start as many fetches at once as there are due
    feeds. ``allow_networks`` opens ranges that are refused otherwise. Through a ``proxy`` names are resolved by it,
    so that only their spelling is checked; there is never a direct connection beside it. ``unverified_hosts`` are
    asked without checking their certificates. ``transport`` replaces the network in tests.
    """

    def __init__(
        self,
        user_agent: str,
        *,
        clock: Clock,
        deadline_s: float = 30.0,
        max_bytes: int = 15 * 2**20,
        per_host: int = 2,
        spacing_s: float = 1.0,
        connections: int = 64,
        stall_s: float = 10.0,
        allow_networks: Iterable[str] = (),
        proxy: str | None = None,
        resolver: Lookup | None = None,
        unverified_hosts: Collection[str] = (),
        transport: Transport | None = None,
    ) -> None:
        self._user_agent = user_agent
        self._clock = clock
        self._deadline_s = deadline_s
        self._max_bytes = max_bytes
        self._stall_s = min(stall_s, deadline_s)
        self._connections = connections
        self._guard = Guard.of(allow_networks)
        self._gate = HostGate(per_host, spacing_s, connections)
        self._proxy = proxy
        self._lookup = resolver
        self._unverified = frozenset(host.lower() for host in unverified_hosts)
        self._given = transport
        self._transports: dict[bool, Transport] = {}
        self._opening = asyncio.Lock()

    async def fetch(self, feed: Feed) -> Fetched | NotModified:
        """One conditional request. Raises :class:`FetchError`, and nothing else."""
        path = _Path(feed.url, self._deadline_s)
        try:
            while True:
                answer, path = await self._hop(feed, path)
                hop = answers.redirect(answer, path.url)
                if hop is None:
                    return self._outcome(feed, path, answer)
                path = self._follow(path, hop)
        except Refused as error:
            raise FetchError(FetchProblem.FORBIDDEN_ADDRESS, shown(path.url), str(error)) from None

    async def close(self) -> None:
        """Release connections."""
        transports, self._transports = list(self._transports.values()), {}
        for transport in transports:
            await transport.aclose()

    async def _hop(self, feed: Feed, path: _Path) -> tuple[Answer, _Path]:
        """Ask one address, in its host's turn; the time that took is gone from the path's."""
        parts = self._guard.check_url(path.url, by_name=self._proxy is not None)
        host = parts.hostname or ""
        transport = await self._transport(verify=host not in self._unverified)
        async with self._gate.slot(host, spaced=not self._guard.own(path.url)):
            self._check_rest(host, path.url)
            began = time.monotonic()
            try:
                async with asyncio.timeout(path.left_s):
                    answer = await self._ask(transport, feed, path.url, parts)
            except TimeoutError:
                raise FetchError(
                    FetchProblem.TIMEOUT, shown(path.url), f"not done within {self._deadline_s:.0f} s"
                ) from None
            self._note_rest(host, answer)
        return answer, replace(path, left_s=path.left_s - (time.monotonic() - began))

    async def _ask(self, transport: Transport, feed: Feed, url: str, parts: SplitResult) -> Answer:
        from bot.feeds.wire import Bounds, request

        bounds = Bounds(self._max_bytes, self._stall_s)
        return await request(transport, _bare(parts), self._headers(feed, url), bounds)

    def _headers(self, feed: Feed, url: str) -> dict[str, str]:
        wanted = {"User-Agent": self._user_agent, "Accept": _ACCEPT, "Accept-Encoding": "gzip, deflate"}
        if feed.state.etag:
            wanted["If-None-Match"] = feed.state.etag
        if feed.state.last_modified:
            wanted["If-Modified-Since"] = feed.state.last_modified
        secret = credentials(feed.url)
        if secret is not None and _origin(feed.url) == _origin(url):
            wanted["Authorization"] = secret
        return wanted

    def _follow(self, path: _Path, hop: answers.Hop) -> _Path:
        if hop.url == path.url:
            raise FetchError(FetchProblem.REDIRECTS, shown(path.url), "redirects to itself")
        if path.hops >= _MAX_HOPS:
            raise FetchError(FetchProblem.REDIRECTS, shown(path.url), f"more than {_MAX_HOPS} redirects")
        return replace(path, url=hop.url, hops=path.hops + 1, permanent=path.permanent and hop.permanent)

    def _outcome(self, feed: Feed, path: _Path, answer: Answer) -> Fetched | NotModified:
        now = self._clock.now()
        elapsed = self._deadline_s - path.left_s
        hints = headers.hints(answer.headers, now)
        etag = headers.validator(answer.headers.get("etag"))
        modified = headers.validator(answer.headers.get("last-modified"))
        if answer.status == 304 and not (feed.state.etag or feed.state.last_modified):
            raise FetchError(FetchProblem.EMPTY, shown(path.url), "304 to an unconditional request", status=304)
        if answer.status == 304:
            return NotModified(feed, now, hints, elapsed, etag, modified)
        answers.refuse(answer, path.url, now)
        if answers.digest(answer.body) == feed.state.body_hash:
            return NotModified(feed, now, hints, elapsed, etag, modified)
        return Fetched(
            feed,
            _bare(urlsplit(path.url)),
            answer.body,
            now,
            content_type=answer.headers.get("content-type"),
            etag=etag,
            last_modified=modified,
            hints=hints,
            moved_to=self._moved(feed, path),
            complete=answers.whole(answer),
            elapsed_s=elapsed,
        )

    def _moved(self, feed: Feed, path: _Path) -> str | None:
        """The new address after nothing but permanent redirects; never one that would lose or carry a password."""
        if not path.hops or not path.permanent or credentials(feed.url) or credentials(path.url):
            return None
        return path.url if path.url != feed.url else None

    def _check_rest(self, host: str, url: str) -> None:
        left = self._gate.rests_for(host)
        if left > 0:
            raise FetchError(
                FetchProblem.RATE_LIMITED,
                shown(url),
                f"not asked: the host wants {left:.0f} s more of rest",
                retry_after_s=left,
                host_wide=True,
            )

    def _note_rest(self, host: str, answer: Answer) -> None:
        if answer.status in (429, 503):
            wait = headers.retry_after(answer.headers.get("retry-after"), self._clock.now())
            if wait is not None or answer.status == 429:
                self._gate.rest(host, _REST_S if wait is None else wait)

    async def _transport(self, *, verify: bool) -> Transport:
        """The transport, opened on first use; loading the libraries takes half a second and is kept off the loop."""
        async with self._opening:
            if verify not in self._transports:
                self._transports[verify] = await self._open(verify=verify)
        return self._transports[verify]

    async def _open(self, *, verify: bool) -> Transport:
        await asyncio.to_thread(_load)
        if self._given is not None:
            return self._given
        from bot.feeds import wire

        tls = await asyncio.to_thread(wire.tls_context, verify=verify)
        lookup = self._lookup or system_lookup()
        return wire.open_transport(self._guard, lookup, tls=tls, connections=self._connections, proxy=self._proxy)


def _load() -> None:
    import bot.feeds.wire  # noqa: F401  # only so that the next import of it finds it loaded


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _bare(parts: SplitResult) -> str:
    """The URL without user, password and fragment."""
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl()
