"""What is broken is told to the operators through what still works: the real app over real channels and fakes."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import structlog

from bot.app import App, Parts, open_app
from bot.jobs import Daemon
from bot.model import Batch, Delivery, Lane, Notice
from bot.pipeline import Decision
from bot.workers import PHRASES_ONLY, _assess
from classifiers import Assessor
from classifiers.assessment import Assessment, Text
from config.loader import load_settings
from tests.bot.parts import ScriptedSource, ScriptedWorkers
from tests.fakes.server import Fault
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram

ADMIN = 111


@dataclass
class Home:
    """An app with two hooks and an operator in Telegram, not running: tests turn its wheels."""

    app: App
    daemon: Daemon
    slack: FakeSlack
    telegram: FakeTelegram
    path: Path

    async def ring(self, name: str, target: str) -> None:
        """One message, delivered or not."""
        now = datetime.now(UTC)
        await self.app.store.enqueue(
            [Delivery(name, target, Notice(name, now), Lane.NORMAL, now, now, now + timedelta(1))]
        )
        await self.app.outbox.drain()

    async def look(self) -> None:
        """The watch's tick, and its words sent."""
        await self.daemon._watch()
        async with asyncio.timeout(5):
            while await self.app.store.outbox_depth():
                await self.app.outbox.drain()
                await asyncio.sleep(0.02)

    def said(self) -> list[str]:
        """What the operator read."""
        return [sent.text for sent in self.telegram.to(ADMIN)]


@asynccontextmanager
async def home(folder: Path, workers: ScriptedWorkers | None = None) -> AsyncIterator[Home]:
    async with FakeSlack() as slack, FakeTelegram() as telegram:
        path = folder / "tocsin.toml"
        path.write_text(
            f'data_dir = "{folder / "data"}"\ncatalogue = ""\n[console]\nenabled = false\n[web]\nlisten = ""\n'
            f'[telegram]\ntoken = "{telegram.token}"\nbase_url = "{telegram.base_url}"\nadmins = [{ADMIN}]\nper_chat_per_second = 100\n'
            + "".join(f'[[slack]]\nname = "{name}"\nwebhook_url = "{slack.url(name)}"\n' for name in ("desk", "night"))
            + '[[rules]]\nname = "all"\nchannels = ["slack:desk", "slack:night"]\n'
        )
        path.chmod(0o600)
        settings = load_settings(path, {}).settings
        settings.data_dir.mkdir()
        app = await open_app(settings, Parts(workers=workers))
        try:
            yield Home(app, Daemon(app), slack, telegram, path)
        finally:
            await app.close()


async def test_S03_a_dead_hook_is_told_elsewhere_and_its_rules_rest_until_a_reload(tmp_path: Path) -> None:
    """Operators hear once, through another channel, that a hook is dead; its rules rest, the others go on, a reload wakes them."""
    async with home(tmp_path) as here:
        here.slack.fail(404, "no_service")
        await here.ring("a", "slack:desk")
        for _ in range(3):
            await here.look()
        (word,) = here.said()
        assert "slack:desk gets nothing more: Slack says 404 no_service" in word
        assert here.slack.messages == []
        resting = {one.target: one.suspended for one in here.app.subscriptions()}
        assert "no_service" in (resting["slack:desk"] or "")
        assert resting["slack:night"] is None
        assert "no_service" in str((await here.app.status(here.daemon.progress)).problems)
        await here.app.reload(here.app.settings)
        assert {one.suspended for one in here.app.subscriptions()} == {None}
        await here.ring("b", "slack:desk")
        await here.look()
        assert len(here.slack.messages) == 1
        assert "slack:desk works again" in here.said()[1]


async def test_S03_where_there_are_only_hooks_another_hook_is_told(tmp_path: Path) -> None:
    """A dead chat of the operator's own is no reason for silence: word goes to every address but the dead one."""
    async with home(tmp_path) as here:
        settings = here.app.settings
        telegram = settings.telegram.model_copy(update={"admins": ()})
        here.app.settings = settings.model_copy(update={"telegram": telegram})
        here.slack.fail(410, "channel_is_archived")
        await here.ring("a", "slack:desk")
        await here.look()
        assert [posted.hook for posted in here.slack.messages] == ["night"]


def test_F37_a_model_that_is_gone_is_replaced_by_phrases_and_says_so(tmp_path: Path) -> None:
    """Without its model the classifier still finds a massacre by hand-written phrases, and every reading bears the reason."""
    (found,) = _assess([Text("Shelling kills 12 in the border town, officials say")], tmp_path / "gone")
    assert found.labels
    assert found.notes[0].startswith(f"{PHRASES_ONLY}: ")
    assert "gone" in found.notes[0]


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_F37_numbers_that_are_none_are_never_taken_for_silence(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """A model that returns NaN or infinity is put aside for the phrases: the news is read, and the reason is noted."""
    whole = Assessor.assess

    def broken(self: Assessor, texts: list[Text], *, explain: bool = True) -> list[Assessment]:
        found = whole(self, texts, explain=explain)
        sick = not self.notes
        return [replace(a, signals=dict.fromkeys(a.signals, float(value)), labels=()) if sick else a for a in found]

    monkeypatch.setattr(Assessor, "assess", broken)
    monkeypatch.setattr("bot.workers._assessors", {})
    for _ in range(2):
        (found,) = _assess([Text("Shelling kills 12 in the border town, officials say")], None)
        assert found.labels
        assert found.notes[0] == f"{PHRASES_ONLY}: the model returned what is no number"


async def test_F37_operators_hear_that_the_classifier_is_blind_and_that_it_sees_again(tmp_path: Path) -> None:
    """While texts are read by phrases alone the operators know it, once, and health says so; they hear of its end too."""
    async with home(tmp_path, ScriptedWorkers(ScriptedSource(), Assessor.load())) as here:
        now = datetime.now(UTC)
        for path in (tmp_path / "gone", None):
            (read,) = Assessor.load(path, fallback=True).assess([Text("Shelling kills 12")])
            here.app.seen([], Decision(Batch(now, assessments={"1:a": read})))
            for _ in range(2):
                await here.look()
            assert ("classifier" in str((await here.app.status(here.daemon.progress)).problems)) is bool(path)
        assert ["hand-written phrases alone" in here.said()[0], "works again" in here.said()[1]] == [True, True]
        assert len(here.said()) == 2


async def test_X22_no_failure_carries_a_secret_anywhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Through refusals, resets and foreign answers that quote it, a token and a hook stay out of logs, database, pages and words."""
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as said:
        async with home(tmp_path) as here:
            token, hook = here.telegram.token, here.slack.url("desk")
            quoting = f"no bot {token} at https://api.telegram.org/bot{token}/sendMessage"
            echoing = {"desk": urlsplit(hook).path + " not found", "night": "no " + here.slack.url("night")}
            for fault in (Fault("answer", 502, quoting), Fault("reset"), Fault("answer", 400, error(400, quoting))):
                here.telegram.faults.add(replace(fault, method="sendMessage"))
                await here.ring(f"t{fault.status}{fault.kind}", f"telegram:{ADMIN}")
            for name, page in echoing.items():
                here.slack.fail(502, page)
                await here.ring(name, f"slack:{name}")
            here.telegram.faults.add(Fault("answer", 401, error(401, quoting), method="sendMessage"))
            await here.ring("dead", f"telegram:{ADMIN}")
            await here.daemon._watch()
            await here.daemon._beat()
            words = [str(await here.app.status(here.daemon.progress)), here.app.metrics.page().decode()]
            words += [
                repr(here.app.settings),
                str(here.app.settings.model_dump()),
                str(await here.app.store.dead_letters(20)),
            ]
            words += [sent.text for sent in here.telegram.messages] + [posted.words for posted in here.slack.messages]
        kept = [path.read_bytes() for path in (tmp_path / "data").iterdir()]
    everything = "\n".join([*words, caplog.text, repr(said), *(data.decode("latin-1") for data in kept)])
    assert "401" in everything
    assert "502" in everything
    for secret in (token, token.partition(":")[2], hook, "xdesksecret", "B0secret"):
        assert secret not in everything


def error(code: int, description: str) -> str:
    """An answer of the Bot API."""
    return json.dumps({"ok": False, "error_code": code, "description": description})
