"""Computes the stored generated columns, which PostgreSQL before 18 leaves out of its stream."""

from collections.abc import Sequence
from dataclasses import replace

import psycopg

from supalocal.realtime import queries
from supalocal.realtime.pgoutput import UNCHANGED, Relation, RelationColumn, Value
from supalocal.realtime.polls import LoggedChange
from supalocal.realtime.table import Column, Table

_Row = tuple[Value, ...]


async def complete(
    connection: psycopg.AsyncConnection, changes: Sequence[tuple[LoggedChange, Table]]
) -> list[tuple[LoggedChange, Table]]:
    """Return the changes with the generated columns that they lack; psycopg.Error when a formula fails."""
    completed = []
    answers: dict[tuple[Relation, _Row], _Row] = {}
    for change, table in changes:
        missing = _missing(change.relation, table)
        if missing:
            completed.append((await _completed(connection, change, table, missing, answers), table))
        else:
            completed.append((change, table))
    return completed


def _missing(relation: Relation, table: Table) -> list[Column]:
    if all(column.formula is None for column in table.columns):
        return []
    logged = {column.name for column in relation.columns}
    return [c for c in table.columns if c.formula and c.name not in logged and logged.issuperset(c.inputs)]


async def _completed(
    connection: psycopg.AsyncConnection,
    change: LoggedChange,
    table: Table,
    missing: list[Column],
    answers: dict[tuple[Relation, _Row], _Row],
) -> LoggedChange:
    relation, row = change.relation, change.row
    added = tuple(RelationColumn(c.name, 0, relation.has_full_identity or c.is_key) for c in missing)

    async def extended(values: _Row | None, *, is_whole: bool) -> _Row | None:
        if values is None:
            return None
        if not is_whole:
            return values + (None,) * len(missing)
        if (relation, values) not in answers:
            answers[relation, values] = await _values(connection, relation, table, missing, values)
        return values + answers[relation, values]

    new = await extended(row.new, is_whole=True)
    old = await extended(row.old, is_whole=relation.has_full_identity)
    return replace(
        change,
        relation=replace(relation, columns=relation.columns + added),
        row=replace(row, new=new, old=old),
    )


async def _values(
    connection: psycopg.AsyncConnection, relation: Relation, table: Table, missing: list[Column], values: _Row
) -> _Row:
    """Return what the formulas give; one that reads a value which the update left alone has left its own alone."""
    row = dict(zip((column.name for column in relation.columns), values, strict=True))
    known = [c for c in missing if all(row[name] is not UNCHANGED for name in c.inputs)]
    if not known:
        return (UNCHANGED,) * len(missing)
    inputs = sorted({name for column in known for name in column.inputs})
    sql = queries.generating(table, inputs, [column.formula or "" for column in known])
    cursor = await connection.execute(sql.encode(), [row[name] for name in inputs])
    answer = await cursor.fetchone()
    found = dict(zip((column.name for column in known), answer[0] if answer else (), strict=True))
    return tuple(found.get(column.name, UNCHANGED) for column in missing)
