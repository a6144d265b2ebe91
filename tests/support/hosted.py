"""Fixtures: the migrations as users apply them, with the CLI, to a server like a hosted project's, with pg_cron."""

import psycopg
import pytest
from support import servers
from support.cli import Cli

import supalocal

STAND_INS = 180000  # from here on a server can have them


@pytest.fixture(scope="session")
def supabase_cli(root, tmp_path_factory):
    """The CLI, working on this project."""
    program = Cli.find()
    if program is None:
        pytest.skip("needs the Supabase CLI (npm package supabase) in SUPABASE_CLI_PATH")
    return Cli(program, root, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def debian():
    """Debian's Postgres 15 with pg_cron; nothing is applied yet."""
    try:
        found = servers.installation(15)
    except servers.ServerMissing as exc:
        pytest.skip(str(exc))
    if not servers.has_cron(found):
        pytest.skip("needs Debian's postgresql-15-cron")
    with servers.running(15) as server:
        yield server


@pytest.fixture(scope="session")
def first_push(supabase_cli, debian):
    """What the CLI said when it applied the migrations to the empty project."""
    return supabase_cli.push(debian.url())


@pytest.fixture(scope="session")
def pushed(debian, first_push):
    """The URL, as `postgres`, of the database that the CLI migrated."""
    assert first_push
    return debian.url()


@pytest.fixture
def hosted(pushed):
    """A connection to that database as `postgres`."""
    with psycopg.connect(pushed, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def by_supalocal(debian, root):
    """The URL of a database on the same server that supalocal migrated."""
    url = debian.create("by_supalocal")
    with supalocal.Stack(root, db_url=debian.url(servers.SUPERUSER, "by_supalocal"), seed=False).running():
        return url


@pytest.fixture(scope="session")
def without_cron(bare_stack, root):
    """A connection to a migrated database where pg_cron cannot be had, and the notices of the migrations."""
    with psycopg.connect(bare_stack.admin_db_url, autocommit=True) as admin:
        admin.execute("create database without_cron owner postgres")
        if admin.info.server_version >= STAND_INS:
            admin.execute("alter database without_cron set extension_control_path = '$system'")
    notices = []
    with psycopg.connect(bare_stack.db_url, dbname="without_cron", autocommit=True) as connection:
        connection.add_notice_handler(lambda notice: notices.append(notice.message_primary))
        for migration in sorted((root / "supabase" / "migrations").glob("*.sql")):
            connection.execute(f"reset all; {migration.read_text()}")
        yield connection, notices
