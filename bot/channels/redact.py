"""Keeping secrets out of logs and errors. A bot token and a hook's address are both part of a URL, and URLs are
what HTTP libraries like to print: httpx logs each request's at INFO."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

MASK = "***"
_TOKEN = re.compile(r"(?<!\d)\d{3,}:[A-Za-z0-9_-]{20,}")
_LOGGERS = ("httpx", "httpcore", "telegram", "telegram.Bot", "telegram.request", "apprise", "urllib3.connectionpool")


def scrub(text: str, secrets: Iterable[str]) -> str:
    """The text with each secret, and anything shaped like a bot token, masked."""
    for secret in sorted({secret for secret in secrets if secret}, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return _TOKEN.sub(MASK, text)


class Redactor(logging.Filter):
    """Masks secrets in the log records of the libraries that see them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._secrets = tuple(secrets)

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; it always passes."""
        record.msg, record.args = scrub(record.getMessage(), self._secrets), ()
        return True

    def install(self) -> None:
        """Stand before the libraries' loggers until :meth:`remove`."""
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(self)

    def remove(self) -> None:
        """Stand aside."""
        for name in _LOGGERS:
            logging.getLogger(name).removeFilter(self)
