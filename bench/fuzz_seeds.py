"""What ``fuzz.py`` mutates where no directory of feeds is given: small feeds, settings and updates of our own."""

from __future__ import annotations

from collections.abc import Mapping

URL = "https://feeds.example/feed.xml"
CANARY = "canaryAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

FEEDS = (
    b"""<?xml version='1.0' encoding='utf-8'?>
<rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/'><channel><title>Herald</title>
<link>https://herald.example/</link><ttl>15</ttl><skipHours><hour>3</hour></skipHours>
<item><title>Shelling &amp; fire</title><link>/a?b=1</link><guid isPermaLink='false'>g1</guid><dc:creator>N</dc:creator>
<pubDate>Mon, 02 Mar 2026 09:00:00 GMT</pubDate><description><![CDATA[<p>Six were <b>hurt</b>.]]></description></item>
<item><title/><description>No title</description></item></channel></rss>""",
    b"""<feed xmlns='http://www.w3.org/2005/Atom' xml:base='https://post.example/' xml:lang='fr'><id>i</id>
<title>Post</title><updated>2026-03-02T09:00:00Z</updated><entry><id>tag:1</id><link href='1'/>
<title type='html'>Tr&amp;ecirc;ve</title><updated>2026-03-02T09:00:00+04:00</updated>
<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>Oui</div></content>
<source><title>Wire</title></source></entry></feed>""",
    b"""<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'>
<channel><title>R</title></channel>
<item rdf:about='https://r.example/1'><title>Old form</title><link>https://r.example/1</link></item></rdf:RDF>""",
    b"""{"version": "https://jsonfeed.org/version/1.1", "title": "J", "items": [
{"id": "1", "url": "https://j.example/1", "title": "T", "content_html": "<p>x</p>",
 "date_published": "2026-03-02T09:00:00Z"},
{"id": 2, "content_text": "y"}]}""",
)

SETTINGS = f"""
data_dir = "./data"
[fetch]
interval = "5m"
max_size = "15MiB"
allow_networks = ["127.0.0.0/8"]
[[feeds]]
url = "http://127.0.0.1:8480/f1.xml"
tags = ["caucasus"]
[telegram]
token = "123456:{CANARY}"
admins = [111]
[[slack]]
name = "desk"
webhook_url = "https://hooks.slack.com/services/T0/B0/{CANARY}"
[web]
listen = "127.0.0.1:8787"
[alerts]
flood_limit = 20
stale = "24h"
zone = "Asia/Baku"
[[rules]]
name = "caucasus"
countries = ["AM", "AZ"]
signals = ["ceasefire_*", "armed_clash"]
min_severity = "moderate"
channels = ["slack:desk", "telegram:-1001234567890"]
quiet = {{ start = "22:00", end = "06:00", zone = "Asia/Baku" }}
places = [{{ name = "Karvin", lat = 40.1, lon = 47.2, radius_km = 50 }}]
"""
VARIABLES = (
    "TOCSIN_TELEGRAM__TOKEN",
    "TOCSIN_FETCH__ALLOW_NETWORKS",
    "TOCSIN_RULES",
    "TOCSIN_STORE__KEEP",
    "TOCSIN_X",
    "TOCSIN_",
)
VALUES = ('["a"]', "5m", "{}", "123456:AAAAAAAAAAAAAAAAAAAAAAAA")

_PERSON = {"id": 11, "is_bot": False, "first_name": "Ann", "language_code": "en"}
_PRIVATE = {"id": 11, "type": "private", "first_name": "Ann"}
_GROUP = {"id": -1001, "type": "supergroup", "title": "Desk"}
_MESSAGE = {"message_id": 7, "date": 1772452800, "chat": _PRIVATE, "from": _PERSON, "text": "/start"}
_ALERT = {**_MESSAGE, "entities": [{"type": "text_link", "url": URL}]}
UPDATES: tuple[Mapping[str, object], ...] = (
    {"message": _MESSAGE},
    {"message": {**_MESSAGE, "chat": _GROUP, "message_thread_id": 5, "is_topic_message": True}},
    {"message": {**_MESSAGE, "from": {**_PERSON, "id": 900}}},
    {"message": {**_MESSAGE, "text": "", "location": {"latitude": 40.1, "longitude": 47.2}}},
    {"message": {**_MESSAGE, "text": "/why", "reply_to_message": _ALERT}},
    {"channel_post": {**_MESSAGE, "chat": {"id": -1002, "type": "channel"}, "sender_chat": {"id": -1002}}},
    {"callback_query": {"id": "q1", "from": _PERSON, "message": _MESSAGE, "data": "x:1"}},
    {
        "my_chat_member": {
            "chat": _GROUP,
            "from": _PERSON,
            "date": 1,
            "old_chat_member": {"status": "left"},
            "new_chat_member": {"status": "member"},
        }
    },
)
TYPED = (
    "Karvin",
    "AZ",
    "22:00-06:00",
    "Europe/Paris",
    "5",
    "https://news.example/a",
    "all",
    "-1",
    "extreme",
    "s0000001",
)
OPERATOR = 900
