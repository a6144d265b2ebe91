"""One side of the conversation: a client of its own that knows the other side only through the session."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from uuid import UUID, uuid4

from babelroom.client import Babelroom
from babelroom.demo.conversation import Line
from babelroom.demo.screen import Screen
from babelroom.demo.verdict import is_ready
from babelroom.errors import BabelroomError
from babelroom.models import ActivityType, Message, MessageStatus, Session, UserActivity
from babelroom.results import SessionStats
from babelroom.services.interpreter import Interpretation

_PAGE = 1_000


class Speaker:
    """Speaks one language, translates what it says, and displays what it hears."""

    def __init__(self, side: int, language: str, room: Babelroom, screen: Screen) -> None:
        self.language = language
        self.seen: list[Message] = []
        """Every state that the callback got, in the order it came."""
        self.troubles: list[str] = []
        """What went wrong with marking messages as displayed."""
        self._ready: set[UUID] = set()
        self._side = side
        self._room = room
        self._screen = screen
        self._user_id = uuid4()
        self._session: Session | None = None
        self._displayed: defaultdict[UUID, asyncio.Event] = defaultdict(asyncio.Event)
        self._reading: asyncio.Task[None] | None = None

    async def open_session(self) -> str:
        """Make a session and return its code, which is all that the other side is told."""
        return (await self._room.sessions.create_session()).code

    async def join(self, code: str) -> None:
        """Join, and return when this side hears everything that is said from now on."""
        self._session = await self._room.sessions.join_session(code, self._user_id, self.language)
        await asyncio.gather(
            self._room.messages.subscribe_to_messages(self._session_id, self._on_message),
            self._room.activity.subscribe_to_activities(self._session_id, self._on_activity),
        )
        self._reading = asyncio.create_task(self._read_partials())

    async def leave(self) -> None:
        """Read no more."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])

    async def meet(self) -> None:
        """Learn from the session which language the other side speaks, and say who translates into it."""
        people = await self._room.sessions.get_participants(self._session_id)
        partner = next(person.lang for person in people if person.user_id != self._user_id)
        self._screen.show_partner(self._side, partner or "?")
        self._screen.note(await self._room.translation.provider_for(self.language, partner or self.language))

    async def say(self, line: Line, message_id: UUID, *, typing: float) -> Interpretation:
        """Type or record for some seconds, and say the line in the other side's language; return what became of it.

        Raises:
            BabelroomError: it could not be said or translated.
        """
        begun = _epoch_ms()
        await self._show(ActivityType.RECORDING if line.recording else ActivityType.TYPING)
        await asyncio.sleep(typing)
        where = (self._session_id, self._user_id)
        if line.recording is None:
            return await self._room.translate_text(*where, line.text, line.language, message_id=message_id)
        recorded = (begun, _epoch_ms()) if typing else None
        return await self._room.translate_speech(
            *where, line.recording, line.language, recorded=recorded, message_id=message_id
        )

    async def sees_displayed(self, message_id: UUID) -> None:
        """Return when this side has learnt that the message was displayed."""
        await self._displayed[message_id].wait()

    async def stats(self) -> SessionStats:
        """Return the session's figures."""
        return await self._room.stats(self._session_id)

    async def stored_messages(self) -> list[Message]:
        """Return all messages of the session as they are stored."""
        messages: list[Message] = []
        while page := await self._room.messages.get_session_messages(
            self._session_id, _PAGE, after=messages[-1].seq if messages else None
        ):
            messages += page
        return messages

    @property
    def _session_id(self) -> UUID:
        if self._session is None:
            raise RuntimeError("A speaker joins a session first.")
        return self._session.id

    async def _show(self, activity: ActivityType) -> None:
        await self._room.activity.update_activity(self._session_id, self._user_id, activity)

    def _on_activity(self, activity: UserActivity) -> None:
        if activity.user_id != self._user_id:
            self._screen.show_activity(self._side, activity.activity_type)

    async def _read_partials(self) -> None:
        async for partial in self._room.messages.stream_partials(self._session_id):
            if partial.user_id != self._user_id and partial.message_id not in self._ready:
                self._screen.show_partial(self._side, partial)

    async def _on_message(self, message: Message) -> None:
        self.seen.append(message)
        is_own = message.user_id == self._user_id
        self._screen.show_message(self._side, message, is_own=is_own)
        if message.status is MessageStatus.DISPLAYED:
            self._displayed[message.id].set()
        if not is_own and is_ready(message) and message.id not in self._ready:
            self._ready.add(message.id)
            try:
                await self._room.messages.mark_message_displayed(message.id)
            except BabelroomError as error:
                self._trouble(f"A message could not be marked displayed. {error}")

    def _trouble(self, sentence: str) -> None:
        if sentence not in self.troubles:
            self.troubles.append(sentence)


def _epoch_ms() -> float:
    return time.time() * 1_000
