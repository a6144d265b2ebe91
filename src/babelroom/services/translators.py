"""Who translates: the first of the settings' order that can, and why those before it did not."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from babelroom.errors import TranslationFailed, TranslatorUnavailable
from babelroom.languages import base_language
from babelroom.providers.apertium import Apertium
from babelroom.providers.phrasebook import Phrasebook
from babelroom.results import Translation, TranslationRequest

if TYPE_CHECKING:
    from babelroom.config import Settings
    from babelroom.providers import OnDelta, Translator

logger = logging.getLogger("babelroom")

UNCHANGED = "unchanged"

_NO_KEY = "OPENAI_API_KEY is not set"
_NO_APERTIUM = "apertium is not installed"


@dataclass(frozen=True, slots=True)
class _Choice:
    """What the order says of one translator, for one pair of languages."""

    reason: str
    """A sentence: why it is used, or why not."""
    translator: Translator | None = None
    """None: it cannot be used for this pair."""


class Translators:
    """The translator that was given, or else the settings' own, in their order."""

    def __init__(
        self, settings: Settings, given: Translator | None, openai: Callable[[], Awaitable[Translator]]
    ) -> None:
        self._settings = settings
        self._given = given
        self._open_openai = openai
        self._order = settings.translators or (("openai",) if settings.openai_api_key else ("apertium", "phrasebook"))
        command = Apertium.find() if given is None and "apertium" in self._order else None
        self._apertium = Apertium(command) if command else None
        self._phrasebook = Phrasebook()
        self._said: set[str] = set()

    @property
    def sentence(self) -> str:
        """Who translates, and why."""
        if self._given is not None:
            return f"Translations come from {self._given.name}: it was given to the client."
        if self._settings.translators:
            return f"Translations come from {', else '.join(self._order)}: the settings say so."
        if self._settings.openai_api_key:
            return f"Translations come from openai {self._settings.translation_model}: OPENAI_API_KEY is set."
        if self._apertium:
            return (
                f"Translations come from apertium: it is installed, and {_NO_KEY}. "
                "Pairs of languages that it lacks come from the bundled phrasebook."
            )
        return (
            f"Translations come from the bundled phrasebook, which knows a few sentences: {_NO_KEY} and {_NO_APERTIUM}."
        )

    async def sentence_for(self, source: str, target: str) -> str:
        """Return who translates this pair of languages, and why.

        Raises:
            TranslationFailed: the translator cannot be used at all.
        """
        reasons = []
        async for choice in self._choices(source, target):
            reasons.append(choice.reason)
            if choice.translator is not None:
                return choice.reason
        return " ".join(reasons)

    async def translate(self, request: TranslationRequest, on_delta: OnDelta) -> Translation:
        """Return what the first translator makes of it that can; `switches` say why those before it did not.

        Raises:
            TranslatorUnavailable: none can be used.
            TranslationFailed: none that can be used could do it; the last one's error.
        """
        switches: list[str] = []
        failure: TranslationFailed | None = None
        async for choice in self._choices(request.source, request.target):
            if choice.translator is None:
                switches.append(choice.reason)
                continue
            self._say_once(choice.reason)
            try:
                result = await _ask(choice.translator, request, on_delta)
            except TranslationFailed as error:
                failure = error
                switches.append(f"{choice.translator.name} could not: {error}")
                logger.warning("%s", switches[-1])
                continue
            if failure is not None and not result.is_translated:
                # Handing the text on untranslated is no answer to a failure.
                switches.append(f"{choice.translator.name} does not know the text.")
                continue
            return result.model_copy(update={"switches": tuple(switches)})
        raise failure or TranslatorUnavailable(
            f"Nobody can translate from {request.source} to {request.target}. {' '.join(switches)}"
        )

    async def close(self) -> None:
        """End what translates on this machine."""
        if self._apertium is not None:
            await self._apertium.close()

    async def _choices(self, source: str, target: str) -> AsyncIterator[_Choice]:
        if self._given is not None:
            yield _Choice(self.sentence, self._given)
            return
        for name in self._order:
            match name:
                case "openai":
                    yield await self._choose_openai()
                case "apertium":
                    yield await self._choose_apertium(source, target)
                case "phrasebook":
                    yield self._choose_phrasebook(source, target)

    async def _choose_openai(self) -> _Choice:
        if not self._settings.openai_api_key:
            return _Choice(f"openai cannot be used: {_NO_KEY}.")
        return _Choice(self.sentence, await self._open_openai())

    async def _choose_apertium(self, source: str, target: str) -> _Choice:
        if self._apertium is None:
            return _Choice(f"apertium cannot be used: {_NO_APERTIUM}.")
        modes = await self._apertium.route(source, target)
        if not modes:
            return _Choice(f"apertium has no way from {source} to {target} installed.")
        return _Choice(f"From {source} to {target} translates apertium ({' + '.join(modes)}).", self._apertium)

    def _choose_phrasebook(self, source: str, target: str) -> _Choice:
        reason = self.sentence
        if self._apertium is not None and not self._settings.translators:
            reason = (
                f"From {source} to {target} translates the bundled phrasebook, which knows a few sentences: "
                f"apertium has no way between them installed, and {_NO_KEY}."
            )
        is_same = base_language(source) == base_language(target)
        return _Choice(reason, _Unchanged() if is_same else self._phrasebook)

    def _say_once(self, reason: str) -> None:
        if reason not in self._said:
            self._said.add(reason)
            logger.info(reason)


class _Unchanged:
    """Between regions of one language: they understand each other."""

    name = UNCHANGED

    async def translate(self, request: TranslationRequest, on_delta: OnDelta) -> Translation:  # noqa: ARG002  at once
        return Translation(text=request.text, source=request.source, target=request.target, provider=UNCHANGED)


async def _ask(translator: Translator, request: TranslationRequest, on_delta: OnDelta) -> Translation:
    try:
        result = await translator.translate(request, on_delta)
    except TranslationFailed:
        raise
    except Exception as error:
        raise TranslationFailed(f"{translator.name} could not translate the text: {error}") from error
    if not isinstance(result, Translation):
        raise TranslationFailed(f"{translator.name} returned {type(result).__name__}, not a Translation.")
    return result
