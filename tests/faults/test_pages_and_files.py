"""What can be seen, exported and asked for from outside: pages, tables, filters."""

from __future__ import annotations

import ast
import time
from datetime import timedelta

import httpx
import pytest
import structlog

from bot.alerts.filters import Miss, glob, match, subject
from bot.health import Status
from bot.metrics import Metrics
from bot.model import Filter, Item
from bot.web import WebServer
from config.model import Settings
from tests.faults.parts import NOW, ROOT
from tests.store.builders import story

SCRIPT = "<script>alert(1)</script>"


async def status() -> Status:
    return Status(at=NOW, pid=1, started=NOW, ready=True, feeds=3, answered=2, failed=1, problems=(f"{SCRIPT}: 404",))


async def listening(host: str = "127.0.0.1") -> tuple[WebServer, str]:
    server = WebServer(f"{host}:0", status, Metrics().page)
    assert await server.start()
    assert server._runner is not None
    return server, f"http://127.0.0.1:{server._runner.addresses[0][1]}"


async def test_X12_pages_are_for_this_machine_and_change_nothing() -> None:
    """Unless told otherwise only this machine can ask; what can be asked is three pages to read, and nothing takes a word."""
    assert Settings().web.listen.startswith("127.0.0.1:")
    server, origin = await listening()
    async with httpx.AsyncClient(base_url=origin, trust_env=False) as client:
        for path in ("/healthz", "/readyz", "/metrics"):
            for method in ("POST", "PUT", "DELETE", "PATCH"):
                assert (await client.request(method, path, content=b"x")).status_code == 405
        for path in ("/", "/../etc/passwd", "/%2e%2e/etc/passwd", "/admin", "/static/x"):
            assert (await client.get(path)).status_code == 404
    await server.close()


async def test_X12_pages_that_others_can_reach_are_warned_of() -> None:
    """An operator who opens the pages to other machines is told that they have no password."""
    with structlog.testing.capture_logs() as said:
        for host in ("127.0.0.1", "0.0.0.0"):
            server, _ = await listening(host)
            await server.close()
    assert ["no password" in str(line["event"]) for line in said] == [True]


async def test_X14_strangers_words_on_a_page_are_data_and_never_script() -> None:
    """Titles, names and errors leave as JSON or plain text that no browser may sniff, frame or run."""
    server, origin = await listening()
    async with httpx.AsyncClient(base_url=origin, trust_env=False) as client:
        for path in ("/healthz", "/readyz", "/metrics"):
            answer = await client.get(path)
            assert answer.headers["Content-Type"].split(";")[0] in ("application/json", "text/plain")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert SCRIPT in (await client.get("/healthz")).json()["problems"][0]
        nowhere = await client.get(f"/{SCRIPT}")
        assert SCRIPT not in nowhere.text
    await server.close()


def test_X19_no_table_is_written_that_a_spreadsheet_would_run() -> None:
    """Tocsin writes no CSV at all: what is exported is JSON, OPML or text (a writer of CSV would have to quote formulas)."""
    for path in (file for room in ("bot", "config") for file in (ROOT / room).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "csv" in text else ():
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "csv":
                assert node.attr in ("reader", "DictReader"), path
            if isinstance(node, ast.ImportFrom):
                assert node.module != "csv", path


BOMBS = ("(a+)+$", "(a|aa)+$", "(.*a){25}", "^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 5000, "*a" * 400 + "b", "[" * 500)


@pytest.mark.parametrize("bomb", BOMBS)
def test_X24_patterns_are_words_and_globs_and_take_no_time(bomb: str) -> None:
    """Whatever somebody asks for is matched as words or a simple glob in linear time; regular expressions do not exist."""
    long = Item(1, "k", "a" * 20_000, "a " * 20_000 + "!", "https://o.example/k", NOW, "a" * 5000 + ".example")
    started = time.process_time()
    for asked in (
        Filter(words=(bomb,)),
        Filter(outlets=(bomb,)),
        Filter(exclude_words=(bomb,)),
        Filter(signals=(bomb,)),
    ):
        match(asked, subject(story(), long))
    assert not glob(bomb, "a" * 20_000 + "!")
    assert time.process_time() - started < 1.0


def test_X24_a_regular_expression_is_only_its_letters() -> None:
    """``.*`` asks for a dot and a star, so that nobody is told of everything by a slip."""
    one = Item(1, "k", "Shelling of the port", "", "https://o.example/k", NOW - timedelta(hours=1), "o.example")
    assert isinstance(match(Filter(words=("shell.*port",)), subject(story(title="Shelling of the port"), one)), Miss)
