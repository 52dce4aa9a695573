"""The desk: takes stored updates in order, handles each once, answers.

Chats are served side by side, each in its own order, so that nobody waits for another's slow command. An update is
marked as handled after its answer went out; a crash between the two repeats the answer, and what handlers change is
the same when done twice.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot.errors import DeliveryError, DeliveryProblem, StoreError
from bot.model import Delivery, Lane, Notice, Outcome
from bot.ports import ChatCommand, Clock, Store
from bot.telegram.acts import Act, Say, Toast, esc
from bot.telegram.buckets import Buckets
from bot.telegram.drills import Drills
from bot.telegram.incoming import Chat, Incoming, Joined, Person, Pressed, Said, read_update
from bot.telegram.needs import (
    AddFeed,
    Api,
    DeskSettings,
    Gate,
    Health,
    Places,
    Preview,
    Voice,
    no_places,
    no_troubles,
)
from bot.telegram.preview import preview_from
from bot.telegram.routes import BUTTONS, COMMANDS, QUESTIONS, For, Route
from bot.telegram.sender import Sender
from bot.telegram.visit import Notes, Tools, Visit, read_notes

log = structlog.get_logger(__name__)

BATCH = 100
NAP_S = 1.0
STOP_S = 3.0
GIVE_UP_AFTER = timedelta(minutes=10)
"""How long an update that could not be answered is tried again."""
RETRY_S = 5.0
ADMIN_FRESH_S = 60.0


class TelegramDesk:
    """Handles what people send to the bot.

    ``preview``, ``places``, ``add_feed`` and ``health`` are what the desk may ask of the rest of the daemon; where
    they are not given it does without.
    """

    def __init__(
        self,
        store: Store,
        api: Api,
        voice: Voice,
        gate: Gate,
        clock: Clock,
        settings: DeskSettings,
        *,
        preview: Preview | None = None,
        places: Places = no_places,
        add_feed: AddFeed | None = None,
        health: Health = no_troubles,
    ) -> None:
        self._store = store
        self._api = api
        self._voice = voice
        self._clock = clock
        self._sender = Sender(api, voice, gate, clock)
        self._drills = Drills()
        self._tools = Tools(
            store, voice, settings, preview or preview_from(store, clock.now), places, add_feed, health, self._drills
        )
        self._buckets = Buckets(settings.bucket, settings.refill_s)
        self._admins: dict[tuple[int, int], tuple[bool, datetime]] = {}
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._busy: dict[int, asyncio.Task[None]] = {}
        self._resting: dict[int, datetime] = {}
        self.username = ""
        """The bot's own name in lower case; commands addressed to another are not ours."""

    # --- the loop ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until :meth:`stop` or cancelled; what is being handled then gets a moment to end."""
        try:
            while not self._stopping.is_set():
                self._wake.clear()
                try:
                    await self.serve_once()
                    await self._tell_drills()
                except StoreError as error:
                    log.error("the desk waits for the database", error=str(error))
                await self._nap()
        finally:
            await self._end_visits()

    async def _end_visits(self) -> None:
        """What does not end in time is handled again after the next start."""
        visits = set(self._busy.values())
        if visits:
            _, late = await asyncio.wait(visits, timeout=STOP_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def stop(self) -> None:
        """Take nothing new; what is being handled ends."""
        self._stopping.set()
        self._wake.set()

    def wake(self) -> None:
        """Updates were stored."""
        self._wake.set()

    def settled(self, delivery: Delivery, outcome: Outcome) -> None:
        """An outcome of the outbox: drills list them."""
        self._drills.settled(delivery, outcome)

    async def _nap(self) -> None:
        # not asyncio.wait_for: before Python 3.12 it may swallow a cancellation that comes with the wake-up
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(NAP_S):
                await self._wake.wait()

    async def serve_once(self) -> int:
        """Start handling what is stored and not yet handled; how many chats were started."""
        pending = await self._store.pending_commands(BATCH)
        by_chat: dict[int, list[tuple[ChatCommand, Incoming | None]]] = {}
        for command in pending:
            incoming = read_update(command.body)
            chat_id = incoming.chat.id if incoming is not None else 0
            by_chat.setdefault(chat_id, []).append((command, incoming))
        started = 0
        now = self._clock.now()
        for chat_id, waiting in by_chat.items():
            if chat_id in self._busy or self._resting.get(chat_id, now) > now:
                continue
            self._resting.pop(chat_id, None)
            task = asyncio.create_task(self._serve_chat(chat_id, waiting), name=f"desk {chat_id}")
            self._busy[chat_id] = task
            started += 1
        return started

    async def settle_down(self) -> None:
        """Wait until nothing that was stored so far is unhandled; for tests and one-shot use."""
        while await self.serve_once() or self._busy:
            await asyncio.gather(*self._busy.values(), return_exceptions=True)

    async def _serve_chat(self, chat_id: int, waiting: Sequence[tuple[ChatCommand, Incoming | None]]) -> None:
        try:
            for command, incoming in waiting:
                if not await self._serve(command, incoming):
                    self._resting[chat_id] = self._clock.now() + timedelta(seconds=RETRY_S)
                    return
        except StoreError as error:
            log.error("an update waits for the database", error=str(error))
            self._resting[chat_id] = self._clock.now() + timedelta(seconds=RETRY_S)
        finally:
            self._busy.pop(chat_id, None)
            self._wake.set()

    async def _serve(self, command: ChatCommand, incoming: Incoming | None) -> bool:
        """Handle one update; False where it must be tried again."""
        try:
            if incoming is not None:
                await self._handle(command, incoming)
        except DeliveryError as error:
            young = self._clock.now() - command.received_at < GIVE_UP_AFTER
            if error.retryable and error.problem is not DeliveryProblem.MARKUP and young:
                log.warning("an answer waits", update=command.update_id, error=str(error))
                return False
            log.warning("an answer was given up", update=command.update_id, error=str(error))
        except StoreError:
            raise
        except Exception as error:
            log.error("an update could not be handled", update=command.update_id, error=repr(error), exc_info=True)
            await self._end_turning(incoming)
        await self._store.done_command(command.update_id, self._clock.now())
        return True

    async def _end_turning(self, incoming: Incoming | None) -> None:
        """A tap is answered even where its handler failed: else the button turns for a minute."""
        if isinstance(incoming, Pressed):
            nothing = [Toast("")]
            await self._sender.perform(nothing, incoming.chat, language="en", zone="UTC", query_id=incoming.query_id)

    # --- one update -------------------------------------------------------------------------------------------------

    async def _handle(self, command: ChatCommand, incoming: Incoming) -> None:
        now = self._clock.now()
        if isinstance(incoming, Said) and not self._is_ours(incoming):
            return
        notes = read_notes(await self._store.chat_get(incoming.chat.target))
        visit = self._visit(command, incoming, notes, now)
        acts = await self._acts(visit, incoming)
        pressed = incoming if isinstance(incoming, Pressed) else None
        await self._sender.perform(
            acts,
            incoming.chat,
            language=visit.words.language,
            zone=visit.zone,
            query_id=pressed.query_id if pressed else None,
            message_id=pressed.message_id if pressed else None,
        )

    def _is_ours(self, said: Said) -> bool:
        return not said.addressed_to or not self.username or said.addressed_to == self.username

    def _visit(self, command: ChatCommand, incoming: Incoming, notes: Notes, now: datetime) -> Visit:
        language = notes.language or incoming.person.language or "en"
        if incoming.chat.private and incoming.person.language:
            language = incoming.person.language
        visit = Visit(
            update_id=command.update_id,
            now=now,
            chat=incoming.chat,
            person=incoming.person,
            notes=notes,
            words=self._voice.words(language),
            tools=self._tools,
        )
        if isinstance(incoming, Pressed):
            return replace(visit, parts=tuple(incoming.data.split(":")[1:]))
        if isinstance(incoming, Said):
            text = incoming.words if incoming.command else incoming.text
            return replace(visit, text=text, link=incoming.link, position=incoming.position)
        return visit

    async def _acts(self, visit: Visit, incoming: Incoming) -> Sequence[Act]:
        if isinstance(incoming, Joined):
            return self._welcome(visit, incoming)
        if isinstance(incoming, Said) and not incoming.command:
            return await self._answer(visit)
        level = self._buckets.admit(incoming.person.id, visit.now)
        if level < 1:
            return [Toast(visit.words.say("desk.slow_down"))] if isinstance(incoming, Pressed) else []
        acts = await self._routed(visit, incoming)
        if level < 2 and isinstance(incoming, Said):
            return [*acts, Say(esc(visit.words.say("desk.slow_down")))]
        return acts

    async def _routed(self, visit: Visit, incoming: Said | Pressed) -> Sequence[Act]:
        if isinstance(incoming, Pressed):
            route = BUTTONS.get(incoming.data.partition(":")[0])
            if route is None:
                return [Toast(visit.words.say("desk.old_button"))]
        else:
            route = COMMANDS.get(incoming.command)
            if route is None:
                return [Say(esc(visit.words.say("desk.unknown_command")))] if visit.chat.private else []
        refused = await self._refused(visit, route)
        if refused is None:
            return await route.handler(visit)
        return [Toast(refused, loud=True)] if isinstance(incoming, Pressed) else [Say(esc(refused))]

    async def _refused(self, visit: Visit, route: Route) -> str | None:
        """Why this person may not, or None. Operators' commands are denied as if they did not exist, and noted."""
        if route.whom is For.OPERATORS and not visit.operator:
            log.warning("operator command denied", person=visit.person.id, chat=visit.chat.id)
            return visit.words.say("desk.unknown_command")
        if route.whom is For.SETTERS and not await self._may_set(visit.chat, visit.person, visit.now):
            return visit.words.say("desk.admins_only")
        return None

    async def _may_set(self, chat: Chat, person: Person, now: datetime) -> bool:
        if chat.private or person.anonymous:
            return True
        known = self._admins.get((chat.id, person.id))
        if known is not None and (now - known[1]).total_seconds() < ADMIN_FRESH_S:
            return known[0]
        may = await self._is_admin(chat, person)
        if len(self._admins) > BATCH * 100:
            self._admins.clear()
        self._admins[(chat.id, person.id)] = (may, now)
        return may

    async def _is_admin(self, chat: Chat, person: Person) -> bool:
        try:
            member = await self._api.call("getChatMember", {"chat_id": chat.id, "user_id": person.id})
        except DeliveryError as error:
            if error.retryable:
                raise
            return False
        return isinstance(member, Mapping) and member.get("status") in ("creator", "administrator")

    async def _answer(self, visit: Visit) -> Sequence[Act]:
        """Words or a position that are no command: the answer to a question, or nothing of ours."""
        name, _, rest = visit.notes.ask.partition(":")
        if visit.position is not None and (visit.chat.private or name == "zone"):
            name = "zone"
        question = QUESTIONS.get(name)
        if question is None or not (visit.text or visit.position):
            return [Say(esc(visit.words.say("desk.try_help")))] if visit.chat.private and visit.text else []
        if not await self._may_set(visit.chat, visit.person, visit.now):
            return []
        return await question(visit, rest)

    def _welcome(self, visit: Visit, joined: Joined) -> Sequence[Act]:
        if not joined.present or visit.chat.private:
            return []
        return [Say(esc(visit.words.say("desk.hello_group")))]

    async def _tell_drills(self) -> None:
        """The receipts of a drill, through the outbox like any notice."""
        now = self._clock.now()
        for drill in self._drills.finished(now):
            lines = [f"{target}: {result}" for target, result in sorted(drill.results.items())]
            lines += [f"{target}: ?" for target in sorted(drill.waiting - set(drill.results))]
            notice = Notice("\n".join(lines) or "—", now, "exercise")
            delivery = replace(
                _notice_delivery(notice, drill.target, now), id=f"receipts@{drill.id}", language=drill.language
            )
            await self._store.enqueue([delivery])


def _notice_delivery(notice: Notice, target: str, now: datetime) -> Delivery:
    return Delivery(
        id="",
        target=target,
        content=notice,
        lane=Lane.NORMAL,
        created_at=now,
        not_before=now,
        expires_at=now + timedelta(hours=1),
    )
