"""Looking back: the latest, one story, a search. Read-only, open to everybody in a chat."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.model import Alert, Reason, Severity, Story, VerdictKind
from bot.telegram.acts import Act, Say, Show, Toast, esc
from bot.telegram.preview import asks_for
from bot.telegram.visit import Visit

LATEST_WITHIN = timedelta(days=7)
SEARCH_WITHIN = timedelta(days=365)
MOST_STORIES = 8
_MARKS = {None: "⚪", Severity.MINOR: "🔵", Severity.MODERATE: "🟡", Severity.SEVERE: "🟠", Severity.EXTREME: "🔴"}


def picture(story: Story, visit: Visit) -> Alert:
    """A story as it now stands, in the form of an alert."""
    return Alert(
        story_id=story.id,
        kind=VerdictKind.ALERT,
        reason=Reason.NEW_STORY,
        at=visit.now,
        happened_at=story.updated_at,
        title=story.title,
        summary=story.summary,
        link=story.link,
        outlet=story.outlet,
        severity=story.severity,
        certainty=story.certainty,
        urgency=story.urgency,
        score=story.score,
        signals=tuple(sorted(story.signals, key=lambda name: (-story.signals[name], name))),
        countries=story.countries,
        places=story.places,
        killed=story.killed,
        injured=story.injured,
        phase=story.phase,
        phase_before=story.phases[-2].phase if len(story.phases) > 1 else None,
        sources=story.sources,
        claims=story.claims,
    )


async def latest(visit: Visit) -> Sequence[Act]:
    """``/latest``: the newest stories that this chat's subscriptions ask for; without any, the severe ones."""
    filters = [one.rule.filter for one in await visit.subscriptions()]
    stories = await visit.tools.store.open_stories(visit.now - LATEST_WITHIN)
    newest = sorted(stories, key=lambda story: story.updated_at, reverse=True)
    if filters:
        wanted = [story for story in newest if any(asks_for(asked, story) for asked in filters)]
    else:
        wanted = [story for story in newest if (story.severity or 0) >= Severity.SEVERE]
    return [_listing(visit, wanted[:MOST_STORIES], visit.words.say("desk.latest"))]


async def search(visit: Visit) -> Sequence[Act]:
    """``/search words``: stories whose title or summary holds all of them."""
    wanted = visit.text[:200]
    if not wanted:
        return [Say(esc(visit.words.say("desk.search_how")))]
    found = await visit.tools.store.search(wanted, visit.now - SEARCH_WITHIN, MOST_STORIES)
    return [_listing(visit, found, f"🔎 {visit.tools.voice.quote(wanted, 60)}")]


def _listing(visit: Visit, stories: Sequence[Story], head: str) -> Say:
    if not stories:
        return Say(f"<b>{esc(head)}</b>\n{esc(visit.words.say('desk.nothing'))}")
    return Say("\n".join([f"<b>{esc(head)}</b>", *(_line(visit, story) for story in stories)]))


def _line(visit: Visit, story: Story) -> str:
    voice = visit.tools.voice
    flags = "".join(voice.flag(code) for code in story.countries[:3])
    when = voice.time(story.updated_at, visit.zone)[5:16]
    title = esc(voice.quote(story.title, 140))
    return f"\n{_MARKS[story.severity]}{flags} <i>{when}</i> {title}\n/story_{story.id}"


async def story(visit: Visit) -> Sequence[Act]:
    """``/story ID``, or ``/story words``: the whole of it, as an alert reads."""
    wanted = visit.text.strip()
    if not wanted:
        return [Say(esc(visit.words.say("desk.story_how")))]
    found = await visit.tools.store.story(wanted) if wanted.isalnum() else None
    if found is None:
        matches = await visit.tools.store.search(wanted[:200], visit.now - SEARCH_WITHIN, 1)
        found = matches[0] if matches else None
    if found is None:
        return [Say(esc(visit.words.say("desk.nothing")))]
    return [Show(picture(found, visit))]


async def sources(visit: Visit) -> Sequence[Act]:
    """The Sources button: who reports it, since when, independent or not."""
    found = await visit.tools.store.story((*visit.parts, "")[0])
    if found is None:
        return [Toast(visit.words.say("desk.nothing"), loud=True)]
    voice, words = visit.tools.voice, visit.words
    lines = [f"📰 <b>{esc(voice.quote(found.title, 120))}</b>"]
    for source in found.sources[:15]:
        mark = "🏛" if source.official else "•" if source.independent else "↳"
        copy = "" if source.independent else f" ({esc(words.say('desk.copy'))})"
        name = esc(voice.quote(source.outlet, 60))
        anchor = f'<a href="{esc(source.link)}">{name}</a>' if _is_web(source.link) else name
        lines.append(f"{mark} {voice.time(source.at, visit.zone)[5:16]} {anchor}{copy}")
    hidden = len(found.sources) - 15
    return [Say("\n".join([*lines, f"… +{hidden}"] if hidden > 0 else lines)), Toast("")]


def _is_web(link: str) -> bool:
    return link.startswith(("https://", "http://")) and len(link) < 2000 and not any(char <= " " for char in link)
