"""Reading updates. They come from outside, so nothing of their shape is taken for granted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,64})(?:@([A-Za-z0-9_]{1,64}))?(?:\s+|$)", re.ASCII)
_STORY_COMMAND = re.compile(r"story_([a-z0-9]{2,40})", re.ASCII)
MAX_TEXT = 4096


@dataclass(frozen=True, slots=True)
class Chat:
    """Where something was said."""

    id: int
    kind: str
    """private, group, supergroup or channel."""
    topic: int | None = None

    @property
    def target(self) -> str:
        """The address that subscriptions use."""
        return f"telegram:{self.id}" if self.topic is None else f"telegram:{self.id}/{self.topic}"

    @property
    def private(self) -> bool:
        """True for a talk with one person."""
        return self.kind == "private"


@dataclass(frozen=True, slots=True)
class Person:
    """Who said it. ``anonymous`` are administrators who speak as the group or channel itself."""

    id: int
    name: str = ""
    language: str | None = None
    anonymous: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """A message: a command, or words that may answer a question. ``position`` is a shared location."""

    chat: Chat
    person: Person
    message_id: int
    text: str
    command: str = ""
    addressed_to: str = ""
    """The bot named behind the command ("/start@tocsin_bot"), in lower case."""
    words: str = ""
    """What stands behind the command."""
    position: tuple[float, float] | None = None
    link: str = ""
    """An address in the message that this one answers, for ``/why`` and ``/whynot``."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """A tapped button. ``message_id`` is None where the message is gone."""

    chat: Chat
    person: Person
    query_id: str
    data: str
    message_id: int | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """The bot was added to a group or channel, or removed."""

    chat: Chat
    person: Person
    present: bool


Incoming = Said | Pressed | Joined


def read_update(body: Mapping[str, object]) -> Incoming | None:
    """What an update says, or None for what the desk has no answer to."""
    for kind in ("message", "channel_post"):
        if kind in body:
            return _said(_map(body[kind]))
    if "callback_query" in body:
        return _pressed(_map(body["callback_query"]))
    if "my_chat_member" in body:
        return _joined(_map(body["my_chat_member"]))
    return None


def _said(message: Mapping[str, object]) -> Said | None:
    chat, message_id = _chat(message), _int(message.get("message_id"))
    if chat is None or message_id is None:
        return None
    person = _person(_map(message.get("from")), _map(message.get("sender_chat")), chat)
    text = _str(message.get("text"))[:MAX_TEXT]
    command, addressed_to, words = _command(text)
    return Said(
        chat, person, message_id, text, command, addressed_to, words,
        position=_position(_map(message.get("location"))),
        link=_link_of(_map(message.get("reply_to_message"))),
    )  # fmt: skip


def _command(text: str) -> tuple[str, str, str]:
    match = _COMMAND.match(text)
    if match is None:
        return "", "", ""
    name, words = match[1].lower(), text[match.end() :].strip()
    story = _STORY_COMMAND.fullmatch(name)
    if story is not None:
        name, words = "story", story[1]
    return name, (match[2] or "").lower(), words


def _pressed(query: Mapping[str, object]) -> Pressed | None:
    message = _map(query.get("message"))
    chat, query_id = _chat(message), _str(query.get("id"))
    if chat is None or not query_id:
        return None
    person = _person(_map(query.get("from")), {}, chat)
    return Pressed(chat, person, query_id, _str(query.get("data"))[:64], _int(message.get("message_id")))


def _joined(change: Mapping[str, object]) -> Joined | None:
    chat = _chat(change)
    if chat is None:
        return None
    status = _str(_map(change.get("new_chat_member")).get("status"))
    before = _str(_map(change.get("old_chat_member")).get("status"))
    present, was = (state in ("member", "administrator", "restricted") for state in (status, before))
    return None if present == was else Joined(chat, _person(_map(change.get("from")), {}, chat), present)


def _chat(message: Mapping[str, object]) -> Chat | None:
    chat = _map(message.get("chat"))
    chat_id, kind = _int(chat.get("id")), _str(chat.get("type"))
    if chat_id is None or kind not in ("private", "group", "supergroup", "channel"):
        return None
    topic = _int(message.get("message_thread_id")) if message.get("is_topic_message") is True else None
    return Chat(chat_id, kind, topic)


def _person(sender: Mapping[str, object], sender_chat: Mapping[str, object], chat: Chat) -> Person:
    as_chat = chat.kind == "channel" or (not chat.private and _int(sender_chat.get("id")) == chat.id)
    language = _str(sender.get("language_code")) or None
    return Person(_int(sender.get("id")) or chat.id, _str(sender.get("first_name"))[:64], language, as_chat)


def _position(location: Mapping[str, object]) -> tuple[float, float] | None:
    lat, lon = location.get("latitude"), location.get("longitude")
    if not isinstance(lat, int | float) or not isinstance(lon, int | float):
        return None
    return (float(lat), float(lon)) if abs(lat) <= 90 and abs(lon) <= 180 else None


def _link_of(message: Mapping[str, object]) -> str:
    """The address in a message: under a word, as alerts have it, or written out."""
    entities = message.get("entities")
    for entity in entities if isinstance(entities, list) else ():
        if _map(entity).get("type") == "text_link" and (link := first_link(_str(_map(entity).get("url")))):
            return link
    return first_link(_str(message.get("text")))


def first_link(text: str) -> str:
    """The first web address in a text, or ""."""
    match = re.search(r"https?://[^\s<>\"]{3,2000}", text)
    return match[0].rstrip(".,;)") if match else ""


def _map(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _int(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _str(value: object) -> str:
    return value if isinstance(value, str) else ""
