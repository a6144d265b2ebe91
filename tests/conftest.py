"""What all tests share: one local Supabase with this project's migrations, and clients of it.

`unit` tests modules by themselves, under their names in `src`; `integration` tests them on real servers, `database`
tests the SQL of `supabase/migrations`. `conformance` asks again what was recorded from the real servers; `e2e` runs
whole programs and unmodified clients; `fuzz` sends what nobody would. `stress`, `scale` and `bench` have commands in
`scripts/`; `support` is what several of them need.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from support import servers

import supalocal
from babelroom import Babelroom, Session
from supalocal.testing.clients import Supabase

pytest_plugins = ["pytester", "support.hosted", "support.openai_fixtures", "supalocal.pytest"]

ROOT = Path(__file__).parents[1]
BUNDLED = 18


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="fail if a test is skipped")
    parser.addoption("--examples", type=int, default=300, help="how many of each kind tests/fuzz generates")
    parser.addoption(
        "--postgres",
        type=int,
        choices=(15, 17, BUNDLED),
        default=BUNDLED,
        help="run what uses the shared stacks, and only that, on this version instead of the bundled one",
    )


def pytest_configure(config: pytest.Config) -> None:
    version = config.getoption("--postgres")
    if version != BUNDLED:
        try:
            servers.installation(version)
        except servers.ServerMissing as missing:
            raise pytest.UsageError(str(missing)) from missing


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--postgres") != BUNDLED:
        moved = [item for item in items if "shared_server" in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=[item for item in items if item not in moved])
        items[:] = moved


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped") if reporter else None
    if session.config.getoption("--no-skips") and skipped and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_server(pytestconfig: pytest.Config) -> Iterator[servers.Server | None]:
    """The server that `--postgres` asks for; None: the bundled one, which each stack starts by itself."""
    version = pytestconfig.getoption("--postgres")
    if version == BUNDLED:
        yield None
    else:
        with servers.running(version) as running:
            yield running


@pytest.fixture(scope="session")
def supabase_unstarted(shared_server: servers.Server | None) -> supalocal.Stack:
    """What supalocal's plugin starts: this project on the server that was asked for."""
    db_url = shared_server and shared_server.url(servers.SUPERUSER)
    return supalocal.Stack(project=ROOT, seed=False, db_url=db_url, cron=False)


@pytest.fixture(scope="session")
def stack(supabase_stack: supalocal.Stack) -> supalocal.Stack:
    """One Supabase for the whole run, as earlier tests have left it."""
    return supabase_stack


@pytest.fixture(scope="session")
def bare_stack(shared_server: servers.Server | None) -> Iterator[supalocal.Stack]:
    """A Supabase without a project: no migrations."""
    if shared_server:
        shared_server.create("bare")
    with supalocal.Stack(db_url=shared_server and shared_server.url(servers.SUPERUSER, "bare")).running() as running:
        yield running


@pytest.fixture
def database(supabase: Supabase) -> Iterator[psycopg.Connection]:
    """The clean database behind the stack, as its owner."""
    with psycopg.connect(supabase.stack.db_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
async def room(supabase: Supabase) -> AsyncIterator[Babelroom]:
    """A client with the public key, on a clean database."""
    stack = supabase.stack
    async with Babelroom.connect(url=stack.url, key=stack.publishable_key) as client:
        yield client


@pytest.fixture
async def partner(supabase: Supabase) -> AsyncIterator[Babelroom]:
    """A second client: another connection, nothing shared."""
    stack = supabase.stack
    async with Babelroom.connect(url=stack.url, key=stack.anon_key) as client:
        yield client


@pytest.fixture
def user() -> UUID:
    return uuid4()


@pytest.fixture
async def session(room: Babelroom) -> Session:
    """A session of the test's own, with nobody in it."""
    return await room.sessions.create_session()


@pytest.fixture
async def free_code(room: Babelroom) -> str:
    """A code that no session has, nor ever had."""
    return await room.sessions.generate_session_code()
