"""What a snapshot remembers of one table, materialized view or sequence, and how that is put back."""

from __future__ import annotations

from typing import TYPE_CHECKING, LiteralString, Protocol

from psycopg import sql

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import TupleRow
    from psycopg.sql import Composable, Composed, Identifier


class Remembered(Protocol):
    """`mark` is the SQL of a text that changes with the contents; `put_back` runs in the caller's transaction."""

    mark: Composed

    def put_back(self, connection: Connection[TupleRow]) -> None: ...


class Table:
    """The rows of a table, or of a partitioned one with all its partitions; `dead` counts what putting back deleted.

    `always` and `replica` name the triggers that fire even for a session that replicates.
    """

    def __init__(
        self,
        connection: Connection[TupleRow],
        name: Identifier,
        columns: list[str],
        *,
        is_partitioned: bool,
        always: list[str],
        replica: list[str],
    ) -> None:
        self.name: Composable = name if is_partitioned else sql.SQL("only {}").format(name)
        self.mark = _fingerprint(self.name)
        self.dead = 0
        self.target = name
        self._columns = sql.SQL(", ").join(map(sql.Identifier, columns))
        self._disable = _triggers(name, "disable", [*always, *replica])
        self._enable = _triggers(name, "enable always", always) + _triggers(name, "enable replica", replica)
        self._rows = self._copy_out(connection)

    def put_back(self, connection: Connection[TupleRow]) -> None:
        for statement in self._disable:
            connection.execute(statement)
        self.dead = connection.execute(sql.SQL("delete from {}").format(self.name)).rowcount
        if self._rows:
            self._copy_in(connection)
        for statement in self._enable:
            connection.execute(statement)

    def _copy_out(self, connection: Connection[TupleRow]) -> bytes:
        statement = sql.SQL("copy (select {} from {}) to stdout").format(self._columns, self.name)
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            return b"".join(copy)

    def _copy_in(self, connection: Connection[TupleRow]) -> None:
        # A table may have none that can be written; the empty list would be no SQL.
        listed = sql.SQL("({})").format(self._columns) if self._columns.as_string() else sql.SQL("")
        statement = sql.SQL("copy {} {} from stdin").format(self.target, listed)
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(self._rows)


class View:
    """A materialized view: computed anew from the tables, which are put back before it."""

    def __init__(self, name: Identifier) -> None:
        self.mark = _fingerprint(name)
        self._name = name

    def put_back(self, connection: Connection[TupleRow]) -> None:
        connection.execute(sql.SQL("refresh materialized view {}").format(self._name))


class Sequence:
    """Where a sequence stands."""

    def __init__(self, connection: Connection[TupleRow], name: Identifier) -> None:
        self.mark = sql.SQL("(select concat_ws(' ', last_value, is_called) from {})").format(name)
        self._name = name
        self._state = connection.execute(sql.SQL("select last_value, is_called from {}").format(name)).fetchone()

    def put_back(self, connection: Connection[TupleRow]) -> None:
        name = self._name.as_string(connection)
        connection.execute("select setval(%s, %s, %s)", [name, *(self._state or ())])


def _fingerprint(name: Composable) -> Composed:
    """Every version of a row has a place and a transaction of its own, so any write changes the sum."""
    version = "hashtidextended(ctid, (tableoid::int8 << 32) | xmin::text::int8)"
    return sql.SQL("(select concat_ws(' ', count(*), sum(" + version + ")) from {})").format(name)


def _triggers(table: Identifier, how: LiteralString, names: list[str]) -> list[Composed]:
    statement = sql.SQL("alter table {} " + how + " trigger {}")
    return [statement.format(table, sql.Identifier(name)) for name in names]
