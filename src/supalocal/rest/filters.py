"""`column=op.value` and `or=(...)`: conditions on rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from supalocal.rest.combinators import (
    Parser,
    always,
    attempt,
    between,
    char,
    characters,
    choice,
    lazy,
    not_followed_by,
    optional,
    rest,
    separated,
    sequence,
    string,
)
from supalocal.rest.fields import Field, delimiter, field, identifier, lexeme, name, quoted, tree_path

EmbedPath = tuple[str, ...]

# Operators that take one value, as SQL. PostgreSQL decides what the value is: it travels untyped.
OPERATORS = {
    "neq": "<>",
    "cs": "@>",
    "cd": "<@",
    "ov": "&&",
    "sl": "<<",
    "sr": ">>",
    "nxr": "&<",
    "nxl": "&>",
    "adj": "-|-",
}
# Those that may also be compared with (any) or (all) of several.
QUANTIFIABLE = {
    "eq": "=",
    "gte": ">=",
    "gt": ">",
    "lte": "<=",
    "lt": "<",
    "like": "like",
    "ilike": "ilike",
    "match": "~",
    "imatch": "~*",
}
SEARCHES = {
    "fts": "to_tsquery",
    "plfts": "plainto_tsquery",
    "phfts": "phraseto_tsquery",
    "wfts": "websearch_to_tsquery",
}
# `is.` takes words, not values: SQL's IS cannot be prepared with a parameter.
TRUTHS = {"null": "NULL", "not_null": "NOT NULL", "true": "TRUE", "false": "FALSE", "unknown": "UNKNOWN"}


@dataclass(frozen=True, slots=True)
class Compare:
    """`eq.5`, `like(any).{a*,b*}`: an operator and the text it compares with."""

    operator: str
    value: str
    quantifier: str | None = None


@dataclass(frozen=True, slots=True)
class OneOf:
    """`in.(a,b)`."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Is:
    """`is.null` and the like; `truth` is one of TRUTHS."""

    truth: str


@dataclass(frozen=True, slots=True)
class IsDistinctFrom:
    """`isdistinct.a`: unequal, where null is a value like any other."""

    value: str


@dataclass(frozen=True, slots=True)
class Search:
    """`fts(english).cat`: full text; `function` is one of SEARCHES."""

    function: str
    query: str
    language: str | None = None


Operation = Compare | OneOf | Is | IsDistinctFrom | Search


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition on one column."""

    field: Field
    operation: Operation
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """`and(...)` or `or(...)`."""

    members: tuple[Filter | Group, ...]
    any_of: bool
    negated: bool = False


Condition = Filter | Group


def _chosen(words: dict[str, str]) -> Parser[str]:
    return choice(*(attempt(string(word)) for word in words))


def _any_case(word: str) -> Parser[str]:
    return sequence(*(char(letter) | char(letter.upper()) for letter in word)).map(lambda _: word)


def _truth() -> Parser[str]:
    return choice(*(attempt(_any_case(word)) for word in TRUTHS)).label("isVal: (null, not_null, true, false, unknown)")


_element = attempt(quoted << not_followed_by(r"[^,)]")) | characters("[^,)]", least=0)
_list = lexeme(char("(")) >> separated(_element, char(",")) << lexeme(char(")"))
_quantifier = optional(attempt(between(char("("), char(")"), attempt(string("any")) | string("all"))))
_language = optional(attempt(between(char("("), char(")"), identifier)))
_unknown = "unknown single value operator"


def _expression(value: Parser[str]) -> Parser[tuple[bool, Operation]]:
    one_of = (attempt(string("in") >> delimiter) >> _list).map(lambda values: OneOf(tuple(values)))
    is_truth = (attempt(string("is") >> delimiter) >> _truth()).map(Is)
    distinct = (attempt(string("isdistinct") >> delimiter) >> value).map(IsDistinctFrom)
    search = sequence(_chosen(SEARCHES), _language << delimiter, value).map(lambda v: Search(v[0], v[2], v[1]))
    simple = sequence(_chosen(OPERATORS).label(_unknown) << delimiter, value).map(lambda v: Compare(v[0], v[1]))
    quantified = sequence(_chosen(QUANTIFIABLE).label(_unknown), _quantifier << delimiter, value).map(
        lambda v: Compare(v[0], v[2], v[1])
    )
    operation = (one_of | is_truth | distinct | attempt(search) | attempt(simple) | attempt(quantified)).label(
        "operator (eq, gt, ...)"
    )
    negation = attempt(string("not") >> delimiter).map(lambda _: True) | always(value=False)
    return sequence(negation, operation).map(lambda pair: (pair[0], pair[1]))


_root_expression = _expression(rest)

# In a tree a value ends at a comma or parenthesis, unless it is quoted or an array literal.
_array = sequence(string("{"), characters("[^{}]", least=0), string("}")).map("".join)
_tree_value = attempt(quoted << not_followed_by(r"[^,)]")) | attempt(_array) | characters("[^,)]", least=0)


def _filter(values: tuple[Any, ...]) -> Filter:
    tested, (negated, operation) = values
    return Filter(tested, operation, negated)


def _group(values: tuple[Any, ...]) -> Group:
    negated, word, members = values
    return Group(tuple(members), word == "or", negated)


def _tree() -> Parser[Condition]:
    return _condition


_member = lazy(_tree)
_negation = (attempt(string("not") >> delimiter).map(lambda _: True) | always(value=False)).label(
    "negation operator (not)"
)
_word = (attempt(string("and")) | string("or")).label("logic operator (and, or)")
_members = lexeme(char("(")) >> separated(_member, lexeme(char(","))) << lexeme(char(")"))
_condition: Parser[Condition] = attempt(sequence(field << delimiter, _expression(_tree_value)).map(_filter)) | sequence(
    _negation, _word, _members
).map(_group)
_logic_path = separated(name, delimiter)


def parse_filter(key: str, text: str) -> tuple[EmbedPath, Filter]:
    """The condition that the parameter `key=text` states, and the embed it is meant for; raises GrammarError."""
    path, tested = tree_path.parse(key, f"failed to parse tree path ({key})")
    negated, operation = _root_expression.parse(text, f"failed to parse filter ({text})")
    return path, Filter(tested, operation, negated)


def parse_filter_or_argument(key: str, text: str) -> tuple[EmbedPath, Filter] | tuple[str, str]:
    """As `parse_filter`, but what is no filter is the argument (name, value) of a function."""
    path, tested = tree_path.parse(key, f"failed to parse tree path ({key})")
    parsed = (_root_expression | always(None)).parse(text, f"failed to parse filter ({text})")
    if parsed is None:
        return tested.name, text
    return path, Filter(tested, parsed[1], parsed[0])


def parse_logic(key: str, text: str) -> tuple[EmbedPath, Condition]:
    """The tree that `or=`, `not.and=`, `embed.or=` and the like state; raises GrammarError."""
    parts = _logic_path.parse(key, f"failed to parse logic path ({key})")
    prefix = "not." if "not" in parts else ""
    path = tuple(part for part in parts[:-1] if part != "not")
    return path, _condition.parse(f"{prefix}{parts[-1]}{text}", f"failed to parse logic tree ({text})")
