"""Host names: registrable domains, and how a name is shown. The public suffix list is bundled and read on first use."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


@lru_cache(maxsize=2)
def _suffixes(*, platforms: bool) -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(only_icann=not platforms)


@lru_cache(maxsize=8192)
def registrable(host: str) -> str:
    """The publisher's registrable domain (``news.bbc.co.uk`` → ``bbc.co.uk``); the host itself where there is none.

    Names under shared platforms (``somebody.blogspot.com``) are publishers of their own, as the list's private part
    says. Internationalised names come and go as punycode, so a look-alike letter stays visible.
    """
    return _shortened(host, platforms=True)


@lru_cache(maxsize=8192)
def site(host: str) -> str:
    """The domain that one operator runs: like :func:`registrable`, with a platform's tenants counted as one.

    Its subdomains share one limit.
    """
    return _shortened(host, platforms=False)


def ascii_host(host: str) -> str:
    """Lower case and punycode, without a final dot; what cannot be encoded stays as it is."""
    name = host.lower().rstrip(".")
    if name.isascii():
        return name
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return name


def _shortened(host: str, *, platforms: bool) -> str:
    name = ascii_host(host)
    if ":" in name or name.rpartition(".")[2].isdigit():
        return name
    return str(_suffixes(platforms=platforms).privatesuffix(name) or name)
