"""How long a committed message takes to the SDK's callback, beside a bare websocket that hears the same changes."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median
from uuid import UUID, uuid4

import psycopg

from tests.bench.report import held, quantile, say, spread, told
from tests.bench.server import ROOT, Server, running

CHANGES, PER_SECOND, ROUNDS = 500, 50, 5
WARM_UP = 100  # changes
SDK, SOCKET = "sdk", "socket"  # the listener's ways
TIMES = 1.3  # the bare websocket's latency
_LATE = 60.0  # seconds

Arrivals = dict[int, float]
"""By rev, when."""


class Listener:
    """A process that follows the session, so that neither listener waits for the other's work."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.cpu = 0.0

    async def line(self) -> str:
        assert self._process.stdout is not None
        async with asyncio.timeout(_LATE):
            return (await self._process.stdout.readline()).decode()

    async def arrivals(self) -> Arrivals:
        """Wait for the last change."""
        told = json.loads(await self.line())
        self.cpu = told["cpu"]
        return dict(told["arrived"])


async def run() -> bool:
    """Write at a steady rate for both at once; by turns, one of them or the other has joined first."""
    latencies: dict[str, list[list[float]]] = {SDK: [], SOCKET: []}
    extra: list[float] = []
    cpu: dict[str, float] = dict.fromkeys(latencies, 0.0)
    async with (
        running("--memory", project=ROOT) as server,
        await psycopg.AsyncConnection.connect(server.facts["DB_URL"], autocommit=True) as writer,
    ):
        for number in range(ROUNDS):
            session = await new_session(writer)
            order = [SDK, SOCKET][:: -1 if number % 2 else 1]
            async with listening(server, session, order[0]) as first, listening(server, session, order[1]) as second:
                committed = await write(writer, session)
                listeners = dict(zip(order, (first, second), strict=True))
                arrived = {way: await listener.arrivals() for way, listener in listeners.items()}
            for way, times in arrived.items():
                latencies[way].append([(times[rev] - at) * 1_000 for rev, at in committed.items()])
                cpu[way] += listeners[way].cpu
            extra += [(arrived[SDK][rev] - arrived[SOCKET][rev]) * 1_000 for rev in committed]
    for way, rounds in latencies.items():
        for share in (0.5, 0.99):
            figures = [quantile(latency, share) for latency in rounds]
            say(f"      {way:6} commit to delivery, p{share * 100:g}, lowest / median / highest ms: {spread(figures)}")
        told(f"{way}, processor time a change", 1_000 * cpu[way] / ((CHANGES + WARM_UP) * ROUNDS), "ms")
    told("sdk after socket, same change, p50", quantile(extra, 0.5), "ms")
    told("sdk after socket, same change, p99", quantile(extra, 0.99), "ms")
    kept = [within(latencies, share) for share in (0.5, 0.99)]
    return all(kept)


def within(latencies: dict[str, list[list[float]]], share: float) -> bool:
    """The medians over the rounds, compared."""
    sdk, socket = (median(quantile(latency, share) for latency in latencies[way]) for way in (SDK, SOCKET))
    return held(f"SDK's p{share * 100:g}, times the bare websocket's", sdk / socket, "", most=TIMES)


async def new_session(writer: psycopg.AsyncConnection) -> UUID:
    row = await (await writer.execute("select id from create_session(gen_random_uuid())")).fetchone()
    assert row is not None
    return row[0]


@asynccontextmanager
async def listening(server: Server, session: UUID, way: str) -> AsyncIterator[Listener]:
    """A listener to whom changes flow."""
    command = [sys.executable, "-m", "tests.bench.listener", way, server.facts["API_URL"]]
    command += [server.facts["PUBLISHABLE_KEY"], str(session), str(WARM_UP + CHANGES)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, limit=1_000_000)
    try:
        listener = Listener(process)
        if not await listener.line():
            raise SystemExit(f"The listener {way} did not start: exit code {await process.wait()}")
        yield listener
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def write(writer: psycopg.AsyncConnection, session: UUID) -> Arrivals:
    """Send messages at the rate; when the writer knew of each commit, those of the warm-up left out."""
    committed: Arrivals = {}
    user = uuid4()
    begun = time.perf_counter()
    for number in range(WARM_UP + CHANGES):
        await asyncio.sleep(begun + number / PER_SECOND - time.perf_counter())
        cursor = await writer.execute(
            "select rev from send_message(gen_random_uuid(), %s, %s, 'Good morning!', 'en', 'es')", [session, user]
        )
        row = await cursor.fetchone()
        if number >= WARM_UP:
            assert row is not None
            committed[row[0]] = time.perf_counter()
    return committed
