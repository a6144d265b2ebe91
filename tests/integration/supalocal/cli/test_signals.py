"""Whatever ends a stack, and whenever: nothing is left behind, and what was committed is there at the next start."""

import asyncio
import contextlib
import itertools
import os
import signal
import sys
from pathlib import Path

import psycopg
import pytest
from support.commands import FREE, SUPALOCAL, is_alive, started

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")

TMP = Path("/tmp")  # noqa: S108  where a stack makes them
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def runtimes(pid):
    """The temporary directories of the stack in that process."""
    return list(TMP.glob(f"supalocal-{pid}-*"))


def sockets(pid):
    return list(TMP.glob(f".supalocal-{os.geteuid()}/*-.{pid}"))


def family(pid):
    """The processes below it."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            after_name = status.read_text().rpartition(")")[2].split()
            if int(after_name[1]) == pid:
                found += [int(status.parent.name), *family(int(status.parent.name))]
    return found


async def until(condition):
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110  another process's progress is no event here
            await asyncio.sleep(0.002)


MOMENTS = {
    "while it imports": lambda pid: "_asyncio" in Path(f"/proc/{pid}/maps").read_text(),
    "with its directory made": runtimes,
    "in initdb": lambda pid: [new for made in runtimes(pid) for new in made.glob("postgres.new/base")],
    "while the server starts": lambda pid: [file for made in runtimes(pid) for file in made.glob("postgres/*.pid")],
    "with the socket made": lambda pid: [file for made in runtimes(pid) for file in made.glob(".s.PGSQL.*")],
}


@pytest.mark.parametrize(("moment", "number"), list(zip(MOMENTS, itertools.cycle(SIGNALS), strict=False)))
async def test_a_signal_at_any_moment_leaves_nothing(moment, number):
    """No process, no directory, no socket, no traceback; a second signal does not disturb the end."""
    command = [*SUPALOCAL, "start", "--memory", "--quiet", *FREE]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE, cwd="/")
    await until(lambda: MOMENTS[moment](process.pid))
    below = family(process.pid)
    process.send_signal(number)
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)
    _, said = await process.communicate()
    assert process.returncode in (0, -number)
    assert said.decode() in ("", "supalocal: no supabase/ folder here; the database starts empty.\n")
    assert (runtimes(process.pid), sockets(process.pid)) == ([], [])
    assert not [pid for pid in below if is_alive(pid)]


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
async def test_two_signals_end_a_serving_stack_in_order(number):
    """Exit code 0, nothing left."""
    async with started("--memory", *FREE, cwd="/") as (process, _):
        below = family(process.pid)
        assert below
        process.send_signal(number)
        process.send_signal(number)
        assert await process.wait() == 0
        assert "Traceback" not in (await process.stderr.read()).decode()
    assert (runtimes(process.pid), sockets(process.pid)) == ([], [])
    assert not [pid for pid in below if is_alive(pid)]


async def test_a_signal_during_a_migration_that_takes_for_ever_ends_it(project):
    """Postgres is told to give up, too."""
    (project / "supabase/migrations/20240102000000_slow.sql").write_text("create table slow (); select pg_sleep(3600);")
    command = [*SUPALOCAL, "start", "--project", str(project), *FREE]
    process = await asyncio.create_subprocess_exec(*command)
    log = project / ".supalocal/postgres.log"
    await until(lambda: log.exists() and "database system is ready" in log.read_text())
    process.send_signal(signal.SIGINT)
    assert await process.wait() == 0
    assert not (project / ".supalocal/postgres/postmaster.pid").exists()


@pytest.mark.parametrize("moment", ["in initdb", "with the socket made"])
async def test_a_killed_start_leaves_nothing(moment):
    """Its lifeline is cut, and whatever hung on it ends and clears up by itself."""
    command = [*SUPALOCAL, "start", "--memory", "--quiet", *FREE]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE, cwd="/")
    await until(lambda: MOMENTS[moment](process.pid))
    below = family(process.pid)
    process.kill()
    await process.communicate()
    await until(lambda: not runtimes(process.pid) and not [pid for pid in below if is_alive(pid)])


async def test_after_a_kill_of_everything_committed_data_is_there(project, ask):
    """And nobody claims to run; the next start recovers."""
    options = ("--project", str(project), *FREE)
    async with started(*options) as (process, told):
        with psycopg.connect(told["DB_URL"], autocommit=True) as connection:
            connection.execute("insert into notes select n, 'kept' from generate_series(2, 1000) as n")
            for pid in (process.pid, *family(process.pid)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
    assert ask("status").returncode == 1
    async with started(*options) as (_, told), await psycopg.AsyncConnection.connect(told["DB_URL"]) as connection:
        assert await (await connection.execute("select count(*) from notes")).fetchone() == (1000,)


async def test_a_database_that_was_killed_alone_ends_the_stack(project):
    """With a sentence and exit code 1; the next start recovers what was committed."""
    options = ("--project", str(project), *FREE)
    async with started(*options) as (process, told):
        with psycopg.connect(told["DB_URL"], autocommit=True) as connection:
            connection.execute("insert into notes values (2, 'kept')")
            pid = (project / ".supalocal/postgres/postmaster.pid").read_text().split()[0]
            os.kill(int(pid), signal.SIGKILL)
        _, said = await process.communicate()
        assert process.returncode == 1
        assert "\nsupalocal: Postgres has ended by itself. Its last words:\n" in said.decode()
    async with started(*options) as (_, told), await psycopg.AsyncConnection.connect(told["DB_URL"]) as connection:
        assert await (await connection.execute("select count(*) from notes")).fetchone() == (2,)


async def test_a_killed_stack_of_another_project_leaves_no_socket(project, tmp_path):
    """The next start removes it, whatever it is for."""
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "supabase").mkdir(parents=True)
    async with started("--project", str(elsewhere), "--memory", *FREE) as (process, _):
        process.kill()
        await process.wait()
    async with started("--project", str(project), "--memory", *FREE):
        assert not sockets(process.pid)
