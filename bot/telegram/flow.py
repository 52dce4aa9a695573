"""Setting up a subscription by tapping: what, where, how much, when. Four taps, no reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.model import Circle, Severity, Story, Subscription
from bot.telegram.acts import Act, Button, Change, Keyboard, Say, Toast, esc, in_rows
from bot.telegram.choices import (
    PLACE_RADIUS_KM,
    PRESETS,
    REGIONS,
    SEVERITIES,
    WAYS,
    Choice,
    describe,
    filter_of,
    read_choice,
    read_deep_link,
    read_words,
    subscription_of,
)
from bot.telegram.visit import MAX_PLACES, Visit

LOOK_BACK = timedelta(days=30)
SHOWN_TITLES = 3
_WAY_MARKS = {"n": "⚡", "q": "🌙", "h": "🕐", "d": "📅"}


async def start(visit: Visit) -> Sequence[Act]:
    """``/start``: greet and begin, wake what slept, or take up the preset of a deep link."""
    await _wake(visit)
    choice = read_deep_link(visit.text)
    if choice is not None:
        return await _next(visit, choice, fresh=True)
    return [Say(f"{visit.words.say('desk.greeting')}\n\n{_question(visit, 'what')}", _what_keys(visit))]


async def subscribe(visit: Visit) -> Sequence[Act]:
    """``/subscribe``: begin, with what the words behind it already say."""
    return await _next(visit, read_words(visit.text, visit.tools.voice), fresh=True)


async def _wake(visit: Visit) -> None:
    """Who blocked the bot and comes back gets his subscriptions back (T04)."""
    asleep = [one for one in await visit.subscriptions() if one.suspended is not None]
    await visit.keep([replace(one, suspended=None) for one in asleep])


async def chosen(visit: Visit) -> Sequence[Act]:
    """A tap in the dialogue; the one that begins it anew leaves the message under which it stands."""
    if not visit.parts:
        return [*await _next(visit, Choice(), fresh=True), Toast("")]
    return await _next(visit, read_choice(visit.parts), fresh=False)


async def _next(visit: Visit, choice: Choice, *, fresh: bool) -> Sequence[Act]:
    """Ask the first question that is still open, or make the subscription."""
    if choice.where.startswith("@") and int(choice.where[1:]) >= len(visit.notes.places):
        choice = replace(choice, where="")
    if not choice.what:
        return _page(fresh, _question(visit, "what"), _what_keys(visit))
    if not choice.where:
        return _page(fresh, _question(visit, "where", choice), _where_keys(visit, choice))
    if choice.severity is None:
        return _page(fresh, await _severity_text(visit, choice), _severity_keys(visit, choice))
    if not choice.way or fresh:  # what a link or typed words say is never done without a tap
        text = f"{_question(visit, 'when', choice)}\n{esc(visit.words.say('desk.zone_is', zone=visit.zone))}"
        return _page(fresh, text, _way_keys(visit, choice))
    return await _make(visit, choice)


def _page(fresh: bool, text: str, keyboard: Keyboard) -> list[Act]:
    return [Say(text, keyboard)] if fresh else [Change(text, keyboard), Toast("")]


def _question(visit: Visit, step: str, choice: Choice | None = None) -> str:
    """The question, above it what has been chosen so far."""
    question = f"<b>{esc(visit.words.say(f'desk.ask_{step}'))}</b>"
    if choice is None or not choice.what:
        return question
    so_far = describe(choice, visit.notes.places, visit.tools.voice, visit.words)
    so_far = so_far if choice.where else visit.words.say(f"preset.{choice.what}")
    return f"{PRESETS[choice.what][0]} {esc(so_far)}\n\n{question}"


def _what_keys(visit: Visit) -> Keyboard:
    buttons = [
        Button(f"{mark} {visit.words.say(f'preset.{code}')}", Choice(code).data())
        for code, (mark, _) in PRESETS.items()
    ]
    return in_rows(buttons, 1)


def _where_keys(visit: Visit, choice: Choice) -> Keyboard:
    words = visit.words
    regions = [Button(words.say(f"region.{region}"), f"g:{choice.what}:{region}") for region in REGIONS]
    return [
        [Button(f"🌐 {words.say('region.everywhere')}", replace(choice, where="*").data())],
        *in_rows(regions, 2),
        [Button(f"✍️ {words.say('desk.type_place')}", f"t:{choice.what}")],
    ]


async def region(visit: Visit) -> Sequence[Act]:
    """A tap on a region: all of it, or one of its countries."""
    what, code = (*visit.parts, "", "")[:2]
    choice = read_choice((what,))
    if not choice.what or code not in REGIONS:
        return await _next(visit, choice, fresh=False)
    voice, words = visit.tools.voice, visit.words
    countries = [
        Button(f"{voice.flag(c)} {voice.country(c, words.language)}", replace(choice, where=c).data())
        for c in REGIONS[code]
    ]
    whole = Button(
        words.say("desk.all_of", region=words.say(f"region.{code}")), replace(choice, where=f"r-{code}").data()
    )
    keyboard = [[whole], *in_rows(countries, 2), [Button("↩️", choice.data())]]
    return [Change(_question(visit, "where", choice), keyboard), Toast("")]


async def _severity_text(visit: Visit, choice: Choice) -> str:
    """The question, with how much each answer would have sent in the last 30 days."""
    stories = await _would_have(visit, choice)
    lines = [_question(visit, "much", choice)]
    if stories:
        lines.append(esc(visit.words.say("desk.last_days")))
        for severity, mark in SEVERITIES:
            number = sum(1 for story in stories if (story.severity or 0) >= severity)
            lines.append(f"{mark} {esc(visit.words.count('desk.would_send', number))}")
    return "\n".join(lines)


def _severity_keys(visit: Visit, choice: Choice) -> Keyboard:
    words = visit.words
    buttons = []
    for severity, mark in SEVERITIES:
        name = words.say(f"severity.{severity.word}")
        label = name if severity is Severity.EXTREME else words.say("desk.or_worse", severity=name)
        label = words.say("desk.any_severity") if severity is Severity.MINOR else label
        buttons.append(Button(f"{mark} {label}", replace(choice, severity=severity).data()))
    return in_rows(buttons, 1)


def _way_keys(visit: Visit, choice: Choice) -> Keyboard:
    buttons = [
        Button(f"{_WAY_MARKS[way]} {visit.words.say(f'way.{way}')}", replace(choice, way=way).data()) for way in WAYS
    ]
    return in_rows(buttons, 1)


async def _would_have(visit: Visit, choice: Choice) -> Sequence[Story]:
    return await visit.tools.preview(filter_of(choice, visit.notes.places), visit.now - LOOK_BACK)


async def _make(visit: Visit, choice: Choice) -> Sequence[Act]:
    """The fourth tap."""
    words, settings = visit.words, visit.tools.settings
    mine = await visit.subscriptions()
    name = describe(choice, visit.notes.places, visit.tools.voice, words)
    made = subscription_of(
        choice,
        visit.target,
        name=name,
        places=visit.notes.places,
        zone=visit.zone,
        language=words.language,
        flood_limit=settings.flood_limit,
        owner=str(visit.person.id),
        now=visit.now,
    )
    if made.id not in {one.id for one in mine} and len(mine) >= settings.max_subscriptions:
        return [Toast(words.say("desk.too_many", n=settings.max_subscriptions), loud=True)]
    await visit.keep([made])
    await visit.note(language=words.language, ask="")
    return [Change(await _done_text(visit, choice, made), _done_keys(visit, made)), Toast(words.say("desk.done"))]


async def _done_text(visit: Visit, choice: Choice, made: Subscription) -> str:
    words, voice = visit.words, visit.tools.voice
    way = words.say(f"way.{choice.way}")
    lines = [f"✅ <b>{esc(made.rule.name)}</b>", esc(f"{way} · {visit.zone}"), ""]
    stories = await _would_have(visit, choice)
    lines.append(esc(words.count("desk.preview", len(stories))))
    for story in stories[:SHOWN_TITLES]:
        when = voice.time(story.updated_at, visit.zone)[:10]
        lines.append(f"• {when} {esc(voice.quote(story.title, 110))}")
    return "\n".join([*lines, "", esc(words.say("desk.after"))])


def _done_keys(visit: Visit, made: Subscription) -> Keyboard:
    words = visit.words
    return [
        [
            Button(f"➕ {words.say('desk.another')}", "f"),
            Button(f"✏️ {words.say('desk.edit')}", f"e:{made.id}"),
        ],
        [Button(f"🌍 {words.say('desk.set_zone')}", "z"), Button(f"🗑 {words.say('desk.delete')}", f"x:{made.id}")],
    ]


# --- a typed place ------------------------------------------------------------------------------------------------


async def ask_place(visit: Visit) -> Sequence[Act]:
    """ "Type a place": the next words are taken for one."""
    what = (*visit.parts, "")[0]
    await visit.note(ask=f"place:{what}")
    return [Say(esc(visit.words.say("desk.which_place")), ask=True), Toast("")]


async def typed_place(visit: Visit, what: str) -> Sequence[Act]:
    """Words that name a place: a country, or one that the gazetteer knows."""
    wanted = visit.text.strip()[:100]
    choice = read_choice((what,))
    code = visit.tools.voice.find_country(wanted)
    if code is not None:
        await visit.note(ask="")
        return await _next(visit, replace(choice, where=code), fresh=True)
    found = [place for place in visit.tools.places(wanted) if place.lat is not None and place.lon is not None]
    if not found:
        return [Say(esc(visit.words.say("desk.unknown_place", place=visit.tools.voice.quote(wanted, 60))), ask=True)]
    first = found[0]
    circle = Circle(first.name, first.lat or 0.0, first.lon or 0.0, PLACE_RADIUS_KM)
    places = _with_place(visit.notes.places, circle)
    notes = await visit.note(ask="", places=places)
    visit = replace(visit, notes=notes)
    return await _next(visit, replace(choice, where=f"@{places.index(circle)}"), fresh=True)


def _with_place(places: tuple[Circle, ...], circle: Circle) -> tuple[Circle, ...]:
    """The place appended once; of too many the oldest numbers are used again."""
    if circle in places:
        return places
    return (*places, circle) if len(places) < MAX_PLACES else (circle, *places[1:])
