"""The founding spec's own SQL, word for word, as a project's only migration."""

from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
from support import servers

import supalocal

PROJECT = Path(__file__).with_name("founding_spec")


@contextmanager
def on_the_bundled_server():
    with supalocal.Stack(PROJECT, cron=False).running() as stack:
        yield stack


@contextmanager
def on_debians():
    try:
        found = servers.installation(15)
    except servers.ServerMissing as missing:
        pytest.skip(str(missing))
    if not servers.has_cron(found):
        pytest.skip("needs Debian's postgresql-15-cron")
    with (
        servers.running(15) as server,
        supalocal.Stack(PROJECT, db_url=server.url(servers.SUPERUSER), cron=False).running() as stack,
    ):
        yield stack


@pytest.fixture(scope="module", params=[on_the_bundled_server, on_debians])
def stack(request):
    """A stack of the spec's project."""
    with request.param() as running:
        yield running


@pytest.fixture
def database(stack):
    with psycopg.connect(stack.db_url, autocommit=True) as connection:
        yield connection


def test_it_applies_unchanged(stack):
    """By postgres, who is no superuser."""
    assert [migration.name for migration in stack.applied] == ["founding_spec"]


def test_its_job_is_scheduled(database):
    """By the hour, as postgres."""
    query = "select jobname, schedule, command, username, database, active from cron.job"
    assert database.execute(query).fetchall() == [
        (
            "cleanup-expired-sessions",
            "0 * * * *",
            "SELECT cleanup_expired_sessions();",
            "postgres",
            "postgres",
            True,
        )
    ]


def test_its_functions_work(database):
    """Ids by uuid_generate_v4(), a code of four digits, and the clean-up that the job runs."""
    insert = "insert into sessions (code, expires_at) values (generate_unique_session_code(), now()) returning id, code"
    session, code = database.execute(insert).fetchone()
    assert (session.version, len(code), code.isdigit()) == (4, 4, True)
    database.execute("select cleanup_expired_sessions()")
    assert database.execute("select is_active from sessions where id = %s", [session]).fetchone() == (False,)


async def test_its_tables_are_served(stack):
    """To the public key, under its policies."""
    headers = {"apikey": stack.publishable_key, "Prefer": "return=representation"}
    async with httpx.AsyncClient(base_url=stack.url, headers=headers) as client:
        made = await client.post("/rest/v1/sessions", json={"code": "0001"})
        assert made.status_code == httpx.codes.CREATED
        read = await client.get("/rest/v1/sessions", params={"id": f"eq.{made.json()[0]['id']}"})
    assert read.json() == made.json()
