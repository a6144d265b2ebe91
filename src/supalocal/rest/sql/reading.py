"""Reads as SQL: selects, lateral joins for embeds, and the query that counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supalocal.rest.ranges import EVERY_ROW, Range
from supalocal.rest.read import EmbedIsNull, Join, Read, Where
from supalocal.rest.sql.conditions import Conditions
from supalocal.rest.sql.text import Values, qualified, quoted, type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from supalocal.rest.order import OrderTerm
    from supalocal.rest.select import Column


class Reading:
    """Writes reads; their values go to `values`."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._conditions = Conditions(values)

    def select(self, read: Read, join: Join | None = None) -> str:
        """The select; with `join`, only the rows that belong to the row around it."""
        columns = [self._column(read, column) for column in read.columns]
        if join and join.is_gathered:
            columns += [f"{self._sorted_by(read, term)} as {quoted(key)}" for key, term in _sort_keys(join)]
        columns += [shown for inner in read.joins for shown in self._shown(inner)]
        if not columns and not read.joins:
            columns = [f"{qualified(read.qualifier)}.*"]
        joins = "".join(self._joined(inner) for inner in read.joins)
        where = self._where_clause(read, lambda condition: self._conditions.where(read, condition), join)
        # What is gathered column by column is sorted there, after the limit.
        order = "" if join and join.is_gathered else self._order(read)
        rest = f"{self._group(read)}{order}{self._limit(read.range)}"
        return f"select {', '.join(columns)} from {_from(read, join)}{joins}{where}{rest}"

    def counting(self, read: Read, join: Join | None = None) -> str:
        """A select with a row for each that the conditions meet, whatever the range; embeds count if they restrict."""

        def written(condition: Where) -> str:
            if isinstance(condition, EmbedIsNull):
                embedded = next(other for other in read.joins if other.alias == condition.alias)
                negation = "" if condition.negated else "not "
                return f"{negation}exists ({self.counting(embedded.read, embedded)})"
            return self._conditions.where(read, condition, written)

        exists = [f"exists ({self.counting(inner.read, inner)})" for inner in read.joins if inner.inner]
        where = self._where_clause(read, written, join, exists)
        return f"select 1 from {_from(read, join)}{where}"

    def _where_clause(
        self,
        read: Read,
        written: Callable[[Where], str],
        join: Join | None = None,
        more: Sequence[str] = (),
    ) -> str:
        conditions = [written(condition) for condition in read.where]
        conditions += _join_conditions(join) if join else []
        conditions += more
        return f" where {' and '.join(conditions)}" if conditions else ""

    def _column(self, read: Read, column: Column) -> str:
        selected = qualified(read.qualifier) if column.is_row else self._conditions.field(read, column.field)
        selected = _cast(selected, column.cast)
        if column.aggregate:
            selected = _cast(f"{column.aggregate}({selected})", column.aggregate_cast)
        alias = column.alias or (None if column.aggregate else column.field.result_key)
        return f"{selected} as {quoted(alias)}" if alias else selected

    def _shown(self, join: Join) -> list[str]:
        alias, key = quoted(join.alias), quoted(join.key)
        if join.spread:
            return [_spread(join, name) for name in _spread_names(join)]
        if join.read.is_hidden:
            return []
        if join.relationship.is_to_one:
            return [f"row_to_json({alias}.*)::jsonb as {key}"]
        return [f"coalesce({alias}.{alias}, '[]') as {key}"]

    def _joined(self, join: Join) -> str:
        alias = quoted(join.alias)
        rows, condition = self.select(join.read, join), "true"
        if not join.relationship.is_to_one:
            gathered = [f"json_agg({alias})::jsonb as {alias}"]
            if join.is_gathered:
                gathered += [_gathered(join, name) for name in _spread_names(join)]
            rows = f"select {', '.join(gathered)} from ({rows}) as {alias}"
            condition = f"{alias} is not null" if join.inner else "true"
        return f" {'inner' if join.inner else 'left'} join lateral ({rows}) as {alias} on {condition}"

    def _group(self, read: Read) -> str:
        if not read.is_aggregated:
            return ""
        terms = [self._group_term(read, column) for column in read.columns if not column.aggregate]
        for join in read.joins:
            if join.spread:
                counted = {aggregate.column for aggregate in join.aggregates}
                terms += [_spread(join, name) for name in _spread_names(join) if name not in counted]
            elif not join.read.is_hidden:
                terms.append(quoted(join.key))
        return f" group by {', '.join(terms)}" if terms else ""

    def _group_term(self, read: Read, column: Column) -> str:
        alias = column.alias or column.field.result_key
        return quoted(alias) if alias else self._conditions.field(read, column.field)

    def _order(self, read: Read) -> str:
        return f" order by {', '.join(self._order_term(read, term) for term in read.order)}" if read.order else ""

    def _order_term(self, read: Read, term: OrderTerm) -> str:
        return _directed(self._sorted_by(read, term), term)

    def _sorted_by(self, read: Read, term: OrderTerm) -> str:
        if term.relation is None:
            return self._conditions.field(read, term.field)
        return f"{quoted(term.relation)}.{quoted(term.field.name)}{self._conditions.path(term.field)}"

    def _limit(self, rows: Range) -> str:
        if rows == EVERY_ROW:
            return ""
        limit = "all" if rows.limit is None else self._values.add(str(rows.limit))
        return f" limit {limit} offset {self._values.add(str(rows.first))}"


def _from(read: Read, join: Join | None = None) -> str:
    relationship = join.relationship if join else None
    if join and relationship and relationship.function:
        # Typed, because a function may be overloaded and a write's rows have lost their type.
        argument = f"{quoted(join.parent.name)}::{qualified(relationship.table)}"
        source = f"{qualified(relationship.function)}({argument})"
    else:
        source = qualified(read.source)
    alias = f" as {quoted(read.alias)}" if read.alias else ""
    junction = relationship.junction if relationship else None
    return f"{source}{alias}{f', {qualified(junction.table)}' if junction else ''}"


def _join_conditions(join: Join) -> list[str]:
    own, other = qualified(join.parent), qualified(join.read.qualifier)
    junction = join.relationship.junction
    if not junction:
        pairs = join.relationship.columns
        return [f"{other}.{quoted(target)} = {own}.{quoted(column)}" for column, target in pairs]
    between = qualified(junction.table)
    return [
        *(f"{other}.{quoted(key)} = {between}.{quoted(column)}" for column, key in junction.target_columns),
        *(f"{between}.{quoted(column)} = {own}.{quoted(key)}" for column, key in junction.source_columns),
    ]


def _cast(expression: str, kind: str | None) -> str:
    return f"cast({expression} as {type_name(kind)})" if kind else expression


def _spread(join: Join, name: str) -> str:
    column = f"{quoted(join.alias)}.{'*' if name == '*' else quoted(name)}"
    aggregate = next((aggregate for aggregate in join.aggregates if aggregate.column == name), None)
    if aggregate is None:
        return column
    return f"{_cast(f'{aggregate.function}({column})', aggregate.cast)} as {quoted(name)}"


def _spread_names(join: Join) -> list[str]:
    names = [column.alias or column.field.result_key or column.field.name for column in join.read.columns]
    for inner in join.read.joins:
        # An embed without columns is named too: PostgREST does so, and PostgreSQL refuses it.
        names += _spread_names(inner) if inner.spread else [inner.key]
    return names


def _gathered(join: Join, name: str) -> str:
    alias, column = quoted(join.alias), quoted(name)
    terms = ", ".join(_directed(f"{alias}.{quoted(key)}", term) for key, term in _sort_keys(join))
    return f"coalesce(json_agg({alias}.{column}{f' order by {terms}' if terms else ''}), '[]')::jsonb as {column}"


def _sort_keys(join: Join) -> list[tuple[str, OrderTerm]]:
    """What the rows of a gathered join are sorted by, under names that none of its columns has."""
    return [(f"{join.alias}_{term.field.name}_{n}", term) for n, term in enumerate(join.read.order, 1)]


def _directed(expression: str, term: OrderTerm) -> str:
    return " ".join(filter(None, [expression, term.direction, term.nulls]))
