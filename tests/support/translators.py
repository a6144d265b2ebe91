"""Asking a translator as the service does."""

from __future__ import annotations

from typing import Any

from babelroom import Translation, TranslationRequest, Translator


async def translate(translator: Translator, text: str, source: str, target: str, **steering: Any) -> Translation:
    """What it makes of the text; how the text grows is not looked at."""
    return await translator.translate(TranslationRequest(text, source, target, **steering), lambda _: None)
