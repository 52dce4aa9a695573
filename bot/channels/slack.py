"""Slack's incoming webhooks: Block Kit, built and validated with slack_sdk's models.

A hook's address is a secret, so messages name hooks: ``slack:desk``. Nothing can be edited there.
Strangers' words go into ``plain_text`` objects, which parse nothing; only our own link line is ``mrkdwn``.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.channels.http import Answer, Poster, retry_after_s
from bot.channels.redact import scrub
from bot.channels.render import (
    Entry,
    Sheet,
    alert_lines,
    digest_entries,
    digest_head,
    more_line,
    notice_text,
    plain,
    sheet,
    words_for,
)
from bot.channels.safe import clean, cut
from bot.channels.words import Phrasebook
from bot.errors import DeliveryError, DeliveryProblem
from bot.model import Alert, Delivery, Digest, Message, Receipt, Severity
from bot.ports import Pace

if TYPE_CHECKING:
    from slack_sdk.models.blocks import Block, ContextBlock, SectionBlock

HEADER_CHARS, SECTION_CHARS, LINK_CHARS, PLAIN_CHARS, FALLBACK_CHARS = 150, 3000, 2000, 3900, 2500
DIGEST_ENTRIES, ENTRY_CHARS, ENTRY_LINK_CHARS = 15, 350, 300
"""Two blocks a story and one for the head: under Slack's 50 blocks, and with the fallback under 13,000 characters."""
DEFAULT_PACE = Pace(per_second=20.0, per_address_per_second=1.0, concurrency=4)
DEFAULT_WAIT_S = 30.0
WORD_CHARS = 2000
"""So much of an answer is looked at: Slack's is one word."""

_COLOURS = {
    None: "#8d8d8d",
    Severity.MINOR: "#3d7ec9",
    Severity.MODERATE: "#e0b400",
    Severity.SEVERE: "#e8760c",
    Severity.EXTREME: "#c81e1e",
}
_DEAD = frozenset(
    {
        "no_service", "no_service_id", "no_team", "team_disabled", "invalid_token", "no_active_hooks",
        "action_prohibited", "channel_not_found", "channel_is_archived", "user_not_found",
        "posting_to_general_channel_denied",
    }
)  # fmt: skip
_MARKUP = frozenset({"invalid_payload", "invalid_blocks", "invalid_attachments", "invalid_blocks_format"})
_REFUSED = frozenset({"no_text", "msg_too_long", "too_many_attachments"})


class SlackChannel:
    """Posts to named hooks. ``hooks`` maps the names that targets use to the secret addresses."""

    name = "slack"
    edits = False

    def __init__(
        self,
        hooks: Mapping[str, str],
        now: Callable[[], datetime],
        *,
        proxy: str | None = None,
        deadline_s: float = 15.0,
        pace: Pace = DEFAULT_PACE,
    ) -> None:
        importlib.import_module("slack_sdk.models.blocks")  # takes 0.1 s: now, not while an alert waits
        self.pace = pace
        self._hooks = dict(hooks)
        self._now = now
        self._secrets = (*hooks.values(), *(urlsplit(hook).path for hook in hooks.values()))
        self._poster = Poster(hooks.values(), deadline_s=deadline_s, proxy=proxy)

    def render(self, delivery: Delivery) -> Message:
        """Blocks within Slack's limits with the same in plain words beside them, or plain words alone."""
        words = words_for(delivery)
        text = plain(delivery.content, words, delivery.zone)
        payload: dict[str, object] = {
            "text": cut(escape(text), PLAIN_CHARS if delivery.plain else FALLBACK_CHARS),
            "unfurl_links": False,
        }
        if not delivery.plain:
            payload |= _blocks(delivery, words)
        return Message(delivery.id, delivery.target, payload, text)

    async def send(self, message: Message) -> Receipt:
        """One attempt."""
        name = message.target.partition(":")[2]
        if name not in self._hooks:
            unknown = f"the settings have no Slack hook named {clean(name, 40)!r}"
            raise DeliveryError(DeliveryProblem.RECIPIENT, unknown, retryable=False)
        body = json.dumps(message.payload, ensure_ascii=False).encode("utf-8", "replace")
        answer = await self._poster.post(
            self._hooks[name], content=body, headers={"Content-Type": "application/json; charset=utf-8"}
        )
        # A proxy's page may quote the address, which is the secret.
        answer = replace(answer, text=scrub(answer.text[:WORD_CHARS], self._secrets))
        error = judge_answer(answer, self._now())
        if error is not None:
            raise error
        return Receipt(self._now())

    async def close(self) -> None:
        """Close the connections."""
        await self._poster.close()


def judge_answer(answer: Answer, now: datetime) -> DeliveryError | None:
    """None for ``ok``; else what it means. Statuses are unsure, so Slack's own word decides where there is one."""
    word = answer.text.strip()
    if answer.status == 200 and word == "ok":
        return None
    said = f"Slack says {answer.status} {clean(word, 60)}".rstrip()
    if answer.status == 429:
        wait = retry_after_s(answer.headers.get("retry-after"), now)
        wait = DEFAULT_WAIT_S if wait is None else wait
        return DeliveryError(DeliveryProblem.RATE_LIMITED, said, retryable=True, retry_after_s=wait, status=429)
    problem, again = _by_word(word, answer.status)
    return DeliveryError(problem, said, retryable=again, status=answer.status)


def _by_word(word: str, status: int) -> tuple[DeliveryProblem, bool]:
    if word in _DEAD or status == 410:
        return DeliveryProblem.RECIPIENT, False
    if word in _MARKUP:
        return DeliveryProblem.MARKUP, True
    if word in _REFUSED:
        return DeliveryProblem.REJECTED, False
    if status == 400:
        return DeliveryProblem.MARKUP, True
    return DeliveryProblem.SERVER, True


def escape(text: str) -> str:
    """Slack's three: with them escaped, no ``<!channel>``, ``<@U…>`` or ``<url|text>`` can arise."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _blocks(delivery: Delivery, words: Phrasebook) -> dict[str, object]:
    content = delivery.content
    if isinstance(content, Alert):
        return _alert(sheet(content, words, delivery.zone), _COLOURS[content.severity])
    if isinstance(content, Digest):
        return {"blocks": _validated(_digest(content, words, delivery.zone))}
    return {"blocks": _validated([_section(notice_text(content, words))])}


def _alert(page: Sheet, colour: str) -> dict[str, object]:
    """What happened stands at the top; numbers, sources and link beside the colour of its severity."""
    from slack_sdk.models.blocks import HeaderBlock, PlainTextObject

    header = HeaderBlock(text=PlainTextObject(text=cut(page.head, HEADER_CHARS), emoji=True))
    story = "\n".join(part for part in (page.kicker, page.title, page.body) if part)
    facts = "\n".join(part for part in (*page.facts, page.sources, *page.claims, page.signals) if part)
    foot = " · ".join(part for part in (page.when, f"🔔 {page.rule}" if page.rule else "") if part)
    below: list[Block] = [_section(facts), _context(page.link, page.link_text, foot)]
    attachment = {
        "color": colour,
        "blocks": _validated(below),
        "fallback": cut(escape("\n".join(alert_lines(page))), 1000),
    }
    return {"blocks": _validated([header, _section(story)]), "attachments": [attachment]}


def _digest(digest: Digest, words: Phrasebook, zone: str) -> list[Block]:
    from slack_sdk.models.blocks import HeaderBlock, PlainTextObject

    head = cut(digest_head(digest, words, zone), HEADER_CHARS)
    blocks: list[Block] = [HeaderBlock(text=PlainTextObject(text=head, emoji=True))]
    entries = digest_entries(digest, words, zone)[:DIGEST_ENTRIES]
    for entry in entries:
        blocks += [_section(_entry_text(entry)), _context(entry.link, entry.link_text, "", ENTRY_LINK_CHARS)]
    more = more_line(len(digest.alerts) - len(entries), words)
    return [*blocks, _section(more)] if more else blocks


def _entry_text(entry: Entry) -> str:
    return cut("\n".join(part for part in (entry.head, entry.title, entry.facts) if part), ENTRY_CHARS)


def _section(text: str) -> SectionBlock:
    from slack_sdk.models.blocks import PlainTextObject, SectionBlock

    return SectionBlock(text=PlainTextObject(text=cut(text, SECTION_CHARS) or "…", emoji=False))


def _context(link: str, text: str, foot: str, limit: int = LINK_CHARS) -> ContextBlock:
    """Link and foot. A link that grew too long is left out whole: half of one leads nowhere."""
    from slack_sdk.models.blocks import ContextBlock, MarkdownTextObject, PlainTextObject

    anchor = f"<{escape(link)}|{escape(text)}>" if link else ""
    elements: list[MarkdownTextObject | PlainTextObject] = []
    if anchor and len(anchor) <= limit:
        elements.append(MarkdownTextObject(text=anchor, verbatim=True))
    if foot or not elements:
        elements.append(PlainTextObject(text=cut(foot or text, SECTION_CHARS) or "…", emoji=True))
    return ContextBlock(elements=list(elements))


def _validated(blocks: list[Block]) -> list[object]:
    """As JSON, after slack_sdk has checked each against Slack's limits."""
    return [block.to_dict() for block in blocks]
