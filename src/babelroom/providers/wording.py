"""Words as they are compared: without case, accents and punctuation."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"\d+|[^\W\d_]+")


def folded(text: str) -> str:
    """Return the text in lower case and without accents; every apostrophe is a straight one."""
    parts = unicodedata.normalize("NFKD", text.casefold().replace("\u2019", "'"))
    return unicodedata.normalize("NFC", "".join(part for part in parts if not unicodedata.combining(part)))


def words(text: str) -> list[str]:
    """Return the words and numbers of the text, folded: "don't" is two."""
    return _WORD.findall(folded(text))
