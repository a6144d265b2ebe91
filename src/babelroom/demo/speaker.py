"""One side of the conversation: a client of its own that knows the other side only through the session."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID, uuid4

from babelroom.client import Babelroom
from babelroom.demo.conversation import Line
from babelroom.demo.screen import Screen
from babelroom.demo.verdict import is_ready
from babelroom.errors import BabelroomError, TranslationFailed
from babelroom.models import (
    ActivityType,
    Message,
    MessageStatus,
    PerformanceMetrics,
    Session,
    UserActivity,
)
from babelroom.providers import untranslated
from babelroom.results import Translation, TranslationRequest

_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that is queued. Instants are the monotonic clock's (seconds) unless they say epoch."""

    message: Message
    typing_from_epoch_ms: float
    typing_until_epoch_ms: float
    started: float
    queued: float


@dataclass(frozen=True, slots=True)
class Interpreted:
    """A message whose translation is stored."""

    translation: Translation
    translate_ms: float
    storing: float
    """When storing began, by the monotonic clock (seconds)."""


class Speaker:
    """Speaks one language, translates what it says, and displays what it hears."""

    def __init__(self, side: int, language: str, room: Babelroom, screen: Screen) -> None:
        self.language = language
        self.seen: list[Message] = []
        """Every state that the callback got, in the order it came."""
        self.ready_at: dict[UUID, float] = {}
        """When a message of the other side was first ready to display, by the monotonic clock (seconds)."""
        self.troubles: list[str] = []
        self._side = side
        self._room = room
        self._screen = screen
        self._user_id = uuid4()
        self._session: Session | None = None
        self._displayed: defaultdict[UUID, asyncio.Event] = defaultdict(asyncio.Event)

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

    async def meet(self) -> None:
        """Learn from the session which language the other side speaks, and say who translates into it."""
        people = await self._room.sessions.get_participants(self._session_id)
        partner = next(person.lang for person in people if person.user_id != self._user_id)
        self._screen.show_partner(self._side, partner or "?")
        self._screen.note(await self._room.translation.provider_for(self.language, partner or self.language))

    async def send(self, line: Line, *, typing: float) -> Sent:
        """Type for some seconds, then queue the message."""
        typing_from = _epoch_ms()
        await self._show(ActivityType.TYPING)
        await asyncio.sleep(typing)
        started, typing_until = time.monotonic(), _epoch_ms()
        message = await self._room.messages.create_message(self._session_id, self._user_id, line.text, self.language)
        queued = time.monotonic()
        self._screen.show_message(self._side, message, is_own=True)
        return Sent(message, typing_from, typing_until, started, queued)

    async def interpret(self, sent: Sent) -> Interpreted:
        """Translate the message into the language that the database found for it, and store the translation."""
        showing = asyncio.ensure_future(self._show(ActivityType.PROCESSING))
        requested_at, requested = _epoch_ms(), time.monotonic()
        translation = await self._translate(sent.message)
        translate_ms = (time.monotonic() - requested) * 1_000
        storing = time.monotonic()
        metrics = _metrics(sent, requested_at, requested_at + translate_ms)
        await self._room.messages.update_message_translation(sent.message.id, translation.text, metrics)
        await showing
        await self._show(ActivityType.IDLE)
        return Interpreted(translation, translate_ms, storing)

    async def sees_displayed(self, message_id: UUID) -> None:
        """Return when this side has learnt that the message was displayed."""
        await self._displayed[message_id].wait()

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

    async def _translate(self, message: Message) -> Translation:
        text, target = message.original, message.target_lang
        try:
            return await self._room.translation.translate(text, self.language, target)
        except TranslationFailed as error:
            self._trouble(str(error))
            return untranslated(TranslationRequest(text, self.language, target), "nobody")

    async def _show(self, activity: ActivityType) -> None:
        await self._room.activity.update_activity(self._session_id, self._user_id, activity)

    def _on_activity(self, activity: UserActivity) -> None:
        if activity.user_id != self._user_id:
            self._screen.show_activity(self._side, activity.activity_type)

    async def _on_message(self, message: Message) -> None:
        arrived = time.monotonic()
        self.seen.append(message)
        is_own = message.user_id == self._user_id
        self._screen.show_message(self._side, message, is_own=is_own)
        if message.status is MessageStatus.DISPLAYED:
            self._displayed[message.id].set()
        if not is_own and is_ready(message) and message.id not in self.ready_at:
            self.ready_at[message.id] = arrived
            try:
                await self._room.messages.mark_message_displayed(message.id)
            except BabelroomError as error:
                self._trouble(f"A message could not be marked displayed. {error}")

    def _trouble(self, sentence: str) -> None:
        if sentence not in self.troubles:
            self.troubles.append(sentence)


def _metrics(sent: Sent, requested: float, answered: float) -> PerformanceMetrics:
    return PerformanceMetrics(
        audio_recording_start=sent.typing_from_epoch_ms,
        audio_recording_end=sent.typing_until_epoch_ms,
        # Typed, not spoken: there was nothing to transcribe.
        whisper_request_start=sent.typing_until_epoch_ms,
        whisper_response_end=sent.typing_until_epoch_ms,
        translation_request_start=requested,
        translation_response_end=answered,
        # What can be known before the other side has it: the way to the database, and all until now.
        message_delivery_time=(sent.queued - sent.started) * 1_000,
        total_end_to_end_time=answered - sent.typing_from_epoch_ms,
    )


def _epoch_ms() -> float:
    return time.time() * 1_000
