"""The real command against a world on loopback: what a person would see, nothing patched."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from tests.end_to_end.world import ADMIN, until, world
from tests.fakes.server import Fault

pytestmark = pytest.mark.timeout(110)


async def test_news_rings_once_in_every_chat(tmp_path: Path) -> None:
    """History alerts nobody; news after the start rings once in Slack and Telegram, with link and source, then never again."""
    async with world(tmp_path) as here:
        old = datetime.now(UTC) - timedelta(hours=3)
        here.press.publish(0, "Rockets strike a town near the border, 30 killed", "Officials said.", old)
        here.write_settings()
        daemon = await here.start()
        await asyncio.sleep(1)
        link = here.publish()
        await until(lambda: bool(here.slack.messages) and bool(here.telegram.to(ADMIN)))
        await asyncio.sleep(3)  # several polls more
        assert len(here.slack.messages) == 1
        assert len(here.telegram.to(ADMIN)) == 1
        for said in (here.slack.messages[0].words, here.telegram.to(ADMIN)[0].html):
            assert link in said
            assert "outlet0.example" in said
        assert any(conditional for _, status, conditional in here.press.requests if status == 304)
        daemon.send_signal(signal.SIGTERM)
        started = time.monotonic()
        _, log = await asyncio.wait_for(daemon.communicate(), 15)
        assert daemon.returncode == 0
        assert time.monotonic() - started < 10
        assert here.telegram.token.partition(":")[2] not in log.decode()
        assert "Traceback" not in log.decode()


async def test_D09_killed_in_mid_delivery_nothing_is_lost(tmp_path: Path) -> None:
    """A daemon killed while Slack holds its request delivers after the restart; at most one copy, none elsewhere."""
    async with world(tmp_path, feeds=1) as here:
        here.write_settings('[alerts]\nresend_after = "4s"\n')
        here.slack.faults.add(Fault("hang"))
        daemon = await here.start()
        link = here.publish()
        await until(lambda: bool(here.telegram.to(ADMIN)))
        await asyncio.sleep(0.5)  # Telegram's receipt is recorded; Slack's request hangs
        daemon.send_signal(signal.SIGKILL)
        await daemon.communicate()
        assert not here.slack.messages
        await here.start()
        await until(lambda: bool(here.slack.messages))
        assert link in here.slack.messages[0].words
        assert len(here.telegram.to(ADMIN)) == 1


async def test_D12_a_second_daemon_refuses(tmp_path: Path) -> None:
    """A second daemon on the same data says so in one line and exits 1; the first goes on."""
    async with world(tmp_path, feeds=1) as here:
        settings = here.write_settings()
        first = await here.start()
        code, _, complaint = await here.tocsin("run", "--config", str(settings))
        assert code == 1
        assert "another Tocsin" in complaint
        assert len(complaint.strip().splitlines()) == 1
        assert first.returncode is None


async def test_P04_reload_takes_good_settings_and_refuses_bad_ones(tmp_path: Path) -> None:
    """SIGHUP with bad settings changes nothing; with good ones the new rule holds at once."""
    async with world(tmp_path, feeds=1) as here:
        settings = here.write_settings()
        good = settings.read_text()
        daemon = await here.start()
        settings.write_text(good + "nonsense = true\n")
        daemon.send_signal(signal.SIGHUP)
        await asyncio.sleep(1)
        assert daemon.returncode is None
        settings.write_text(good.replace('min_severity = "minor"', 'min_severity = "minor"\ncountries = ["PE"]'))
        daemon.send_signal(signal.SIGHUP)
        await asyncio.sleep(1)
        here.publish()
        await asyncio.sleep(3)
        assert not here.slack.messages
        daemon.send_signal(signal.SIGTERM)
        _, log = await asyncio.wait_for(daemon.communicate(), 15)
        assert "settings not reloaded" in log.decode()
        assert "settings reloaded" in log.decode()


async def test_poll_reports_and_second_poll_is_conditional(tmp_path: Path) -> None:
    """`poll --json` stores every item; asked again it makes conditional requests only and stores nothing new."""
    async with world(tmp_path) as here:
        settings = here.write_settings()
        for number in range(5):
            here.publish(f"Item number {number}", "Nothing of note.", feed=number % 2)
        code, out, complaint = await here.tocsin("poll", "--json", "--config", str(settings))
        report = json.loads(out)
        assert (code, complaint) == (0, "")
        assert (report["feeds"], report["failed"], report["items"], report["new"]) == (2, 0, 5, 5)
        here.press.requests.clear()
        code, out, _ = await here.tocsin("poll", "--json", "--config", str(settings))
        report = json.loads(out)
        assert (code, report["unchanged"], report["new"]) == (0, 2, 0)
        assert [(status, conditional) for _, status, conditional in here.press.requests] == [(304, True)] * 2


async def test_explain_says_why_and_why_not(tmp_path: Path) -> None:
    """`explain` tells of an alerted item who was told, of another why nobody was, and of an unknown one that it is."""
    async with world(tmp_path, feeds=1) as here:
        settings = here.write_settings()
        daemon = await here.start()
        loud, quiet = here.publish(), here.publish("Orchard festival opens in the valley", "Apples and music.")
        await until(lambda: bool(here.slack.messages) and bool(here.telegram.to(ADMIN)))
        daemon.send_signal(signal.SIGTERM)
        await daemon.communicate()
        code, out, _ = await here.tocsin("explain", loud, "--config", str(settings))
        assert code == 0
        assert "alert, new story" in out
        assert "slack:desk: sent" in out
        code, out, _ = await here.tocsin("explain", quiet, "--config", str(settings))
        assert "dropped, no signal" in out
        code, _, complaint = await here.tocsin("explain", "https://elsewhere.example/x", "--config", str(settings))
        assert code == 1
        assert "no feed of elsewhere.example is watched" in complaint


async def test_without_a_network_the_daemon_says_so_and_stays(tmp_path: Path) -> None:
    """Where no feed answers, one line asks whether the machine is online, and the daemon stays healthy."""
    async with world(tmp_path, feeds=1) as here:
        settings = here.write_settings()
        settings.write_text(settings.read_text().replace(here.press.url(0), "http://127.0.0.1:9/none"))
        daemon = await here._spawn("run", "--config", str(settings))
        here.daemons.append(daemon)

        async def well() -> bool:
            code, out, _ = await here.tocsin("health", "--config", str(settings))
            return code == 0 and "0 answers" in out and "0 failures" not in out

        await until(well)
        daemon.send_signal(signal.SIGTERM)
        _, log = await daemon.communicate()
        assert "0 of 1 feeds answered: is this machine online?" in log.decode()
        assert daemon.returncode == 0


async def test_a_person_subscribes_and_is_told(tmp_path: Path) -> None:
    """Somebody sends /start and taps through it; the next news that fits rings in his chat, and /stop ends that."""
    async with world(tmp_path, feeds=1) as here:
        here.write_settings()
        await here.start()
        person = 777

        def changed(before: tuple[int, int]) -> bool:
            return (here.telegram.last(person).message_id, here.telegram.last(person).edits) != before

        here.telegram.updates.say(person, "/start")
        for label in ("Everything", "Everywhere", "anything", "⚡ at once"):
            await until(lambda: bool(here.telegram.to(person)) and bool(here.telegram.last(person).buttons))
            shown = here.telegram.last(person)
            before = (shown.message_id, shown.edits)
            here.telegram.press(person, shown, label)
            await until(partial(changed, before))
        await asyncio.sleep(3)
        count = len(here.telegram.to(person))
        link = here.publish(
            "Armenia and Azerbaijan agree to a ceasefire", "A truce was signed and takes effect at midnight, both said."
        )
        await until(lambda: any(link in sent.html for sent in here.telegram.to(person)[count:]))
        assert sum(link in sent.html for sent in here.telegram.to(person)) == 1
