"""Fixtures of the tests of the store."""

from tests.contracts.stores import blank, folder, opener, store

__all__ = ["blank", "folder", "opener", "store"]
