"""Applies a project's migrations and seed files, and records them where the Supabase CLI looks.

Each file is one transaction of the role `postgres` with that role's own search path; see `batches` for the exception.
A file that fails leaves nothing.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from supalocal.errors import MigrationError
from supalocal.extensions import missing
from supalocal.project.batches import Batch, batches
from supalocal.project.statements import Statement, split

if TYPE_CHECKING:
    from collections.abc import Sequence

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
_APPLIED = b"select version from supabase_migrations.schema_migrations"
_RECORD = b"insert into supabase_migrations.schema_migrations (version, name, statements) values (%s, %s, %s)"
_SEEDED = b"select path, hash from supabase_migrations.seed_files"
_RECORD_SEED = b"""
insert into supabase_migrations.seed_files (path, hash) values (%s, %s)
on conflict (path) do update set hash = excluded.hash
"""
_FRESH = b"reset role; reset all"


async def migrate(connection: AsyncConnection[TupleRow], project: Project) -> list[Migration]:
    """Apply what is not recorded yet, in order; what was applied comes back. Raises MigrationError.

    The connection must be in autocommit mode and logged in as `postgres`.
    """
    await _quietly(connection, _HISTORY)
    recorded = {version for (version,) in await _rows(connection, _APPLIED)}
    pending = [migration for migration in project.migrations() if migration.version not in recorded]
    for migration in pending:
        statements = split(_text(migration.path.read_bytes()))
        texts = [statement.text for statement in statements]
        await _run(connection, migration.path, statements, _RECORD, [migration.version, migration.name, texts])
    return pending


async def seed(connection: AsyncConnection[TupleRow], project: Project) -> list[Path]:
    """Run the seed files that never ran here; what was run comes back. Raises MigrationError.

    Of a file that changed since, the new hash is recorded and nothing is run, as by the CLI.
    """
    recorded: dict[str, str] = dict(await _rows(connection, _SEEDED))
    ran = []
    for path in project.seeds():
        name, content = _name(path, project), path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        if recorded.get(name) == digest:
            continue
        is_new = name not in recorded
        await _run(connection, path, split(_text(content)) if is_new else [], _RECORD_SEED, [name, digest])
        ran += [path] if is_new else []
    return ran


async def _run(
    connection: AsyncConnection[TupleRow], path: Path, statements: list[Statement], record: bytes, values: list[Any]
) -> None:
    """Run a file's statements, and record it in the same transaction as the last of them."""
    await connection.execute(_FRESH)
    *batched, last = batches(statements)
    for batch in batched:
        await _run_batch(connection, path, batch)
    await _run_batch(connection, path, last, record, values)


async def _run_batch(
    connection: AsyncConnection[TupleRow],
    path: Path,
    batch: Batch,
    record: bytes | None = None,
    values: Sequence[Any] = (),
) -> None:
    running = batch.steps[-1].statement if batch.steps else Statement("", 1, 0)
    try:
        async with connection.transaction() if batch.in_transaction else nullcontext():
            for step in batch.steps:
                running = step.statement
                if step.refusal:
                    raise _failure(path, running, step.refusal)
                await connection.execute(step.sql.encode(), prepare=False)
            if record is not None:
                await connection.execute(record, values)
    except psycopg.Error as exc:
        # A deferred constraint speaks at the commit; the last statement then stands for the file.
        raise _failure(path, running, await missing.explanation(connection, exc), exc) from exc


def _text(content: bytes) -> str:
    """The text of a file as the CLI sends it: without a byte order mark, what is no UTF-8 replaced."""
    return content.decode("utf-8-sig", errors="replace")


def _failure(
    path: Path, statement: Statement, explanation: str | None, exc: psycopg.Error | None = None
) -> MigrationError:
    said = exc.diag if exc else None
    position = int(said.statement_position) if said and said.statement_position else None
    words = [said.message_primary or str(exc), said.message_detail, said.message_hint] if said else []
    return MigrationError(
        explanation or "\n".join(filter(None, words)),
        path=path,
        line=statement.line_at(position),
        statement=statement.text[statement.comments :],
        sqlstate=exc.sqlstate if exc else None,
    )


async def _quietly(connection: AsyncConnection[TupleRow], script: bytes) -> None:
    async with connection.transaction():
        await connection.execute("set local client_min_messages = warning")
        await connection.execute(script)


async def _rows(connection: AsyncConnection[TupleRow], query: bytes) -> list[TupleRow]:
    return await (await connection.execute(query)).fetchall()


def _name(path: Path, project: Project) -> str:
    """The path that the CLI records: from the directory that holds the `supabase/` folder."""
    root = project.folder.parent if project.folder else path.parent
    return Path(os.path.relpath(path, root)).as_posix()
