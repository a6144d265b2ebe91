"""Translators and transcribers of our own, for what stands on them: they do what the test says, when it says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from babelroom import Transcript, Translation, TranslationRequest, Usage
from babelroom.audio import Audio


class Interpreting:
    """Translates by a function, in parts; waits, before it ends, until it may go on."""

    name = "interpreting"

    def __init__(self, translate: Callable[[str], str] = str.upper, parts: int = 1) -> None:
        self.how = translate
        self._parts = parts
        self.asked: list[TranslationRequest] = []
        self.has_begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def translate(self, request: TranslationRequest, on_delta: Callable[[str], None]) -> Translation:
        self.asked.append(request)
        text = self.how(request.text)
        size = -(-len(text) // self._parts)
        for start in range(0, len(text), size):
            on_delta(text[start : start + size])
        self.has_begun.set()
        await self.may_end.wait()
        usage = Usage(model="gpt-4o-mini", input_tokens=100, output_tokens=20)
        return Translation(
            text=text, source=request.source, target=request.target, provider=self.name, model=usage.model, usage=usage
        )


class Listening:
    """Hears in every recording what it was made with, or raises it."""

    name = "listening"

    def __init__(self, heard: str | Exception, *, language: str = "en", duration: float | None = 2.0) -> None:
        self._heard = heard
        self._language = language
        self._duration = duration
        self.asked: list[tuple[Audio, str | None, Sequence[str]]] = []

    async def transcribe(self, audio: Audio, language: str | None, context: Sequence[str]) -> Transcript:
        self.asked.append((audio, language, context))
        if isinstance(self._heard, Exception):
            raise self._heard
        usage = Usage(model="whisper-1", audio_seconds=self._duration or 0)
        return Transcript(
            text=self._heard, language=language or self._language, duration=self._duration, provider=self.name,
            model=usage.model, usage=usage,
        )  # fmt: skip
