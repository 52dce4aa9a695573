"""Held alerts come out together."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.alerts.digest import release
from bot.alerts.judge import judge
from bot.alerts.route import route
from bot.model import Change, Delivery, Digest, Held, Lane, Reason, RouteState, StoryUpdate, Subscription

from .builders import EVERYTHING, NOON, following, item, opening, read, subscription
from .test_route import _NIGHT

_LATER = NOON + timedelta(hours=2)


def _held(*updates: StoryUpdate, wants: Subscription | None = None) -> tuple[Held, ...]:
    verdicts = judge(updates, [EVERYTHING], NOON)
    return route(verdicts, [wants or subscription(quiet=_NIGHT)], RouteState(), NOON).held


def _digest(deliveries: tuple[Delivery, ...]) -> Digest:
    (delivery,) = deliveries
    assert isinstance(delivery.content, Digest)
    return delivery.content


def test_one_digest_for_each_address() -> None:
    """All that waits for one address comes in one message, the most severe first."""
    mild = opening(item("Protest"), read("unrest", severity="moderate"))
    found = release(_held(mild, opening()), _LATER)
    digest = _digest(found)
    assert [alert.title for alert in digest.alerts] == [opening().item.title, "Protest"]
    assert (digest.reason, digest.since, found[0].lane) == (Reason.CATCH_UP, NOON, Lane.DIGEST)


def test_story_comes_once_with_what_became_of_it() -> None:
    """A story that moved on while the reader slept comes once, against what he knew, and says how it ended."""
    offer = opening(item("Envoy offers truce"), read("ceasefire_proposal", severity="minor"))
    deal = following(offer.story, item("Truce agreed", hours=0.1), read("ceasefire_agreement", severity="minor"))
    digest = _digest(release(_held(offer, deal), _LATER))
    (alert,) = digest.alerts
    assert alert.title == "Truce agreed"
    assert alert.detail == "ceasefire since agreed; proposed → agreed"
    assert alert.changes == (Change.NEW, Change.PHASE)


def test_nothing_comes_before_its_time() -> None:
    """What is not due stays where it is."""
    assert release(_held(opening()), NOON + timedelta(hours=1)) == ()


def test_muted_and_suspended_meanwhile() -> None:
    """A story muted, or an address lost, while the alert waited is left out."""
    held, wants = _held(opening()), subscription(quiet=_NIGHT)
    assert release(held, _LATER, [replace(wants, muted=frozenset({opening().story.id}))]) == ()
    assert release(held, _LATER, [replace(wants, suspended="gone")]) == ()
    assert release(held, _LATER, [replace(wants, zone="Asia/Tokyo")])[0].zone == "Asia/Tokyo"


def test_releasing_twice_queues_once() -> None:
    """The same held alerts make the same delivery id, in whatever order they come."""
    held = _held(opening(), opening(item("Another")))
    assert release(held, _LATER)[0].id == release(held[::-1], _LATER)[0].id


def test_a_flood_says_so() -> None:
    """A digest of a flood's overflow names the flood."""
    wants = subscription(flood_limit=1)
    held = _held(opening(), opening(item("Another")), wants=wants)
    assert _digest(release(held, _LATER)).reason is Reason.FLOOD
