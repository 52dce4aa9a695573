"""How numbers of people are worded: "54 killed (158 in all), was 41". Pure."""

from __future__ import annotations

from bot.channels.words import Phrasebook
from bot.model import Alert, Tally


def number(tally: Tally, words: Phrasebook) -> str:
    """The figure itself: "54", "40–50", "54 (50–60)", "at least 12", "up to 50"; "" where none is known."""
    low, best, high = tally.low, tally.best, tally.high
    if best is None:
        return _bounds(low, high, words)
    spread = (low is not None and low < best) or (high is not None and high > best)
    if not spread:
        return str(best)
    bottom, top = best if low is None else min(low, best), best if high is None else max(high, best)
    if bottom < best < top and abs((bottom + top) - 2 * best) <= 1:
        return f"{bottom}–{top}"
    return f"{best} ({bottom}–{top})"


def _bounds(low: int | None, high: int | None, words: Phrasebook) -> str:
    if low is not None and high is not None:
        return str(low) if low == high else f"{min(low, high)}–{max(low, high)}"
    if low is not None:
        return words.say("alert.at_least", n=low)
    return "" if high is None else words.say("alert.up_to", n=high)


def people(key: str, now: Tally | None, before: Tally | None, words: Phrasebook) -> str:
    """One kind of people: "54 killed (158 in all), was 41"; "" where no figure is known."""
    if now is None:
        return ""
    said = number(now, words)
    if not said:
        return "" if now.total is None else words.say(key, number=words.say("alert.in_all", n=now.total))
    text = words.say(key, number=said)
    if now.total is not None and now.total != now.best:
        text += f" ({words.say('alert.in_all', n=now.total)})"
    was = "" if before is None else number(before, words)
    return f"{text}, {words.say('alert.was', number=was)}" if was and was != said else text


def tolls(alert: Alert, words: Phrasebook) -> str:
    """Killed and injured in one line, "" where the story knows no number."""
    killed = people("alert.killed", alert.killed, alert.killed_before, words)
    injured = people("alert.injured", alert.injured, alert.injured_before, words)
    joint = "; " if "," in killed or "," in injured else ", "
    return joint.join(part for part in (killed, injured) if part)
