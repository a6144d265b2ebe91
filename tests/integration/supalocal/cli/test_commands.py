"""The commands that speak with a running stack."""

import json
import os
import signal
import subprocess
import sys

import httpx
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from support.commands import FREE, is_alive, started

import supalocal
from supalocal.server import postgres


def read(told, path="notes"):
    """What REST answers to an anonymous client."""
    answer = httpx.get(f"{told['API_URL']}/rest/v1/{path}", headers={"apikey": told["ANON_KEY"]})
    assert answer.status_code == 200
    return answer.json()


async def run(url, query):
    """The rows of a query, if it has any."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        cursor = await connection.execute(query)
        return await cursor.fetchall() if cursor.description else []


async def test_status_tells_what_start_told(running, ask):
    """Addresses, keys, process, and since when, as JSON and for people."""
    process, told = running
    status = json.loads(ask("status", "--json").stdout)
    assert status.items() >= told.items()
    assert status["PID"] == process.pid
    assert status["STATE"] == "ready"
    shown = ask("status").stdout
    assert all(str(status[name]) in shown for name in ("API_URL", "DB_URL", "PUBLISHABLE_KEY", "PID", "SINCE"))


@pytest.mark.parametrize("command", ["status", "migrate"])
def test_a_command_that_needs_a_stack_says_that_none_runs(ask, command):
    """A sentence, and exit code 1."""
    done = ask(command)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("supalocal: No stack is running for ")


def test_stopping_nothing_is_fine(ask):
    """What is asked for is true already."""
    done = ask("stop")
    assert done.returncode == 0
    assert "No stack is running" in done.stderr


async def test_stop_returns_when_the_stack_is_gone(running, ask, project):
    """Neither process, nor server, nor socket is left."""
    process, told = running
    server = int((project / ".supalocal/postgres/postmaster.pid").read_text().split()[0])
    done = ask("stop")
    assert (done.returncode, done.stderr) == (0, "")
    assert not is_alive(server)
    assert await process.wait() == 0
    assert (await process.stderr.read()) == b""
    assert ask("status").returncode == 1
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(told["DB_URL"])


async def test_a_killed_stack_is_not_said_to_run(running, ask):
    """What it left behind must not lie."""
    process, _ = running
    process.send_signal(signal.SIGKILL)
    await process.wait()
    assert ask("status").returncode == 1


async def test_stacks_that_keep_nothing_or_use_a_url_are_found_too(project, ask):
    """Two stacks of one project are told apart by their ports."""
    async with started("--project", str(project), "--memory", *FREE) as (_, memory):
        options = ("--project", str(project), "--db-url", memory["ADMIN_DB_URL"], "--port", "0")
        async with started(*options) as (_, by_url):
            both = ask("status")
            assert (both.returncode, "choose with --port" in both.stderr) == (1, True)
            for told in (memory, by_url):
                port = told["API_URL"].rpartition(":")[2]
                assert json.loads(ask("status", "--json", "--port", port).stdout)["API_URL"] == told["API_URL"]


async def test_a_second_start_on_the_same_data_is_refused(running, ask):
    """With the process that has it, before anything else is tried."""
    process, _ = running
    done = ask("start", *FREE)
    assert done.returncode == 1
    assert f"already (process {process.pid})" in done.stderr
    assert "supalocal stop" in done.stderr


async def test_a_taken_port_names_who_has_it(running, ask):
    """And the option that chooses another."""
    process, told = running
    for option, url in (("--port", told["API_URL"]), ("--db-port", told["DB_URL"].removesuffix("/postgres"))):
        done = ask("start", "--memory", *FREE, option, url.rpartition(":")[2])
        assert done.returncode == 1
        assert f"choose another port with {option}" in done.stderr
        if option == "--port" and sys.platform == "linux":
            assert f"(process {process.pid})" in done.stderr


async def test_migrate_applies_new_files_and_rest_sees_their_tables(running, ask, project):
    """Each new file is named; a second time there is nothing to do."""
    _, told = running
    (project / "supabase/migrations/20240102000000_more.sql").write_text(
        "create table more as select 2 as id; grant select on more to anon;"
    )
    assert ask("migrate").stdout == "Applied 20240102000000_more.sql.\n"
    assert read(told, "more") == [{"id": 2}]
    assert ask("migrate").stdout == "There are no new migrations.\n"


async def test_a_failing_migration_is_told_to_who_asked(running, ask, project):
    """With file, line and Postgres's words; the stack goes on."""
    _, told = running
    (project / "supabase/migrations/20240102000000_bad.sql").write_text("create table bad ();\nselect nothing;")
    done = ask("migrate")
    assert done.returncode == 1
    assert '20240102000000_bad.sql, line 2: column "nothing" does not exist (SQLSTATE 42703)' in done.stderr
    assert read(told) == [{"id": 1, "t": "seed"}]


async def test_reset_makes_a_running_database_anew(running, ask, project):
    """Same addresses, same keys, nothing but migrations and seed in it; roles that were made are gone as well."""
    _, told = running
    with psycopg.connect(told["DB_URL"], autocommit=True) as connection:
        connection.execute("create role mine; create table mine (); update notes set t = 'mine'")
    (project / "supabase/seed.sql").write_text("insert into notes values (2, 'new seed');")
    assert ask("reset").returncode == 0
    assert read(told) == [{"id": 2, "t": "new seed"}]
    with psycopg.connect(told["DB_URL"]) as connection:
        assert connection.execute("select to_regclass('mine'), to_regrole('mine')").fetchone() == (None, None)
    assert json.loads(ask("status", "--json").stdout)["API_URL"] == told["API_URL"]


async def test_a_reset_with_a_failing_migration_leaves_a_stack_that_runs(running, ask, project):
    """What came before the failing file is there, and a mended file can be applied."""
    _, told = running
    bad = project / "supabase/migrations/20240102000000_bad.sql"
    bad.write_text("select nothing")
    done = ask("reset")
    assert (done.returncode, "20240102000000_bad.sql, line 1" in done.stderr) == (1, True)
    assert read(told) == []
    bad.write_text("insert into notes values (3, 'mended')")
    assert ask("migrate").returncode == 0
    assert read(told) == [{"id": 3, "t": "mended"}]


async def test_reset_works_while_nothing_runs(project, ask):
    """The next start finds what the migrations and the seed made."""
    assert "no database" in ask("reset").stdout
    async with supalocal.Stack(project, data=project / ".supalocal") as stack:
        await run(stack.db_url, "delete from notes")
    assert ask("reset").returncode == 0
    async with supalocal.Stack(project, data=project / ".supalocal", seed=False) as stack:
        assert stack.applied == ()
        assert await run(stack.db_url, "table notes") == [(1, "seed")]


async def test_a_database_given_by_url_is_dropped_only_if_one_says_so(project, ask):
    """It may hold more than this project."""
    async with supalocal.Stack() as server:
        await run(server.admin_db_url, "create database theirs")
        url = server.admin_db_url.replace("/postgres", "/theirs")
        async with started("--project", str(project), "--db-url", url, "--port", "0") as (_, told):
            await run(told["DB_URL"], "update notes set t = 'theirs'")
            refused = ask("reset")
            assert (refused.returncode, "--yes" in refused.stderr) == (1, True)
            assert read(told) == [{"id": 1, "t": "theirs"}]
            assert ask("reset", "--yes").returncode == 0
            assert read(told) == [{"id": 1, "t": "seed"}]


async def test_keys_are_those_of_the_running_stack(project, ask):
    """Its real port and its own secret."""
    secret = 32 * "s"
    async with started("--project", str(project), "--memory", "--jwt-secret", secret, *FREE) as (_, told):
        lines = ask("keys", "--env").stdout.splitlines()
    keys = supalocal.Keys(secret)
    assert lines[0] == f"SUPABASE_URL={told['API_URL']}"
    assert lines[3:] == [f"SUPABASE_ANON_KEY={keys.anon}", f"SUPABASE_SERVICE_ROLE_KEY={keys.service_role}"]


def test_keys_of_a_stack_to_come_are_said_to_be_that(ask):
    """With config.toml's port."""
    done = ask("keys", "--env")
    assert done.stdout.startswith("SUPABASE_URL=http://127.0.0.1:54321\n")
    assert "nothing is running yet" in done.stderr


async def test_an_api_open_to_the_network_warns(project):
    """On stderr, also when told to be quiet; the database stays on loopback."""
    async with started("--project", str(project), "--memory", "--host", "0.0.0.0", *FREE) as (process, told):  # noqa: S104  meant
        assert read(told) == [{"id": 1, "t": "seed"}]
        with psycopg.connect(told["DB_URL"]) as connection:
            assert connection.execute("show listen_addresses").fetchone() == ("127.0.0.1",)
        process.terminate()
        warning = (await process.stderr.read()).decode()
    assert warning.startswith("supalocal: The API listens on 0.0.0.0, not on loopback alone. Its keys are public")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--port", "65536"), "no port"),
        (("--jwt-secret", "short"), "at least 32 bytes"),
        (("--memory", "--data", "x"), "not allowed with"),
        (("--host", "no such host"), "no address of this machine"),
        (("--db-url", "mysql://x"), "must look like postgresql://"),
        (("--data", __file__), "Not a directory"),
        (("--port", "55999", "--db-port", "55999"), "two different ports"),
    ],
)
def test_a_wrong_option_is_explained(ask, arguments, words):
    """No traceback."""
    done = ask("start", "--port", "0", *arguments)
    assert done.returncode in (1, 2)
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_directory_that_holds_something_else_takes_no_database(ask, project):
    """It would become the server's account's."""
    done = ask("start", *FREE, "--data", str(project))
    assert (done.returncode, "holds something else, 'supabase'" in done.stderr) == (1, True)
    assert [path.name for path in project.iterdir()] == ["supabase"]


async def test_a_database_without_a_logical_log_is_refused(ask, monkeypatch):
    """`--db-url` says what to change."""
    monkeypatch.setitem(postgres._SETTINGS, "wal_level", "replica")
    server = postgres.Postgres()
    await server.start()
    try:
        login = conninfo_to_dict(server.conninfo("supabase_admin"))
        url = "postgresql://{user}@/{dbname}?host={host}&port={port}".format(**login)
        done = ask("start", "--port", "0", "--db-url", url)
    finally:
        await server.stop()
    assert done.returncode == 1
    assert "wal_level=replica" in done.stderr
    assert "alter system set wal_level = logical" in done.stderr


def test_a_missing_extra_is_one_sentence():
    """Who installed babelroom alone is told what to install."""
    script = "import sys; sys.modules['psycopg'] = None; from supalocal.__main__ import main; sys.exit(main())"
    command = [sys.executable, "-c", script, "start", "--memory", "--quiet", *FREE]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    sentence = "supalocal: the package psycopg is missing; install it with pip install 'babelroom[local]'\n"
    assert (done.returncode, done.stderr) == (1, sentence)


def test_the_package_is_imported_in_no_time():
    """Until a stack starts, nothing of what it needs: Ctrl-C is answered at once."""
    script = "import sys, supalocal.__main__; print(*{'asyncio', 'psycopg', 'aiohttp', 'jwt'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


@pytest.mark.parametrize("command", [(), ("start",), ("status",), ("stop",), ("reset",), ("migrate",), ("keys",)])
def test_help_is_there(ask, command):
    """For each command."""
    done = ask(*command, "--help") if command else ask("--help")
    assert done.returncode == 0
    assert done.stdout.startswith("usage: supalocal")
    assert os.environ.get("HOME", "-") not in done.stdout
