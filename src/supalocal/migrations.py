"""Applies a project's migrations and seed files, and records them where the Supabase CLI looks.

Each file is one transaction of the role `postgres` with that role's own search path. A file that fails leaves nothing.
"""

from __future__ import annotations

import hashlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import psycopg

from supalocal.errors import MigrationError
from supalocal.extensions import missing
from supalocal.statements import Statement, split

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from psycopg import AsyncConnection
    from psycopg.rows import TupleRow

    from supalocal.project import Migration, Project

_HISTORY = b"""
create schema if not exists supabase_migrations;
create table if not exists supabase_migrations.schema_migrations (version text not null primary key);
alter table supabase_migrations.schema_migrations add column if not exists statements text[];
alter table supabase_migrations.schema_migrations add column if not exists name text;
create table if not exists supabase_migrations.seed_files (path text not null primary key, hash text not null);
"""
_FRESH = b"reset role; reset all"


async def migrate(connection: AsyncConnection[TupleRow], project: Project) -> list[Migration]:
    """Apply what is not recorded yet, in order; what was applied comes back. Raises MigrationError.

    The connection must be in autocommit mode and logged in as `postgres`.
    """
    await _quietly(connection, _HISTORY)
    recorded = await _column(connection, b"select version from supabase_migrations.schema_migrations")
    pending = [migration for migration in project.migrations() if migration.version not in recorded]
    for migration in pending:
        statements = split(migration.path.read_text())
        async with _file(connection, migration.path, statements):
            await connection.execute(
                "insert into supabase_migrations.schema_migrations (version, name, statements) values (%s, %s, %s)",
                [migration.version, migration.name, [statement.text for statement in statements]],
            )
    return pending


async def seed(connection: AsyncConnection[TupleRow], project: Project) -> list[Path]:
    """Run the seed files that never ran here; what was run comes back. Raises MigrationError."""
    recorded = await _column(connection, b"select path from supabase_migrations.seed_files")
    pending = [path for path in project.seeds() if _name(path, project) not in recorded]
    for path in pending:
        async with _file(connection, path, split(path.read_text())):
            await connection.execute(
                "insert into supabase_migrations.seed_files (path, hash) values (%s, %s)",
                [_name(path, project), hashlib.sha256(path.read_bytes()).hexdigest()],
            )
    return pending


@asynccontextmanager
async def _file(connection: AsyncConnection[TupleRow], path: Path, statements: list[Statement]) -> AsyncIterator[None]:
    """Run a file's statements in a transaction that stays open for the caller to record them in."""
    running = statements[-1] if statements else Statement("", 1, 0)
    try:
        async with connection.transaction():
            await connection.execute(_FRESH)
            # The file is a transaction already; its own `commit` would end ours half-way.
            for running in statements:
                if not running.bounds_transaction:
                    await connection.execute(running.text.encode(), prepare=False)
            await connection.execute(_FRESH)
            yield
    except psycopg.Error as exc:
        # A deferred constraint speaks at the commit; the last statement then stands for the file.
        raise _failure(exc, path, running, await missing.explanation(connection, exc)) from exc


def _failure(exc: psycopg.Error, path: Path, statement: Statement, explanation: str | None) -> MigrationError:
    said = exc.diag
    position = int(said.statement_position) if said.statement_position else None
    return MigrationError(
        explanation
        or "\n".join(filter(None, [said.message_primary or str(exc), said.message_detail, said.message_hint])),
        path=path,
        line=statement.line_at(position),
        statement=statement.text[statement.comments :],
        sqlstate=exc.sqlstate,
    )


async def _quietly(connection: AsyncConnection[TupleRow], script: bytes) -> None:
    async with connection.transaction():
        await connection.execute("set local client_min_messages = warning")
        await connection.execute(script)


async def _column(connection: AsyncConnection[TupleRow], query: bytes) -> set[str]:
    return {value for (value,) in await (await connection.execute(query)).fetchall()}


def _name(path: Path, project: Project) -> str:
    """The path that the CLI records: from the directory that holds the `supabase/` folder."""
    root = project.folder.parent if project.folder else path.parent
    return path.relative_to(root).as_posix()
