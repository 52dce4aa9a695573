"""One thread for linear algebra: news items are small, and several threads would wait for one another busily."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped,unused-ignore]


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def one_thread() -> AbstractContextManager[object]:
    """Within it NumPy's linear algebra runs on one thread; before and after as the process had it."""
    limit: AbstractContextManager[object] = _controller().limit(limits=1, user_api="blas")
    return limit
