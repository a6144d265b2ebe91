"""Messages sent with 32 in flight: by the SDK, by plain supabase-py and by supabase-js, by turns on one server."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from statistics import median
from uuid import UUID, uuid4

from babelroom import Babelroom
from supabase import acreate_client
from tests.bench.report import held, say, spread, told
from tests.bench.server import ROOT, Server, running
from tests.support import node

IN_FLIGHT = 32
SESSIONS = 32  # one session's messages wait for each other, in the database
MESSAGES, ROUNDS = 1_000, 5  # messages a round
TIMES_SUPABASE_PY, TIMES_SUPABASE_JS = 2.0, 1.2


@dataclass(frozen=True, slots=True)
class Took:
    """What a round took: seconds on the clock, and of the client's processor."""

    seconds: float
    cpu: float


@dataclass(slots=True)
class Sender:
    send: Callable[[int], Awaitable[Took]]
    """Send that many messages."""
    rounds: list[Took] = field(default_factory=list)
    server: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return median(MESSAGES / took.seconds for took in self.rounds)


async def run() -> bool:
    """Let each send by turns, and compare the medians of their rates."""
    async with running("--memory", project=ROOT) as server, AsyncExitStack() as opened:
        async with Babelroom.connect(url=server.facts["API_URL"], key=server.facts["PUBLISHABLE_KEY"]) as room:
            sessions = [(await room.sessions.create_session()).id for _ in range(SESSIONS)]
        senders = {}
        for name, make in (("the SDK", by_sdk), ("supabase-py", by_supabase_py), ("supabase-js", by_supabase_js)):
            if name == "supabase-js" and not node.find():
                say(f"      supabase-js was left out. {node.MISSING}.")
                continue
            senders[name] = Sender(await opened.enter_async_context(make(server, sessions)))
        for sender in senders.values():
            await sender.send(MESSAGES // 2)
        for _ in range(ROUNDS):
            for sender in senders.values():
                used = server.cpu()
                sender.rounds.append(await sender.send(MESSAGES))
                sender.server.append(server.cpu() - used)
    for name, sender in senders.items():
        rates = [MESSAGES / took.seconds for took in sender.rounds]
        say(f"      {name}: messages/s, lowest / median / highest: {spread(rates)}")
        own = median(took.cpu for took in sender.rounds)
        told(f"{name}: its own processor time, a message", 1_000 * own / MESSAGES, "ms")
        told("   supalocal's and Postgres' meanwhile", 1_000 * median(sender.server) / MESSAGES, "ms")
    rate = senders["the SDK"].rate
    bounds = {"supabase-py": TIMES_SUPABASE_PY, "supabase-js": TIMES_SUPABASE_JS}
    present = [name for name in bounds if name in senders]
    kept = [held(f"the SDK against {name}", rate / senders[name].rate, "times", least=bounds[name]) for name in present]
    return all(kept)


async def timed(send: Callable[[UUID], Awaitable[object]], sessions: list[UUID], count: int) -> Took:
    """Send that many, so many at a time, one after another into each session."""
    waiting = iter(range(count))
    turns = itertools.cycle(sessions)

    async def work() -> None:
        for _ in waiting:
            await send(next(turns))

    begun, used = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as workers:
        for _ in range(IN_FLIGHT):
            workers.create_task(work())
    return Took(time.perf_counter() - begun, time.process_time() - used)


@asynccontextmanager
async def by_sdk(server: Server, sessions: list[UUID]) -> AsyncIterator[Callable[[int], Awaitable[Took]]]:
    user = uuid4()
    async with Babelroom.connect(url=server.facts["API_URL"], key=server.facts["PUBLISHABLE_KEY"]) as room:

        async def send(session: UUID) -> object:
            return await room.messages.create_message(session, user, "Good morning!", "en", "es")

        yield lambda count: timed(send, sessions, count)


@asynccontextmanager
async def by_supabase_py(server: Server, sessions: list[UUID]) -> AsyncIterator[Callable[[int], Awaitable[Took]]]:
    """As its documentation makes a client."""
    user = str(uuid4())
    client = await acreate_client(server.facts["API_URL"], server.facts["PUBLISHABLE_KEY"])

    async def send(session: UUID) -> object:
        message = {"id": str(uuid4()), "session_id": str(session), "user_id": user}
        message |= {"original": "Good morning!", "original_lang": "en", "target_lang": "es"}
        return await client.rpc("send_message", message).execute()

    yield lambda count: timed(send, sessions, count)
    await client.postgrest.aclose()


@asynccontextmanager
async def by_supabase_js(server: Server, sessions: list[UUID]) -> AsyncIterator[Callable[[int], Awaitable[Took]]]:
    arguments = [server.facts["API_URL"], server.facts["PUBLISHABLE_KEY"], uuid4(), IN_FLIGHT, *sessions]
    process = await asyncio.create_subprocess_exec(
        "node", "send.js", *map(str, arguments), cwd=node.PROJECT,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip

    async def send(count: int) -> Took:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{count}\n".encode())
        return Took(**json.loads(await process.stdout.readline()))

    yield send
    process.terminate()
    await process.wait()
