"""Asks the database, at delivery, which columns a role may read and which rows an identity sees."""

import json
import time
from collections.abc import Collection, Iterable, Sequence

import psycopg

from supalocal.realtime import queries
from supalocal.realtime.changes import Change, text_of
from supalocal.realtime.table import Column, Table
from supalocal.realtime.tokens import Identity

# A grant on a table redefines it in the stream, so it is noticed at once; one role granted to another is not.
RIGHTS_SECONDS = 1.0


class Visibility:
    """The checks, over one connection that may take any role."""

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        self._connection = connection
        self._prepared: dict[int, Table] = {}
        self._rights: dict[tuple[str, int], frozenset[str]] = {}
        self._asked_at = 0.0

    async def columns(self, pairs: set[tuple[str, int]]) -> dict[tuple[str, int], frozenset[str]]:
        """Return the columns that each role may select of each table."""
        if time.monotonic() - self._asked_at > RIGHTS_SECONDS:
            self._rights.clear()
        if not self._rights.keys() >= pairs:
            await self._read_rights({*pairs, *self._rights})
        return self._rights

    async def _read_rights(self, pairs: Collection[tuple[str, int]]) -> None:
        asked = json.dumps([{"role": role, "oid": oid} for role, oid in pairs])
        self._asked_at = time.monotonic()
        cursor = await self._connection.execute(queries.SELECTABLE, [asked])
        found = {(role, oid): frozenset(names) for role, oid, names in await cursor.fetchall()}
        self._rights = {pair: found.get(pair, frozenset()) for pair in pairs}

    async def rows(
        self, table: Table, changes: Sequence[Change], identities: Iterable[Identity]
    ) -> dict[Identity, set[int]]:
        """Return, per identity, the positions of the changes whose row it sees in the table as it is now."""
        await self._prepare(table)
        asked = sorted(identities, key=lambda identity: (identity.role, identity.claims))
        cursor = await self._connection.execute(
            queries.look_up(table).encode(),
            [
                json.dumps(sorted({change.xid for change in changes})),
                [one.role for one in asked],
                [one.claims for one in asked],
                *([_key_value(change, column) for change in changes] for column in table.key),
            ],
        )
        row = await cursor.fetchone()
        seen: dict[Identity, set[int]] = {one: set() for one in asked}
        for code in row[0] if row else ():
            identity, position = divmod(code, len(changes))
            seen[asked[identity]].add(position)
        return seen

    async def _prepare(self, table: Table) -> None:
        known = self._prepared.get(table.oid)
        if known and (known.key, known.sql_name) == (table.key, table.sql_name):
            return
        if known:
            await self._connection.execute(queries.drop_look_up(table.oid).encode())
            del self._prepared[table.oid]
        await self._connection.execute(queries.create_look_up(table).encode())
        self._prepared[table.oid] = table

    def forget(self) -> None:
        """Drop what is known of anybody's rights."""
        self._rights.clear()


def _key_value(change: Change, column: Column) -> str | None:
    # A key column that the log left out (unchanged, out of line) finds no row.
    return text_of((change.record or {}).get(column.name, "null"))
