"""TranslationService: which translator does the work, and why."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from babelroom import inputs
from babelroom.errors import TranslationFailed
from babelroom.languages import base_language
from babelroom.providers.apertium import Apertium
from babelroom.providers.phrasebook import Phrasebook
from babelroom.results import Translation, TranslationRequest

if TYPE_CHECKING:
    from babelroom.config import Settings
    from babelroom.providers import Translator
    from babelroom.providers.openai import OpenAI

logger = logging.getLogger("babelroom")

_UNCHANGED = "unchanged"


class TranslationService:
    """Translates with the translator that it is given, or OpenAI if there is a key, or apertium, or a phrasebook."""

    def __init__(self, settings: Settings, translator: Translator | None = None) -> None:
        self._settings = settings
        self._given = translator
        self._openai: OpenAI | None = None
        self._opening = asyncio.Lock()
        command = None if translator or settings.openai_api_key else Apertium.find()
        self._apertium = Apertium(command) if command else None
        self._phrasebook = Phrasebook()
        self._said: set[str] = set()

    @property
    def provider(self) -> str:
        """A sentence: who translates, and why."""
        if self._given is not None:
            return f"Translations come from {self._given.name}: it was given to the client."
        if self._settings.openai_api_key:
            return f"Translations come from openai {self._settings.translation_model}: OPENAI_API_KEY is set."
        if self._apertium:
            return (
                "Translations come from apertium: it is installed, and OPENAI_API_KEY is not set. "
                "Pairs of languages that it lacks come from the bundled phrasebook."
            )
        return (
            "Translations come from the bundled phrasebook, which knows a few sentences: "
            "OPENAI_API_KEY is not set and apertium is not installed."
        )

    async def provider_for(self, source: str, target: str) -> str:
        """Return a sentence: who translates this pair of languages, and why.

        Raises:
            InvalidLanguage: a language is no BCP 47 tag.
            TranslationFailed: the translator cannot be used at all.
        """
        return (await self._choose(inputs.language(source), inputs.language(target)))[1]

    async def translate(self, text: str, source: str, target: str) -> Translation:
        """Return the text in the target language; `is_translated` is False where it had to be passed through.

        Raises:
            InvalidText: the text is empty, longer than 10,000 characters, or cannot be stored.
            InvalidLanguage: a language is no BCP 47 tag.
            TranslationFailed: the translator could not do its work.
        """
        inputs.text(text)
        source, target = inputs.language(source), inputs.language(target)
        if source.lower() == target.lower() or not any(character.isalpha() for character in text):
            return Translation(text=text, source=source, target=target, provider=_UNCHANGED)
        translator, reason = await self._choose(source, target)
        self._say_once(reason)
        if translator is self._phrasebook and base_language(source) == base_language(target):
            return Translation(text=text, source=source, target=target, provider=_UNCHANGED)
        try:
            result = await translator.translate(TranslationRequest(text, source, target), lambda _: None)
        except TranslationFailed:
            raise
        except Exception as error:
            raise TranslationFailed(f"{translator.name} could not translate the text: {error}") from error
        if not isinstance(result, Translation):
            raise TranslationFailed(f"{translator.name} returned {type(result).__name__}, not a Translation.")
        inputs.text(result.text, limit=inputs.MAX_TRANSLATION)
        return result

    async def close(self) -> None:
        """Close what this service opened; a translator that was given stays open. Closing twice does nothing."""
        if self._openai is not None:
            await self._openai.close()
            self._openai = None

    async def _choose(self, source: str, target: str) -> tuple[Translator, str]:
        if self._given is not None:
            return self._given, self.provider
        if self._settings.openai_api_key:
            return await self._open_openai(), self.provider
        if self._apertium is None:
            return self._phrasebook, self.provider
        modes = await self._apertium.route(source, target)
        if modes:
            return self._apertium, f"From {source} to {target} translates apertium ({' + '.join(modes)})."
        return self._phrasebook, (
            f"From {source} to {target} translates the bundled phrasebook, which knows a few sentences: "
            "apertium has no way between them installed, and OPENAI_API_KEY is not set."
        )

    async def _open_openai(self) -> OpenAI:
        async with self._opening:
            if self._openai is None:
                self._openai = await asyncio.to_thread(_openai, self._settings)
            return self._openai

    def _say_once(self, reason: str) -> None:
        if reason not in self._said:
            self._said.add(reason)
            logger.info(reason)


def _openai(settings: Settings) -> OpenAI:
    # openai takes a second to import: only who uses it pays, and not on the event loop.
    from babelroom.providers.openai import OpenAI  # noqa: PLC0415

    return OpenAI(settings)
