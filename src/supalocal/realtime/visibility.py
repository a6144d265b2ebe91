"""Asks the database, at delivery, which columns a role may read and which rows an identity sees."""

import json
from collections.abc import Collection, Iterable, Sequence

import psycopg

from supalocal.realtime import queries
from supalocal.realtime.changes import Change
from supalocal.realtime.tables import Table
from supalocal.realtime.tokens import Identity


class Visibility:
    """The checks, over one connection that may take any role."""

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        self._connection = connection
        self._prepared: set[int] = set()

    async def columns(self, pairs: Collection[tuple[str, int]]) -> dict[tuple[str, int], frozenset[str]]:
        """Return the columns that each role may select of each table; a pair without any is absent."""
        asked = json.dumps([{"role": role, "oid": oid} for role, oid in pairs])
        cursor = await self._connection.execute(queries.SELECTABLE, [asked])
        return {(role, oid): frozenset(names) for role, oid, names in await cursor.fetchall()}

    async def rows(
        self, table: Table, changes: Sequence[Change], identities: Iterable[Identity]
    ) -> dict[Identity, set[int]]:
        """Return, per identity, the positions of the changes whose row it sees in the table as it is now."""
        await self._prepare(table)
        asked = sorted(identities, key=lambda identity: (identity.role, identity.claims))
        keys = "[" + ",".join(_key(number, change) for number, change in enumerate(changes)) + "]"
        cursor = await self._connection.execute(
            queries.VISIBLE_ROWS,
            [queries.visible_statement(table), keys, json.dumps([(one.role, one.claims) for one in asked])],
        )
        row = await cursor.fetchone()
        return {one: set(seen) for one, seen in zip(asked, row[0] if row else (), strict=True)}

    async def _prepare(self, table: Table) -> None:
        if table.oid not in self._prepared:
            await self._connection.execute(queries.prepare_visible(table).encode())
            self._prepared.add(table.oid)

    async def forget(self, oids: Iterable[int]) -> None:
        """Drop what was prepared for tables whose definition changed."""
        for oid in self._prepared.intersection(oids):
            await self._connection.execute(queries.deallocate_visible(oid).encode())
            self._prepared.discard(oid)


def _key(number: int, change: Change) -> str:
    record = change.record or {}
    # A key column that the log left out (unchanged, out of line) finds no row.
    values = (f'"k{at}":{record.get(column.name, "null")}' for at, column in enumerate(change.table.key))
    return f'{{"n":{number},{",".join(values)}}}'
