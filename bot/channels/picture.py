"""An alert, digest or notice as JSON for machines, in the form that ``alert.schema.json`` publishes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.channels.safe import clean, clean_lines, safe_link
from bot.model import Alert, Content, Digest, Severity, SourceRef, Surge, Tally, Where

SCHEMA_VERSION = 1


def picture(content: Content, message_id: str, text: str) -> dict[str, object]:
    """The envelope: version, id, type, timestamp, data, and the same in plain words under ``text``."""
    return {
        "version": SCHEMA_VERSION,
        "id": message_id,
        "type": _type(content),
        "timestamp": _stamp(content.at),
        "text": text,
        "data": _data(content),
    }


def _type(content: Content) -> str:
    if isinstance(content, Alert):
        return f"tocsin.{content.kind.value}"
    return "tocsin.digest" if isinstance(content, Digest) else "tocsin.notice"


def _data(content: Content) -> dict[str, object]:
    if isinstance(content, Alert):
        return alert_picture(content)
    if isinstance(content, Digest):
        return {
            "reason": content.reason.value,
            "since": None if content.since is None else _stamp(content.since),
            "alerts": [alert_picture(alert) for alert in content.alerts],
        }
    return {"topic": clean(content.topic, 40), "notice": clean_lines(content.text, 4000)}


def alert_picture(alert: Alert) -> dict[str, object]:
    """One alert: what every field means stands in the schema."""
    return {
        "story": clean(alert.story_id, 64),
        "kind": alert.kind.value,
        "reason": alert.reason.value,
        "changes": [change.value for change in alert.changes],
        "detail": clean(alert.detail, 300),
        "exercise": alert.exercise,
        "rule": clean(alert.rule, 100),
        "decided_at": _stamp(alert.at),
        "happened_at": _stamp(alert.happened_at),
        "title": clean(alert.title, 500),
        "summary": clean(alert.summary, 2000),
        "link": safe_link(alert.link) or None,
        "outlet": clean(alert.outlet, 100),
        "severity": _word(alert.severity),
        "severity_before": _word(alert.severity_before),
        "certainty": alert.certainty.word,
        "urgency": alert.urgency.word,
        "score": round(float(alert.score), 2),
        "signals": [clean(signal, 60) for signal in alert.signals],
        "countries": [clean(code, 2).upper() for code in alert.countries],
        "places": [_place(where) for where in alert.places],
        "killed": _tally(alert.killed),
        "killed_before": _tally(alert.killed_before),
        "injured": _tally(alert.injured),
        "injured_before": _tally(alert.injured_before),
        "phase": alert.phase.value if alert.phase else None,
        "phase_before": alert.phase_before.value if alert.phase_before else None,
        "surge": _surge(alert.surge),
        "sources": [_source(source) for source in alert.sources],
        "claims": [clean(claim, 300) for claim in alert.claims],
        "evidence": [clean(words, 200) for words in alert.evidence],
    }


def _word(severity: Severity | None) -> str | None:
    return None if severity is None else severity.word


def _place(where: Where) -> Mapping[str, object]:
    return {"name": clean(where.name, 100), "country": clean(where.country, 2), "lat": where.lat, "lon": where.lon}


def _tally(tally: Tally | None) -> Mapping[str, object] | None:
    if tally is None:
        return None
    return {"low": tally.low, "best": tally.best, "high": tally.high, "total": tally.total}


def _surge(surge: Surge | None) -> Mapping[str, object] | None:
    if surge is None:
        return None
    return {
        "country": clean(surge.country, 2).upper(),
        "reports": surge.reports,
        "usual": round(surge.usual, 3),
        "hours": round(surge.hours, 2),
    }


def _source(source: SourceRef) -> Mapping[str, object]:
    return {
        "outlet": clean(source.outlet, 100),
        "link": safe_link(source.link) or None,
        "title": clean(source.title, 500),
        "at": _stamp(source.at),
        "independent": source.independent,
        "official": source.official,
    }


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
