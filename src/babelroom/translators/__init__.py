"""Translators: what turns a text into another language. The service chooses among them."""

from __future__ import annotations

from typing import Protocol

from babelroom.models import Translation


class Translator(Protocol):
    """Turns a text into another language. Bring your own: these two members are all it takes."""

    @property
    def name(self) -> str:
        """Who translates, such as "openai gpt-4o-mini"."""
        ...

    async def translate(self, text: str, source: str, target: str) -> Translation:
        """Return the text in the target language, or marked as untranslated.

        Raises:
            TranslationFailed: the translator could not do its work; the cause is kept.
        """
        ...


def untranslated(text: str, source: str, target: str, provider: str) -> Translation:
    """Pass the text through, visibly: "[en] Hello" is English that nobody translated."""
    return Translation(text=f"[{source}] {text}", source=source, target=target, provider=provider, is_translated=False)


def base_language(tag: str) -> str:
    """Return the language of a BCP 47 tag without its region or script: "pt" of "pt-BR"."""
    return tag.partition("-")[0].lower()
