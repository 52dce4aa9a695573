"""Every store there is, as one fixture: a contract test runs once for each."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from bot.ports import Store
from bot.store import open_store

Opener = Callable[[Path], Awaitable[Store]]

STORES: dict[str, Opener] = {"sqlite": open_store}
"""A new store joins the contract here."""


@pytest.fixture(scope="session")
def blank() -> Iterator[Path]:
    """A folder in memory, where there is one, with an empty database whose schema is current."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


@pytest.fixture
def folder(blank: Path) -> Iterator[Path]:
    """A fresh folder as quick as the machine has one: each commit is synced, and disks take their time."""
    with tempfile.TemporaryDirectory(dir=blank) as name:
        yield Path(name)


@pytest.fixture(params=list(STORES))
def opener(request: pytest.FixtureRequest) -> Opener:
    """How a store is opened."""
    return STORES[request.param]


@pytest.fixture
async def store(opener: Opener, blank: Path, folder: Path) -> AsyncIterator[Store]:
    """An open, empty store of each kind."""
    path = folder / "tocsin.db"
    template = blank / f"{opener.__name__}.db"
    if not template.exists():
        await (await opener(template)).close()
    shutil.copyfile(template, path)
    opened = await opener(path)
    yield opened
    await opened.close()
