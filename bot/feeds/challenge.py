"""Pages that stand where a feed should be: challenges, log-ins, plain HTML. Pure looks at the first bytes."""

from __future__ import annotations

import re

_LOOK = 65_536
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|meta|script)\b", re.IGNORECASE)
_FEED = re.compile(rb"<(?:[\w.-]+:)?(?:rss|feed|rdf|channel|item|entry)[\s>]", re.IGNORECASE)
_CHALLENGE = re.compile(
    rb"just a moment\.\.\.|cf-chl|cf_chl|challenge-platform|attention required! \| cloudflare|checking your browser"
    rb"|ddos protection by|verify(?:ing)? (?:that )?you are (?:a )?human|are you a robot|captcha|_incapsula_"
    rb"|request unsuccessful\. incapsula|sucuri website firewall|px-captcha|datadome|awswafintegration|akam/\d+"
    rb"|enable javascript and cookies to continue|ddos-guard|qrator|unusual traffic from your",
    re.IGNORECASE,
)


def is_html(body: bytes) -> bool:
    """True where the document is a web page and no feed."""
    head = body[:_LOOK].lstrip(b"\xef\xbb\xbf \t\r\n")
    page = _HTML.search(head[:4096])
    feed = _FEED.search(head)
    return page is not None and (feed is None or page.start() < feed.start())


def is_challenge(body: bytes) -> bool:
    """True where a web page asks its reader to prove that he is a person."""
    return is_html(body) and _CHALLENGE.search(body[:_LOOK]) is not None
