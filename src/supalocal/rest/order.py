"""`order=`: by which columns rows are sorted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from supalocal.rest.combinators import (
    attempt,
    between,
    char,
    end_of_input,
    look_ahead,
    optional,
    separated,
    sequence,
    string,
)
from supalocal.rest.fields import Field, delimiter, field, lexeme, name


@dataclass(frozen=True, slots=True)
class OrderTerm:
    """One column to sort by; `direction` and `nulls` are SQL, None where PostgreSQL's own holds."""

    field: Field
    relation: str | None = None  # a to-one embed whose column it is
    direction: str | None = None
    nulls: str | None = None


def _term(values: tuple[Any, ...]) -> OrderTerm:
    relation, sorted_by, direction, nulls = values
    return OrderTerm(sorted_by, relation, direction, nulls)


_end = attempt(look_ahead(char(","))) | attempt(end_of_input)
_nulls = attempt(delimiter >> string("nullsfirst", "NULLS FIRST")) | attempt(
    delimiter >> string("nullslast", "NULLS LAST")
)
_direction = attempt(delimiter >> string("asc", "ASC")) | attempt(delimiter >> string("desc", "DESC"))
_suffix = (optional(_direction), (optional(_nulls) << _end) | _end)
_own = sequence(field, *_suffix).map(lambda values: _term((None, *values)))
_related = sequence(name, between(char("("), char(")"), field), *_suffix).map(_term)
_terms = separated(lexeme(attempt(_related) | _own), char(","))


@lru_cache(maxsize=512)
def parse_order(text: str) -> tuple[OrderTerm, ...]:
    """The terms of `order=` in their order; raises GrammarError."""
    return tuple(_terms.parse(text, f"failed to parse order ({text})"))
