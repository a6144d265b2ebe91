"""What it costs while nobody asks for anything: memory and processor time of all its processes together."""

from __future__ import annotations

import asyncio

from tests.bench.report import held
from tests.bench.server import running

MEMORY = 200.0  # MiB
CPU = 1.0  # percent of one core
SETTLING, WATCHED = 3.0, 20.0  # seconds


async def run() -> bool:
    """Watch a stack that has just started and answered nobody."""
    async with running("--memory") as server:
        await asyncio.sleep(SETTLING)
        before = server.cpu()
        await asyncio.sleep(WATCHED)
        busy = 100 * (server.cpu() - before) / WATCHED
        memory = server.memory() / 2**20
    return all(
        [
            held("memory at idle, all processes (PSS)", memory, "MiB", most=MEMORY),
            held("processor time at idle, of one core", busy, "%", most=CPU),
        ]
    )
