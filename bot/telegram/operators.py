"""Commands for the people who run the daemon, known by their numeric ids."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from bot.errors import TocsinError
from bot.model import Delivery, Feed, FeedStatus, Lane, Notice
from bot.telegram.acts import Act, Button, Change, Say, Toast, esc
from bot.telegram.incoming import first_link
from bot.telegram.visit import Visit

BROADCAST_CHARS = 3000
KEEP = timedelta(hours=24)
MOST_LINES = 15


async def add_feed(visit: Visit) -> Sequence[Act]:
    """``/addfeed URL``: one GET finds, checks and keeps a feed."""
    words, tools = visit.words, visit.tools
    url = first_link(visit.text)
    if not url or tools.add_feed is None:
        return [Say(esc(words.say("desk.addfeed_how")))]
    if not await _may_add(visit):
        return [Say(esc(words.say("desk.quota", n=tools.settings.max_added_feeds)))]
    try:
        feed = await tools.add_feed(url)
    except TocsinError as error:
        return [Say(f"✗ {esc(tools.voice.quote(str(error), 300))}")]
    return [Say(f"✓ {esc(words.say('desk.feed_added'))}\n{_feed_line(visit, feed)}")]


async def _may_add(visit: Visit) -> bool:
    """The day's quota of one person, and the daemon's own."""
    store, settings = visit.tools.store, visit.tools.settings
    if (await store.counts()).get("feeds", 0) >= settings.max_total_feeds:
        return False
    key, today = f"added_feeds:{visit.person.id}", visit.now.date().isoformat()
    day, _, number = (await store.meta_get(key) or "").partition(" ")
    used = int(number) if day == today and number.isdecimal() else 0
    if used >= settings.max_added_feeds:
        return False
    await store.meta_put(key, f"{today} {used + 1}")
    return True


def _feed_line(visit: Visit, feed: Feed) -> str:
    voice = visit.tools.voice
    problem = f" — {feed.state.problem} ×{feed.state.errors}" if feed.state.errors else ""
    status = "" if feed.state.status is FeedStatus.ACTIVE else f" [{feed.state.status.value}]"
    return esc(voice.quote(f"{feed.title or feed.url}{status}{problem}", 160))


async def feeds(visit: Visit) -> Sequence[Act]:
    """``/feeds``: how many, how they are, and the worst of them."""
    every = await visit.tools.store.feeds()
    by_status = Counter(feed.state.status.value for feed in every)
    counted = ", ".join(f"{status} {number}" for status, number in by_status.most_common())
    failing = sorted((feed for feed in every if feed.state.errors), key=lambda feed: -feed.state.errors)
    lines = [f"<b>{esc(visit.words.count('desk.feeds', len(every)))}</b> {esc(counted)}"]
    if failing:
        lines.append(esc(visit.words.count("desk.failing", len(failing))))
        lines += [f"• {_feed_line(visit, feed)}" for feed in failing[:MOST_LINES]]
    return [Say("\n".join(lines))]


async def status(visit: Visit) -> Sequence[Act]:
    """``/status``: what is late or failing, the queue, the last success."""
    store, voice, words = visit.tools.store, visit.tools.voice, visit.words
    every = await store.feeds()
    last = max((feed.state.last_ok for feed in every if feed.state.last_ok is not None), default=None)
    overdue = visit.now - timedelta(minutes=5)
    late = [feed for feed in every if feed.state.status is FeedStatus.ACTIVE and feed.state.next_due < overdue]
    troubles = list(await visit.tools.health())
    queue = ", ".join(f"{channel} {depth}" for channel, depth in sorted((await store.outbox_depth()).items())) or "0"
    dead = await store.dead_letters(5)
    lines = [
        f"<b>{'⚠️' if troubles or late else '✓'} Tocsin</b>",
        *(f"⚠️ {esc(voice.quote(trouble, 300))}" for trouble in troubles[:MOST_LINES]),
        esc(words.count("desk.feeds", len(every)) + " · " + words.count("desk.late", len(late))),
        esc(words.say("desk.last_ok", time=voice.time(last, visit.zone) if last else "—")),
        esc(words.say("desk.queue", queue=queue)),
        *(f"✗ {esc(voice.quote(f'{letter.delivery.target}: {letter.reason}', 160))}" for letter in dead),
    ]
    return [Say("\n".join(lines))]


async def broadcast(visit: Visit) -> Sequence[Act]:
    """``/broadcast words``: shown first, sent to every subscribed chat after a tap."""
    words = visit.words
    text = visit.text[:BROADCAST_CHARS].strip()
    if not text:
        return [Say(esc(words.say("desk.broadcast_how")))]
    await visit.note(draft=json.dumps({"id": visit.update_id, "text": text}))
    number = len(await _chats(visit))
    keys = [[Button(f"📣 {words.count('desk.broadcast_yes', number)}", f"bc:{visit.update_id}"), Button("✗", "bn")]]
    return [Say(f"📣 {esc(text)}", keys)]


async def broadcast_confirmed(visit: Visit) -> Sequence[Act]:
    """Sent, once: the draft is gone afterwards, and a second tap finds none."""
    draft = json.loads(visit.notes.draft or "{}")
    if str(draft.get("id")) != (*visit.parts, "")[0]:
        return [Toast(visit.words.say("desk.old_button"))]
    notice = Notice(str(draft["text"]), visit.now, "broadcast")
    chats = await _chats(visit)
    await visit.tools.store.enqueue([_owed(f"bc{draft['id']}@{target}", target, notice, visit) for target in chats])
    await visit.note(draft="")
    return [Change(esc(visit.words.count("desk.broadcast_done", len(chats))), ()), Toast("")]


async def broadcast_dropped(visit: Visit) -> Sequence[Act]:
    """Not sent."""
    await visit.note(draft="")
    return [Change(esc(visit.words.say("desk.broadcast_gone")), ()), Toast("")]


async def _chats(visit: Visit) -> list[str]:
    """Every subscribed chat once, suspended ones left out."""
    every = await visit.tools.store.subscriptions()
    return sorted({one.target for one in every if one.suspended is None and one.target.startswith("telegram:")})


def _owed(delivery_id: str, target: str, notice: Notice, visit: Visit) -> Delivery:
    return Delivery(
        id=delivery_id,
        target=target,
        content=notice,
        lane=Lane.DIGEST,
        created_at=visit.now,
        not_before=visit.now,
        expires_at=visit.now + KEEP,
    )


async def fire_drill(visit: Visit) -> Sequence[Act]:
    """``/fire_drill``: an exercise to every address; the receipts are listed when they are in."""
    everywhere = {*visit.tools.settings.targets, *await _chats(visit)}
    drill_id = f"drill{visit.update_id}"
    owed = visit.tools.drills.begin(drill_id, everywhere, visit.target, visit.words.language, visit.now)
    await visit.tools.store.enqueue(owed)
    return [Say(f"🧪 {esc(visit.words.count('desk.drill_begun', len(owed)))}")]
