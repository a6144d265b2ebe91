"""Keeps the schema in step with the database."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

import psycopg

from supalocal.notifications import notified
from supalocal.rest.catalog import fingerprint, read_schema
from supalocal.rest.errors import RestError
from supalocal.rest.schema import EMPTY, Schema

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from psycopg import AsyncConnection
    from psycopg_pool import AsyncConnectionPool

    from supalocal.rest.configuration import Configuration

_log = logging.getLogger(__name__)
_PAUSE = 1.0  # seconds before listening again after a lost connection


class SchemaCache:
    """The schema as last read. `NOTIFY pgrst` makes the next request read it anew."""

    def __init__(self, pool: AsyncConnectionPool[Any], configuration: Configuration) -> None:
        self._pool = pool
        self._configuration = configuration
        self._schema: Schema = EMPTY
        # Changes that were announced, and how many of them the schema holds.
        self._announced, self._known = 1, 0
        self._reading = asyncio.Lock()
        self._listener: asyncio.Task[None] | None = None
        self._timezones: frozenset[str] | None = None

    async def start(self) -> None:
        """Read the schema, and listen from before that on."""
        listening = asyncio.Event()
        self._listener = asyncio.create_task(self._listen(listening))
        await listening.wait()
        await self.current()

    async def close(self) -> None:
        """Stop listening."""
        if self._listener:
            self._listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listener
            self._listener = None

    async def current(self) -> Schema:
        """The schema, read again if the database said that it changed."""
        if self._known != self._announced:
            async with self._reading:
                if self._known != self._announced:
                    await self._read()
        return self._schema

    async def newer(self, than: Schema) -> Schema | None:
        """A schema that `than` is older than, or None: for a name that was not found."""
        async with self._reading:
            if self._schema is not than:
                return self._schema
            async with self._connected() as connection:
                mark = await fingerprint(connection)
            if mark == than.fingerprint:
                return None
            await self._read()
            return self._schema

    async def timezones(self) -> frozenset[str]:
        """The names that the database knows; read once."""
        if self._timezones is None:
            async with self._connected() as connection:
                cursor = await connection.execute(b"select name from pg_timezone_names")
                self._timezones = frozenset(str(row[0]) for row in await cursor.fetchall())
        return self._timezones

    async def _read(self) -> None:
        announced = self._announced  # before reading, so that a change meanwhile is not lost
        async with self._connected() as connection:
            self._schema = await read_schema(connection, self._configuration)
        self._known = announced

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection[Any]]:
        try:
            async with self._pool.connection() as connection:
                yield connection
        except psycopg.OperationalError as exc:
            message = "Could not query the database for the schema cache. Retrying."
            raise RestError(503, "PGRST002", message) from exc

    async def _listen(self, listening: asyncio.Event) -> None:
        while True:
            try:
                async with self._pool.connection() as connection:
                    await self._follow(connection, listening)
            except psycopg.Error as exc:
                _log.warning("lost the connection that listens for schema changes: %s", exc)
                # A server that ends has ended them all, some a moment later; nobody's request should find out.
                await self._pool.check()
            self._announced += 1
            await asyncio.sleep(_PAUSE)
            await self._pool.check()

    async def _follow(self, connection: AsyncConnection[Any], listening: asyncio.Event) -> None:
        await connection.set_autocommit(True)
        await connection.execute(b"listen pgrst")
        self._announced += 1
        listening.set()
        try:
            while True:
                await notified(connection)
                self._announced += 1
        finally:
            # The pool gets it back as it was.
            with contextlib.suppress(psycopg.Error):
                await connection.execute(b"unlisten *")
