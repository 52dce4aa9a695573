"""CPU work in killable processes: parsing bodies from strangers, and understanding texts.

Two kinds of process, so that a feed that hangs the parser cannot delay understanding. A task over its time is killed
with its process; the pool starts another, and only that task fails (:class:`bot.errors.WorkerError`).
"""

from __future__ import annotations

import asyncio
import math
import multiprocessing
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from bot.errors import ParseError, WorkerError
from bot.model import Fetched, ParsedFeed
from classifiers.assessment import Assessment, Text

if TYPE_CHECKING:
    from pebble import ProcessPool

    from classifiers import Assessor

ASSESS_CHUNK = 64
"""Texts a task: small enough that news does not wait behind history, large enough to pay for the round trip."""

PHRASES_ONLY = "no model, phrases only"
"""How the note begins that every assessment bears while no model can be used."""

P = ParamSpec("P")
R = TypeVar("R")


def _limit(memory: int) -> None:
    """Runs first in a worker: signals are the parent's business, and memory has an end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        import resource
    except ImportError:  # not a POSIX system: the time limit must do
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _parse(fetched: Fetched, max_items: int) -> ParsedFeed | tuple[str, str, bool]:
    """Runs in a worker. An exception of ours travels as plain values, since its constructor takes several."""
    from bot.feeds.parse import parse_feed

    try:
        return parse_feed(fetched, max_items=max_items)
    except ParseError as error:
        return error.url, error.detail, error.blocked


def _imported() -> None:
    """Runs in a worker: the parsers are loaded before the first body comes."""
    import bot.feeds.parse  # noqa: F401 - loading is the purpose


_assessors: dict[Path | None, Assessor] = {}
"""One a process, filled on first use inside the worker; the parent never touches it."""


def _assess(texts: Sequence[Text], model: Path | None) -> Sequence[Assessment]:
    """Runs in a worker."""
    if model not in _assessors:
        from classifiers import Assessor

        _assessors[model] = Assessor.load(model, fallback=True)
    found = _assessors[model].assess(texts)
    if all(map(_sound, found)):
        return found
    # A model that says no number says nothing: compared with a threshold that would read as "no signal".
    _assessors[model] = _by_phrases("the model returned what is no number")
    return _assessors[model].assess(texts)


def _sound(assessment: Assessment) -> bool:
    return math.isfinite(assessment.score) and all(map(math.isfinite, assessment.signals.values()))


def _by_phrases(why: str) -> Assessor:
    from classifiers import Assessor
    from classifiers.keywords import keyword_model

    return Assessor(keyword_model(), (f"{PHRASES_ONLY}: {why}",))


class WorkerPool:
    """:class:`bot.ports.Workers` over two pebble pools, started on first use.

    ``timeout_s`` bounds one task, ``memory`` (bytes) the address space of one process.
    """

    def __init__(
        self,
        processes: int = 1,
        timeout_s: float = 5.0,
        memory: int = 1024**3,
        model: Path | None = None,
        max_items: int = 2000,
    ) -> None:
        self._processes = processes
        self._timeout_s = timeout_s
        self._memory = memory
        self._model = model
        self._max_items = max_items
        self._pools: dict[str, ProcessPool] = {}

    def _pool(self, kind: str) -> ProcessPool:
        if kind not in self._pools:
            from pebble import ProcessPool

            workers = self._processes if kind == "parse" else 1
            self._pools[kind] = ProcessPool(
                max_workers=workers,
                initializer=_limit,
                initargs=(self._memory,),
                context=multiprocessing.get_context("spawn"),
            )
        return self._pools[kind]

    async def _run(self, kind: str, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        from pebble import ProcessExpired

        future: Future[R] = self._pool(kind).schedule(function, args=args, kwargs=kwargs, timeout=self._timeout_s)
        try:
            return await asyncio.wrap_future(future)
        except TimeoutError:
            raise WorkerError(f"took longer than {self._timeout_s:g} s and was stopped") from None
        except (ProcessExpired, MemoryError, RecursionError, CancelledError) as error:
            raise WorkerError(f"ended its worker process ({type(error).__name__})") from None
        except (RuntimeError, ValueError, TypeError, LookupError, ArithmeticError, OSError, AssertionError) as error:
            # A bug in a parser or in the classifier must cost one task, not the daemon; it is recorded with the feed.
            raise WorkerError(f"failed in its worker: {type(error).__name__}: {error}"[:300]) from error

    async def warm(self) -> None:
        """Start both kinds of process and load the model, so that the first news does not wait for it."""
        await asyncio.gather(self._run("assess", _assess, [Text("")], self._model), self._run("parse", _imported))

    async def parse(self, fetched: Fetched) -> ParsedFeed:
        """Read a body in a worker."""
        result = await self._run("parse", _parse, fetched, self._max_items)
        if isinstance(result, tuple):
            url, detail, blocked = result
            raise ParseError(url, detail, blocked=blocked)
        return result

    async def assess(self, texts: Sequence[Text]) -> Sequence[Assessment]:
        """Understand texts in a worker, a chunk at a time so that callers share it fairly."""
        out: list[Assessment] = []
        for start in range(0, len(texts), ASSESS_CHUNK):
            out += await self._run("assess", _assess, list(texts[start : start + ASSESS_CHUNK]), self._model)
        return out

    async def close(self) -> None:
        """End the processes at once: what they were doing will be done again."""
        pools, self._pools = list(self._pools.values()), {}
        for pool in pools:
            pool.stop()  # type: ignore[no-untyped-call]
        for pool in pools:
            await asyncio.to_thread(pool.join, 5)
