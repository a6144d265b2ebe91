"""The REST API's connections when the database ends them."""

import asyncio

import aiohttp
import psycopg
from psycopg_pool import AsyncConnectionPool

import supalocal
from supalocal.database import Database
from supalocal.rest.cache import SchemaCache
from supalocal.rest.configuration import Configuration

_NAME = "lost connections"
_END = "select pg_terminate_backend(pid), pid from pg_stat_activity where application_name = %s"
_NEW = "select count(*) from pg_stat_activity where application_name = %s and pid <> all(%s)"
_SIZE = 3
_LARGEST_POOL = 12


async def _ask(pool: AsyncConnectionPool) -> None:
    async with pool.connection() as connection:
        await connection.execute("select 1")


async def test_connections_that_ended_are_replaced_without_a_request(stack: supalocal.Stack):
    """A restarted server ends them all: none is left in the pool for a request to fail on."""
    dsn = Database.external(stack.admin_db_url).authenticator
    settings = {"autocommit": True, "application_name": _NAME}
    async with (
        await psycopg.AsyncConnection.connect(stack.admin_db_url, autocommit=True) as database,
        AsyncConnectionPool(dsn, min_size=_SIZE, max_size=_SIZE, kwargs=settings) as pool,
    ):
        await pool.wait()
        cache = SchemaCache(pool, Configuration())
        await cache.start()
        try:
            ended = [pid for _, pid in await (await database.execute(_END, [_NAME])).fetchall()]
            while await (await database.execute(_NEW, [_NAME, ended])).fetchone() != (_SIZE,):
                pass
            await asyncio.gather(*(_ask(pool) for _ in range(2 * _SIZE)))
        finally:
            await cache.close()


async def test_a_function_that_deallocates_everything_costs_each_connection_one_answer(bare_stack: supalocal.Stack):
    """What REST prepared there is gone, so the pool replaces the connection."""
    async with (
        await psycopg.AsyncConnection.connect(bare_stack.db_url, autocommit=True) as database,
        aiohttp.ClientSession(f"{bare_stack.url}/rest/v1/rpc/", headers={"apikey": bare_stack.secret_key}) as http,
    ):

        async def call(function: str) -> int:
            async with http.post(function, json={}) as answer:
                return answer.status

        await database.execute(
            "create function forget() returns void language plpgsql as $$ begin execute 'deallocate all'; end $$;"
            "create function nothing() returns void language sql as ''"
        )
        try:
            prepared = [await call("nothing") for _ in range(30)]
            assert await call("forget") == 204
            later = [await call("nothing") for _ in range(30)]
        finally:
            await database.execute("drop function forget(), nothing()")
    assert set(prepared) == {204}
    assert set(later[_LARGEST_POOL:]) == {204}
