"""TranslationService: a text in another language, a recording as text, a text as sound."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Unpack

from babelroom import audio, inputs, languages
from babelroom.errors import BabelroomError, SpeechFailed, TranscriptionFailed
from babelroom.models import Usage
from babelroom.prices import Prices
from babelroom.results import Latency, Speech, Steering, Transcript, Translation, TranslationRequest
from babelroom.services.speaking import Speaking, ms_since
from babelroom.services.translators import UNCHANGED, Translators

if TYPE_CHECKING:
    from babelroom.config import Settings
    from babelroom.providers import OnDelta, Speaker, Transcriber, Translator
    from babelroom.providers.openai import OpenAI


class TranslationService:
    """Reached as `Babelroom.translation`. What is given to the client does the work, or else what the settings name."""

    def __init__(
        self,
        settings: Settings,
        translator: Translator | None = None,
        *,
        transcriber: Transcriber | None = None,
        speaker: Speaker | None = None,
    ) -> None:
        self._settings = settings
        self._transcriber = transcriber
        self._speaker = speaker
        self._openai: _OpenAI | None = None
        self._opening = asyncio.Lock()
        self._translators = Translators(settings, translator, self._open_translator)
        self.prices = Prices.load(settings.prices)

    @property
    def provider(self) -> str:
        """A sentence: who translates, and why."""
        return self._translators.sentence

    async def provider_for(self, source: str, target: str) -> str:
        """Return a sentence: who translates this pair of languages, and why.

        Raises:
            InvalidLanguage: a language is no BCP 47 tag.
            TranslationFailed: the translator cannot be used at all.
        """
        return await self._translators.sentence_for(inputs.language(source), inputs.language(target))

    async def translate(
        self, text: str, source: str, target: str, *, on_delta: OnDelta | None = None, **steering: Unpack[Steering]
    ) -> Translation:
        """Return the text in the target language; `is_translated` is False where it had to be passed through.

        `context`, `tone`, `glossary` and `keep` steer it: see Steering. on_delta is called with what the text has
        grown by, where the provider streams.

        Raises:
            InvalidText: the text is empty, longer than 10,000 characters, or cannot be stored.
            InvalidLanguage: a language is no BCP 47 tag.
            InvalidInput: what steers it has another shape.
            TranslationFailed: it could not be translated, also not by the next provider if the settings name one.
        """
        return await self.ask(inputs.request(text, source, target, **steering), on_delta)

    async def translate_stream(
        self, text: str, source: str, target: str, **steering: Unpack[Steering]
    ) -> AsyncIterator[str | Translation]:
        """Yield what the translation grows by (str), and at last the Translation. Raises what translate() does.

        Joined, the parts are its text; unless the provider began anew with another one, after what turned out to be no
        translation: then the Translation is what holds.
        """
        request = inputs.request(text, source, target, **steering)
        parts: asyncio.Queue[str | None] = asyncio.Queue()
        translating = asyncio.create_task(self.ask(request, parts.put_nowait))
        translating.add_done_callback(lambda _: parts.put_nowait(None))
        told = ""
        try:
            while (part := await parts.get()) is not None:
                told += part
                yield part
            result = await translating
            if result.text.startswith(told) and result.text != told:
                yield result.text[len(told) :]
            yield result
        finally:
            translating.cancel()
            await asyncio.wait([translating])

    async def ask(self, request: TranslationRequest, on_delta: OnDelta | None = None) -> Translation:
        """Return what translate() does, for a request that has been checked."""
        began = time.perf_counter()
        first: float | None = None

        def note(delta: str) -> None:
            nonlocal first
            first = ms_since(began) if first is None else first
            if on_delta is not None:
                on_delta(delta)

        result = await self._translated(request, note)
        cost = None if result.usage is None else self.prices.cost(result.usage)
        return result.model_copy(update={"cost": cost, "latency": Latency(first=first, total=ms_since(began))})

    async def transcribe(
        self, recording: audio.Recording, *, language: str | None = None, context: Sequence[str] = ()
    ) -> Transcript:
        """Return what was said in a recording: bytes, a path, or an open file of webm, ogg, mp4, m4a, mp3, wav or flac.

        The language is detected unless it is given; the last turns help with names and spelling.

        Raises:
            InvalidAudio: it is no such file, or larger than 25 MB.
            InvalidLanguage: the language is no BCP 47 tag.
            NothingSaid: silence or noise.
            TranscriptionFailed: it could not be transcribed.
        """
        heard = await asyncio.to_thread(audio.read, recording)
        tag = None if language is None else inputs.language(language)
        turns = inputs.texts("context", context)
        transcriber = self._transcriber or (await self._openai_for(TranscriptionFailed, "transcriber")).transcriber
        began = time.perf_counter()
        try:
            result = await transcriber.transcribe(heard, tag, turns)
        except BabelroomError:
            raise
        except Exception as error:
            raise TranscriptionFailed(f"{transcriber.name} could not transcribe the recording: {error}") from error
        cost = None if result.usage is None else self.prices.cost(result.usage)
        return result.model_copy(update={"cost": cost, "latency": Latency(first=None, total=ms_since(began))})

    def speak(self, text: str, language: str, *, voice: str | None = None) -> Speaking:
        """Return the text as sound: `await` it for a Speech with all its bytes, or take them with `async for`.

        Raises:
            InvalidText: the text is empty, too long, or cannot be sent.
            InvalidLanguage: the language is no BCP 47 tag.
            SpeechFailed: when it is awaited or iterated over: it could not be spoken.
        """
        inputs.text(text, limit=inputs.MAX_TRANSLATION)
        tag = inputs.language(language)
        chosen = voice or self._voice_for(tag)
        return Speaking(partial(self._spoken, text, tag, chosen), partial(self._speech, text, tag, chosen))

    async def close(self) -> None:
        """Close what this service opened; what was given stays open. Closing twice does nothing."""
        await self._translators.close()
        if self._openai is not None:
            await self._openai.connection.close()
            self._openai = None

    async def _translated(self, request: TranslationRequest, on_delta: OnDelta) -> Translation:
        text, source, target = request.text, request.source, request.target
        if source.lower() == target.lower() or not any(character.isalpha() for character in text):
            return Translation(text=text, source=source, target=target, provider=UNCHANGED)
        result = await self._translators.translate(request, on_delta)
        inputs.text(result.text, limit=inputs.MAX_TRANSLATION)
        return result

    async def _spoken(self, text: str, language: str, voice: str) -> AsyncIterator[bytes]:
        speaker = self._speaker or (await self._openai_for(SpeechFailed, "speaker")).speaker
        try:
            async for part in speaker.speak(text, language, voice):
                yield part
        except SpeechFailed:
            raise
        except Exception as error:
            raise SpeechFailed(f"{speaker.name} could not speak the text: {error}") from error

    def _speech(self, text: str, language: str, voice: str, sound: bytes, latency: Latency) -> Speech:
        model = self._settings.speech_model if self._speaker is None else None
        usage = None if model is None else Usage(model=model, characters=len(text))
        return Speech(
            audio=sound,
            format=audio.kind(sound) or "mp3",
            language=language,
            voice=voice,
            provider=f"openai {model}" if self._speaker is None else self._speaker.name,
            model=model,
            usage=usage,
            cost=None if usage is None else self.prices.cost(usage),
            latency=latency,
        )

    def _voice_for(self, tag: str) -> str:
        voices = {language.lower(): voice for language, voice in self._settings.voices.items()}
        return voices.get(tag.lower()) or voices.get(languages.base_language(tag)) or languages.find(tag).voice

    async def _openai_for(self, failure: type[BabelroomError], role: str) -> _OpenAI:
        if self._settings.openai_api_key is None:
            raise failure(f"Nobody is there to do it: set OPENAI_API_KEY, or give the client a {role}.")
        return await self._opened_openai()

    async def _opened_openai(self) -> _OpenAI:
        async with self._opening:
            if self._openai is None:
                self._openai = await asyncio.to_thread(_openai, self._settings)
            return self._openai

    async def _open_translator(self) -> Translator:
        return (await self._opened_openai()).translator


@dataclass(frozen=True, slots=True)
class _OpenAI:
    """Three roles over one connection."""

    connection: OpenAI
    translator: Translator
    transcriber: Transcriber
    speaker: Speaker


def _openai(settings: Settings) -> _OpenAI:
    # openai takes a second to import: only who uses it pays, and not on the event loop.
    from babelroom.providers.openai import OpenAI  # noqa: PLC0415
    from babelroom.providers.openai_speaker import OpenAISpeaker  # noqa: PLC0415
    from babelroom.providers.openai_transcriber import OpenAITranscriber  # noqa: PLC0415
    from babelroom.providers.openai_translator import OpenAITranslator  # noqa: PLC0415

    connection = OpenAI(settings)
    return _OpenAI(connection, OpenAITranslator(connection), OpenAITranscriber(connection), OpenAISpeaker(connection))
