"""The front door: one local Supabase, from nothing to ready and back to nothing."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from supalocal import background, bootstrap, migrations, ports
from supalocal.database import Database, connect
from supalocal.keys import JWT_SECRET, Keys
from supalocal.postgres import Postgres
from supalocal.project import Migration, Project
from supalocal.services import serving

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import TracebackType


class Stack:
    """A local Supabase on loopback: a database prepared like a hosted project's, REST, Realtime and Auth.

        async with supalocal.Stack(project=".") as stack:
            client = await acreate_client(stack.url, stack.publishable_key)

    `project` is a `supabase/` folder or the directory that holds one; its migrations and, with `seed`, its seed files
    are applied. `data` is the directory that keeps the database; None keeps nothing. Port 0 finds a free port.
    `db_url`, a superuser's URL, prepares and uses that database instead of starting one; `data` and `db_port` then
    mean nothing. `jwt_secret` replaces the public one, and with it the two JWT keys.

    Starting raises SupalocalError. The URLs are known once the stack has started; asking earlier is a RuntimeError.
    """

    def __init__(
        self,
        project: str | Path | None = None,
        *,
        data: str | Path | None = None,
        port: int = 0,
        db_port: int = 0,
        db_url: str | None = None,
        jwt_secret: str | None = None,
        seed: bool = True,
    ) -> None:
        self._project = Project() if project is None else Project.read(project)
        self._data = None if data is None else Path(data)
        self._wanted_port = port
        self._wanted_db_port = db_port
        self._db_url = db_url
        self._seed = seed
        self._keys = Keys(jwt_secret or JWT_SECRET)
        self._port: int | None = None
        self._database: Database | None = None
        self._applied: tuple[Migration, ...] = ()
        self._open = AsyncExitStack()

    async def start(self) -> None:
        """Come up whole, or raise SupalocalError and leave nothing behind."""
        if self._port is not None:
            raise RuntimeError("This stack has started already.")
        async with AsyncExitStack() as opened:
            listener = ports.bind(self._wanted_port, option="--port")
            opened.callback(listener.close)
            database = await self._start_database(opened)
            await self._prepare(database)
            port = int(listener.getsockname()[1])
            await opened.enter_async_context(serving(listener, database, self._project.config, self._keys))
            self._database, self._port = database, port
            self._open = opened.pop_all()

    async def close(self) -> None:
        """Stop everything that start() started; closing twice is harmless."""
        self._port = self._database = None
        await self._open.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def running(self) -> AbstractContextManager[Self]:
        """Run the stack in a thread with its own event loop: `with Stack().running() as stack` in synchronous code."""
        return background.running(self)

    @property
    def keys(self) -> Keys:
        """All keys that the stack accepts."""
        return self._keys

    @property
    def url(self) -> str:
        """What a client takes as the Supabase URL."""
        if self._port is None:
            raise RuntimeError("The stack is not running: its URL is known between start() and close().")
        return f"http://{ports.LOOPBACK}:{self._port}"

    @property
    def publishable_key(self) -> str:
        """The key for client code, bound by row level security."""
        return self._keys.publishable

    @property
    def secret_key(self) -> str:
        """The key for server code, which passes over row level security."""
        return self._keys.secret

    @property
    def anon_key(self) -> str:
        """The JWT form of the publishable key."""
        return self._keys.anon

    @property
    def service_role_key(self) -> str:
        """The JWT form of the secret key."""
        return self._keys.service_role

    @property
    def db_url(self) -> str:
        """The database as the role `postgres`, which owns `public` and, as on hosted, is no superuser."""
        return self._running_database().url

    @property
    def admin_db_url(self) -> str:
        """The database as a superuser."""
        return self._running_database().admin_url

    @property
    def applied(self) -> tuple[Migration, ...]:
        """The migrations that this start applied."""
        return self._applied

    def _running_database(self) -> Database:
        if self._database is None:
            raise RuntimeError("The stack is not running: its database is known between start() and close().")
        return self._database

    async def _start_database(self, opened: AsyncExitStack) -> Database:
        if self._db_url is not None:
            return Database.external(self._db_url)
        server = Postgres(self._data, port=self._wanted_db_port)
        opened.push_async_callback(server.stop)
        await server.start()
        return Database.bundled(server)

    async def _prepare(self, database: Database) -> None:
        async with await connect(database.admin) as connection:
            await bootstrap.require_suitable(connection)
            await bootstrap.prepare(connection, expose_new_tables=self._project.config.auto_expose_new_tables)
        async with await connect(database.postgres) as connection:
            self._applied = tuple(await migrations.migrate(connection, self._project))
            if self._seed:
                await migrations.seed(connection, self._project)
