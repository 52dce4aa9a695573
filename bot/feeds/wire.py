"""One HTTP request, bounded in every direction: the only module that speaks to a network for feeds.

httpx's request and response types run over aiohttp's connections. No cookie is kept, no redirect followed, no
environment variable read. Every socket is checked by the guard just before it connects.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from httpx_aiohttp import AiohttpTransport

from bot.errors import FetchError, FetchProblem
from bot.feeds.guard import Guard, Refused, credentials, shown
from bot.feeds.inflate import BadEncoding, Inflater, TooLarge, inflater
from bot.feeds.resolve import Lookup

_MAX_HEADER = 32_768
_MAX_HEADERS = 128
_IDLE_S = 15.0
_DNS_CACHE_S = 120
_MIN_BYTES_PER_S = 64.0
_ERROR_PAGE = 65_536
_RESET = re.compile(r"(?:Connection\w*|BrokenPipe|OS|SSL)Error\(")  # aiohttp tells a reset in its message only
_ERROR_PAGE_S = 3.0


class _AddressRefused(OSError):
    """The guard refused a numeric address at the socket."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One response, read to its end or to where it broke."""

    status: int
    headers: Mapping[str, str]
    """Lower-case names; values as sent."""
    body: bytes = b""
    cut: bool = False
    """True where fewer bytes came than were promised."""
    delimited: bool = True
    """False where only the closing of the connection marks the end, so that a cut cannot be seen."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of one request. Times in seconds, sizes in bytes after decompression."""

    max_bytes: int
    stall_s: float
    """The longest silence; and after so long a body must have come at 64 bytes a second on average."""


class Transport(Protocol):
    """What a request goes through: httpx's transport interface, of which its ``MockTransport`` is one."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""

    async def aclose(self) -> None:
        """Release connections."""


def tls_context(*, verify: bool) -> ssl.SSLContext:
    """The system's trust, or with ``verify=False`` a belief in every certificate, for hosts that the operator names."""
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def open_transport(
    guard: Guard, lookup: Lookup, *, tls: ssl.SSLContext, connections: int, proxy: str | None
) -> AiohttpTransport:
    """A guarded transport over one connection pool and one TLS context (making one costs 35 ms)."""

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=connections,
            keepalive_timeout=_IDLE_S,
            ttl_dns_cache=_DNS_CACHE_S,
            resolver=_Resolver(lookup),
            ssl=tls,
            socket_factory=_checked(guard) if proxy is None else None,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            max_line_size=_MAX_HEADER,
            max_field_size=_MAX_HEADER,
            max_headers=_MAX_HEADERS,
        )

    return AiohttpTransport(verify=tls, trust_env=False, client=session, proxy=_proxy(proxy) if proxy else None)


def _proxy(url: str) -> httpx.Proxy:
    """The proxy with its password as a header; aiohttp turns it into ``Proxy-Authorization``."""
    parts = urlsplit(url)
    secret = credentials(url)
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return httpx.Proxy(bare, headers={"Authorization": secret} if secret else None)


async def request(transport: Transport, url: str, headers: Mapping[str, str], bounds: Bounds) -> Answer:
    """GET one address. Raises :class:`FetchError`; a cut body is an answer with ``cut`` set."""
    try:
        asked = httpx.Request("GET", url, headers=[(name.encode(), value.encode()) for name, value in headers.items()])
        asked.extensions["timeout"] = {"connect": bounds.stall_s, "read": bounds.stall_s}
        response = await transport.handle_async_request(asked)
        try:
            return await _read(response, url, bounds)
        finally:
            await response.aclose()
    except FetchError:
        raise
    except (TooLarge, BadEncoding) as error:
        problem = FetchProblem.TOO_LARGE if isinstance(error, TooLarge) else FetchProblem.ENCODING
        raise FetchError(problem, shown(url), str(error)) from None
    except (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError, ValueError, RuntimeError) as error:
        raise translated(error, url) from None


async def _read(response: httpx.Response, url: str, bounds: Bounds) -> Answer:
    status = response.status_code
    headers = _plain(response.headers)
    if 300 <= status < 400 or status in (204, 205):
        return Answer(status, headers)
    if status >= 400:
        return Answer(status, headers, await _glimpse(response, headers, url, bounds))
    inflate = inflater(headers.get("content-encoding", ""), bounds.max_bytes)
    cut = False
    try:
        async for chunk in _paced(response, url, bounds):
            await inflate.feed(chunk)
    except (httpx.HTTPError, aiohttp.ClientError, OSError) as error:
        if not _short(error, url):
            raise
        cut = True
    return _answer(status, headers, inflate, cut)


async def _glimpse(response: httpx.Response, headers: Mapping[str, str], url: str, bounds: Bounds) -> bytes:
    """The beginning of an error's page, for what it tells; the status counts even where the page cannot be read."""
    try:
        inflate = inflater(headers.get("content-encoding", ""), bounds.max_bytes)
        seen = 0
        async with asyncio.timeout(min(bounds.stall_s, _ERROR_PAGE_S)):
            async for chunk in _paced(response, url, bounds):
                await inflate.feed(chunk)
                seen += len(chunk)
                if seen >= _ERROR_PAGE:
                    break
        return inflate.finish()[:_ERROR_PAGE]
    except (httpx.HTTPError, aiohttp.ClientError, OSError, FetchError, BadEncoding, TooLarge):
        return b""


def _answer(status: int, headers: Mapping[str, str], inflate: Inflater, cut: bool) -> Answer:
    body = inflate.finish()
    delimited = "content-length" in headers or "chunked" in headers.get("transfer-encoding", "").lower()
    return Answer(status, headers, body, cut=cut or not inflate.ended, delimited=delimited)


async def _paced(response: httpx.Response, url: str, bounds: Bounds) -> AsyncIterator[bytes]:
    """The raw chunks, for as long as they come at a rate worth waiting for."""
    clock = asyncio.get_running_loop().time
    began, received = clock(), 0
    stream = response.stream
    if not isinstance(stream, httpx.AsyncByteStream):
        raise httpx.StreamClosed
    async for chunk in stream:
        received += len(chunk)
        waited = clock() - began
        if waited > bounds.stall_s and received < waited * _MIN_BYTES_PER_S:
            raise FetchError(
                FetchProblem.TIMEOUT, shown(url), f"too slow: {received} bytes of the body in {waited:.0f} s"
            )
        yield chunk


def _plain(headers: httpx.Headers) -> dict[str, str]:
    """Names in lower case; repeated ones joined, but of validators the first alone, byte for byte."""
    plain = dict(headers.items())
    for name, value in reversed(headers.raw):
        if name.lower() in (b"etag", b"last-modified"):
            try:
                plain[name.lower().decode()] = value.decode()
            except UnicodeDecodeError:
                plain.pop(name.lower().decode(), None)
    return plain


# --- the socket ---------------------------------------------------------------------------------------------------


class _Resolver(AbstractResolver):
    """aiohttp's resolver over a plain lookup function."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Numeric addresses of a name. Raises ``OSError``."""
        del family  # both are asked for: broken IPv6 is met by racing, not by guessing
        addresses = await self._lookup(host, port)
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "no address")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is held."""


AddrInfo = tuple[int, int, int, str, tuple[str | int, ...]]


def _checked(guard: Guard) -> Callable[..., socket.socket]:
    """A socket factory that asks the guard about the very address that is about to be connected to."""

    def make(info: AddrInfo) -> socket.socket:
        family, kind, protocol, _, address = info
        try:
            guard.check_ip(str(address[0]))
        except Refused as error:
            raise _AddressRefused(str(error)) from None
        return socket.socket(family, kind, protocol)

    return make


# --- what went wrong ------------------------------------------------------------------------------------------------


def translated(error: BaseException, url: str) -> FetchError:
    """The named problem behind an exception of httpx, aiohttp or the system."""
    chain = _chain(error)
    for problem, kinds, text in _KINDS:
        found = next((link for link in reversed(chain) if isinstance(link, kinds)), None)
        if found is not None:
            return FetchError(problem, shown(url), text or _reason(found))
    return FetchError(FetchProblem.PROTOCOL, shown(url), "the answer is not proper HTTP")


_KINDS: tuple[tuple[FetchProblem, tuple[type[BaseException], ...], str], ...] = (
    (FetchProblem.FORBIDDEN_ADDRESS, (_AddressRefused, Refused), ""),
    (FetchProblem.FORBIDDEN_ADDRESS, (httpx.UnsupportedProtocol, httpx.InvalidURL, aiohttp.InvalidURL), "not a URL"),
    (
        FetchProblem.REFUSED,
        (aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError, httpx.ProxyError),
        "the proxy cannot be reached or refuses",
    ),
    (FetchProblem.TLS, (aiohttp.ClientSSLError, ssl.SSLError, ssl.CertificateError), ""),
    (FetchProblem.RESOLVE, (aiohttp.ClientConnectorDNSError, socket.gaierror), "the name does not resolve"),
    (FetchProblem.TIMEOUT, (TimeoutError, aiohttp.ServerTimeoutError), "no answer in time"),
    (FetchProblem.REFUSED, (aiohttp.ServerDisconnectedError,), "the connection was closed without an answer"),
    (FetchProblem.PROTOCOL, (aiohttp.ClientResponseError, aiohttp.ClientPayloadError), ""),
    (FetchProblem.REFUSED, (aiohttp.ClientOSError, OSError, httpx.ConnectError, httpx.ReadError), ""),
    (FetchProblem.TIMEOUT, (httpx.TimeoutException,), "no answer in time"),
    (FetchProblem.FORBIDDEN_ADDRESS, (ValueError,), "not an address that can be asked"),
)


def _short(error: BaseException, url: str) -> bool:
    """True where the body ended early. Raises :class:`FetchError` where the connection was reset rather than closed."""
    for link in _chain(error):
        text = str(link)
        if isinstance(link, ConnectionError) or (isinstance(link, aiohttp.ClientPayloadError) and _RESET.search(text)):
            raise FetchError(FetchProblem.TRUNCATED, shown(url), "the connection was reset in the middle of the body")
        if isinstance(link, aiohttp.ClientPayloadError) and "enough data" in text:
            return True
    return False


def _chain(error: BaseException) -> list[BaseException]:
    """The exception with its causes, and the system errors that aiohttp keeps inside."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain and len(chain) < 8:
        chain.append(link)
        inner = getattr(link, "os_error", None)
        if isinstance(inner, BaseException):
            chain.append(inner)
        link = link.__cause__ or link.__context__
    return chain


def _reason(error: BaseException) -> str:
    """A short line of the error's own, without addresses of objects or line breaks."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not valid: {getattr(error, 'verify_message', '') or 'not to be verified'}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {(error.reason or 'handshake').lower().replace('_', ' ')}"
    if isinstance(error, _AddressRefused | Refused):
        return str(error)
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        return os.strerror(error.errno).lower()
    text = " ".join(str(error).split())
    return text[:200] or type(error).__name__
