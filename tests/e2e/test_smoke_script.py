"""scripts/test_supabase.py: what works, and the right hint for what does not."""

import asyncio
import re
import sys

import psycopg
import pytest

import supalocal


@pytest.fixture
def smoke(root, tmp_path):
    """Run the script with just these variables set."""

    async def run(*options, **variables):
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(root / "scripts" / "test_supabase.py"), *options,
            cwd=tmp_path, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **variables},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(60):
            out, err = await process.communicate()
        assert err == b""
        return process.returncode, out.decode()

    return run


@pytest.fixture(scope="module")
def broken(root):
    """A Supabase of its own, for tests that take something away from it."""
    with supalocal.Stack(project=root, seed=False).running() as running:
        yield running


def named(stack, key=None):
    return {"SUPABASE_URL": stack.url, "SUPABASE_PUBLISHABLE_KEY": key or stack.publishable_key}


async def test_all_is_well(smoke, stack, database):
    """Connection, session, live change, and the session is closed at the end."""
    code, out = await smoke(**named(stack))
    assert code == 0
    assert [line[:5] for line in out.splitlines()] == ["ok   "] * 5
    session_code = re.search(r"code (\d{4})", out)[1]
    (is_active,) = database.execute("select is_active from public.sessions where code = %s", (session_code,)).fetchone()
    assert is_active is False


async def test_it_can_bring_its_own_supabase(smoke):
    """--local needs no project."""
    code, out = await smoke("--local")
    assert (code, out.splitlines()[0]) == (0, "Starting a local Supabase ...")
    assert out.count("ok  ") == 5


async def test_without_a_project_it_says_how_to_name_one(smoke):
    """Missing credentials."""
    code, out = await smoke()
    assert code == 1
    assert "hint  Set SUPABASE_URL and SUPABASE_PUBLISHABLE_KEY" in out


async def test_a_malformed_key_is_said(smoke):
    """Before anything is sent."""
    code, out = await smoke(SUPABASE_URL="http://127.0.0.1:9", SUPABASE_PUBLISHABLE_KEY="half a key")
    assert code == 1
    assert "FAIL  Settings: The Supabase key has the wrong shape" in out


async def test_a_server_that_is_not_there(smoke):
    """Not reachable."""
    code, out = await smoke(SUPABASE_URL="http://127.0.0.1:9", SUPABASE_PUBLISHABLE_KEY="sb_publishable_x")
    assert code == 1
    assert "FAIL  Connection: Supabase did not answer" in out
    assert "hint  Check SUPABASE_URL and the network" in out


async def test_a_wrong_key(smoke, stack):
    """A key of another project."""
    another = supalocal.Keys("another project's secret, of forty characters").anon
    code, out = await smoke(**named(stack, another))
    assert code == 1
    assert "hint  Check the key" in out


async def test_a_database_without_tables(smoke, bare_stack):
    """Relation missing: the migrations have not been applied."""
    code, out = await smoke(**named(bare_stack))
    assert code == 1
    assert "FAIL  Connection" in out
    assert "hint  Apply the migrations" in out


async def test_policies_that_refuse(smoke, broken):
    """Row level security without the policy of the migrations."""
    with psycopg.connect(broken.db_url, autocommit=True) as database:
        database.execute('drop policy "Anyone can create sessions" on public.sessions')
        code, out = await smoke(**named(broken))
        database.execute('create policy "Anyone can create sessions" on public.sessions for insert with check (true)')
    assert code == 1
    assert "FAIL  Create a session" in out
    assert "hint  Check the row level security policies" in out


async def test_a_table_that_is_not_published(smoke, broken):
    """No live changes: the table is not in the publication. The session is tidied up all the same."""
    with psycopg.connect(broken.db_url, autocommit=True) as database:
        database.execute("alter publication supabase_realtime drop table public.messages")
        code, out = await smoke(**named(broken))
        database.execute("alter publication supabase_realtime add table public.messages")
    assert code == 1
    assert "FAIL  Receive a live change" in out
    assert "hint  Check that Realtime is on, and that messages is in the publication" in out
    assert "ok    Tidied up" in out
