"""A Postgres server of our own, on a lifeline."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from supalocal import ports
from supalocal.errors import DataInUseError, PortTakenError, PostgresError, PostgresStartError
from supalocal.server import postmaster, runtime
from supalocal.server.installation import Installation
from supalocal.server.lifeline import Lifeline, to_the_end

if TYPE_CHECKING:
    from collections.abc import Iterator

SUPERUSER = "supabase_admin"
PASSWORD = "postgres"  # noqa: S105  public knowledge, as with the Supabase CLI's local database

_ACCESS = """\
local all,replication all trust
host all,replication all 127.0.0.1/32 scram-sha-256
"""
_SETTINGS = {
    "listen_addresses": ports.LOOPBACK,
    "wal_level": "logical",
    "max_wal_senders": "16",
    "max_replication_slots": "16",
    "max_connections": "100",
    "shared_buffers": "32MB",
    "min_wal_size": "32MB",
    "shared_preload_libraries": "pg_stat_statements",  # as on hosted; 2 MB
    "io_method": "sync",  # the default keeps three more processes around
    # What plans say of themselves, as on Supabase's own image.
    "compute_query_id": "on",
    "effective_cache_size": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# synchronous_commit stays on: without it a change reaches Realtime when the WAL writer wakes, up to 200 ms later.
_NOTHING_KEPT = {"fsync": "off", "full_page_writes": "off"}
_OLD = "postgres.old"
_OURS = frozenset((".gitignore", "lock", "postgres", "postgres.log", "postgres.new", _OLD))
_INITDB = (
    *("--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8", "--no-sync", "--no-instructions"),
    *("--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
)
_START_SECONDS = 60.0  # recovery after a crash may replay a lot of log
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.005
_FREE_PORT_TRIES = 3
_LAST_WORDS = 5  # lines of its log
_NO_SOCKET = "could not create any TCP/IP sockets"


class Postgres:
    """One server process on one data directory.

    With `data=None` nothing is kept: the directory is temporary, and nothing is flushed to disk. `port` is the
    loopback TCP port, 0 for a free one; after `start()` it is the real one.
    """

    def __init__(self, data: Path | None = None, *, port: int = 0) -> None:
        self.port = port
        self._keep = data
        self._wanted_port = port
        self._undo = contextlib.AsyncExitStack()
        self._serving: Lifeline | None = None

    async def start(self) -> None:
        """Come up, after crash recovery where that is needed. Raises PostgresError or PortTakenError."""
        async with contextlib.AsyncExitStack() as undo:
            self._installation = await asyncio.to_thread(Installation.find)
            await runtime.sweep(self._installation.account)
            self._runtime = undo.enter_context(runtime.made(self._installation))
            self._home = self._make_home(undo)
            self._server_home, self._inherited = self._server_view(undo)
            await postmaster.clear(self._cluster)
            if not self._cluster.exists():
                await self._create_cluster()
            await self._launch(undo)
            self._undo = undo.pop_all()

    async def stop(self) -> None:
        """Shut down and wait for the last process to end. Stopping twice is harmless."""
        self._serving = None
        await self._undo.aclose()

    def check(self) -> None:
        """Raise PostgresError if a server that was started has ended by itself."""
        if self._serving is not None and self._serving.code is not None:
            words = "\n".join(self._words().splitlines()[-_LAST_WORDS:])
            raise PostgresError(f"Postgres has ended by itself. Its last words:\n{words}")

    async def erase(self) -> None:
        """Remove all data of a server that does not run. Raises DataInUseError if another process runs it."""
        if self._keep is None or not self._keep.exists():
            return
        self._home = self._keep.absolute()
        with _exclusive(self._home / "lock"):
            await postmaster.clear(self._cluster)
            if self._cluster.exists():
                # Half a cluster must never have the name of a whole one, however we end.
                self._cluster.rename(self._home / _OLD)
            shutil.rmtree(self._home / _OLD, ignore_errors=True)

    def conninfo(self, user: str) -> str:
        """How a program on this machine's own account logs in, over the Unix socket and without a password."""
        return f"host={self._runtime.path} port={self.port} user={user} dbname=postgres"

    def url(self, user: str) -> str:
        """The loopback TCP URL for that user."""
        return f"postgresql://{user}:{PASSWORD}@{ports.LOOPBACK}:{self.port}/postgres"

    @property
    def _cluster(self) -> Path:
        return self._home / "postgres"

    @property
    def _log(self) -> Path:
        return self._home / "postgres.log"

    def _make_home(self, undo: contextlib.AsyncExitStack) -> Path:
        if self._keep is None:
            return self._runtime.path
        home = self._keep.absolute()
        _make_directory(home)
        undo.enter_context(_exclusive(home / "lock"))
        self._installation.account.own(home)
        return home

    def _server_view(self, undo: contextlib.AsyncExitStack) -> tuple[Path, tuple[int, ...]]:
        """Find a path under which the server reaches its home, and the descriptors that it inherits for it.

        Below a private home such as /root the server's account cannot walk down to the directory, but it can go
        through a descriptor that was opened for it.
        """
        if self._installation.account.can_enter(self._home):
            return self._home, ()
        opened = runtime.inheritable(os.open(self._home, os.O_RDONLY | os.O_DIRECTORY))
        undo.callback(os.close, opened)
        return Path(f"/proc/self/fd/{opened}"), (opened,)

    async def _create_cluster(self) -> None:
        unfinished = self._home / "postgres.new"
        for left in (unfinished, self._home / _OLD):
            shutil.rmtree(left, ignore_errors=True)
        initdb = self._spawn("initdb", "-D", str(self._server_home / unfinished.name), *_INITDB)
        try:
            code = await initdb.wait()
        except BaseException:
            await to_the_end(_cut_short(initdb))
            raise
        if code:
            raise PostgresStartError(f"initdb could not make {self._cluster}:\n{self._words()}")
        (unfinished / "pg_hba.conf").write_text(_ACCESS)
        unfinished.rename(self._cluster)

    async def _launch(self, undo: contextlib.AsyncExitStack) -> None:
        for last_try in (False,) * (_FREE_PORT_TRIES - 1) + (True,):
            self.port = ports.free(self._wanted_port, option="--db-port")
            try:
                await self._launch_once(undo)
            except PortTakenError:
                # Between looking for a free port and Postgres taking it, another program may be quicker.
                if last_try or self._wanted_port:
                    raise
            else:
                return

    async def _launch_once(self, undo: contextlib.AsyncExitStack) -> None:
        before = postmaster.pid_file(self._cluster)
        server = self._spawn("postgres", "-D", str(self._server_home / self._cluster.name), *self._settings())
        async with contextlib.AsyncExitStack() as attempt:
            attempt.push_async_callback(lambda: to_the_end(self._cut(server)))
            await self._wait_until_ready(server, before)
            undo.push_async_exit(attempt.pop_all())
        self._serving = server

    def _settings(self) -> list[str]:
        settings = _SETTINGS | ({} if self._keep else _NOTHING_KEPT)
        settings["port"] = str(self.port)
        settings["unix_socket_directories"] = str(self._runtime.path)
        settings["extension_control_path"] = f"{self._runtime.path}:$system"
        return [f"--{name}={value}" for name, value in settings.items()]

    def _spawn(self, program: str, *arguments: str) -> Lifeline:
        return Lifeline(
            [self._installation.program(program), *arguments],
            log=self._log,
            account=self._installation.account,
            inherited=(self._runtime.held, *self._inherited),
        )

    async def _wait_until_ready(self, server: Lifeline, before: str) -> None:
        """Watch the server's pid file, whose eighth line says `ready`; as pg_ctl does."""
        try:
            async with asyncio.timeout(_START_SECONDS):
                while not postmaster.is_ready(self._cluster, before):
                    if server.code is not None:
                        raise self._failure()
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError as exc:
            raise PostgresStartError(f"Postgres was not ready after {_START_SECONDS:.0f} s:\n{self._words()}") from exc

    def _failure(self) -> PostgresStartError | PortTakenError:
        words = self._words()
        if _NO_SOCKET in words:
            return PortTakenError(self.port, "--db-port")
        return PostgresStartError(f"Postgres did not start on {self._cluster}. It said:\n{words}")

    def _words(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    async def _cut(self, server: Lifeline) -> None:
        """Cut the lifeline and wait; a server that does not shut down in order is made to."""
        if not await server.cut(_STOP_SECONDS):
            await postmaster.clear(self._cluster)
            await server.wait()


async def _cut_short(initdb: Lifeline) -> None:
    if not await initdb.cut(_STOP_SECONDS):
        await initdb.kill()


def _make_directory(home: Path) -> None:
    try:
        if not home.exists():
            home.mkdir(parents=True)
            (home / ".gitignore").write_text("*\n")  # a database is not for the project's repository
        others = sorted({path.name for path in home.iterdir()} - _OURS)
    except OSError as exc:
        raise PostgresStartError(f"The data directory {home} cannot be used: {exc.strerror}.") from exc
    # The directory becomes the server's account's: one that holds a project, say, must not.
    if others and not (home / "postgres").exists():
        raise PostgresStartError(
            f"The data directory {home} holds something else, {others[0]!r}: name one that is empty or not there yet."
        )


@contextlib.contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file of a data directory."""
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(runtime.locked(path))
        except BlockingIOError as exc:
            raise DataInUseError(
                f"Another stack is running on {path.parent}; stop it, or use another data directory."
            ) from exc
        except PermissionError as exc:
            raise PostgresStartError(f"The data directory {path.parent} belongs to another user: {exc}.") from exc
        yield
