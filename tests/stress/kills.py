"""The streams' conversation, while supalocal is killed (SIGKILL) and started again on the same data."""

from __future__ import annotations

import tempfile
from random import Random

from tests.stress import local, streams
from tests.stress.load import Load
from tests.stress.server import Server


async def run(server: Server, rng: Random, load: Load) -> str:
    """No writer fails, and each subscriber gets every message's last state."""
    del server  # the stack brings its own
    with tempfile.TemporaryDirectory(prefix="streams-", dir="/tmp") as directory:
        async with local.started("--data", directory) as stack:

            async def restart() -> None:
                await stack.kill()
                await stack.start()

            return await streams.converse(stack, rng, load.streamed, restart)
