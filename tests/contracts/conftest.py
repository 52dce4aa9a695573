"""Fixtures of the contract tests."""

from tests.contracts.stores import blank, folder, opener, store

__all__ = ["blank", "folder", "opener", "store"]
