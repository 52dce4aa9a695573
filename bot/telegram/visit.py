"""One visit at the desk: who came, with what, and everything a handler may use to answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from bot.model import Circle, Subscription
from bot.ports import Store
from bot.telegram.incoming import Chat, Person
from bot.telegram.needs import AddFeed, DeskSettings, Health, Places, Preview, Voice, Words

if TYPE_CHECKING:
    from bot.telegram.drills import Drills

MAX_PLACES = 10


@dataclass(frozen=True, slots=True)
class Notes:
    """What the desk keeps of a chat beside its subscriptions; ``/stop`` deletes it, ``/export`` shows it."""

    language: str | None = None
    zone: str | None = None
    ask: str = ""
    """The question that the next words answer: ``place:cf``, ``zone``, ``broadcast``; "" for none."""
    draft: str = ""
    """A broadcast that waits for confirmation."""
    places: tuple[Circle, ...] = ()
    """Places that somebody typed; buttons name them by number."""

    def as_data(self) -> Mapping[str, object]:
        """As the store keeps it."""
        places = [[place.name, place.lat, place.lon, place.radius_km] for place in self.places]
        fields = {"language": self.language, "zone": self.zone, "ask": self.ask, "draft": self.draft, "places": places}
        return {name: value for name, value in fields.items() if value}


def read_notes(data: Mapping[str, object]) -> Notes:
    """Notes out of the store; what an older version wrote otherwise counts as absent."""
    raw = data.get("places")
    rows = raw if isinstance(raw, list | tuple) else ()
    places = tuple(Circle(str(row[0]), float(row[1]), float(row[2]), float(row[3])) for row in rows if len(row) == 4)
    return Notes(
        language=_text(data, "language"),
        zone=_text(data, "zone"),
        ask=_text(data, "ask") or "",
        draft=_text(data, "draft") or "",
        places=places,
    )


def _text(data: Mapping[str, object], name: str) -> str | None:
    value = data.get(name)
    return value if isinstance(value, str) and value else None


@dataclass(frozen=True, slots=True)
class Tools:
    """What handlers use; the same for every visit."""

    store: Store
    voice: Voice
    settings: DeskSettings
    preview: Preview
    places: Places
    add_feed: AddFeed | None
    health: Health
    drills: Drills


@dataclass(frozen=True, slots=True)
class Visit:
    """One command, tap or message. ``parts`` are the callback data's, ``text`` what stands behind a command."""

    update_id: int
    now: datetime
    chat: Chat
    person: Person
    notes: Notes
    words: Words
    tools: Tools
    text: str = ""
    parts: tuple[str, ...] = ()
    link: str = ""
    position: tuple[float, float] | None = None

    @property
    def target(self) -> str:
        """The chat's address."""
        return self.chat.target

    @property
    def zone(self) -> str:
        """The chat's time zone."""
        return self.notes.zone or self.tools.settings.zone

    @property
    def operator(self) -> bool:
        """True for the people who may command the daemon: by numeric id, never as "the group"."""
        return not self.person.anonymous and self.person.id in self.tools.settings.admins

    async def subscriptions(self) -> list[Subscription]:
        """This chat's own, oldest first; those of the settings are not among them."""
        mine = [one for one in await self.tools.store.subscriptions() if one.target == self.target]
        return sorted(mine, key=lambda one: (one.created_at or self.now, one.id))

    async def subscription(self, subscription_id: str) -> Subscription | None:
        """One of this chat's own; another chat's does not exist here, whatever the callback data says."""
        return next((one for one in await self.subscriptions() if one.id == subscription_id), None)

    async def note(self, **changes: object) -> Notes:
        """Keep something of this chat."""
        notes = replace(self.notes, **changes)  # type: ignore[arg-type]
        if notes != self.notes:
            await self.tools.store.chat_put(self.target, notes.as_data())
        return notes

    async def keep(self, changed: Sequence[Subscription]) -> None:
        """Write changed subscriptions."""
        for one in changed:
            await self.tools.store.put_subscription(one)
