"""The front door: one local Supabase, from nothing to ready and back to nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from supalocal import background, ports
from supalocal.errors import MigrationError, ProjectError
from supalocal.instance import Instance
from supalocal.keys import JWT_SECRET, Keys
from supalocal.project import Migration, Project
from supalocal.wishes import Wishes

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from contextlib import AbstractContextManager
    from types import TracebackType

_Result = TypeVar("_Result")


class Stack:
    """A local Supabase: a database prepared like a hosted project's, REST, Realtime and Auth.

        async with supalocal.Stack(project=".") as stack:
            client = await acreate_client(stack.url, stack.publishable_key)

    `project` is a `supabase/` folder or the directory that holds one; its migrations and, with `seed`, its seed files
    are applied. `data` is the directory that keeps the database; None keeps nothing. Port 0 finds a free port.
    `host` is where the API listens, loopback unless told otherwise; the database never listens elsewhere.
    `db_url`, a superuser's URL, prepares and uses that database instead of starting one; `data` and `db_port` then
    mean nothing. `jwt_secret` replaces the public one, and with it the two JWT keys. Without `cron` no scheduled job
    runs, as a test may want it. Without `realtime_quirks` Realtime shows `char(n)` whole, and a filter or policy that
    fails costs its own subscriber the change; on the real server it loses a moment's changes for everyone. With
    `realtime_limits` it refuses what a hosted project's default limits refuse, after the same pauses.

    Starting raises SupalocalError. The URLs are known once the stack has started; asking earlier is a RuntimeError.
    """

    def __init__(
        self,
        project: str | Path | None = None,
        *,
        data: str | Path | None = None,
        host: str = ports.LOOPBACK,
        port: int = 0,
        db_port: int = 0,
        db_url: str | None = None,
        jwt_secret: str | None = None,
        seed: bool = True,
        cron: bool = True,
        realtime_quirks: bool = True,
        realtime_limits: bool = False,
    ) -> None:
        self._project = Project() if project is None else Project.read(project)
        self._keys = Keys(jwt_secret or JWT_SECRET)
        self._wishes = Wishes(
            keys=self._keys,
            data=None if data is None else Path(data),
            host=host,
            port=port,
            db_port=db_port,
            db_url=db_url,
            seed=seed,
            cron=cron,
            realtime_quirks=realtime_quirks,
            realtime_limits=realtime_limits,
        )
        self._instance: Instance | None = None

    async def start(self) -> None:
        """Come up whole, or raise SupalocalError and leave nothing behind."""
        if self._instance is not None:
            raise RuntimeError("This stack has started already.")
        instance = Instance(self._wishes, self._project)
        await instance.start()
        self._instance = instance

    async def close(self) -> None:
        """Stop everything that start() started; closing twice is harmless."""
        instance, self._instance = self._instance, None
        if instance is not None:
            await instance.close()

    async def watch(self) -> None:
        """Return never; raise PostgresError when the stack's own database server has ended by itself."""
        await self._running().watch()

    async def migrate(self) -> tuple[Migration, ...]:
        """Read the project's migrations again and apply the new ones, which come back; REST knows their tables.

        May be awaited in any event loop. Raises ProjectError or MigrationError; the stack keeps running.
        """
        instance = self._running()
        return await _in_loop(instance.loop, instance.migrate())

    async def reset(self) -> None:
        """Make the database anew, with migrations and seed as they are now. Addresses and keys stay.

        Whoever is connected is cut off. With `db_url` that database is dropped and created again; the roles of its
        server stay. May be awaited in any event loop. Raises SupalocalError: after a MigrationError or ProjectError
        the stack keeps running, with what came before the failing file; after any other it is closed.
        """
        instance = self._running()
        try:
            await _in_loop(instance.loop, instance.reset())
        except (MigrationError, ProjectError):
            raise
        except BaseException:
            self._instance = None
            raise

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
        return self._running().url

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
        return self._running().database.url

    @property
    def admin_db_url(self) -> str:
        """The database as a superuser."""
        return self._running().database.admin_url

    @property
    def applied(self) -> tuple[Migration, ...]:
        """The migrations that the start, or the last reset, applied."""
        return self._instance.applied if self._instance else ()

    def _running(self) -> Instance:
        if self._instance is None:
            raise RuntimeError("The stack is not running: its addresses are known between start() and close().")
        return self._instance


async def _in_loop(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, _Result]) -> _Result:
    if loop is asyncio.get_running_loop():
        return await work
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, loop))
