"""What importing the room costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("httpx", "aiohttp", "lxml", "feedparser", "orjson", "publicsuffixlist")


@pytest.mark.parametrize("module", ["fetch", "pacing", "check", "parse", "guard"])
def test_heavy_libraries_are_loaded_on_first_use_only(module: str) -> None:
    """Importing a module of this room loads no HTTP client and no parser; a worker and a command pay for what they use."""
    code = f"import sys, bot.feeds.{module}; print([name for name in {HEAVY!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert result.stdout.strip() == "[]"
