"""Whether a model's reply is a translation, or an answer, a refusal or something else that it was talked into.

What people say reaches the model as data, and yet a model may answer or obey it. No second model is asked whether it
did: each sign is a rule over words and numbers that a sentence explains, and holds back where it is unsure, because a
translation that is refused fails somebody's message.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from babelroom.providers.checks import numbers, questions, tongue
from babelroom.providers.checks.exchange import Exchange
from babelroom.providers.checks.obedience import obeys
from babelroom.providers.checks.wording import folded, rows, words
from babelroom.providers.prompt import instructions
from babelroom.results import TranslationRequest

_WIDE = re.compile(r"[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uffe6\U00020000-\U0003fffd]")
_WIDTH = 3
"""Letters of a Latin script that a character of Chinese, Japanese or Korean stands for, about."""

_ROOM = 40
"""Characters that any translation may have more: "tqm" is "I love you so much"."""

_LONGEST = 2.0
"""How many times as long as its text a translation is at most."""

_SHORTEST = ((80, 0.35), (30, 0.22), (15, 0.13))
"""From how many characters on a translation has at least which part of them; words that are repeated count once."""

_PHRASE = 2
_PART = 0.6
"""Of the words of a text, the part that is no translation of all of it if it is all of the reply."""

_ECHO = 4
"""Words of a text that is another one in another language: "OK" and "Madrid" are not."""

_MARK = 3
"""Words that an engine may put beside a text that it passes through."""

_LEAK = 6
"""Words in a row that are ours: a translation has so many by no accident."""

_BREAKS = 2
_FORMS = {
    "code": re.compile(
        r"```|\bdef \w+\(|\bprint\(|\bconsole\.log\(|#include|<\?php|</\w+>|<html|^[ \t]*import \w+$", re.MULTILINE
    ),
    "data": re.compile(r"^[ \t]*[\[{]\s*[\"'{\[]|\"\w{1,40}\"\s*:\s*[\"\d{\[]", re.MULTILINE),
    "a list": re.compile(r"^[ \t]*(?:[-*•]|\d+[.)])[ \t].*\n+[ \t]*(?:[-*•]|\d+[.)])\s", re.MULTILINE),
    "markdown": re.compile(r"\*\*[^*\n]{1,200}\*\*|^#{1,6} ", re.MULTILINE),
}
_QUOTED = re.compile(r"[\"“«„]([^\"“”«»„]{1,200})[\"”»“]")


def fault(request: TranslationRequest, reply: str) -> str | None:
    """Return a sentence that says why the reply is no translation of the text, or None if nothing speaks against it."""
    exchange = Exchange(request, reply)
    if _carries_the_text(exchange):
        return None
    return next((f"The reply {found}." for sign in _SIGNS if (found := sign(exchange))), None)


def is_running_on(request: TranslationRequest, so_far: str) -> bool:
    """Whether a reply that is still coming is already far too long for a translation of the text."""
    terms = sum(_length(term) for term in request.glossary.values())
    return _length(so_far) > _ROOM + terms + _LONGEST * _length(request.text)


def _carries_the_text(exchange: Exchange) -> bool:
    """Whether it is all of the text, marked, as an engine that lacks the words gives it: nothing was obeyed."""
    said, replied = (" ".join(found) for found in (exchange.text_words, exchange.reply_words))
    is_marked = len(exchange.reply_words) - len(exchange.text_words) <= _MARK and exchange.reply != exchange.text
    return is_marked and bool(said) and f" {said} " in f" {replied} "


def _length(text: str) -> int:
    return len(text) + (_WIDTH - 1) * len(_WIDE.findall(text))


def _is_empty(exchange: Exchange) -> str | None:
    return None if exchange.reply.strip() else "is empty"


def _is_too_long(exchange: Exchange) -> str | None:
    return "is far too long for a translation" if is_running_on(exchange.request, exchange.reply) else None


def _is_too_short(exchange: Exchange) -> str | None:
    said, replied = (_length("".join(set(found))) for found in (exchange.text_words, exchange.reply_words))
    least = next((part for length, part in _SHORTEST if said >= length), 0)
    return "is far too short for a translation" if replied < least * said else None


def _is_a_part(exchange: Exchange) -> str | None:
    """Of "say hello" it is what was to be said."""
    said, replied = (" ".join(found) for found in (exchange.text_words, exchange.reply_words))
    is_part = len(exchange.text_words) > _PHRASE and len(exchange.reply_words) <= _PART * len(exchange.text_words)
    is_said = any(word.isalpha() and len(word) > _PHRASE for word in exchange.reply_words)
    return "is a part of the text, untranslated" if is_part and is_said and f" {replied} " in f" {said} " else None


def _is_an_echo(exchange: Exchange) -> str | None:
    is_echo = exchange.text_words == exchange.reply_words and len(exchange.text_words) >= _ECHO
    if not is_echo or exchange.source == exchange.target:
        return None
    is_source = tongue.speaks_for(exchange.text, exchange.source, exchange.target)
    if is_source is None:
        parts = exchange.text.split()
        is_source = sum(part[0].isupper() or not part[0].isalpha() for part in parts) <= len(parts) / 2
    return "is the text itself, untranslated" if is_source else None


def _leaks(exchange: Exchange) -> str | None:
    said = f" {' '.join(exchange.text_words)} "
    ours = f" {' '.join(words(instructions(exchange.request, firm=True)))} "
    replied = exchange.reply_words
    runs = (" ".join(replied[at : at + _LEAK]) for at in range(len(replied) - _LEAK + 1))
    is_leaking = any(f" {run} " in ours and f" {run} " not in said for run in runs)
    return "holds the translator's instructions" if is_leaking else None


def _talks_as_an_assistant(exchange: Exchange) -> str | None:
    """A person may say such things too: then the text says something like them."""
    said, replied = folded(exchange.text), folded(exchange.reply)
    signs = (sign for sign, talk, excuse in _assistant_talk() if talk.search(replied) and not excuse.search(said))
    return next((f"{sign}, as an assistant does" for sign in signs), None)


@cache
def _assistant_talk() -> tuple[tuple[str, re.Pattern[str], re.Pattern[str]], ...]:
    return tuple((sign, re.compile(talk), re.compile(excuse)) for sign, talk, excuse in rows("assistant.tsv"))


def _has_another_form(exchange: Exchange) -> str | None:
    for name, form in _FORMS.items():
        if form.search(exchange.reply) and not form.search(exchange.text):
            return f"is {name}, and the text is not"
    more = exchange.reply.strip().count("\n") - exchange.text.strip().count("\n")
    return "has more lines than the text" if more >= _BREAKS else None


def _is_in_another_language(exchange: Exchange) -> str | None:
    own = exchange.reply
    for quote in _QUOTED.findall(own):
        # What somebody quotes may stay as it was said.
        own = own.replace(quote, " ") if quote in exchange.text else own
    target = exchange.request.target
    if tongue.is_in_another_script(own, target) and not set(words(own)) <= set(exchange.text_words):
        return f"is not in the script of {target}"
    other = tongue.foreign(own, target)
    return f"is in {other} and not in {target}" if other else None


_SIGNS: tuple[Callable[[Exchange], str | None], ...] = (
    _is_empty,
    _is_too_long,
    _is_too_short,
    questions.lost_the_question,
    questions.lost_the_question_word,
    questions.answers_first,
    numbers.lost_the_markup,
    numbers.lost_a_code,
    numbers.has_no_words,
    numbers.holds_another_number,
    _is_a_part,
    _is_an_echo,
    _leaks,
    _has_another_form,
    _talks_as_an_assistant,
    _is_in_another_language,
    obeys,
)
