"""Whisper, or another of OpenAI's models, as transcriber: a recording goes out whole, a transcript comes back whole."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

from pydantic import BaseModel, ValidationError

from babelroom.audio import Audio
from babelroom.errors import NothingSaid, TranscriptionFailed
from babelroom.languages import base_language, from_whisper
from babelroom.models import Usage
from babelroom.providers import openai, trouble
from babelroom.providers.checks import silence
from babelroom.results import Segment, Transcript

_MAX_PROMPT = 600
"""Characters: Whisper reads the last 224 tokens of it."""
_WITHOUT_SEGMENTS = re.compile(r"gpt-.*transcribe")
_LONGEST = 1e6
"""Seconds: no recording of 25 MB is longer."""
_UNKNOWN_LANGUAGE = "und"
"""BCP 47 for a language that nobody knows."""


class OpenAITranscriber:
    """Transcribes recordings."""

    def __init__(self, connection: openai.OpenAI) -> None:
        """Take the connection, whose settings name the model; it stays open."""
        self._connection = connection
        self._model = connection.settings.transcription_model

    @property
    def name(self) -> str:
        return f"openai {self._model}"

    async def transcribe(self, audio: Audio, language: str | None, context: Sequence[str]) -> Transcript:
        """Return what was said; a language that neither the model nor the caller tells is "und".

        Raises:
            NothingSaid: silence or noise.
            TranscriptionFailed: OpenAI refused, did not answer, or its answer is no transcript.
        """
        fields = self._fields(language, context)
        async with self._connection.call(TranscriptionFailed) as attempts:
            answer = await attempts.make(partial(self._ask, audio, fields))
        text = silence.heard(answer.text, answer.segments or ()).strip()
        if not text:
            raise NothingSaid
        return Transcript(
            text=text,
            language=_language(language, answer.language),
            duration=answer.seconds,
            segments=answer.segments or (),
            provider=self.name,
            model=self._model,
            usage=answer.spent(self._model),
        )

    async def _ask(self, audio: Audio, fields: dict[str, Any]) -> _Answer:
        body = await self._connection.transcribe(audio, fields)
        try:
            return _Answer.model_validate_json(body)
        except ValidationError as error:
            raise trouble.garbled(repr(body[:60].decode(errors="replace"))) from error

    def _fields(self, language: str | None, context: Sequence[str]) -> dict[str, Any]:
        fields: dict[str, Any] = {"temperature": 0, "response_format": "json"}
        if not _WITHOUT_SEGMENTS.match(self._model):
            fields |= {"response_format": "verbose_json", "timestamp_granularities": ["segment"]}
        if language is not None:
            fields["language"] = base_language(language)
        turns = last_turns(context)
        if turns:
            fields["prompt"] = turns
        return fields


def last_turns(turns: Sequence[str]) -> str:
    """Return as many of the last turns, each whole, as Whisper reads before a recording."""
    kept: list[str] = []
    for turn in reversed(turns):
        if len(" ".join([turn, *kept])) > _MAX_PROMPT:
            break
        kept.insert(0, turn)
    return " ".join(kept)


class _Usage(BaseModel):
    """By duration, or by tokens."""

    seconds: float | None = None
    input_tokens: int = 0
    output_tokens: int = 0


class _Answer(BaseModel):
    text: str
    language: str | None = None
    duration: float | None = None
    segments: tuple[Segment, ...] | None = None
    usage: _Usage | None = None

    @property
    def seconds(self) -> float | None:
        told = self.duration if self.duration is not None or self.usage is None else self.usage.seconds
        return told if told is not None and 0 <= told < _LONGEST else None

    def spent(self, model: str) -> Usage | None:
        """What the model bills, or None where the server does not say."""
        if self.seconds is None and self.usage is None:
            return None
        told = self.usage or _Usage()
        return Usage(
            model=model,
            audio_seconds=self.seconds or 0.0,
            input_tokens=told.input_tokens,
            output_tokens=told.output_tokens,
        )


def _language(asked: str | None, name: str | None) -> str:
    """The tag of what was detected; a tag of the same language that was asked for says more."""
    detected = from_whisper(name) if name else None
    if asked is not None and (detected is None or base_language(detected) == base_language(asked)):
        return asked
    return detected or _UNKNOWN_LANGUAGE
