"""The error tree. Each class's docstring is its default message.

::

    TocsinError
     ├── UsageError             exit 2: the person asked for something that cannot be done as asked
     ├── FetchError             one feed could not be had this time
     ├── ParseError             a body that is not empty held no readable feed
     ├── StoreError             the database cannot do what it must
     │    ├── StoreBusy         another daemon, or a long lock, holds it
     │    ├── StoreFull         no space left: nothing may be sent that cannot be recorded
     │    └── StoreVersion      the schema is newer than this program
     ├── WorkerError            a worker process died, hung or ran out of memory over one task
     └── DeliveryError          one message could not be delivered this time
"""

from __future__ import annotations

from enum import StrEnum


class TocsinError(Exception):
    """Something went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").split("\n")[0])


class UsageError(TocsinError):
    """That cannot be done as asked."""


class FetchProblem(StrEnum):
    """Why a feed could not be had; the values are shown to people and used as metric labels."""

    REFUSED = "refused"  # connection refused, reset, unroutable
    RESOLVE = "unresolvable"  # DNS
    TIMEOUT = "timeout"  # total deadline or too slow
    TLS = "tls"
    TOO_LARGE = "too-large"
    TRUNCATED = "truncated"
    ENCODING = "bad-encoding"  # nested or unknown Content-Encoding, broken gzip
    PROTOCOL = "protocol"  # framing, header floods
    REDIRECTS = "redirects"  # a loop, too many, or a refused downgrade
    FORBIDDEN_ADDRESS = "forbidden-address"  # the guard refused the address
    BLOCKED = "blocked"  # a challenge page instead of the feed
    RATE_LIMITED = "rate-limited"  # 429, or 503 with Retry-After
    NOT_FOUND = "not-found"
    FORBIDDEN = "forbidden"  # 401, 403
    GONE = "gone"  # 410
    SERVER = "server-error"
    EMPTY = "empty"  # 204, 206, or 200 with no body
    STATUS = "unexpected-status"
    PARSE = "unreadable"  # fetched, but no feed in it


class FetchError(TocsinError):
    """The feed could not be fetched."""

    def __init__(
        self,
        problem: FetchProblem,
        url: str,
        message: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
        host_wide: bool = False,
    ) -> None:
        super().__init__(f"{url}: {message}")
        self.problem = problem
        self.url = url
        self.detail = message
        self.status = status
        self.retry_after_s = retry_after_s
        """What the server asked for, in seconds, already bounded to 24 h."""
        self.host_wide = host_wide
        """True where the whole host (or its registrable domain) should rest, as after 429."""


class ParseError(TocsinError):
    """The body holds no readable feed."""

    def __init__(self, url: str, message: str, *, blocked: bool = False) -> None:
        super().__init__(f"{url}: {message}")
        self.url = url
        self.detail = message
        self.blocked = blocked
        """True where the body looks like a challenge or log-in page."""


class StoreError(TocsinError):
    """The database cannot do what it must."""


class StoreBusy(StoreError):
    """The database is in use by another process."""


class StoreFull(StoreError):
    """No space is left for the database."""


class StoreVersion(StoreError):
    """The database was written by a newer version of Tocsin."""


class WorkerError(TocsinError):
    """A worker process failed over one task."""


class DeliveryProblem(StrEnum):
    """Why a message could not be delivered; values are shown to operators and used as metric labels."""

    NETWORK = "network"  # certainly not accepted: refused, unresolved
    AMBIGUOUS = "ambiguous"  # perhaps accepted: the answer was lost
    RATE_LIMITED = "rate-limited"
    SERVER = "server-error"
    REJECTED = "rejected"  # this very message is refused: dead letter
    MARKUP = "markup"  # the formatting is refused: once more as plain text
    RECIPIENT = "recipient-gone"  # blocked, kicked, deleted: suspend
    MIGRATED = "migrated"
    TOPIC = "topic-closed"
    CREDENTIALS = "credentials"  # token or hook is dead: stop the channel, keep the queue
    GONE_MESSAGE = "message-gone"  # the message to edit or answer does not exist
    UNCHANGED = "unchanged"  # the edit changes nothing: counts as done


class DeliveryError(TocsinError):
    """The message could not be delivered."""

    def __init__(
        self,
        problem: DeliveryProblem,
        message: str,
        *,
        retryable: bool,
        retry_after_s: float | None = None,
        channel_wide: bool = False,
        migrate_to: str | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.problem = problem
        self.status = status
        """The code of the answer, where there was one (Telegram's ``error_code``, else the HTTP status)."""
        self.retryable = retryable
        self.retry_after_s = retry_after_s
        self.channel_wide = channel_wide
        """True where the whole channel must wait (Telegram's global flood control, a dead token)."""
        self.migrate_to = migrate_to
        """The address that replaces the old one, e.g. ``telegram:-1001234``."""
