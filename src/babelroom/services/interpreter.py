"""The interpreter: from a voice or a line of text to a message that the other person can read, in one call."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, replace
from typing import Self, Unpack
from uuid import UUID, uuid4

from babelroom import inputs
from babelroom.audio import Recording
from babelroom.config import Settings
from babelroom.deadlines import deadline
from babelroom.errors import BabelroomError, ClientClosed, Conflict, MessageNotFound
from babelroom.models import ActivityType, Claim, Message, MessageStatus, MessageUpdate, MeteredMetrics
from babelroom.repositories.messages import MessageRepository
from babelroom.repositories.partials import PartialRepository
from babelroom.results import Steering, Transcript, Translation, TranslationRequest
from babelroom.services.activity import ActivityService
from babelroom.services.partials import PartialSender
from babelroom.services.translation import TranslationService
from babelroom.services.translators import UNCHANGED

logger = logging.getLogger("babelroom")

_FAREWELL = 3.0
"""Seconds that saying why a message failed may take."""

_CONTEXT_WORTH = 0.5
"""Seconds that the last turns are waited for: beyond that, a translation without them is the better one."""

_GIVEN_UP = "It was given up before its translation came."

# What stands for the text and the languages that only the transcript tells, to check the rest of what was given.
_ANY, _ANY_LANGUAGE = "...", "en"

_MARGIN = 5.0
"""Seconds beyond the translation's own for which workers leave a message to us: storing it takes time too."""


@dataclass(frozen=True, slots=True)
class Interpretation:
    """What was said, and what became of it."""

    message: Message
    """The row as stored: translated, ready to display."""
    translation: Translation
    transcript: Transcript | None
    """None where a text was given."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """What is said in a session, before it is a message."""

    session_id: UUID
    user_id: UUID
    message_id: UUID
    target: str | None
    """None: the other participant's language."""

    @classmethod
    def checked(
        cls, session_id: UUID | str, user_id: UUID | str, message_id: UUID | str | None, target: str | None
    ) -> Self:
        return cls(
            inputs.uuid(session_id),
            inputs.uuid(user_id),
            uuid4() if message_id is None else inputs.uuid(message_id),
            None if target is None else inputs.language(target),
        )


@dataclass(frozen=True, slots=True)
class _Instants:
    """Epoch ms. What was typed was recorded and transcribed in no time."""

    recording_start: float
    recording_end: float
    transcribing: float
    transcribed: float


class Interpreter:
    """Reached as `Babelroom.interpreter`, and as its translate_text() and translate_speech()."""

    def __init__(
        self,
        messages: MessageRepository,
        activity: ActivityService,
        translation: TranslationService,
        partials: PartialRepository,
        settings: Settings,
    ) -> None:
        self._messages = messages
        self._activity = activity
        self._translation = translation
        self._partials = partials
        self._hold = settings.translation_deadline + _MARGIN
        self._per_second = settings.events_per_second
        self._context_turns = settings.context_turns

    async def translate_text(
        self,
        session_id: UUID | str,
        user_id: UUID | str,
        text: str,
        source: str,
        target: str | None = None,
        *,
        message_id: UUID | str | None = None,
        **steering: Unpack[Steering],
    ) -> Interpretation:
        """Say a text: send it as a message, translate it, and return when it is ready to display.

        Meanwhile the user is shown as processing, and stream_partials() tells how the translation grows. Without a
        target it is the other participant's language; without a context, the session's last turns help. With a
        message_id of your own a call can be repeated: what was translated is not translated again, what failed is.

        Raises:
            InvalidInput: a text, language or id, or what steers the translation, is refused; nothing was sent.
            SessionNotFound: there is no such session.
            SessionExpired: the session was closed, or its time is over.
            Conflict: target was left out and nobody else is in the session, or message_id is another message's.
            TranslationFailed: it could not be translated. The message stays, failed, with the reason.
        """
        now = _epoch_ms()
        turn = _Turn.checked(session_id, user_id, message_id, target)
        asked = inputs.request(text, source, target or source, **steering)
        async with AsyncExitStack() as shown:
            return await self._say(turn, asked, _Instants(now, now, now, now), None, shown, "context" in steering)

    async def translate_speech(
        self,
        session_id: UUID | str,
        user_id: UUID | str,
        recording: Recording,
        source: str | None = None,
        target: str | None = None,
        *,
        recorded: tuple[float, float] | None = None,
        message_id: UUID | str | None = None,
        **steering: Unpack[Steering],
    ) -> Interpretation:
        """Say a recording: transcribe it, and go on as translate_text() does. Without a source, it is detected.

        `recorded` is when the recording began and ended (epoch ms); without it, it has just ended, and began as long
        before as it lasts.

        Raises:
            InvalidAudio: the recording is no sound file that is known, or larger than 25 MB.
            NothingSaid: silence or noise; no message was made.
            TranscriptionFailed: it could not be transcribed; no message was made.
            BabelroomError: what translate_text() raises.
        """
        now = _epoch_ms()
        turn = _Turn.checked(session_id, user_id, message_id, target)
        span = None if recorded is None else inputs.instants("recorded", recorded)
        inputs.request(_ANY, source or _ANY_LANGUAGE, target or _ANY_LANGUAGE, **steering)
        async with AsyncExitStack() as shown:
            await shown.enter_async_context(self._processing(turn.session_id, turn.user_id))
            requested = _epoch_ms()
            transcript = await self._translation.transcribe(
                recording, language=source, context=steering.get("context", ())
            )
            start, end = span or (now - (transcript.duration or 0) * 1_000, now)
            instants = _Instants(start, end, requested, _epoch_ms())
            asked = inputs.request(transcript.text, transcript.language, target or transcript.language, **steering)
            return await self._say(turn, asked, instants, transcript, shown, "context" in steering)

    async def interpret(self, said: Message | Claim, request: TranslationRequest) -> Translation:
        """Translate what was said, and let the other side see it grow.

        Raises:
            TranslationFailed: it could not be translated.
        """
        async with PartialSender(self._partials, said, per_second=self._per_second) as growing:
            return await self._translation.ask(request, growing.grow)

    async def _say(
        self,
        turn: _Turn,
        asked: TranslationRequest,
        instants: _Instants,
        transcript: Transcript | None,
        shown: AsyncExitStack,
        has_context: bool,
    ) -> Interpretation:
        began = time.perf_counter()
        remembering = asyncio.create_task(self._last_turns(turn, 0 if has_context else self._context_turns))
        try:
            message = await self._messages.send(
                turn.message_id, turn.session_id, turn.user_id, asked.text, asked.source, turn.target, hold=self._hold
            )
            sent_ms = (time.perf_counter() - began) * 1_000
            if message.translation is not None:  # said before, by an earlier call with this id
                return Interpretation(message, _stored(message), transcript)
            try:
                if message.status is MessageStatus.FAILED:  # said before in vain: this is another try
                    await self._messages.update(message.id, MessageUpdate(status=MessageStatus.QUEUED))
                if transcript is None:
                    await shown.enter_async_context(self._processing(turn.session_id, turn.user_id))
                request = replace(asked, target=message.target_lang, context=asked.context or await remembering)
                return await self._translate(message, request, instants, transcript, shown, sent_ms)
            except BaseException as error:
                await self._fail(message, error)
                raise
        finally:
            remembering.cancel()

    async def _translate(
        self,
        message: Message,
        request: TranslationRequest,
        instants: _Instants,
        transcript: Transcript | None,
        shown: AsyncExitStack,
        sent_ms: float,
    ) -> Interpretation:
        """Translate and store. What shows the user as processing ends while the translation is being stored."""
        requested = _epoch_ms()
        translation = await self.interpret(message, request)
        # Without the wait for the last partial's end.
        answered = requested + translation.latency.total if translation.latency else _epoch_ms()
        metrics = MeteredMetrics(
            audio_recording_start=instants.recording_start,
            audio_recording_end=instants.recording_end,
            whisper_request_start=instants.transcribing,
            whisper_response_end=instants.transcribed,
            translation_request_start=requested,
            translation_response_end=answered,
            # What is known by now; the database fills in both when the message is displayed.
            message_delivery_time=sent_ms,
            total_end_to_end_time=answered - instants.recording_end,
            usage=tuple(result.usage for result in (transcript, translation) if result and result.usage),
        )
        stored, _ = await asyncio.gather(self._store(message, translation.text, metrics), shown.aclose())
        return Interpretation(stored, translation, transcript)

    def _processing(self, session_id: UUID, user_id: UUID) -> AbstractAsyncContextManager[None]:
        return self._activity.showing(session_id, user_id, ActivityType.PROCESSING)

    async def _last_turns(self, turn: _Turn, count: int) -> tuple[str, ...]:
        """What was said last. The translation is none the worse for lack of it, and does not fail by it."""
        if not count:
            return ()
        try:
            async with asyncio.timeout(_CONTEXT_WORTH):
                messages = await self._messages.page(turn.session_id, count + 1, before=None, after=None, latest=True)
        except (BabelroomError, TimeoutError) as error:
            logger.info("The last turns of session %s could not be had: %s", turn.session_id, error)
            return ()
        said = [message.original for message in messages if message.id != turn.message_id]
        return tuple(said[-count:])

    async def _store(self, message: Message, translation: str, metrics: MeteredMetrics) -> Message:
        change = MessageUpdate(translation=translation, status=MessageStatus.PROCESSING, performance_metrics=metrics)
        stored = await self._messages.settle(message.id, change)
        if stored is None:
            # The answer to a first try was lost, or a worker took us for gone and was quicker.
            stored = await self._messages.get(message.id)
        if stored is None:
            raise MessageNotFound
        if stored.translation is None:
            raise Conflict(f"Message {message.id} is {stored.status.value} by now: its translation was not stored.")
        return stored

    async def _fail(self, message: Message, error: BaseException) -> None:
        """Say on the message why it has no translation. Where even that fails, it stays queued, for a worker."""
        reason = inputs.reason(str(error) or _GIVEN_UP)
        change = MessageUpdate(status=MessageStatus.FAILED, error=reason)
        try:
            with deadline(_FAREWELL):
                await self._messages.settle(message.id, change)
        except (BabelroomError, ClientClosed) as trouble:
            logger.warning("Message %s could not be marked as failed (%s): %s", message.id, reason, trouble)


def _stored(message: Message) -> Translation:
    return Translation(
        text=message.translation or "",
        source=message.original_lang,
        target=message.target_lang,
        provider=UNCHANGED,
    )


def _epoch_ms() -> float:
    return time.time() * 1_000
