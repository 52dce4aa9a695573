"""Logs: one line an event, no secret, no foreign control character."""

from __future__ import annotations

import io
import json
import logging

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from bot.logs import Redactor, configure, one_line

TOKEN = "123456789:AAcanaryCanaryCanaryCanaryCanary12"
HOOK = "https://hooks.slack.com/services/T000/B000/canaryCanary"


@pytest.mark.parametrize("style", ["text", "json"])
def test_X22_secrets_never_reach_the_log(style: str) -> None:
    """A token or webhook is masked wherever it stands: event, value, traceback, or a library's own record."""
    stream = io.StringIO()
    configure("debug", style, Redactor([HOOK, "hunter2hunter2"]), stream)
    log = structlog.get_logger("tocsin")
    log.warning(f"sent to {HOOK}", url=f"https://api.telegram.org/bot{TOKEN}/sendMessage", passed=["hunter2hunter2"])
    try:
        raise ValueError(f"{TOKEN} {HOOK}")
    except ValueError:
        log.exception("failed")
    logging.getLogger("library").error("POST %s -> %s", f"https://api.telegram.org/bot{TOKEN}/getMe", HOOK)
    out = stream.getvalue()
    assert "ValueError" in out
    assert "getMe" in out
    for secret in (TOKEN.partition(":")[2], "canaryCanary", "hunter2"):
        assert secret not in out


@pytest.mark.parametrize("style", ["text", "json"])
def test_X15_a_title_cannot_forge_a_log_line(style: str) -> None:
    """Newlines, escapes and bidi controls from outside stay inside their line, made visible."""
    stream = io.StringIO()
    configure("info", style, stream=stream)
    structlog.get_logger("tocsin").info("item", title="a\n00:00 critical forged\x1b[31m\u202e\u2028x")
    out = stream.getvalue()
    assert out.count("\n") == 1
    assert "\x1b" not in out
    assert "\u202e" not in out
    if style == "json":
        assert json.loads(out)["event"] == "item"


@given(st.text())
def test_one_line_is_one_printable_line(text: str) -> None:
    """Whatever comes in, one line without control characters goes out, and it has an end."""
    out = one_line(text)
    assert len(out.splitlines()) <= 1
    assert len(out) <= 8000 + 1


def test_httpx_does_not_log_addresses() -> None:
    """httpx's INFO line with the full address is off."""
    configure("info")
    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)
