"""Why I was told, and why I was not."""

from __future__ import annotations

from collections.abc import Sequence

from bot.model import NonDelivery, Story
from bot.ports import ItemTrail
from bot.telegram.acts import Act, Say, Toast, esc
from bot.telegram.incoming import first_link
from bot.telegram.visit import Visit
from classifiers.assessment import Assessment

MOST_WORDS = 8


async def why(visit: Visit) -> Sequence[Act]:
    """``/why`` with a link or a story id, or in answer to an alert: words, signals, sources, rule."""
    return [Say(await _explained(visit))]


async def why_not(visit: Visit) -> Sequence[Act]:
    """``/whynot URL``: was it seen, what was read in it, what kept it from this chat."""
    link = first_link(visit.text) or visit.link
    if not link:
        return [Say(esc(visit.words.say("desk.whynot_how")))]
    return [Say(_silence(visit, await visit.tools.store.trail(link)))]


async def why_pressed(visit: Visit) -> Sequence[Act]:
    """The Why button under an alert."""
    found = await visit.tools.store.story((*visit.parts, "")[0])
    if found is None:
        return [Toast(visit.words.say("desk.nothing"), loud=True)]
    return [Say(await _of_story(visit, found)), Toast("")]


async def _explained(visit: Visit) -> str:
    wanted = first_link(visit.text) or visit.text.strip() or visit.link
    if not wanted:
        return esc(visit.words.say("desk.why_how"))
    trail = await visit.tools.store.trail(wanted)
    if trail is not None:
        return _of_trail(visit, trail)
    found = await visit.tools.store.story(wanted) if wanted.isalnum() else None
    return esc(visit.words.say("desk.never_seen")) if found is None else await _of_story(visit, found)


async def _of_story(visit: Visit, story: Story) -> str:
    for source in story.sources:
        trail = await visit.tools.store.trail(source.item_uid)
        if trail is not None:
            return _of_trail(visit, trail, story)
    return esc(visit.words.say("desk.never_seen"))


def _of_trail(visit: Visit, trail: ItemTrail, story: Story | None = None) -> str:
    """The words that made the classifier think so, what it thinks, and the rule that asked for it."""
    words, voice = visit.words, visit.tools.voice
    story = story or trail.story
    lines = [f"❓ <b>{esc(voice.quote(trail.item.title or trail.item.summary, 150))}</b>"]
    if trail.assessment is not None:
        lines += _reading_lines(visit, trail.assessment)
    lines += _verdict_lines(visit, trail)
    if story is not None:
        lines.append(esc(words.count("desk.why_sources", sum(source.independent for source in story.sources))))
    return "\n".join(lines)


def _reading_lines(visit: Visit, read: Assessment) -> list[str]:
    words, voice = visit.words, visit.tools.voice
    named = sorted(read.labels, key=lambda label: -read.signals.get(label, 0.0))
    signals = ", ".join(f"{_signal(visit, label)} {read.signals.get(label, 0.0):.0%}" for label in named)
    lines = [f"{esc(words.say('desk.why_signals'))} {esc(signals or words.say('reason.no_signal'))}"]
    evidence = sorted(read.evidence, key=lambda span: -span.weight)
    telling = list(dict.fromkeys(voice.quote(span.text, 40) for span in evidence if span.weight > 0))[:MOST_WORDS]
    if telling:
        lines.append(f"{esc(words.say('desk.why_words'))} {esc(', '.join(f'“{word}”' for word in telling))}")
    return lines


def _verdict_lines(visit: Visit, trail: ItemTrail) -> list[str]:
    verdict, words = trail.verdict, visit.words
    if verdict is None:
        return [esc(words.say("desk.no_verdict"))]
    lines = [f"{esc(words.say('desk.why_verdict'))} {esc(words.say(f'reason.{verdict.reason.name.lower()}'))}"]
    if verdict.rules:
        named = ", ".join(visit.tools.voice.quote(rule, 60) for rule in verdict.rules[:5])
        lines.append(f"{esc(words.say('desk.why_rules'))} {esc(named)}")
    return lines


def _signal(visit: Visit, label: str) -> str:
    key = f"signal.{label}"
    return visit.words.say(key) if visit.words.has(key) else label


def _silence(visit: Visit, trail: ItemTrail | None) -> str:
    """One reason, the one that decided for this chat."""
    words, voice = visit.words, visit.tools.voice
    if trail is None:
        return esc(words.say("desk.never_seen"))
    head = f"🔇 <b>{esc(voice.quote(trail.item.title or trail.item.summary, 150))}</b>"
    told = [(delivery, state) for delivery, state in trail.deliveries if delivery.target == visit.target]
    if told:
        state = words.say(f"desk.state_{told[-1][1]}") if words.has(f"desk.state_{told[-1][1]}") else told[-1][1]
        return f"{head}\n{esc(words.say('desk.was_told', state=state))}"
    mine = [silent for silent in trail.silent if silent.target == visit.target]
    if mine:
        return "\n".join([head, *dict.fromkeys(_because(visit, silent) for silent in mine[-5:])])
    if trail.verdict is None:
        return f"{head}\n{esc(words.say('desk.no_verdict'))}"
    reason = esc(words.say(f"reason.{trail.verdict.reason.name.lower()}"))
    nearest = f" ({esc(voice.quote(trail.verdict.nearest, 120))})" if trail.verdict.nearest else ""
    return f"{head}\n{reason}{nearest}"


def _because(visit: Visit, silent: NonDelivery) -> str:
    reason = visit.words.say(f"reason.{silent.reason.name.lower()}")
    detail = f" ({visit.tools.voice.quote(silent.detail, 120)})" if silent.detail else ""
    return f"• {esc(reason + detail)}"
