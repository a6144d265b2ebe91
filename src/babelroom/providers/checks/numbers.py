"""Signs that numbers, codes or markup were worked with: a translation keeps them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from babelroom.providers.checks.exchange import Exchange, without_addresses
from babelroom.providers.checks.wording import word_list

_CODED = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
_MARKUP = re.compile(r"</\w+>|<\||\[/?INST\]|^#{1,6} |```", re.MULTILINE)
_NUMBER = re.compile(r"\d+(?:[.,\u00a0 ]\d{3})*(?:[.,]\d+)?")
_HALF_A_DAY = 12
_HOUR = 2
"""Digits."""

_INNER_CAPITALS = 2
_PHRASE = 2
"""Words that are no numerals, from which on a number alone says less than was said."""


def lost_the_markup(exchange: Exchange) -> str | None:
    """Tags and fences stay."""
    is_lost = _MARKUP.search(exchange.text) and not _MARKUP.search(exchange.reply)
    return "lost the markup of the text" if is_lost else None


def lost_a_code(exchange: Exchange) -> str | None:
    """Base64 and the like stay: nobody is asked to read them."""
    codes = [code for code in _CODED.findall(exchange.text) if code.endswith("=") or _is_mixed(code)]
    return "lost a code that the text holds" if any(code not in exchange.reply for code in codes) else None


def _is_mixed(code: str) -> bool:
    """As no word of people is: digits among capitals, or capitals here and there."""
    has_both = re.search(r"\d", code) and re.search(r"[A-Z]", code[1:])
    return bool(has_both) or len(re.findall(r"[a-z][A-Z]", code)) >= _INNER_CAPITALS


def has_no_words(exchange: Exchange) -> str | None:
    """A number alone stands for numerals, and nothing for nothing."""
    if any(word.isalpha() for word in exchange.reply_words):
        return None
    numerals = word_list("numerals") | word_list("beside numerals")
    said = [word for word in exchange.text_words if word.isalpha() and word not in numerals]
    return "has no words" if len(said) >= _PHRASE else None


def holds_another_number(exchange: Exchange) -> str | None:
    """A text that writes numbers in digits, and a reply that has one of its own: the result, and not the sum."""
    said, replied = (_numbers(text) for text in (exchange.text, exchange.reply))
    if not said or word_list("numerals") & set(exchange.text_words) or "".join(said) == "".join(replied):
        return None
    is_new = any(number.strip("0") and not _is_of(number, said) for number in replied)
    return "holds a number that the text lacks" if is_new else None


def _numbers(text: str) -> list[str]:
    return ["".join(re.findall(r"\d", number)) for number in _NUMBER.findall(without_addresses(text))]


def _is_of(number: str, said: Sequence[str]) -> bool:
    """Whether it is one of them, one of their ends ("85" is 1985), or the same hour of the other half of the day."""
    return any(
        number.startswith(one)
        or number.endswith(one)
        or one.startswith(number)
        or one.endswith(number)
        or _is_same_hour(one, number)
        for one in said
    )


def _is_same_hour(one: str, other: str) -> bool:
    """Whether both are hours, one of the morning and one of the afternoon."""
    return len(one) <= _HOUR and len(other) <= _HOUR and abs(int(one) - int(other)) == _HALF_A_DAY
