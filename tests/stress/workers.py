"""Workers take messages off the queue, and some are killed in the middle of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from tests.stress.checks import Tally
from tests.stress.server import Server
from tests.stress.tidying import attempt

CLAIM = "select * from claim_messages(%s, %s, %s)"
OUTCOMES = {
    "complete_message": "select complete_message(%s, %s, 'Hola')",
    "fail_message": "select fail_message(%s, %s, 'No luck')",
    "release_message": "select release_message(%s, %s)",
    "extend_lease": "select extend_lease(%s, %s)",
}
RETRY = "select retry_failed(%s)"
STALE = "PT409"


@asynccontextmanager
async def working(server: Server, rng: Random, tally: Tally, number: int = 2) -> AsyncIterator[None]:
    """Let workers claim messages and do anything with them until the end of the block."""
    done = asyncio.Event()

    async def work(name: str) -> None:
        async with await server.connect("service_role") as connection:
            while not done.is_set():
                for message in await attempt(connection, tally, "claim_messages", CLAIM, name, 20, "1 second"):
                    outcome = rng.choice(list(OUTCOMES))
                    await attempt(connection, tally, outcome, OUTCOMES[outcome], message["id"], message["token"])
                    if outcome == "fail_message":
                        await attempt(connection, tally, "retry_failed", RETRY, message["session_id"])

    async with asyncio.TaskGroup() as tasks:
        for index in range(number):
            tasks.create_task(work(f"worker {index}"))
        try:
            yield
        finally:
            done.set()
    for name in OUTCOMES:
        tally.allow(name, STALE)
