"""The memory of the daemon: :func:`open_store` gives a :class:`bot.ports.Store` on SQLite."""

from bot.store.copies import RESTORED_AT, restore
from bot.store.sqlite import SqliteStore, open_store
from bot.store.volume import DaemonLock

__all__ = ["RESTORED_AT", "DaemonLock", "SqliteStore", "open_store", "restore"]
