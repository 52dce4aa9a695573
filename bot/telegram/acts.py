"""What a handler wants done, as data: deciding what to answer and sending it are kept apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.model import Content

MAX_CALLBACK_BYTES = 64


@dataclass(frozen=True, slots=True)
class Button:
    """An inline button with its callback data."""

    label: str
    data: str


Keyboard = Sequence[Sequence[Button]]


@dataclass(frozen=True, slots=True)
class Say:
    """A new message, in Telegram's HTML. ``ask`` opens the reply field: the answer is expected as words."""

    html: str
    keyboard: Keyboard = ()
    ask: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """New words and buttons for the message whose button was tapped."""

    html: str
    keyboard: Keyboard = ()


@dataclass(frozen=True, slots=True)
class Toast:
    """The short answer to a tap. ``loud`` shows it as a box that must be closed."""

    text: str
    loud: bool = False


@dataclass(frozen=True, slots=True)
class Show:
    """An alert or a digest, rendered as the channel renders it."""

    content: Content


Act = Say | Change | Toast | Show


def esc(text: str) -> str:
    """Escape for Telegram's HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def markup(keyboard: Keyboard) -> Mapping[str, object]:
    """An inline keyboard as JSON; buttons whose data does not fit are left out."""
    rows = [
        [
            {"text": button.label, "callback_data": button.data}
            for button in row
            if 1 <= len(button.data.encode()) <= MAX_CALLBACK_BYTES
        ]
        for row in keyboard
    ]
    return {"inline_keyboard": [row for row in rows if row]}


def in_rows(buttons: Sequence[Button], width: int) -> list[list[Button]]:
    """Buttons side by side, ``width`` to a row."""
    return [list(buttons[at : at + width]) for at in range(0, len(buttons), width)]
