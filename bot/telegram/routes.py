"""Which command and which button is whose, and who may use it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from bot.telegram import feedback, flow, looking, manage, operators, reasons
from bot.telegram.acts import Act, Say, esc
from bot.telegram.visit import Visit

Handler = Callable[[Visit], Awaitable[Sequence[Act]]]


class For(Enum):
    """Who may use it. Settings of a group are its administrators' to change."""

    ANYBODY = "anybody"
    SETTERS = "in groups, administrators"
    OPERATORS = "operators"


@dataclass(frozen=True, slots=True)
class Route:
    """One command or button."""

    handler: Handler
    whom: For = For.ANYBODY


async def help_(visit: Visit) -> Sequence[Act]:
    """``/help``: every command in a line."""
    words = visit.words
    shown = [name for name in COMMANDS if COMMANDS[name].whom is not For.OPERATORS and words.has(f"command.{name}")]
    if visit.operator:
        shown += [name for name in COMMANDS if COMMANDS[name].whom is For.OPERATORS]
    lines = [f"/{name} — {esc(words.say(f'command.{name}'))}" for name in shown]
    return [Say("\n".join([f"<b>{esc(words.say('desk.help'))}</b>", *lines]))]


COMMANDS: Mapping[str, Route] = {
    "start": Route(flow.start, For.SETTERS),
    "subscribe": Route(flow.subscribe, For.SETTERS),
    "subscriptions": Route(manage.subscriptions),
    "unsubscribe": Route(manage.unsubscribe, For.SETTERS),
    "latest": Route(looking.latest),
    "story": Route(looking.story),
    "search": Route(looking.search),
    "why": Route(reasons.why),
    "whynot": Route(reasons.why_not),
    "pause": Route(manage.pause, For.SETTERS),
    "resume": Route(manage.resume, For.SETTERS),
    "quiet": Route(manage.quiet, For.SETTERS),
    "digest": Route(manage.digest, For.SETTERS),
    "export": Route(manage.export, For.SETTERS),
    "stop": Route(manage.stop, For.SETTERS),
    "help": Route(help_),
    "addfeed": Route(operators.add_feed, For.OPERATORS),
    "feeds": Route(operators.feeds, For.OPERATORS),
    "status": Route(operators.status, For.OPERATORS),
    "broadcast": Route(operators.broadcast, For.OPERATORS),
    "fire_drill": Route(operators.fire_drill, For.OPERATORS),
}
"""By name, in the order of ``/help``."""

BUTTONS: Mapping[str, Route] = {
    "f": Route(flow.chosen, For.SETTERS),
    "g": Route(flow.region, For.SETTERS),
    "t": Route(flow.ask_place, For.SETTERS),
    "z": Route(manage.ask_zone, For.SETTERS),
    "l": Route(manage.back_to_list),
    "e": Route(manage.edit, For.SETTERS),
    "ev": Route(manage.edit_severity, For.SETTERS),
    "ed": Route(manage.edit_mode, For.SETTERS),
    "x": Route(manage.delete, For.SETTERS),
    "xa": Route(manage.delete_all, For.SETTERS),
    "pa": Route(manage.pause_pressed, For.SETTERS),
    "di": Route(manage.digest_pressed, For.SETTERS),
    "forget": Route(manage.forget, For.SETTERS),
    "mu": Route(feedback.mute, For.SETTERS),
    "um": Route(feedback.unmute, For.SETTERS),
    "so": Route(looking.sources),
    "wy": Route(reasons.why_pressed),
    "se": Route(feedback.seen),
    "up": Route(feedback.good),
    "dn": Route(feedback.bad),
    "fb": Route(feedback.fault),
    "bc": Route(operators.broadcast_confirmed, For.OPERATORS),
    "bn": Route(operators.broadcast_dropped, For.OPERATORS),
}
"""By the first part of the callback data."""

QUESTIONS: Mapping[str, Callable[[Visit, str], Awaitable[Sequence[Act]]]] = {
    "place": flow.typed_place,
    "zone": lambda visit, _rest: manage.typed_zone(visit),
}
"""By the question whose answer is awaited."""
