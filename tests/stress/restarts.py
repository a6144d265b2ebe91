"""The streams' conversation, while Postgres is restarted under supalocal."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random

from psycopg import AsyncConnection

from supalocal import bootstrap, ports
from supalocal.server.postgres import SUPERUSER, Postgres
from tests.stress import local, streams
from tests.stress.load import Load
from tests.stress.server import Server


async def run(server: Server, rng: Random, load: Load) -> str:
    """No writer fails, and each subscriber gets every message's last state."""
    del server  # it is the one that is not restarted
    with tempfile.TemporaryDirectory(prefix="streams-", dir="/tmp") as directory:
        postgres = Postgres(Path(directory), port=ports.free(0, option=""))
        await postgres.start()
        async with await AsyncConnection.connect(postgres.conninfo(SUPERUSER), autocommit=True) as connection:
            await bootstrap.prepare(connection)  # it gives the roles their passwords

        async def restart() -> None:
            await postgres.stop()
            await postgres.start()

        try:
            async with local.started("--db-url", postgres.url(SUPERUSER)) as stack:
                return await streams.converse(stack, rng, load.streamed, restart)
        finally:
            await postgres.stop()
