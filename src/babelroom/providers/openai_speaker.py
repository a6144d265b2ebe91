"""One of OpenAI's voices as speaker: the sound comes as it is made, of a long text in one part after the other."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import aclosing
from functools import partial
from typing import Literal, TypeVar

from babelroom.errors import SpeechFailed
from babelroom.providers import openai, trouble

MAX_CHARACTERS = 4_096
"""OpenAI's limit for one request: "Create speech" in its API reference."""
FORMAT: Literal["mp3"] = "mp3"
"""Its frames stand alone, so that the parts of a long text are one file."""

_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|(?<=[\u3002\uff01\uff1f])|\n+")  # also those of Chinese and Japanese
_BLANK = re.compile(r"\s+")

T = TypeVar("T")


class OpenAISpeaker:
    """Speaks, as mp3."""

    def __init__(self, connection: openai.OpenAI) -> None:
        """Take the connection, whose settings name the model; it stays open."""
        self._connection = connection
        self.model = connection.settings.speech_model

    @property
    def name(self) -> str:
        return f"openai {self.model}"

    async def speak(self, text: str, language: str, voice: str) -> AsyncIterator[bytes]:  # noqa: ARG002  it hears it
        """Yield the sound as it comes. The deadline counts the waiting for OpenAI, not what the caller does between.

        Raises:
            SpeechFailed: OpenAI refused, did not answer, or the sound broke off.
        """
        patience = _Patience(self._connection.seconds)
        with trouble.explained(SpeechFailed):
            for part in parts(text):
                attempts = trouble.attempts(patience.left)
                first, sound = await patience.wait(attempts.make(partial(self._begin, part, voice)))
                async with aclosing(sound):
                    yield first
                    while chunk := await patience.wait(anext(sound, b"")):
                        yield chunk

    async def _begin(self, text: str, voice: str) -> tuple[bytes, AsyncGenerator[bytes, None]]:
        sound = self._connection.speak(text, voice, FORMAT)
        first = await anext(sound, b"")
        if not first:
            raise trouble.garbled("no sound")
        return first, sound


class _Patience:
    """So many seconds of waiting."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds

    async def wait(self, awaitable: Awaitable[T]) -> T:
        """Return what it gives.

        Raises:
            Trouble: it takes longer than what is left.
        """
        start = time.monotonic()
        try:
            async with asyncio.timeout(self.left) as timeout:
                return await awaitable
        except TimeoutError as error:
            if not timeout.expired():
                raise
            raise trouble.slow() from error
        finally:
            self.left -= time.monotonic() - start


def parts(text: str, limit: int = MAX_CHARACTERS) -> list[str]:
    """Return the text in parts that one request takes: cut where a sentence ends, else between words, else anywhere."""
    found: list[str] = []
    rest = text.strip()
    while len(rest) > limit:
        end = _last(_SENTENCE_END, rest, limit) or _last(_BLANK, rest, limit) or limit
        found.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return [*found, rest]


def _last(pattern: re.Pattern[str], text: str, limit: int) -> int:
    """Where the last match begins that leaves at most so many characters before it; 0: there is none."""
    return max((match.start() for match in pattern.finditer(text, 0, limit + 1) if match.start() <= limit), default=0)
