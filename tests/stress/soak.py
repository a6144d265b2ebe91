"""200 subscribers join, leave and are cut at random under load: nothing is missed by those connected, nothing leaks."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import takewhile
from random import Random
from typing import Any

import aiohttp
import jwt
from psycopg import AsyncConnection

from tests.stress.checks import Failed, expect
from tests.stress.load import Load
from tests.stress.server import ROOT, Server

SUBSCRIBERS, ROOMS, PER_SECOND = 200, 10, 50
LATE = 30.0  # seconds until a change counts as missed
SLEEPERS = 0.05  # the share of visitors that read nothing for a while
ENDS = ("leave", "close", "cut")
MEGABYTE = 1_000_000
GROWTH = 24 * MEGABYTE  # of memory, between the end of the first third and the end
SCHEMA = """
create table beats (id bigint primary key, room int not null, body text);
alter table beats enable row level security;
create policy "of one's room" on beats for select to authenticated using (room = (auth.jwt() ->> 'room')::int);
grant select on beats to authenticated;
alter publication supabase_realtime add table beats;
"""
HELD = """
select
  (select count(*) from pg_replication_slots),
  (select count(*) from pg_stat_activity where backend_type in ('client backend', 'walsender')),
  (select count(*) from pg_stat_activity where state like 'idle in%')
"""


class Soaked:
    """The stack under load, and its own account of what it holds."""

    def __init__(self, process: asyncio.subprocess.Process, facts: dict[str, str]) -> None:
        self._process = process
        self.url = f"{facts['url']}/realtime/v1/websocket?vsn=1.0.0&apikey={facts['key']}"
        self.db_url, self._secret = facts["db_url"], facts["secret"]

    def token(self, room: int) -> str:
        claims = {"role": "authenticated", "room": room, "exp": int(time.time()) + 7200}
        return jwt.encode(claims, self._secret)

    async def held(self) -> dict[str, int]:
        assert self._process.stdin
        self._process.stdin.write(b"\n")
        return await _line(self._process)


@asynccontextmanager
async def soaked() -> AsyncIterator[Soaked]:
    pipe = asyncio.subprocess.PIPE
    command = [sys.executable, "-m", "tests.stress.soaked"]
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, cwd=ROOT)
    try:
        yield Soaked(process, await _line(process))
    finally:
        assert process.stdin
        process.stdin.close()
        await process.wait()


async def _line(process: asyncio.subprocess.Process) -> Any:
    assert process.stdout
    return json.loads(await process.stdout.readline())


class Beats:
    """What is written, room by room, and what has become of the visits."""

    def __init__(self, seconds: float) -> None:
        self.until = time.monotonic() + seconds
        self.begun = 0  # the number of the latest insert, committed or not
        self.committed: dict[int, list[int]] = {room: [] for room in range(ROOMS)}
        self.ends: Counter[str] = Counter()
        self.seen = 0

    async def write(self, connection: AsyncConnection[Any], rng: Random) -> None:
        start = time.monotonic()
        while time.monotonic() < self.until:
            await asyncio.sleep(start + self.begun / PER_SECOND - time.monotonic())
            self.begun, room = self.begun + 1, rng.randrange(ROOMS)
            await connection.execute("insert into beats values (%s, %s, repeat('x', 200))", [self.begun, room])
            self.committed[room].append(self.begun)

    def promised(self, room: int, since: int) -> list[int]:
        """What was committed there and had not begun at that number."""
        found = reversed(self.committed[room])
        return list(takewhile(lambda number: number > since, found))[::-1]


async def run(server: Server, rng: Random, load: Load) -> str:
    """Each visit gets every change between its promise and its end, in order and once; then all is given back."""
    del server  # the stack brings its own
    async with soaked() as stack, await AsyncConnection.connect(stack.db_url, autocommit=True) as connection:
        await connection.execute(SCHEMA)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
            await visit(stack, http, Random(0), Beats(0), 0)  # noqa: S311 - so that all is loaded that will be
            await rested(stack)
            before, database_before = await stack.held(), await _database(connection)
            beats, levels = Beats(load.soak_seconds), []
            async with asyncio.TaskGroup() as everyone:
                everyone.create_task(beats.write(connection, rng))
                everyone.create_task(watch(stack, beats, load.soak_seconds / 3, levels))
                for number in range(SUBSCRIBERS):
                    everyone.create_task(subscriber(stack, http, Random(rng.random()), beats, number % ROOMS))  # noqa: S311
        await rested(stack, before["tasks"])
        after = await stack.held()
        for what in ("channels", "tasks", "descriptors"):
            expect(what, after[what], before[what])
        expect("slots, connections, idle transactions", await _database(connection), database_before)
        grown = max(levels[-1], after["memory"]) - levels[0]
        if grown > GROWTH:
            raise Failed(f"memory grew by {grown / MEGABYTE:.0f} MB after the first third: {levels}")
    visits = ", ".join(f"{beats.ends[end]} {end}" for end in ENDS)
    return (
        f"{beats.seen} changes to {beats.ends.total()} visits ({visits}), none missed; "
        f"memory {levels[0] // MEGABYTE} to {after['memory'] // MEGABYTE} MB"
    )


async def watch(stack: Soaked, beats: Beats, every: float, levels: list[int]) -> None:
    """Note the memory at the end of each third."""
    while time.monotonic() < beats.until:
        await asyncio.sleep(every)
        levels.append((await stack.held())["memory"])


async def rested(stack: Soaked, tasks: int | None = None) -> None:
    """Return when the stack has noticed that everybody has left, or does not notice."""
    until = time.monotonic() + LATE
    while time.monotonic() < until:
        await asyncio.sleep(0.2)
        held = await stack.held()
        if not held["channels"] and (tasks is None or held["tasks"] <= tasks):
            return


async def subscriber(stack: Soaked, http: aiohttp.ClientSession, rng: Random, beats: Beats, room: int) -> None:
    """Come again and again."""
    while time.monotonic() < beats.until:
        await visit(stack, http, rng, beats, room)


async def visit(stack: Soaked, http: aiohttp.ClientSession, rng: Random, beats: Beats, room: int) -> None:
    """Join, listen for a while, catch up, and go, one way or the other."""
    async with http.ws_connect(stack.url, max_msg_size=0) as socket:
        await _send(socket, "phx_join", _join(stack.token(room), room))
        while "Subscribed to PostgreSQL" not in await socket.receive_str(timeout=LATE):
            pass
        seen, promised = await listen(socket, rng, beats, room)
        expect("changes missed", sorted(set(promised) - set(seen)), [])
        expect("changes in order, each once", seen, sorted(set(seen)))
        beats.seen += len(seen)
        end = rng.choice(ENDS)
        beats.ends[end] += 1
        if end == "cut":
            socket._response.connection.transport.abort()  # type: ignore[union-attr]
        elif end == "leave":
            await _send(socket, "phx_leave", {})
            while '"phx_close"' not in await socket.receive_str(timeout=LATE):
                pass


async def listen(
    socket: aiohttp.ClientWebSocketResponse, rng: Random, beats: Beats, room: int
) -> tuple[list[int], list[int]]:
    """Return the changes that came, and those that had to, by the time that it was over."""
    seen: list[int] = []
    since, over = beats.begun, min(time.monotonic() + rng.uniform(0.2, 6.0), beats.until)
    if rng.random() < SLEEPERS:
        await asyncio.sleep(rng.uniform(0, 2))
    while (rest := over - time.monotonic()) > 0:
        with suppress(TimeoutError):
            await hear(socket, seen, rest)
    promised = beats.promised(room, since)
    while promised and (not seen or seen[-1] < promised[-1]):
        try:
            await hear(socket, seen, LATE)
        except TimeoutError:
            raise Failed(f"change {promised[-1]} of room {room} did not come in {LATE:.0f} s") from None
    return seen, promised


async def hear(socket: aiohttp.ClientWebSocketResponse, seen: list[int], seconds: float) -> None:
    frame = json.loads(await socket.receive_str(timeout=seconds))
    if frame["event"] == "postgres_changes":
        seen.append(frame["payload"]["data"]["record"]["id"])


def _join(token: str, room: int) -> dict[str, Any]:
    binding = {"event": "INSERT", "schema": "public", "table": "beats", "filter": f"room=eq.{room}"}
    return {"config": {"postgres_changes": [binding]}, "access_token": token}


async def _send(socket: aiohttp.ClientWebSocketResponse, event: str, payload: dict[str, Any]) -> None:
    await socket.send_json({"topic": "realtime:beats", "event": event, "payload": payload, "ref": "1", "join_ref": "1"})


async def _database(connection: AsyncConnection[Any]) -> Any:
    return await (await connection.execute(HELD)).fetchone()
