"""The settings as a typed tree. Every field has its default and its meaning here; ``default.toml`` shows them all."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from config.checks import (
    ChannelName,
    ClockTime,
    Country,
    Listen,
    Name,
    Network,
    SecretUrl,
    SignalGlob,
    Token,
    WebUrl,
    Zone,
    nearest,
)
from config.quantities import Duration, PositiveDuration, Size

SeverityWord = Literal["minor", "moderate", "severe", "extreme"]
CertaintyWord = Literal["possible", "likely", "observed"]
FeedKind = Literal["wire", "broadcaster", "newspaper", "news", "official", "monitor", "ngo", "think-tank", "social"]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]


class Section(BaseModel):
    """A table of the settings: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FetchSettings(Section):
    """``[fetch]``: how feeds are asked."""

    interval: PositiveDuration = timedelta(minutes=5)
    timeout: PositiveDuration = timedelta(seconds=30)
    max_size: Size = 15 * 1024**2
    max_items: Annotated[int, Field(ge=1, le=100_000)] = 2000
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 64
    per_host: Annotated[int, Field(ge=1, le=16)] = 2
    contact: str = ""
    proxy: SecretUrl | None = None
    allow_networks: tuple[Network, ...] = ()


class FeedSettings(Section):
    """``[[feeds]]``: one feed of your own."""

    url: WebUrl
    title: str = ""
    language: str | None = None
    kind: FeedKind = "news"
    tags: tuple[str, ...] = ()


class ConsoleSettings(Section):
    """``[console]``: alerts on the terminal or in the container's log."""

    enabled: bool = True


class TelegramSettings(Section):
    """``[telegram]``: the bot."""

    token: Token | None = None
    base_url: WebUrl = "https://api.telegram.org"
    admins: tuple[int, ...] = ()
    poll: bool = True
    per_second: Annotated[float, Field(gt=0, le=1000)] = 30.0
    per_chat_per_second: Annotated[float, Field(gt=0, le=100)] = 1.0
    per_group_per_minute: Annotated[float, Field(gt=0, le=6000)] = 20.0


class SlackSettings(Section):
    """``[[slack]]``: one incoming webhook."""

    name: Name
    webhook_url: SecretUrl


class WebhookSettings(Section):
    """``[[webhook]]``: one receiver of signed JSON (Standard Webhooks)."""

    name: Name
    url: SecretUrl
    secret: SecretStr


class AppriseSettings(Section):
    """``[[apprise]]``: one Apprise address (needs ``tocsin[apprise]``)."""

    name: Name
    url: SecretStr


class WebSettings(Section):
    """``[web]``: health, metrics."""

    listen: Listen = "127.0.0.1:8787"


class AlertSettings(Section):
    """``[alerts]``: what holds for all rules."""

    flood_limit: Annotated[int, Field(ge=0)] = 20
    stale: PositiveDuration = timedelta(hours=24)
    resend_after: PositiveDuration = timedelta(seconds=60)
    toll_rise: Annotated[float, Field(ge=0, le=10)] = 0.25
    toll_step: Annotated[int, Field(ge=1)] = 5
    language: str = "en"
    zone: Zone = "UTC"


class QuietSettings(Section):
    """``quiet = {…}`` of a rule."""

    start: Annotated[time, ClockTime]
    end: Annotated[time, ClockTime]
    zone: Zone | None = None


class PlaceSettings(Section):
    """One circle of ``places = […]``."""

    name: str
    lat: Latitude
    lon: Longitude
    radius_km: Annotated[float, Field(gt=0, le=20_000)]


class ExcludeSettings(Section):
    """``exclude = {…}`` of a rule."""

    signals: tuple[SignalGlob, ...] = ()
    countries: tuple[Country, ...] = ()
    outlets: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


class RuleSettings(Section):
    """``[[rules]]``: what is worth an alert, for whom."""

    name: Name
    countries: tuple[Country, ...] = ()
    signals: tuple[SignalGlob, ...] = ()
    min_severity: SeverityWord = "minor"
    min_certainty: CertaintyWord = "possible"
    places: tuple[PlaceSettings, ...] = ()
    outlets: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    exclude: ExcludeSettings = ExcludeSettings()
    channels: tuple[ChannelName, ...] = ()
    quiet: QuietSettings | None = None
    hold_extreme: bool = False
    digest: Literal["at once", "hourly", "daily"] = "at once"
    digest_at: Annotated[time, ClockTime] = time(7, 0)
    escalate_to: ChannelName | None = None


class ModelSettings(Section):
    """``[model]``: the classifier."""

    path: Path | None = None


class WorkerSettings(Section):
    """``[workers]``: processes for parsing and understanding."""

    processes: Annotated[int, Field(ge=1, le=64)] = 1
    timeout: PositiveDuration = timedelta(seconds=5)
    memory: Size = 1024**3


class StoreSettings(Section):
    """``[store]``: how long things are kept."""

    keep: PositiveDuration = timedelta(days=90)


class LogSettings(Section):
    """``[log]``: what the daemon says of itself on stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class WatchSettings(Section):
    """``[watch]``: the dead man's switch."""

    ping_url: SecretUrl | None = None
    ping_every: PositiveDuration = timedelta(minutes=5)
    blind_after: Duration = timedelta(minutes=30)


class Settings(Section):
    """Everything an operator can set."""

    data_dir: Path = Path("./data")
    catalogue: str | None = None
    fetch: FetchSettings = FetchSettings()
    feeds: tuple[FeedSettings, ...] = ()
    console: ConsoleSettings = ConsoleSettings()
    telegram: TelegramSettings = TelegramSettings()
    slack: tuple[SlackSettings, ...] = ()
    webhook: tuple[WebhookSettings, ...] = ()
    apprise: tuple[AppriseSettings, ...] = ()
    web: WebSettings = WebSettings()
    alerts: AlertSettings = AlertSettings()
    rules: tuple[RuleSettings, ...] = ()
    model: ModelSettings = ModelSettings()
    workers: WorkerSettings = WorkerSettings()
    store: StoreSettings = StoreSettings()
    log: LogSettings = LogSettings()
    watch: WatchSettings = WatchSettings()

    @property
    def starter_feeds(self) -> bool:
        """The starter catalogue is watched unless there are feeds of one's own, or it is named."""
        return self.catalogue == "starter" or (self.catalogue is None and not self.feeds)

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.data_dir / "tocsin.sqlite3"

    def channel_names(self) -> frozenset[str]:
        """Named channels that rules may point at (Telegram chats are free)."""
        named = [("slack", s.name) for s in self.slack] + [("webhook", w.name) for w in self.webhook]
        named += [("apprise", a.name) for a in self.apprise]
        return frozenset(f"{kind}:{name}" for kind, name in named) | {"console"}

    @model_validator(mode="after")
    def _unique(self) -> Self:
        for kind in ("slack", "webhook", "apprise", "rules"):
            names = [entry.name for entry in getattr(self, kind)]
            for index, name in enumerate(names):
                if name in names[:index]:
                    raise located((kind, index, "name"), f'"{name}" stands twice')
        return self

    @model_validator(mode="after")
    def _channels_exist(self) -> Self:
        known = self.channel_names()
        for index, rule in enumerate(self.rules):
            wanted = [*rule.channels, *([rule.escalate_to] if rule.escalate_to else [])]
            for name in wanted:
                if name.startswith("telegram:"):
                    if self.telegram.token is None:
                        raise located(("rules", index, "channels"), f'"{name}" needs a [telegram] token')
                elif name not in known:
                    raise located(("rules", index, "channels"), f'no channel "{name}"{nearest(name, known)}')
        return self


class LocatedError(ValueError):
    """A complaint of a check over several fields, with the place in the settings that it is about."""

    def __init__(self, place: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.place = place


def located(place: tuple[str | int, ...], message: str) -> LocatedError:
    """A complaint about a place."""
    return LocatedError(place, message)
