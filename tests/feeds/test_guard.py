"""The address guard: nothing private is ever connected to, in whatever spelling and on whatever path."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import FetchError, FetchProblem
from bot.feeds.guard import Guard, Refused, credentials, is_local_name, literal_address, shown
from bot.model import Feed, Fetched
from tests.feeds.conftest import MakeSource, ok, serving

PRIVATE4 = (
    "127.0.0.1", "127.8.9.10", "10.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "0.0.0.0", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "192.88.99.1",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
)  # fmt: skip
PRIVATE6 = (
    "::1", "::", "fe80::1", "fe80::1%25eth0", "febf::1", "fc00::1", "fd00::1", "fdff:ffff::1", "fec0::1", "ff02::1", "ff05::2",
    "100::1", "2001:db8::1", "2001::1", "2001:0:7f00:1::", "2001:20::1", "3fff::1", "5f00::1", "2002:7f00:1::",
    "2002:a00:1::1", "64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "64:ff9b:1::1", "::127.0.0.1", "::ffff:0:127.0.0.1", "4000::1", "1::1",
)  # fmt: skip


def spellings(text: str) -> Iterator[str]:
    """Every way to write an IPv4 address as a host that some resolver or library accepts."""
    parts = [int(part) for part in text.split(".")]
    number = int(IPv4Address(text))
    yield text
    yield text + "."
    yield str(number)
    yield hex(number)
    yield hex(number).upper().replace("X", "x")
    yield "0" + oct(number)[2:]
    yield ".".join(map(hex, parts))
    yield ".".join("0" + oct(part)[2:] for part in parts)
    yield ".".join(f"{part:04o}" for part in parts)
    yield f"{parts[0]}.{number & 0xFFFFFF}"
    yield f"{parts[0]}.{parts[1]}.{number & 0xFFFF}"
    yield f"{hex(parts[0])}.{number & 0xFFFFFF}"
    yield "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in text)
    yield text.replace(".", "。")
    yield text.replace(".", "｡")
    yield text.replace("1", "①", 1) if text[0] == "1" else text.replace(".", "．")
    yield f"[::ffff:{text}]"
    yield f"[::ffff:{number >> 16:x}:{number & 0xFFFF:x}]"
    yield f"[0:0:0:0:0:ffff:{text}]"
    yield f"[64:ff9b::{text}]"
    yield f"[2002:{number >> 16:x}:{number & 0xFFFF:x}::]"
    yield f"[::{text}]"
    yield f"public.example@{text}"
    yield f"%31@{text}"
    yield text.replace(text[0], f"%{ord(text[0]):02x}", 1)
    yield f"{text}%00.public.example"


HOSTS = [spelling for address in PRIVATE4 for spelling in spellings(address)] + [f"[{address}]" for address in PRIVATE6]


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Addresses that any socket of this process tried to connect to; none gets out but to the tests' stepping stone."""
    tried: list[object] = []
    real = socket.socket.connect

    def connect(self: socket.socket, address: tuple[str, int]) -> None:
        if address[0] != "127.0.0.2":
            tried.append(address)
            raise ConnectionRefusedError("kept inside by the test")
        real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    return tried


async def refused(source: object, feed: Feed) -> FetchProblem:
    with pytest.raises(FetchError) as failed:
        await source.fetch(feed)  # type: ignore[attr-defined]
    return failed.value.problem


def test_there_are_enough_forms_to_mean_something() -> None:
    """At least two hundred spellings are tried on each path."""
    assert len(set(HOSTS)) >= 400


async def test_X01_X02_no_spelling_of_a_private_address_is_connected_to(
    make_source: MakeSource, feed_at: Callable[..., Feed], connections: list[object]
) -> None:
    """Hundreds of spellings as a feed's own address: no socket is ever connected."""
    source = make_source(allow_networks=["127.0.0.2/32"], spacing_s=0.0)
    for host in HOSTS:
        problem = await refused(source, feed_at(f"http://{host}:8480/latest"))
        assert problem in (FetchProblem.FORBIDDEN_ADDRESS, FetchProblem.RESOLVE), host
    assert connections == []


async def test_X05_no_redirect_leads_to_a_private_address(
    make_source: MakeSource, feed_at: Callable[..., Feed], connections: list[object]
) -> None:
    """The same spellings as the target of a redirect, in any position of the chain: no socket is ever connected."""
    source = make_source(allow_networks=["127.0.0.2/32"], spacing_s=0.0)
    async with serving("127.0.0.2") as server:
        for host in HOSTS:
            server.answers["/feed"] = (
                f"HTTP/1.1 302 Found\r\nLocation: http://{host}:8480/x\r\nContent-Length: 0\r\n\r\n".encode()
            )
            problem = await refused(source, feed_at(server.url(host="127.0.0.2")))
            assert problem in (FetchProblem.FORBIDDEN_ADDRESS, FetchProblem.RESOLVE, FetchProblem.REDIRECTS), host
    assert connections == []
    assert len(server.heads) == len(HOSTS)


@pytest.mark.parametrize(
    "target",
    ["file:///etc/passwd", "gopher://a.example/", "ftp://a.example/x", "unix:///run/x.sock", "data:text/xml,<rss/>"],
)
async def test_X05_no_redirect_leads_out_of_http(
    make_source: MakeSource, feed_at: Callable[..., Feed], target: str
) -> None:
    """Other schemes are refused, as an address and as a redirect."""
    source = make_source(allow_networks=["127.0.0.2/32"], spacing_s=0.0)
    assert await refused(source, feed_at(target)) is FetchProblem.FORBIDDEN_ADDRESS
    async with serving("127.0.0.2") as server:
        server.answers["/feed"] = ok(b"", f"Location: {target}", status="302 Found")
        assert await refused(source, feed_at(server.url(host="127.0.0.2"))) is FetchProblem.FORBIDDEN_ADDRESS


async def test_X04_a_public_name_with_a_private_address_is_refused(
    make_source: MakeSource, feed_at: Callable[..., Feed], connections: list[object]
) -> None:
    """Whatever private address a name resolves to, the socket is not connected."""
    answers: list[str] = []

    async def lookup(host: str, port: int) -> Sequence[str]:
        return answers

    source = make_source(allow_networks=(), resolver=lookup, spacing_s=0.0)
    for number, address in enumerate((*PRIVATE4, *PRIVATE6)):
        answers[:] = [address.replace("%25", "%")]
        problem = await refused(source, feed_at(f"http://n{number}.rebind.example/"))
        assert problem in (FetchProblem.FORBIDDEN_ADDRESS, FetchProblem.REFUSED), address
    assert connections == []


async def test_X04_the_address_that_was_checked_is_the_one_connected_to(
    make_source: MakeSource, feed_at: Callable[..., Feed], connections: list[object]
) -> None:
    """A name that turns private at its second look-up gains nothing: each connection checks its own address."""
    seen: list[str] = []

    async def lookup(host: str, port: int) -> Sequence[str]:
        seen.append(host)
        return ["127.0.0.2"] if len(seen) == 1 else ["127.0.0.1"]

    source = make_source(allow_networks=["127.0.0.2/32"], resolver=lookup, spacing_s=0.0)
    async with serving("127.0.0.2") as server:
        server.answers["/feed"] = ok()
        url = server.url(host="rebind.example")
        assert isinstance(await source.fetch(feed_at(url)), Fetched)
        await source.close()
        assert await refused(source, feed_at(url)) is FetchProblem.FORBIDDEN_ADDRESS
    assert seen == ["rebind.example"] * 2
    assert connections == []


async def test_X04_of_mixed_addresses_only_the_permitted_one_is_used(
    make_source: MakeSource, feed_at: Callable[..., Feed], connections: list[object]
) -> None:
    """A name with a private and a permitted address is fetched from the permitted one alone."""

    async def lookup(host: str, port: int) -> Sequence[str]:
        return ["10.0.0.1", "::1", "127.0.0.1", "127.0.0.2"]

    source = make_source(allow_networks=["127.0.0.2/32"], resolver=lookup)
    async with serving("127.0.0.2") as server:
        server.answers["/feed"] = ok()
        assert isinstance(await source.fetch(feed_at(server.url(host="mixed.example"))), Fetched)
    assert connections == []


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_only_global_addresses_are_permitted(address: IPv4Address | IPv6Address) -> None:
    """An address that Python's registry does not call global is never permitted without being listed."""
    if Guard().permits(address):
        assert address.is_global
        assert not address.is_multicast


@pytest.mark.parametrize("text", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::1", "::ffff:1.1.1.1"])
def test_public_addresses_are_permitted(text: str) -> None:
    """The guard lets the world through."""
    Guard().check_ip(text)


@given(st.ip_addresses(network="10.0.0.0/8"))
def test_listed_networks_are_permitted_in_every_spelling(address: IPv4Address) -> None:
    """What the operator lists is open, in all spellings that are judged as the same address, and nothing else is."""
    guard = Guard.of(["10.0.0.0/8"])
    assert guard.permits(address)
    assert guard.permits(ip_address(f"::ffff:{address}"))
    assert not guard.permits(ip_address(f"64:ff9b::{address}"))
    assert not guard.permits(ip_address("192.168.0.1"))


def test_a_listed_translation_range_still_judges_what_it_translates_to() -> None:
    """With NAT64 listed, public addresses pass through it, private ones do not."""
    guard = Guard.of(["64:ff9b::/96"])
    assert guard.permits(ip_address("64:ff9b::1.1.1.1"))
    assert not guard.permits(ip_address("64:ff9b::127.0.0.1"))


@given(st.ip_addresses(v=4))
def test_every_spelling_is_read_as_the_address_it_means(address: IPv4Address) -> None:
    """Numeric spellings are recognised, whatever their base, length and script."""
    for spelling in list(spellings(str(address)))[:15]:
        assert literal_address(spelling) == address


@pytest.mark.parametrize("host", ["a.example", "127.0.0.1.example", "", "1.2.3.4.5", "0x", "12 34", "café.example"])
def test_names_are_not_read_as_addresses(host: str) -> None:
    """What no resolver takes for numeric is a name."""
    assert literal_address(host) is None


@given(st.text(max_size=80))
def test_check_url_refuses_or_returns_a_host(url: str) -> None:
    """Any text is either split into an http(s) address with a host, or refused."""
    try:
        parts = Guard().check_url(url)
    except Refused:
        return
    assert parts.scheme in ("http", "https")
    assert parts.hostname


def test_a_network_that_is_none_is_named() -> None:
    """A wrong CIDR in the settings is an error that says which."""
    with pytest.raises(ValueError, match="banana"):
        Guard.of(["127.0.0.0/8", "banana"])


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://me:pw@a.example:8443/x?q=1#f", "https://a.example:8443/x?q=1"),
        ("http://a.example/\n\x1b[31m", "http://a.example/"),
        ("http://me:pw@[::1/x", "[::1/x"),
    ],
)
def test_X22_addresses_in_messages_hold_no_password_and_no_control_character(url: str, text: str) -> None:
    """What is shown of a URL is safe to print anywhere."""
    result = shown(url)
    assert result.startswith(text)
    assert "pw" not in result
    assert result.isprintable()
    assert len(shown("http://a.example/" + "x" * 5000)) <= 300


def test_local_names_and_credentials() -> None:
    """Single labels and local suffixes are local; Basic credentials are decoded from the URL."""
    assert all(map(is_local_name, ("localhost", "printer", "a.local", "x.internal.", "LOCALHOST")))
    assert not is_local_name("local.example")
    assert credentials("http://a.example/") is None
    assert credentials("http://u%40x:p%3A@a.example/") == "Basic dUB4OnA6"
