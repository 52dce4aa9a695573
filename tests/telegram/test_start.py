"""Setting up by tapping, end to end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.model import Batch, DigestMode, Severity
from bot.telegram.choices import PRESETS, REGIONS, WAYS, Choice, read_choice, read_deep_link
from bot.telegram.needs import DeskSettings
from tests.telegram.town import ANN, NOW, Town, make_town, story


async def test_four_taps_make_a_subscription(town: Town) -> None:
    """A first-time user types /start, taps four times, and is subscribed; all of it in one message."""
    first = await town.says(ANN, "/start")
    assert "Four taps" in first.text
    for label in ("Ceasefires", "Everywhere", "moderate or worse", "at once"):
        assert not await town.subscriptions(ANN)
        first = await town.taps(ANN, first, label)
    (made,) = await town.subscriptions(ANN)
    assert made.rule.name == "Ceasefires and talks · Everywhere · moderate or worse"
    assert made.rule.filter.min_severity is Severity.MODERATE
    assert "ceasefire_*" in made.rule.filter.signals
    assert (made.digest, made.quiet, made.owner) == (DigestMode.AT_ONCE, None, str(ANN))
    assert len(town.tg.to(ANN)) == 1
    assert first.text.startswith("✅ Ceasefires and talks")


async def test_every_tap_is_answered(town: Town) -> None:
    """T21: answerCallbackQuery is called for each tap, so that no button keeps turning."""
    page = await town.says(ANN, "/start")
    for label in ("Everything", "Caucasus", "Azerbaijan", "extreme", "daily"):
        page = await town.taps(ANN, page, label)
    assert len(town.tg.answers) == 5
    (made,) = await town.subscriptions(ANN)
    assert (made.rule.filter.countries, made.rule.filter.signals) == (("AZ",), ())
    assert made.digest is DigestMode.DAILY


async def test_a_region_can_be_taken_whole(town: Town) -> None:
    """Region → all of it holds every country of the region."""
    page = await town.says(ANN, "/start")
    for label in ("Fighting", "Middle East", "All of it", "anything", "quiet"):
        page = await town.taps(ANN, page, label)
    (made,) = await town.subscriptions(ANN)
    assert made.rule.filter.countries == REGIONS["me"]
    assert made.quiet is not None
    assert (made.quiet.start.hour, made.quiet.end.hour) == (22, 7)


@pytest.mark.parametrize(("typed", "where"), [("Azerbaijan", "AZ"), ("Україна", "UA"), ("SD", "SD"), ("مصر", "EG")])
async def test_a_country_can_be_typed(town: Town, typed: str, where: str) -> None:
    """A country's name in any of our languages, or its code, is understood."""
    page = await town.says(ANN, "/start")
    page = await town.taps(ANN, page, "Everything")
    await town.taps(ANN, page, "Type a country")
    page = await town.says(ANN, typed)
    page = await town.taps(ANN, page, "anything")
    await town.taps(ANN, page, "hourly")
    (made,) = await town.subscriptions(ANN)
    assert made.rule.filter.countries == (where,)
    assert made.digest is DigestMode.HOURLY


async def test_a_place_can_be_typed(town: Town) -> None:
    """A town that the gazetteer knows becomes a circle; an unknown one is asked for again."""
    page = await town.taps(ANN, await town.says(ANN, "/start"), "Everything")
    await town.taps(ANN, page, "Type a country")
    assert "know no place" in (await town.says(ANN, "Nowhere-upon-Sea <b>")).text
    page = await town.says(ANN, "Karvin")
    page = await town.taps(ANN, page, "severe or worse")
    await town.taps(ANN, page, "at once")
    (made,) = await town.subscriptions(ANN)
    assert made.rule.filter.places[0].name == "Karvin"
    assert made.rule.name == "Everything · around Karvin · severe or worse"


async def test_the_preview_tells_what_the_last_30_days_would_have_sent(town: Town) -> None:
    """Before the choice of severity and after it, the number of stories is told; older ones do not count."""
    stories = (
        *(story(n, days=n) for n in range(1, 4)),
        story(8, severity=Severity.EXTREME),
        story(9, severity=Severity.MINOR),
        story(10, days=40),
        story(11, countries=("FR",), places=()),
    )
    await town.store.record(Batch(at=NOW, stories=stories))
    page = await town.says(ANN, "/subscribe fighting AZ")
    assert "🔴 1 story" in page.text
    assert "🟠 4 stories" in page.text
    assert "🔵 5 stories" in page.text
    page = await town.taps(ANN, page, "severe or worse")
    page = await town.taps(ANN, page, "⚡ at once")
    assert "would have been 4 stories" in page.text
    assert "Shelling of Karvin, report 8" in page.text


async def test_deep_links_carry_presets_and_never_rights(town: Town) -> None:
    """A /start payload fills in the questions and still waits for a tap; a forged one is an ordinary /start."""
    page = await town.says(ANN, "/start cf-AZ-3-n")
    assert not await town.subscriptions(ANN)
    assert "Azerbaijan" in page.text
    await town.taps(ANN, page, "at once")
    assert len(await town.subscriptions(ANN)) == 1
    page = await town.says(ANN, "/start admin_broadcast-everything_____")
    assert "Four taps" in page.text


async def test_the_same_choice_is_the_same_subscription(town: Town) -> None:
    """Choosing the same twice, or a tap that arrives twice, makes one subscription."""
    for _ in range(2):
        page = await town.says(ANN, "/start al-all-3")
        page = await town.taps(ANN, page, "⚡ at once")
    assert len(await town.subscriptions(ANN)) == 1


async def test_start_wakes_what_was_suspended(town: Town) -> None:
    """T04: who blocked the bot and comes back has his subscriptions again."""
    await test_four_taps_make_a_subscription(town)
    (made,) = await town.subscriptions(ANN)
    await town.store.put_subscription(replace(made, suspended="bot was blocked by the user"))
    await town.says(ANN, "/start")
    assert (await town.subscriptions(ANN))[0].suspended is None


async def test_there_is_a_quota(tmp_path: Path) -> None:
    """X23: a chat cannot have more subscriptions than the operator allows."""
    async with make_town(tmp_path, settings=DeskSettings(max_subscriptions=2)) as town:
        for where in ("AZ", "AM", "UA"):
            await town.taps(ANN, await town.says(ANN, f"/start al-{where}-3"), "⚡ at once")
        assert len(await town.subscriptions(ANN)) == 2
        assert "2 subscriptions" in str(town.tg.answers[-1]["text"])


def test_choices_travel_in_callback_data() -> None:
    """Every combination fits in 64 bytes and is read back as it was."""
    wheres = ("*", "AZ", "@9", *(f"r-{region}" for region in REGIONS))
    for what in PRESETS:
        for where in wheres:
            for severity in Severity:
                for way in WAYS:
                    choice = Choice(what, where, severity, way)
                    assert len(choice.data().encode()) <= 64
                    assert read_choice(choice.data().split(":")[1:]) == choice


@pytest.mark.parametrize("forged", ["xx", "cf:../..", "cf:r-zz:9:z", ":::::", "cf:@99:3:n:extra", "cf:AZ:-1"])
def test_forged_callback_data_leaves_the_choice_open(forged: str) -> None:
    """T21: what is no valid choice is asked anew instead of believed."""
    choice = read_choice(forged.split(":"))
    assert choice.what in ("", "cf")
    assert choice.way in ("", "n")


@pytest.mark.parametrize(
    ("payload", "choice"),
    [
        ("cf", Choice("cf")),
        ("cf-AZ", Choice("cf", "AZ")),
        ("al-reu-4", Choice("al", "r-eu", Severity.EXTREME)),
        ("mc-all-3-d", Choice("mc", "*", Severity.SEVERE, "d")),
        ("zz-AZ", None),
        ("", None),
        ("cf-AZ-9", None),
    ],
)
def test_deep_link_payloads(payload: str, choice: Choice | None) -> None:
    """Presets read from a link."""
    assert read_deep_link(payload) == choice
