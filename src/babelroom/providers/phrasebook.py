"""A small bundled phrasebook: the demo's own conversation and a few courtesies, without any network."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources

from babelroom.languages import base_language
from babelroom.providers import OnDelta, untranslated
from babelroom.results import Translation, TranslationRequest

_SENTENCE_END = re.compile(r"(?<=[.!?…])(\s+)")
_NOT_A_WORD = re.compile(r"[\W_]+")


class Phrasebook:
    """Knows whole sentences. Case, punctuation and white space do not matter; anything else is passed through."""

    name = "phrasebook"

    def __init__(self, rows: Iterable[Mapping[str, str]] | None = None) -> None:
        """Take rows of the same sentence by language; without any, the bundled ones."""
        self._pages = _pages(_bundled_rows() if rows is None else rows)

    @property
    def languages(self) -> set[str]:
        return {source for source, _ in self._pages}

    async def translate(self, request: TranslationRequest, on_delta: OnDelta) -> Translation:  # noqa: ARG002  at once
        found = self.find(request.text, request.source, request.target)
        if found is None:
            return untranslated(request, self.name)
        return Translation(text=found, source=request.source, target=request.target, provider=self.name)

    def find(self, text: str, source: str, target: str) -> str | None:
        """Return the text in the target language, or None where a sentence of it is unknown."""
        page = self._pages.get((base_language(source), base_language(target)), {})
        whole = page.get(_key(text))
        if whole is not None:
            return whole
        # The odd pieces are the white space between the sentences, kept as it is.
        pieces = _SENTENCE_END.split(text.strip())
        found = [piece if place % 2 else page.get(_key(piece)) for place, piece in enumerate(pieces)]
        return None if None in found else "".join(filter(None, found))


def _key(text: str) -> str:
    return _NOT_A_WORD.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def _pages(rows: Iterable[Mapping[str, str]]) -> dict[tuple[str, str], dict[str, str]]:
    pages: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        for source, text in row.items():
            for target, translation in row.items():
                if source != target:
                    pages.setdefault((source, target), {}).setdefault(_key(text), translation)
    return pages


@cache
def _bundled_rows() -> list[dict[str, str]]:
    lines = resources.files("babelroom.providers").joinpath("phrasebook.tsv").read_text("utf-8").splitlines()
    languages, *rows = (line.split("\t") for line in lines)
    return [dict(zip(languages, row, strict=True)) for row in rows]
