"""Aggregates in `select=`: where each is computed, and what the rows are grouped by."""

from __future__ import annotations

from dataclasses import replace

from supalocal.rest.errors import RestError
from supalocal.rest.read import Aggregate, Join, Read, without_stars
from supalocal.rest.select import EVERYTHING, Column


def settle_aggregates(read: Read, *, are_allowed: bool) -> Read:
    """The same read with each aggregate in its place; raises PGRST123 where they are off and PGRST127 where unknown.

    An aggregate inside a to-one spread means the rows around it, so it moves up, past every such spread.
    """
    if not _has_any(read):
        return read
    if not are_allowed:
        raise RestError(400, "PGRST123", "Use of aggregate functions is not allowed")
    return _settled(read, None, expands=False)[0]


def _has_any(read: Read) -> bool:
    return any(column.aggregate for column in read.columns) or any(_has_any(join.read) for join in read.joins)


def _settled(read: Read, join: Join | None, *, expands: bool) -> tuple[Read, tuple[Aggregate, ...]]:
    """The read, and the aggregates that it leaves to the read around it."""
    expands = expands or any(column.aggregate for column in read.columns)
    # Rows are grouped by their columns, so each needs its name.
    columns = tuple(without_stars(read.columns, read.table)) if expands and read.table else read.columns
    is_passed = join is not None and join.spread and join.relationship.is_to_one
    joins: list[Join] = []
    passed: list[Aggregate] = []
    for inner in read.joins:
        settled, lifted = _settled(inner.read, inner, expands=expands)
        joins.append(replace(inner, read=settled, aggregates=() if is_passed else lifted))
        passed += lifted
    settled = replace(read, columns=columns, joins=tuple(joins))
    if is_passed:
        passed += [Aggregate(_name(c), c.aggregate, c.aggregate_cast) for c in columns if c.aggregate]
        return replace(settled, columns=tuple(map(_plain, columns))), tuple(passed)
    if join is not None and join.spread and settled.is_aggregated:
        details = "Aggregates are not implemented for one-to-many or many-to-many spreads."
        raise RestError(400, "PGRST127", "Feature not implemented", details)
    return settled, ()


def _name(column: Column) -> str:
    return column.alias or column.aggregate or ""


def _plain(column: Column) -> Column:
    if column.aggregate is None:
        return column
    # What count() counts one level up is the row itself.
    is_row = column.field == EVERYTHING
    return replace(column, alias=_name(column), aggregate=None, aggregate_cast=None, is_row=is_row)
