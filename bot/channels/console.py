"""The console: coloured with Rich on a terminal, plain lines anywhere else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import TextIO

from bot.channels.daemon_thread import call_with_deadline
from bot.channels.render import plain, words_for
from bot.errors import DeliveryError, DeliveryProblem
from bot.model import Alert, Delivery, Message, Mode, Receipt, Severity
from bot.ports import Pace

DEFAULT_PACE = Pace(per_second=200.0, per_address_per_second=200.0, concurrency=1)
_STYLES = {
    Severity.EXTREME: "bold white on red",
    Severity.SEVERE: "bold red",
    Severity.MODERATE: "bold yellow",
    Severity.MINOR: "bold blue",
}


class ConsoleChannel:
    """Writes to a stream that somebody else owns and closes."""

    name = "console"
    edits = False

    def __init__(
        self,
        stream: TextIO,
        now: Callable[[], datetime],
        *,
        deadline_s: float = 5.0,
        pace: Pace = DEFAULT_PACE,
    ) -> None:
        self.pace = pace
        self._stream = stream
        self._now = now
        self._deadline_s = deadline_s
        self._colour = stream.isatty()
        self._turn = threading.Lock()

    def render(self, delivery: Delivery) -> Message:
        """The plain lines, and the style of the first."""
        text = plain(delivery.content, words_for(delivery), delivery.zone)
        severity = delivery.content.severity if isinstance(delivery.content, Alert) else None
        style = "bold" if severity is None else _STYLES[severity]
        silent = delivery.mode is Mode.EDIT
        return Message(delivery.id, delivery.target, {"text": text, "style": style}, text, Mode.NEW, None, silent)

    async def send(self, message: Message) -> Receipt:
        """One attempt. A blocked or closed stream is an error, never a stuck loop."""
        block = str(message.payload["text"])
        style = str(message.payload["style"])
        try:
            await call_with_deadline(lambda: self._write(block, style), self._deadline_s)
        except TimeoutError:
            stuck = "the console does not take any more text"
            raise DeliveryError(DeliveryProblem.AMBIGUOUS, stuck, retryable=True) from None
        except (OSError, ValueError) as error:
            closed = f"the console cannot be written to ({type(error).__name__})"
            raise DeliveryError(DeliveryProblem.NETWORK, closed, retryable=True) from None
        return Receipt(self._now())

    def _write(self, block: str, style: str) -> None:
        encoding = self._stream.encoding or "utf-8"
        block = block.encode(encoding, "replace").decode(encoding)
        with self._turn:
            if self._colour:
                self._write_styled(block, style)
            else:
                self._stream.write(f"{block}\n\n")
            self._stream.flush()

    def _write_styled(self, block: str, style: str) -> None:
        from rich.console import Console
        from rich.text import Text

        head, _, rest = block.partition("\n")
        console = Console(file=self._stream, highlight=False, markup=False, emoji=False)
        console.print(Text(head, style))
        console.print(Text(f"{rest}\n"))

    async def close(self) -> None:
        """The stream is its owner's to close."""
