"""Content codings undone with a bound on what comes out: a few kilobytes may stand for gigabytes."""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import dataclass, field
from typing import Protocol

_STEP = 262_144
_GZIP_MAGIC = b"\x1f\x8b"
_MAX_MEMBERS = 1000


class TooLarge(ValueError):
    """More bytes than allowed."""


class BadEncoding(ValueError):
    """A content coding that is unknown, nested or broken."""


class Inflater(Protocol):
    """Takes a body's raw chunks."""

    @property
    def ended(self) -> bool:
        """False where the coding's own end was not seen."""

    async def feed(self, data: bytes) -> None:
        """Take a chunk. Raises :class:`TooLarge` or :class:`BadEncoding`."""

    def finish(self) -> bytes:
        """All that came out."""


def inflater(coding: str, limit: int) -> Inflater:
    """For a ``Content-Encoding`` value. Raises :class:`BadEncoding` for more than one layer and unknown names."""
    names = [name for name in (part.strip().lower() for part in coding.split(",")) if name not in ("", "identity")]
    if len(names) > 1:
        raise BadEncoding(f"the body is encoded {len(names)} times over")
    if not names:
        return _Plain(limit)
    if names[0] in ("gzip", "x-gzip", "deflate"):
        return _Zlib(limit, gzip=names[0] != "deflate")
    raise BadEncoding(f"unknown Content-Encoding {names[0][:20]!r}")


@dataclass(slots=True)
class _Plain:
    """No coding; but a file that is itself gzip (``feed.xml.gz`` served as it lies) is opened once."""

    limit: int
    parts: list[bytes] = field(default_factory=list)
    size: int = 0
    inner: _Zlib | None = None
    ended: bool = True

    async def feed(self, data: bytes) -> None:
        if not self.parts and self.inner is None and data.startswith(_GZIP_MAGIC):
            self.inner = _Zlib(self.limit, gzip=True)
        if self.inner is not None:
            await self.inner.feed(data)
            self.ended = self.inner.ended
            return
        self.size += len(data)
        if self.size > self.limit:
            raise TooLarge(f"the body is larger than {self.limit} bytes")
        self.parts.append(data)

    def finish(self) -> bytes:
        return self.inner.finish() if self.inner is not None else b"".join(self.parts)


@dataclass(slots=True)
class _Zlib:
    """One layer of gzip (several members allowed) or deflate (with or without zlib's frame)."""

    limit: int
    gzip: bool
    parts: list[bytes] = field(default_factory=list)
    size: int = 0
    members: int = 0
    started: bool = False
    plain: bool = False
    _stream: zlib._Decompress | None = None
    _head: bytes = b""

    @property
    def ended(self) -> bool:
        return self.plain or not self.started or (self._stream is not None and self._stream.eof)

    async def feed(self, data: bytes) -> None:
        data, self._head = self._head + data, b""
        if not self.started:
            self._open(data)
        if not self.started:
            return
        if self.plain:
            self._keep(data)
            return
        while data:
            data = self._inflate(data)
            if data:
                await asyncio.sleep(0)

    def finish(self) -> bytes:
        body = b"".join(self.parts) if self.started else self._head
        if self.started and body.startswith(_GZIP_MAGIC):
            raise BadEncoding("the body is encoded twice over")
        return body

    def _open(self, head: bytes) -> None:
        """Pick the format by the first two bytes; a body that is plainly text was never encoded."""
        if len(head) < 2:
            self._head = head
            return
        self.started = True
        if head.lstrip()[:1] in (b"<", b"{") or head.startswith(b"\xef\xbb\xbf"):
            self.plain = True
        elif self.gzip:
            self._stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
        else:
            framed = head[0] & 0x0F == 8 and int.from_bytes(head[:2], "big") % 31 == 0
            self._stream = zlib.decompressobj(zlib.MAX_WBITS if framed else -zlib.MAX_WBITS)

    def _inflate(self, data: bytes) -> bytes:
        """Undo some of it; returns what is left to do."""
        stream = self._stream
        if stream is None or stream.eof:
            return self._next_member(data)
        try:
            out = stream.decompress(data, _STEP)
            self._keep(out)
            while len(out) == _STEP and not stream.unconsumed_tail:  # output may wait where no input is left
                out = stream.decompress(b"", _STEP)
                self._keep(out)
        except zlib.error as error:
            raise BadEncoding("the compressed body is broken") from error
        return stream.unused_data if stream.eof else stream.unconsumed_tail

    def _next_member(self, data: bytes) -> bytes:
        """Another gzip member, or padding that is dropped."""
        if self.gzip and data == _GZIP_MAGIC[:1]:
            self._head = data
            return b""
        self.members += 1
        if not self.gzip or not data.startswith(_GZIP_MAGIC) or self.members > _MAX_MEMBERS:
            return b""
        self._stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
        return data

    def _keep(self, data: bytes) -> None:
        self.size += len(data)
        if self.size > self.limit:
            raise TooLarge(f"the body is larger than {self.limit} bytes once decompressed")
        if data:
            self.parts.append(data)
