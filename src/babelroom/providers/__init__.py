"""Providers: who translates, transcribes and speaks. The service chooses among them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

from babelroom.audio import Audio
from babelroom.results import Transcript, Translation, TranslationRequest

OnDelta = Callable[[str], None]
"""Takes what the text has grown by. What was told once stays: a text that begins anew is told from where it goes on."""


class Translator(Protocol):
    """Turns a text into another language. Bring your own: these two members are all it takes."""

    @property
    def name(self) -> str:
        """Who translates, such as "openai gpt-4o-mini"."""
        ...

    async def translate(self, request: TranslationRequest, on_delta: OnDelta) -> Translation:
        """Return the text in the target language, or marked as untranslated; on_delta may be told it as it grows.

        Raises:
            TranslationFailed: the translator could not do its work; the cause is kept.
            TranslatorUnavailable: nor could it with any other text.
        """
        ...


class Transcriber(Protocol):
    """Turns a recording into text."""

    @property
    def name(self) -> str:
        """Who transcribes, such as "openai whisper-1"."""
        ...

    async def transcribe(self, audio: Audio, language: str | None, context: Sequence[str]) -> Transcript:
        """Return what was said; a language and the last turns help.

        Raises:
            NothingSaid: silence or noise.
            TranscriptionFailed: the transcriber could not do its work; the cause is kept.
        """
        ...


class Speaker(Protocol):
    """Turns a text into sound."""

    @property
    def name(self) -> str:
        """Who speaks, such as "openai tts-1"."""
        ...

    def speak(self, text: str, language: str, voice: str) -> AsyncIterator[bytes]:
        """Yield the sound, a part after the other.

        Raises:
            SpeechFailed: the speaker could not do its work; the cause is kept.
        """
        ...


def untranslated(request: TranslationRequest, provider: str) -> Translation:
    """Pass the text through, visibly: "[en] Hello" is English that nobody translated."""
    return Translation(
        text=f"[{request.source}] {request.text}",
        source=request.source,
        target=request.target,
        provider=provider,
        is_translated=False,
    )
