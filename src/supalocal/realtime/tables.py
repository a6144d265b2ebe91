"""What the catalog says now about the tables that changes belong to."""

from collections.abc import Iterable
from dataclasses import replace

import psycopg

from supalocal.realtime import queries
from supalocal.realtime.pgoutput import Action, Relation
from supalocal.realtime.table import Column, Table

_UNCUT = {"character": "bpchar", "bit": "varbit", "character[]": "bpchar[]", "bit[]": "varbit[]"}


class TableCache:
    """Definitions by oid, read when first needed and again after the stream said that they changed.

    Only tables that the publication publishes now are known: the real server reads its log for these alone. `cuts`
    says whether a cast drops a type's length, as the real server's does: `character` then holds one character.
    """

    def __init__(self, publication: str, *, cuts: bool = True) -> None:
        self._publication = publication
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
        """Return those of the tables that are published (still)."""
        missing = [oid for oid in oids if oid not in self._tables]
        if missing:
            found = await self._read(connection, missing)
            self._tables.update({oid: found.get(oid) for oid in missing})
        return {oid: table for oid in oids if (table := self._tables[oid])}

    async def _read(self, connection: psycopg.AsyncConnection, oids: list[int]) -> dict[int, Table]:
        cursor = await connection.execute(queries.TABLES, [self._publication, _oids(oids)])
        tables: dict[int, Table] = {}
        for oid, schema, name, sql_name, row_security, actions, facts in await cursor.fetchall():
            columns = tuple(self._column(*column) for column in facts)
            tables[oid] = Table(oid, schema, name, sql_name, row_security, columns, frozenset(map(Action, actions)))
        return tables

    def _column(
        self,
        name: str,
        type_name: str,
        sql_type: str,
        is_key: bool,
        is_primary: bool,
        type_oid: int,
        formula: str | None,
        inputs: list[str],
    ) -> Column:
        return Column(name, type_name, self._cast(sql_type), is_key, is_primary, type_oid, formula, tuple(inputs))

    def _cast(self, sql_type: str) -> str:
        return self._types.get(sql_type, sql_type)

    async def as_logged(self, connection: psycopg.AsyncConnection, table: Table, relation: Relation) -> Table:
        """Return the table with the types and the key that it had when the change was logged.

        By these types its values read. The stream tells the key only where it is the replica identity.
        """
        table = _with_logged_key(table, relation)
        logged = {column.name: column.type_oid for column in relation.columns}
        changed = {logged[c.name] for c in table.columns if logged.get(c.name, c.type_oid) != c.type_oid}
        if not changed:
            return table
        cursor = await connection.execute(queries.TYPES, [_oids(changed)])
        names = {oid: self._cast(sql_type) for oid, sql_type in await cursor.fetchall()}
        columns = tuple(replace(c, sql_type=names.get(logged.get(c.name, 0), c.sql_type)) for c in table.columns)
        return replace(table, columns=columns)


def _with_logged_key(table: Table, relation: Relation) -> Table:
    key = {column.name for column in relation.columns if column.is_identity}
    if not relation.has_key_identity or key == {column.name for column in table.key}:
        return table
    return replace(table, columns=tuple(replace(column, is_key=column.name in key) for column in table.columns))


def _oids(numbers: Iterable[int]) -> str:
    return "{" + ",".join(map(str, numbers)) + "}"
