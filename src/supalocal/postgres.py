"""A Postgres server of our own that never outlives us.

The server hangs on a lifeline: a small shell starts it and waits for the end of a pipe whose other end only this
process holds. Closing the pipe is the one way to stop the server, and the operating system closes it for us however
this process ends, by exit, exception or `kill -9`.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg.conninfo import make_conninfo

from supalocal import ports, postmaster
from supalocal.errors import DataInUseError, PortTakenError, PostgresStartError
from supalocal.installation import Installation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

SUPERUSER = "supabase_admin"
PASSWORD = "postgres"  # noqa: S105  public knowledge, as with the Supabase CLI's local database

_LIFELINE = """
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
{ read -r _ <&3; kill -INT $server; } &
watch=$!
exec 3<&-
wait $server
code=$?
kill $watch 2>/dev/null
rm -rf "$RUNTIME"
exit $code
"""
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
    "io_method": "sync",  # the default keeps three more processes around
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# synchronous_commit stays on: without it a change reaches Realtime when the WAL writer wakes, up to 200 ms later.
_NOTHING_KEPT = {"fsync": "off", "full_page_writes": "off"}
_START_SECONDS = 60.0  # recovery after a crash may replay a lot of log
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.005
_FREE_PORT_TRIES = 3
_NO_SOCKET = "could not create any TCP/IP sockets"


class Postgres:
    """One server process on one data directory.

    With `data=None` nothing is kept: the directory is temporary, and nothing is flushed to disk. `port` is the
    loopback TCP port, 0 for a free one; after `start()` it is the real one. `created` says whether `start()` made
    the data directory.
    """

    def __init__(self, data: Path | None = None, *, port: int = 0) -> None:
        self.port = port
        self.created = False
        self._keep = data
        self._wanted_port = port
        self._undo = contextlib.AsyncExitStack()

    async def start(self) -> None:
        """Come up, after crash recovery where that is needed. Raises PostgresError or PortTakenError."""
        async with contextlib.AsyncExitStack() as undo:
            self._installation = await asyncio.to_thread(Installation.find)
            self._runtime = self._make_runtime(undo)
            self._home = self._make_home(undo)
            self._server_home, self._inherited = self._server_view(undo)
            await postmaster.clear(self._cluster)
            if not self._cluster.exists():
                await self._create_cluster()
            await self._launch(undo)
            self._undo = undo.pop_all()

    async def stop(self) -> None:
        """Shut down and wait for the last process to end. Stopping twice is harmless."""
        await self._undo.aclose()

    def conninfo(self, user: str) -> str:
        """How a program on this machine's own account logs in, over the Unix socket and without a password."""
        return make_conninfo(host=str(self._runtime), port=self.port, user=user, dbname="postgres")

    def url(self, user: str) -> str:
        """The loopback TCP URL for that user."""
        return f"postgresql://{user}:{PASSWORD}@{ports.LOOPBACK}:{self.port}/postgres"

    @property
    def _cluster(self) -> Path:
        return self._home / "postgres"

    @property
    def _log(self) -> Path:
        return self._home / "postgres.log"

    def _make_runtime(self, undo: contextlib.AsyncExitStack) -> Path:
        """Make the directory of the socket and the stand-in extensions; /tmp, as socket paths must be short."""
        account = self._installation.account
        runtime = Path(tempfile.mkdtemp(prefix="supalocal-", dir="/tmp"))
        undo.callback(shutil.rmtree, runtime, ignore_errors=True)
        shelf = runtime / "extension"
        shelf.mkdir(mode=0o755)
        for source in resources.files("supalocal.extensions").iterdir():
            if source.name.endswith((".control", ".sql")):
                (shelf / source.name).write_bytes(source.read_bytes())
                (shelf / source.name).chmod(0o644)
        account.own(shelf)
        account.own(runtime)
        return runtime

    def _make_home(self, undo: contextlib.AsyncExitStack) -> Path:
        if self._keep is None:
            return self._runtime
        home = self._keep.absolute()
        home.mkdir(parents=True, exist_ok=True)
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
        opened = os.open(self._home, os.O_RDONLY | os.O_DIRECTORY)
        high = fcntl.fcntl(opened, fcntl.F_DUPFD_CLOEXEC, 10)  # 0 to 9 belong to the lifeline's shell
        os.close(opened)
        undo.callback(os.close, high)
        return Path(f"/proc/self/fd/{high}"), (high,)

    async def _create_cluster(self) -> None:
        self.created = True
        unfinished = self._home / "postgres.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        options = ["--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8", "--no-sync", "--no-instructions"]
        options += ["--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
        initdb = [self._installation.program("initdb"), "-D", str(self._server_home / unfinished.name), *options]
        process = await self._spawn(initdb, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise PostgresStartError(f"initdb could not make {self._cluster}:\n{output.decode(errors='replace')}")
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
        with self._log.open("wb") as log:
            process = await self._spawn(self._command(), stdin=subprocess.PIPE, stdout=log, stderr=log)
        async with contextlib.AsyncExitStack() as attempt:
            attempt.push_async_callback(self._cut, process)
            await self._wait_until_ready(process, before)
            undo.push_async_exit(attempt.pop_all())

    def _command(self) -> list[str]:
        settings = _SETTINGS | ({} if self._keep else _NOTHING_KEPT)
        settings["port"] = str(self.port)
        settings["unix_socket_directories"] = str(self._runtime)
        settings["extension_control_path"] = f"$system:{self._runtime}"
        server = [self._installation.program("postgres"), "-D", str(self._server_home / self._cluster.name)]
        server += [f"--{name}={value}" for name, value in settings.items()]
        return ["/bin/sh", "-c", _LIFELINE, "supalocal", *server]

    async def _spawn(
        self, command: list[str], *, stdout: int | IO[bytes], stderr: int | IO[bytes], stdin: int = subprocess.DEVNULL
    ) -> asyncio.subprocess.Process:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        environment |= {"LC_ALL": "C", "RUNTIME": str(self._runtime)}
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=environment,
            cwd="/",
            start_new_session=True,  # Ctrl-C is for us alone; we then stop the server in order
            pass_fds=self._inherited,
            **self._installation.account.spawn,
        )

    async def _wait_until_ready(self, process: asyncio.subprocess.Process, before: str) -> None:
        """Watch the server's pid file, whose eighth line says `ready`; as pg_ctl does."""
        try:
            async with asyncio.timeout(_START_SECONDS):
                while not postmaster.is_ready(self._cluster, before):
                    if process.returncode is not None:
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
        return self._log.read_text(errors="replace")

    async def _cut(self, process: asyncio.subprocess.Process) -> None:
        """Cut the lifeline and wait; a server that does not shut down in order is made to."""
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)
        except TimeoutError:
            await postmaster.clear(self._cluster)
            await process.wait()


@contextlib.contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file of a data directory; the operating system releases it however we end."""
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise DataInUseError(
                f"Another stack is running on {path.parent}; stop it, or use another data directory."
            ) from exc
        yield
