"""A stack with a module's own tables, and a client of its REST that may do all."""

import aiohttp
import psycopg
import pytest

import supalocal


@pytest.fixture(scope="module")
async def served(request):
    """A stack in which the module's SCHEMA is; of the module alone, as it changes settings and rows."""
    async with (
        supalocal.Stack() as stack,
        await psycopg.AsyncConnection.connect(stack.admin_db_url, autocommit=True) as database,
    ):
        await database.execute(request.module.SCHEMA)
        yield stack


@pytest.fixture
async def http(served):
    """Paths are below /rest/v1."""
    async with aiohttp.ClientSession(f"{served.url}/rest/v1/", headers={"apikey": served.secret_key}) as session:
        yield session
