"""Changing and ending subscriptions: lists with buttons, pauses, quiet hours, digests, zones, goodbye."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime, time

from bot.model import DigestMode, QuietHours, Severity, Subscription
from bot.telegram import times
from bot.telegram.acts import Act, Button, Change, Keyboard, Say, Toast, esc, in_rows
from bot.telegram.choices import SEVERITIES
from bot.telegram.visit import Visit

EXPORT_UNITS = 3500
_PAUSES = ("1h", "8h", "1d", "1w")
_MODE_CODES = {"n": DigestMode.AT_ONCE, "h": DigestMode.HOURLY, "d": DigestMode.DAILY}
_OFF = frozenset({"off", "no", "-", "0"})


# --- lists --------------------------------------------------------------------------------------------------------


async def subscriptions(visit: Visit) -> Sequence[Act]:
    """``/subscriptions``: what this chat asked for, with buttons to edit and delete."""
    text, keyboard = await _listing(visit)
    return [Say(text, keyboard)]


async def back_to_list(visit: Visit) -> Sequence[Act]:
    """The list again, in place."""
    text, keyboard = await _listing(visit)
    return [Change(text, keyboard), Toast("")]


async def _listing(visit: Visit) -> tuple[str, Keyboard]:
    words, mine = visit.words, await visit.subscriptions()
    if not mine:
        return esc(words.say("desk.none_yet")), [[Button(f"➕ {words.say('desk.another')}", "f")]]
    lines = [f"<b>{esc(words.say('desk.yours'))}</b>"]
    rows = []
    for number, one in enumerate(mine, 1):
        lines.append(f"{number}. {describe(visit, one)}")
        rows.append([Button(f"✏️ {number}", f"e:{one.id}"), Button(f"🗑 {number}", f"x:{one.id}")])
    return "\n".join(lines), [*rows, [Button(f"➕ {words.say('desk.another')}", "f")]]


def describe(visit: Visit, one: Subscription) -> str:
    """One subscription in a line of HTML."""
    words = visit.words
    parts = [f"<b>{esc(visit.tools.voice.quote(one.rule.name, 120))}</b>", esc(_manner(visit, one))]
    if one.suspended is not None:
        parts.append(f"⛔ {esc(words.say('reason.suspended'))}")
    elif one.paused_until is not None and one.paused_until > visit.now:
        parts.append(f"⏸ {esc(words.say('desk.until', time=visit.tools.voice.time(one.paused_until, visit.zone)))}")
    return " · ".join(parts)


def _manner(visit: Visit, one: Subscription) -> str:
    words = visit.words
    code = {mode: code for code, mode in _MODE_CODES.items()}[one.digest]
    way = words.say(f"way.{code}")
    if one.digest is DigestMode.DAILY:
        way = f"{way} {one.digest_at:%H:%M}"
    return way if one.quiet is None else f"{way} · 🌙 {one.quiet.start:%H:%M}–{one.quiet.end:%H:%M}"


async def unsubscribe(visit: Visit) -> Sequence[Act]:
    """``/unsubscribe``: the list to choose from; ``/unsubscribe all`` ends everything after a tap."""
    if visit.text.casefold() in ("all", "*"):
        yes = Button(f"🗑 {visit.words.say('desk.delete_all')}", "xa")
        return [Say(esc(visit.words.say("desk.sure_all")), [[yes, Button("↩️", "l")]])]
    return await subscriptions(visit)


async def edit(visit: Visit) -> Sequence[Act]:
    """One subscription with what can be changed of it."""
    one = await visit.subscription((*visit.parts, "")[0])
    return await back_to_list(visit) if one is None else [*_edit_page(visit, one), Toast("")]


def _edit_page(visit: Visit, one: Subscription) -> list[Act]:
    words = visit.words
    severities = [
        Button(_ticked(mark, one.rule.filter.min_severity is severity), f"ev:{one.id}:{int(severity)}")
        for severity, mark in SEVERITIES
    ]
    modes = [
        Button(_ticked(words.say(f"way.{code}"), one.digest is mode), f"ed:{one.id}:{code}")
        for code, mode in _MODE_CODES.items()
    ]
    last = [Button(f"🗑 {words.say('desk.delete')}", f"x:{one.id}"), Button("↩️", "l")]
    text = f"{describe(visit, one)}\n\n{esc(words.say('desk.edit_hint'))}"
    return [Change(text, [severities, *in_rows(modes, 3), last])]


def _ticked(label: str, on: bool) -> str:
    return f"✓ {label}" if on else label


async def edit_severity(visit: Visit) -> Sequence[Act]:
    """Another least severity."""
    subscription_id, level = (*visit.parts, "", "")[:2]
    one = await visit.subscription(subscription_id)
    if one is None or level not in ("1", "2", "3", "4"):
        return await back_to_list(visit)
    severity = Severity(int(level))
    # the name said the old severity at its end, where the dialogue put it
    old = visit.words.say("desk.or_worse", severity=visit.words.say(f"severity.{one.rule.filter.min_severity.word}"))
    name = one.rule.name.removesuffix(f" · {old}")
    if severity is not Severity.MINOR:
        new = visit.words.say("desk.or_worse", severity=visit.words.say(f"severity.{severity.word}"))
        name = f"{name} · {new}"
    changed = replace(one, rule=replace(one.rule, name=name, filter=replace(one.rule.filter, min_severity=severity)))
    await visit.keep([changed])
    return [*_edit_page(visit, changed), Toast(visit.words.say("desk.saved"))]


async def edit_mode(visit: Visit) -> Sequence[Act]:
    """At once, hourly or daily."""
    subscription_id, code = (*visit.parts, "", "")[:2]
    one = await visit.subscription(subscription_id)
    if one is None or code not in _MODE_CODES:
        return await back_to_list(visit)
    changed = replace(one, digest=_MODE_CODES[code])
    await visit.keep([changed])
    return [*_edit_page(visit, changed), Toast(visit.words.say("desk.saved"))]


async def delete(visit: Visit) -> Sequence[Act]:
    """One subscription ends."""
    await visit.tools.store.delete_subscriptions(visit.target, (*visit.parts, "")[0])
    text, keyboard = await _listing(visit)
    return [Change(text, keyboard), Toast(visit.words.say("desk.deleted"))]


async def delete_all(visit: Visit) -> Sequence[Act]:
    """All of them end; what the chat set otherwise stays."""
    await visit.tools.store.delete_subscriptions(visit.target)
    text, keyboard = await _listing(visit)
    return [Change(text, keyboard), Toast(visit.words.say("desk.deleted"))]


# --- pauses -------------------------------------------------------------------------------------------------------


async def pause(visit: Visit) -> Sequence[Act]:
    """``/pause 2h``: nothing is sent for a while; without words, a choice."""
    if not visit.text:
        buttons = [Button(f"⏸ {span}", f"pa:{span}") for span in _PAUSES]
        return [Say(esc(visit.words.say("desk.pause_how")), [buttons])]
    text = await _pause(visit, visit.text)
    return [Say(esc(text or visit.words.say("desk.pause_bad")))]


async def pause_pressed(visit: Visit) -> Sequence[Act]:
    """A span chosen by tapping."""
    text = await _pause(visit, (*visit.parts, "")[0])
    return [Change(esc(text), ()) if text else Toast(""), Toast("")]


async def _pause(visit: Visit, span: str) -> str:
    length = times.duration(span)
    mine = await visit.subscriptions()
    if length is None:
        return ""
    if not mine:
        return visit.words.say("desk.none_yet")
    until = visit.now + length
    await visit.keep([replace(one, paused_until=until) for one in mine])
    return visit.words.say("desk.paused", time=visit.tools.voice.time(until, visit.zone))


async def resume(visit: Visit) -> Sequence[Act]:
    """``/resume``: pauses and suspensions end."""
    mine = await visit.subscriptions()
    await visit.keep([replace(one, paused_until=None, suspended=None) for one in mine])
    return [Say(esc(visit.words.say("desk.resumed" if mine else "desk.none_yet")))]


# --- quiet hours, digests, zones ----------------------------------------------------------------------------------


async def quiet(visit: Visit) -> Sequence[Act]:
    """``/quiet 22-7 Asia/Baku``, ``/quiet off``; without words, how it is and how to change it."""
    words, mine = visit.words, await visit.subscriptions()
    if not visit.text:
        await visit.note(ask="zone")
        now = next((one.quiet for one in mine if one.quiet is not None), None)
        state = words.say("desk.quiet_none") if now is None else f"🌙 {now.start:%H:%M}–{now.end:%H:%M} {now.zone}"
        return [Say(esc(f"{state}\n{words.say('desk.zone_is', zone=visit.zone)}\n\n{words.say('desk.quiet_how')}"))]
    if visit.text.casefold() in _OFF:
        await visit.keep([replace(one, quiet=None) for one in mine])
        return [Say(esc(words.say("desk.quiet_off")))]
    parsed = times.span(visit.text)
    zone = visit.zone if parsed is None or not parsed[2] else times.zone(parsed[2])
    if parsed is None or zone is None:
        return [Say(esc(words.say("desk.quiet_bad")))]
    hours = QuietHours(parsed[0], parsed[1], zone)
    await visit.note(zone=zone if parsed[2] else visit.notes.zone)
    await visit.keep([replace(one, quiet=hours, zone=zone) for one in mine])
    said = words.say("desk.quiet_set", start=f"{hours.start:%H:%M}", end=f"{hours.end:%H:%M}", zone=zone)
    return [Say(esc(said if mine else f"{said}\n{words.say('desk.none_yet')}"))]


async def digest(visit: Visit) -> Sequence[Act]:
    """``/digest off|hourly|daily [HH:MM]`` for all of this chat's subscriptions."""
    words = visit.words
    name, _, rest = visit.text.casefold().partition(" ")
    modes = {"hourly": DigestMode.HOURLY, "daily": DigestMode.DAILY, **dict.fromkeys(_OFF, DigestMode.AT_ONCE)}
    at = times.clock(rest) if rest.strip() else time(7, 0)
    if name not in modes or at is None:
        buttons = [Button(words.say(f"way.{code}"), f"di:{code}") for code in _MODE_CODES]
        return [Say(esc(words.say("desk.digest_how")), in_rows(buttons, 1))]
    return [Say(esc(await _digest(visit, modes[name], at)))]


async def digest_pressed(visit: Visit) -> Sequence[Act]:
    """A way to be told, chosen by tapping."""
    mode = _MODE_CODES.get((*visit.parts, "")[0], DigestMode.AT_ONCE)
    return [Change(esc(await _digest(visit, mode, time(7, 0)))), Toast("")]


async def _digest(visit: Visit, mode: DigestMode, at: time) -> str:
    words, mine = visit.words, await visit.subscriptions()
    if not mine:
        return words.say("desk.none_yet")
    await visit.keep([replace(one, digest=mode, digest_at=at) for one in mine])
    code = {mode: code for code, mode in _MODE_CODES.items()}[mode]
    way = words.say(f"way.{code}")
    return words.say("desk.digest_set", way=f"{way} {at:%H:%M} {visit.zone}" if mode is DigestMode.DAILY else way)


async def ask_zone(visit: Visit) -> Sequence[Act]:
    """ "Set time zone": the next words, or a shared location, are taken for it."""
    await visit.note(ask="zone")
    return [Say(esc(visit.words.say("desk.which_zone")), ask=True), Toast("")]


async def typed_zone(visit: Visit) -> Sequence[Act]:
    """Words or a position that name a time zone."""
    zone = times.zone_at(*visit.position) if visit.position is not None else times.zone(visit.text)
    if zone is None:
        return [Say(esc(visit.words.say("desk.unknown_zone")), ask=True)]
    await visit.note(zone=zone, ask="")
    mine = await visit.subscriptions()
    await visit.keep([replace(one, zone=zone, quiet=one.quiet and replace(one.quiet, zone=zone)) for one in mine])
    now = visit.tools.voice.time(visit.now, zone)
    return [Say(esc(visit.words.say("desk.zone_set", zone=zone, time=now)))]


# --- one's own data -----------------------------------------------------------------------------------------------


async def stop(visit: Visit) -> Sequence[Act]:
    """``/stop``: after one more tap everything kept of this chat is deleted."""
    words = visit.words
    keys = [[Button(f"🗑 {words.say('desk.stop_yes')}", "forget"), Button(words.say("desk.stop_no"), "l")]]
    return [Say(esc(words.say("desk.stop_sure")), keys)]


async def forget(visit: Visit) -> Sequence[Act]:
    """Deleted."""
    await visit.tools.store.forget_chat(visit.target)
    return [Change(esc(visit.words.say("desk.forgotten")), ()), Toast("")]


async def export(visit: Visit) -> Sequence[Act]:
    """``/export``: everything kept of this chat, as JSON."""
    kept = {
        "chat": visit.target,
        "notes": dict(await visit.tools.store.chat_get(visit.target)),
        "subscriptions": [asdict(one) for one in await visit.subscriptions()],
    }
    text = json.dumps(kept, ensure_ascii=False, indent=1, default=_plain)
    pages = [text[at : at + EXPORT_UNITS // 2] for at in range(0, len(text), EXPORT_UNITS // 2)]
    return [Say(f"<pre>{esc(page)}</pre>") for page in pages]


def _plain(value: object) -> object:
    if isinstance(value, datetime | time):
        return value.isoformat()
    return sorted(value) if isinstance(value, set | frozenset) else str(value)
