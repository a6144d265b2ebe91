"""Makes a database ready to be served: roles and schemas, migrations, seed; or empties it for that."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from supalocal import bootstrap
from supalocal.database import Database, connect
from supalocal.project import migrations

if TYPE_CHECKING:
    from supalocal.project import Migration, Project

_log = logging.getLogger(__name__)
_SCHEDULER = "select exists (select from pg_stat_activity where datname = %s and backend_type = 'pg_cron launcher')"


async def prepare(database: Database, project: Project, *, seed: bool) -> list[Migration]:
    """Prepare the database like a hosted project's and apply the project; the migrations applied come back.

    Raises UnsuitableDatabaseError or MigrationError.
    """
    async with await connect(database.admin) as connection:
        await bootstrap.require_suitable(connection)
        await bootstrap.prepare(connection, expose_new_tables=project.config.auto_expose_new_tables)
    async with await connect(database.postgres) as connection:
        applied = await migrations.migrate(connection, project)
        if seed:
            await migrations.seed(connection, project)
    return applied


async def migrate(database: Database, project: Project) -> list[Migration]:
    """Apply the project's new migrations; those come back. Raises MigrationError."""
    async with await connect(database.postgres) as connection:
        return await migrations.migrate(connection, project)


async def make_anew(database: Database) -> None:
    """Drop the database, whoever is connected to it, and create it again, empty; the server's roles stay."""
    name = str(conninfo_to_dict(database.admin).get("dbname") or "postgres")
    elsewhere = make_conninfo(database.admin, dbname="template1")
    async with await connect(elsewhere) as connection:
        cursor = await connection.execute(_SCHEDULER, [name])
        (scheduled,) = await cursor.fetchone() or (False,)
        await connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
        await connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    if scheduled:
        _log.warning(
            "pg_cron's scheduler ended with the database that it worked in, and Postgres does not start it again: "
            "restart that server, or no scheduled job runs."
        )
