"""Content codings, however they are cut into chunks."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.feeds.inflate import BadEncoding, TooLarge, inflater

BODY = st.binary(max_size=2000).map(lambda data: b"<rss>" + data)


async def undo(coding: str, data: bytes, cuts: list[int], limit: int = 10**6) -> tuple[bytes, bool]:
    inflate = inflater(coding, limit)
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, end in itertools.pairwise(edges):
        await inflate.feed(data[start:end])
    return inflate.finish(), inflate.ended


@settings(max_examples=200)
@given(
    BODY,
    st.sampled_from(["gzip", "deflate", "raw", "two members", "padded", "plain"]),
    st.lists(st.integers(0, 5000), max_size=6),
)
def test_any_cut_gives_the_body(body: bytes, kind: str, cuts: list[int]) -> None:
    """gzip, its members and padding, both deflates and plain bytes come out whole, wherever the chunks are cut."""
    coding, data = {
        "gzip": ("gzip", gzip.compress(body)),
        "deflate": ("deflate", zlib.compress(body)),
        "raw": ("deflate", zlib.compress(body, wbits=-15)),
        "two members": ("gzip", gzip.compress(body[:7]) + gzip.compress(body[7:])),
        "padded": ("x-gzip", gzip.compress(body) + b"\0" * 9),
        "plain": ("", body),
    }[kind]
    assert asyncio.run(undo(coding, data, cuts)) == (body, True)


@given(BODY, st.integers(1, 20), st.lists(st.integers(0, 5000), max_size=3))
def test_a_missing_end_is_noticed(body: bytes, missing: int, cuts: list[int]) -> None:
    """A compressed body without its last bytes gives what came before, and says that it did not end."""
    data = gzip.compress(body)
    out, ended = asyncio.run(undo("gzip", data[: len(data) - missing], cuts))
    assert body.startswith(out)
    assert not ended


@given(BODY, st.integers(0, 200), st.sampled_from(["gzip", "deflate", ""]))
def test_the_cap_is_exact(body: bytes, room: int, coding: str) -> None:
    """A body of exactly the cap passes, one byte more does not."""
    data = {"gzip": gzip.compress(body), "deflate": zlib.compress(body), "": body}[coding]
    limit = max(0, len(body) - 100 + room)
    if len(body) <= limit:
        assert asyncio.run(undo(coding, data, [], limit)) == (body, True)
    else:
        with pytest.raises(TooLarge):
            asyncio.run(undo(coding, data, [], limit))


def test_a_large_body_is_undone_in_bounded_steps() -> None:
    """Output that fills several steps is not lost at their seams, nor where it waits after the last byte of input."""
    for size in (262_143, 262_144, 262_145, 262_166, 262_173, 262_244, 524_288, 3 * 262_144):
        body = b"<" + bytes(size - 1)
        assert asyncio.run(undo("gzip", gzip.compress(body), [])) == (body, True)
        assert asyncio.run(undo("deflate", zlib.compress(body, wbits=-15), [])) == (body, True)


@given(st.binary(max_size=300), st.sampled_from(["gzip", "deflate", "x-gzip"]))
def test_any_bytes_come_out_or_are_refused(data: bytes, coding: str) -> None:
    """Junk under a coding is an error with a name, or text that was never encoded."""
    try:
        asyncio.run(undo(coding, data, [3]))
    except BadEncoding:
        return


@pytest.mark.parametrize("coding", ["gzip, gzip", "gzip,deflate", "br", "GZIP , br", "x", "compress"])
def test_unknown_and_nested_codings_are_refused_before_a_byte_is_read(coding: str) -> None:
    """What was not offered is not guessed at."""
    with pytest.raises(BadEncoding):
        inflater(coding, 10)


def test_names_of_codings_are_read_as_http_says() -> None:
    """Case and blanks do not matter, identity is none."""
    for coding in ("GZip", " gzip ", "identity, gzip", "gzip, identity"):
        assert asyncio.run(undo(coding, gzip.compress(b"<a/>"), [])) == (b"<a/>", True)
