"""A Postgres of our own with this project's migrations, and connections to it: what is proven here is the database."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo
from psycopg.rows import DictRow, dict_row

from supalocal import bootstrap
from supalocal.database import Database
from supalocal.project import Project, migrations
from supalocal.server.postgres import Postgres

ROOT = Path(__file__).parents[2]

Connection = AsyncConnection[DictRow]


@dataclass(frozen=True, slots=True)
class Server:
    """One database; `admin` is a superuser's connection string."""

    admin: str

    async def connect(self, role: str | None = None) -> Connection:
        """Log in, with autocommit, as that role; without one as the superuser."""
        connection = await AsyncConnection.connect(self.admin, autocommit=True, row_factory=dict_row)
        # What deadlocks, deadlocks; only we hear of it sooner.
        await connection.execute("set deadlock_timeout = '100ms'")
        if role is not None:
            await connection.execute(f"set role {role}")
        return connection

    @asynccontextmanager
    async def connections(self, count: int, role: str) -> AsyncIterator[list[Connection]]:
        """That many connections, closed at the end."""
        async with AsyncExitStack() as opened:
            yield [await opened.enter_async_context(await self.connect(role)) for _ in range(count)]

    async def execute(self, statement: str, *values: Any) -> list[DictRow]:
        """Run one statement as the superuser and return its rows."""
        async with await self.connect() as connection:
            return await rows(connection, statement, *values)


async def rows(connection: Connection, statement: str, *values: Any) -> list[DictRow]:
    """Run one statement and return its rows, if it has any."""
    cursor = await connection.execute(statement, values)
    return await cursor.fetchall() if cursor.description else []


async def share(jobs: list[Callable[[Connection], Awaitable[Any]]], connections: list[Connection]) -> None:
    """Give the jobs, in order, to whichever connection is free."""
    waiting = iter(jobs)

    async def work(connection: Connection) -> None:
        for job in waiting:
            await job(connection)

    async with asyncio.TaskGroup() as workers:
        for connection in connections:
            workers.create_task(work(connection))


@asynccontextmanager
async def prepared(
    url: str | None = None, project: Path = ROOT, server_log: Path | None = None
) -> AsyncIterator[Server]:
    """Start a server that keeps nothing but its log, or take the one at that superuser's URL; apply the migrations."""
    async with AsyncExitStack() as opened:
        if url is None:
            postgres = Postgres()
            opened.push_async_callback(postgres.stop)
            await postgres.start()
            if server_log is not None:
                opened.callback(shutil.copyfile, postgres._log, server_log)
            database = Database.bundled(postgres)
        else:
            database = Database.external(url)
        async with await AsyncConnection.connect(database.admin, autocommit=True) as connection:
            if await rows(connection, "select from pg_tables where tablename = 'sessions' and schemaname = 'public'"):
                raise SystemExit("The database has public.sessions, whose rows would be deleted: give an empty one.")
            await bootstrap.prepare(connection)
        async with await AsyncConnection.connect(database.postgres, autocommit=True) as connection:
            await migrations.migrate(connection, Project.read(project))
        yield Server(make_conninfo(database.admin))
