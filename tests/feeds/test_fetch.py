"""The fetcher against servers that behave: conditions, codings, redirects, manners."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import zlib
from collections.abc import Callable

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import SteppedClock
from bot.errors import FetchError, FetchProblem
from bot.feeds.answers import digest
from bot.feeds.fetch import HttpSource
from bot.model import Feed, Fetched, NotModified
from tests.feeds.conftest import NOW, RSS, MakeSource, Server, ok, serving

FeedAt = Callable[..., Feed]


async def test_a_feed_is_fetched_with_an_honest_name_and_without_cookies(
    server: Server, source: HttpSource, feed_at: FeedAt
) -> None:
    """One GET says who asks and whom to write to; a cookie set by the first answer is not sent with the second."""
    server.answers["/feed"] = ok(RSS, "Set-Cookie: id=1; Path=/")
    for _ in range(2):
        fetched = await source.fetch(feed_at(server.url(host="localhost")))
    assert isinstance(fetched, Fetched)
    assert (fetched.body, fetched.complete, fetched.at) == (RSS, True, NOW)
    assert server.header("User-Agent") == "Tocsin-test/1 (+https://tests.example/contact)"
    assert server.header("Cookie") is None
    assert server.header("Referer") is None
    assert server.heads[0].startswith("GET /feed HTTP/1.1")
    assert len(server.heads) == 2


@pytest.mark.parametrize(
    ("coding", "encode"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body, wbits=-15)),
        ("identity", lambda body: body),
        ("gzip", lambda body: body),
        ("gzip", lambda body: gzip.compress(body[:50]) + gzip.compress(body[50:])),
        ("", gzip.compress),
    ],
)
async def test_every_offered_coding_is_undone(
    server: Server, source: HttpSource, feed_at: FeedAt, coding: str, encode: Callable[[bytes], bytes]
) -> None:
    """gzip and deflate in their dialects, a coding that is declared and not applied, and a bare .gz file all read alike."""
    server.answers["/feed"] = ok(encode(RSS), *([f"Content-Encoding: {coding}"] if coding else []))
    fetched = await source.fetch(feed_at(server.url()))
    assert isinstance(fetched, Fetched)
    assert (fetched.body, fetched.complete) == (RSS, True)
    assert server.header("Accept-Encoding") == "gzip, deflate"


@pytest.mark.parametrize("etag", ['"a-gzip"', 'W/"a b"', "unquoted", '"', '"é-ü"', 'W/"\'"'])
async def test_N19_validators_are_echoed_byte_for_byte(
    server: Server, source: HttpSource, feed_at: FeedAt, etag: str
) -> None:
    """ETag and Last-Modified go back exactly as they came, however odd, and a 304 then means nothing new."""
    server.answers["/feed"] = ok(RSS).replace(
        b"\r\n\r\n", f"\r\nETag: {etag}\r\nLast-Modified: yesterday, or so\r\n\r\n".encode(), 1
    )
    first = await source.fetch(feed_at(server.url()))
    assert isinstance(first, Fetched)
    assert (first.etag, first.last_modified) == (etag, "yesterday, or so")
    server.answers["/feed"] = b"HTTP/1.1 304 Not Modified\r\n\r\n"
    again = await source.fetch(feed_at(server.url(), etag=first.etag, last_modified=first.last_modified))
    assert isinstance(again, NotModified)
    assert server.header("If-None-Match") == etag
    assert server.header("If-Modified-Since") == "yesterday, or so"


async def test_N19_an_unchanged_body_is_nothing_new_and_brings_its_new_validators(
    server: Server, source: HttpSource, feed_at: FeedAt
) -> None:
    """A server that ignores conditions costs a transfer, but no parse; and the ETag it now names replaces the old one."""
    server.answers["/feed"] = ok(RSS, 'ETag: "2"')
    answer = await source.fetch(feed_at(server.url(), etag='"1"', body_hash=digest(RSS)))
    assert isinstance(answer, NotModified)
    assert answer.etag == '"2"'


@pytest.mark.parametrize("status", ["301 Moved Permanently", "308 Permanent Redirect"])
async def test_N16_only_permanent_redirects_name_a_new_address(
    server: Server, source: HttpSource, feed_at: FeedAt, status: str
) -> None:
    """A chain of nothing but 301 and 308 says where the feed has moved, and the final address is the base of links."""
    server.answers |= {
        "/old": ok(b"", "Location: /older", status=status),
        "/older": ok(b"", f"Location: {server.url('/feed')}", status="301 Moved"),
    }
    fetched = await source.fetch(feed_at(server.url("/old")))
    assert isinstance(fetched, Fetched)
    assert fetched.moved_to == fetched.url == server.url("/feed")


@pytest.mark.parametrize("status", ["302 Found", "303 See Other", "307 Temporary Redirect"])
async def test_N16_one_temporary_redirect_in_the_chain_moves_nothing(
    server: Server, source: HttpSource, feed_at: FeedAt, status: str
) -> None:
    """302, 303 and 307 anywhere in the chain leave the stored address alone."""
    server.answers |= {
        "/old": ok(b"", "Location: /older", status="301 Moved"),
        "/older": ok(b"", "Location: /feed", status=status),
    }
    fetched = await source.fetch(feed_at(server.url("/old")))
    assert isinstance(fetched, Fetched)
    assert (fetched.moved_to, fetched.url) == (None, server.url("/feed"))


async def test_redirect_targets_may_hold_blanks_and_letters_of_any_script(
    server: Server, source: HttpSource, feed_at: FeedAt
) -> None:
    """A Location that is not quite a URL is percent-encoded as browsers do."""
    server.answers |= {
        "/old": "HTTP/1.1 302 Found\r\nLocation: /новости и мир\r\nContent-Length: 0\r\n\r\n".encode(),
        "/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8%20%D0%B8%20%D0%BC%D0%B8%D1%80": ok(),
    }
    assert isinstance(await source.fetch(feed_at(server.url("/old"))), Fetched)


async def test_N17_a_password_goes_to_its_own_origin_only(server: Server, source: HttpSource, feed_at: FeedAt) -> None:
    """User and password of a feed's address are sent to that origin, never to where it redirects, and shown nowhere."""
    async with serving() as other:
        other.answers["/feed"] = ok()
        server.answers["/feed"] = ok(b"", f"Location: {other.url()}", status="301 Moved")
        fetched = await source.fetch(feed_at(server.url().replace("//", "//desk:s3cret@")))
        assert isinstance(fetched, Fetched)
        assert server.header("Authorization") == "Basic ZGVzazpzM2NyZXQ="
        assert other.header("Authorization") is None
        assert fetched.moved_to is None
        server.answers["/feed"] = ok(b"", status="404 Not Found")
        with pytest.raises(FetchError) as failed:
            await source.fetch(feed_at(server.url().replace("//", "//desk:s3cret@")))
    assert "s3cret" not in f"{failed.value} {failed.value.url} {fetched.url}"


async def test_N17_a_redirect_from_https_down_to_http_is_refused(make_source: MakeSource, feed_at: FeedAt) -> None:
    """The protection of https is never given up on a server's word."""
    plain = httpx.MockTransport(lambda _request: httpx.Response(301, headers={"Location": "http://feeds.example/x"}))
    source = make_source(transport=plain)
    with pytest.raises(FetchError) as failed:
        await source.fetch(feed_at("https://feeds.example/x"))
    assert failed.value.problem is FetchProblem.REDIRECTS
    assert "https" in failed.value.detail


async def test_N27_at_most_two_connections_a_host(server: Server, source: HttpSource, feed_at: FeedAt) -> None:
    """However many feeds a host has, two of them are asked at a time."""
    server.pause_s = 0.01
    await asyncio.gather(*(source.fetch(feed_at(server.url())) for _ in range(20)))
    assert server.most_busy == 2
    assert server.most_open <= 2
    assert len(server.heads) == 20


async def test_N27_starts_on_a_strangers_host_are_spaced_and_others_do_not_wait(
    make_source: MakeSource, feed_at: FeedAt
) -> None:
    """A public host is asked once a spacing; another host's feed overtakes the queue."""
    asked: list[tuple[str, float]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.host, asyncio.get_running_loop().time()))
        return httpx.Response(200, content=RSS)

    source = make_source(transport=httpx.MockTransport(answer), spacing_s=0.05)
    crowd = [feed_at(f"https://crowded.example/{n}") for n in range(4)]
    await asyncio.gather(*(source.fetch(feed) for feed in [*crowd, feed_at("https://alone.example/")]))
    crowded = [when for host, when in asked if host == "crowded.example"]
    assert all(later - earlier > 0.04 for earlier, later in itertools.pairwise(crowded))
    assert [host for host, _ in asked].index("alone.example") <= 1


async def test_N27_waiting_for_a_turn_is_not_part_of_the_deadline(make_source: MakeSource, feed_at: FeedAt) -> None:
    """Ten feeds of one slow host all arrive, although together they take longer than one deadline."""
    async with serving() as server:
        server.answers["/feed"] = ok()
        server.pause_s = 0.1
        source = make_source(deadline_s=0.7, per_host=1)
        fetched = await asyncio.gather(*(source.fetch(feed_at(server.url())) for _ in range(10)))
    assert all(isinstance(answer, Fetched) for answer in fetched)


async def test_N29_one_fetch_is_one_get(server: Server, source: HttpSource, feed_at: FeedAt) -> None:
    """Nothing is asked beside the feed itself: no robots.txt, no icon, no second try."""
    await source.fetch(feed_at(server.url()))
    assert len(server.heads) == 1


async def test_hints_of_the_answer_are_kept(server: Server, source: HttpSource, feed_at: FeedAt) -> None:
    """Cache-Control's max-age reaches the pace keeper."""
    server.answers["/feed"] = ok(RSS, "Cache-Control: public, max-age=900", "Age: 100")
    fetched = await source.fetch(feed_at(server.url()))
    assert fetched.hints.max_age_s == 800


async def test_a_fetcher_may_be_closed_twice_and_used_again(
    server: Server, source: HttpSource, feed_at: FeedAt
) -> None:
    """Closing releases connections; the next fetch opens new ones."""
    await source.fetch(feed_at(server.url()))
    await source.close()
    await source.close()
    await source.fetch(feed_at(server.url()))
    assert server.connections == 2


@given(st.text(max_size=60))
def test_no_address_makes_the_fetcher_raise_anything_but_fetch_error(text: str) -> None:
    """Whatever stands in a feed's address, and wherever it would lead, the only exception is FetchError."""

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"Location": "".join(c for c in text if c.isascii() and c.isprintable())})

    async def work() -> None:
        source = HttpSource("t", clock=SteppedClock(NOW), spacing_s=0.0, transport=httpx.MockTransport(answer))
        for url in (text, f"http://{text}", f"https://a.example/{text}"):
            with pytest.raises(FetchError):
                await source.fetch(_feed(url))

    asyncio.run(work())


def _feed(url: str) -> Feed:
    from bot.feeds.check import probe
    from bot.model import FeedSpec

    return probe(FeedSpec(url), NOW)
