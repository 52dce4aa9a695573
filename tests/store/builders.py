"""Short ways to write down what a store keeps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.model import (
    Alert,
    Batch,
    Certainty,
    Content,
    Delivery,
    Feed,
    FeedSpec,
    Held,
    Item,
    Lane,
    LedgerEntry,
    Mode,
    NonDelivery,
    Phase,
    PhaseStep,
    PollResult,
    Reason,
    Routing,
    Severity,
    Snapshot,
    SourceRef,
    Story,
    StoryUpdate,
    Tally,
    Told,
    Urgency,
    Verdict,
    VerdictKind,
    Where,
)
from bot.ports import Store
from classifiers.assessment import Assessment, Evidence, Toll

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CHAT = "telegram:-1007"


def at(minutes: float) -> datetime:
    """So many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


def spec(n: int = 1, title: str = "") -> FeedSpec:
    """The n-th feed."""
    return FeedSpec(f"https://f{n}.example/rss.xml", title=title or f"Feed {n}", tags=("Sahel",))


async def one_feed(store: Store, n: int = 1) -> Feed:
    """A feed that the store watches."""
    return await store.add_feed(spec(n), NOON)


def item(feed: Feed | int = 1, key: str = "k1", title: str = "Shelling hits the market of Qaryat") -> Item:
    """An item with a link of its own."""
    feed_id = feed if isinstance(feed, int) else feed.id
    link = f"https://herald.example/{feed_id}/{key}"
    return Item(feed_id, key, title, "Witnesses speak of a dozen dead.", link, NOON, "herald.example", language="en")


def read(probability: float = 0.9123) -> Assessment:
    """What was understood of an item."""
    return Assessment(
        signals={"remote_strike": probability, "casualties": 0.8, "talks": 0.01},
        labels=("remote_strike", "casualties"),
        severity="severe",
        score=-9.5,
        killed=Toll(best=12),
        countries=("YE",),
        language="en",
        evidence=(Evidence("remote_strike", "title", 0, 8, "Shelling", 1.5),),
    )


def story(name: str = "s1", minutes: float = 0, title: str = "Shelling hits the market of Qaryat") -> Story:
    """A story with something in every field."""
    return Story(
        id=name,
        opened_at=NOON,
        updated_at=at(minutes),
        title=title,
        summary="Witnesses speak of a dozen dead.",
        link="https://herald.example/1/k1",
        outlet="herald.example",
        language="en",
        severity=Severity.SEVERE,
        certainty=Certainty.LIKELY,
        urgency=Urgency.IMMEDIATE,
        score=-9.5,
        signals={"remote_strike": 0.9123},
        countries=("YE",),
        places=(Where("Qaryat", "YE", 15.3, 44.2),),
        killed=Tally(low=10, best=12, high=15),
        ledger=(LedgerEntry("killed", Tally(best=12), "1:k1", "herald.example", NOON, claimant="the hospital"),),
        phase=Phase.VIOLATED,
        phases=(PhaseStep(Phase.VIOLATED, NOON, "1:k1"),),
        sources=(SourceRef("1:k1", "herald.example", "https://herald.example/1/k1", title, NOON),),
        claims=("denied by the ministry: …",),
        told=snapshot(),
        print={"words": ("market", "shelling"), "sketch": (1, 2**40), "weights": (0.5, 1.0), "none": ()},
    )


def snapshot(severity: Severity = Severity.SEVERE) -> Snapshot:
    """What somebody was told."""
    return Snapshot(NOON, severity, Certainty.LIKELY, killed=Tally(best=12), signals=("remote_strike",), sources=2)


def told(target: str = CHAT, name: str = "s1", message_id: str | None = None) -> Told:
    """What an address knows of a story."""
    return Told(target, name, snapshot(), message_id)


def verdict(about: Item, of: Story, reason: Reason = Reason.NEW_STORY, minutes: float = 0) -> Verdict:
    """A verdict on an item that opened a story."""
    change = StoryUpdate(of, None, about, read())
    return Verdict(VerdictKind.ALERT, reason, at(minutes), change, rules=("caucasus",), detail="killed 12")


def alert(name: str = "s1", minutes: float = 0, title: str = "Shelling hits the market of Qaryat") -> Alert:
    """An alert about a story."""
    return Alert(
        story_id=name,
        kind=VerdictKind.ALERT,
        reason=Reason.NEW_STORY,
        at=at(minutes),
        happened_at=NOON,
        title=title,
        summary="Witnesses speak of a dozen dead.",
        link="https://herald.example/1/k1",
        outlet="herald.example",
        severity=Severity.SEVERE,
        certainty=Certainty.LIKELY,
        urgency=Urgency.IMMEDIATE,
        score=-9.5,
        signals=("remote_strike",),
        killed=Tally(best=12),
    )


def owed(
    name: str,
    *,
    target: str = CHAT,
    about: str | None = "s1",
    mode: Mode = Mode.NEW,
    lane: Lane = Lane.NORMAL,
    minutes: float = 0,
    content: Content | None = None,
) -> Delivery:
    """A message owed; it expires after six hours."""
    return Delivery(
        id=name,
        target=target,
        content=content or alert(about or "none"),
        lane=lane,
        created_at=at(minutes),
        not_before=at(minutes),
        expires_at=at(minutes + 360),
        mode=mode,
        story_id=about,
        subscription_id="sub1",
    )


def held(name: str = "s1", minutes: float = 60, target: str = CHAT) -> Held:
    """An alert that waits until so many minutes after noon."""
    return Held(target, "sub1", alert(name), Reason.QUIET_HOURS, at(minutes))


def silence(about: Item, name: str = "s1", minutes: float = 0) -> NonDelivery:
    """A reason for silence."""
    return NonDelivery("sub2", "slack:desk", name, about.uid, VerdictKind.DROPPED, Reason.OUTSIDE, at(minutes), "YE")


def poll(feed: Feed, *items: Item, minutes: float = 0, etag: str | None = '"v1"') -> PollResult:
    """A poll that brought items."""
    state = replace(
        feed.state, etag=etag, next_due=at(minutes + 5), last_checked=at(minutes), last_ok=at(minutes), first_done=True
    )
    return PollResult(feed, state, items)


def batch(feed: Feed, *items: Item, minutes: float = 0, deliveries: tuple[Delivery, ...] = ()) -> Batch:
    """All that one poll causes: its items, a story, a verdict on each, and messages."""
    of = story(minutes=minutes)
    return Batch(
        at=at(minutes),
        polls=(poll(feed, *items, minutes=minutes, etag=f'"v{minutes}"'),),
        assessments={one.uid: read() for one in items},
        verdicts=tuple(verdict(one, of, minutes=minutes) for one in items),
        stories=(of,),
        routing=Routing(deliveries=deliveries, told=(told(),), silent=tuple(silence(one) for one in items)),
    )
