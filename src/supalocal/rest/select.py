"""`select=`: columns, casts, aggregates and embedded resources."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from supalocal.rest.combinators import (
    Parser,
    always,
    attempt,
    between,
    char,
    end_of_input,
    lazy,
    look_ahead,
    not_followed_by,
    optional,
    refuse,
    separated,
    sequence,
    string,
)
from supalocal.rest.fields import Field, field, identifier, lexeme, name

EVERYTHING = Field("*")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the answer; `alias:field::cast.aggregate()::aggregate_cast`."""

    field: Field
    alias: str | None = None
    cast: str | None = None
    aggregate: str | None = None
    aggregate_cast: str | None = None
    is_row: bool = False  # the whole row as one value


@dataclass(frozen=True, slots=True)
class Embed:
    """`name(...)`: rows of a related table inside each row; with `spread`, their columns beside the row's own."""

    name: str
    items: tuple[Column | Embed, ...]
    alias: str | None = None
    hint: str | None = None
    inner: bool = False
    spread: bool = False

    @property
    def key(self) -> str:
        return self.alias or self.name


def _embed(values: tuple[Any, ...], *, spread: bool) -> Embed:
    (alias, relation, first, second), items = values
    params = [param for param in (first, second) if param]
    join = next((value for kind, value in params if kind == "join"), None)
    hint = next((value for kind, value in params if kind == "hint"), None)
    return Embed(relation, tuple(items), alias, hint, join == "inner", spread)


def _column(values: tuple[Any, ...]) -> Column:
    alias, selected, cast, aggregate, aggregate_cast, _ = values
    return Column(selected, alias, cast, aggregate, aggregate_cast)


_alias = optional(attempt(name << char(":") << not_followed_by(":", '":"')))
_cast = optional(string("::") >> identifier)
_end = attempt(look_ahead(string(")"))) | attempt(look_ahead(string(","))) | attempt(end_of_input)
_aggregate = (
    string("sum") | string("avg") | string("count") | attempt(string("max")) | attempt(string("min"))
) << string("()")

_embed_param = char("!") >> (
    attempt(string("left", ("join", "left")))
    | attempt(string("inner", ("join", "inner")))
    | attempt(name.map(lambda hint: ("hint", hint)))
)
_params = (optional(_embed_param), optional(_embed_param))
_opening = attempt(look_ahead(string("(")))
_relation = lexeme(sequence(_alias, refuse(name, "count"), *_params) << _opening)
_spread_relation = lexeme(sequence(string("...") >> always(None), name, *_params) << _opening)

_count = sequence(_alias, string("count()") >> always(EVERYTHING), always(None), always("count"), _cast, _end)
_plain = sequence(_alias, field, _cast, optional(attempt(char(".") >> _aggregate)), _cast, _end)
_star = attempt((string("*") << _end).map(lambda _: Column(EVERYTHING)))
_selected_column = lexeme(_star | attempt(_count.map(_column)) | _plain.map(_column))


def _items() -> Parser[list[Any]]:
    return _forest


_children = between(char("("), char(")"), lazy(_items))
_item = (
    sequence(attempt(_spread_relation), _children).map(lambda values: _embed(values, spread=True))
    | sequence(attempt(_relation), _children).map(lambda values: _embed(values, spread=False))
    | _selected_column
)
_forest: Parser[list[Any]] = separated(_item, lexeme(char(","))) | always([])


@lru_cache(maxsize=512)
def parse_select(text: str) -> tuple[Column | Embed, ...]:
    """What `select=` asks for, in its order; raises GrammarError."""
    return tuple(_forest.parse(text, f"failed to parse select parameter ({text})"))
