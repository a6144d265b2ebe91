"""A stack while it runs: what it opens, in which order, and how its database is migrated or made anew meanwhile."""

from __future__ import annotations

import asyncio
import importlib
import logging
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from supalocal import ports
from supalocal.errors import MigrationError, ProjectError, SupalocalError
from supalocal.server.lifeline import to_the_end
from supalocal.server.postgres import Postgres

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator

    from supalocal.database import Database
    from supalocal.project import Migration, Project
    from supalocal.wishes import Wishes

_log = logging.getLogger(__name__)
_LOOK_SECONDS = 1.0
_LIBRARIES = ("supalocal.preparation", "supalocal.services")


class Instance:
    """One run of a stack, from its first open socket to its last.

    `url` is the API's address, `database` how to log in, `applied` what the start or the last reset migrated.
    """

    url: str
    database: Database
    applied: tuple[Migration, ...] = ()

    def __init__(self, wishes: Wishes, project: Project) -> None:
        self._wishes = wishes
        self._project = project
        self._loop = asyncio.get_running_loop()
        self._changing = asyncio.Lock()
        self._open = AsyncExitStack()
        self._services = AsyncExitStack()
        self._server = Postgres(wishes.data, port=wishes.db_port)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """Where everything of it runs."""
        return self._loop

    async def start(self) -> None:
        """Come up whole, or raise SupalocalError and leave nothing behind."""
        try:
            self._listener = self._listen()
            async with _importing():
                await self._start_database()
                await self._prepare()
            await self._serve()
        except BaseException:
            await to_the_end(self._close())
            raise

    async def close(self) -> None:
        """Stop everything, even if cancelled meanwhile; closing twice is harmless."""
        async with self._changing:
            await to_the_end(self._close())

    async def watch(self) -> None:
        """Return never; raise PostgresError when the database server has ended by itself."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            async with self._changing:
                self._server.check()

    async def migrate(self) -> tuple[Migration, ...]:
        """Apply the project's new migrations; those come back. Raises ProjectError or MigrationError."""
        from supalocal import preparation  # noqa: PLC0415  see _importing

        async with self._changing:
            self._project = self._project.read_again()
            applied = await preparation.migrate(self.database, self._project)
        return tuple(applied)

    async def reset(self) -> None:
        """Make the database anew, at the same addresses. Raises SupalocalError, and is closed unless as in Stack."""
        failure: MigrationError | ProjectError | None = None
        async with self._changing:
            self._project = self._project.read_again()
            try:
                await self._services.aclose()
                await self._make_anew()
                try:
                    await self._prepare()
                except (MigrationError, ProjectError) as exc:
                    failure = exc
                await self._serve()
            except BaseException:
                await to_the_end(self._close())
                raise
        if failure is not None:
            raise failure

    def _listen(self) -> socket.socket:
        if self._wishes.db_url is None and self._wishes.port == self._wishes.db_port != 0:
            raise SupalocalError(
                f"The API and the database need two different ports, not {self._wishes.port} for both: "
                "change --port or --db-port (0 finds a free one)."
            )
        listener = ports.bind(self._wishes.port, option="--port", host=self._wishes.host)
        self._open.callback(listener.close)
        self.url = ports.url(listener)
        if not ports.is_loopback(listener):
            _log.warning(
                "The API listens on %s, not on loopback alone. Its keys are public knowledge: whoever reaches this "
                "machine over the network can read and change everything in it.",
                self._wishes.host,
            )
        return listener

    async def _start_database(self) -> None:
        if self._wishes.db_url is None:
            await self._server.start()
        from supalocal.database import Database  # noqa: PLC0415  see _importing

        url = self._wishes.db_url
        self.database = Database.bundled(self._server) if url is None else Database.external(url)

    async def _prepare(self) -> None:
        from supalocal import preparation  # noqa: PLC0415  see _importing

        self.applied = tuple(await preparation.prepare(self.database, self._project, seed=self._wishes.seed))

    async def _serve(self) -> None:
        from supalocal.services import serving  # noqa: PLC0415  see _importing

        # A copy, so that the address stays ours, and calls wait in its queue, while a reset runs.
        services = serving(self._listener.dup(), self.database, self._project.config, self._wishes)
        await self._services.enter_async_context(services)

    async def _make_anew(self) -> None:
        if self._wishes.db_url is None:
            await self._server.stop()
            await self._server.erase()
            self._server = Postgres(self._wishes.data, port=self._server.port)
            await self._start_database()
        else:
            from supalocal import preparation  # noqa: PLC0415  see _importing

            await preparation.make_anew(self.database)

    async def _close(self) -> None:
        await self._services.aclose()
        await self._server.stop()
        await self._open.aclose()


@asynccontextmanager
async def _importing() -> AsyncIterator[None]:
    """Import the libraries of all services while Postgres starts and is prepared: they take as long."""
    task = asyncio.create_task(asyncio.to_thread(lambda: [importlib.import_module(name) for name in _LIBRARIES]))
    try:
        yield
    finally:
        await task
