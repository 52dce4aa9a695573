"""Messages that the channel tests share: invented news, hostile text, any text at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from bot.model import (
    Alert,
    Certainty,
    Change,
    Content,
    Delivery,
    Digest,
    Lane,
    Mode,
    Notice,
    Phase,
    Reason,
    Severity,
    SourceRef,
    Surge,
    Tally,
    Urgency,
    VerdictKind,
    Where,
)

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)

HOSTILE = (
    "</b><script>alert(1)</script>",
    '<a href="tg://user?id=1">@victim</a> <!channel> <!here> <@U123ABC> <https://x.example|ok>',
    "\u202etxet desrever\u202c \u2066isolated\u2069 zero\u200bwidth \ufeff bom",
    "Z" + "\u0301\u0317\u0336" * 40 + "algo",
    "\x00\x07\x1b[31mred\x1b[0m\r\nnew\u2028line",
    "*bold* _it_ `code` ~gone~ [text](http://x.example) @everyone @here /stop /start@bot",
    "&lt;b&gt; &amp;amp; &nbsp; &#60;",
    "👩‍👩‍👧‍👦" * 300,
    "🇦🇿" * 700,
    "\ud800 lone surrogate \udfff",
    "=cmd|' /C calc'!A0",
    "",
    " \u200b\u2060 ",
    "x" * 20_000,
    "سلام‌ها و می‌رود",
)


def source(outlet: str, *, independent: bool = True, official: bool = False) -> SourceRef:
    """A source with an invented address."""
    return SourceRef(f"1:{outlet}", outlet, f"https://{outlet}/1", "A title", NOW, independent, official)


def alert(**changes: object) -> Alert:
    """A plain first alert; keyword arguments change its fields."""
    base = Alert(
        story_id="sk3w2yq7",
        kind=VerdictKind.ALERT,
        reason=Reason.NEW_STORY,
        at=NOW,
        happened_at=NOW - timedelta(minutes=3),
        title="Shelling of the river port of Karvin kills 41, says its mayor",
        summary="The port of Karvin was shelled overnight. Rescue workers are still searching two warehouses.",
        link="https://www.morning.example/world/karvin?ref=rss&id=7",
        outlet="morning.example",
        severity=Severity.EXTREME,
        certainty=Certainty.POSSIBLE,
        urgency=Urgency.IMMEDIATE,
        score=-9.5,
        signals=("remote_strike", "casualties"),
        countries=("AZ",),
        places=(Where("Karvin", "AZ", 40.1, 47.2),),
        killed=Tally(best=41),
        sources=(source("morning.example"),),
        rule="caucasus",
    )
    return replace(base, **changes)  # type: ignore[arg-type]


UPDATE = alert(
    kind=VerdictKind.UPDATE,
    reason=Reason.TOLL_UP,
    title="Toll of Karvin shelling rises to 54",
    summary="",
    killed=Tally(best=54, total=158),
    injured=Tally(low=30, best=40, high=45),
    killed_before=Tally(best=41),
    certainty=Certainty.OBSERVED,
    changes=(Change.TOLL_UP, Change.CERTAINTY_UP),
    detail="killed 41 → 54",
    sources=(
        source("morning.example"),
        source("evening.example", official=True),
        source("c.example", independent=False),
    ),
    claims=("denied by the Northern Command: no shell hit the port",),
    surge=Surge("AZ", 27, 3.0, hours=3.0),
)
CEASEFIRE = alert(
    kind=VerdictKind.UPDATE,
    reason=Reason.PHASE_CHANGED,
    title="Mediator: both sides sign ceasefire for Karvin",
    summary="It takes force at midnight.",
    severity=Severity.MODERATE,
    score=7.5,
    signals=("ceasefire_agreement", "talks"),
    countries=("AM", "AZ"),
    places=(),
    killed=None,
    phase=Phase.AGREED,
    phase_before=Phase.PROPOSED,
    changes=(Change.PHASE,),
    detail="proposed → agreed",
)
CORRECTION = alert(
    kind=VerdictKind.CORRECTION,
    reason=Reason.CORRECTED,
    title="Correction: nine, not 41, were killed in Karvin",
    killed=Tally(best=9),
    killed_before=Tally(best=41),
    severity=Severity.SEVERE,
    severity_before=Severity.EXTREME,
    changes=(Change.CORRECTION,),
)
EXERCISE = alert(exercise=True, rule="fire drill", killed=None, title="Drill: nothing has happened", places=())
BARE = alert(
    title="", summary="", link="", outlet="", severity=None, signals=(), countries=(), places=(), killed=None,
    sources=(), rule="", score=0.0,
)  # fmt: skip
DIGEST = Digest(Reason.CATCH_UP, NOW, (CEASEFIRE, UPDATE, alert()), since=NOW - timedelta(hours=8))
NOTICE = Notice("3 of 163 feeds fail.\nThe oldest since yesterday: https://feeds.example/a.xml", NOW, "warning")

SAMPLES: dict[str, Content] = {
    "alert": alert(),
    "update": UPDATE,
    "ceasefire": CEASEFIRE,
    "correction": CORRECTION,
    "exercise": EXERCISE,
    "bare": BARE,
    "digest": DIGEST,
    "notice": NOTICE,
}


def delivery(content: Content, target: str = "telegram:11", **changes: object) -> Delivery:
    """A delivery of it."""
    base = Delivery(
        id="d-7f3a",
        target=target,
        content=content,
        lane=Lane.DIGEST if isinstance(content, Digest) else Lane.URGENT,
        created_at=NOW,
        not_before=NOW,
        expires_at=NOW + timedelta(hours=6),
        story_id=content.story_id if isinstance(content, Alert) else None,
        zone="Asia/Baku",
    )
    return replace(base, **changes)  # type: ignore[arg-type]


# --- anything at all ----------------------------------------------------------------------------------------------

any_text = st.one_of(
    st.text(max_size=400),
    st.text(alphabet=st.characters(), max_size=60),
    st.sampled_from(HOSTILE),
    st.text(alphabet="<>&\"'@!|:/#*_`~[]()\\ab \u200b\u202e\u0301👩\u200d🇦", max_size=80),
)
_tallies = st.none() | st.builds(Tally, *(st.none() | st.integers(0, 10**7) for _ in range(4)))
_links = st.one_of(st.just("https://news.example/a"), any_text, any_text.map("https://x.example/{}".format))
_sources = st.builds(
    SourceRef,
    item_uid=st.just("1:a"),
    outlet=any_text,
    link=_links,
    title=any_text,
    at=st.just(NOW),
    independent=st.booleans(),
    official=st.booleans(),
)
alerts = st.builds(
    Alert,
    story_id=st.just("sk3w2yq7") | any_text,
    kind=st.sampled_from(VerdictKind),
    reason=st.sampled_from(Reason),
    at=st.just(NOW),
    happened_at=st.just(NOW),
    title=any_text,
    summary=any_text,
    link=_links,
    outlet=any_text,
    severity=st.none() | st.sampled_from(Severity),
    certainty=st.sampled_from(Certainty),
    urgency=st.sampled_from(Urgency),
    score=st.floats(-10, 10),
    signals=st.lists(st.sampled_from(("talks", "casualties", "unknown_signal")) | any_text, max_size=8).map(tuple),
    countries=st.lists(st.sampled_from(("AZ", "AM", "xk", "ZZ", "")) | any_text, max_size=6).map(tuple),
    places=st.lists(st.builds(Where, name=any_text, country=st.sampled_from(("AZ", "??", ""))), max_size=2).map(tuple),
    killed=_tallies,
    injured=_tallies,
    killed_before=_tallies,
    injured_before=_tallies,
    phase=st.none() | st.sampled_from(Phase),
    phase_before=st.none() | st.sampled_from(Phase),
    severity_before=st.none() | st.sampled_from(Severity),
    changes=st.lists(st.sampled_from(Change), max_size=3).map(tuple),
    detail=any_text,
    sources=st.lists(_sources, max_size=4).map(tuple),
    claims=st.lists(any_text, max_size=4).map(tuple),
    evidence=st.lists(any_text, max_size=3).map(tuple),
    rule=any_text,
    exercise=st.booleans(),
    surge=st.none() | st.builds(Surge, any_text, st.integers(1, 999), st.floats(0.001, 99), st.just(3.0)),
)
contents: st.SearchStrategy[Content] = st.one_of(
    alerts,
    st.builds(
        Digest,
        reason=st.sampled_from(Reason),
        at=st.just(NOW),
        alerts=st.lists(alerts, max_size=4).flatmap(lambda few: st.integers(1, 20).map(lambda n: tuple(few * n))),
        since=st.none() | st.just(NOW),
    ),
    st.builds(Notice, text=any_text, at=st.just(NOW), topic=st.sampled_from(("notice", "exercise", "odd"))),
)
deliveries = st.builds(
    delivery,
    contents,
    zone=st.sampled_from(("UTC", "Asia/Baku", "No/Where", "")),
    language=st.sampled_from(("en", "ru", "uk", "ar", "es", "fr", "tr", "pt-BR", "")),
    mode=st.sampled_from(Mode),
    thread=st.none() | st.just("7"),
    plain=st.booleans(),
)
