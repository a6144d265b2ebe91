"""A bare server, and databases on it that are prepared like a hosted project's."""

from dataclasses import dataclass
from itertools import count

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from supalocal import bootstrap
from supalocal.server.postgres import Postgres

_numbers = count()


@dataclass(frozen=True)
class Prepared:
    """Logins to one prepared database."""

    admin: str
    postgres: str
    authenticator: str


@pytest.fixture(scope="session")
async def server():
    """One server for the whole run."""
    running = Postgres()
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def prepared(server):
    """A database of its own for one test."""
    name = f"prepared_{next(_numbers)}"
    async with await psycopg.AsyncConnection.connect(server.conninfo("supabase_admin"), autocommit=True) as admin:
        await admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    logins = [
        make_conninfo(server.conninfo(user), dbname=name) for user in ("supabase_admin", "postgres", "authenticator")
    ]
    async with await psycopg.AsyncConnection.connect(logins[0], autocommit=True) as admin:
        await bootstrap.prepare(admin)
    return Prepared(*logins)


@pytest.fixture
async def postgres(prepared):
    """A connection as `postgres`, who owns the database and is no superuser."""
    async with await psycopg.AsyncConnection.connect(prepared.postgres, autocommit=True) as connection:
        yield connection


@pytest.fixture
async def admin(prepared):
    """A connection as the superuser."""
    async with await psycopg.AsyncConnection.connect(prepared.admin, autocommit=True) as connection:
        yield connection


@pytest.fixture
async def authenticator(prepared):
    """A connection as REST makes them."""
    async with await psycopg.AsyncConnection.connect(prepared.authenticator, autocommit=True) as connection:
        yield connection
