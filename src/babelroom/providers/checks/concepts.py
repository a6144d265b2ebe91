"""What a text speaks of, as far as a table of English, Spanish and Portuguese words knows it.

The table's words are folded; one that ends in `*` begins others, and `_` stands for a blank. The last column holds what
only a translation calls it, a rough one included: those words are looked for in replies, never in what was said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from babelroom.providers.checks.wording import rows, words

_COLUMNS = ("en", "es", "pt")
LANGUAGES = frozenset(_COLUMNS)
"""The languages that the table knows."""

_LONG = 5
"""More letters than this make a word of another language safe to know: people mix languages, and "dice" is English."""


@dataclass(frozen=True, slots=True, eq=False)
class Concept:
    name: str
    kind: str
    """An "order" is what people say to a machine, "asking" what they ask of each other too, "talk" anything else."""
    said: Mapping[str, re.Pattern[str]]
    """What a person calls it, by language."""
    translated: re.Pattern[str]
    """What any translation calls it."""


def said(text: str, language: str) -> frozenset[Concept]:
    """Return the concepts that a text in the language speaks of."""
    plain = " ".join(words(text))
    return frozenset(concept for concept in _table() if concept.said[language].search(plain))


def missing(concepts: Iterable[Concept], translation: str) -> frozenset[Concept]:
    """Return those of the concepts that the translation does not speak of."""
    plain = " ".join(words(translation))
    return frozenset(concept for concept in concepts if not concept.translated.search(plain))


@cache
def _table() -> tuple[Concept, ...]:
    columns = ("kind", "concept", *_COLUMNS, "also")
    return tuple(_concept(dict(zip(columns, row, strict=True))) for row in rows("concepts.tsv"))


def _concept(row: Mapping[str, str]) -> Concept:
    own = {language: row[language].split() for language in LANGUAGES}
    # English is mixed into the others, and they into it; one of the two in the other would be a false friend.
    long = {language: [word for word in forms if len(word) > _LONG] for language, forms in own.items()}
    mixed = {"en": long["es"] + long["pt"], "es": long["en"], "pt": long["en"]}
    return Concept(
        row["concept"],
        row["kind"],
        {language: _pattern([*own[language], *mixed[language]]) for language in LANGUAGES},
        _pattern([*own["en"], *own["es"], *own["pt"], *row["also"].split()]),
    )


def _pattern(forms: Iterable[str]) -> re.Pattern[str]:
    parts = sorted({form.replace("_", " ").replace("*", r"\w*") for form in forms})
    return re.compile(rf"\b(?:{'|'.join(parts)})\b")
