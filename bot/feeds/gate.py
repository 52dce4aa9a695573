"""Etiquette towards hosts: few connections at a time, a pause between them, and rest for a host that asked for it.

Waiting here holds no connection, so a host with hundreds of feeds delays nobody else's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.feeds.names import site

_FORGET_OVER = 2048


@dataclass(slots=True)
class _Lane:
    slots: asyncio.Semaphore
    turn: asyncio.Lock
    users: int = 0
    next_start: float = 0.0


@dataclass(slots=True)
class HostGate:
    """Slots by host: ``per_host`` connections at once, ``spacing_s`` seconds between two starts."""

    per_host: int = 2
    spacing_s: float = 1.0
    connections: int = 64
    _lanes: dict[str, _Lane] = field(default_factory=dict)
    _hosts: dict[str, float] = field(default_factory=dict)
    _sites: dict[str, float] = field(default_factory=dict)
    """Until when hosts and sites rest, by the loop's clock. The suffix list is read only once it is needed."""
    _open: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._open = asyncio.Semaphore(self.connections)

    @asynccontextmanager
    async def slot(self, host: str, *, spaced: bool = True) -> AsyncIterator[None]:
        """Hold one of the host's connections; ``spaced=False`` for the operator's own machines.

        At a host that rests nobody waits for a turn: the caller is to ask :meth:`rests_for` and leave.
        """
        lane = self._lane(host)
        lane.users += 1
        try:
            async with lane.slots:
                if spaced and not self.rests_for(host):
                    await self._turn(lane)
                async with self._open:
                    yield
        finally:
            lane.users -= 1

    def rest(self, host: str, seconds: float) -> None:
        """Ask nothing of this host for a while; nor of its siblings once two hosts of one site want rest."""
        now = asyncio.get_running_loop().time()
        until = now + seconds
        self._hosts = {name: end for name, end in self._hosts.items() if end > now}
        self._sites = {name: end for name, end in self._sites.items() if end > now}
        others = [name for name in self._hosts if name != host]
        if others and any(site(name) == site(host) for name in others):
            self._sites[site(host)] = until
        self._hosts[host] = max(until, self._hosts.get(host, 0.0))

    def rests_for(self, host: str) -> float:
        """Seconds that this host still rests; 0 where it may be asked."""
        until = self._hosts.get(host, 0.0)
        if self._sites:
            until = max(until, self._sites.get(site(host), 0.0))
        return max(0.0, until - asyncio.get_running_loop().time())

    def _lane(self, host: str) -> _Lane:
        if len(self._lanes) > _FORGET_OVER:
            now = asyncio.get_running_loop().time()
            self._lanes = {name: lane for name, lane in self._lanes.items() if lane.users or lane.next_start > now}
        return self._lanes.setdefault(host, _Lane(asyncio.Semaphore(self.per_host), asyncio.Lock()))

    async def _turn(self, lane: _Lane) -> None:
        """Wait until the host's last start is ``spacing_s`` ago; the lock keeps two from starting in one pause."""
        loop = asyncio.get_running_loop()
        async with lane.turn:
            if lane.next_start > loop.time():
                await asyncio.sleep(lane.next_start - loop.time())
            lane.next_start = loop.time() + self.spacing_s
