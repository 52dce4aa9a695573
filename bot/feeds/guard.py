"""Which addresses may be connected to. Feeds are other people's input: none may steer us into a private network.

The rule holds in two places. :meth:`Guard.check_url` looks at a URL before anything happens (scheme, port, and every
literal spelling of an address); :meth:`Guard.check_ip` looks at the numeric address of each socket just before it
connects, so that a name which resolves to a private address, or resolves differently the second time, gains nothing.
"""

from __future__ import annotations

import base64
import re
import socket
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_GLOBAL_UNICAST = IPv6Network("2000::/3")
# Inside 2000::/3 and still not a host on the public internet (IANA's special-purpose registry).
_SPECIAL6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: leads to any IPv4 address
        "3fff::/20",  # documentation
    )
)
# The same registry for IPv4, written out: what Python's own tables say of it differs between its versions.
_SPECIAL4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by carriers
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, cloud metadata among it
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
_LOCAL_NAMES = ("localhost", "local", "internal", "localdomain", "lan", "home.arpa", "onion")
_MAX_URL = 2048
_HOST = re.compile(r"[\w.。．｡-]+|(?=[^%]*:)[0-9a-f:.]+(?:%[\w.-]+)?", re.IGNORECASE)


class Refused(ValueError):
    """The address must not be connected to."""


@dataclass(frozen=True, slots=True)
class Guard:
    """What is allowed: the public internet, and the networks that the operator lists."""

    allowed: tuple[Network, ...] = ()

    @classmethod
    def of(cls, networks: Iterable[str]) -> Guard:
        """From CIDR texts (``127.0.0.0/8``, ``fd00::/8``). Raises ``ValueError`` naming the text that is none."""
        return cls(tuple(ip_network(text.strip(), strict=False) for text in networks))

    def permits(self, address: Address) -> bool:
        """True for a public address, and for one in a listed network; embedded IPv4 addresses are judged too."""
        inner = _embedded(address)
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            return inner is not None and self.permits(inner)
        if self.lists(address):
            return inner is None or _public(inner) or self.lists(inner)
        return _public(address)

    def lists(self, address: Address) -> bool:
        """True where the address lies in a listed network."""
        return any(address in network for network in self.allowed if network.version == address.version)

    def check_ip(self, text: str) -> None:
        """Raise :class:`Refused` unless a socket may connect to this numeric address (a zone suffix is ignored)."""
        if not self.permits(ip_address(text.split("%", 1)[0])):
            raise Refused(f"the address {text} is not a public one")

    def check_url(self, url: str, *, by_name: bool = False) -> SplitResult:
        """Split a URL that may be asked for, or raise :class:`Refused`.

        With ``by_name`` (a proxy will resolve) names that are local by convention are refused as well, since the
        address that they lead to is never seen here.
        """
        parts = _split(url)
        literal = literal_address(parts.hostname or "")
        if literal is not None:
            self.check_ip(str(literal))
        elif by_name and is_local_name(parts.hostname or ""):
            raise Refused("the host is a local name")
        return parts

    def own(self, url: str) -> bool:
        """True for a literal host in a listed network: the operator's own machine, owed no etiquette."""
        host = (urlsplit(url).hostname or "").lower()
        literal = literal_address("127.0.0.1" if host == "localhost" else host)
        return literal is not None and self.lists(literal)


def literal_address(host: str) -> Address | None:
    """The address that a host spells in any form that a resolver would take as numeric, else ``None``.

    Covers dotted, octal, hexadecimal, short and 32-bit IPv4 (``0177.1``, ``0x7f000001``, ``127.1``, ``2130706433``),
    full-width digits and dots, and IPv6 with or without a zone.
    """
    plain = unicodedata.normalize("NFKC", host).replace("。", ".").strip("[]").rstrip(".")
    try:
        return ip_address(plain.split("%", 1)[0])
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(plain)) if plain and not any(map(str.isspace, plain)) else None
    except (OSError, UnicodeError):
        return None


def is_local_name(host: str) -> bool:
    """True for names that by convention never leave a network: ``localhost``, ``*.internal``, single labels."""
    plain = host.lower().rstrip(".")
    return "." not in plain or any(plain.endswith("." + name) for name in _LOCAL_NAMES)


def shown(url: str) -> str:
    """The URL as it may appear in messages: without user, password and fragment, bounded, in one line."""
    try:
        parts = urlsplit(url)
        netloc = parts.netloc.rpartition("@")[2]
        text = urlunsplit((parts.scheme, netloc, parts.path, parts.query, ""))
    except ValueError:
        text = url.rpartition("@")[2]
    text = "".join(c if c.isprintable() else "�" for c in text)
    return text if len(text) <= 300 else text[:299] + "…"


def credentials(url: str) -> str | None:
    """The Basic authorisation (RFC 7617) that a URL's user and password stand for."""
    parts = urlsplit(url)
    if not parts.username and not parts.password:
        return None
    pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def _split(url: str) -> SplitResult:
    if len(url) > _MAX_URL:
        raise Refused(f"the address is longer than {_MAX_URL} characters")
    if any(c.isspace() or not c.isprintable() for c in url):
        raise Refused("the address holds blanks or control characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Refused("the address cannot be read as a URL") from error
    if parts.scheme not in ("http", "https"):
        raise Refused(f"only http and https are fetched, not {parts.scheme[:20] or 'nothing'!r}")
    if not _HOST.fullmatch(parts.hostname or "") or "\\" in parts.netloc or port == 0:
        raise Refused("the address names no host")
    return parts


def _public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL4)
    return address in _GLOBAL_UNICAST and not any(address in network for network in _SPECIAL6)


def _embedded(address: Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for: mapped, NAT64 or 6to4."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
