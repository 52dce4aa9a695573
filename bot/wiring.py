"""Settings turned into the vocabulary: what the rooms take are plain values. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from importlib import resources
from pathlib import Path

from pydantic import BaseModel, SecretStr

from bot import __version__
from bot.errors import UsageError
from bot.model import (
    Certainty,
    Circle,
    DigestMode,
    FeedSpec,
    Filter,
    QuietHours,
    Rule,
    Severity,
    Subscription,
)
from config.model import QuietSettings, RuleSettings, Settings

DEFAULT_RULE = Rule("default", Filter(min_severity=Severity.SEVERE))
"""What is alerted without any rule in the settings: severe or worse, anywhere."""


def user_agent(settings: Settings) -> str:
    """An honest name with a way to reach somebody, where the operator gives one."""
    contact = f"; {settings.fetch.contact}" if settings.fetch.contact else ""
    return f"Tocsin/{__version__} (news feed monitor{contact})"


def secrets_of(settings: BaseModel) -> Iterator[str]:
    """Every secret in the settings, for the redactor."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        for entry in value if isinstance(value, tuple) else (value,):
            if isinstance(entry, SecretStr):
                yield entry.get_secret_value()
            elif isinstance(entry, BaseModel):
                yield from secrets_of(entry)


def all_targets(settings: Settings) -> tuple[str, ...]:
    """Every address that is set up: where a rule without channels of its own speaks."""
    named = sorted(settings.channel_names() - {"console"})
    admins = [f"telegram:{admin}" for admin in settings.telegram.admins] if settings.telegram.token else []
    return (*(["console"] if settings.console.enabled else []), *named, *admins)


def operators(settings: Settings) -> tuple[str, ...]:
    """Where word about the daemon itself goes: the admins' chats, or every address where none is named."""
    admins = tuple(target for target in all_targets(settings) if target.startswith("telegram:"))
    return admins or all_targets(settings)


def rule_of(settings: RuleSettings) -> Rule:
    """One rule of the settings."""
    return Rule(
        settings.name,
        Filter(
            signals=settings.signals,
            min_severity=Severity[settings.min_severity.upper()],
            min_certainty=Certainty[settings.min_certainty.upper()],
            countries=settings.countries,
            places=tuple(Circle(p.name, p.lat, p.lon, p.radius_km) for p in settings.places),
            outlets=settings.outlets,
            languages=settings.languages,
            words=settings.words,
            exclude_signals=settings.exclude.signals,
            exclude_countries=settings.exclude.countries,
            exclude_outlets=settings.exclude.outlets,
            exclude_words=settings.exclude.words,
        ),
    )


def rules_in_force(settings: Settings) -> tuple[Rule, ...]:
    """The rules of the settings, or the one that holds where there are none."""
    return tuple(rule_of(rule) for rule in settings.rules) or (DEFAULT_RULE,)


def _quiet(quiet: QuietSettings | None, zone: str) -> QuietHours | None:
    return QuietHours(quiet.start, quiet.end, quiet.zone or zone) if quiet else None


def subscriptions_of(settings: Settings) -> tuple[Subscription, ...]:
    """What the settings ask for: one subscription a rule and address."""
    everywhere = all_targets(settings)
    alerts = settings.alerts
    if not settings.rules:
        return tuple(
            Subscription(
                id=f"rule:{DEFAULT_RULE.name}@{target}",
                target=target,
                rule=DEFAULT_RULE,
                language=alerts.language,
                zone=alerts.zone,
                flood_limit=alerts.flood_limit,
            )
            for target in everywhere
        )
    return tuple(
        Subscription(
            id=f"rule:{rule.name}@{target}",
            target=target,
            rule=rule_of(rule),
            quiet=_quiet(rule.quiet, alerts.zone),
            hold_extreme=rule.hold_extreme,
            digest=DigestMode(rule.digest),
            digest_at=rule.digest_at,
            zone=alerts.zone,
            language=alerts.language,
            flood_limit=alerts.flood_limit,
            escalate_to=rule.escalate_to,
        )
        for rule in settings.rules
        for target in rule.channels or everywhere
    )


def own_feeds(settings: Settings) -> tuple[FeedSpec, ...]:
    """The ``[[feeds]]`` of the settings."""
    return tuple(FeedSpec(f.url, f.title, f.language, f.kind, f.tags) for f in settings.feeds)


def catalogue(settings: Settings) -> tuple[FeedSpec, ...]:
    """The starter feeds, or those of the OPML file that the settings name."""
    from bot.feeds.opml import read_opml

    if settings.starter_feeds:
        return tuple(read_opml(resources.files("seeds").joinpath("feeds.opml").read_bytes()))
    if not settings.catalogue:
        return ()
    path = Path(settings.catalogue)
    try:
        return tuple(read_opml(path.read_bytes()))
    except OSError as error:
        raise UsageError(f"{path}: {(error.strerror or 'cannot be read').lower()} (catalogue)") from None


def seconds(duration: timedelta) -> float:
    """A duration of the settings in seconds."""
    return duration.total_seconds()
