"""The fetcher against servers that misbehave, fault by fault."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import pytest

from bot.errors import FetchError, FetchProblem
from bot.feeds.fetch import HttpSource
from bot.feeds.resolve import system_lookup
from bot.model import Feed, Fetched
from tests.feeds.conftest import RSS, MakeSource, Reply, Server, ok, serving

FeedAt = Callable[..., Feed]
CERTIFICATES = Path(__file__).parent / "certificates"


async def problem_of(source: HttpSource, feed: Feed) -> FetchError:
    with pytest.raises(FetchError) as failed:
        await source.fetch(feed)
    assert "\n" not in str(failed.value)
    return failed.value


def reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.close()


def says(*parts: bytes, pause_s: float = 0.0, end: str = "close", repeat: bool = False) -> Reply:
    """Send parts one by one, then close, reset, hang, or begin again."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        while True:
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause_s)
            if not repeat:
                break
        if end == "hang":
            await asyncio.sleep(30)
        elif end == "reset":
            reset(writer)
        else:
            writer.close()

    return reply


async def test_N01_a_refused_connection_is_named(source: HttpSource, feed_at: FeedAt) -> None:
    """A port where nobody listens is REFUSED, with the system's own word for it."""
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        error = await problem_of(source, feed_at(f"http://127.0.0.1:{unheard.getsockname()[1]}/"))
    assert (error.problem, error.detail) == (FetchProblem.REFUSED, "connection refused")


async def test_N01_a_reset_before_the_answer_is_named(server: Server, source: HttpSource, feed_at: FeedAt) -> None:
    """A connection that is reset or closed instead of an answer is REFUSED."""
    for end in ("reset", "close"):
        server.answers["/feed"] = says(end=end)
        assert (await problem_of(source, feed_at(server.url()))).problem is FetchProblem.REFUSED


@pytest.mark.parametrize("code", [socket.EAI_NONAME, socket.EAI_AGAIN])
async def test_N02_a_name_that_does_not_resolve_is_named(make_source: MakeSource, feed_at: FeedAt, code: int) -> None:
    """NXDOMAIN and SERVFAIL are both UNRESOLVABLE."""

    async def lookup(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(code, "no")

    async def nothing(host: str, port: int) -> Sequence[str]:
        return ()

    for resolver in (lookup, nothing):
        error = await problem_of(make_source(resolver=resolver), feed_at("http://nowhere.example/"))
        assert error.problem is FetchProblem.RESOLVE


async def test_N02_a_resolver_that_never_answers_costs_one_deadline_and_delays_nobody(
    server: Server, make_source: MakeSource, feed_at: FeedAt
) -> None:
    """While 40 lookups hang, another feed is fetched at once, and each of the 40 fails within its deadline."""

    async def lookup(host: str, port: int) -> Sequence[str]:
        await asyncio.sleep(30)
        return ()

    source = make_source(resolver=lookup, deadline_s=1.5, connections=100)
    hung = [asyncio.create_task(problem_of(source, feed_at(f"http://h{n}.example/"))) for n in range(40)]
    await asyncio.sleep(0.05)
    began = time.monotonic()
    await source.fetch(feed_at(server.url()))
    assert time.monotonic() - began < 1.0
    assert {error.problem for error in await asyncio.gather(*hung)} <= {FetchProblem.TIMEOUT, FetchProblem.RESOLVE}


async def test_N02_the_systems_resolver_is_bounded_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A getaddrinfo that hangs for seconds fails as a name that does not resolve, as soon as its time is over."""

    def hang(*_args: object, **_named: object) -> list[object]:
        time.sleep(1.0)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    began = time.monotonic()
    with pytest.raises(socket.gaierror):
        await system_lookup(0.1)("slow.example", 80)
    assert time.monotonic() - began < 0.5


async def test_N02_the_systems_resolver_knows_numeric_names() -> None:
    """The default lookup gives numeric addresses, and an error for what is no host name."""
    assert list(await system_lookup()("127.0.0.1", 80)) == ["127.0.0.1"]
    with pytest.raises(OSError, match=r"host name|not known|No address|Name"):
        await system_lookup()("a" * 70 + ".example", 80)


async def test_N04_a_dripping_body_is_given_up(server: Server, make_source: MakeSource, feed_at: FeedAt) -> None:
    """A byte now and then keeps no connection: the body must come at 64 bytes a second."""
    server.answers["/feed"] = says(
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", *[b"<"] * 50, pause_s=0.05, end="hang"
    )
    began = time.monotonic()
    error = await problem_of(make_source(stall_s=0.3, deadline_s=10), feed_at(server.url()))
    assert error.problem is FetchProblem.TIMEOUT
    assert "too slow" in error.detail
    assert time.monotonic() - began < 2


async def test_N04_the_total_deadline_holds_over_an_endless_brisk_body(
    server: Server, make_source: MakeSource, feed_at: FeedAt
) -> None:
    """A body that comes fast enough and never ends is given up at the deadline, and the host's slot is free again."""
    server.answers["/feed"] = says(
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", *[b"<a/>" * 100] * 10, pause_s=0.02, repeat=True
    )
    server.answers["/good"] = ok()
    source = make_source(stall_s=5, deadline_s=0.5, per_host=1)
    began = time.monotonic()
    assert (await problem_of(source, feed_at(server.url()))).problem is FetchProblem.TIMEOUT
    assert time.monotonic() - began < 1.5
    assert isinstance(await source.fetch(feed_at(server.url("/good"))), Fetched)


@pytest.mark.parametrize("part", [b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"])
async def test_N04_silence_is_given_up(server: Server, make_source: MakeSource, feed_at: FeedAt, part: bytes) -> None:
    """A server that accepts and falls silent, before, in or after its headers, is a timeout."""
    server.answers["/feed"] = says(part, end="hang")
    error = await problem_of(make_source(stall_s=0.2, deadline_s=20.0), feed_at(server.url()))
    assert (error.problem, error.detail) == (FetchProblem.TIMEOUT, "no answer in time")


@pytest.mark.parametrize(
    "headers",
    [
        b"X-Big: " + b"a" * 200_000 + b"\r\n",
        b"".join(b"X-%d: 1\r\n" % n for n in range(5000)),
        b"X" * 100_000,
    ],
    ids=["one huge header", "header flood", "no end"],
)
async def test_N05_unbounded_headers_are_an_error(
    server: Server, source: HttpSource, feed_at: FeedAt, headers: bytes
) -> None:
    """A 200 kB header and 5,000 headers end the connection and are recorded."""
    server.answers["/feed"] = b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n\r\n" + RSS
    assert (await problem_of(source, feed_at(server.url()))).problem is FetchProblem.PROTOCOL
    assert server.open_now <= 1


async def test_N06_a_reset_in_the_body_brings_nothing(server: Server, source: HttpSource, feed_at: FeedAt) -> None:
    """Half a body and a reset is an error, so nothing is stored and no validator moves."""
    server.answers["/feed"] = says(ok(RSS[:200], 'ETag: "2"', length=len(RSS)), pause_s=0.05, end="reset")
    error = await problem_of(source, feed_at(server.url(), etag='"1"'))
    assert error.problem is FetchProblem.TRUNCATED


@pytest.mark.parametrize(
    "answer",
    [
        ok(RSS[:300], 'ETag: "2"', length=len(RSS)),
        b'HTTP/1.1 200 OK\r\nETag: "2"\r\nConnection: close\r\n\r\n' + RSS[:300],
        b'HTTP/1.1 200 OK\r\nETag: "2"\r\nTransfer-Encoding: chunked\r\n\r\n12c\r\n' + RSS[:300] + b"\r\n",
        b'HTTP/1.1 200 OK\r\nETag: "2"\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n'
        + gzip.compress(RSS, mtime=0)[:-30],
    ],
    ids=["short of Content-Length", "close-delimited half", "chunked without end", "gzip without end"],
)
async def test_N08_a_cut_body_is_kept_as_incomplete(
    server: Server, source: HttpSource, feed_at: FeedAt, answer: bytes
) -> None:
    """What came before the cut is handed on, marked, so that its validators are not taken over."""
    server.answers["/feed"] = says(answer)
    fetched = await source.fetch(feed_at(server.url()))
    assert isinstance(fetched, Fetched)
    assert RSS.startswith(fetched.body)
    assert len(fetched.body) > 100
    assert not fetched.complete


async def test_N08_a_whole_close_delimited_body_is_complete(
    server: Server, source: HttpSource, feed_at: FeedAt
) -> None:
    """An old server that marks the end by closing is believed where the document ends as one does."""
    server.answers["/feed"] = says(b"HTTP/1.0 200 OK\r\n\r\n" + RSS + b"\n<!-- made by hand -->\n")
    fetched = await source.fetch(feed_at(server.url()))
    assert isinstance(fetched, Fetched)
    assert fetched.complete


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + RSS,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n" + RSS,
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n" + RSS,
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n" + RSS,
        b"SMTP ready\r\n\r\n",
        b"\x00\x01\x02\x03" * 50 + b"\r\n\r\n",
    ],
)
async def test_N09_broken_framing_is_an_error(
    server: Server, source: HttpSource, feed_at: FeedAt, answer: bytes
) -> None:
    """Bad chunks, contradicting lengths and other protocols are PROTOCOL errors, and the connection is not used again."""
    server.answers["/feed"] = answer
    server.answers["/good"] = ok()
    error = await problem_of(source, feed_at(server.url()))
    assert error.problem is FetchProblem.PROTOCOL
    await source.fetch(feed_at(server.url("/good")))
    assert server.connections == 2


async def test_N09_bytes_beyond_the_length_do_not_reach_the_next_answer(
    server: Server, source: HttpSource, feed_at: FeedAt
) -> None:
    """A body longer than its Content-Length cannot smuggle an answer into the next request."""
    server.answers["/feed"] = ok(RSS) + ok(b"<rss><channel><title>smuggled</title></channel></rss>")
    server.answers["/good"] = ok(RSS.replace(b"Valley", b"Second"))
    await source.fetch(feed_at(server.url()))
    second = await source.fetch(feed_at(server.url("/good")))
    assert isinstance(second, Fetched)
    assert b"Second" in second.body


def bomb(coding: str, size: int) -> bytes:
    """Zeros, compressed piece by piece."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31 if coding == "gzip" else 15)
    piece = bytes(2**20)
    return b"".join(packer.compress(piece) for _ in range(size // 2**20)) + packer.flush()


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_N10_a_decompression_bomb_is_stopped_at_the_cap(
    server: Server, make_source: MakeSource, feed_at: FeedAt, coding: str
) -> None:
    """64 MiB in a small body stop at the cap of 4 MiB, and memory rises by little more."""
    server.answers["/feed"] = ok(bomb(coding, 64 * 2**20), f"Content-Encoding: {coding}")
    source = make_source(max_bytes=4 * 2**20)
    await problem_of(source, feed_at(server.url("/none")))
    tracemalloc.start()
    try:
        error = await problem_of(source, feed_at(server.url()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert error.problem is FetchProblem.TOO_LARGE
    assert peak < 12 * 2**20


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip, gzip", gzip.compress(gzip.compress(RSS, mtime=0), mtime=0)),
        ("gzip", gzip.compress(gzip.compress(RSS, mtime=0), mtime=0)),
        ("br", RSS),
        ("zstd", RSS),
        ("rot13", RSS),
        ("gzip", b"\x1f\x8bnot really" * 20),
        ("gzip", b"\x00\x01\x02" * 100),
        ("deflate", b"\xff\xfe\xfd" * 100),
    ],
)
async def test_N11_nested_unknown_and_broken_codings_are_refused(
    server: Server, source: HttpSource, feed_at: FeedAt, coding: str, body: bytes
) -> None:
    """More than one layer, a coding that was not offered, or broken data is BAD-ENCODING."""
    server.answers["/feed"] = ok(body, f"Content-Encoding: {coding}")
    assert (await problem_of(source, feed_at(server.url()))).problem is FetchProblem.ENCODING


async def test_N12_a_huge_plain_body_stops_at_the_cap(server: Server, make_source: MakeSource, feed_at: FeedAt) -> None:
    """An endless identity body is left as soon as the cap is passed."""
    server.answers["/feed"] = says(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"x" * 65_536, repeat=True)
    error = await problem_of(make_source(max_bytes=2**20), feed_at(server.url()))
    assert error.problem is FetchProblem.TOO_LARGE


async def test_N13_tls_faults_are_refused_unless_the_operator_names_the_host(
    make_source: MakeSource, feed_at: FeedAt
) -> None:
    """A self-signed certificate is a TLS error; for a host in ``unverified_hosts`` it is accepted."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATES / "selfsigned.pem")
    async with serving(ssl=context) as server:
        server.answers["/feed"] = ok()
        url = server.url().replace("http:", "https:")
        error = await problem_of(make_source(), feed_at(url))
        assert (error.problem, "certificate" in error.detail) == (FetchProblem.TLS, True)
        assert isinstance(await make_source(unverified_hosts=["127.0.0.1"]).fetch(feed_at(url)), Fetched)
        assert (await problem_of(make_source(unverified_hosts=["a.example"]), feed_at(url))).problem is FetchProblem.TLS


async def test_N13_no_tls_where_tls_is_expected_is_named(source: HttpSource, feed_at: FeedAt) -> None:
    """A server that speaks plain HTTP on an https address is a TLS error."""

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as listener:
        error = await problem_of(source, feed_at(f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}/"))
    assert error.problem is FetchProblem.TLS


@pytest.mark.parametrize("hops", [2, 11])
async def test_N14_redirect_loops_end_after_ten_hops(
    server: Server, source: HttpSource, feed_at: FeedAt, hops: int
) -> None:
    """A loop and a chain of more than ten are both given up, after at most eleven requests."""
    for n in range(hops + 1):
        server.answers[f"/{n}"] = ok(b"", f"Location: /{(n + 1) if hops > 2 else (n + 1) % 3}", status="302 Found")
    error = await problem_of(source, feed_at(server.url("/0")))
    assert error.problem is FetchProblem.REDIRECTS
    assert len(server.heads) == 11


async def test_N14_ten_hops_are_followed(server: Server, source: HttpSource, feed_at: FeedAt) -> None:
    """Ten redirects are still a feed."""
    for n in range(10):
        server.answers[f"/{n}"] = ok(b"", f"Location: /{n + 1}" if n < 9 else "Location: /feed", status="302 Found")
    assert isinstance(await source.fetch(feed_at(server.url("/0"))), Fetched)


@pytest.mark.parametrize("location", ["", "http://", "https://[::1", "http://a b/", "mailto:a@b.example", "//"])
async def test_N14_redirects_to_nowhere_are_errors(
    server: Server, source: HttpSource, feed_at: FeedAt, location: str
) -> None:
    """A redirect without a usable address is named and not followed."""
    server.answers["/feed"] = ok(b"", f"Location: {location}", status="302 Found")
    error = await problem_of(source, feed_at(server.url()))
    assert error.problem in (FetchProblem.REDIRECTS, FetchProblem.FORBIDDEN_ADDRESS)
    assert len(server.heads) == 1


async def test_N18_a_304_to_an_unconditional_request_is_an_error(
    server: Server, source: HttpSource, feed_at: FeedAt
) -> None:
    """ "Nothing new" without a question is not taken for an answer."""
    server.answers["/feed"] = b"HTTP/1.1 304 Not Modified\r\n\r\n"
    error = await problem_of(source, feed_at(server.url()))
    assert (error.problem, error.status) == (FetchProblem.EMPTY, 304)


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("Sat, 14 Mar 2026 09:36:53 GMT", 600),
        ("315360000", 86_400),
        ("Sat, 14 Mar 2036 09:36:53 GMT", 86_400),
        ("0", 0),
    ],
)
async def test_N21_retry_after_is_kept_in_all_its_forms(
    server: Server, source: HttpSource, feed_at: FeedAt, status: str, value: str, seconds: float
) -> None:
    """Seconds and dates count on 429 and 503 alike, at most 24 hours, and the whole host is to rest."""
    server.answers["/feed"] = ok(b"", f"Retry-After: {value}", status=status)
    error = await problem_of(source, feed_at(server.url()))
    assert (error.problem, error.retry_after_s, error.host_wide) == (FetchProblem.RATE_LIMITED, seconds, True)


@pytest.mark.parametrize("value", ["soon", "-1", "1e9", "", "Sat, 14 Mar 2020 09:36:53 GMT", "99 bottles"])
async def test_N21_junk_in_retry_after_is_ignored(
    server: Server, source: HttpSource, feed_at: FeedAt, value: str
) -> None:
    """What is neither seconds nor a date to come leaves the wait to the back-off."""
    server.answers["/feed"] = ok(b"", f"Retry-After: {value}", status="429 Too Many Requests")
    error = await problem_of(source, feed_at(server.url()))
    assert (error.problem, error.retry_after_s) == (FetchProblem.RATE_LIMITED, None)


async def test_N21_feeds_that_wait_for_a_host_are_not_asked_once_it_wants_rest(
    make_source: MakeSource, feed_at: FeedAt
) -> None:
    """Of thirty feeds of a host that answers 429 at most the two in flight reach it; another host is asked as ever."""
    asked: list[str] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        await asyncio.sleep(0.01)
        limited = request.url.host == "busy.example"
        return httpx.Response(429 if limited else 200, content=RSS, headers={"Retry-After": "30"} if limited else {})

    source = make_source(transport=httpx.MockTransport(answer), spacing_s=0.1)
    began = time.monotonic()
    errors = await asyncio.gather(*(problem_of(source, feed_at(f"http://busy.example/{n}")) for n in range(30)))
    assert time.monotonic() - began < 2
    assert 1 <= len(asked) <= 2
    assert all(error.problem is FetchProblem.RATE_LIMITED and error.host_wide for error in errors)
    assert all(25 < (error.retry_after_s or 0) <= 30 for error in errors)
    assert isinstance(await source.fetch(feed_at("http://calm.example/")), Fetched)


async def test_N30_a_site_rests_once_two_of_its_hosts_want_rest(make_source: MakeSource, feed_at: FeedAt) -> None:
    """After 429 from two subdomains a third one is not asked; after one alone it is."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(429, headers={"Retry-After": "30"})

    source = make_source(transport=httpx.MockTransport(answer), spacing_s=0.0)
    for name in ("a", "b", "c"):
        await problem_of(source, feed_at(f"http://{name}.blogspot.com/feed"))
    assert asked == ["a.blogspot.com", "b.blogspot.com"]


@pytest.mark.parametrize(
    ("status", "problem"),
    [
        (401, FetchProblem.FORBIDDEN),
        (403, FetchProblem.FORBIDDEN),
        (404, FetchProblem.NOT_FOUND),
        (410, FetchProblem.GONE),
        (418, FetchProblem.STATUS),
        (500, FetchProblem.SERVER),
        (502, FetchProblem.SERVER),
        (503, FetchProblem.SERVER),
        (599, FetchProblem.SERVER),
        (300, FetchProblem.STATUS),
    ],
)
async def test_N22_each_class_of_status_has_its_name(
    server: Server, source: HttpSource, feed_at: FeedAt, status: int, problem: FetchProblem
) -> None:
    """Gone, missing, forbidden and failing are told apart, and carry their status."""
    server.answers["/feed"] = ok(b"<html><body>no</body></html>", status=f"{status} X")
    error = await problem_of(source, feed_at(server.url()))
    assert (error.problem, error.status, error.host_wide) == (problem, status, False)


@pytest.mark.parametrize("coding", ["br", "gzip, gzip", "gzip"])
async def test_N22_a_status_counts_even_where_its_page_cannot_be_read(
    server: Server, source: HttpSource, feed_at: FeedAt, coding: str
) -> None:
    """410 with a page in an unknown or broken coding is still 410."""
    server.answers["/feed"] = ok(b"\x1f\x8bxx", f"Content-Encoding: {coding}", status="410 Gone")
    assert (await problem_of(source, feed_at(server.url()))).problem is FetchProblem.GONE


async def test_N22_an_errors_endless_page_does_not_hide_its_status(
    server: Server, make_source: MakeSource, feed_at: FeedAt
) -> None:
    """A 404 whose page never ends is a 404 after a moment."""
    server.answers["/feed"] = says(
        b"HTTP/1.1 404 No\r\nConnection: close\r\n\r\n", b"x" * 100, pause_s=0.02, repeat=True
    )
    error = await problem_of(make_source(stall_s=0.2), feed_at(server.url()))
    assert error.problem is FetchProblem.NOT_FOUND


CHALLENGES = (
    b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>",
    b"<html><head><title>Attention Required! | Cloudflare</title></head></html>",
    b'<html><body><form><div class="g-recaptcha"></div>Are you a robot?</form></body></html>',
    b'<html><head><script src="/_Incapsula_Resource?x=1"></script></head></html>',
)


@pytest.mark.parametrize("page", CHALLENGES)
@pytest.mark.parametrize("status", ["200 OK", "403 Forbidden", "503 Unavailable"])
async def test_N23_a_challenge_page_is_named(
    server: Server, source: HttpSource, feed_at: FeedAt, page: bytes, status: str
) -> None:
    """A page that wants proof of a person is BLOCKED, whatever its status, and never a feed."""
    server.answers["/feed"] = ok(page, "Content-Type: text/html", status=status)
    assert (await problem_of(source, feed_at(server.url()))).problem is FetchProblem.BLOCKED


async def test_N23_news_about_challenges_is_not_one(server: Server, source: HttpSource, feed_at: FeedAt) -> None:
    """A feed whose item mentions a captcha, or holds its page as text, is a feed."""
    server.answers["/feed"] = ok(
        RSS.replace(b"Two wounded.", b"captcha &lt;html&gt; just a moment... <![CDATA[<html>]]>")
    )
    assert isinstance(await source.fetch(feed_at(server.url())), Fetched)


@pytest.mark.parametrize(
    "answer",
    [
        ok(b""),
        ok(b"  \r\n\t "),
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
        ok(RSS, "Content-Range: bytes 0-9/10", status="206 Partial Content"),
        ok(gzip.compress(b"", mtime=0), "Content-Encoding: gzip"),
    ],
)
async def test_N24_odd_successes_are_errors(server: Server, source: HttpSource, feed_at: FeedAt, answer: bytes) -> None:
    """An empty 200, 204, 205 and 206 are not "no items"."""
    server.answers["/feed"] = answer
    assert (await problem_of(source, feed_at(server.url()))).problem is FetchProblem.EMPTY


async def test_N26_a_dead_first_address_is_passed_by(server: Server, make_source: MakeSource, feed_at: FeedAt) -> None:
    """Where a name has several addresses and the first does not answer, another does within the deadline."""

    async def lookup(host: str, port: int) -> Sequence[str]:
        return ["::1", "127.0.0.99", "127.0.0.1"]

    source = make_source(resolver=lookup, allow_networks=["127.0.0.0/8", "::1"])
    assert isinstance(await source.fetch(feed_at(server.url(host="dual.example"))), Fetched)


async def test_N28_a_dead_proxy_is_an_error_and_never_gone_around(
    server: Server, make_source: MakeSource, feed_at: FeedAt
) -> None:
    """With a proxy that is down nothing is asked directly; the message tells no password of it."""
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        port = unheard.getsockname()[1]
        source = make_source(proxy=f"http://me:s3cret@127.0.0.1:{port}")
        error = await problem_of(source, feed_at(server.url()))
    assert error.problem is FetchProblem.REFUSED
    assert "proxy" in error.detail
    assert "s3cret" not in str(error)
    assert server.connections == 0


async def test_N28_a_working_proxy_is_used_for_everything(
    server: Server, make_source: MakeSource, feed_at: FeedAt
) -> None:
    """Through a proxy names are left to it, and its own address needs no permission."""
    server.answers["http://feeds.example/a"] = ok()
    source = make_source(proxy=f"http://me:s3cret@127.0.0.1:{server.port}", allow_networks=())
    assert isinstance(await source.fetch(feed_at("http://feeds.example/a")), Fetched)
    assert server.header("Proxy-Authorization") == "Basic bWU6czNjcmV0"
    for local in ("http://localhost/", "http://127.1/", "http://printer/", "http://db.internal/", "http://[::1]/"):
        assert (await problem_of(source, feed_at(local))).problem is FetchProblem.FORBIDDEN_ADDRESS
    assert len(server.heads) == 1


async def test_N28_proxies_of_the_environment_are_not_used(
    server: Server, source: HttpSource, feed_at: FeedAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the settings name a proxy."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert isinstance(await source.fetch(feed_at(server.url())), Fetched)
