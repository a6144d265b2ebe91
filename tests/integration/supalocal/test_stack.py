"""The front door: a whole stack."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys

import aiohttp
import psycopg
import pytest

import supalocal
from supalocal import MigrationError, PortTakenError, ProjectError, Stack, ports


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with one table, one row and one exposed schema more."""
    root = tmp_path_factory.mktemp("project")
    (root / "supabase/migrations").mkdir(parents=True)
    (root / "supabase/migrations/20240101000000_notes.sql").write_text(
        "create table notes (id int primary key, t text);"
    )
    (root / "supabase/seed.sql").write_text("insert into notes values (1, 'seed');")
    (root / "supabase/config.toml").write_text("[api]\nport = 0\n[db]\nport = 0\n")
    return root


@pytest.fixture(scope="module")
async def stack(project):
    async with Stack(project) as running:
        yield running


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


async def test_both_forms_of_both_keys_read_a_table(stack, http):
    """Migrations and seed are in, and REST answers behind the gateway."""
    for key in (stack.publishable_key, stack.anon_key, stack.secret_key, stack.service_role_key):
        headers = {"apikey": key, "Authorization": f"Bearer {key}"}
        async with http.get(f"{stack.url}/rest/v1/notes", headers=headers) as answer:
            assert (answer.status, await answer.json()) == (200, [{"id": 1, "t": "seed"}])


async def test_a_websocket_opens_with_a_publishable_key(stack, http):
    """Realtime answers a heartbeat behind the gateway."""
    async with http.ws_connect(
        f"{stack.url}/realtime/v1/websocket?apikey={stack.publishable_key}&vsn=1.0.0"
    ) as realtime:
        await realtime.send_json({"topic": "phoenix", "event": "heartbeat", "payload": {}, "ref": "1"})
        told = await realtime.receive_json(timeout=5)
    assert (told["event"], told["payload"]["status"], told["ref"]) == ("phx_reply", "ok", "1")


async def test_auth_tells_its_health(stack, http):
    """The client libraries' health check passes."""
    async with http.get(f"{stack.url}/auth/v1/health") as answer:
        assert (answer.status, (await answer.json())["name"]) == (200, "GoTrue")


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, {"code": 422, "error_code": "not_supported", "msg": "POST /auth/v1/otp is not supported by supalocal."}),
        (
            {"X-Supabase-Api-Version": "2024-01-01"},
            {"code": "not_supported", "message": "POST /auth/v1/otp is not supported by supalocal."},
        ),
    ],
)
async def test_an_auth_endpoint_that_is_missing_is_named(stack, http, headers, body):
    """In the error form that the client's API version asks for."""
    async with http.post(f"{stack.url}/auth/v1/otp", headers=headers) as answer:
        told = await answer.json()
        assert (answer.status, told) == (422, body)


def test_the_database_urls_log_in_over_tcp(stack):
    """One as postgres, who is no superuser, one as a superuser."""
    for url, expected in ((stack.db_url, ("postgres", "off")), (stack.admin_db_url, ("supabase_admin", "on"))):
        with psycopg.connect(url) as connection:
            found = connection.execute("select current_user, current_setting('is_superuser')").fetchone()
        assert found == expected


def test_a_wrong_password_is_refused_over_tcp(stack):
    """Loopback is not trusted blindly."""
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(stack.db_url.replace(":postgres@", ":wrong@"))


async def test_it_listens_on_loopback_only(stack):
    """Its keys and passwords are public knowledge."""
    addresses = {found[4][0] for found in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in addresses - {"127.0.0.1", "127.0.1.1"}:
        for url in (stack.url, stack.db_url):
            port = int(url.split("@")[-1].rsplit(":", 1)[1].split("/")[0])
            with pytest.raises(OSError, match=r"refused|Connect call failed"):
                await asyncio.open_connection(address, port)


async def test_a_stack_serves_synchronous_code(project):
    """In a thread of its own, beside another stack, and gone at the end of the block."""
    with Stack(project, seed=False).running() as other:
        with psycopg.connect(other.db_url) as connection:
            assert connection.execute("select count(*) from notes").fetchone() == (0,)
        url = other.db_url
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_synchronous_code_migrates_and_resets_it(project, tmp_path):
    """From an event loop of its own; the addresses stay, on kept data and in memory."""
    for data in (None, tmp_path / "data"):
        copy = tmp_path / f"of {data is None}"
        shutil.copytree(project, copy)
        with Stack(copy, data=data).running() as other:
            addresses = other.url, other.db_url
            (copy / "supabase/migrations/20240102000000_more.sql").write_text("create table more as select 1 as id")
            assert [migration.name for migration in asyncio.run(other.migrate())] == ["more"]
            with psycopg.connect(other.db_url, autocommit=True) as connection:
                connection.execute("insert into notes values (2, 'mine')")
            asyncio.run(other.reset())
            assert (other.url, other.db_url) == addresses
            assert [migration.name for migration in other.applied] == ["notes", "more"]
            with psycopg.connect(other.db_url) as connection:
                assert connection.execute("select id from notes").fetchall() == [(1,)]


async def test_a_change_that_no_longer_can_be_made_leaves_the_stack_running(project, tmp_path, http):
    """A project that is gone, or broken, is told; REST answers as before."""
    copy = tmp_path / "copy"
    shutil.copytree(project, copy)
    async with Stack(copy) as own:
        (copy / "supabase/config.toml").write_text("api = 1")
        for change in (own.migrate, own.reset):
            with pytest.raises(ProjectError, match="api must be a table"):
                await change()
        headers = {"apikey": own.anon_key}
        async with http.get(f"{own.url}/rest/v1/notes", headers=headers) as answer:
            assert answer.status == 200


async def test_kept_data_is_migrated_and_seeded_once(project, tmp_path):
    """A second start finds what the first one left."""
    async with Stack(project, data=tmp_path / "data") as first:
        assert [migration.name for migration in first.applied] == ["notes"]
        async with await psycopg.AsyncConnection.connect(first.db_url) as connection:
            await connection.execute("delete from notes")
    async with Stack(project, data=tmp_path / "data") as second:
        assert second.applied == ()
        async with await psycopg.AsyncConnection.connect(second.db_url) as connection:
            assert await (await connection.execute("select from notes")).fetchall() == []


async def test_a_database_given_by_url_is_prepared(stack, project):
    """Any server with a logical log will do, and is left running."""
    async with Stack(project, db_url=stack.admin_db_url) as second:
        assert second.url != stack.url
        assert second.admin_db_url == stack.admin_db_url
    with psycopg.connect(stack.db_url) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


async def test_its_own_jwt_secret_makes_its_own_tokens(project, http):
    """The public tokens are refused, the stack's own are taken."""
    async with Stack(project, jwt_secret=32 * "x") as own:
        statuses = []
        for token in (own.anon_key, supalocal.Keys().anon):
            async with http.get(f"{own.url}/rest/v1/notes", headers={"Authorization": f"Bearer {token}"}) as answer:
                statuses.append(answer.status)
    assert statuses == [200, 401]


def test_asking_a_stack_that_does_not_run_is_a_mistake():
    """Its addresses are known between start and close only; its keys always."""
    idle = Stack()
    assert idle.publishable_key
    with pytest.raises(RuntimeError, match="not running"):
        _ = idle.url
    with pytest.raises(RuntimeError, match="not running"):
        _ = idle.db_url


async def test_a_taken_port_is_found_before_anything_starts(tmp_path):
    """The data directory is not even made."""
    with ports.bind(0, option="--port") as bound, pytest.raises(PortTakenError, match="--port"):
        await Stack(data=tmp_path / "data", port=bound.getsockname()[1]).start()
    assert not (tmp_path / "data").exists()


async def test_a_failed_start_stops_what_it_started(tmp_path):
    """A broken migration ends the server too, and the data directory is free again."""
    (tmp_path / "supabase/migrations").mkdir(parents=True)
    broken = tmp_path / "supabase/migrations/20240101000000_broken.sql"
    broken.write_text("select nothing")
    with pytest.raises(MigrationError):
        await Stack(tmp_path, data=tmp_path / "data").start()
    assert not (tmp_path / "data/postgres/postmaster.pid").exists()
    broken.write_text("select 1")
    async with Stack(tmp_path, data=tmp_path / "data") as mended:
        assert len(mended.applied) == 1


def command(*arguments):
    return [sys.executable, "-m", "supalocal", *arguments]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_ends_the_command_in_order(project, tmp_path, number):
    """`supalocal start` prints where it is reached, and leaves no server behind."""
    options = ["start", "--project", str(project), "--data", str(tmp_path / "data"), "--json"]
    process = await asyncio.create_subprocess_exec(*command(*options), stdout=subprocess.PIPE)
    told = json.loads(await process.stdout.readline())
    assert {"API_URL", "DB_URL", "PUBLISHABLE_KEY", "SECRET_KEY", "ANON_KEY", "SERVICE_ROLE_KEY"} <= told.keys()
    pid = int((tmp_path / "data/postgres/postmaster.pid").read_text().split()[0])
    process.send_signal(number)
    assert await process.wait() == 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_signal_while_starting_ends_it_too(tmp_path):
    """Nothing is left of half a start."""
    options = ["start", "--data", str(tmp_path / "data"), "--port", "0", "--db-port", "0", "--quiet"]
    process = await asyncio.create_subprocess_exec(*command(*options), cwd=tmp_path)
    async with asyncio.timeout(20):
        while not (tmp_path / "data").exists():  # noqa: ASYNC110  another process's progress is no event here
            await asyncio.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert await process.wait() == 0
    assert not (tmp_path / "data/postgres/postmaster.pid").exists()


def test_the_command_explains_a_failure(tmp_path):
    """One sentence and exit code 1, no traceback."""
    done = subprocess.run(
        command("start", "--project", str(tmp_path / "no")), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("supalocal: ")
    assert "is no Supabase project" in done.stderr


def test_keys_are_printed_for_env_files():
    """The lines that a client application reads."""
    done = subprocess.run(command("keys", "--env", "--port", "1234"), capture_output=True, text=True, check=True)
    keys = supalocal.Keys()
    assert done.stdout.splitlines() == [
        "SUPABASE_URL=http://127.0.0.1:1234",
        f"SUPABASE_PUBLISHABLE_KEY={keys.publishable}",
        f"SUPABASE_SECRET_KEY={keys.secret}",
        f"SUPABASE_ANON_KEY={keys.anon}",
        f"SUPABASE_SERVICE_ROLE_KEY={keys.service_role}",
    ]


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="becomes a plain user from root")
def test_a_plain_user_can_run_it():
    """Without root the server runs as its user."""
    become = ["setpriv", "--reuid=daemon", "--regid=daemon", "--clear-groups", sys.executable, "-c"]
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}

    def run(script):
        return subprocess.run([*become, script], cwd="/", capture_output=True, text=True, check=False, env=environment)

    if run("import supalocal").returncode:
        pytest.skip("a plain user cannot reach this Python")
    script = "import supalocal\nwith supalocal.Stack().running() as stack: print(stack.url)"
    done = run(script)
    assert (done.stderr, done.stdout[:17]) == ("", "http://127.0.0.1:")
