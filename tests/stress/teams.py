"""A team of `babelroom worker` processes empties the queue, while one after the other is killed (SIGKILL)."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Self
from uuid import UUID, uuid4

from babelroom import Babelroom, MessageInsert
from tests.stress import journal, local
from tests.stress.checks import Failed, expect
from tests.stress.load import Load
from tests.stress.server import ROOT, Server

SESSIONS = 50
HOT = 5  # times the messages of any other
LEASE = 2.0
DELAY_MS = 50
KILL_EVERY = (1.0, 3.0)  # seconds; a worker takes one to start
PATIENCE = 240.0
COMMAND = "import sys; from babelroom.cli import main; sys.exit(main())"
OPEN = "select count(*) as open from messages where translation is null"
WRONG = "select original, translation from messages where translation is distinct from original || ' (Spanish)'"
NOT_ONCE = """
select m.id, count(distinct s.translation) from messages m
left join stress.states s on s.id = m.id and s.translation is not null
group by m.id having count(s.id) <> 1
"""
# Within a session, what was said later is translated later.
OVERTAKEN = """
select session_id, seq from (
  select session_id, seq, processed_at < lag(processed_at) over (partition by session_id order by seq) as overtook
  from messages
) m where overtook
"""
LEASED = "select message_id from private.translation_jobs where leased_until is not null"
AGAIN = "select count(*) - count(distinct id) as again from stress.leases"
ATTEMPTS = "select count(*) as failed from private.translation_jobs where failures > 0"


class Team:
    """The processes, each of which is replaced when it is killed."""

    def __init__(self, environment: dict[str, str], rng: Random) -> None:
        self._environment = environment
        self._rng = rng
        self._workers: list[asyncio.subprocess.Process] = []
        self.killed = 0

    async def start(self) -> None:
        options = ["worker", "--concurrency", "4", "--lease", str(LEASE)]
        self._workers.append(
            await asyncio.create_subprocess_exec(
                sys.executable, "-c", COMMAND, *options, env=self._environment, stderr=asyncio.subprocess.DEVNULL
            )
        )

    async def kill_one(self) -> None:
        """A random one, wherever it is; another takes its place."""
        await asyncio.sleep(self._rng.uniform(*KILL_EVERY))
        worker = self._workers.pop(self._rng.randrange(len(self._workers)))
        worker.kill()
        await worker.wait()
        self.killed += 1
        await self.start()

    async def end(self) -> list[int]:
        """Ask them to end, as a service manager does; their exit codes."""
        for worker in self._workers:
            worker.terminate()
        return [await worker.wait() for worker in self._workers]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for worker in self._workers:
            if worker.returncode is None:
                worker.kill()
                await worker.wait()


async def run(server: Server, rng: Random, load: Load) -> str:
    """Each message is translated once and in its session's order, whoever dies; no lease is left."""
    del server  # the stack brings its own
    async with local.started("--memory") as stack, provider() as url:
        database = Server(stack.admin_db_url)
        await database.execute("truncate public.sessions cascade")  # the seed's
        await journal.install(database)
        async with Babelroom.connect(url=stack.url, key=stack.key) as client:
            messages = await fill(client, rng, load.translated)
        environment = os.environ | {
            "SUPABASE_URL": stack.url,
            "SUPABASE_SECRET_KEY": stack.secret_key,
            "OPENAI_API_KEY": "sk-stress",
            "OPENAI_BASE_URL": url,
        }
        start = time.monotonic()
        async with Team(environment, rng) as team:
            await asyncio.gather(*(team.start() for _ in range(load.team)))
            while (await database.execute(OPEN))[0]["open"]:
                if time.monotonic() - start > PATIENCE:
                    raise Failed(f"an empty queue: expected within {PATIENCE:.0f} s")
                await team.kill_one()
            took = time.monotonic() - start
            await no_lease_left(database)
            # One that has just been started cannot hear yet.
            expect("other exit codes than in order", set(await team.end()) - {0, -signal.SIGTERM}, set())
        expect("messages with a wrong translation", await database.execute(WRONG), [])
        expect("messages not translated once", await database.execute(NOT_ONCE), [])
        expect("messages that overtook an earlier one of their session", await database.execute(OVERTAKEN), [])
        expect("messages that failed", (await database.execute(ATTEMPTS))[0]["failed"], 0)
        again = (await database.execute(AGAIN))[0]["again"]
    return (
        f"{messages} messages, each translated once and in order, by {load.team} workers in {took:.0f} s; "
        f"{team.killed} were killed, {again} messages claimed again"
    )


async def no_lease_left(database: Server) -> None:
    """The last answers may still be on their way."""
    until = time.monotonic() + 2 * LEASE
    while (left := await database.execute(LEASED)) and time.monotonic() < until:  # noqa: ASYNC110  rows tell nobody
        await asyncio.sleep(0.1)
    expect("leases that are left", left, [])


async def fill(client: Babelroom, rng: Random, total: int) -> int:
    """Queue the messages; one session is hot. As many as there are come back."""
    each = total // (SESSIONS + HOT - 1)
    sessions = [(await client.sessions.create_session()).id for _ in range(SESSIONS)]
    waiting = [sessions[0]] * (each * HOT) + [session for session in sessions[1:] for _ in range(each)]
    rng.shuffle(waiting)
    user = uuid4()

    async def say(session: UUID, numbers: range) -> None:
        batch = [
            MessageInsert(session_id=session, user_id=user, original=f"Line {n}", original_lang="en", target_lang="es")
            for n in numbers
        ]
        await client.messages.create_messages(batch)

    for session in dict.fromkeys(waiting):
        await say(session, range(waiting.count(session)))
    return len(waiting)


@asynccontextmanager
async def provider() -> AsyncIterator[str]:
    """The address of a translator in a process of its own, that takes its time."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.openai_server", "--delay-ms", str(DELAY_MS),
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.kill()
        await process.wait()
