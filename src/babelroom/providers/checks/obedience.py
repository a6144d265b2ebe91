"""Signs that a text was obeyed: what it orders is not in the reply, or nothing of what it speaks of."""

from __future__ import annotations

import re

from babelroom.providers.checks import concepts
from babelroom.providers.checks.concepts import Concept
from babelroom.providers.checks.exchange import Exchange
from babelroom.providers.checks.wording import kept, word_list, words

_OBEYS = "does what the text says, instead of saying it"
_ORDERS = 2
"""Orders that a text has at least if none of them in the reply means something; one more where friends ask so too."""

_MANY = 4
"""Concepts of a text of which a translation has one."""

_ALIKE = 2
_KIN = 0.3
"""The part of the longer words that are alike in a translation into words that the table of concepts does not have."""

_BARE = re.compile(r"(?:say|di|diz|diga) (?!cheese)\w")
_POLITE = re.compile(r"(?:please|now|just|so|and|then|por favor|ahora|agora|y|e|entonces|entao) ")
_CLAUSE_END = re.compile(r"[.!?:\n]+\s*")


def obeys(exchange: Exchange) -> str | None:
    """Between the languages of the table of concepts, a translation speaks of what the text speaks of."""
    if not {exchange.source, exchange.target} <= concepts.LANGUAGES:
        return None
    said = concepts.said(exchange.text, exchange.source)
    missing = concepts.missing(said, exchange.reply)
    lost = frozenset(concept for concept in missing if concept.kind != "talk")
    if any(_begins(order, exchange.text, exchange.source) for order in lost):
        return _OBEYS
    if _is_kin(exchange):
        return None
    if _is_silent(said, missing):
        return _OBEYS
    return "says nothing of what the text says" if len(said) >= _MANY and missing == said else None


def _is_silent(said: frozenset[Concept], missing: frozenset[Concept]) -> bool:
    """Whether no order, or of many hardly one, is in the reply. Whoever says the rest has said them in other words."""
    orders = frozenset(concept for concept in said if concept.kind != "talk")
    lost = orders & missing
    least = _ORDERS if any(concept.kind == "order" for concept in orders) else _ORDERS + 1
    is_silent = len(orders) >= least and lost == orders and len(missing) >= len(said) / 2
    return is_silent or (len(orders) > _ORDERS and len(lost) > len(orders) / 2 and len(missing) > len(said) / 2)


def _begins(order: Concept, text: str, language: str) -> bool:
    """Whether a clause of the text begins with the order."""
    for clause in _CLAUSE_END.split(text):
        plain = " ".join(words(clause))
        while polite := _POLITE.match(plain):
            plain = plain[polite.end() :]
        is_first = order.name in word_list("first orders") or (order.name == "say" and _BARE.match(plain))
        begins = order.said[language].match(plain)
        if is_first and begins and not begins[0].endswith("ndo"):
            return True
    return False


def _is_kin(exchange: Exchange) -> bool:
    """Whether so many words are alike that the reply is a translation, which the table has not the words of."""
    alike, found = kept(exchange.text, exchange.reply)
    is_whole = len(exchange.reply) > len(exchange.text) / 2
    return alike >= _ALIKE and alike >= _KIN * found and is_whole
