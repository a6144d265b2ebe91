"""How long a committed change takes to reach its subscribers, each a user of their own under row level security."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import AsyncExitStack
from uuid import uuid4

import aiohttp
import jwt
import psycopg

from tests.bench.report import held, quantile, told
from tests.bench.server import Server, running

SUBSCRIBERS, CHANGES, PER_SECOND = 50, 1_000, 100
P50, P99 = 10.0, 50.0  # ms
WARM_UP = 100  # changes
_LATE = 30.0  # seconds until a change counts as lost


class Subscriber:
    """A socket of one user, and when each change arrived on it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.arrived: dict[int, float] = {}

    async def join(self, token: str) -> None:
        """Return when the server promises changes."""
        config = {"postgres_changes": [{"event": "INSERT", "schema": "public", "table": "notes"}]}
        await self._socket.send_json(
            ["1", "1", "realtime:notes", "phx_join", {"config": config, "access_token": token}]
        )
        while "Subscribed to PostgreSQL" not in await self._socket.receive_str(timeout=_LATE):
            pass

    async def listen(self, count: int) -> None:
        """Return when that many changes have arrived in all."""
        while len(self.arrived) < count:
            frame = await self._socket.receive_str(timeout=_LATE)
            arrived = time.perf_counter()
            event, payload = json.loads(frame)[3:]
            if event == "postgres_changes":
                self.arrived[payload["data"]["record"]["id"]] = arrived


async def run() -> bool:
    """Insert at a steady rate, and time each delivery from when its commit was confirmed to the writer."""
    async with running("--memory") as server, AsyncExitStack() as opened:
        http = await opened.enter_async_context(aiohttp.ClientSession())
        writer = await psycopg.AsyncConnection.connect(server.facts["DB_URL"], autocommit=True)
        await opened.enter_async_context(writer)
        subscribers = [await subscribe(server, http, writer) for _ in range(SUBSCRIBERS)]
        await write(writer, subscribers, WARM_UP)
        before = server.cpu()
        committed = await write(writer, subscribers, CHANGES)
        busy = 100 * (server.cpu() - before) * PER_SECOND / CHANGES
    late = [(subscriber.arrived[number] - at) * 1_000 for subscriber in subscribers for number, at in committed.items()]
    told(f"deliveries timed, to {SUBSCRIBERS} users at {PER_SECOND} changes/s", len(late), "")
    told("processor time meanwhile, of one core", busy, "%")
    told("commit to delivery, max", max(late), "ms")
    return all(
        [
            held("commit to delivery, p50", quantile(late, 0.5), "ms", most=P50),
            held("commit to delivery, p99", quantile(late, 0.99), "ms", most=P99),
        ]
    )


async def subscribe(server: Server, http: aiohttp.ClientSession, writer: psycopg.AsyncConnection) -> Subscriber:
    """A new member of the room, listening."""
    user = str(uuid4())
    await writer.execute("insert into members values (0, %s)", [user])
    claims = {"sub": user, "role": "authenticated", "aud": "authenticated", "exp": int(time.time()) + 3600}
    token = jwt.encode(claims, server.facts["JWT_SECRET"])
    key = server.facts["PUBLISHABLE_KEY"]
    url = f"{server.facts['API_URL']}/realtime/v1/websocket?apikey={key}&vsn=2.0.0"
    subscriber = Subscriber(await http.ws_connect(url))
    await subscriber.join(token)
    return subscriber


async def write(writer: psycopg.AsyncConnection, subscribers: list[Subscriber], count: int) -> dict[int, float]:
    """Insert that many rows at the rate and see them arrive; by id, when the writer knew of each commit."""
    seen = len(subscribers[0].arrived)
    committed: dict[int, float] = {}
    begun = time.perf_counter()
    async with asyncio.TaskGroup() as listening:
        for subscriber in subscribers:
            listening.create_task(subscriber.listen(seen + count))
        for number in range(count):
            await asyncio.sleep(begun + number / PER_SECOND - time.perf_counter())
            cursor = await writer.execute("insert into notes (body) values ('a note') returning id")
            row = await cursor.fetchone()
            assert row is not None
            committed[row[0]] = time.perf_counter()
    return committed
