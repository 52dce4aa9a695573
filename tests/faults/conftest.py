"""The straight line with scripted feeds, shared with its own tests."""

from __future__ import annotations

from tests.bot.test_pipeline import assessor, line

__all__ = ["assessor", "line"]
