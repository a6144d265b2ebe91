"""Conditions and columns as SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supalocal.rest.filters import (
    OPERATORS,
    QUANTIFIABLE,
    SEARCHES,
    TRUTHS,
    Compare,
    Filter,
    Is,
    IsDistinctFrom,
    OneOf,
    Operation,
    Search,
)
from supalocal.rest.read import AnyGroup, EmbedIsNull, Read, Where
from supalocal.rest.select import EVERYTHING
from supalocal.rest.sql.text import Values, array_literal, qualified, quoted

if TYPE_CHECKING:
    from collections.abc import Callable

    from supalocal.rest.fields import Field


class Conditions:
    """Writes conditions; their values go to `values`."""

    def __init__(self, values: Values) -> None:
        self._values = values

    def where(self, read: Read, condition: Where, written: Callable[[Where], str] | None = None) -> str:
        if isinstance(condition, EmbedIsNull):
            return f"{quoted(condition.alias)} is {'' if condition.negated else 'not '}distinct from null"
        if isinstance(condition, AnyGroup):
            write = written or (lambda member: self.where(read, member))
            members = (" or " if condition.any_of else " and ").join(write(member) for member in condition.members)
            return f"{'not ' if condition.negated else ''}({members})"
        return self._filter(read, condition)

    def field(self, read: Read, field: Field) -> str:
        if field == EVERYTHING:
            return f"{qualified(read.qualifier)}.*"
        column = f"{qualified(read.qualifier)}.{quoted(field.name)}"
        if field.path and not (read.table and read.table.type_of(field.name) in {"json", "jsonb"}):
            column = f"to_jsonb({column})"
        return column + self.path(field)

    def path(self, field: Field) -> str:
        return "".join(
            f"{'->>' if step.as_text else '->'}{self._values.add(step.operand)}{'::int' if step.is_index else ''}"
            for step in field.path
        )

    def _filter(self, read: Read, condition: Filter) -> str:
        tested = self.field(read, condition.field)
        if isinstance(condition.operation, Search):
            tested = self._searched(read, condition.field, condition.operation, tested)
        return f"{'not ' if condition.negated else ''}{tested} {self._operation(condition.operation)}"

    def _searched(self, read: Read, field: Field, search: Search, tested: str) -> str:
        kind = read.table.type_of(field.name) if read.table else None
        if kind in {None, "tsvector"}:
            return tested
        language = f"{self._values.add(search.language)}, " if search.language else ""
        return f"to_tsvector({language}{tested})"

    def _operation(self, operation: Operation) -> str:
        if isinstance(operation, Compare):
            return self._comparison(operation)
        if isinstance(operation, OneOf):
            return f"= any ({self._values.add('{}' if operation.values == ('',) else array_literal(operation.values))})"
        if isinstance(operation, Is):
            return f"is {TRUTHS[operation.truth]}"
        if isinstance(operation, IsDistinctFrom):
            return f"is distinct from {self._values.add(operation.value)}"
        language = f"{self._values.add(operation.language)}, " if operation.language else ""
        return f"@@ {SEARCHES[operation.function]}({language}{self._values.add(operation.query)})"

    def _comparison(self, compare: Compare) -> str:
        if compare.operator in OPERATORS:
            return f"{OPERATORS[compare.operator]} {self._values.add(compare.value)}"
        text = compare.value.replace("*", "%") if compare.operator in {"like", "ilike"} else compare.value
        value = self._values.add(text)
        against = f"{compare.quantifier} ({value})" if compare.quantifier else value
        return f"{QUANTIFIABLE[compare.operator]} {against}"
