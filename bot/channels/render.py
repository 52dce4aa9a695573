"""What a message says, worded once for every channel. Pure: an alert in, clean text out, no markup.

A channel decides only how the parts look. Everything that strangers wrote has passed :mod:`bot.channels.safe`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.channels.countries import country_name
from bot.channels.figures import tolls
from bot.channels.safe import clean, clean_lines, cut, link_host, no_mentions, quote, safe_link
from bot.channels.words import Phrasebook, phrasebook
from bot.model import Alert, Change, Content, Delivery, Digest, Notice, Phase, Reason, Severity, VerdictKind

TITLE_CHARS = 300
BODY_CHARS = 500
"""Telegram limits texts over about 500 characters sooner; nobody reads more at three in the morning."""
FACT_CHARS = 200
NOTICE_CHARS = 3500
DIGEST_STORIES = 25
_MAX_PLACES = 3
_MAX_CLAIMS = 3

_MARKS = {None: "⚪", Severity.MINOR: "🔵", Severity.MODERATE: "🟡", Severity.SEVERE: "🟠", Severity.EXTREME: "🔴"}
_BROKEN = frozenset({Phase.REJECTED, Phase.VIOLATED, Phase.COLLAPSED})
_DIGEST_MARKS = {Reason.CATCH_UP: ("🌙", "catch_up"), Reason.FLOOD: ("🌊", "flood")}
_CHANGES = {
    Change.SEVERITY_UP: "severity_up",
    Change.TOLL_UP: "toll_up",
    Change.PHASE: "phase_changed",
    Change.CORRECTION: "corrected",
    Change.CERTAINTY_UP: "certainty_up",
    Change.DENIED: "denied",
    Change.ALL_CLEAR: "all_clear",
}
_NOTICE_MARKS = {"warning": "⚠️", "broadcast": "📣", "exercise": "🧪", "notice": "ℹ️"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """One alert in plain words, part by part; "" where there is nothing to say."""

    head: str
    """Severity and place: "🔴 EXTREME · Nagorno-Karabakh, Azerbaijan"."""
    kicker: str
    """For updates and corrections: what changed."""
    title: str
    body: str
    tolls: str
    phase: str
    surge: str
    sources: str
    claims: tuple[str, ...]
    signals: str
    when: str
    rule: str
    link: str
    link_text: str

    @property
    def facts(self) -> tuple[str, ...]:
        """The numbers, the phase and a surge of reports, those that there are."""
        return tuple(fact for fact in (self.tolls, self.phase, self.surge) if fact)


def words_for(delivery: Delivery) -> Phrasebook:
    """The phrasebook of the delivery's language."""
    return phrasebook(delivery.language)


def sheet(alert: Alert, words: Phrasebook, zone: str = "UTC") -> Sheet:
    """Word an alert for a reader of this language and time zone."""
    link = safe_link(alert.link)
    title, body = _told(alert, words)
    return Sheet(
        head=_head(alert, words),
        kicker=_kicker(alert, words),
        title=title,
        body=body,
        tolls=tolls(alert, words),
        phase=_phase(alert, words),
        surge=_surge(alert, words),
        sources=_sources(alert, words),
        claims=tuple(quote(claim, FACT_CHARS) for claim in alert.claims[:_MAX_CLAIMS] if clean(claim, 2)),
        signals=_signals(alert, words),
        when=local_time(alert.happened_at, zone),
        rule=quote(alert.rule, 60),
        link=link,
        link_text=quote(link_host(link) or alert.outlet, 80) if link else quote(alert.outlet, 80),
    )


def _told(alert: Alert, words: Phrasebook) -> tuple[str, str]:
    title, body = quote(alert.title, TITLE_CHARS), quote(alert.summary, BODY_CHARS)
    if not title:
        title, body = body, ""
    if body.casefold().startswith(title.casefold().rstrip("….")):
        body = "" if len(body) <= len(title) + 40 else body
    return title or words.say("alert.no_text"), body


def _head(alert: Alert, words: Phrasebook) -> str:
    name = "none" if alert.severity is None else alert.severity.word
    exercise = f"[{words.say('alert.exercise')}] " if alert.exercise else ""
    return f"{exercise}{_MARKS[alert.severity]} {words.shout(f'severity.{name}')} · {place(alert, words)}"


def head_marks(words: Phrasebook) -> tuple[str, ...]:
    """How the head of every alert begins in this language, by severity."""
    names = [(mark, "none" if level is None else level.word) for level, mark in _MARKS.items()]
    return tuple(f"{mark} {words.shout(f'severity.{name}')} · " for mark, name in names)


def place(alert: Alert, words: Phrasebook) -> str:
    """Where: the first named place with its country, else the countries."""
    countries = [country_name(code, words.language) for code in dict.fromkeys(alert.countries)]
    if alert.places:
        first = alert.places[0]
        name, country = quote(first.name, 60), quote(country_name(first.country, words.language), 40)
        return name if name.casefold() == country.casefold() else ", ".join(part for part in (name, country) if part)
    if not countries:
        return words.say("alert.no_place")
    shown = ", ".join(quote(name, 40) for name in countries[:_MAX_PLACES])
    return shown if len(countries) <= _MAX_PLACES else f"{shown} +{len(countries) - _MAX_PLACES}"


def _kicker(alert: Alert, words: Phrasebook) -> str:
    label = _label(alert)
    if label is None:
        return ""
    changes = [_change(change, alert, words) for change in alert.changes if change in _CHANGES]
    changes = changes or [words.say(f"reason.{alert.reason.name.lower()}")]
    if alert.detail and not _told_in_figures(alert):
        changes.append(quote(alert.detail, FACT_CHARS))
    what = ", ".join(change for change in changes if change.casefold() != words.say(label).casefold())
    return f"{words.say(label)} · {what}" if what else words.say(label)


def _told_in_figures(alert: Alert) -> bool:
    """True where what was before stands in other lines already, in the reader's language."""
    return any((alert.killed_before, alert.injured_before, alert.phase_before, alert.severity_before))


def _change(change: Change, alert: Alert, words: Phrasebook) -> str:
    if change is Change.SEVERITY_UP and alert.severity_before and alert.severity:
        before, after = (words.say(f"severity.{level.word}") for level in (alert.severity_before, alert.severity))
        return words.say("alert.severity_from", before=before, after=after)
    return words.say(f"reason.{_CHANGES[change]}")


def _label(alert: Alert) -> str | None:
    if alert.reason is Reason.UNACKNOWLEDGED:
        return "alert.escalated"
    if Change.ALL_CLEAR in alert.changes or alert.reason is Reason.ALL_CLEAR:
        return "alert.all_clear"
    if Change.DENIED in alert.changes or alert.reason is Reason.DENIED:
        return "alert.denied"
    labels = {VerdictKind.UPDATE: "alert.update", VerdictKind.CORRECTION: "alert.correction"}
    return labels.get(alert.kind)


def _phase(alert: Alert, words: Phrasebook) -> str:
    if alert.phase is None:
        return ""
    mark = "⚠️" if alert.phase in _BROKEN else "🕊"
    now, before = _phase_word(alert.phase, words), alert.phase_before
    if before is None or before is alert.phase:
        return f"{mark} {words.say('alert.ceasefire', phase=now)}"
    return f"{mark} {words.say('alert.ceasefire_from', before=_phase_word(before, words), phase=now)}"


def _surge(alert: Alert, words: Phrasebook) -> str:
    if alert.surge is None:
        return ""
    name = quote(country_name(alert.surge.country, words.language), 40)
    return f"📈 {words.say('alert.surge', place=name, factor=alert.surge.times)}"


def _phase_word(phase: Phase, words: Phrasebook) -> str:
    return words.say(f"phase.{phase.name.lower()}")


def _sources(alert: Alert, words: Phrasebook) -> str:
    independent = [source for source in alert.sources if source.independent] or list(alert.sources[:1])
    first = quote(independent[0].outlet if independent else alert.outlet, 60)
    certainty = words.say(f"certainty.{alert.certainty.word}")
    if len(independent) < 2:
        said = words.say("alert.one_source", first=first) if first else ""
    else:
        said = words.count("alert.sources", len(independent), first=first)
    parts = [said]
    if any(source.official for source in alert.sources):
        parts.append(words.say("alert.official"))
    if len({source.outlet for source in alert.sources}) > len(independent):
        parts.append(words.say("alert.copies", n=len({source.outlet for source in alert.sources})))
    return f"{certainty} · " + ", ".join(part for part in parts if part) if any(parts) else certainty


def _signals(alert: Alert, words: Phrasebook) -> str:
    names = [signal_name(signal, words) for signal in alert.signals[:6]]
    if alert.score:
        names.append(words.say("alert.score", score=f"{alert.score:+.1f}".replace("-", "−")))
    return " · ".join((", ".join(names[:-1]), names[-1])) if alert.score and len(names) > 1 else ", ".join(names)


def signal_name(signal: str, words: Phrasebook) -> str:
    """The signal's name for a reader; an unknown id reads as its own words."""
    key = f"signal.{signal}"
    return words.say(key) if words.has(key) else quote(signal.replace("_", " "), 60)


def local_time(at: datetime, zone: str) -> str:
    """A time on the reader's clock, with the zone named: "2020-10-16 14:05 Asia/Baku"."""
    try:
        local = at.astimezone(ZoneInfo(zone))
    except (KeyError, ValueError, OSError):
        local, zone = at.astimezone(ZoneInfo("UTC")), "UTC"
    return f"{local:%Y-%m-%d %H:%M} {zone}"


# --- plain text, the same for the console, Apprise, webhooks and every fallback -----------------------------------


def plain(content: Content, words: Phrasebook, zone: str = "UTC") -> str:
    """The whole message as lines of plain text; never empty."""
    if isinstance(content, Alert):
        return "\n".join(alert_lines(sheet(content, words, zone)))
    if isinstance(content, Digest):
        return "\n".join([digest_head(content, words, zone), *digest_lines(content, words, zone)])
    return notice_text(content, words)


def alert_lines(page: Sheet) -> list[str]:
    """An alert line by line, as it reads without any markup."""
    foot = " · ".join(part for part in (page.when, page.link_text, f"🔔 {page.rule}" if page.rule else "") if part)
    lines = [
        page.head, page.kicker, page.title, page.body, *page.facts, page.sources, *page.claims, page.signals, foot,
        page.link,
    ]  # fmt: skip
    return [line for line in lines if line]


def digest_head(digest: Digest, words: Phrasebook, zone: str) -> str:
    """What kind of digest this is and how much is in it."""
    mark, key = _DIGEST_MARKS.get(digest.reason, ("🗞", "digest"))
    exercise = f"[{words.say('alert.exercise')}] " if any(alert.exercise for alert in digest.alerts) else ""
    head = f"{exercise}{mark} {words.say(f'digest.{key}')} · {words.count('digest.count', len(digest.alerts))}"
    if digest.since is None:
        return head
    return f"{head} · {words.say('digest.since', time=local_time(digest.since, zone))}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One story in a digest."""

    head: str
    title: str
    facts: str
    link: str
    link_text: str


def digest_entries(digest: Digest, words: Phrasebook, zone: str) -> list[Entry]:
    """The stories that a digest shows, worst first; at most :data:`DIGEST_STORIES`."""
    ordered = sorted(digest.alerts, key=lambda alert: -(alert.severity or 0))
    return [_entry(alert, words, zone) for alert in ordered[:DIGEST_STORIES]]


def more_line(hidden: int, words: Phrasebook) -> str:
    """What to say of the stories that are not shown; "" where all are."""
    return f"… {words.count('digest.more', hidden)}" if hidden > 0 else ""


def _entry(alert: Alert, words: Phrasebook, zone: str) -> Entry:
    page = sheet(alert, words, zone)
    facts = [page.tolls, page.phase]
    if Change.ALL_CLEAR in alert.changes:
        facts.append(f"✅ {words.say('digest.resolved')}")
    elif alert.kind is not VerdictKind.ALERT and alert.detail and not _told_in_figures(alert):
        facts.append(quote(alert.detail, 100))
    said = " · ".join(fact for fact in facts if fact)
    return Entry(page.head, cut(page.title, 160), said, page.link, page.link_text)


def digest_lines(digest: Digest, words: Phrasebook, zone: str) -> list[str]:
    """A digest line by line, two or three a story."""
    entries = digest_entries(digest, words, zone)
    more = more_line(len(digest.alerts) - len(entries), words)
    lines: list[str] = []
    for entry in entries:
        lines += [entry.head, entry.title, *(part for part in (entry.facts, entry.link) if part)]
    return [*lines, more] if more else lines


def notice_text(notice: Notice, words: Phrasebook) -> str:
    """The operator's words, marked by topic; mentions are defused, addresses stay."""
    text = no_mentions(clean_lines(notice.text, NOTICE_CHARS)) or words.say("alert.no_text")
    prefix = f"[{words.say('alert.exercise')}] " if notice.topic == "exercise" else ""
    return f"{_NOTICE_MARKS.get(notice.topic, _NOTICE_MARKS['notice'])} {prefix}{text}"
