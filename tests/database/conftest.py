"""What the tests of the database share: more connections, rows that have grown old."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psycopg
import pytest
from psycopg import sql
from support import rows

from supalocal.testing.clients import Supabase

Connect = Callable[[], psycopg.Connection]


@pytest.fixture
def connect(supabase: Supabase) -> Iterator[Connect]:
    """Opens connections as the owner, each statement its own transaction; what still waits at the end is undone."""
    with ExitStack() as opened:

        def connected() -> psycopg.Connection:
            connection = psycopg.connect(supabase.stack.db_url, autocommit=True)
            opened.callback(connection.close)
            connection.execute(rows.TIMES_OUT)
            return connection

        yield connected


@pytest.fixture
def other(connect: Connect) -> psycopg.Connection:
    """A second connection."""
    return connect()


@pytest.fixture
def third(connect: Connect) -> psycopg.Connection:
    """A third connection."""
    return connect()


@pytest.fixture
def unnoticed(supabase: Supabase) -> Iterator[psycopg.Connection]:
    """A connection whose writes no trigger notices: it lets rows grow old."""
    with psycopg.connect(supabase.stack.admin_db_url, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        yield connection


@pytest.fixture
def change_settings(database: psycopg.Connection) -> Callable[..., None]:
    """Changes private.settings, which like all rows are put back before the next test."""

    def change(**columns: object) -> None:
        for name, setting in columns.items():
            database.execute(sql.SQL("update private.settings set {} = %s").format(sql.Identifier(name)), [setting])

    return change
