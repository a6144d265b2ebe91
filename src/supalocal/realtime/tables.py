"""What the catalog says now about the tables that changes belong to."""

from collections.abc import Iterable
from dataclasses import dataclass

import psycopg

from supalocal.realtime import queries

_UNCUT = {"character": "bpchar", "bit": "varbit", "character[]": "bpchar[]", "bit[]": "varbit[]"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `type_name` is pg_type.typname, `sql_type` what stands in a cast (without length).

    `formula` is the expression of a stored generated column, and `inputs` are the columns that it reads.
    """

    name: str
    type_name: str
    sql_type: str
    is_key: bool
    formula: str | None = None
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A table in catalog order of its columns; `sql_name` is quoted and qualified."""

    oid: int
    schema: str
    name: str
    sql_name: str
    has_row_security: bool
    columns: tuple[Column, ...]

    @property
    def key(self) -> tuple[Column, ...]:
        """The primary key's columns; empty without one."""
        return tuple(column for column in self.columns if column.is_key)


class TableCache:
    """Definitions by oid, read when first needed and again after the stream said that they changed.

    `cuts` says whether a cast drops a type's length, as the real server's does: `character` then holds one character.
    """

    def __init__(self, *, cuts: bool = True) -> None:
        self._tables: dict[int, Table | None] = {}
        self._types = {} if cuts else _UNCUT

    def forget(self, oids: Iterable[int]) -> None:
        """Drop what is known of these tables."""
        for oid in oids:
            self._tables.pop(oid, None)

    def clear(self) -> None:
        """Drop all that is known."""
        self._tables.clear()

    async def load(self, connection: psycopg.AsyncConnection, oids: set[int]) -> dict[int, Table]:
        """Return those of the tables that exist (still)."""
        missing = [oid for oid in oids if oid not in self._tables]
        if missing:
            found = await _read(connection, missing, self._types)
            self._tables.update({oid: found.get(oid) for oid in missing})
        return {oid: table for oid in oids if (table := self._tables[oid])}


async def _read(connection: psycopg.AsyncConnection, oids: list[int], types: dict[str, str]) -> dict[int, Table]:
    cursor = await connection.execute(queries.TABLES, ["{" + ",".join(map(str, oids)) + "}"])
    tables: dict[int, Table] = {}
    for oid, schema, name, sql_name, row_security, facts in await cursor.fetchall():
        columns = tuple(_column(types, *column) for column in facts)
        tables[oid] = Table(oid, schema, name, sql_name, row_security, columns)
    return tables


def _column(
    types: dict[str, str],
    name: str,
    type_name: str,
    sql_type: str,
    is_key: bool,
    formula: str | None,
    inputs: list[str],
) -> Column:
    return Column(name, type_name, types.get(sql_type, sql_type), is_key, formula, tuple(inputs))
