"""A chat model as translator: its reply is told as it grows, and asked for once more if it is no translation."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from functools import partial

from babelroom.errors import TranslationFailed, TranslatorUnavailable
from babelroom.models import Usage
from babelroom.providers import OnDelta, openai, prompt, trouble
from babelroom.providers.checks import reply
from babelroom.providers.completion import Completion, Garbled
from babelroom.providers.growth import Growth
from babelroom.results import Translation, TranslationRequest

logger = logging.getLogger("babelroom")

_LAST_BYTES = 0.1
"""Seconds for what follows the answer's end: a connection that was read to its end can be used again."""


class OpenAITranslator:
    """Translates by streaming chat completions."""

    def __init__(self, connection: openai.OpenAI) -> None:
        """Take the connection, whose settings name the model; it stays open."""
        self._connection = connection
        self._settings = connection.settings

    @property
    def name(self) -> str:
        return f"openai {self._settings.translation_model}"

    async def translate(self, request: TranslationRequest, on_delta: OnDelta) -> Translation:
        """Return the model's translation, with the tokens of all attempts; no usage where the server tells none.

        Raises:
            TranslationFailed: OpenAI did not answer, or its replies, the second one to a firmer prompt, are no
                translation.
            TranslatorUnavailable: the key, the model, the quota or the address is at fault, not the text.
        """
        work = _Work(request, Growth(on_delta))
        async with self._connection.call(TranslationFailed, TranslatorUnavailable) as attempts:
            for firm in (False, True):
                completion = await attempts.make(partial(self._ask, work, firm=firm))
                fault = _fault(request, completion)
                if fault is None:
                    return self._translation(work, completion.text.strip())
                logger.info("The reply of %s is no translation: %s", self.name, fault)
        raise TranslationFailed(f"{self.name} gave no translation, asked twice; the original is kept. {fault}")

    async def _ask(self, work: _Work, *, firm: bool) -> Completion:
        body = {
            "model": self._settings.translation_model,
            "temperature": self._settings.translation_temperature,
            "messages": prompt.messages(work.request, firm=firm),
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        completion = Completion()
        try:
            async with aclosing(self._connection.complete(body)) as chunks:
                await _read(completion, chunks, work)
        except Garbled as error:
            raise trouble.garbled(error) from error
        finally:
            work.spend(completion.tokens)
        return completion

    def _translation(self, work: _Work, text: str) -> Translation:
        model = self._settings.translation_model
        usage = None
        if work.tokens is not None:
            usage = Usage(model=model, input_tokens=work.tokens[0], output_tokens=work.tokens[1])
        return Translation(
            text=text,
            source=work.request.source,
            target=work.request.target,
            provider=self.name,
            model=model,
            usage=usage,
        )


class _Work:
    """What a translation's attempts have in common."""

    def __init__(self, request: TranslationRequest, growth: Growth) -> None:
        self.request = request
        self.growth = growth
        self.tokens: tuple[int, int] | None = None

    def spend(self, tokens: tuple[int, int] | None) -> None:
        if tokens is not None:
            before = self.tokens or (0, 0)
            self.tokens = before[0] + tokens[0], before[1] + tokens[1]


async def _read(completion: Completion, chunks: AsyncIterator[bytes], work: _Work) -> None:
    """Read to the reply's end, or until it is far too long.

    Raises:
        Garbled: it is no chat completion.
        Trouble: it broke off.
    """
    async for data in chunks:
        completion.feed(data)
        if reply.is_running_on(work.request, completion.text):
            return
        work.growth.grow(completion.text)
        if completion.is_done:
            with suppress(TimeoutError, trouble.Trouble):
                async with asyncio.timeout(_LAST_BYTES):
                    async for _ in chunks:
                        pass
            return
    completion.end()
    if completion.error is not None:
        raise openai.broken_off(completion.error)
    if not completion.is_whole:
        raise trouble.cut()
    work.growth.grow(completion.text)


def _fault(request: TranslationRequest, completion: Completion) -> str | None:
    if completion.refusal:
        return f"The model refused: {completion.refusal:.200}"
    if completion.finish_reason not in {"stop", None}:
        return f"The reply is not whole: it ended by {completion.finish_reason}."
    return reply.fault(request, completion.text) or (None if completion.is_whole else "The reply runs on and on.")
