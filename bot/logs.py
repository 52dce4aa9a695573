"""What the daemon says of itself, on stderr: text for people or JSON for machines, without secrets or foreign controls.

Installed before anything else logs, because httpx writes full addresses (with the bot's token in them) at INFO.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import select
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any, TextIO

import structlog

_TOKEN = re.compile(r"(?<!\d)(\d{6,20}):[A-Za-z0-9_-]{20,100}")
_HOOK = re.compile(r"(/services/)[\w/-]+")
_USERINFO = re.compile(r"(https?://)[^/\s@]{1,200}@")
_SHORTEST_SECRET = 6
# C0 and C1 controls, line separators, and the bidi and zero-width characters that could disguise a line
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_LONGEST = 2000
_PIECE = 4096
"""What a pipe that can be written to takes without blocking (PIPE_BUF)."""

Event = MutableMapping[str, Any]


class Redactor:
    """Takes secrets out of text: the known ones by value, others by their shape."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: tuple[str, ...] = ()
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Know more secrets, the longest first, so that no part of one is left behind."""
        known = {*self._secrets, *(secret for secret in secrets if len(secret) >= _SHORTEST_SECRET)}
        self._secrets = tuple(sorted(known, key=len, reverse=True))

    def clean(self, text: str) -> str:
        """The text with secrets masked."""
        for secret in self._secrets:
            text = text.replace(secret, "(secret)")
        text = _TOKEN.sub(r"\1:(secret)", text)
        text = _HOOK.sub(r"\1(secret)", text)
        return _USERINFO.sub(r"\1(secret)@", text)

    def __call__(self, _logger: object, _method: str, event: Event) -> Event:
        """As a structlog processor: every value becomes clean, bounded, and one line."""
        for key, value in event.items():
            if isinstance(value, str):
                event[key] = one_line(self.clean(value))
            elif isinstance(value, (list, tuple, set, dict, BaseException)):
                event[key] = one_line(self.clean(str(value)))
        return event


def one_line(text: str) -> str:
    """Text from outside as it may stand in a log: no newline, control or bidi character survives, and it has an end."""
    shown = _CONTROLS.sub(lambda match: f"\\x{ord(match[0]):02x}", text[:_LONGEST])
    return shown + ("…" if len(text) > _LONGEST else "")


class PatientHandler(logging.StreamHandler[TextIO]):
    """Writes where somebody reads; where nobody does (a full pipe, a stopped terminal) lines are lost, not time.

    A blocked write would stop the event loop, and with it every alert, for the sake of a log.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self.lost = 0
        """Lines not written since the last one that was."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line, or count it."""
        try:
            line = self.format(record) + self.terminator
            if self.lost and self._write(f"({self.lost} lines of log were lost: nobody read them){self.terminator}"):
                self.lost = 0
            if self.lost or not self._write(line):
                self.lost += 1
        except OSError:
            self.lost += 1
        except Exception:  # noqa: BLE001 - logging's own way to record it
            self.handleError(record)

    def _write(self, text: str) -> bool:
        """False where it would block; a line whose end would block is cut."""
        file, data = self.stream.fileno(), text.encode("utf-8", "replace")
        self.stream.flush()
        for start in range(0, len(data), _PIECE):
            if not _writable(file):
                return start > 0
            os.write(file, data[start : start + _PIECE])
        return True


def _writable(file: int) -> bool:
    poll = select.poll()
    poll.register(file, select.POLLOUT)
    return bool(poll.poll(0))


def _handler(stream: TextIO) -> logging.Handler:
    with contextlib.suppress(OSError, ValueError, AttributeError):  # a stream in memory has no file to wait for
        stream.fileno()
        return PatientHandler(stream)
    return logging.StreamHandler(stream)


def _traceback(logger: object, method: str, event: Event) -> Event:
    """A traceback becomes a value like any other, so that it is redacted too."""
    return structlog.processors.format_exc_info(logger, method, event)


def _plain(_logger: object, _method: str, event: Event) -> str:
    """``12:34:56 warning  feed failed  url=… problem=…``"""
    time, level, name = event.pop("timestamp"), event.pop("level"), str(event.pop("event"))
    rest = " ".join(f"{key}={value}" for key, value in event.items() if not key.startswith("_"))
    return f"{time} {level:<7} {name}" + (f"  {rest}" if rest else "")


def configure(
    level: str = "info", style: str = "text", redactor: Redactor | None = None, stream: TextIO | None = None
) -> Redactor:
    """Route structlog and the standard library's loggers to one stream; returns the redactor in force."""
    redactor = redactor or Redactor()
    stamp = "%H:%M:%S" if style == "text" else "iso"
    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt=stamp, utc=style != "text"),
        _traceback,
        redactor,
    ]
    last: structlog.types.Processor = structlog.processors.JSONRenderer() if style == "json" else _plain
    handler = _handler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("httpx", "httpcore", "telegram", "asyncio", "aiohttp.access", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # Ticks that find the last one still at work are left out on purpose: that is no news.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    return redactor
