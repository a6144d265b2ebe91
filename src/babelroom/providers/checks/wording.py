"""Words as they are compared: without case, accents and punctuation."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib import resources

_WORD = re.compile(r"\d+|[^\W\d_]+")
_ALIKE = 4
"""Letters at their beginning that words of neighbouring languages have in common if they are one word."""


def folded(text: str) -> str:
    """Return the text in lower case and without accents; every apostrophe is a straight one."""
    parts = unicodedata.normalize("NFKD", text.casefold().replace("\u2019", "'"))
    return unicodedata.normalize("NFC", "".join(part for part in parts if not unicodedata.combining(part)))


def words(text: str) -> list[str]:
    """Return the words and numbers of the text, folded: "don't" is two."""
    return _WORD.findall(folded(text))


def kept(text: str, other: str) -> tuple[int, int]:
    """Return how many of the text's numbers and longer words are in the other one, or begin alike, and of how many."""
    found = {word for word in words(text) if len(word) >= _ALIKE or word.isdigit()}
    beginnings = {word[:_ALIKE] for word in words(other)}
    return sum(word[:_ALIKE] in beginnings for word in found), len(found)


def rows(name: str) -> list[list[str]]:
    """Return the rows of a table beside this module, without its head."""
    lines = resources.files("babelroom.providers.checks").joinpath(name).read_text("utf-8").splitlines()
    return [line.split("\t") for line in lines[1:]]


def word_list(name: str) -> frozenset[str]:
    """Return a list of folded words of word_lists.tsv."""
    return _word_lists()[name]


@cache
def _word_lists() -> Mapping[str, frozenset[str]]:
    return {name: frozenset(listed.split()) for name, listed in rows("word_lists.tsv")}
