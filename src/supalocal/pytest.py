"""A pytest plugin: one local Supabase for the run, a clean database for each test, clients of every role.

Name it in the `conftest.py` beside your `pyproject.toml`:

    pytest_plugins = ["supalocal.pytest"]

A test that asks for `supabase` starts with the rows that migrations and seed made, and nothing else:

    def test_notes_are_private(supabase):
        with supabase.user() as alice, supabase.user() as bob, supabase.anon() as nobody:
            alice.table("notes").insert({"body": "mine"}).execute()
            assert len(alice.table("notes").select("*").execute().data) == 1
            assert bob.table("notes").select("*").execute().data == []
            assert nobody.table("notes").select("*").execute().data == []

`async with` gives the same clients as supabase-py's `AsyncClient`, in whatever event loop the test runs. A fixture for
a client that many tests share is yours to name:

    @pytest.fixture
    async def alice(supabase):
        async with supabase.user() as client:
            yield client

Fixtures:

`supabase`        a clean database: its rows are put back before the test, in a few milliseconds. `anon()`, `user()`
                  (a fresh anonymous user) and `service_role()` give clients, `stack` has URLs and keys. Its type is
                  `supalocal.testing.clients.Supabase`.
`supabase_stack`  the running `supalocal.Stack`, one for the run, whoever asks; nothing is cleaned.

The stack's project is the `supabase/` folder of pytest's root directory. Two settings change that, in `pyproject.toml`
below `[tool.pytest.ini_options]`:

    supabase_project = "backend"   # the directory that holds supabase/
    supabase_seed = false          # start without the seed files

For anything else (a database given by URL, a JWT secret) override the fixture `supabase_unstarted` with a stack of your
own making:

    @pytest.fixture(scope="session")
    def supabase_unstarted():
        return supalocal.Stack(project="backend", db_url=os.environ["TEST_DB_URL"])

What is put back, how and how fast: `supalocal.testing.snapshot`. The schema is not: a test that creates, alters or
drops must undo it. Rows made by fixtures of a wider scope than one test do not survive the first clean database. Jobs
that migrations schedule with pg_cron are there and do not run.

With pytest-xdist each worker has a stack of its own, on free ports. The plugin has no entry point, as a Supabase in
every pytest run of an environment is not what one expects of installing a client library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supalocal.stack import Stack
from supalocal.testing.clients import Supabase
from supalocal.testing.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("supabase_project", "the directory that holds supabase/, from pytest's root directory", default=".")
    parser.addini("supabase_seed", "whether the local Supabase starts with the seed files", type="bool", default=True)


@pytest.fixture(scope="session")
def supabase_unstarted(pytestconfig: pytest.Config) -> Stack:
    """The stack that the run will start; override this to start another."""
    project = pytestconfig.rootpath / pytestconfig.getini("supabase_project")
    return Stack(project, seed=pytestconfig.getini("supabase_seed"), cron=False)


@pytest.fixture(scope="session")
def _supabase_started(supabase_unstarted: Stack) -> Iterator[tuple[Stack, Snapshot]]:
    # Taken at once: a test may write without ever asking for a clean database.
    with supabase_unstarted.running() as stack, Snapshot(stack.admin_db_url) as snapshot:
        yield stack, snapshot


@pytest.fixture(scope="session")
def supabase_stack(_supabase_started: tuple[Stack, Snapshot]) -> Stack:
    """The running stack; its database is as the tests before have left it."""
    return _supabase_started[0]


@pytest.fixture
def supabase(_supabase_started: tuple[Stack, Snapshot]) -> Supabase:
    """A clean database, and clients of it."""
    stack, snapshot = _supabase_started
    snapshot.restore()
    return Supabase(stack)
