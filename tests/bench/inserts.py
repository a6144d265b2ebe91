"""Single-row inserts through supabase-py and REST, beside the same inserts by the driver into the same database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from statistics import median

import psycopg
from httpx_aiohttp import HttpxAiohttpClient

from supabase import AsyncClientOptions, acreate_client
from tests.bench.report import held, quantile, say, spread, told
from tests.bench.server import Server, running

CONCURRENT = 32
ROWS, ROUNDS = 2_000, 5  # rows a round
SEQUENTIAL = 500
RATE, SECONDS = 650.0, 0.003

Insert = Callable[[], Awaitable[object]]


async def run() -> bool:
    """Insert by turns through REST and by the driver, and compare the medians of the rounds."""
    async with running("--memory") as server, through_rest(server) as rest, by_driver(server) as driver:
        for inserts in (rest, driver):
            await rate(inserts, ROWS // 4)
        sequential = [await seconds(rest[0]) for _ in range(SEQUENTIAL)]
        used = server.cpu()
        rates, direct = [], []
        for _ in range(ROUNDS):
            rates.append(await rate(rest, ROWS))
            direct.append(await rate(driver, ROWS))
        used = server.cpu() - used
    say(f"      inserts/s, lowest / median / highest: REST {spread(rates)}, driver {spread(direct)}")
    told(f"{CONCURRENT} concurrent by the driver directly", median(direct), "/s")
    told("REST, share of that", median(rates) / median(direct), "")
    told("processor time in supalocal and Postgres, for both", 1_000 * used / (2 * ROWS * ROUNDS), "ms")
    told("sequential, p99", quantile(sequential, 0.99) * 1_000, "ms")
    return all(
        [
            held(f"{CONCURRENT} concurrent through REST", median(rates), "/s", least=RATE),
            held("sequential through REST, p50", median(sequential) * 1_000, "ms", most=SECONDS * 1_000),
        ]
    )


async def rate(inserts: list[Insert], count: int) -> float:
    """Rows a second when each of the inserters has one insert under way at any time."""
    waiting = iter(range(count))

    async def work(insert: Insert) -> None:
        for _ in waiting:
            await insert()

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as workers:
        for insert in inserts:
            workers.create_task(work(insert))
    return count / (time.perf_counter() - begun)


async def seconds(insert: Insert) -> float:
    begun = time.perf_counter()
    await insert()
    return time.perf_counter() - begun


@asynccontextmanager
async def through_rest(server: Server) -> AsyncIterator[list[Insert]]:
    """One client of the public key, used by all, as an app does."""
    async with HttpxAiohttpClient() as http:
        client = await acreate_client(
            server.facts["API_URL"], server.facts["PUBLISHABLE_KEY"], AsyncClientOptions(httpx_client=http)
        )

        async def insert() -> object:
            return await client.table("notes").insert({"body": "a note"}, returning="minimal").execute()

        yield [insert] * CONCURRENT


@asynccontextmanager
async def by_driver(server: Server) -> AsyncIterator[list[Insert]]:
    """A connection each, as the role that REST takes for that key."""
    async with AsyncExitStack() as opened:
        inserts: list[Insert] = []
        for _ in range(CONCURRENT):
            connection = await psycopg.AsyncConnection.connect(server.facts["DB_URL"], autocommit=True)
            await opened.enter_async_context(connection)
            await connection.execute("set role anon")
            inserts.append(lambda link=connection: link.execute("insert into notes (body) values (%s)", ["a note"]))
        yield inserts
