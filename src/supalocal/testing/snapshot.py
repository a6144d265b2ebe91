"""The rows that migrations and seed made, remembered once and put back between tests.

All tables are looked through; what changed is deleted and copied in again. In one run of `scripts/bench cleaning`,
after a test that wrote to a few of 16 tables: 6 ms; `truncate` of all took 5 times that, `create database ... template`
of an empty one 17 times, before REST and Realtime have moved over. Looking takes 0.2 ms more for every 1,000 rows that
the snapshot holds.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, LiteralString, Self

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from supalocal.errors import SnapshotError
from supalocal.realtime.replication import UNHEARD
from supalocal.testing.remembered import Remembered, Sequence, Table, View

if TYPE_CHECKING:
    from types import TracebackType

    from psycopg.rows import TupleRow

_CATALOG = b"""
select c.relkind::text, n.nspname, c.relname,
  array(
    select attname::text from pg_attribute
    where attrelid = c.oid and attnum > 0 and not attisdropped and attgenerated = ''
    order by attnum
  ),
  array(select tgname::text from pg_trigger where tgrelid = c.oid and not tgisinternal and tgenabled = 'A'),
  array(select tgname::text from pg_trigger where tgrelid = c.oid and not tgisinternal and tgenabled = 'R')
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where (c.relkind in ('r', 'p', 'S') or c.relkind = 'm' and c.relispopulated)
  and c.relpersistence <> 't' and not c.relispartition
  and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'supabase_migrations')
  and (n.nspname <> 'realtime' or c.relname = 'messages')
  and not exists (
    select from pg_depend where classid = 'pg_class'::regclass and objid = c.oid and deptype = 'e'
  )
order by c.oid
"""
# A superuser who replicates: triggers, rules and foreign keys have no say. Names resolve as in a migration.
_SETTINGS = "-c session_replication_role=replica -c search_path=public,extensions -c statement_timeout=0"
_STREAMED = """
select coalesce(bool_and(sent_lsn >= %s), true) from pg_stat_replication join pg_stat_activity using (pid)
where datname = current_database() and pg_stat_replication.application_name = 'supalocal realtime'
"""
_CUT = """
select l.relation::regclass::text, a.application_name, a.pid, a.state, a.query, pg_terminate_backend(a.pid)
from pg_locks l join pg_stat_activity a using (pid)
where l.relation = any(%s::regclass[]) and a.datname = current_database()
  and l.granted and l.mode <> 'AccessShareLock' and a.pid <> pg_backend_pid()
order by a.xact_start, l.relation limit 1
"""
_STREAM_SECONDS = 2.0
_POLL_SECONDS = 0.001
_MANY_ROWS = 1000  # so many dead ones are worth a vacuum, or every later look would pass over them


class Snapshot:
    """The rows, sequences and materialized views of one database as they were when the snapshot was taken.

    `restore()` puts them back, and nobody who listens to Realtime hears of it. Tables of extensions and the history of
    migrations are left alone, and so is the schema: what a test creates, alters or drops it must undo itself.
    """

    def __init__(self, admin_url: str, *, patience: float = 5.0) -> None:
        """Take it, as a superuser. `patience` is how many seconds another's transaction may be in the way later."""
        self._url, self._patience = admin_url, patience
        self._connection = self._connect()
        try:
            self._remember()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Forget the rows; closing twice is harmless."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def restore(self) -> None:
        """Make the database what it was, in one transaction, whatever became of our connection since.

        Waits until what was written so far has left Realtime's stream, so that the next subscriber hears none of it.
        Raises SnapshotError, naming the culprit, when somebody's transaction is in the way for longer than `patience`
        (that connection is cut), and when something is gone that the snapshot knows.
        """
        try:
            self._restore()
        except psycopg.OperationalError:
            if not self._connection.closed:
                raise
            self._connection = self._connect()
            self._restore()

    def _remember(self) -> None:
        with self._connection.transaction():
            found = self._connection.execute(_CATALOG).fetchall()
            self._tables = [self._table(*row) for row in found if row[0] in "rp"]
            views = [View(Identifier(*row[1:3])) for row in found if row[0] == "m"]
            sequences = [Sequence(self._connection, Identifier(*row[1:3])) for row in found if row[0] == "S"]
            self._parts: list[Remembered] = [*self._tables, *views, *sequences]
            self._marks = self._look()

    def _restore(self) -> None:
        try:
            with self._connection.transaction():
                self._lock()
                self._one("select pg_logical_emit_message(true, %s, '')", UNHEARD)
                looked = self._look()
                changed = [part for part, old, new in zip(self._parts, self._marks, looked, strict=True) if old != new]
                for part in changed:
                    part.put_back(self._connection)
                if changed:
                    self._marks = self._look()
        except psycopg.errors.LockNotAvailable as exc:
            raise self._blocked() from exc
        except (psycopg.ProgrammingError, psycopg.IntegrityError) as exc:
            raise SnapshotError(f"{exc}\nWhat a test changes in the schema it must undo.") from exc
        self._vacuum()
        self._await_stream()

    def _connect(self) -> psycopg.Connection[TupleRow]:
        options = f"{_SETTINGS} -c lock_timeout={self._patience * 1000:.0f}"
        return psycopg.connect(self._url, autocommit=True, options=options, application_name="supalocal snapshot")

    def _table(
        self, kind: str, schema: str, name: str, columns: list[str], always: list[str], replica: list[str]
    ) -> Table:
        return Table(
            self._connection,
            Identifier(schema, name),
            columns,
            is_partitioned=kind == "p",
            always=always,
            replica=replica,
        )

    def _lock(self) -> None:
        """Wait for whoever still writes, and keep new writers out; readers are in nobody's way."""
        names = SQL(", ").join(table.name for table in self._tables)
        self._connection.execute(SQL("lock table {} in exclusive mode").format(names))

    def _look(self) -> list[str]:
        marks = SQL(", ").join(part.mark for part in self._parts)
        found: list[str] = self._one(SQL("select array[{}]").format(marks))
        return found

    def _vacuum(self) -> None:
        """Give the room of many deleted rows back; the rows that move count as changed next time, at little cost."""
        for table in self._tables:
            if table.dead > _MANY_ROWS:
                self._connection.execute(SQL("vacuum (full, skip_locked) {}").format(table.target))
            table.dead = 0

    def _await_stream(self) -> None:
        position = self._one("select pg_current_wal_flush_lsn()::text")
        deadline = time.monotonic() + _STREAM_SECONDS
        while not self._one(_STREAMED, position) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)

    def _blocked(self) -> SnapshotError:
        tables = [table.target.as_string(self._connection) for table in self._tables]
        found = self._connection.execute(_CUT, [tables]).fetchone()
        if found is None:
            return SnapshotError("A transaction held one of the tables for too long, and has ended by itself now.")
        table, program, pid, state, query, _ = found
        return SnapshotError(
            f"A transaction of another connection holds {table}: process {pid} of {program or 'a nameless program'}, "
            f"{state}, last ran: {query}\nThat connection was cut. Commit, roll back or close it in its own test."
        )

    def _one(self, query: LiteralString | Composed, *values: object) -> Any:
        row = self._connection.execute(query, values).fetchone()
        if row is None:
            raise AssertionError(query)
        return row[0]
