"""Makes a database look like a hosted project's: roles, schemas, claims, publication, notices of DDL."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import TYPE_CHECKING

from psycopg import sql

from supalocal.errors import UnsuitableDatabaseError

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from psycopg.rows import TupleRow

_FILES = (
    "roles.sql",
    "schemas.sql",
    "extensions.sql",
    "auth.sql",
    "realtime.sql",
    "realtime_messages.sql",
    "storage.sql",
    "schema_watch.sql",
)
_LOGINS = "logins.sql"
_EXPOSE, _HIDE = "expose_new_tables.sql", "hide_new_tables.sql"
_LOCK = 5_425_322  # any number, as long as every stack takes the same


async def require_suitable(connection: AsyncConnection[TupleRow]) -> None:
    """Raise UnsuitableDatabaseError unless the login is a superuser and the server writes a logical log."""
    found = await _one(connection, b"select current_setting('is_superuser'), current_setting('wal_level')")
    superuser, wal_level = found
    if superuser != "on":
        raise UnsuitableDatabaseError(
            "The database URL must log in as a superuser: roles and schemas are made with it."
        )
    if wal_level != "logical":
        raise UnsuitableDatabaseError(
            f"The database has wal_level={wal_level}, and Realtime reads a logical log. Run "
            "`alter system set wal_level = logical` as a superuser and restart that server."
        )


async def prepare(connection: AsyncConnection[TupleRow], *, expose_new_tables: bool = True) -> bool:
    """Prepare the database in one transaction; false if exactly this was done before.

    It is not repeated on every start, because a project may have changed what it made (a role's time-out, a
    grant); only the login of REST is set anew, and the days that messages can be broadcast on.
    `expose_new_tables` is config.toml's `api.auto_expose_new_tables`.
    """
    text = b"\n".join(_read(name) for name in (*_FILES, _EXPOSE if expose_new_tables else _HIDE))
    stamp = f"Prepared by supalocal, {hashlib.sha256(text).hexdigest()[:16]}"
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
        (known,) = await _one(connection, b"select obj_description(to_regnamespace('auth'), 'pg_namespace')")
        if known != stamp:
            await connection.execute(text)
            await connection.execute(sql.SQL("comment on schema auth is {}").format(stamp))
        await connection.execute(_read(_LOGINS))
        await connection.execute("select realtime.renew_message_partitions()")
    return bool(known != stamp)


def _read(name: str) -> bytes:
    return resources.files(__name__).joinpath(name).read_bytes()


async def _one(connection: AsyncConnection[TupleRow], query: bytes) -> TupleRow:
    row = await (await connection.execute(query)).fetchone()
    if row is None:
        raise AssertionError(query)
    return row
