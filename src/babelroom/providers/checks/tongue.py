"""Which language a text is in, where enough speaks for one: its script, or the small words of one language."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from functools import cache

from babelroom.languages import base_language
from babelroom.providers.checks.wording import rows, word_list

_WORD = re.compile(r"[^\W\d_]+")

# Languages that are written in one script alone, by the first word of its characters' names in Unicode.
_HAN = frozenset({"CJK"})
_SCRIPTS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("ru", "uk", "bg", "be", "mk"), frozenset({"CYRILLIC"})),
    **dict.fromkeys(("ar", "fa", "ur", "ps", "sd"), frozenset({"ARABIC"})),
    **dict.fromkeys(("hi", "mr", "ne", "sa"), frozenset({"DEVANAGARI"})),
    **dict.fromkeys(("bn", "as"), frozenset({"BENGALI"})),
    **dict.fromkeys(("he", "yi"), frozenset({"HEBREW"})),
    **dict.fromkeys(("zh", "yue"), _HAN),
    "ja": _HAN | {"HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"},
    "ko": _HAN | {"HANGUL"},
    "el": frozenset({"GREEK"}),
    "th": frozenset({"THAI"}),
    "ka": frozenset({"GEORGIAN"}),
    "hy": frozenset({"ARMENIAN"}),
    "am": frozenset({"ETHIOPIC"}),
    "ta": frozenset({"TAMIL"}),
    "te": frozenset({"TELUGU"}),
    "kn": frozenset({"KANNADA"}),
    "ml": frozenset({"MALAYALAM"}),
    "gu": frozenset({"GUJARATI"}),
    "si": frozenset({"SINHALA"}),
    "km": frozenset({"KHMER"}),
    "lo": frozenset({"LAO"}),
    "my": frozenset({"MYANMAR"}),
    "bo": frozenset({"TIBETAN"}),
}
_LATIN = frozenset({"LATIN"})
_ENOUGH_LETTERS = 6
_MIN_SHARE = 0.3
_ENOUGH_WORDS = 3
_CLEAR = 2
"""How many times as many words must speak for the other language."""


def is_in_another_script(text: str, language: str) -> bool:
    """Whether hardly a letter is of the script that the language is written in; False where it has several."""
    base = base_language(language)
    own = _SCRIPTS.get(base) or (_LATIN if base in word_list("latin") else None)
    scripts = Counter(unicodedata.name(letter, "?").split()[0] for letter in text if letter.isalpha())
    if own is None or "-" in language or scripts.total() < _ENOUGH_LETTERS:
        return False
    return sum(scripts[script] for script in own) < _MIN_SHARE * scripts.total()


def foreign(text: str, language: str) -> str | None:
    """Return the language that a text seems to be in instead of the one that it should be in, or None."""
    base = base_language(language)
    lists = _function_words()
    found = _words(text)
    own = lists.get(base, frozenset())
    others = {tag: len(found & listed - own) for tag, listed in lists.items() if tag != base}
    other = max(others, key=lambda tag: others[tag])
    if base not in lists:
        # Without words of its own, most of them must be the other's.
        is_other = base in word_list("latin") and others[other] > max(_ENOUGH_WORDS, len(found) / 2)
        return other if is_other else None
    against = len(found & own)
    enough = _ENOUGH_WORDS if against or len(found) > 2 * _ENOUGH_WORDS else _ENOUGH_WORDS - 1
    return other if others[other] >= enough and others[other] > _CLEAR * against else None


def speaks_for(text: str, language: str, other: str) -> bool | None:
    """Whether more small words of the text are of the language than of the other one; None where it has no list."""
    lists = _function_words()
    own, others = (lists.get(base_language(tag)) for tag in (language, other))
    if own is None:
        return None
    found = _words(text)
    return len(found & own - (others or frozenset())) > len(found & (others or frozenset()) - own)


def _words(text: str) -> frozenset[str]:
    """Accents stay: "e" and "é" are words of different languages."""
    return frozenset(_WORD.findall(text.casefold()))


@cache
def _function_words() -> Mapping[str, frozenset[str]]:
    return {language: frozenset(listed.split()) for language, listed in rows("function_words.tsv")}
