"""The REST API follows the database."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import aiohttp
import psycopg
import pytest

import supalocal


@pytest.fixture
async def database(stack: supalocal.Stack) -> AsyncIterator[psycopg.AsyncConnection]:
    async with await psycopg.AsyncConnection.connect(stack.db_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
async def table(database: psycopg.AsyncConnection) -> AsyncIterator[str]:
    """A new table with one column and one row."""
    name = f"shelf_{uuid4().hex[:8]}"
    await database.execute(f"create table {name} (id int primary key)")
    await database.execute(f"insert into {name} values (1)")
    yield name
    await database.execute(f"drop table if exists {name}")


@pytest.fixture
async def http(stack: supalocal.Stack) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"apikey": stack.secret_key, "Prefer": "return=representation"}
    async with aiohttp.ClientSession(f"{stack.url}/rest/v1/", headers=headers) as session:
        yield session


async def test_a_new_table_answers_at_once(database, table, http):
    """A table answers the first request after it was made."""
    await database.execute(f"grant all on {table} to service_role")
    async with http.get(table) as response:
        assert (response.status, await response.json()) == (200, [{"id": 1}])


async def test_a_new_table_answers_everybody_at_once(database, table, http):
    """Whoever asks while the schema is read again waits for it, instead of being told what was there before."""
    await database.execute(f"grant all on {table} to service_role")
    answers = await asyncio.gather(*(http.get(table) for _ in range(32)))
    assert {answer.status for answer in answers} == {200}
    for answer in answers:
        answer.release()


async def test_a_new_column_takes_values_at_once(database, table, http):
    """A column can be written in the first request after it was added."""
    await database.execute(f"grant all on {table} to service_role")
    async with http.get(table) as response:
        assert response.status == 200
    await database.execute(f"alter table {table} add column note text")
    async with http.post(table, json={"id": 2, "note": "n"}) as response:
        assert (response.status, await response.json()) == (201, [{"id": 2, "note": "n"}])


async def test_a_dropped_table_is_gone(database, table, http):
    """A dropped table is not found."""
    await database.execute(f"drop table {table}")
    async with http.get(table) as response:
        assert response.status == 404


async def test_what_is_refused_at_commit_is_not_kept(database, table, http):
    """A deferred constraint that fails when the transaction ends is an error, and nothing was written."""
    await database.execute(f"alter table {table} add column twin int references {table} deferrable initially deferred")
    await database.execute(f"grant all on {table} to service_role")
    async with http.post(table, json={"id": 2, "twin": 9}) as response:
        assert (response.status, (await response.json())["code"]) == (409, "23503")
    async with http.get(table, params={"select": "id"}) as response:
        assert await response.json() == [{"id": 1}]
