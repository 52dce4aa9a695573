"""What a rule would have told: counted as judging tells it, by night in the zone of the settings, else what was nearest."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.judge import JudgePolicy
from bot.alerts.preview import Preview, first_told, preview
from bot.model import Filter, Reason, Rule, Severity, Story
from tests.alerts.builders import EVERYTHING, SEVERE, following, opening, told, verdict
from tests.stories.builders import NOON, at, item, read, story

POLICY = JudgePolicy()
MONTH = timedelta(days=30)


def of(name: str, hours: float, *labels: str, killed: int = 9, **changes: object) -> Story:
    """A story that opened so many hours after noon, in a country of its own."""
    signals = labels or ("remote_strike",)
    made = story((item(f"Shelling hits {name}", hours=hours), read(*signals, killed=killed)), now=at(hours))
    return replace(made, id=name, opened_at=at(hours), countries=(name[:2].upper(),), **changes)  # type: ignore[arg-type]


def seen(
    *stories: Story, rule: Rule = SEVERE, since: datetime = NOON, zone: str = "UTC", **told_at: datetime
) -> Preview:
    return preview(rule, stories, told_at, since, zone, POLICY)


def test_alerts_come_newest_first_and_only_of_the_time() -> None:
    """Stories of before the stretch do not count, the others in order of time, the newest first."""
    found = seen(of("aa", 1), of("bb", 5), of("cc", 3), of("dd", -30))
    assert [ring.story_id for ring in found.rings] == ["bb", "cc", "aa"]
    assert found.nearest is None


def test_night_is_the_zones() -> None:
    """From ten to seven by the clock of the settings: noon in UTC is night in Auckland, and day in Berlin."""
    noon, evening = of("aa", 0), of("bb", 9.5)
    assert seen(noon, evening).night == 0
    assert seen(noon, evening, zone="Pacific/Auckland").night == 1
    assert seen(noon, evening, zone="Europe/Berlin").night == 1


def test_a_told_story_counts_at_the_time_of_its_alert() -> None:
    """What was told late counts late: a story from before the stretch that was told in it counts, and the reverse."""
    late = told(of("aa", -5))
    assert [ring.at for ring in seen(late, aa=at(2)).rings] == [at(2)]
    assert seen(told(of("bb", 1)), bb=at(-1)).rings == ()


def test_what_judging_would_hold_back_is_not_counted() -> None:
    """A doubtful reading is no alert although the filter asks for it, and then it is what came nearest."""
    doubtful = of("aa", 1, signals={"remote_strike": 0.3})
    found = seen(doubtful, of("bb", 2, severity=Severity.MINOR), rule=SEVERE)
    assert found.rings == ()
    assert found.nearest is not None
    assert (found.nearest.ring.story_id, found.nearest.reason) == ("aa", Reason.BELOW_CERTAINTY)
    assert "30% confidence" in found.nearest.detail
    assert len(seen(told(doubtful)).rings) == 1


def test_a_piece_that_adds_nothing_is_not_counted_for_two_days() -> None:
    """An echo of what the rule told of the country is silent, and speaks again when that is long ago."""
    echo = replace(of("aa-echo", 4), countries=("AA",))
    assert [ring.story_id for ring in seen(of("aa", 1), echo).rings] == ["aa"]
    later = replace(of("aa-later", 1 + 49), countries=("AA",))
    assert len(seen(of("aa", 1), later).rings) == 2


def test_nothing_told_names_what_came_nearest() -> None:
    """The least miss, with its words; the newest of equals; none where there was nothing."""
    minor, moderate = of("aa", 1, severity=Severity.MINOR), of("bb", 2, severity=Severity.MODERATE)
    found = seen(minor, moderate, of("bb2", 1, severity=Severity.MODERATE))
    assert found.nearest is not None
    assert found.nearest.ring.story_id == "bb"
    assert (found.nearest.reason, found.nearest.detail) == (Reason.BELOW_SEVERITY, "moderate, asked for severe")
    assert seen().nearest is None
    assert seen(of("cc", -30, severity=Severity.MODERATE)).nearest is None


def test_the_first_alert_of_a_story_is_when_it_was_told() -> None:
    """Of several verdicts only alerts count, and the earliest of them."""
    opened = opening()
    spoken = verdict(opened, at(0))
    update = verdict(
        following(spoken.update.story, item("Toll rises to 40", hours=2), read("casualties", killed=40)), at(2)
    )
    again = verdict(opened, at(5))
    assert first_told([again, update, spoken]) == {opened.story.id: at(0)}
    assert first_told([update]) == {}


@given(st.lists(st.tuples(st.integers(-40, 40), st.sampled_from(list(Severity))), max_size=12))
def test_a_wider_rule_tells_no_less(rows: list[tuple[int, Severity]]) -> None:
    """Of stories in countries of their own, every alert of a rule is one of the rule that asks for everything."""
    stories = [of(f"{chr(97 + n)}{chr(97 + n)}", hours, severity=severity) for n, (hours, severity) in enumerate(rows)]
    narrow, wide = seen(*stories, rule=SEVERE), seen(*stories, rule=EVERYTHING)
    assert {ring.story_id for ring in narrow.rings} <= {ring.story_id for ring in wide.rings}
    assert len(wide.rings) == sum(hours >= 0 for hours, _ in rows)
    assert narrow.night <= len(narrow.rings)
    assert (narrow.nearest is None) or not narrow.rings
    assert seen(*reversed(stories)) == narrow


def test_a_place_that_nobody_writes_of_tells_nothing() -> None:
    """A rule for another country names the story that was nearest to it."""
    found = seen(of("aa", 1), rule=Rule("nz", Filter(countries=("NZ",))))
    assert found.rings == ()
    assert found.nearest is not None
    assert (found.nearest.reason, found.nearest.detail) == (Reason.OUTSIDE, "AA")
