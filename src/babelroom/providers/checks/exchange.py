"""A text and the reply to it, taken apart once for all that judge the reply."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from babelroom.languages import base_language
from babelroom.providers.checks.wording import words
from babelroom.results import TranslationRequest

_ADDRESS = re.compile(r"\b(?:https?://|www\.)\S+|\S{1,64}@[\w-]{1,63}\.\S+")
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")


@dataclass(frozen=True)
class Exchange:
    request: TranslationRequest
    reply: str

    @property
    def text(self) -> str:
        return self.request.text

    @property
    def source(self) -> str:
        """The base language, as `target`."""
        return base_language(self.request.source)

    @property
    def target(self) -> str:
        return base_language(self.request.target)

    @cached_property
    def text_words(self) -> list[str]:
        return words(self.text)

    @cached_property
    def reply_words(self) -> list[str]:
        return words(self.reply)


def without_addresses(text: str) -> str:
    """Return the text without addresses of the web and of mail: their marks and numbers say nothing."""
    return _ADDRESS.sub("", text)


def sentences(text: str) -> list[str]:
    """Return the sentences that hold a word or a number."""
    return [part for part in _SENTENCE_END.split(text.strip()) if words(part)]
