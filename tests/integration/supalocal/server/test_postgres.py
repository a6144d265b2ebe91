"""A Postgres that never outlives its parent, and keeps what was committed."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from supalocal import DataInUseError, PortTakenError, PostgresStartError, ports
from supalocal.server.installation import Account, Installation
from supalocal.server.postgres import Postgres

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another account")
needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")


@contextlib.asynccontextmanager
async def running(data=None, **options):
    server = Postgres(data, **options)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def ask(server, query):
    async with await psycopg.AsyncConnection.connect(server.conninfo("supabase_admin"), autocommit=True) as connection:
        cursor = await connection.execute(query)
        return await cursor.fetchall() if cursor.description else []


def processes(marker):
    """The processes whose command line or working directory mentions the marker."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(marker) in words or str(marker) in str((process / "cwd").readlink()):
                found.append(int(process.name))
    return found


def exists(path):
    return Path(path).exists()


def is_running(pid):
    """A process that has ended stays as a zombie until whoever inherited it looks."""
    with contextlib.suppress(FileNotFoundError):
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


def program(pid):
    """Its name, empty if it has just ended."""
    with contextlib.suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def postmaster(data):
    return int((data / "postgres/postmaster.pid").read_text().split()[0])


async def until_gone(marker):
    async with asyncio.timeout(20):
        while processes(marker):  # noqa: ASYNC110  another process's end is no event here
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def in_another_process(data):
    """A server started by another Python process; yields that process and its server's URL."""
    script = (
        "import asyncio, sys\nfrom pathlib import Path\nfrom supalocal.server.postgres import Postgres\n"
        "async def main():\n"
        "    server = Postgres(Path(sys.argv[1]) if sys.argv[1] else None)\n"
        "    await server.start()\n"
        "    print(server.conninfo('supabase_admin'), flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-c", script, str(data)]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, start_new_session=True)
    try:
        conninfo = (await process.stdout.readline()).decode().strip()
        yield process, conninfo
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_it_is_a_utc_utf8_server_with_a_logical_log():
    """The settings that a Supabase project counts on."""
    names = (
        "server_version_num",
        "server_encoding",
        "TimeZone",
        "wal_level",
        "listen_addresses",
        "compute_query_id",
        "fsync",
    )
    async with running() as server:
        found = dict(await ask(server, f"select name, setting from pg_settings where name in {names}"))
    assert int(found.pop("server_version_num")) >= 180_000
    assert found == {
        "server_encoding": "UTF8",
        "TimeZone": "UTC",
        "wal_level": "logical",
        "listen_addresses": "127.0.0.1",
        "compute_query_id": "on",
        "fsync": "off",
    }


@needs_proc
async def test_nothing_is_left_of_a_server_in_memory():
    """No process, no directory."""
    async with running() as server:
        runtime = server.conninfo("x").split("host=")[1].split()[0]
        assert processes(runtime)
        assert exists(runtime)
    await until_gone(runtime)
    assert not exists(runtime)


async def test_kept_data_is_there_after_a_restart(tmp_path):
    """The second start finds the cluster of the first, and flushes to disk."""
    async with running(tmp_path / "data") as server:
        await ask(server, "create table kept as select 42 as answer")
    async with running(tmp_path / "data") as server:
        assert await ask(server, "select answer, current_setting('fsync') from kept") == [(42, "on")]


@needs_proc
async def test_it_ends_when_its_parent_is_killed(tmp_path):
    """The lifeline breaks, however the parent ends."""
    async with in_another_process(tmp_path / "data") as (parent, _):
        assert len(processes(tmp_path)) > 1
        parent.kill()
        await parent.wait()
        await until_gone(tmp_path)


@needs_proc
async def test_committed_data_survives_a_kill_of_everything(tmp_path):
    """After `kill -9` of all its processes the next start recovers."""
    async with in_another_process(tmp_path / "data") as (_, conninfo):
        async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
            await connection.execute("create table kept as select generate_series(1, 1000) as n")
            for pid in processes(tmp_path):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        await until_gone(tmp_path)
    async with running(tmp_path / "data") as server:
        assert await ask(server, "select count(*) from kept") == [(1000,)]


@needs_proc
async def test_an_orphaned_server_is_stopped_by_the_next_start(tmp_path):
    """A server whose stack and lifeline were killed does not block its data directory."""
    async with in_another_process(tmp_path / "data") as (_, conninfo):
        async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
            await connection.execute("create table kept as select 42 as answer")
        pid = postmaster(tmp_path / "data")
        for other in processes(tmp_path):
            if program(other) not in ("postgres", ""):
                os.kill(other, signal.SIGKILL)
        assert is_running(pid)
    async with running(tmp_path / "data") as server:
        assert await ask(server, "select answer from kept") == [(42,)]
    assert not is_running(pid)


@needs_proc
async def test_what_a_killed_stack_left_is_swept_by_the_next_start():
    """Also a server that survived its lifeline; a directory that is in use stays."""
    async with in_another_process("") as (parent, conninfo):
        runtime = Path(conninfo.split("host=")[1].split()[0])
        for pid in processes(runtime):
            if program(pid) == "sh":
                os.kill(pid, signal.SIGKILL)
        parent.kill()
        await parent.wait()
        assert processes(runtime)
        os.utime(runtime / "lock", (0, 0))
        async with running() as first, running() as second:
            assert not exists(runtime)
            await until_gone(runtime)
            for server in (first, second):
                assert await ask(server, "select 1") == [(1,)]


async def test_a_stale_pid_of_somebody_else_does_not_block(tmp_path):
    """After a reboot the number in postmaster.pid may belong to any process; it is left alone."""
    async with running(tmp_path / "data"):
        pid_file = tmp_path / "data/postgres/postmaster.pid"
        lines = pid_file.read_text().splitlines()
    bystander = await asyncio.create_subprocess_exec("sleep", "60")
    try:
        pid_file.write_text("\n".join([str(bystander.pid), *lines[1:]]) + "\n")
        Account.for_server().own(pid_file)
        async with running(tmp_path / "data") as server:
            assert await ask(server, "select 1") == [(1,)]
        assert bystander.returncode is None
    finally:
        bystander.kill()
        await bystander.wait()


async def test_two_servers_on_one_data_directory_are_refused(tmp_path):
    """The second is told, the first is not disturbed."""
    async with running(tmp_path / "data") as first:
        with pytest.raises(DataInUseError, match=str(tmp_path / "data")):
            await Postgres(tmp_path / "data").start()
        assert await ask(first, "select 1") == [(1,)]


async def test_two_servers_run_side_by_side():
    """Each has its own port and its own data."""
    async with running() as first, running() as second:
        await ask(first, "create table mine (id int)")
        assert first.port != second.port
        assert await ask(second, "select to_regclass('mine')") == [(None,)]


async def test_a_taken_port_is_refused():
    """The error names the port and the option."""
    with ports.bind(0, option="--db-port") as bound:
        port = bound.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"{port}.*--db-port"):
            await Postgres(port=port).start()


async def test_a_failed_start_tells_postgres_own_words(tmp_path):
    """A damaged cluster is refused with what the server wrote, and can be tried again."""
    async with running(tmp_path / "data"):
        pass
    (tmp_path / "data/postgres/PG_VERSION").write_text("9\n")
    for _ in range(2):
        with pytest.raises(PostgresStartError, match="database files are incompatible with server"):
            await Postgres(tmp_path / "data").start()


async def test_an_initdb_that_was_cut_short_is_done_again(tmp_path):
    """Half a cluster is never taken for a whole one."""
    (tmp_path / "data/postgres.new/base").mkdir(parents=True)
    async with running(tmp_path / "data") as server:
        assert await ask(server, "select 1") == [(1,)]


async def test_stopping_twice_is_harmless():
    """The second stop finds nothing to do."""
    server = Postgres()
    await server.start()
    await server.stop()
    await server.stop()


@needs_proc
async def test_a_cancelled_start_leaves_nothing(tmp_path):
    """Ctrl-C may come at any moment."""
    for seconds in (0.05, 0.6, 1.2):
        server = Postgres(tmp_path / "data")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await server.start()
        await server.stop()
        await until_gone(tmp_path)


@needs_root
async def test_data_below_a_private_home_can_be_used(tmp_path):
    """As root the server runs as nobody, who may not walk into a 0700 directory such as /root."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    assert not Account.for_server().can_enter(home)
    async with running(home / "project/.supalocal") as server:
        await ask(server, "create table kept as select 42 as answer")
    async with running(home / "project/.supalocal") as server:
        assert await ask(server, "select answer from kept") == [(42,)]


@needs_root
def test_binaries_below_a_private_home_are_copied(tmp_path):
    """A checkout in /root with a strict umask runs from a copy that nobody can read."""
    home = tmp_path / "home"
    package = Installation.find().root.parent
    shutil.copytree(package / "pginstall", home / package.name / "pginstall", symlinks=True)
    shutil.copytree(package.with_suffix(".libs"), home / package.with_suffix(".libs").name)
    home.chmod(0o700)
    hidden = Installation(home / package.name / "pginstall", Account.for_server())
    assert not hidden.is_runnable()
    with tempfile.TemporaryDirectory(dir="/tmp") as open_to_all:
        Path(open_to_all).chmod(0o755)
        copy = hidden.copied_below(Path(open_to_all) / "cache")
        assert copy.is_runnable()
        assert hidden.copied_below(Path(open_to_all) / "cache") == copy
