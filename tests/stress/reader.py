"""Reads the states of sessions while they are written, as a feed does: after the last rev that it saw."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from tests.stress.checks import expect
from tests.stress.server import Connection, Server, rows

SINCE = "select id, rev from messages_since(%s, %s, 100)"


class Reader:
    """Polls messages_since for some sessions over one connection."""

    def __init__(self, connection: Connection, sessions: list[UUID]) -> None:
        self._connection = connection
        self._cursors = dict.fromkeys(sessions, 0)
        self._seen: dict[UUID, int] = {}

    async def read(self) -> int:
        """Fetch a page of each session; how many states came."""
        states = 0
        for session, cursor in self._cursors.items():
            page = await rows(self._connection, SINCE, session, cursor)
            revs = [cursor, *(row["rev"] for row in page)]
            expect("the revs of a page after the cursor, rising", revs, sorted(set(revs)))
            self._cursors[session] = revs[-1]
            self._seen |= {row["id"]: row["rev"] for row in page}
            states += len(page)
        return states

    async def expect_nothing_missed(self, server: Server) -> None:
        """When nobody writes any more: what was read, page by page, is how the table stands now."""
        while await self.read():
            pass
        stands = await server.execute("select id, rev from messages where session_id = any(%s)", list(self._cursors))
        last = {row["id"]: row["rev"] for row in stands}
        expect("messages whose last state the reader missed", dict(last.items() - self._seen.items()), {})
        expect("messages that the reader saw and that are not there", self._seen.keys() - last.keys(), set())


@asynccontextmanager
async def reading(readers: list[Reader]) -> AsyncIterator[None]:
    """Let the readers poll until the end of the block."""
    done = asyncio.Event()

    async def poll(reader: Reader) -> None:
        while not done.is_set():
            await reader.read()

    async with asyncio.TaskGroup() as tasks:
        for reader in readers:
            tasks.create_task(poll(reader))
        try:
            yield
        finally:
            done.set()
